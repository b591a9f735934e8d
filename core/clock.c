/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the clock. */
#include "core/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* Cannot fail: Linux has the younger of our clocks since 2.6.39. */
static uint64_t read_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_boottime_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

uint64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

void clock_format_utc(uint64_t seconds, char text[CLOCK_UTC_TEXT])
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30,
					   31, 31, 30, 31, 30, 31};
	enum { DAY = 24 * 3600, LAST_YEAR = 9999 };
	uint64_t days = seconds / DAY;
	unsigned time = (unsigned)(seconds % DAY), year = 1970, month = 0;

	for (; year < LAST_YEAR && days >= 365U + is_leap(year); year++)
		days -= 365U + is_leap(year);
	for (; month < 11; month++) {
		unsigned length =
			lengths[month] + (month == 1 && is_leap(year));

		if (days < length)
			break;
		days -= length;
	}
	(void)snprintf(text, CLOCK_UTC_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		       year, month + 1, (unsigned)days % 31 + 1, time / 3600,
		       time / 60 % 60, time % 60);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the linker puts in the place of clock_gettime(): it is later, by as many
 * milliseconds as the file has that THRASH_TEST_CLOCK names.  As when a host
 * sleeps, that is so for the clocks that go on meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int true_time(clockid_t clock,
	      struct timespec *now) __asm__("__real_clock_gettime");
int later_time(clockid_t clock,
	       struct timespec *now) __asm__("__wrap_clock_gettime");

static long later_ms(void)
{
	const char *name = getenv("THRASH_TEST_CLOCK");
	FILE *file = name ? fopen(name, "re") : NULL;
	char line[32] = "";

	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	(void)fclose(file);
	return strtol(line, NULL, 10);
}

static void add_ms(struct timespec *time, long ms)
{
	long long ns = time->tv_nsec + ms % 1000 * 1000000LL;

	time->tv_sec += ms / 1000 + ns / 1000000000;
	time->tv_nsec = (long)(ns % 1000000000);
}

int later_time(clockid_t clock, struct timespec *now)
{
	int error = true_time(clock, now);

	if (error == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME))
		add_ms(now, later_ms());
	return error;
}

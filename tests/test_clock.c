/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests dates against libc's. */
#include "core/clock.h"

#include "tests/tap.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { DAYS = 230 * 366, ODD_SECONDS = 86400 + 61 };

int main(void)
{
	char text[CLOCK_UTC_TEXT], wanted[CLOCK_UTC_TEXT];
	uint64_t before = clock_boottime_us();
	unsigned wrong = 0;

	for (uint64_t i = 0; i < DAYS; i++) {
		uint64_t seconds = i * ODD_SECONDS;
		time_t time = (time_t)seconds;
		struct tm utc;

		clock_format_utc(seconds, text);
		(void)strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ",
			       gmtime_r(&time, &utc));
		if (strcmp(text, wanted) != 0 && !wrong++)
			diag("%" PRIu64 ": %s, wanted %s", seconds, text,
			     wanted);
	}
	is_int(wrong, 0, "the date of each day until 2200 is right");
	clock_format_utc(951782399, text);
	is_text(text, "2000-02-28T23:59:59Z", "before the leap day of 2000");
	clock_format_utc(UINT64_MAX, text);
	ok(strlen(text) < sizeof(text), "an absurd date fits: %s", text);
	ok(clock_boottime_us() >= before && before, "time goes forward");
	return done_testing();
}

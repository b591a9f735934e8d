/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints test results in the Test Anything Protocol. */
#include "tests/tap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned count, failures;

__attribute__((format(printf, 2, 0))) static bool
report(bool passed, const char *name, va_list args)
{
	printf("%sok %u - ", passed ? "" : "not ", ++count);
	vprintf(name, args);
	putchar('\n');
	failures += !passed;
	fflush(stdout);
	return passed;
}

bool ok(bool passed, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	report(passed, name, args);
	va_end(args);
	return passed;
}

bool is_int(int64_t got, int64_t wanted, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	report(got == wanted, name, args);
	va_end(args);
	if (got != wanted)
		diag("got %" PRId64 ", wanted %" PRId64, got, wanted);
	return got == wanted;
}

bool is_text(const char *got, const char *wanted, const char *name, ...)
{
	bool same = got && strcmp(got, wanted) == 0;
	va_list args;

	va_start(args, name);
	report(same, name, args);
	va_end(args);
	if (!same)
		diag("got '%s', wanted '%s'", got ? got : "(null)", wanted);
	return same;
}

void diag(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void skip(const char *reason, ...)
{
	va_list args;

	printf("ok %u # SKIP ", ++count);
	va_start(args, reason);
	vprintf(reason, args);
	va_end(args);
	putchar('\n');
}

void skip_all(const char *reason, ...)
{
	va_list args;

	fputs("1..0 # SKIP ", stdout);
	va_start(args, reason);
	vprintf(reason, args);
	va_end(args);
	putchar('\n');
	exit(EXIT_SUCCESS);
}

int done_testing(void)
{
	printf("1..%u\n", count);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ranges <QUESTIONS: each line a range and, behind tabs, values.  Answers in
 * the same order what a check makes of them: "invalid", or for each value 1
 * if it alerts and 0 if not.
 */
#include "plugins/nagios/nagios.h"

#include <stdio.h>
#include <string.h>

/* As a range has them: thousandths. */
static int value_parse(struct span text, int64_t *value)
{
	bool is_negative = text.length && text.start[0] == '-';
	uint64_t size;

	text.start += is_negative;
	text.length -= is_negative;

	int error = span_to_thousandths(text, &size);

	*value = error ? 0 : is_negative ? -(int64_t)size : (int64_t)size;
	return error;
}

static int answer(struct span line)
{
	struct span text;
	struct nagios_range range;
	int64_t value;

	if (!span_split(&line, '\t', &text))
		return -1;
	if (nagios_range_parse(text, &range) != 0) {
		(void)puts("invalid");
		return 0;
	}
	while (span_split(&line, '\t', &text)) {
		if (value_parse(text, &value) != 0)
			return -1;
		(void)putchar(nagios_range_alerts(&range, value) ? '1' : '0');
	}
	(void)putchar('\n');
	return 0;
}

int main(void)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (answer(span_of(line)) != 0) {
			(void)fprintf(stderr, "ranges: %s?\n", line);
			return 1;
		}
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

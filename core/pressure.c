/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses a pressure file. */
#include "core/pressure.h"

#include <errno.h>

/* Takes "NAME=VALUE" off the line and gives VALUE; empty if it is not there. */
static struct span take_field(struct span *line, const char *name)
{
	struct span value = span_word(line), key;

	if (span_split(&value, '=', &key) && span_equals(key, name))
		return value;
	return (struct span){value.start, 0};
}

/* "some avg10=0.00 avg60=0.12 avg300=0.05 total=1834924" */
static int parse_line(struct span line, const char *kind, uint64_t *total_us)
{
	static const char *const averages[] = {"avg10", "avg60", "avg300"};
	uint64_t ignored;

	if (!span_equals(span_word(&line), kind))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(averages) / sizeof(*averages); i++)
		if (span_to_thousandths(take_field(&line, averages[i]),
					&ignored))
			return -EINVAL;

	struct span total = take_field(&line, "total");

	return line.length || span_to_u64(total, total_us) ? -EINVAL : 0;
}

int pressure_parse(struct span text, struct pressure *pressure)
{
	struct pressure parsed;
	int error = parse_line(span_line(&text), "some", &parsed.some_us);

	if (!error)
		error = parse_line(span_line(&text), "full", &parsed.full_us);
	if (error)
		return error;
	if (text.length)
		return -EINVAL;
	*pressure = parsed;
	return 0;
}

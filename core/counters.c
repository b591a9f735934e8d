/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Picks wanted counters out of "name value" lines. */
#include "core/counters.h"

#include <errno.h>

static int parse_line(struct span line, const struct counter_row *rows,
		      size_t count, void *target, uint32_t *found)
{
	struct span name = span_word(&line);

	for (size_t i = 0; i < count; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if (!span_equals(name, rows[i].name))
			continue;
		if (*found & bit)
			return -EINVAL;
		*found |= bit;
		return span_to_u64(line, (uint64_t *)(void *)((char *)target +
							      rows[i].offset));
	}
	return 0;
}

int counters_parse(struct span text, const struct counter_row *rows,
		   size_t count, void *target, uint32_t *found)
{
	*found = 0;
	while (text.length) {
		int error = parse_line(span_line(&text), rows, count, target,
				       found);

		if (error)
			return error;
	}
	return 0;
}

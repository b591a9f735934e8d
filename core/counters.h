/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of "name value", as /proc/vmstat has them: a table says which names
 * are wanted and where in a struct their values go.  Other names are skipped,
 * so that a newer kernel does no harm; what is wanted must be well-formed and
 * appear at most once.
 */
#ifndef THRASH_CORE_COUNTERS_H
#define THRASH_CORE_COUNTERS_H

#include "core/text.h"

struct counter_row {
	const char *name;
	size_t offset; /* of a uint64_t in the caller's struct */
};

/*
 * Fills the uint64_t fields of *target; *found has bit i set when row i was
 * there.  At most 32 rows.  -EINVAL for a wanted value that is not a number
 * or a name that comes twice, -ERANGE for one above UINT64_MAX.
 */
int counters_parse(struct span text, const struct counter_row *rows,
		   size_t count, void *target, uint32_t *found);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses /proc/vmstat. */
#include "core/vmstat.h"

#include "core/counters.h"

#include <errno.h>

enum { IN, OUT, MAJOR, ANON, FILE_SINCE_5_9, FILE_BEFORE_5_9, ROWS };

static const struct counter_row rows[ROWS] = {
	[IN] = {"pswpin", offsetof(struct vmstat, swapped_in)},
	[OUT] = {"pswpout", offsetof(struct vmstat, swapped_out)},
	[MAJOR] = {"pgmajfault", offsetof(struct vmstat, major_faults)},
	[ANON] = {"workingset_refault_anon",
		  offsetof(struct vmstat, refaulted_anon)},
	[FILE_SINCE_5_9] = {"workingset_refault_file",
			    offsetof(struct vmstat, refaulted_file)},
	[FILE_BEFORE_5_9] = {"workingset_refault",
			     offsetof(struct vmstat, refaulted_file)},
};

int vmstat_parse(struct span text, struct vmstat *vmstat)
{
	struct vmstat parsed = {0};
	uint32_t found;
	int error = counters_parse(text, rows, ROWS, &parsed, &found);

	if (error)
		return error;
	if (!(found & 1U << MAJOR))
		return -EINVAL;
	parsed.has_swap = found & 1U << IN && found & 1U << OUT;
	parsed.has_refaults_anon = found & 1U << ANON;
	parsed.has_refaults_file =
		found & (1U << FILE_SINCE_5_9 | 1U << FILE_BEFORE_5_9);
	*vmstat = parsed;
	return 0;
}

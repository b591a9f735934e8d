/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses /proc/vmstat. */
#include "core/vmstat.h"

#include "core/counters.h"

#include <errno.h>

/* What the kernel has in parts. */
struct counters {
	struct vmstat vmstat;
	uint64_t scanned_anon, scanned_file;
	uint64_t scanned_by_kswapd, scanned_directly, scanned_by_khugepaged;
};

enum {
	IN,
	OUT,
	MAJOR,
	ANON,
	FILE_SINCE_5_9,
	FILE_BEFORE_5_9,
	SCAN_ANON,
	SCAN_FILE,
	SCAN_KSWAPD,
	SCAN_DIRECT,
	SCAN_KHUGEPAGED, /* since 6.2 */
	FREE,
	ROWS
};

static const struct counter_row rows[ROWS] = {
	[IN] = {"pswpin", offsetof(struct counters, vmstat.swapped_in)},
	[OUT] = {"pswpout", offsetof(struct counters, vmstat.swapped_out)},
	[MAJOR] = {"pgmajfault",
		   offsetof(struct counters, vmstat.major_faults)},
	[ANON] = {"workingset_refault_anon",
		  offsetof(struct counters, vmstat.refaulted_anon)},
	[FILE_SINCE_5_9] = {"workingset_refault_file",
			    offsetof(struct counters, vmstat.refaulted_file)},
	[FILE_BEFORE_5_9] = {"workingset_refault",
			     offsetof(struct counters, vmstat.refaulted_file)},
	[SCAN_ANON] = {"pgscan_anon", offsetof(struct counters, scanned_anon)},
	[SCAN_FILE] = {"pgscan_file", offsetof(struct counters, scanned_file)},
	[SCAN_KSWAPD] = {"pgscan_kswapd",
			 offsetof(struct counters, scanned_by_kswapd)},
	[SCAN_DIRECT] = {"pgscan_direct",
			 offsetof(struct counters, scanned_directly)},
	[SCAN_KHUGEPAGED] = {"pgscan_khugepaged",
			     offsetof(struct counters, scanned_by_khugepaged)},
	[FREE] = {"nr_free_pages", offsetof(struct counters, vmstat.free)},
};

int vmstat_parse(struct span text, struct vmstat *vmstat)
{
	const uint32_t scanned = 1U << SCAN_ANON | 1U << SCAN_FILE |
				 1U << SCAN_KSWAPD | 1U << SCAN_DIRECT;
	struct counters counters = {.vmstat = {.has_swap = false}};
	struct vmstat *parsed = &counters.vmstat;
	uint32_t found;
	int error = counters_parse(text, rows, ROWS, &counters, &found);

	if (error)
		return error;
	if (!(found & 1U << MAJOR))
		return -EINVAL;
	parsed->has_swap = found & 1U << IN && found & 1U << OUT;
	parsed->has_refaults_anon = found & 1U << ANON;
	parsed->has_refaults_file =
		found & (1U << FILE_SINCE_5_9 | 1U << FILE_BEFORE_5_9);
	parsed->has_free = found & 1U << FREE;
	parsed->has_scanned = (found & scanned) == scanned;
	if (parsed->has_scanned) {
		parsed->scanned = counters.scanned_anon + counters.scanned_file;
		parsed->scanned_for_host = counters.scanned_by_kswapd +
					   counters.scanned_directly +
					   counters.scanned_by_khugepaged;
	}
	*vmstat = *parsed;
	return 0;
}

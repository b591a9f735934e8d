/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses /proc/vmstat. */
#include "core/vmstat.h"

#include "core/counters.h"
#include "core/number.h"

#include <errno.h>

/* What the kernel has in parts. */
struct counters {
	struct vmstat vmstat;
	uint64_t scanned_anon, scanned_file;
	uint64_t scanned_by_kswapd, scanned_directly, scanned_by_khugepaged;
	uint64_t anon_listed[3], anon_mapped, shmem, swap_cached;
	uint64_t file_listed[2];
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
	INACTIVE_ANON,
	ACTIVE_ANON,
	UNEVICTABLE,
	ANON_MAPPED,
	SHMEM,
	SWAP_CACHED, /* since 5.12 */
	INACTIVE_FILE,
	ACTIVE_FILE,
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
	[INACTIVE_ANON] = {"nr_inactive_anon",
			   offsetof(struct counters, anon_listed[0])},
	[ACTIVE_ANON] = {"nr_active_anon",
			 offsetof(struct counters, anon_listed[1])},
	[UNEVICTABLE] = {"nr_unevictable",
			 offsetof(struct counters, anon_listed[2])},
	[ANON_MAPPED] = {"nr_anon_pages",
			 offsetof(struct counters, anon_mapped)},
	[SHMEM] = {"nr_shmem", offsetof(struct counters, shmem)},
	[SWAP_CACHED] = {"nr_swapcached",
			 offsetof(struct counters, swap_cached)},
	[INACTIVE_FILE] = {"nr_inactive_file",
			   offsetof(struct counters, file_listed[0])},
	[ACTIVE_FILE] = {"nr_active_file",
			 offsetof(struct counters, file_listed[1])},
};

/*
 * What is listed as anonymous is mapped, or shared memory, or was unmapped to
 * be evicted.  Locked pages of files are listed there as well, so it is at
 * most what the swap cache holds.
 */
static uint64_t evicted(const struct counters *counters)
{
	uint64_t listed = counters->anon_listed[0] + counters->anon_listed[1] +
			  counters->anon_listed[2];
	uint64_t others = counters->anon_mapped + counters->shmem;

	return lesser(listed - lesser(listed, others), counters->swap_cached);
}

int vmstat_parse(struct span text, struct vmstat *vmstat)
{
	const uint32_t scanned = 1U << SCAN_ANON | 1U << SCAN_FILE |
				 1U << SCAN_KSWAPD | 1U << SCAN_DIRECT;
	const uint32_t used = 1U << FREE | 1U << INACTIVE_ANON |
			      1U << ACTIVE_ANON | 1U << INACTIVE_FILE |
			      1U << ACTIVE_FILE;
	const uint32_t lists = 1U << INACTIVE_ANON | 1U << ACTIVE_ANON |
			       1U << UNEVICTABLE | 1U << ANON_MAPPED |
			       1U << SHMEM | 1U << SWAP_CACHED;
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
	parsed->has_evicted = (found & lists) == lists;
	if (parsed->has_evicted)
		parsed->evicted = evicted(&counters);
	parsed->has_usable = (found & used) == used;
	if (parsed->has_usable)
		parsed->usable = parsed->free + counters.anon_listed[0] +
				 counters.anon_listed[1] +
				 counters.file_listed[0] +
				 counters.file_listed[1];
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The counters of /proc/vmstat that tell of paging, in pages since boot. */
#ifndef THRASH_CORE_VMSTAT_H
#define THRASH_CORE_VMSTAT_H

#include "core/text.h"

/* /proc/vmstat of 6.18 has 3.9 kB; it grows by some names a year. */
enum { VMSTAT_SIZE = 16384 };

struct vmstat {
	uint64_t swapped_in;     /* pswpin */
	uint64_t swapped_out;    /* pswpout */
	uint64_t major_faults;   /* pgmajfault */
	uint64_t refaulted_anon; /* workingset_refault_anon, since 5.9 */
	uint64_t refaulted_file; /* ..._file; workingset_refault before 5.9 */
	/*
	 * Pages looked at to make room, since 5.8: in all, and for want of
	 * memory of the host.  A memory cgroup at its own limit counts in the
	 * first only; madvise(2) counts in neither.
	 */
	uint64_t scanned;          /* pgscan_anon and pgscan_file */
	uint64_t scanned_for_host; /* pgscan_kswapd, _direct, _khugepaged */
	uint64_t free;             /* nr_free_pages: now, not since boot */
	/*
	 * Pages that are in swap already, or on their way, and in memory
	 * still, mapped by nobody: free at the next need.  Now.
	 */
	uint64_t evicted;
	/* What is free, or could be taken from one for another.  Now. */
	uint64_t usable;
	bool has_free;
	bool has_evicted;
	bool has_usable;
	bool has_swap; /* a kernel without swap has neither of the two */
	bool has_refaults_anon;
	bool has_refaults_file;
	bool has_scanned;
};

/* -EINVAL for malformed text or text without pgmajfault. */
int vmstat_parse(struct span text, struct vmstat *vmstat);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the host thrashing?  Pure: samples in, a verdict out.
 *
 * Two signs are needed.  Tasks must be stalled for want of memory, for a
 * share of the last second, or for five times that share of the last tenth;
 * and pages that were evicted must come back, because a host that merely
 * reads a lot stalls too.  Stall time decides and page counts explain: the
 * same threshold then fits a magnetic disk (10 ms a page) and compressed
 * memory (some microseconds).
 */
#ifndef THRASH_DAEMON_DETECT_H
#define THRASH_DAEMON_DETECT_H

#include "core/sample.h"
#include "daemon/settings.h"

enum verdict {
	VERDICT_CALM,
	VERDICT_UNSETTLED, /* change nothing that need not be changed */
	VERDICT_THRASHING,
};

/* What the verdict rests on, by what the kernel offers. */
enum detect_mode {
	MODE_PSI,
	MODE_SWAP,       /* no pressure information: pages in and out */
	MODE_PGMAJFAULT, /* not even swap counters */
};

enum {
	DETECT_HISTORY = 128, /* samples: a second at the shortest interval */
	DETECT_WINDOW_MS = 1000,
	/*
	 * And for that share of this, or it is over.  The last second alone
	 * says otherwise for most of another one, in which compilers that had
	 * their pages back were frozen.
	 */
	DETECT_STILL_MS = 300,
	DETECT_ACUTE_MS = 100,
	DETECT_ACUTE_FACTOR = 5,
	DETECT_ACUTE_MAX_PERMILLE = 900, /* of a high threshold */
	DETECT_COUNT_MS = 500, /* window of the two modes without pressure */
	/* Fewer pages than this in a second are nobody's working set. */
	DETECT_LEAST_PAGES = 8,
	/*
	 * File pages come back at the start of any program (measured: 10 after
	 * the copy of a large file); a working set of them comes in by the
	 * cluster, over a hundred a second even from a magnetic disk.
	 */
	DETECT_LEAST_FILE_PAGES = 64,
	/*
	 * What one page from swap can cost, for the share of io stall that
	 * swap explains: a seek on a magnetic disk.
	 */
	DETECT_PAGE_COST_MAX_US = 10000,
	/*
	 * Whether and for whom room is made, is judged over this time: longer
	 * than kswapd of a host with a slow disk sleeps between two rounds.
	 */
	DETECT_ROOM_MS = 3000,
	/* Of the pages that move, room is made for this share at least. */
	DETECT_ROOM_SHARE = 4,
};

struct detector {
	struct sample history[DETECT_HISTORY];
	size_t newest, count;
	enum detect_mode mode;
	enum verdict verdict;
	uint64_t trouble_us; /* time of the last thrashing sample */
	/* stalled time up to each sample, summed from the best source */
	uint64_t stalled_us[DETECT_HISTORY];
	uint64_t stall_permille; /* of the last interval */
	uint64_t page_cost_ns;   /* learned: stall per page from swap */
	uint64_t thrash_us_total;
};

/* All zero is a detector that has seen nothing. */

/* Adds a sample, later than the one before, and gives the verdict. */
enum verdict detect_step(struct detector *detector,
			 const struct settings *settings,
			 const struct sample *sample);

/* The share of the last ms in which tasks were stalled. */
uint64_t detect_stall_permille(const struct detector *detector, uint64_t ms);

/*
 * Whether memory is short, though nothing has come back yet: tasks stall as
 * in a thrash while pages go out.
 */
bool detect_is_filling(const struct detector *detector,
		       const struct settings *settings);

/* Whether pages went to swap in the last second, to make room. */
bool detect_is_evicting(const struct detector *detector);

/*
 * Whether memory is short in some cgroup at its own limit and not on the host:
 * pages move, and the kernel makes room, but little of it for the host.
 */
bool detect_is_confined(const struct detector *detector);

/* Since the first sample. */
uint64_t detect_stall_us_total(const struct detector *detector);

const char *verdict_name(enum verdict verdict);

#endif

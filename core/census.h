/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is there: a row for every process, and when to look at each again.
 *
 * Reading everybody each time costs too much where there are many.  CPU time
 * on Linux 6.18 with 10,000 processes, in us for each: its entry in the
 * listing of /proc 1.4 (5 the first time), stat 14, statm 9, status 24; so
 * everybody is 150 ms.  A look therefore lists CENSUS_LIST_BYTES more of
 * /proc and reads at most CENSUS_READS processes, those that may matter: who
 * grows, who is big and faults, who waits for a disk, who was just born.  Who
 * is quiet is due later each time: after 4 looks if big, 16 otherwise, and so
 * is a kernel thread.  All are seen once in as many looks as it takes, the
 * youngest pids first: trouble is mostly young, and kernel threads are old.
 * Such a look takes 8 ms with 10,000 processes, and 0.5 ms with 300 of whom
 * few are due.
 *
 * Pids are reused.  A row whose pid is not in the listing any more is
 * dropped, and one read with another start time is of another process.  Who
 * is in a look was read in that look.
 */
#ifndef THRASH_CORE_CENSUS_H
#define THRASH_CORE_CENSUS_H

#include "core/process.h"

enum {
	CENSUS_LIST_BYTES = 32 * 1024, /* some 1,000 entries, in one look */
	CENSUS_READS = 256,            /* processes, in one look at most */
	CENSUS_KIN = 16, /* our ancestors; they are read in each look */
	/* More than a host of this kind runs; who is beyond is left out. */
	CENSUS_ROWS = 32768,
	/* What happened since it was read longer ago than this is history. */
	CENSUS_FRESH_MS = 2000,
	CENSUS_BIG_KIB = 8 * 1024,
	/* Who has grown by less since it was last read is quiet. */
	CENSUS_GROWTH_KIB = 256,
};

/* The order in which those who are due are read. */
enum census_kind {
	CENSUS_LIVELY, /* had changed; half of the reads at most */
	CENSUS_UNREAD,
	CENSUS_QUIET,
	CENSUS_KINDS,
};

/* A process when it was last read. */
struct census_row {
	uint64_t start_time;
	uint64_t seen_us; /* 0: never */
	uint64_t major_faults;
	uint64_t resident_kib;
	pid_t pid;
	uint8_t quiet;  /* how often it had not changed, up to a limit */
	uint8_t due_in; /* looks */
	bool is_listed; /* by the pass over the listing that is under way */
	bool is_chosen; /* to be read in this look */
};

struct census {
	int directory; /* owned; -1: none, a recording is replayed */
	unsigned page_kib;
	uint64_t tick_us; /* of start times */
	pid_t kin[CENSUS_KIN];
	size_t kin_count;
	struct census_row *rows; /* owned; by rising pid */
	size_t count, room;
	size_t next[CENSUS_KINDS]; /* where choosing goes on, downward */
	size_t left_out;           /* by this pass: there is no room for them */
	size_t reads;              /* of the last look */
	size_t unread;             /* who has never been read */
	uint64_t looked_us;
	/*
	 * The last look: who was read, without kernel threads and zombies; and
	 * the same as they were when read before, or at birth.  Who is not in
	 * the second table was not read lately.
	 */
	struct process_table now, before;
};

/* For census_see(); -ENOMEM.  capacity is how many a look may hold. */
int census_init(struct census *census, size_t capacity);

/* For census_scan(); self is who looks.  -errno. */
int census_open(struct census *census, int proc, pid_t self);
void census_close(struct census *census);

/* Begins a look, which is empty.  Time goes forward from look to look. */
void census_begin(struct census *census, uint64_t now_us);

/* Reads who is due; -errno when /proc cannot be listed. */
int census_scan(struct census *census);

/*
 * Adds one process to the look, as it was read; in the order of pids, not a
 * kernel thread or a zombie.  -ENOSPC: there are too many.
 */
int census_see(struct census *census, const struct process *process);

#endif

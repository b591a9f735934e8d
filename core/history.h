/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The history: what happened on this host since it was started, for as long
 * as HISTORY_DAYS, in a file of fixed size.  The daemon writes it, anybody
 * reads it.
 *
 * <run directory>/history is root's, mode 0644.  It has two rings of records,
 * of ten seconds and of a minute each, and one of freezes.  The place of a
 * record is its time, so that nobody has to look for the newest, and trouble,
 * however long, pushes out nothing that is younger than its ring.  What was
 * never written is a hole and takes no memory (in all 0.3, 1.4 and 0.5 MiB).
 *
 * A record is written in place.  Half of one, whether it is being written or
 * its writer was killed, does not fit its checksum, and so is none.
 *
 * The only clock is CLOCK_BOOTTIME; a file of an earlier boot, whose counters
 * would be others, too, is not believed: one on a disk that has another name of
 * a boot in it.
 */
#ifndef THRASH_CORE_HISTORY_H
#define THRASH_CORE_HISTORY_H

#include "core/problem.h"
#include "core/process.h"
#include "core/sample.h"

enum history_ring {
	HISTORY_FINE,   /* of ten seconds, only of minutes with trouble */
	HISTORY_COARSE, /* of a minute */
	HISTORY_RINGS,
};

enum {
	HISTORY_DAYS = 7,
	HISTORY_FINE_MS = 10000,
	HISTORY_FINE_SLOTS = 6 * 3600 / 10,
	HISTORY_COARSE_MS = 60000,
	HISTORY_RATIO = HISTORY_COARSE_MS / HISTORY_FINE_MS,
	HISTORY_COARSE_SLOTS = HISTORY_DAYS * 24 * 60,
	HISTORY_FREEZES = 4096,
	/* Two records further apart: nobody watched in between. */
	HISTORY_GAP_MS = 5 * HISTORY_COARSE_MS / 2,
	HISTORY_REASON = 40,
};

/* What a sample may lack. */
enum history_flag {
	HISTORY_HAS_SWAP = 1,
	HISTORY_HAS_REFAULTS_ANON = 2,
	HISTORY_HAS_REFAULTS_FILE = 4,
	HISTORY_HAS_MEMORY = 8,
	HISTORY_HAS_IO = 16,
	HISTORY_IS_CONFINED = 32, /* a cgroup at its limit lacked memory */
	HISTORY_FLAGS = 64,
};

enum history_verdict {
	HISTORY_CALM,
	HISTORY_UNSETTLED,
	HISTORY_THRASHING,
	HISTORY_VERDICTS,
};

/* As it is in the file. */
struct history_record {
	uint32_t checksum;   /* of what follows */
	uint32_t lacked_kib; /* by the jobs, at most; see also lacked_ms */
	uint64_t boottime_ms;
	uint64_t started_ms; /* when the daemon began to count; in boottime */

	/* the kernel's counters at boottime_ms */
	uint64_t major_faults, swapped_in, swapped_out;
	uint64_t refaulted_anon, refaulted_file;
	uint64_t memory_some_us, memory_full_us, io_some_us, io_full_us;

	/* the daemon's, since started_ms */
	uint64_t thrash_us_total, frozen_us_total;
	uint64_t freezes_total, thaws_total;

	/* since the record before: the worst, but lacked_ms is the sum */
	uint32_t longest_frozen_ms;
	uint32_t lacked_ms; /* time in which memory was lacking */
	uint16_t frozen_processes;
	uint16_t stall_permille;
	uint8_t verdict; /* enum history_verdict */
	uint8_t flags;   /* enum history_flag */
	uint8_t unused[2];
};

/* One freeze, as it is in the file. */
struct history_freeze {
	uint32_t checksum; /* of what follows */
	int32_t pid;
	uint64_t start_time;
	uint64_t boottime_ms;          /* when it was frozen */
	uint64_t sequence;             /* from 1 on; 0: this is none */
	uint32_t frozen_ms;            /* if it is over */
	uint32_t memory_kib;           /* that it had, in memory and in swap */
	char command[PROCESS_COMMAND]; /* as it is, not escaped */
	char class[16], method[8];     /* words, as in the state file */
	char reason[HISTORY_REASON];   /* one line of printable ASCII */
	uint8_t is_over;
	uint8_t unused[7];
};

/* An open file; -1: none. */
struct history {
	int file; /* owned */
};

/*
 * For readers.  proc, a directory descriptor, says which boot this is.
 * -ENOENT without a history of this boot, -EPERM for a file or directory that
 * somebody else can write, -EINVAL for what is no history; with *problem.
 */
int history_open(struct history *history, const char *run_dir, int proc,
		 struct problem *problem);

/*
 * For the daemon: opens the history below directory, or begins a new one.
 * *problem says why what was there was replaced, if anybody ought to know;
 * otherwise it is empty.  -errno, with *problem, if there can be none.
 */
int history_open_own(struct history *history, int directory, int proc,
		     struct problem *problem);

/* Whether what is open is still what others find in directory, and whole. */
bool history_is_there(const struct history *history, int directory);

void history_close(struct history *history);

/*
 * A record of a ring by its number, which is its time divided by the ring's;
 * false if there is none.
 */
bool history_read(const struct history *history, enum history_ring ring,
		  uint64_t number, struct history_record *record);

/* All records of a time, one after the other. */
struct history_walk {
	const struct history *history; /* not ours */
	uint64_t at_ms, until_ms;      /* what is left: after, and until */
	uint64_t minute;               /* that is to be read next */
	/* of the last one that was read: the fine ones, and the coarse one */
	struct history_record records[HISTORY_RATIO + 1];
	size_t count, next;
};

void history_walk(struct history_walk *walk, const struct history *history,
		  uint64_t since_ms, uint64_t until_ms);

/*
 * The next record after since_ms, and until until_ms: the fine one where there
 * is one.  False if there is none.  Of a minute in which there are fine ones a
 * coarse one may follow that covers them again.
 */
bool history_next(struct history_walk *walk, struct history_record *record);

/*
 * Adds what happened since the last one to the coarse ring and, if there was
 * trouble in that minute, to the fine one, and to what is there of the same
 * time.  -errno.
 */
int history_add(const struct history *history,
		const struct history_record *record);

/* Two as one: later is the younger. */
void history_merge(struct history_record *record,
		   const struct history_record *later);

/* The counters of a record, from and to a sample. */
void history_set_sample(struct history_record *record,
			const struct sample *sample);
void history_get_sample(const struct history_record *record,
			struct sample *sample);

/* What happened from one time to another. */
struct history_sum {
	uint64_t records;
	uint64_t covered_ms; /* of the time; nobody watched in the rest */
	uint64_t lacked_ms;
	uint64_t thrash_us, frozen_us, freezes;
	struct history_record worst; /* all merged; only if there are records */
};

void history_add_up(const struct history *history, uint64_t since_ms,
		    uint64_t until_ms, struct history_sum *sum);

/*
 * By its sequence; false if it is not there any more.  Who wants all of a time
 * begins with the last and goes back for HISTORY_FREEZES at most.
 */
bool history_find_freeze(const struct history *history, uint64_t sequence,
			 struct history_freeze *freeze);

/* The last one's; 0 without any. */
uint64_t history_last_freeze(const struct history *history);

/* To the place that its sequence has; sets the checksum.  -errno. */
int history_write_freeze(const struct history *history,
			 struct history_freeze *freeze);

/*
 * Whether the bytes are what we would have written: the checksum fits, and
 * nothing in it can do harm.
 */
bool history_is_record(const struct history_record *record);
bool history_is_freeze(const struct history_freeze *freeze);

/* For the writer, and for tests. */
void history_seal_record(struct history_record *record);
void history_seal_freeze(struct history_freeze *freeze);

/* Bytes of the file. */
uint64_t history_size(void);

#endif

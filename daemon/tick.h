/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One turn of the daemon, the pipeline of the whole program:
 *
 *   /proc --sample--> detect --verdict--> schedule --orders--> freezer, pager
 *                                             --> publish (state, marker)
 *
 * The loop around it only waits.
 */
#ifndef THRASH_DAEMON_TICK_H
#define THRASH_DAEMON_TICK_H

#include "core/cgroup.h"
#include "core/log.h"
#include "daemon/decide.h"
#include "daemon/facts.h"
#include "daemon/freezer.h"
#include "daemon/pager.h"
#include "daemon/publish.h"

#include <stdio.h>

enum {
	/* A kernel whose /proc fails this often in a row is not to be led. */
	TICK_FAILURES = 20,
	/* At rest not all counters are read in every turn, but so often. */
	TICK_COUNTERS_MS = 1000,
	/* When trouble begins, turns come after a part of an interval. */
	TICK_RUSH_MS = 100,
	TICK_RUSH_PARTS = 4,
	/* At rest a turn comes after so many intervals. */
	TICK_REST_INTERVALS = 2,
	/* Who is frozen is looked at every so many turns. */
	TICK_STOPPED_TURNS = 4,
	/* So long after a freeze it is seen who waits for a frozen one. */
	TICK_LOCKS_MS = 1000,
	/* After a trigger: longer than its window, so that the next follows. */
	TICK_ALERT_MS = 1000,
	/* So many jobs need no new memory while there is trouble. */
	TICK_ROWS = 32,
};

struct daemon {
	const struct settings *settings; /* not ours */
	struct log *log;                 /* not ours */
	struct freezer freezer;
	int proc;    /* owned */
	int trigger; /* owned; -1: the daemon polls */
	FILE *tape;  /* not ours; NULL: nothing is recorded */
	struct sampler sampler;
	struct cgroups cgroups;
	struct facts facts;
	struct pager pager;
	struct decider decider;
	struct orders orders;
	struct publisher publisher;
	uint64_t counted_us; /* when all counters were read */
	/* calm, and nobody has stalled: in this turn and in the one before */
	bool is_at_rest, was_at_rest;
	uint64_t locks_us;   /* when it was last seen who waits for locks */
	uint64_t alert_us;   /* until then look often, whatever the verdict */
	uint64_t told_whole; /* which cgroup is not frozen as a whole */
	uint64_t longest_gap_ms; /* by which a turn was late */
	unsigned failures;
	bool has_fallen_back; /* from cgroup to signal, which was said */
	bool was_cut;         /* it was said that the table is too small */
};

/*
 * Opens everything that settings name, thaws what an earlier daemon left
 * frozen, and locks itself into memory.  *daemon is all zero or was closed;
 * then its totals go on.  tape is for tape_write(), or NULL; whom it freezes
 * is in the ledger.  -errno with *problem.
 */
int daemon_open(struct daemon *daemon, const struct settings *settings,
		FILE *tape, struct ledger *ledger, struct log *log,
		struct problem *problem);

/*
 * Thaws everybody and closes; how many could not be thawed.  Before a reload
 * (is_reload) the state file stays, so that nobody takes us for gone.
 */
size_t daemon_close(struct daemon *daemon, const char *reason, bool is_reload);

/* Why a turn begins. */
enum tick_cause {
	TICK_TIMER,
	TICK_TRIGGER,      /* the kernel saw stall */
	TICK_TRIGGER_LOST, /* it will not tell any more */
};

/* Before a turn: it begins so much later than it should have. */
void daemon_is_late(struct daemon *daemon, uint64_t late_us);

/*
 * One turn; now_us is of clock_boottime_us().  *wait_ms is how long the next
 * may be put off; the trigger may end the wait.  -errno when the daemon
 * cannot go on.
 */
int tick(struct daemon *daemon, uint64_t now_us, enum tick_cause cause,
	 uint64_t *wait_ms);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One turn's decisions, from what was seen to what is to be done: detection
 * and schedule put together.  Pure; the daemon feeds it from /proc, --replay
 * from a recording, and both decide the same.
 *
 * A turn is a sample, then what was seen of each job, then, if it is wanted,
 * a look at all processes, then the orders.
 */
#ifndef THRASH_DAEMON_DECIDE_H
#define THRASH_DAEMON_DECIDE_H

#include "daemon/detect.h"
#include "daemon/schedule.h"

enum {
	/* How often all processes are looked at for more jobs. */
	DECIDE_LOOK_MS = 300,
	/* What happened since an older look than this is history. */
	DECIDE_LOOK_FRESH_MS = 2000,
};

struct decider {
	const struct settings *settings; /* not ours */
	pid_t self;
	struct detector detector;
	struct schedule schedule;
	struct process_table looks[2]; /* the tables are the caller's */
	uint64_t looked_us[2];         /* 0: never */
	size_t newest;                 /* of the two looks */
	uint64_t plan_done; /* the last plan the pager has carried out */
};

/* A turn begins: the sample gives the verdict. */
enum verdict decide_verdict(struct decider *decider,
			    const struct sample *sample);

/* Whether all processes should be looked at in this turn. */
bool decide_wants_look(const struct decider *decider);

/* The table to fill with a new look; it becomes the newest one. */
struct process_table *decide_look(struct decider *decider);

/*
 * Before the orders: the processes of the newest look whose swapped memory
 * matters, one after the other; NULL after the last.  Start with *at = 0.
 */
struct process *decide_next_of_interest(struct decider *decider, size_t *at);

/*
 * Whether it matters for that process, its memory being known, that the limit
 * of its cgroup is.
 */
bool decide_wants_limit(const struct decider *decider,
			const struct process *process);

/* What to do; has_looked says that this turn has filled a table. */
void decide_orders(struct decider *decider, bool has_looked,
		   struct orders *orders);

/* The sample of this turn. */
const struct sample *decide_sample(const struct decider *decider);

#endif

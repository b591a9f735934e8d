/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One turn's decisions, from what was seen to what is to be done: detection
 * and schedule put together.  Pure; the daemon feeds it from /proc, --replay
 * from a recording, and both decide the same.
 *
 * A turn is a sample, then what was seen of each job, then, if it is wanted,
 * a look at the processes, then the orders.
 */
#ifndef THRASH_DAEMON_DECIDE_H
#define THRASH_DAEMON_DECIDE_H

#include "core/census.h"
#include "daemon/detect.h"
#include "daemon/schedule.h"

enum {
	/* How often the processes are looked at for more jobs. */
	DECIDE_LOOK_MS = 300,
	/* As long as there are fewer than two. */
	DECIDE_SEARCH_MS = 150,
	/* In every turn, when trouble has just begun. */
	DECIDE_RUSH_MS = 1000,
	/* What begins again sooner than this is still the same trouble. */
	DECIDE_TROUBLE_MS = 300000,
};

struct decider {
	const struct settings *settings; /* not ours */
	pid_t self;
	struct detector detector;
	struct schedule schedule;
	struct census census; /* the caller opens and closes it */
	uint64_t rush_us;     /* when looking began, after a calm time */
	uint64_t plan_done;   /* the last plan the pager has carried out */
	uint64_t trouble_us;  /* when this trouble began; 0: none yet */
	uint64_t calm_us;     /* when it was last not calm */
	uint64_t room_us;     /* until when who logs in is given room */
};

/* A turn begins: the sample gives the verdict. */
enum verdict decide_verdict(struct decider *decider,
			    const struct sample *sample);

/* Whether the processes should be looked at in this turn. */
bool decide_wants_look(const struct decider *decider);

/* Begins a new look, which the caller fills. */
struct census *decide_look(struct decider *decider);

/*
 * Before the orders: the processes of the new look whose swapped memory
 * matters, one after the other; NULL after the last.  Start with *at = 0.
 */
struct process *decide_next_of_interest(struct decider *decider, size_t *at);

/*
 * Notes, when its memory is known, whether such a process is to blame
 * (select.h).
 */
void decide_note_claim(const struct decider *decider, struct process *process);

/* Then: whether it matters that the limit of its cgroup is known. */
bool decide_wants_limit(const struct decider *decider,
			const struct process *process);

/*
 * Then, of any process of the look: whether it matters how it is to be
 * treated, because it may be frozen, now or with others of its group, or
 * because somebody logs in.
 */
bool decide_wants_judgement(const struct decider *decider,
			    const struct process *process);

/* The time for role_judge(), of a process that is a job or not. */
struct role_moment decide_moment(const struct decider *decider,
				 const struct process *process);

/* What to do; has_looked says that there was a look in this turn. */
void decide_orders(struct decider *decider, bool has_looked,
		   struct orders *orders);

/* The sample of this turn. */
const struct sample *decide_sample(const struct decider *decider);

#endif

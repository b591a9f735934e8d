/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is frozen, and whose turn it is.  Pure: a verdict and two snapshots of
 * the processes in, orders out; the caller carries the orders out and says
 * what became of each.
 *
 * While the host thrashes, the worst candidate is frozen, one at a time with
 * a pause to see what it did, and never the last one.  When it is calm, the
 * one that has waited longest goes on, and may run for a quantum; if that
 * made trouble, the next waits until the quantum is over.  Nobody waits
 * longer than max_frozen.
 */
#ifndef THRASH_DAEMON_SCHEDULE_H
#define THRASH_DAEMON_SCHEDULE_H

#include "core/state.h"
#include "daemon/detect.h"
#include "daemon/select.h"

enum {
	SCHEDULE_FROZEN = STATE_FROZEN,
	SCHEDULE_SPARED = 256,
	/*
	 * What a freeze or a thaw does to the host is seen after this time
	 * (measured: stall ends within 100 ms of the stop).
	 */
	SCHEDULE_SETTLE_MS = 300,
};

struct schedule_frozen {
	struct process process; /* as it was when it was frozen */
	uint64_t since_us;
	bool was_seen_stopped; /* by a look after it was frozen */
};

/* Not to be frozen for a while: it was thawed, or could not be frozen. */
struct schedule_spared {
	pid_t pid;
	uint64_t start_time;
	uint64_t until_us;
};

struct schedule {
	struct schedule_frozen frozen[SCHEDULE_FROZEN]; /* longest first */
	size_t frozen_count;
	struct schedule_spared spared[SCHEDULE_SPARED]; /* a ring */
	size_t next_spared;
	uint64_t frozen_us, thawed_us; /* when last; 0: never */
	bool has_trouble;              /* thrashing was seen since thawed_us */
	uint64_t freezes_total, thaws_total;
	uint64_t frozen_us_total; /* of those that are not frozen any more */
};

/* All zero is a schedule that has frozen nobody. */

struct situation {
	uint64_t now_us;
	enum verdict verdict;
	/* the last two snapshots; now is NULL if there is none of this turn */
	const struct process_table *before, *now;
	pid_t self;
};

enum order_kind {
	ORDER_FREEZE,
	ORDER_THAW,
	ORDER_FORGET, /* it ended, or somebody else let it go on */
};

struct order {
	enum order_kind kind;
	struct process process;
	uint64_t frozen_us; /* for how long, when it is not to be frozen */
	const char *reason; /* for the log */
};

struct orders {
	struct order items[SCHEDULE_FROZEN + 1];
	size_t count;
};

/* Whether the last freeze has had time to show what it does. */
bool schedule_may_freeze(const struct schedule *schedule, uint64_t now_us);

void schedule_step(struct schedule *schedule, const struct settings *settings,
		   const struct situation *situation, struct orders *orders);

/* Says that an order was carried out, or why not (-errno). */
void schedule_confirm(struct schedule *schedule,
		      const struct settings *settings,
		      const struct order *order, int error, uint64_t now_us);

/* Orders to thaw everybody, for the end. */
void schedule_thaw_all(const struct schedule *schedule, uint64_t now_us,
		       const char *reason, struct orders *orders);

/* Including those who are frozen now. */
uint64_t schedule_frozen_us_total(const struct schedule *schedule,
				  uint64_t now_us);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decides who is frozen and thawed next. */
#include "daemon/schedule.h"

#include <errno.h>
#include <string.h>

static bool is_same(const struct process *process, pid_t pid,
		    uint64_t start_time)
{
	return process->pid == pid && process->start_time == start_time;
}

static bool has_passed(uint64_t since_us, uint64_t ms, uint64_t now_us)
{
	return now_us - since_us >= ms * 1000;
}

static const struct schedule_frozen *
find_frozen(const struct schedule *schedule, const struct process *process)
{
	for (size_t i = 0; i < schedule->frozen_count; i++)
		if (is_same(process, schedule->frozen[i].process.pid,
			    schedule->frozen[i].process.start_time))
			return &schedule->frozen[i];
	return NULL;
}

static bool is_spared(const struct schedule *schedule,
		      const struct process *process, uint64_t now_us)
{
	for (size_t i = 0; i < SCHEDULE_SPARED; i++)
		if (is_same(process, schedule->spared[i].pid,
			    schedule->spared[i].start_time))
			return now_us < schedule->spared[i].until_us;
	return false;
}

/* Replaces what is remembered of the process, or the oldest memory. */
static void spare(struct schedule *schedule, const struct process *process,
		  uint64_t until_us)
{
	struct schedule_spared *slot = &schedule->spared[schedule->next_spared];

	for (size_t i = 0; i < SCHEDULE_SPARED; i++)
		if (is_same(process, schedule->spared[i].pid,
			    schedule->spared[i].start_time))
			slot = &schedule->spared[i];
	if (slot == &schedule->spared[schedule->next_spared])
		schedule->next_spared =
			(schedule->next_spared + 1) % SCHEDULE_SPARED;
	*slot = (struct schedule_spared){process->pid, process->start_time,
					 until_us};
}

static void add_order(struct orders *orders, enum order_kind kind,
		      const struct process *process, uint64_t frozen_us,
		      const char *reason)
{
	orders->items[orders->count++] =
		(struct order){kind, *process, frozen_us, reason};
}

static void order_end(struct orders *orders, enum order_kind kind,
		      const struct schedule_frozen *frozen, uint64_t now_us,
		      const char *reason)
{
	add_order(orders, kind, &frozen->process, now_us - frozen->since_us,
		  reason);
}

/*
 * Who was frozen and is not there, or runs again.  A stop takes effect when
 * the process leaves the kernel, which one page fault on a slow disk can put
 * off by seconds; so only who was seen stopped can be seen to run again.
 */
static void forget_lost(struct schedule *schedule,
			const struct situation *situation,
			struct orders *orders)
{
	for (size_t i = 0; i < schedule->frozen_count; i++) {
		struct schedule_frozen *frozen = &schedule->frozen[i];
		const struct process *now =
			process_table_find(situation->now, frozen->process.pid,
					   frozen->process.start_time);

		if (!now)
			order_end(orders, ORDER_FORGET, frozen,
				  situation->now_us, "it ended");
		else if (process_is_stopped(now))
			frozen->was_seen_stopped = true;
		else if (frozen->was_seen_stopped)
			order_end(orders, ORDER_FORGET, frozen,
				  situation->now_us,
				  "somebody else let it go on");
	}
}

static bool is_ordered(const struct orders *orders,
		       const struct process *process)
{
	for (size_t i = 0; i < orders->count; i++)
		if (is_same(process, orders->items[i].process.pid,
			    orders->items[i].process.start_time))
			return true;
	return false;
}

static void thaw_overdue(const struct schedule *schedule,
			 const struct settings *settings, uint64_t now_us,
			 struct orders *orders)
{
	for (size_t i = 0; i < schedule->frozen_count; i++) {
		const struct schedule_frozen *frozen = &schedule->frozen[i];

		if (has_passed(frozen->since_us, settings->max_frozen_ms,
			       now_us) &&
		    !is_ordered(orders, &frozen->process))
			order_end(orders, ORDER_THAW, frozen, now_us,
				  "it has waited long enough");
	}
}

/* The next in turn, when the one before has had its turn or did no harm. */
static void thaw_next(const struct schedule *schedule,
		      const struct settings *settings, uint64_t now_us,
		      struct orders *orders)
{
	uint64_t pause_ms = schedule->has_trouble ? settings->quantum_ms
						  : SCHEDULE_SETTLE_MS;

	if (schedule->thawed_us &&
	    !has_passed(schedule->thawed_us, pause_ms, now_us))
		return;
	for (size_t i = 0; i < schedule->frozen_count; i++) {
		const struct schedule_frozen *frozen = &schedule->frozen[i];

		if (is_ordered(orders, &frozen->process))
			continue;
		order_end(orders, ORDER_THAW, frozen, now_us, "it is calm");
		return;
	}
}

static bool is_candidate(const struct settings *settings,
			 const struct situation *situation,
			 const struct process *process)
{
	return !process_is_stopped(process) &&
	       !select_is_protected(settings, situation->now, situation->self,
				    process);
}

/*
 * The worst of the candidates that run, unless it is the only one: somebody
 * must get the memory that a freeze sets free.
 */
static const struct process *find_victim(const struct schedule *schedule,
					 const struct settings *settings,
					 const struct situation *situation)
{
	const struct process *worst = NULL;
	uint64_t most = 0;
	size_t running = 0;

	for (size_t i = 0; i < situation->now->count; i++) {
		const struct process *process = &situation->now->rows[i];
		uint64_t claim =
			select_claim(settings, situation->before, process);

		if (!claim || find_frozen(schedule, process) ||
		    !is_candidate(settings, situation, process))
			continue;
		running++;
		if (claim < most ||
		    is_spared(schedule, process, situation->now_us))
			continue;
		most = claim;
		worst = process;
	}
	return running > 1 ? worst : NULL;
}

bool schedule_may_freeze(const struct schedule *schedule, uint64_t now_us)
{
	return schedule->frozen_count < SCHEDULE_FROZEN &&
	       (!schedule->frozen_us ||
		has_passed(schedule->frozen_us, SCHEDULE_SETTLE_MS, now_us));
}

static void freeze_worst(const struct schedule *schedule,
			 const struct settings *settings,
			 const struct situation *situation,
			 struct orders *orders)
{
	if (!situation->now || !situation->before ||
	    !schedule_may_freeze(schedule, situation->now_us))
		return;

	const struct process *victim =
		find_victim(schedule, settings, situation);

	if (victim)
		add_order(orders, ORDER_FREEZE, victim, 0,
			  "it is the worst of those that take part");
}

void schedule_step(struct schedule *schedule, const struct settings *settings,
		   const struct situation *situation, struct orders *orders)
{
	orders->count = 0;
	if (situation->verdict == VERDICT_THRASHING)
		schedule->has_trouble = true;
	if (situation->now)
		forget_lost(schedule, situation, orders);
	thaw_overdue(schedule, settings, situation->now_us, orders);
	switch (situation->verdict) {
	case VERDICT_CALM:
		thaw_next(schedule, settings, situation->now_us, orders);
		break;
	case VERDICT_UNSETTLED:
		break;
	case VERDICT_THRASHING:
		freeze_worst(schedule, settings, situation, orders);
		break;
	}
}

static void end_freeze(struct schedule *schedule,
		       const struct settings *settings,
		       const struct order *order, uint64_t now_us)
{
	const struct schedule_frozen *frozen =
		find_frozen(schedule, &order->process);

	if (!frozen)
		return;

	size_t index = (size_t)(frozen - schedule->frozen);

	schedule->frozen_us_total += now_us - frozen->since_us;
	schedule->frozen_count--;
	memmove(&schedule->frozen[index], &schedule->frozen[index + 1],
		(schedule->frozen_count - index) * sizeof(*schedule->frozen));
	spare(schedule, &order->process, now_us + settings->quantum_ms * 1000);
}

void schedule_confirm(struct schedule *schedule,
		      const struct settings *settings,
		      const struct order *order, int error, uint64_t now_us)
{
	switch (order->kind) {
	case ORDER_FREEZE:
		if (error) {
			spare(schedule, &order->process,
			      now_us + settings->max_frozen_ms * 1000);
			return;
		}
		schedule->frozen[schedule->frozen_count++] =
			(struct schedule_frozen){order->process, now_us, false};
		schedule->frozen_us = now_us;
		schedule->freezes_total++;
		break;
	case ORDER_THAW:
		if (error && error != -ESRCH)
			return; /* it stays ours, and is tried again */
		end_freeze(schedule, settings, order, now_us);
		schedule->thawed_us = now_us;
		schedule->has_trouble = false;
		schedule->thaws_total++;
		break;
	case ORDER_FORGET:
		end_freeze(schedule, settings, order, now_us);
		break;
	}
}

void schedule_thaw_all(const struct schedule *schedule, uint64_t now_us,
		       const char *reason, struct orders *orders)
{
	orders->count = 0;
	for (size_t i = 0; i < schedule->frozen_count; i++)
		order_end(orders, ORDER_THAW, &schedule->frozen[i], now_us,
			  reason);
}

uint64_t schedule_frozen_us_total(const struct schedule *schedule,
				  uint64_t now_us)
{
	uint64_t total_us = schedule->frozen_us_total;

	for (size_t i = 0; i < schedule->frozen_count; i++)
		total_us += now_us - schedule->frozen[i].since_us;
	return total_us;
}

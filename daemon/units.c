/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds out which jobs belong together, and sums each unit up. */
#include "daemon/units.h"

#include "core/clock.h"
#include "core/number.h"
#include "daemon/capacity.h"

#include <string.h>

/* Of the same group and name, among the jobs; NULL if there is none. */
static const struct process *find_parent(const struct schedule *schedule,
					 const struct job *job)
{
	const struct process *child = &job->process;

	for (size_t i = 0; i < schedule->count; i++) {
		const struct process *process = &schedule->jobs[i].process;

		if (process->pid == child->parent &&
		    process_is_together(process, child) &&
		    strcmp(process->command, child->command) == 0)
			return process;
	}
	return NULL;
}

/*
 * Who has its parent's name was forked, and shares what that holds.  This is
 * only likely; but what they do share would count for each of them.
 */
static void note_sharing(struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++) {
		struct job *job = &schedule->jobs[i];
		const struct process *parent = find_parent(schedule, job);

		job->shared_kib =
			parent ? lesser(process_memory_kib(parent),
					process_memory_kib(&job->process))
			       : 0;
	}
}

static size_t first_of_group(const struct schedule *schedule, size_t index)
{
	size_t first = 0;

	while (first < index &&
	       !process_is_together(&schedule->jobs[first].process,
				    &schedule->jobs[index].process))
		first++;
	return first;
}

static void add_to_unit(struct unit *unit, const struct job *job)
{
	unit->need_kib += job_need_kib(job);
	switch (job->state) {
	case JOB_FROZEN:
		if (!unit->frozen++ || job->since_us < unit->since_us)
			unit->since_us = job->since_us;
		unit->frozen_need_kib += job_need_kib(job);
		break;
	case JOB_RUNNING:
		unit->running++;
		unit->swapped_kib += job->process.swapped_kib;
		unit->is_growing |= job->is_growing;
		unit->is_due |= job->is_due;
		unit->has_no_turn |= !job->turn_us;
		unit->is_preferred |= job->process.judged.is_preferred;
		if (job->turn_us > unit->turn_us)
			unit->turn_us = job->turn_us;
		if (job->kept_us > unit->kept_us)
			unit->kept_us = job->kept_us;
		if (job->given_us > unit->given_us)
			unit->given_us = job->given_us;
		break;
	case JOB_LOADING:
		break;
	}
}

static void sum_units(struct schedule *schedule)
{
	memset(schedule->units, 0, schedule->count * sizeof(*schedule->units));
	for (size_t i = 0; i < schedule->count; i++)
		add_to_unit(&schedule->units[schedule->jobs[i].unit],
			    &schedule->jobs[i]);
}

/*
 * Whether a group would not fit as a whole.  One that lacks some of what it
 * could have is given time: what others hold, who sleep now, will be its own.
 */
static bool is_to_divide(const struct schedule *schedule,
			 const struct unit *unit, uint64_t now_us)
{
	uint64_t most_kib = schedule->capacity_kib +
			    schedule->capacity_kib / SCHEDULE_RESERVE_SHARE;

	if (schedule->usable_kib &&
	    !has_passed(
		    greater(schedule->calm_us,
			    greater(schedule->changed_us, schedule->thawed_us)),
		    SCHEDULE_DIVIDE_MS, now_us))
		most_kib = schedule->usable_kib;
	return unit->need_kib > most_kib;
}

void units_form(struct schedule *schedule, uint64_t now_us)
{
	note_sharing(schedule);
	for (size_t i = 0; i < schedule->count; i++)
		schedule->jobs[i].unit = first_of_group(schedule, i);
	sum_units(schedule);
	for (size_t i = 0; i < schedule->count; i++)
		if (is_to_divide(schedule,
				 &schedule->units[schedule->jobs[i].unit],
				 now_us))
			schedule->jobs[i].unit = i;
	sum_units(schedule);
}

static bool has_order(const struct orders *orders, const struct job *job)
{
	for (size_t i = 0; i < orders->count; i++)
		if (orders->items[i].process.pid == job->process.pid &&
		    orders->items[i].process.start_time ==
			    job->process.start_time)
			return true;
	return false;
}

static bool is_divided(const struct schedule *schedule, const struct job *job)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].unit != job->unit &&
		    process_is_together(&schedule->jobs[i].process,
					&job->process))
			return true;
	return false;
}

/* The same for the others: they go on because it goes on, or is gone. */
static void repeat_order(const struct schedule *schedule,
			 const struct order *order, uint64_t whole,
			 uint64_t now_us, struct orders *orders)
{
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job->process.judged.whole != whole ||
		    job_is_frozen(job) == order_freezes(order) ||
		    has_order(orders, job))
			continue;
		orders->items[orders->count++] = (struct order){
			order->kind == ORDER_FORGET ? ORDER_THAW : order->kind,
			job->process,
			job_is_frozen(job) ? now_us - job->since_us : 0,
			order->reason,
		};
	}
}

void units_complete(const struct schedule *schedule, uint64_t now_us,
		    struct orders *orders)
{
	size_t count = orders->count;

	for (size_t i = 0; i < count; i++) {
		struct order *order = &orders->items[i];
		const struct job *job =
			schedule_find(schedule, &order->process);
		uint64_t whole = order->process.judged.whole;

		if (!job || !whole || order->kind == ORDER_LOAD)
			continue;
		if (order_freezes(order) && is_divided(schedule, job))
			order->process.judged.whole = 0;
		else if (order_freezes(order) || job->is_whole)
			repeat_order(schedule, order, whole, now_us, orders);
	}
}

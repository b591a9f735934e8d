/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums up what jobs hold and need, and measures what they can have. */
#include "daemon/capacity.h"

#include "core/clock.h"
#include "core/number.h"

uint64_t job_growth_kib(uint64_t held_kib)
{
	return lesser(held_kib / SCHEDULE_GROWTH_SHARE,
		      SCHEDULE_GROWTH_MAX_KIB);
}

uint64_t job_need_kib(const struct job *job)
{
	uint64_t held_kib = process_memory_kib(&job->process);

	held_kib -= lesser(held_kib, job->shared_kib);

	return job_is_frozen(job) && job->is_growing
		       ? held_kib + job_growth_kib(held_kib)
		       : held_kib;
}

uint64_t capacity_needed_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].state != JOB_FROZEN)
			sum += job_need_kib(&schedule->jobs[i]);
	return sum;
}

void capacity_take(struct schedule *schedule, uint64_t kib)
{
	if (schedule->capacity_kib) /* 0 would say that it is not known */
		schedule->capacity_kib -=
			lesser(schedule->capacity_kib - 1, kib);
}

uint64_t capacity_resident_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		sum += schedule->jobs[i].process.resident_kib -
		       lesser(schedule->jobs[i].process.resident_kib,
			      schedule->jobs[i].shared_kib);
	return sum;
}

static uint64_t sum_swapped_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		sum += schedule->jobs[i].process.swapped_kib;
	return sum;
}

/*
 * With what was evicted, which makes room as soon as one of them needs it; as
 * far as it can be theirs: others may lose memory as well.
 */
static uint64_t sum_held_kib(const struct schedule *schedule)
{
	uint64_t held_kib = capacity_resident_kib(schedule);
	uint64_t evicted_kib =
		lesser(schedule->evicted_kib, sum_swapped_kib(schedule));

	if (schedule->usable_kib)
		evicted_kib =
			lesser(evicted_kib,
			       schedule->usable_kib -
				       lesser(schedule->usable_kib, held_kib));
	return held_kib + evicted_kib;
}

void capacity_measure(struct schedule *schedule, uint64_t now_us)
{
	uint64_t sum = sum_held_kib(schedule);
	uint64_t need = capacity_needed_kib(schedule);

	if (need > sum)
		schedule->capacity_kib = sum;
	else if (has_passed(schedule->changed_us, SCHEDULE_TRIAL_MS, now_us))
		schedule->capacity_kib = need * 15 / 16;
}

bool capacity_is_too_small(const struct schedule *schedule, uint64_t kib)
{
	return kib > greater(schedule->capacity_kib, sum_held_kib(schedule));
}

static uint64_t sum_all_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		sum += job_need_kib(&schedule->jobs[i]);
	return sum;
}

uint64_t capacity_lacked_kib(const struct schedule *schedule)
{
	uint64_t all_kib = sum_all_kib(schedule);

	return schedule->capacity_kib
		       ? all_kib - lesser(all_kib, schedule->capacity_kib)
		       : 0;
}

/* What the host has is of use if it was the host that was short. */
static bool knows_free(const struct schedule *schedule,
		       const struct situation *situation)
{
	return !schedule->is_confined && situation->free_kib;
}

uint64_t capacity_spare_kib(const struct schedule *schedule,
			    const struct situation *situation)
{
	uint64_t all_kib = sum_held_kib(schedule) + situation->free_kib;
	uint64_t reserve_kib = all_kib / SCHEDULE_RESERVE_SHARE;

	return knows_free(schedule, situation) &&
			       situation->free_kib > reserve_kib
		       ? situation->free_kib - reserve_kib
		       : 0;
}

void capacity_raise(struct schedule *schedule,
		    const struct situation *situation)
{
	bool is_calm = situation->verdict == VERDICT_CALM;
	bool may_be_free = is_calm && !situation->is_evicting;
	uint64_t held_kib = sum_held_kib(schedule);
	uint64_t most_kib = sum_all_kib(schedule);
	/* it may have been asleep for days */
	uint64_t gap_us =
		lesser(situation->now_us - schedule->raised_us, 1000000);

	if (schedule->usable_kib)
		most_kib = lesser(most_kib, schedule->usable_kib);
	if (may_be_free &&
	    !has_passed(schedule->raised_us, 500, situation->now_us))
		return;
	if (may_be_free)
		held_kib += schedule->spare_kib;
	if (is_calm && schedule->capacity_kib)
		schedule->capacity_kib =
			greater(schedule->capacity_kib, held_kib);
	if (may_be_free && !knows_free(schedule, situation) &&
	    schedule->capacity_kib < most_kib)
		schedule->capacity_kib =
			lesser(most_kib, schedule->capacity_kib +
						 schedule->capacity_kib *
							 gap_us / 50000000);
	schedule->raised_us = situation->now_us;
}

void capacity_limit(struct schedule *schedule,
		    const struct situation *situation)
{
	schedule->capacity_kib =
		lesser(schedule->capacity_kib,
		       sum_held_kib(schedule) +
			       capacity_spare_kib(schedule, situation) + 1);
}

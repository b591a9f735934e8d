/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts detection and schedule together. */
#include "daemon/decide.h"

const struct sample *decide_sample(const struct decider *decider)
{
	return &decider->detector.history[decider->detector.newest];
}

enum verdict decide_verdict(struct decider *decider,
			    const struct sample *sample)
{
	return detect_step(&decider->detector, decider->settings, sample);
}

static bool is_older(const struct decider *decider, size_t look, uint64_t ms)
{
	uint64_t looked_us = decider->looked_us[look];

	return !looked_us ||
	       decide_sample(decider)->time_us - looked_us >= ms * 1000;
}

/*
 * The first look, which gives later ones something to compare with, is taken
 * as soon as tasks stall, and the next one right after it.  When there are
 * jobs, others join them now and then.
 */
bool decide_wants_look(const struct decider *decider)
{
	const struct detector *detector = &decider->detector;
	bool has_trouble = detector->verdict == VERDICT_THRASHING ||
			   detector->stall_permille >=
				   decider->settings->stall_threshold_permille;

	return has_trouble &&
	       (decider->schedule.count < 2 ||
		is_older(decider, decider->newest, DECIDE_LOOK_MS));
}

struct process_table *decide_look(struct decider *decider)
{
	decider->newest = !decider->newest;
	decider->looked_us[decider->newest] = decide_sample(decider)->time_us;
	return &decider->looks[decider->newest];
}

static const struct process_table *look_before(const struct decider *decider)
{
	return is_older(decider, !decider->newest, DECIDE_LOOK_FRESH_MS)
		       ? NULL
		       : &decider->looks[!decider->newest];
}

struct process *decide_next_of_interest(struct decider *decider, size_t *at)
{
	struct process_table *now = &decider->looks[decider->newest];
	const struct process_table *before = look_before(decider);

	while (*at < now->count) {
		struct process *process = &now->rows[(*at)++];

		if (select_takes_part(before, process))
			return process;
	}
	return NULL;
}

bool decide_wants_limit(const struct decider *decider,
			const struct process *process)
{
	return detect_is_confined(&decider->detector) &&
	       select_claim(decider->settings, look_before(decider), process);
}

void decide_orders(struct decider *decider, bool has_looked,
		   struct orders *orders)
{
	const struct detector *detector = &decider->detector;
	const struct situation situation = {
		.now_us = decide_sample(decider)->time_us,
		.verdict = detector->verdict,
		.stall_permille =
			detect_stall_permille(detector, SCHEDULE_SETTLE_MS),
		.is_filling = detect_is_filling(detector, decider->settings),
		.is_evicting = detect_is_evicting(detector),
		.is_confined = detect_is_confined(detector),
		.plan_done = decider->plan_done,
		.before = look_before(decider),
		.now = has_looked ? &decider->looks[decider->newest] : NULL,
		.self = decider->self,
	};

	schedule_step(&decider->schedule, decider->settings, &situation,
		      orders);
}

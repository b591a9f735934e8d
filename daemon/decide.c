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

static bool has_passed(const struct decider *decider, uint64_t since_us,
		       uint64_t ms)
{
	return !since_us ||
	       decide_sample(decider)->time_us - since_us >= ms * 1000;
}

/*
 * Looks follow each other fast until everybody was seen twice, so that those
 * who make trouble are found before it grows.
 */
static uint64_t look_interval_ms(const struct decider *decider)
{
	if (decider->schedule.count >= 2)
		return DECIDE_LOOK_MS;
	return decider->census.unread || !has_passed(decider, decider->rush_us,
						     DECIDE_RUSH_MS)
		       ? 0
		       : DECIDE_SEARCH_MS;
}

/* As soon as tasks stall, and then for as long as they do. */
bool decide_wants_look(const struct decider *decider)
{
	const struct detector *detector = &decider->detector;
	bool has_trouble = detector->verdict == VERDICT_THRASHING ||
			   detector->stall_permille >=
				   decider->settings->stall_threshold_permille;

	return has_trouble && has_passed(decider, decider->census.looked_us,
					 look_interval_ms(decider));
}

struct census *decide_look(struct decider *decider)
{
	struct census *census = &decider->census;
	uint64_t now_us = decide_sample(decider)->time_us;

	if (has_passed(decider, census->looked_us, CENSUS_FRESH_MS))
		decider->rush_us = now_us;
	census_begin(census, now_us);
	return census;
}

struct process *decide_next_of_interest(struct decider *decider, size_t *at)
{
	struct census *census = &decider->census;

	while (*at < census->now.count) {
		struct process *process = &census->now.rows[(*at)++];

		if (select_takes_part(&census->before, process))
			return process;
	}
	return NULL;
}

bool decide_wants_limit(const struct decider *decider,
			const struct process *process)
{
	return detect_is_confined(&decider->detector) &&
	       select_claim(decider->settings, &decider->census.before,
			    process);
}

/*
 * Of the host; 0 where the kernel does not tell whether it is the host that is
 * short of memory.
 */
static uint64_t free_kib(const struct decider *decider)
{
	const struct vmstat *vmstat = &decide_sample(decider)->vmstat;

	return vmstat->has_scanned ? vmstat->free * decider->census.page_kib
				   : 0;
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
		.free_kib = free_kib(decider),
		.usable_kib = decide_sample(decider)->vmstat.usable *
			      decider->census.page_kib,
		.evicted_kib = decide_sample(decider)->vmstat.evicted *
			       decider->census.page_kib,
		.plan_done = decider->plan_done,
		.before = has_looked ? &decider->census.before : NULL,
		.now = has_looked ? &decider->census.now : NULL,
		.self = decider->self,
	};

	schedule_step(&decider->schedule, decider->settings, &situation,
		      orders);
}

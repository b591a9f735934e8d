/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts detection and schedule together. */
#include "daemon/decide.h"

#include "core/clock.h"
#include "daemon/units.h"

const struct sample *decide_sample(const struct decider *decider)
{
	return &decider->detector.history[decider->detector.newest];
}

static void watch_trouble(struct decider *decider, uint64_t now_us)
{
	if (decider->detector.verdict == VERDICT_CALM)
		return;
	if (!decider->trouble_us ||
	    has_passed(decider->calm_us, DECIDE_TROUBLE_MS, now_us))
		decider->trouble_us = now_us;
	decider->calm_us = now_us;
}

enum verdict decide_verdict(struct decider *decider,
			    const struct sample *sample)
{
	enum verdict verdict =
		detect_step(&decider->detector, decider->settings, sample);

	watch_trouble(decider, sample->time_us);
	return verdict;
}

static bool is_long_ago(const struct decider *decider, uint64_t us, uint64_t ms)
{
	return has_passed(us, ms, decide_sample(decider)->time_us);
}

/*
 * Looks follow each other fast until everybody was seen twice, so that those
 * who make trouble are found before it grows.
 */
static uint64_t look_interval_ms(const struct decider *decider)
{
	if (decider->schedule.count >= 2)
		return DECIDE_LOOK_MS;
	return decider->census.unread || !is_long_ago(decider, decider->rush_us,
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

	return has_trouble && is_long_ago(decider, decider->census.looked_us,
					  look_interval_ms(decider));
}

struct census *decide_look(struct decider *decider)
{
	struct census *census = &decider->census;
	uint64_t now_us = decide_sample(decider)->time_us;

	if (is_long_ago(decider, census->looked_us, CENSUS_FRESH_MS))
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

void decide_note_claim(const struct decider *decider, struct process *process)
{
	process->has_claim = select_has_claim(&decider->census.before, process);
}

bool decide_wants_limit(const struct decider *decider,
			const struct process *process)
{
	return process->has_claim && detect_is_confined(&decider->detector);
}

struct role_moment decide_moment(const struct decider *decider,
				 const struct process *process)
{
	uint64_t now_us = decide_sample(decider)->time_us;
	bool is_over = has_passed(decider->calm_us, DECIDE_TROUBLE_MS, now_us);

	return (struct role_moment){
		.now_us = now_us,
		.trouble_us = is_over ? 0 : decider->trouble_us,
		.tick_us = decider->census.tick_us,
		.is_job = schedule_find(&decider->schedule, process),
	};
}

/* A part of what makes a login, which had not begun long before trouble. */
static bool may_log_in(const struct decider *decider,
		       const struct process *process)
{
	uint64_t began_us = process->start_time * decider->census.tick_us;

	return decider->trouble_us &&
	       began_us + UINT64_C(1000) * ROLE_ROOM_MS >=
		       decider->trouble_us &&
	       role_makes_login(role_by_command(process->command));
}

static bool has_kin_with_claim(const struct decider *decider,
			       const struct process *process)
{
	const struct schedule *schedule = &decider->schedule;
	const struct process_table *now = &decider->census.now;

	for (size_t i = 0; i < schedule->count; i++)
		if (process_is_together(&schedule->jobs[i].process, process))
			return true;
	for (size_t i = 0; i < now->count; i++)
		if (now->rows[i].has_claim &&
		    process_is_together(&now->rows[i], process))
			return true;
	return false;
}

bool decide_wants_judgement(const struct decider *decider,
			    const struct process *process)
{
	return process->has_claim || may_log_in(decider, process) ||
	       (process_memory_kib(process) >= SELECT_LEAST_KIB &&
		has_kin_with_claim(decider, process));
}

/* Somebody logs in: room is wanted until that should be done. */
static void watch_logins(struct decider *decider)
{
	const struct process_table *now = &decider->census.now;

	for (size_t i = 0; i < now->count; i++) {
		const struct process *process = &now->rows[i];
		uint64_t until_us =
			process->start_time * decider->census.tick_us +
			UINT64_C(1000) * ROLE_ROOM_MS;

		if (process->judged.is_new_login && until_us > decider->room_us)
			decider->room_us = until_us;
	}
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

	if (has_looked)
		watch_logins(decider);

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
		.wants_room =
			decider->room_us > decide_sample(decider)->time_us,
		.before = has_looked ? &decider->census.before : NULL,
		.now = has_looked ? &decider->census.now : NULL,
		.self = decider->self,
	};

	schedule_step(&decider->schedule, decider->settings, &situation,
		      orders);
	units_complete(&decider->schedule, situation.now_us, orders);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decides who is frozen and who goes on next. */
#include "daemon/schedule.h"

#include "core/clock.h"
#include "core/number.h"
#include "daemon/capacity.h"
#include "daemon/units.h"

#include <errno.h>
#include <string.h>

static bool is_same(const struct process *process, pid_t pid,
		    uint64_t start_time)
{
	return process->pid == pid && process->start_time == start_time;
}

bool job_is_frozen(const struct job *job)
{
	return job->state != JOB_RUNNING;
}

bool order_freezes(const struct order *order)
{
	return order->kind == ORDER_FREEZE || order->kind == ORDER_PAUSE;
}

const struct job *schedule_find(const struct schedule *schedule,
				const struct process *process)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (is_same(process, schedule->jobs[i].process.pid,
			    schedule->jobs[i].process.start_time))
			return &schedule->jobs[i];
	return NULL;
}

static struct job *find_job(struct schedule *schedule,
			    const struct process *process)
{
	const struct job *job = schedule_find(schedule, process);

	return job ? &schedule->jobs[job - schedule->jobs] : NULL;
}

static size_t count_jobs(const struct schedule *schedule, enum job_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++)
		count += schedule->jobs[i].state == state;
	return count;
}

size_t schedule_frozen_count(const struct schedule *schedule)
{
	return schedule->count - count_jobs(schedule, JOB_RUNNING);
}

static void remove_job(struct schedule *schedule, struct job *job)
{
	size_t index = (size_t)(job - schedule->jobs);

	schedule->count--;
	memmove(job, job + 1, (schedule->count - index) * sizeof(*job));
}

static bool is_spared(const struct schedule *schedule,
		      const struct process *process, uint64_t now_us)
{
	for (size_t i = 0; i < SCHEDULE_SPARED; i++)
		if (is_same(process, schedule->spared[i].pid,
			    schedule->spared[i].start_time) &&
		    now_us < schedule->spared[i].until_us)
			return true;
	return false;
}

static void spare(struct schedule *schedule, const struct process *process,
		  uint64_t until_us)
{
	schedule->spared[schedule->next_spared] = (struct schedule_spared){
		process->pid, process->start_time, until_us};
	schedule->next_spared = (schedule->next_spared + 1) % SCHEDULE_SPARED;
}

static void add_order(struct orders *orders, enum order_kind kind,
		      const struct job *job, uint64_t now_us,
		      const char *reason)
{
	orders->items[orders->count++] = (struct order){
		kind, job->process,
		job_is_frozen(job) ? now_us - job->since_us : 0, reason};
}

/* Who waits for room to grow is growing still. */
static void watch_growth(struct job *job, const struct process *now,
			 uint64_t now_us)
{
	uint64_t held_kib = process_memory_kib(&job->process);

	if (process_memory_kib(now) >= held_kib + SELECT_GROWTH_KIB ||
	    (job->is_growing && now->state == 'D'))
		job->grew_us = now_us;
	job->is_growing = job->grew_us &&
			  !has_passed(job->grew_us, SCHEDULE_GROWN_MS, now_us);
}

/*
 * A stop takes effect when the process leaves the kernel, which one page
 * fault on a slow disk can put off by seconds; so only who was seen stopped
 * can be seen to run again.
 */
void schedule_see(struct schedule *schedule, size_t index,
		  const struct process *now, uint64_t now_us)
{
	struct job *job = &schedule->jobs[index];

	if (!now) {
		job->is_gone = true;
		return;
	}
	if (!job_is_frozen(job))
		watch_growth(job, now, now_us);
	if (now->state == 'R' || now->state == 'D' ||
	    now->major_faults > job->process.major_faults)
		job->active_us = now_us;

	struct judgement judged = job->process.judged;

	job->process = *now;
	if (now->judged.class == CLASS_UNKNOWN)
		job->process.judged = judged;
	if (!job_is_frozen(job))
		return;
	if (process_is_stopped(now))
		job->was_seen_stopped = true;
	else if (job->was_seen_stopped)
		job->is_undone = true;
}

/*
 * Who waits for another of its group is not asleep; if that one is frozen, all
 * of them wait for it in vain.
 */
static bool is_asleep(const struct schedule *schedule, const struct job *job,
		      uint64_t now_us)
{
	uint64_t idle_ms = SCHEDULE_IDLE_MS, active_us = job->active_us;

	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *other = &schedule->jobs[i];

		if (!process_is_together(&other->process, &job->process))
			continue;
		if (job_is_frozen(other))
			idle_ms = SCHEDULE_SETTLE_MS;
		else
			active_us = greater(active_us, other->active_us);
	}
	return has_passed(active_us, idle_ms, now_us);
}

/* Whether it belongs to a job, and is worth freezing with it. */
static bool is_kin(const struct schedule *schedule,
		   const struct process *process)
{
	if (process_memory_kib(process) < SELECT_LEAST_KIB)
		return false;
	for (size_t i = 0; i < schedule->count; i++)
		if (process_is_together(&schedule->jobs[i].process, process))
			return true;
	return false;
}

/* A login has begun with it, or it has come to be what keeps a host alive. */
static bool is_protected(const struct job *job)
{
	return job->process.judged.class == CLASS_PROTECTED;
}

/* By somebody else; who was thawed just now may be shown as stopped still. */
static bool is_stopped(const struct job *job, uint64_t now_us)
{
	return process_is_stopped(&job->process) && now_us >= job->kept_us;
}

/* Jobs that are none any more; the frozen ones by an order. */
static void forget_jobs(struct schedule *schedule, uint64_t now_us,
			struct orders *orders)
{
	for (size_t i = schedule->count; i-- > 0;) {
		struct job *job = &schedule->jobs[i];

		if (job_is_frozen(job)) {
			if (job->is_gone)
				add_order(orders, ORDER_FORGET, job, now_us,
					  "it ended");
			else if (job->is_undone)
				add_order(orders, ORDER_FORGET, job, now_us,
					  "somebody else let it go on");
			else if (is_protected(job))
				add_order(orders, ORDER_THAW, job, now_us,
					  "it is protected now");
		} else if (job->is_gone || is_protected(job) ||
			   is_stopped(job, now_us) ||
			   is_asleep(schedule, job, now_us)) {
			/* who sleeps keeps what it holds */
			if (!job->is_gone)
				capacity_take(schedule,
					      job->process.resident_kib);
			remove_job(schedule, job);
		}
	}
}

/* Who has hardly anything in swap was not squeezed yet: it is growing. */
static bool is_filling_up(const struct process *process)
{
	return process->swapped_kib < process->resident_kib / 16;
}

/* Who takes part now and is no job yet. */
static void add_jobs(struct schedule *schedule, const struct settings *settings,
		     const struct situation *situation)
{
	for (size_t i = 0; i < situation->now->count; i++) {
		const struct process *process = &situation->now->rows[i];

		if (schedule->count == SCHEDULE_JOBS)
			return;
		if (!(select_has_claim(situation->before, process) ||
		      is_kin(schedule, process)) ||
		    (situation->is_confined && process->limit == LIMIT_FAR) ||
		    process_is_stopped(process) ||
		    find_job(schedule, process) ||
		    is_spared(schedule, process, situation->now_us) ||
		    select_is_protected(settings, situation->now,
					situation->self, process))
			continue;
		schedule->jobs[schedule->count++] = (struct job){
			.process = *process,
			.grew_us =
				is_filling_up(process) ? situation->now_us : 0,
			.is_growing = is_filling_up(process),
			.since_us = situation->now_us,
			.given_us = situation->now_us,
			.active_us = situation->now_us,
		};
	}
}

/* An order for each job of a unit that is in a state. */
static void order_unit(const struct schedule *schedule, size_t unit,
		       enum job_state state, enum order_kind kind,
		       uint64_t now_us, const char *reason,
		       struct orders *orders)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].unit == unit &&
		    schedule->jobs[i].state == state)
			add_order(orders, kind, &schedule->jobs[i], now_us,
				  reason);
}

/*
 * What a frozen unit has forked comes last.  Who has waited for its turn comes
 * first; then whom the administrator does not prefer to be frozen; then least
 * in swap; of those alike, the one that has most of its memory.
 */
static bool is_before(const struct unit *a, const struct unit *b)
{
	uint64_t a_mib = a->swapped_kib / 1024, b_mib = b->swapped_kib / 1024;

	if (!a->frozen != !b->frozen)
		return !a->frozen;
	if (a->is_due != b->is_due)
		return a->is_due;
	if (a->is_due && a->given_us != b->given_us)
		return a->given_us > b->given_us;
	if (a->is_preferred != b->is_preferred)
		return b->is_preferred;
	return a_mib != b_mib ? a_mib < b_mib : a->need_kib > b->need_kib;
}

/* The units that run, by index, in the order of their claim to run on. */
static size_t sort_running(const struct schedule *schedule,
			   size_t sorted[SCHEDULE_JOBS])
{
	const struct unit *units = schedule->units;
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		size_t at = count;

		if (!units[i].running)
			continue;
		for (; at > 0 && is_before(&units[i], &units[sorted[at - 1]]);
		     at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = i;
		count++;
	}
	return count;
}

/* It was thawed, and its memory is not there. */
static bool is_hungry(const struct unit *unit)
{
	return unit->is_due && unit->swapped_kib >= SCHEDULE_PAUSE_KIB;
}

/*
 * Freezes those who run until the rest fits; never the last.  Two that grow
 * at the same time would interleave their pages in swap and later pay a seek
 * for each, so one grows at a time.
 */
static void shed(struct schedule *schedule, uint64_t now_us,
		 struct orders *orders)
{
	size_t sorted[SCHEDULE_JOBS];
	size_t count = sort_running(schedule, sorted);
	uint64_t used_kib = 0;
	bool has_grower = false;

	for (size_t i = 0; i < count; i++) {
		const struct unit *unit = &schedule->units[sorted[i]];
		bool fits =
			used_kib + unit->need_kib <= schedule->capacity_kib &&
			!(has_grower && unit->is_growing);

		if (fits || i == 0 || now_us < unit->kept_us) {
			used_kib += unit->need_kib;
			has_grower |= unit->is_growing;
		} else {
			order_unit(schedule, sorted[i], JOB_RUNNING,
				   ORDER_FREEZE, now_us,
				   "there is no room for it", orders);
		}
	}
}

/*
 * Those that were thawed without their memory make a disk seek between them:
 * they get it one after the other.
 */
static void queue_up(struct schedule *schedule, uint64_t now_us,
		     struct orders *orders)
{
	const struct unit *units = schedule->units;
	size_t first = schedule->count;

	for (size_t i = 0; i < schedule->count; i++)
		if (is_hungry(&units[i]) &&
		    (first == schedule->count ||
		     units[i].swapped_kib < units[first].swapped_kib))
			first = i;
	for (size_t i = 0; i < schedule->count; i++)
		if (i != first && is_hungry(&units[i]) &&
		    now_us >= units[i].kept_us)
			order_unit(schedule, i, JOB_RUNNING, ORDER_FREEZE,
				   now_us, "its memory is not there yet",
				   orders);
}

bool schedule_may_freeze(const struct schedule *schedule, uint64_t now_us)
{
	return (!schedule->frozen_us ||
		has_passed(schedule->frozen_us, SCHEDULE_SETTLE_MS, now_us)) &&
	       (!schedule->thawed_us ||
		has_passed(schedule->thawed_us, SCHEDULE_SETTLE_MS, now_us));
}

/* The greatest that was reached, if any was. */
static void note_limit(struct schedule *schedule,
		       const struct process_table *now)
{
	uint64_t most_kib = 0;

	for (size_t i = 0; i < now->count; i++)
		if (now->rows[i].limit == LIMIT_REACHED)
			most_kib = greater(most_kib, now->rows[i].limit_kib);
	if (most_kib)
		schedule->limit_kib = most_kib;
}

static void make_room(struct schedule *schedule,
		      const struct settings *settings,
		      const struct situation *situation, struct orders *orders)
{
	schedule->is_confined = situation->is_confined;
	if (situation->before && situation->now) {
		add_jobs(schedule, settings, situation);
		note_limit(schedule, situation->now);
	}
	schedule->usable_kib = schedule->is_confined ? schedule->limit_kib
						     : situation->usable_kib;
	schedule->usable_kib -= schedule->usable_kib / SCHEDULE_RESERVE_SHARE;
	units_form(schedule, situation->now_us);
	if (count_jobs(schedule, JOB_RUNNING) && situation->is_evicting &&
	    situation->plan_done >= schedule->plan)
		capacity_limit(schedule, situation);
	if (count_jobs(schedule, JOB_RUNNING) < 2 ||
	    count_jobs(schedule, JOB_LOADING) ||
	    !schedule_may_freeze(schedule, situation->now_us))
		return;
	capacity_measure(schedule, situation->now_us);
	units_form(schedule, situation->now_us);
	shed(schedule, situation->now_us, orders);
	if (!orders->count)
		return;
	schedule->changed_us = situation->now_us;
	schedule->trial_us = situation->now_us;
	schedule->trial_permille = situation->stall_permille;
}

/* The unit that waits for longest; schedule->count if nobody does. */
static size_t find_waiting(const struct schedule *schedule)
{
	const struct unit *units = schedule->units;
	size_t first = schedule->count;

	for (size_t i = 0; i < schedule->count; i++)
		if (units[i].frozen &&
		    (first == schedule->count ||
		     units[i].since_us < units[first].since_us))
			first = i;
	return first;
}

/* How long loading it may take, four times as long as it should. */
static uint64_t load_limit_ms(const struct job *job)
{
	return 1000 + 4 * job_need_kib(job) * 1000 / SCHEDULE_KIB_PER_S;
}

/* Whether the last change of turn was made for it, or around it. */
static bool was_changed(const struct schedule *schedule, const struct job *job)
{
	return schedule->changed_us &&
	       (job->given_us <= schedule->changed_us ||
		job->loading_us >= schedule->changed_us);
}

/*
 * Who has just got its memory begins its turn, and the change is timed; also
 * who never stops growing, or is too big to ever be there as a whole.
 */
static void begin_turns(struct schedule *schedule,
			const struct situation *situation)
{
	for (size_t i = 0; i < schedule->count; i++) {
		struct job *job = &schedule->jobs[i];

		if (job->state != JOB_RUNNING || job->turn_us)
			continue;

		bool is_loaded =
			!job->is_growing &&
			(job->process.swapped_kib <
				 job_need_kib(job) / SCHEDULE_LOADED_SHARE ||
			 capacity_is_too_small(schedule, job_need_kib(job)) ||
			 situation->verdict == VERDICT_CALM);

		if (is_loaded && was_changed(schedule, job))
			schedule->change_us =
				situation->now_us - schedule->changed_us;
		else if (!is_loaded &&
			 !has_passed(job->given_us, load_limit_ms(job),
				     situation->now_us))
			continue;
		job->turn_us = situation->now_us;
		job->is_due = false;
	}
}

/* What the frozen still hold. */
static uint64_t movable_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].state == JOB_FROZEN)
			sum += schedule->jobs[i].process.resident_kib;
	return sum;
}

/* Units. */
static size_t count_running(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++)
		count += schedule->units[i].running != 0;
	return count;
}

static size_t count_waiting(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++)
		count += schedule->units[i].frozen != 0;
	return count;
}

/*
 * Worth moving out what is too much when next runs as well, and in what next
 * is; but nobody should have to wait for longer than max_frozen.
 */
static uint64_t turn_length_us(const struct schedule *schedule,
			       const struct settings *settings,
			       const struct unit *next)
{
	uint64_t need = capacity_needed_kib(schedule) + next->frozen_need_kib;
	uint64_t lack = need - lesser(need, schedule->capacity_kib);
	uint64_t change_us = 2 * lack * 1000000 / SCHEDULE_KIB_PER_S;

	if (schedule->change_us)
		change_us = schedule->change_us;

	uint64_t least_us = settings->quantum_ms * 1000;
	uint64_t most_us = settings->max_frozen_ms * 1000 /
			   greater(count_waiting(schedule), 1);

	return greater(least_us,
		       lesser(change_us * SCHEDULE_TURN_FACTOR, most_us));
}

/* The running unit other than next whose turn began first; count if none. */
static size_t first_turn(const struct schedule *schedule, size_t next,
			 const bool is_ended[SCHEDULE_JOBS])
{
	const struct unit *units = schedule->units;
	size_t first = schedule->count;

	for (size_t i = 0; i < schedule->count; i++)
		if (i != next && units[i].running && !is_ended[i] &&
		    (first == schedule->count ||
		     units[i].given_us < units[first].given_us))
			first = i;
	return first;
}

/* It should not have to wait much longer, whatever it costs. */
static bool is_unit_overdue(const struct unit *unit,
			    const struct settings *settings, uint64_t now_us)
{
	return has_passed(unit->since_us, settings->max_frozen_ms * 7 / 8,
			  now_us);
}

/*
 * Freezes those whose turn is over until next fits; false if it won't.  Who is
 * too big gets nothing done in a long turn either: a quantum must do.
 */
static bool end_turns(const struct schedule *schedule,
		      const struct settings *settings,
		      const struct situation *situation, size_t next,
		      struct orders *orders)
{
	const struct unit *units = schedule->units;
	uint64_t now_us = situation->now_us;
	uint64_t used_kib =
		capacity_needed_kib(schedule) + units[next].frozen_need_kib;
	uint64_t length_us = turn_length_us(schedule, settings, &units[next]);
	bool is_overdue = is_unit_overdue(&units[next], settings, now_us);
	bool is_ended[SCHEDULE_JOBS] = {false};

	while (used_kib > schedule->capacity_kib) {
		size_t first = first_turn(schedule, next, is_ended);

		if (first == schedule->count)
			break;
		is_ended[first] = true;
		if (now_us < units[first].kept_us ||
		    (!is_overdue &&
		     !capacity_is_too_small(schedule, units[first].need_kib) &&
		     (units[first].has_no_turn ||
		      now_us - units[first].turn_us < length_us)))
			continue;
		order_unit(schedule, first, JOB_RUNNING, ORDER_FREEZE, now_us,
			   "its turn is over", orders);
		used_kib -=
			units[first].need_kib - units[first].frozen_need_kib;
	}
	if (used_kib > schedule->capacity_kib &&
	    orders->count < count_jobs(schedule, JOB_RUNNING))
		orders->count = 0;
	return orders->count;
}

/* What those who run and grow may want: as much again. */
static uint64_t sum_growth_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].is_growing &&
		    !job_is_frozen(&schedule->jobs[i]))
			sum += job_need_kib(&schedule->jobs[i]);
	return sum;
}

/*
 * Why the next in turn goes on now, beside the others or in the place of some
 * that are frozen for it; NULL if it does not.  Its memory would keep the disk
 * from somebody who logs in: that can wait.
 */
static const char *why_next(const struct schedule *schedule,
			    const struct settings *settings,
			    const struct situation *situation, size_t next,
			    struct orders *orders)
{
	const struct unit *unit = &schedule->units[next];

	if (!count_jobs(schedule, JOB_RUNNING))
		return "nobody else runs";
	if (situation->wants_room &&
	    !is_unit_overdue(unit, settings, situation->now_us))
		return NULL;
	if (situation->verdict == VERDICT_CALM &&
	    capacity_needed_kib(schedule) + sum_growth_kib(schedule) +
			    unit->frozen_need_kib <=
		    schedule->capacity_kib)
		return "there is room";
	return end_turns(schedule, settings, situation, next, orders)
		       ? "it is its turn"
		       : NULL;
}

static void take_turns(struct schedule *schedule,
		       const struct settings *settings,
		       const struct situation *situation, struct orders *orders)
{
	size_t next = find_waiting(schedule);
	const char *reason;

	if (next == schedule->count || count_jobs(schedule, JOB_LOADING))
		return;
	reason = why_next(schedule, settings, situation, next, orders);
	if (!reason)
		return;
	order_unit(schedule, next, JOB_FROZEN, ORDER_LOAD, situation->now_us,
		   reason, orders);
	schedule->rotations_total++;
	schedule->changed_us = situation->now_us;
}

/* Loaded, as far as the pager can; or it takes too long. */
static void end_loading(struct schedule *schedule,
			const struct situation *situation,
			struct orders *orders)
{
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job->state == JOB_LOADING &&
		    (situation->plan_done >= schedule->plan ||
		     has_passed(job->loading_us, load_limit_ms(job),
				situation->now_us)))
			add_order(orders, ORDER_THAW, job, situation->now_us,
				  "its memory is there");
	}
}

static uint64_t most_frozen_ms(const struct job *job,
			       const struct settings *settings)
{
	uint64_t budget_ms = job->process.judged.budget_ms;

	return budget_ms ? lesser(budget_ms, settings->max_frozen_ms)
			 : settings->max_frozen_ms;
}

static void thaw_overdue(struct schedule *schedule,
			 const struct settings *settings, uint64_t now_us,
			 struct orders *orders)
{
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job_is_frozen(job) && !job->is_gone && !job->is_undone &&
		    !is_protected(job) &&
		    has_passed(job->since_us, most_frozen_ms(job, settings),
			       now_us))
			add_order(orders, ORDER_THAW, job, now_us,
				  "it has waited long enough");
	}
}

static bool is_any_due(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].is_due)
			return true;
	return false;
}

/* What those who run have in swap. */
static uint64_t lacked_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->jobs[i].state != JOB_FROZEN)
			sum += schedule->jobs[i].process.swapped_kib;
	return sum;
}

/* The part of it that the pager brings in; who is too big only gets a start. */
static uint64_t wanted_kib(const struct schedule *schedule,
			   const struct job *job)
{
	bool has_room = job->state == JOB_LOADING ||
			(job->state == JOB_RUNNING &&
			 !capacity_is_too_small(schedule, job_need_kib(job)));

	return has_room ? job->process.swapped_kib : 0;
}

static uint64_t sum_wanted_kib(const struct schedule *schedule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < schedule->count; i++)
		sum += wanted_kib(schedule, &schedule->jobs[i]);
	return sum;
}

/*
 * If tasks stall as before though those that run have their memory, others
 * than the frozen were the cause.
 */
static void judge_trial(struct schedule *schedule,
			const struct settings *settings,
			const struct situation *situation,
			struct orders *orders)
{
	uint64_t now_us = situation->now_us;

	if (count_jobs(schedule, JOB_LOADING) ||
	    situation->plan_done < schedule->plan)
		schedule->paged_us = now_us;
	if (!schedule->trial_us ||
	    !has_passed(greater(schedule->trial_us, schedule->paged_us),
			SCHEDULE_JUDGE_MS, now_us))
		return;
	if (situation->verdict == VERDICT_THRASHING &&
	    !sum_growth_kib(schedule) &&
	    situation->stall_permille >= settings->stall_threshold_permille &&
	    situation->stall_permille * 8 >= schedule->trial_permille * 7 &&
	    lacked_kib(schedule) < SCHEDULE_PLAN_KIB)
		for (size_t i = 0; i < schedule->count; i++)
			if (schedule->jobs[i].state == JOB_FROZEN &&
			    schedule->jobs[i].since_us >= schedule->trial_us)
				add_order(orders, ORDER_RELEASE,
					  &schedule->jobs[i], now_us,
					  "freezing it did not help");
	schedule->trial_us = 0;
}

/*
 * A lone runner that takes its memory back page by page, between writes that
 * make room for it, makes a disk seek twice for each: it waits instead until
 * all of it was moved in bulk.
 */
static void pause_runner(struct schedule *schedule,
			 const struct situation *situation,
			 struct orders *orders)
{
	struct job *most = NULL;

	if (!count_jobs(schedule, JOB_FROZEN) ||
	    count_jobs(schedule, JOB_LOADING) || count_running(schedule) > 1 ||
	    movable_kib(schedule) < SCHEDULE_PAUSE_KIB ||
	    !schedule_may_freeze(schedule, situation->now_us))
		return;
	for (size_t i = 0; i < schedule->count; i++) {
		struct job *job = &schedule->jobs[i];

		if (job->state == JOB_RUNNING &&
		    situation->now_us >= job->unpaused_us &&
		    !process_is_stopped(&job->process) &&
		    !capacity_is_too_small(schedule, job_need_kib(job)) &&
		    (job->is_growing ||
		     job->process.swapped_kib >= SCHEDULE_PAUSE_KIB) &&
		    (!most ||
		     job->process.swapped_kib > most->process.swapped_kib))
			most = job;
	}
	if (most)
		add_order(orders, ORDER_PAUSE, most, situation->now_us,
			  "its memory is brought in at once");
}

/* What must happen at once; each job is in one order at most. */
static void settle_accounts(struct schedule *schedule,
			    const struct settings *settings,
			    const struct situation *situation,
			    struct orders *orders)
{
	forget_jobs(schedule, situation->now_us, orders);
	thaw_overdue(schedule, settings, situation->now_us, orders);
	if (!orders->count)
		end_loading(schedule, situation, orders);
	if (!orders->count)
		judge_trial(schedule, settings, situation, orders);
}

/*
 * A runner that lacks memory gets it in bulk, not page by page.  Where the last
 * plan has changed nothing, for want of room or because the memory cannot be
 * moved, the same one would not either.
 */
static bool wants_plan(const struct schedule *schedule,
		       const struct situation *situation)
{
	uint64_t wanted_kib = sum_wanted_kib(schedule);

	if ((!schedule_frozen_count(schedule) && !is_any_due(schedule)) ||
	    situation->plan_done < schedule->plan ||
	    wanted_kib < SCHEDULE_PLAN_KIB)
		return false;
	return greater(wanted_kib, schedule->planned_kib) -
			       lesser(wanted_kib, schedule->planned_kib) >=
		       SCHEDULE_PLAN_KIB ||
	       has_passed(schedule->planned_us, SCHEDULE_JUDGE_MS,
			  situation->now_us);
}

/* Somebody has come, or does not get on with the room that was made. */
static bool wants_guest_room(const struct schedule *schedule,
			     const struct situation *situation)
{
	return situation->wants_room && schedule_frozen_count(schedule) &&
	       (!schedule->guest_kib ||
		(situation->verdict == VERDICT_THRASHING &&
		 situation->plan_done >= schedule->plan &&
		 has_passed(schedule->planned_us, SCHEDULE_GUEST_MS,
			    situation->now_us)));
}

static void decide(struct schedule *schedule, const struct settings *settings,
		   const struct situation *situation, struct orders *orders)
{
	bool is_trouble = situation->verdict == VERDICT_THRASHING ||
			  situation->is_filling;

	settle_accounts(schedule, settings, situation, orders);
	if (orders->count)
		return;
	units_form(schedule, situation->now_us);
	if (is_trouble)
		make_room(schedule, settings, situation, orders);
	if (!orders->count)
		queue_up(schedule, situation->now_us, orders);
	if (!orders->count)
		take_turns(schedule, settings, situation, orders);
	if (!orders->count && is_trouble)
		pause_runner(schedule, situation, orders);
}

void schedule_step(struct schedule *schedule, const struct settings *settings,
		   const struct situation *situation, struct orders *orders)
{
	bool has_guest = wants_guest_room(schedule, situation);

	orders->count = 0;
	schedule->guest_kib = situation->wants_room ? SCHEDULE_GUEST_KIB : 0;
	if (situation->verdict == VERDICT_CALM)
		schedule->calm_us = situation->now_us;
	schedule->evicted_kib = situation->evicted_kib;
	schedule->spare_kib = capacity_spare_kib(schedule, situation);
	capacity_raise(schedule, situation);
	begin_turns(schedule, situation);
	decide(schedule, settings, situation, orders);
	/* after orders the old one was for others */
	orders->has_plan =
		orders->count || has_guest || wants_plan(schedule, situation);
	if (!orders->has_plan)
		return;
	schedule->planned_us = situation->now_us;
	schedule->planned_kib = sum_wanted_kib(schedule);
}

/* Those that load are brought in, else the one that is soonest there. */
static void add_to_plan(struct schedule_plan *plan, const struct job *job)
{
	if (!plan->in_count ||
	    (job->state == JOB_LOADING && plan->in[0]->state == JOB_LOADING))
		plan->in[plan->in_count++] = job;
	else if (job->state == JOB_LOADING ||
		 (plan->in[0]->state != JOB_LOADING &&
		  job->process.swapped_kib < plan->in[0]->process.swapped_kib))
		plan->in[0] = job;
}

void schedule_plan(const struct schedule *schedule, struct schedule_plan *plan)
{
	uint64_t used_kib = capacity_resident_kib(schedule);
	uint64_t lack_kib = sum_wanted_kib(schedule) + schedule->guest_kib;

	*plan = (struct schedule_plan){.out_kib = 0};
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job->state == JOB_FROZEN) {
			plan->out[plan->out_count++] = job;
			continue;
		}
		if (job->is_growing)
			lack_kib += job_growth_kib(
				process_memory_kib(&job->process));
		if (wanted_kib(schedule, job) >= SCHEDULE_PLAN_KIB ||
		    job->state == JOB_LOADING)
			add_to_plan(plan, job);
	}
	plan->room_kib =
		greater(schedule->spare_kib,
			greater(schedule->capacity_kib, used_kib) - used_kib);
	plan->room_kib -= lesser(plan->room_kib, schedule->guest_kib);
	plan->out_kib = lack_kib;
	/* what a cgroup can have is only guessed: rather too much than seeks */
	if (!schedule->is_confined)
		plan->out_kib -= lesser(lack_kib, plan->room_kib);
}

void schedule_planned(struct schedule *schedule, uint64_t number)
{
	schedule->plan = number;
}

static void begin_freeze(struct schedule *schedule, struct job *job,
			 enum job_state state, uint64_t now_us)
{
	job->state = state;
	job->since_us = job->loading_us = schedule->frozen_us = now_us;
	job->is_paused = state == JOB_LOADING;
	job->was_seen_stopped = false;
	schedule->freezes_total++;
}

static void end_freeze(struct schedule *schedule, struct job *job,
		       uint64_t now_us, uint64_t kept_ms)
{
	schedule->frozen_us_total += now_us - job->since_us;
	schedule->thawed_us = now_us;
	schedule->thaws_total++;
	job->state = JOB_RUNNING;
	job->since_us = job->active_us = now_us;
	job->kept_us = now_us + kept_ms * 1000;
	if (job->is_paused)
		return;
	job->given_us = now_us;
	job->turn_us = 0;
	job->is_due = true;
}

/* It is no job for a while, and is not to be frozen. */
static void let_alone(struct schedule *schedule, struct job *job,
		      const struct settings *settings, uint64_t now_us)
{
	if (job_is_frozen(job))
		schedule->frozen_us_total += now_us - job->since_us;
	spare(schedule, &job->process, now_us + settings->max_frozen_ms * 1000);
	remove_job(schedule, job);
}

void schedule_confirm(struct schedule *schedule,
		      const struct settings *settings,
		      const struct order *order, int error, uint64_t now_us)
{
	struct job *job = find_job(schedule, &order->process);

	if (!job)
		return;
	if (!error && order_freezes(order))
		job->is_whole = order->process.judged.whole;
	switch (order->kind) {
	case ORDER_FREEZE:
		if (error)
			let_alone(schedule, job, settings, now_us);
		else
			begin_freeze(schedule, job, JOB_FROZEN, now_us);
		break;
	case ORDER_PAUSE:
		if (error)
			job->unpaused_us = now_us + settings->quantum_ms * 1000;
		else
			begin_freeze(schedule, job, JOB_LOADING, now_us);
		break;
	case ORDER_LOAD:
		job->state = JOB_LOADING;
		job->is_paused = false;
		job->loading_us = now_us;
		break;
	case ORDER_THAW:
	case ORDER_RELEASE:
		if (error && error != -ESRCH)
			return; /* it stays ours, and is tried again */
		schedule->freezes_unhelpful_total +=
			order->kind == ORDER_RELEASE;
		end_freeze(schedule, job, now_us,
			   order->kind == ORDER_RELEASE ? SCHEDULE_RETRY_MS
							: settings->quantum_ms);
		break;
	case ORDER_FORGET:
		if (error && error != -ESRCH)
			return; /* it may be frozen still: the same */
		let_alone(schedule, job, settings, now_us);
		break;
	}
}

void schedule_thaw_all(const struct schedule *schedule, uint64_t now_us,
		       const char *reason, struct orders *orders)
{
	orders->count = 0;
	orders->has_plan = false;
	for (size_t i = 0; i < schedule->count; i++)
		if (job_is_frozen(&schedule->jobs[i]))
			add_order(orders, ORDER_THAW, &schedule->jobs[i],
				  now_us, reason);
}

uint64_t schedule_frozen_us_total(const struct schedule *schedule,
				  uint64_t now_us)
{
	uint64_t total_us = schedule->frozen_us_total;

	for (size_t i = 0; i < schedule->count; i++)
		if (job_is_frozen(&schedule->jobs[i]))
			total_us += now_us - schedule->jobs[i].since_us;
	return total_us;
}

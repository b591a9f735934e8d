/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One turn: sample, judge, order, act, tell. */
#include "daemon/tick.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/locks.h"
#include "daemon/pen.h"
#include "daemon/privilege.h"
#include "daemon/recover.h"
#include "daemon/resident.h"
#include "daemon/tape.h"
#include "daemon/trigger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *mode_name(const struct daemon *daemon)
{
	switch (daemon->decider.detector.mode) {
	case MODE_PSI:
		return daemon->trigger >= 0 ? "psi-trigger" : "psi-poll";
	case MODE_SWAP:
		return "swap";
	case MODE_PGMAJFAULT:
		return "pgmajfault";
	}
	return "unknown";
}

/* Who sees only itself can protect nobody, and freeze nobody else. */
static bool sees_others(int proc)
{
	struct process init;

	return process_read(proc, 1, 1, &init) == 0;
}

/* What is lacking, told once; -EPERM when nobody could be frozen like that. */
static int check_privileges(struct daemon *daemon, struct problem *problem)
{
	const struct freezer *freezer = &daemon->freezer;
	bool may_move =
		freezer->method == FREEZE_CGROUP && privilege_may_move();
	char lacking[PRIVILEGE_TEXT];

	if (!may_move && !privilege_may_signal())
		return problem_set(problem, -EPERM,
				   "nobody can be frozen by user %u without "
				   "CAP_KILL; --dry-run can be tried",
				   (unsigned)geteuid());
	if (!sees_others(daemon->proc))
		return problem_set(problem, -EPERM,
				   "%s hides others' processes (hidepid): it "
				   "takes CAP_SYS_PTRACE to see them",
				   daemon->settings->proc);
	privilege_describe(lacking);
	if (lacking[0])
		log_info(daemon->log, "%s", lacking);
	return 0;
}

/* It is for a dry run until it is opened. */
static int open_freezer(struct daemon *daemon, struct problem *problem)
{
	enum freezer_choice choice =
		(enum freezer_choice)daemon->settings->freezer;

	if (daemon->settings->is_dry_run)
		return 0;
	if (!process_is_own_proc(daemon->proc)) {
		log_warning(daemon->log,
			    "%s shows other processes than ours: "
			    "dry run",
			    daemon->settings->proc);
		return 0;
	}

	int error = freezer_open(&daemon->freezer, daemon->freezer.ledger,
				 choice, daemon->proc, daemon->cgroups.v2);

	if (error)
		log_write(daemon->log,
			  choice == FREEZER_CGROUP ? LOG_LEVEL_WARNING
						   : LOG_LEVEL_INFO,
			  "nobody can be frozen by cgroup: %s",
			  strerror(-error));
	return check_privileges(daemon, problem);
}

static int open_proc(struct daemon *daemon, struct problem *problem)
{
	const char *path = daemon->settings->proc;
	int error;

	daemon->proc = directory_open(path);
	if (daemon->proc < 0)
		return problem_set(problem, daemon->proc, "%s: %s", path,
				   strerror(-daemon->proc));
	cgroups_open(&daemon->cgroups, CGROUP_ROOT);
	error = open_freezer(daemon, problem);
	if (error)
		return error;
	error = sampler_open(&daemon->sampler, daemon->proc);
	if (error)
		return problem_set(problem, error, "%s/vmstat: %s", path,
				   strerror(-error));
	facts_open(&daemon->facts, daemon->proc, daemon->settings,
		   daemon->decider.self);
	daemon->freezer.facts = &daemon->facts;
	error = census_open(&daemon->decider.census, daemon->proc,
			    daemon->decider.self);
	return error ? problem_set(problem, error, "%s: %s", path,
				   strerror(-error))
		     : 0;
}

static uint64_t own_start_time(int proc)
{
	struct process self;

	return process_read(proc, getpid(), 1, &self) == 0 ? self.start_time
							   : 0;
}

/* One turn by hand: the mode is known, and the first state is written. */
static int first_turn(struct daemon *daemon, struct problem *problem)
{
	uint64_t wait_ms;
	struct sample sample;
	int error =
		sampler_read(&daemon->sampler, clock_boottime_us(), &sample);

	if (error)
		return problem_set(problem, error, "%s/vmstat: %s",
				   daemon->settings->proc, strerror(-error));
	if (daemon->settings->uses_psi && sample.has_memory)
		daemon->trigger = trigger_open(daemon->proc);
	(void)decide_verdict(&daemon->decider, &sample);
	publisher_introduce(&daemon->publisher, mode_name(daemon), getpid(),
			    own_start_time(daemon->proc));
	error = tick(daemon, clock_boottime_us(), TICK_TIMER, &wait_ms);
	return error ? problem_set(problem, error, "the first turn: %s",
				   strerror(-error))
		     : 0;
}

/* What an earlier daemon has left is thawed before its ledger is replaced. */
static int settle_past(struct daemon *daemon, struct problem *problem)
{
	const char *run_dir = daemon->settings->run_dir;
	struct state *state = &daemon->publisher.state;
	int error = 0;

	if (!freezer_is_dry_run(&daemon->freezer)) {
		/* the tree of cgroups is not replaced: who is in it can wait */
		(void)recover_caged(daemon->cgroups.v2, false, daemon->log);
		error = recover_stopped(run_dir, daemon->proc, state,
					daemon->log);
	} else if (recover_is_due(run_dir, state)) {
		error = -EBUSY;
	}
	if (error && !recover_is_hopeless(error))
		return problem_set(problem, error,
				   "an earlier daemon has left processes "
				   "frozen; see thrash-protect --thaw-all");
	resident_clear(state, sizeof(*state));
	return 0;
}

/* What was mapped; of that, what is not touched takes no memory. */
static void keep_mappings(const struct daemon *daemon)
{
	const struct census *census = &daemon->decider.census;
	const struct process_table *tables[] = {&census->now, &census->before};

	(void)resident_keep(daemon->settings, sizeof(*daemon->settings));
	(void)resident_keep(census->rows, census->room * sizeof(*census->rows));
	for (size_t i = 0; i < 2; i++)
		(void)resident_keep(tables[i]->rows,
				    tables[i]->capacity *
					    sizeof(*tables[i]->rows));
}

#define FIELD(name) offsetof(struct daemon, name)

/* What was counted, and learned of the host, goes on over a reload. */
static const size_t lasting[] = {
	FIELD(decider.detector.thrash_us_total),
	FIELD(decider.detector.page_cost_ns),
	FIELD(decider.schedule.freezes_total),
	FIELD(decider.schedule.thaws_total),
	FIELD(decider.schedule.rotations_total),
	FIELD(decider.schedule.freezes_unhelpful_total),
	FIELD(decider.schedule.frozen_us_total),
	FIELD(pager.out_bytes),
	FIELD(pager.in_bytes),
	FIELD(longest_gap_ms),
};

/* All zero but for that. */
static void reset(struct daemon *daemon)
{
	enum { LASTING = sizeof(lasting) / sizeof(*lasting) };
	uint64_t values[LASTING];
	uint64_t stall_us = detect_stall_us_total(&daemon->decider.detector);

	for (size_t i = 0; i < LASTING; i++)
		memcpy(&values[i], (char *)daemon + lasting[i],
		       sizeof(values[i]));
	resident_clear(daemon, sizeof(*daemon));
	for (size_t i = 0; i < LASTING; i++)
		memcpy((char *)daemon + lasting[i], &values[i],
		       sizeof(values[i]));
	daemon->decider.detector.stalled_us[0] = stall_us;
}

/*
 * What is all zero from the start and not touched takes no memory; but the
 * first rows, which are seldom exceeded, are not to be waited for in trouble.
 */
static void touch_rows(struct daemon *daemon)
{
	struct schedule *schedule = &daemon->decider.schedule;

	memset(schedule->jobs, 0, TICK_ROWS * sizeof(*schedule->jobs));
	memset(schedule->units, 0, TICK_ROWS * sizeof(*schedule->units));
	memset(daemon->orders.items, 0,
	       TICK_ROWS * sizeof(*daemon->orders.items));
}

static void begin(struct daemon *daemon, const struct settings *settings,
		  FILE *tape, struct ledger *ledger, struct log *log)
{
	reset(daemon);
	touch_rows(daemon);
	daemon->settings = settings;
	daemon->tape = tape;
	daemon->log = log;
	freezer_open_dry_run(&daemon->freezer, ledger); /* until opened */
	daemon->proc = daemon->trigger = -1;
	daemon->sampler = (struct sampler){-1, -1, -1};
	daemon->cgroups = (struct cgroups){-1, -1};
	daemon->decider.settings = settings;
	daemon->decider.self = getpid();
	daemon->decider.census.directory = -1;
	publisher_clear(&daemon->publisher);
}

int daemon_open(struct daemon *daemon, const struct settings *settings,
		FILE *tape, struct ledger *ledger, struct log *log,
		struct problem *problem)
{
	const char *marker;

	begin(daemon, settings, tape, ledger, log);

	int error = open_proc(daemon, problem);
	bool is_dry_run = freezer_is_dry_run(&daemon->freezer);

	marker = is_dry_run ? "" : settings->marker;
	if (!error)
		error = publisher_open(&daemon->publisher, settings, marker,
				       log, problem);
	if (!error)
		error = settle_past(daemon, problem);
	if (!error)
		ledger_tell_files(ledger, settings->run_dir, marker);
	if (!error && !is_dry_run)
		error = pager_open(&daemon->pager, daemon->proc);
	if (!error) {
		resident_begin(log);
		keep_mappings(daemon);
		error = first_turn(daemon, problem);
	}
	if (error)
		(void)daemon_close(daemon, "the daemon cannot start", false);
	return error;
}

static const char *order_name(enum order_kind kind)
{
	switch (kind) {
	case ORDER_FREEZE:
		return "froze";
	case ORDER_PAUSE:
		return "paused";
	case ORDER_LOAD:
		return "loading";
	case ORDER_THAW:
	case ORDER_RELEASE:
		return "thawed";
	case ORDER_FORGET:
		break;
	}
	return "lost";
}

/* Why it may be frozen, or not. */
static void log_judgement(struct daemon *daemon, const struct process *process)
{
	const struct judgement *judged = &process->judged;
	char command[TEXT_ESCAPED_COMMAND], reason[SETTINGS_RULE];

	if (!daemon->log->is_debug)
		return;
	text_escape(process->command, command, sizeof(command));
	settings_describe(daemon->settings, judged, reason);
	log_debug(daemon->log, "%d (%s) is %s: %s", (int)process->pid, command,
		  process_class_name(judged->class), reason);
}

static void log_order(struct daemon *daemon, const struct order *order,
		      int error)
{
	char command[TEXT_ESCAPED_COMMAND];
	const char *trial =
		freezer_is_dry_run(&daemon->freezer) ? "dry run: " : "";
	int pid = (int)order->process.pid;
	unsigned long long frozen_ms = order->frozen_us / 1000;

	text_escape(order->process.command, command, sizeof(command));
	if (error && error != -ESRCH)
		log_warning(daemon->log, "cannot %s %d (%s): %s",
			    order_freezes(order) ? "freeze" : "thaw", pid,
			    command, strerror(-error));
	else if (error && order_freezes(order))
		log_debug(daemon->log, "%d (%s) is gone", pid, command);
	else if (order_freezes(order))
		log_info(daemon->log, "%s%s %d (%s)%s, %llu MiB: %s", trial,
			 order_name(order->kind), pid, command,
			 freezer_has_whole(&daemon->freezer,
					   order->process.judged.whole)
				 ? " and its cgroup"
				 : "",
			 (unsigned long long)process_memory_kib(
				 &order->process) /
				 1024,
			 order->reason);
	else
		log_info(daemon->log, "%s%s %d (%s) after %llu.%03llu s: %s",
			 trial, order_name(order->kind), pid, command,
			 frozen_ms / 1000, frozen_ms % 1000, order->reason);
}

/* What was not possible by cgroup is told once. */
static void tell_fall_back(struct daemon *daemon, const struct order *order)
{
	const struct freezer *freezer = &daemon->freezer;
	bool is_whole = freezer->failed_method == FREEZE_WHOLE_CGROUP;
	char command[TEXT_ESCAPED_COMMAND];

	text_escape(order->process.command, command, sizeof(command));
	log_write(daemon->log,
		  daemon->has_fallen_back ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
		  "cannot freeze %d (%s) by %s: %s; by %s",
		  (int)order->process.pid, command,
		  freeze_method_name(freezer->failed_method),
		  strerror(-freezer->failure),
		  freeze_method_name(is_whole ? FREEZE_CGROUP : FREEZE_SIGNAL));
	daemon->has_fallen_back |= !is_whole;
}

static int freeze(struct daemon *daemon, const struct order *order,
		  uint64_t now_us)
{
	struct freezer *freezer = &daemon->freezer;
	int error;

	while ((error = freezer_freeze(freezer, &order->process)) == -EAGAIN) {
		tell_fall_back(daemon, order);
		error = publish_ahead(&daemon->publisher, freezer, now_us);
		if (!error)
			continue;
		(void)freezer_thaw(freezer, &order->process);
		break;
	}
	return error;
}

static int carry_out(struct daemon *daemon, const struct order *order,
		     uint64_t now_us)
{
	switch (order->kind) {
	case ORDER_FREEZE:
	case ORDER_PAUSE:
		return freeze(daemon, order, now_us);
	case ORDER_THAW:
	case ORDER_RELEASE:
	case ORDER_FORGET: /* which may have left its cage */
		return freezer_thaw(&daemon->freezer, &order->process);
	case ORDER_LOAD:
		break;
	}
	return 0;
}

/* Of each cgroup, as long as no other comes in between, once. */
static void tell_whole(struct daemon *daemon, const struct process *process,
		       int error, const struct process *member)
{
	bool is_new = daemon->told_whole != process->judged.whole;
	char command[TEXT_ESCAPED_COMMAND], reason[SETTINGS_RULE];

	daemon->told_whole = process->judged.whole;
	text_escape(member->command, command, sizeof(command));
	settings_describe(daemon->settings, &member->judged, reason);
	if (error == -EPERM)
		log_write(daemon->log,
			  is_new ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			  "the cgroup of %d is not frozen as a whole: %d (%s) "
			  "is in it: %s",
			  (int)process->pid, (int)member->pid, command, reason);
	else
		log_write(daemon->log,
			  is_new ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			  "the cgroup of %d is not frozen as a whole: %s",
			  (int)process->pid, strerror(-error));
}

/* With its whole cgroup, if that is wanted and can be. */
static int prepare_whole(struct daemon *daemon, const struct process *process,
			 uint64_t now_us)
{
	const struct role_moment moment =
		decide_moment(&daemon->decider, process);
	struct process member = {.pid = 0};
	int pen = -1, error = 0;

	if (!process->judged.whole || !freezer_may_whole(&daemon->freezer))
		return -ENOENT;
	if (!freezer_has_whole(&daemon->freezer, process->judged.whole)) {
		pen = pen_open(daemon->cgroups.v2, &daemon->facts, process);
		error = pen < 0 ? pen
				: pen_check(pen, &daemon->facts, process,
					    &moment, &member);
	}
	if (!error)
		error = freezer_prepare_whole(&daemon->freezer, process, pen,
					      now_us);
	if (!error)
		return 0;
	tell_whole(daemon, process, error, &member);
	if (pen >= 0)
		(void)close(pen);
	return error;
}

static int prepare(struct daemon *daemon, const struct process *process,
		   uint64_t now_us)
{
	return prepare_whole(daemon, process, now_us) == 0
		       ? 0
		       : freezer_prepare(&daemon->freezer, process, now_us);
}

/* Whoever is to be frozen is in the ledger first, or is not frozen. */
static int announce(struct daemon *daemon, uint64_t now_us)
{
	struct freezer *freezer = &daemon->freezer;
	const struct orders *orders = &daemon->orders;
	bool is_any = false;
	int error = 0;

	for (size_t i = 0; i < orders->count; i++)
		if (order_freezes(&orders->items[i]) &&
		    prepare(daemon, &orders->items[i].process, now_us) == 0)
			is_any = true;
	if (is_any)
		error = publish_ahead(&daemon->publisher, freezer, now_us);
	for (size_t i = 0; error && i < orders->count; i++)
		if (order_freezes(&orders->items[i]))
			(void)freezer_thaw(freezer, &orders->items[i].process);
	return error;
}

static void carry_out_all(struct daemon *daemon, uint64_t now_us)
{
	int not_announced = announce(daemon, now_us);

	freezer_try_again(&daemon->freezer);
	for (size_t i = 0; i < daemon->orders.count; i++) {
		const struct order *order = &daemon->orders.items[i];
		int error = order_freezes(order) ? not_announced : 0;

		if (!error)
			error = carry_out(daemon, order, now_us);

		schedule_confirm(&daemon->decider.schedule, daemon->settings,
				 order, error, now_us);
		log_order(daemon, order, error);
		if (!error && order_freezes(order))
			log_judgement(daemon, &order->process);
	}
}

static void close_senses(struct daemon *daemon)
{
	census_close(&daemon->decider.census);
	facts_close(&daemon->facts);
	sampler_close(&daemon->sampler);
	cgroups_close(&daemon->cgroups);
	daemon->sampler = (struct sampler){-1, -1, -1};
	if (daemon->trigger >= 0)
		(void)close(daemon->trigger);
	daemon->trigger = -1;
}

/*
 * Also after half of daemon_open().  What thawing does not need is closed
 * first: it may want the descriptors.  The pager, which may be waiting for a
 * disk that hangs, is awaited last: nobody is to stay frozen for that.
 */
size_t daemon_close(struct daemon *daemon, const char *reason, bool is_reload)
{
	struct schedule *schedule = &daemon->decider.schedule;
	uint64_t now_us = clock_boottime_us();

	close_senses(daemon);
	pager_end(&daemon->pager);
	schedule_thaw_all(schedule, now_us, reason, &daemon->orders);
	carry_out_all(daemon, now_us);

	size_t left = schedule_frozen_count(schedule);

	if (left)
		log_error(daemon->log, "%zu processes are left frozen", left);
	if (is_reload)
		(void)publish(&daemon->publisher, &daemon->decider,
			      &daemon->freezer, daemon->log);
	freezer_close(&daemon->freezer);
	publisher_close(&daemon->publisher, left || is_reload);
	pager_close(&daemon->pager);
	if (daemon->proc >= 0)
		(void)close(daemon->proc);
	return left;
}

static void log_verdict(struct daemon *daemon, enum verdict before)
{
	const struct detector *detector = &daemon->decider.detector;

	if (detector->verdict == before)
		return;
	if (detector->verdict == VERDICT_THRASHING && before == VERDICT_CALM)
		log_info(daemon->log,
			 "thrashing: tasks stalled for %u ms of the last %d "
			 "(%s)",
			 (unsigned)detect_stall_permille(detector,
							 DETECT_WINDOW_MS) *
				 DETECT_WINDOW_MS / 1000,
			 DETECT_WINDOW_MS, mode_name(daemon));
	else if (detector->verdict == VERDICT_CALM)
		log_info(daemon->log, "calm");
	else
		log_debug(daemon->log, "%s", verdict_name(detector->verdict));
}

/*
 * Who is stopped does nothing by itself; to see that it was killed, or let go
 * on by somebody else, a look now and then is enough.
 */
static bool is_job_due(const struct daemon *daemon, size_t index)
{
	const struct job *job = &daemon->decider.schedule.jobs[index];

	return job->state != JOB_FROZEN || !job->was_seen_stopped ||
	       (daemon->decider.detector.newest + index) % TICK_STOPPED_TURNS ==
		       0;
}

/* By what is known already; who is not known stays as it was judged. */
static void judge_again(struct daemon *daemon, struct process *process)
{
	const struct role_facts *known = facts_find(&daemon->facts, process);
	const struct role_moment moment =
		decide_moment(&daemon->decider, process);

	if (known)
		process->judged = role_judge(process, known, &moment);
}

/* *now is what was last seen of it, and stays that if it is not due. */
static int read_job(struct daemon *daemon, size_t index, struct process *now)
{
	int error;

	*now = daemon->decider.schedule.jobs[index].process;
	if (!is_job_due(daemon, index))
		return 0;
	error = process_find(daemon->proc, now->pid, now->start_time,
			     daemon->decider.census.page_kib, now);
	if (error)
		return error;
	freezer_see(&daemon->freezer, now);
	error = process_read_memory(daemon->proc, now);
	if (!error)
		judge_again(daemon, now);
	return error;
}

/* Looks at each job: few files, so in every turn. */
static void see_jobs(struct daemon *daemon, uint64_t now_us)
{
	struct schedule *schedule = &daemon->decider.schedule;

	for (size_t i = 0; i < schedule->count; i++) {
		struct process now;
		int error = read_job(daemon, i, &now);

		if (!error)
			schedule_see(schedule, i, &now, now_us);
		else if ((error == -ESRCH || error == -ENOENT) &&
			 freezer_has_lost(&daemon->freezer,
					  &schedule->jobs[i].process))
			schedule_see(schedule, i, NULL, now_us);
		/* else it could not be looked at: it may well be there */
	}
}

static void add_targets(struct pager_targets *targets,
			const struct job *const jobs[], size_t count)
{
	for (size_t i = 0; i < count && i < PAGER_TARGETS; i++)
		targets->items[targets->count++] = (struct pager_target){
			jobs[i]->process.pid, jobs[i]->process.start_time};
}

/* Gives the pager what the orders mean for it. */
static void page(struct daemon *daemon)
{
	struct schedule *schedule = &daemon->decider.schedule;
	struct pager_plan plan = {.out_kib = 0};
	struct schedule_plan wanted;

	if (!daemon->orders.has_plan || !daemon->pager.is_running)
		return;
	schedule_plan(schedule, &wanted);
	plan.out_kib = wanted.out_kib;
	plan.room_kib = wanted.room_kib;
	add_targets(&plan.out, wanted.out, wanted.out_count);
	add_targets(&plan.in, wanted.in, wanted.in_count);
	log_debug(daemon->log, "plan: out %llu KiB of %zu, in %zu",
		  (unsigned long long)plan.out_kib, plan.out.count,
		  plan.in.count);
	schedule_planned(schedule, pager_order(&daemon->pager, &plan));
}

static void judge(struct daemon *daemon, struct process *process)
{
	const struct role_moment moment =
		decide_moment(&daemon->decider, process);
	bool is_new;

	facts_judge(&daemon->facts, process, &moment, &is_new);
	if (is_new)
		log_judgement(daemon, process);
}

static void judge_all(struct daemon *daemon)
{
	const struct decider *decider = &daemon->decider;
	const struct process_table *now = &decider->census.now;

	facts_begin(&daemon->facts);
	for (size_t i = 0; i < now->count; i++)
		if (process_memory_kib(&now->rows[i]) >= SELECT_LEAST_KIB)
			facts_see_whole(&daemon->facts, &now->rows[i]);
	/* the youngest first: trouble mostly is */
	for (size_t i = now->count; i-- > 0;)
		if (decide_wants_judgement(decider, &now->rows[i]))
			judge(daemon, &now->rows[i]);
}

/*
 * Once after a freeze: whom others wait for is not to be frozen for long.  It
 * takes some ms, which the freeze itself could not wait for.
 */
static void see_locks(struct daemon *daemon, uint64_t now_us)
{
	const struct schedule *schedule = &daemon->decider.schedule;
	uint64_t due_us = schedule->frozen_us + UINT64_C(1000) * TICK_LOCKS_MS;
	struct locks locks;

	if (!schedule_frozen_count(schedule) || now_us < due_us ||
	    daemon->locks_us >= due_us)
		return;
	daemon->locks_us = now_us;
	if (locks_read(daemon->proc, &locks) != 0)
		return;
	for (size_t i = 0; i < schedule->count; i++) {
		const struct process *process = &schedule->jobs[i].process;
		struct role_facts *known = facts_find(&daemon->facts, process);

		if (known && job_is_frozen(&schedule->jobs[i]) &&
		    locks_has(&locks, process->pid))
			known->is_awaited = true;
	}
}

/* Fills a new look, if this turn wants one; whether it has. */
static bool look(struct daemon *daemon)
{
	struct decider *decider = &daemon->decider;
	struct process *process;
	size_t at = 0;

	if (!decide_wants_look(decider))
		return false;

	struct census *census = decide_look(decider);
	int error = census_scan(census);

	if (error) {
		log_warning(daemon->log, "cannot list processes: %s",
			    strerror(-error));
		return false;
	}
	if (census->left_out && !daemon->was_cut)
		log_warning(daemon->log,
			    "more processes than %d: not all are looked at",
			    CENSUS_ROWS);
	daemon->was_cut |= census->left_out != 0;
	while ((process = decide_next_of_interest(decider, &at))) {
		(void)process_read_memory(daemon->proc, process);
		decide_note_claim(decider, process);
		if (decide_wants_limit(decider, process))
			cgroups_see_limit(&daemon->cgroups, daemon->proc,
					  process);
	}
	judge_all(daemon);
	return true;
}

/*
 * A calm host on which nobody has stalled for memory since the last sample
 * pages nothing that anybody waits for; its counters can wait.
 */
static bool is_at_rest(const struct daemon *daemon, uint64_t now_us)
{
	const struct decider *decider = &daemon->decider;

	return decider->detector.verdict == VERDICT_CALM &&
	       decider->detector.mode == MODE_PSI && !decider->schedule.count &&
	       now_us - daemon->counted_us <
		       UINT64_C(1000) * TICK_COUNTERS_MS &&
	       sampler_is_still(&daemon->sampler, decide_sample(decider));
}

static int take_sample(struct daemon *daemon, uint64_t now_us,
		       struct sample *sample)
{
	int error = 0;

	daemon->was_at_rest = daemon->is_at_rest;
	daemon->is_at_rest = is_at_rest(daemon, now_us);
	if (daemon->is_at_rest) {
		*sample = *decide_sample(&daemon->decider);
		sample->time_us = now_us;
	} else {
		error = sampler_read(&daemon->sampler, now_us, sample);
		if (!error)
			daemon->counted_us = now_us;
	}
	if (!error) {
		daemon->failures = 0;
		return 0;
	}
	log_write(daemon->log,
		  daemon->failures ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR,
		  "cannot read the kernel's counters: %s", strerror(-error));
	return ++daemon->failures < TICK_FAILURES ? -EAGAIN : error;
}

/*
 * A calm host with a trigger is left alone until the state file is due;
 * otherwise the daemon looks again after one interval.
 */
static uint64_t wait_for(const struct daemon *daemon, uint64_t now_us)
{
	const struct decider *decider = &daemon->decider;

	if (daemon->trigger >= 0 && now_us >= daemon->alert_us &&
	    decider->detector.verdict == VERDICT_CALM &&
	    !decider->schedule.count && !freezer_count(&daemon->freezer))
		return publish_due_ms(&daemon->publisher, now_us);
	/* who is behind trouble that has just begun should be known soon */
	if (decider->rush_us &&
	    now_us - decider->rush_us < UINT64_C(1000) * TICK_RUSH_MS)
		return daemon->settings->interval_ms / TICK_RUSH_PARTS;
	return daemon->settings->interval_ms *
	       (daemon->is_at_rest ? TICK_REST_INTERVALS : 1);
}

void daemon_is_late(struct daemon *daemon, uint64_t late_us)
{
	if (late_us / 1000 > daemon->longest_gap_ms)
		daemon->longest_gap_ms = late_us / 1000;
}

/*
 * The trigger tells that stall began somewhere in a long sleep; only intervals
 * from now on can say how much of it there is.
 */
static void heed(struct daemon *daemon, uint64_t now_us, enum tick_cause cause)
{
	switch (cause) {
	case TICK_TIMER:
		break;
	case TICK_TRIGGER:
		daemon->alert_us = now_us + UINT64_C(1000) * TICK_ALERT_MS;
		break;
	case TICK_TRIGGER_LOST:
		(void)close(daemon->trigger);
		daemon->trigger = -1;
		log_warning(daemon->log, "the kernel's trigger is gone: "
					 "polling from now on");
		publisher_introduce(&daemon->publisher, mode_name(daemon),
				    getpid(), own_start_time(daemon->proc));
		break;
	}
}

static void record(struct daemon *daemon, bool has_looked)
{
	if (!daemon->tape ||
	    !tape_write(daemon->tape, &daemon->decider, has_looked))
		return;
	log_warning(daemon->log, "the recording ends here: %s",
		    strerror(errno));
	daemon->tape = NULL;
}

static uint64_t stall_since(const struct sample *last, const struct sample *now)
{
	uint64_t memory_us = now->memory.some_us - last->memory.some_us;
	uint64_t io_us = now->io.some_us - last->io.some_us;

	return memory_us > io_us ? memory_us : io_us;
}

/*
 * The first stall after a rest: when it began is not known to the interval,
 * as it would be with shorter turns.  A sample is put in for the latest time
 * at which it can have begun, so that detection is no later than with those.
 */
static void bridge_rest(struct daemon *daemon, const struct sample *now)
{
	struct decider *decider = &daemon->decider;
	struct sample bridge = *decide_sample(decider);
	uint64_t late_us = stall_since(&bridge, now);

	if (!daemon->was_at_rest || !late_us)
		return;
	if (late_us < daemon->settings->interval_ms * 1000)
		late_us = daemon->settings->interval_ms * 1000;
	if (late_us >= now->time_us - bridge.time_us)
		return;
	bridge.time_us = now->time_us - late_us;
	(void)decide_verdict(decider, &bridge);
	record(daemon, false);
	decide_orders(decider, false, &daemon->orders); /* none: it is calm */
}

int tick(struct daemon *daemon, uint64_t now_us, enum tick_cause cause,
	 uint64_t *wait_ms)
{
	struct decider *decider = &daemon->decider;
	enum verdict before = decider->detector.verdict;
	struct sample sample;

	daemon->log->now_us = now_us;
	*wait_ms = daemon->settings->interval_ms;
	heed(daemon, now_us, cause);

	int error = take_sample(daemon, now_us, &sample);

	if (error)
		return error == -EAGAIN ? 0 : error;
	bridge_rest(daemon, &sample);
	(void)decide_verdict(decider, &sample);
	log_verdict(daemon, before);

	see_locks(daemon, now_us);
	see_jobs(daemon, now_us);

	bool has_looked = look(daemon);

	record(daemon, has_looked);
	decider->plan_done = pager_done(&daemon->pager);
	decide_orders(decider, has_looked, &daemon->orders);
	carry_out_all(daemon, now_us);
	page(daemon);
	pager_totals(&daemon->pager,
		     &daemon->publisher.state.paged_out_bytes_total,
		     &daemon->publisher.state.prefetched_bytes_total);
	*wait_ms = wait_for(daemon, now_us);
	daemon->publisher.state.longest_gap_ms = daemon->longest_gap_ms;
	return publish(&daemon->publisher, decider, &daemon->freezer,
		       daemon->log);
}

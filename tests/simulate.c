/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lets the daemon's decisions lead a thousand random hosts, and judges what
 * becomes of everybody.
 *
 *   simulate.t           all hosts (or the first SIMULATE_HOSTS)
 *   simulate.t SEED      one host, with a line for each order and second
 *   simulate.t --list    a line for each host
 */
#include "daemon/decide.h"

#include "tests/simulated_host.h"
#include "tests/tap.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOSTS = 1000,
	STEP_US = 10000,
	QUIET_STEP_US = 50000,
	UNPROTECTED_STEP_US = 25000,
	TRIGGER_STEPS = 50, /* of STEP_US: the window of the kernel's trigger */
	TRIGGER_US = 20000, /* of stall in it */
	ALERT_US = 1000000,
	ROWS = HOST_TASKS + 2, /* with init and ourselves */
	SELF = 2,
	FIRST = 6, /* failing seeds that are named */
	SECOND_US = 1000000,
};

/* Numbers of the promises. */
static const double most_bounds = 4, nearly_most_bounds = 2, median_bounds = 1;
/* A load may take twice what the device needs for it, and a second. */
static const double load_factor = 2, load_slack_s = 1;
/* Of a host while a job is frozen; half of it is to know who sleeps. */
static const double idle_limit_s = 4;
/* Than without us, and two quanta: where a page from swap is cheap. */
static const double worse_limit = 1.1, worse_quanta = 2;
/* Who needs more of memory than this does not fit beside the others. */
static const double most_share = 0.95;
/* Bounds; with a job that is too big, also max_frozen for each job. */
static const double give_up = 6, give_up_unprotected = 3.2;

enum kind {
	KIND_CROWDED, /* jobs that fit one by one */
	KIND_LIGHT,   /* jobs that all fit, some of them in swap at first */
	KIND_TOO_BIG, /* one of the jobs does not fit by itself */
	KINDS,
};

static const char *const kind_names[] = {"crowded", "light", "too big"};

struct scenario {
	uint64_t seed;
	enum kind kind;
	bool has_trigger;
	struct host host;
	size_t jobs;
	double serial_s, bound_s;
	double first_s; /* for what is in swap at first */
};

/* Making hosts up --------------------------------------------------------- */

static double between(struct host *host, double low, double high)
{
	return low + (high - low) * host_random(host);
}

/* As likely between 1 and 2 as between 10 and 20. */
static double scattered(struct host *host, double low, double high)
{
	return low * pow(high / low, host_random(host));
}

static bool one_in(struct host *host, unsigned n)
{
	return host_random(host) * n < 1;
}

static size_t pick(struct host *host, size_t count)
{
	return (size_t)(host_random(host) * (double)count);
}

static void make_disk(struct host *host)
{
	static const struct {
		const char *name;
		double mb_per_s[2], latency_us[2], seek_us[2], channels;
	} rows[] = {
		{"zram", {800, 3000}, {4, 15}, {0, 0}, 4},
		{"ssd", {200, 2000}, {60, 200}, {0, 0}, 8},
		{"network", {40, 120}, {400, 2000}, {0, 0}, 1},
		{"hdd", {60, 200}, {0, 0}, {5000, 12000}, 1},
	};
	size_t i = pick(host, sizeof(rows) / sizeof(*rows));

	host->disk = (struct disk){
		.name = rows[i].name,
		.mb_per_s = scattered(host, rows[i].mb_per_s[0],
				      rows[i].mb_per_s[1]),
		.latency_us = between(host, rows[i].latency_us[0],
				      rows[i].latency_us[1]),
		.seek_us =
			between(host, rows[i].seek_us[0], rows[i].seek_us[1]),
		.channels = rows[i].channels,
	};
}

static void add_role(struct host *host, const struct role *role)
{
	struct task *task = &host->tasks[host->count++];

	*task = (struct task){.role = *role,
			      .work_left_s = role->work_s,
			      .phase_left_s = role->phase_s};
}

/* Those who are there before the jobs, with all their memory. */
static void add_bystander(struct host *host, const char *command, double mb,
			  double phase_s, double sleep_s)
{
	struct role role = {.set_mb = mb,
			    .work_s = INFINITY,
			    .touch_us = 1,
			    .fill_mb_per_s = 1000,
			    .phase_s = phase_s,
			    .sleep_s = sleep_s};

	(void)snprintf(role.command, sizeof(role.command), "%s", command);
	add_role(host, &role);
	host->tasks[host->count - 1].resident_mb[1] = mb;
}

/* One that sits still for good. */
static void add_idle(struct host *host, double mb, double trim_mb_per_s)
{
	add_bystander(host, "idle", mb, 1e-9, 1e9);
	host->tasks[host->count - 1].role.trim_mb_per_s = trim_mb_per_s;
}

static double add_bystanders(struct host *host)
{
	double before_mb = host_free_mb(host);

	add_bystander(host, "sshd", between(host, 2, 8), 0.002, 1);
	add_bystander(host, "small", between(host, 1, 12), 0.005,
		      between(host, 0.1, 2));
	if (one_in(host, 3))
		add_bystander(host, "Xorg", host->frames_mb * 0.06, 0.01, 0.2);
	if (one_in(host, 3))
		add_idle(host, host->frames_mb * between(host, 0.02, 0.3), 0);
	return before_mb - host_free_mb(host);
}

static void make_job(struct host *host, double set_mb, struct role *role)
{
	bool is_slow = one_in(host, 5);

	*role = (struct role){
		.command = "job",
		.is_job = true,
		.set_mb = set_mb,
		.fill_mb_per_s = is_slow ? set_mb / between(host, 2, 20)
					 : scattered(host, 200, 2000),
		.work_s = scattered(host, 0.5, 15),
		.touch_us = scattered(host, 0.3, 3),
		.pattern = one_in(host, 2)   ? PATTERN_UNIFORM
			   : one_in(host, 2) ? PATTERN_HOT
					     : PATTERN_SEQUENTIAL,
	};
	if (one_in(host, 7)) {
		role->phase_s = role->work_s / between(host, 1.2, 4);
		role->sleep_s = scattered(host, 1, 15);
	}
}

/* Sets of all jobs in MB; room is what is there for them. */
static void make_sets(struct scenario *scenario, double room_mb, double *sets)
{
	struct host *host = &scenario->host;
	double sum = 0;

	for (size_t i = 0; i < scenario->jobs; i++)
		sum += sets[i] = room_mb * scattered(host, 0.08, 0.9);
	if (scenario->kind == KIND_TOO_BIG)
		sets[0] = room_mb * between(host, 1.1, 1.5);
	if (scenario->kind == KIND_LIGHT)
		for (size_t i = 0; i < scenario->jobs; i++)
			sets[i] *= room_mb * 0.85 / sum;
}

static void add_jobs(struct scenario *scenario, double room_mb)
{
	struct host *host = &scenario->host;
	double sets[HOST_TASKS] = {0};
	double spread_s = one_in(host, 2) ? 0.5 : between(host, 1, 20);

	make_sets(scenario, room_mb, sets);
	for (size_t i = 0; i < scenario->jobs; i++) {
		struct role role;

		make_job(host, sets[i], &role);
		role.start_us =
			(uint64_t)(i ? between(host, 0, spread_s) * 1e6 : 0);
		add_role(host, &role);
		if (scenario->kind != KIND_LIGHT || !one_in(host, 2))
			continue;

		/* it was pushed out by somebody who is gone by now */
		struct task *task = &host->tasks[host->count - 1];
		double fault_s = (host->disk.latency_us + host->disk.seek_us) /
				 1e6 * 128;
		double swapped_mb =
			fmin(sets[i] * between(host, 0.05, 0.9), 10 / fault_s);

		task->role.start_us = 0;
		scenario->first_s += swapped_mb * fault_s;
		task->role.pattern = PATTERN_UNIFORM;
		task->swapped_mb[1] = swapped_mb;
		task->resident_mb[1] = sets[i] - swapped_mb;
		task->scattered_mb = swapped_mb * host_random(host);
	}
}

static double alone_s(const struct role *role)
{
	double sleeps =
		role->phase_s > 0 ? floor(role->work_s / role->phase_s) : 0;

	return role->set_mb / role->fill_mb_per_s + role->work_s +
	       sleeps * role->sleep_s;
}

/* One after the other, in the order of their start. */
static double serial_s(const struct host *host)
{
	bool was_taken[HOST_TASKS] = {false};
	double end_s = 0;

	for (;;) {
		const struct task *next = NULL;

		for (size_t i = 0; i < host->count; i++) {
			const struct task *task = &host->tasks[i];

			if (task->role.is_job && !was_taken[i] &&
			    (!next ||
			     task->role.start_us < next->role.start_us))
				next = task;
		}
		if (!next)
			return end_s;
		was_taken[next - host->tasks] = true;
		end_s = fmax(end_s, (double)next->role.start_us / 1e6) +
			alone_s(&next->role);
	}
}

static enum kind pick_kind(struct host *host)
{
	double random = host_random(host);

	return random < 0.75  ? KIND_CROWDED
	       : random < 0.9 ? KIND_LIGHT
			      : KIND_TOO_BIG;
}

static void make_scenario(uint64_t seed, struct scenario *scenario)
{
	static const double cpus[] = {1, 2, 4, 8, 16};
	struct host *host = &scenario->host;
	double sum_mb = 0;

	memset(scenario, 0, sizeof(*scenario));
	scenario->seed = seed;
	host->random = seed * 1000003;
	host->now_us = 1;
	host->has_scanned = true;
	make_disk(host);
	host->frames_mb =
		scattered(host, 128, fmin(8192, host->disk.mb_per_s * 40));
	host->cpus = cpus[pick(host, sizeof(cpus) / sizeof(*cpus))];
	host->psi_share = one_in(host, 3) ? between(host, 0.05, 0.5) : 1;
	scenario->has_trigger = !one_in(host, 4);
	scenario->kind = pick_kind(host);
	/* a dozen is rarer than a few */
	scenario->jobs = 1 + (size_t)(12 * pow(host_random(host), 1.7));

	double room_mb = host->frames_mb * 0.98 - add_bystanders(host);

	add_jobs(scenario, room_mb);
	if (scenario->kind == KIND_LIGHT && one_in(host, 2))
		add_idle(host, room_mb * 0.1, between(host, 0.1, 4));
	for (size_t i = 0; i < host->count; i++)
		sum_mb += host->tasks[i].role.set_mb;
	scenario->serial_s = scenario->first_s + serial_s(host);
	scenario->bound_s =
		scenario->serial_s +
		2 * fmax(0, sum_mb - host->frames_mb) / host->disk.mb_per_s;
}

/* Promises ---------------------------------------------------------------- */

enum promise {
	PROMISE_MAX_FROZEN,
	PROMISE_FINISHES,
	PROMISE_RUNS,
	PROMISE_NOT_ALL_FROZEN,
	PROMISE_THAWED,
	PROMISE_PROTECTED,
	PROMISE_BOUND,
	PROMISE_QUANTUM,
	PROMISE_LIGHT,
	PROMISE_HANDED_ON,
	PROMISE_NOT_WORSE,
	PROMISES,
};

static const char *const sentences[PROMISES] = {
	[PROMISE_MAX_FROZEN] = "nobody is frozen longer than max_frozen",
	[PROMISE_FINISHES] = "every job that fits by itself is done",
	[PROMISE_RUNS] = "every job runs now and then",
	[PROMISE_NOT_ALL_FROZEN] =
		"all jobs are frozen for no longer than a load takes",
	[PROMISE_THAWED] = "everybody is thawed soon after all fit again",
	[PROMISE_PROTECTED] =
		"nobody is frozen who is protected, small or idle",
	[PROMISE_BOUND] = "jobs that fit one by one take 4 bounds at most",
	[PROMISE_QUANTUM] = "who was thawed may run for a quantum",
	[PROMISE_LIGHT] = "light trouble of jobs that all fit freezes nobody",
	[PROMISE_HANDED_ON] = "a runner that sleeps hands its turn on",
	[PROMISE_NOT_WORSE] = "no host is worse off than without us",
};

struct broken {
	unsigned count;
	uint64_t seeds[FIRST];
	char details[FIRST][100];
};

/* What the judge remembers of a task. */
struct watch {
	bool is_frozen;
	uint64_t frozen_us, thawed_us; /* when last; thawed 0: never */
	uint64_t window_us;            /* when its progress was last enough */
	double window_progress_s;
};

struct run {
	const struct scenario *scenario;
	const struct settings *settings;
	bool is_protected, is_verbose;
	struct host host;
	struct decider decider;

	struct orders orders;
	/* the daemon's sleep */
	uint64_t alert_us, due_us, triggered_us;
	double memory_us[TRIGGER_STEPS];
	size_t next_memory;
	/* the judge */
	struct watch watches[HOST_TASKS];
	uint64_t all_frozen_us, idle_us, fits_us; /* since; 0: not now */
	double all_frozen_limit_s, fits_limit_s;
	uint64_t freezes, pauses;
	bool is_broken[PROMISES];
	char details[PROMISES][100];
	double ended_s;
	bool is_done; /* all jobs that fit by themselves */
};

static double run_s(const struct run *run)
{
	return (double)run->host.now_us / 1e6;
}

__attribute__((format(printf, 3, 4))) static void
breaks(struct run *run, enum promise promise, const char *format, ...)
{
	va_list args;

	if (run->is_broken[promise])
		return;
	run->is_broken[promise] = true;

	int used = snprintf(run->details[promise], sizeof(run->details[0]),
			    "%.2f s: ", run_s(run));

	va_start(args, format);
	(void)vsnprintf(run->details[promise] + used,
			sizeof(run->details[0]) - (size_t)used, format, args);
	va_end(args);
	if (run->is_verbose)
		printf("# BROKEN %s: %s\n", sentences[promise],
		       run->details[promise]);
}

static int pid_of(size_t index)
{
	return HOST_FIRST_PID + (int)index;
}

static double seconds(uint64_t from_us, uint64_t to_us)
{
	return ((double)to_us - (double)from_us) / 1e6;
}

static bool is_live_job(const struct run *run, size_t index)
{
	const struct task *task = &run->host.tasks[index];

	return task->role.is_job && task_is_there(&run->host, task);
}

/* Of everything and everybody at its full size. */
static bool all_fit(const struct run *run)
{
	double sum_mb = 0;

	for (size_t i = 0; i < run->host.count; i++)
		if (task_is_there(&run->host, &run->host.tasks[i]))
			sum_mb += run->host.tasks[i].role.set_mb;
	return sum_mb <= run->host.frames_mb * 0.9;
}

static void judge_freeze(struct run *run, size_t index)
{
	struct watch *watch = &run->watches[index];
	const struct task *task = &run->host.tasks[index];
	uint64_t now_us = run->host.now_us;
	double ran_s = seconds(watch->thawed_us, now_us);
	double quantum_s = (double)run->settings->quantum_ms / 1000;

	if (!task->role.is_job)
		breaks(run, PROMISE_PROTECTED, "%s is frozen",
		       task->role.command);
	if (watch->thawed_us && ran_s < quantum_s)
		breaks(run, PROMISE_QUANTUM, "%d runs %.2f s only",
		       pid_of(index), ran_s);
	if (run->scenario->kind == KIND_LIGHT)
		breaks(run, PROMISE_LIGHT, "%d is frozen", pid_of(index));
}

/*
 * Whether the disk can move everybody out and in within max_frozen; where it
 * cannot, all are thawed again and again before their memory is there.
 */
static bool is_turning(const struct scenario *scenario,
		       const struct settings *settings)
{
	const struct host *host = &scenario->host;
	double all_mb = 0;

	for (size_t i = 0; i < host->count; i++)
		if (host->tasks[i].role.is_job)
			all_mb += host->tasks[i].role.set_mb;
	return 2 * all_mb / host->disk.mb_per_s <
	       (double)settings->max_frozen_ms / 1000;
}

static void judge_each(struct run *run)
{
	uint64_t now_us = run->host.now_us;
	double max_s = (double)run->settings->max_frozen_ms / 1000;
	double window_s = max_s * (double)(run->scenario->jobs + 1);

	for (size_t i = 0; i < run->host.count; i++) {
		struct watch *watch = &run->watches[i];
		const struct task *task = &run->host.tasks[i];

		if (watch->is_frozen &&
		    seconds(watch->frozen_us, now_us) > max_s + 1)
			breaks(run, PROMISE_MAX_FROZEN, "%d is frozen",
			       pid_of(i));
		if (!task_is_awake(&run->host, task))
			watch->thawed_us = 0; /* it gives its turn away */
		watch->window_progress_s += task->progress_s;
		if (!is_live_job(run, i) || !task_is_awake(&run->host, task) ||
		    watch->window_progress_s > 0.01) {
			watch->window_us = now_us;
			watch->window_progress_s = 0;
		}
		if (seconds(watch->window_us, now_us) > window_s &&
		    is_turning(run->scenario, run->settings))
			breaks(run, PROMISE_RUNS, "%d did nothing for %.0f s",
			       pid_of(i), window_s);
	}
}

/* Counts live jobs by what they do. */
struct tally {
	size_t live, awake, frozen_awake, running, loading, frozen;
};

static struct tally count(const struct run *run)
{
	struct tally tally = {.live = 0};

	for (size_t i = 0; i < run->host.count; i++) {
		const struct task *task = &run->host.tasks[i];
		bool is_frozen = run->watches[i].is_frozen;
		bool is_awake = task_is_awake(&run->host, task);

		if (!is_live_job(run, i))
			continue;
		tally.live++;
		tally.awake += is_awake;
		tally.frozen += is_frozen;
		tally.frozen_awake += is_awake && is_frozen;
		tally.running += is_awake && !is_frozen;
	}
	for (size_t i = 0; i < run->decider.schedule.count; i++)
		tally.loading +=
			run->decider.schedule.jobs[i].state == JOB_LOADING;
	return tally;
}

/* What the pager has to do now may take so long. */
static double load_limit_s(const struct run *run)
{
	const struct host *host = &run->host;
	double s = 0;

	if (host->plan_done != host->plan_number) {
		s = host->plan.out_mb / host->disk.mb_per_s;
		for (size_t i = 0; i < host->plan.in_count; i++)
			s += host_load_s(host, &host->tasks[host->plan.in[i]]);
	}
	return s * load_factor + load_slack_s;
}

static void judge_all_frozen(struct run *run, const struct tally *tally)
{
	if (!tally->awake || tally->frozen < tally->live) {
		run->all_frozen_us = 0;
		return;
	}
	if (!run->all_frozen_us) {
		run->all_frozen_us = run->host.now_us;
		run->all_frozen_limit_s = 0;
	}
	run->all_frozen_limit_s =
		fmax(run->all_frozen_limit_s, load_limit_s(run));
	if (seconds(run->all_frozen_us, run->host.now_us) >
	    run->all_frozen_limit_s)
		breaks(run, PROMISE_NOT_ALL_FROZEN, "all frozen for %.2f s",
		       run->all_frozen_limit_s);
}

static void judge_idle(struct run *run, const struct tally *tally)
{
	if (!tally->frozen_awake || tally->running || tally->loading ||
	    tally->frozen == tally->live) {
		run->idle_us = 0;
		return;
	}
	if (!run->idle_us)
		run->idle_us = run->host.now_us;
	if (seconds(run->idle_us, run->host.now_us) > idle_limit_s)
		breaks(run, PROMISE_HANDED_ON, "%zu wait for who sleeps",
		       tally->frozen_awake);
}

/*
 * From the moment when all fit again, everybody is brought in and thawed
 * within calm, a quantum, two seconds, and twice what bringing them in takes.
 */
static void judge_calm(struct run *run, const struct tally *tally)
{
	if (!all_fit(run) || !tally->frozen) {
		run->fits_us = 0;
		return;
	}
	if (!run->fits_us) {
		run->fits_us = run->host.now_us;
		run->fits_limit_s = (double)(run->settings->calm_ms +
					     run->settings->quantum_ms) /
					    1000 +
				    2;
		for (size_t i = 0; i < run->host.count; i++)
			run->fits_limit_s +=
				2 *
				host_load_s(&run->host, &run->host.tasks[i]);
	}
	if (seconds(run->fits_us, run->host.now_us) > run->fits_limit_s)
		breaks(run, PROMISE_THAWED, "%zu of %zu frozen after %.1f s",
		       tally->frozen, tally->live, run->fits_limit_s);
}

static void judge_step(struct run *run)
{
	struct tally tally = count(run);

	judge_each(run);
	judge_all_frozen(run, &tally);
	judge_idle(run, &tally);
	judge_calm(run, &tally);
}

/* The daemon --------------------------------------------------------------- */

static void tell(const struct run *run, const char *what, size_t index,
		 const char *reason)
{
	if (run->is_verbose)
		printf("# %8.2f  %s %d: %s\n", run_s(run), what, pid_of(index),
		       reason);
}

static void carry_out(struct run *run, const struct order *order)
{
	static const char *const names[] = {
		[ORDER_FREEZE] = "freeze",   [ORDER_THAW] = "thaw",
		[ORDER_RELEASE] = "release", [ORDER_FORGET] = "forget",
		[ORDER_PAUSE] = "pause",     [ORDER_LOAD] = "load",
	};
	size_t index = (size_t)(order->process.pid - HOST_FIRST_PID);
	struct watch *watch = &run->watches[index];

	tell(run, names[order->kind], index, order->reason);
	switch (order->kind) {
	case ORDER_FREEZE:
		run->freezes++;
		judge_freeze(run, index);
		break;
	case ORDER_PAUSE:
		run->pauses++;
		if (run->scenario->kind == KIND_LIGHT)
			breaks(run, PROMISE_LIGHT, "%d is paused",
			       pid_of(index));
		break;
	case ORDER_THAW:
	case ORDER_RELEASE:
		host_continue(&run->host, index);
		watch->thawed_us = run->host.now_us;
		break;
	case ORDER_FORGET:
	case ORDER_LOAD:
		break;
	}
	if (order_freezes(order)) {
		host_stop(&run->host, index);
		watch->frozen_us = run->host.now_us;
		watch->is_frozen = true;
	} else if (order->kind != ORDER_LOAD) {
		watch->is_frozen = false;
	}
}

static size_t index_of(const struct job *job)
{
	return (size_t)(job->process.pid - HOST_FIRST_PID);
}

static void page(struct run *run)
{
	struct schedule *schedule = &run->decider.schedule;
	struct host_plan plan = {.out_count = 0};
	struct schedule_plan wanted;

	if (!run->orders.has_plan)
		return;
	schedule_plan(schedule, &wanted);
	for (size_t i = 0; i < wanted.out_count; i++)
		plan.out[plan.out_count++] = index_of(wanted.out[i]);
	plan.out_mb = (double)wanted.out_kib / 1024;
	for (size_t i = 0; i < wanted.in_count; i++)
		plan.in[plan.in_count++] = index_of(wanted.in[i]);
	if (run->is_verbose)
		printf("# %8.2f  plan: out %.0f MB of %zu, in %zu: %d\n",
		       run_s(run), plan.out_mb, plan.out_count, plan.in_count,
		       plan.in_count ? pid_of(plan.in[0]) : 0);
	schedule_planned(schedule, host_order(&run->host, &plan));
}

static void see_jobs(struct run *run)
{
	struct schedule *schedule = &run->decider.schedule;

	for (size_t i = 0; i < schedule->count; i++) {
		size_t index = index_of(&schedule->jobs[i]);
		struct process now;

		host_process(&run->host, index, &now);
		schedule_see(schedule, i,
			     run->host.tasks[index].is_done ? NULL : &now,
			     HOST_BEGIN_US + run->host.now_us);
	}
}

/* What costs more to read, so that the daemon does for some only. */
static void look_closer(const struct run *run, struct process *process)
{
	const struct task *task =
		&run->host.tasks[process->pid - HOST_FIRST_PID];

	process->swapped_kib = (uint64_t)(1024 * task_swapped_mb(task));
	decide_note_claim(&run->decider, process);
	if (decide_wants_limit(&run->decider, process))
		process->limit = task->role.trim_mb_per_s > 0 ? LIMIT_REACHED
							      : LIMIT_FAR;
}

static bool look(struct run *run)
{
	struct decider *decider = &run->decider;
	struct process *process;
	size_t at = 0;

	if (!decide_wants_look(decider))
		return false;

	static const struct process others[] = {
		{.pid = 1, .command = "init"},
		{.pid = SELF, .parent = 1, .command = "thrash-protect"},
	};
	struct census *census = decide_look(decider);
	struct process seen;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		(void)census_see(census, &others[i]);
	for (size_t i = 0; i < run->host.count; i++) {
		if (!task_is_there(&run->host, &run->host.tasks[i]))
			continue;
		host_process(&run->host, i, &seen);
		seen.swapped_kib = 0; /* it has its price */
		(void)census_see(census, &seen);
	}
	while ((process = decide_next_of_interest(decider, &at)))
		if (process->pid >= HOST_FIRST_PID)
			look_closer(run, process);
	return true;
}

/* One turn, as tick() does it. */
static void take_turn(struct run *run)
{
	struct decider *decider = &run->decider;
	struct sample sample;

	host_sample(&run->host, &sample);
	(void)decide_verdict(decider, &sample);
	see_jobs(run);

	bool has_looked = look(run);

	decider->plan_done = run->host.plan_done;
	decide_orders(decider, has_looked, &run->orders);
	for (size_t i = 0; i < run->orders.count; i++) {
		carry_out(run, &run->orders.items[i]);
		schedule_confirm(&decider->schedule, decider->settings,
				 &run->orders.items[i], 0,
				 HOST_BEGIN_US + run->host.now_us);
	}
	page(run);
}

/* Whether the kernel wakes the daemon: once a window, at most. */
static bool is_triggered(struct run *run)
{
	uint64_t now_us = run->host.now_us;
	double before_us = run->memory_us[run->next_memory];

	run->memory_us[run->next_memory] = run->host.memory_us;
	run->next_memory = (run->next_memory + 1) % TRIGGER_STEPS;
	if (!run->scenario->has_trigger ||
	    now_us - run->triggered_us < TRIGGER_STEPS * STEP_US ||
	    run->host.memory_us - before_us < TRIGGER_US)
		return false;
	run->triggered_us = now_us;
	return true;
}

static void lead(struct run *run)
{
	const struct decider *decider = &run->decider;
	uint64_t now_us = run->host.now_us;
	bool is_woken = is_triggered(run);

	if (is_woken)
		run->alert_us = now_us + ALERT_US;
	if (!is_woken && now_us < run->due_us)
		return;
	take_turn(run);

	bool sleeps = run->scenario->has_trigger && now_us >= run->alert_us &&
		      decider->detector.verdict == VERDICT_CALM &&
		      !decider->schedule.count;

	run->due_us = now_us + (sleeps ? UINT64_C(60000000)
				       : run->settings->interval_ms * 1000);
}

/* One run ------------------------------------------------------------------ */

static void show(const struct run *run)
{
	static const char *const states[] = {"calm", "unsettled", "thrash"};

	printf("# %8.2f  %-9s free %4.0f of %.0f, cap %4.0f, busy %3.0f %%:",
	       run_s(run), states[run->decider.detector.verdict],
	       host_free_mb(&run->host), run->host.frames_mb,
	       (double)run->decider.schedule.capacity_kib / 1024,
	       100 * run->host.pager_busy);
	for (size_t i = 0; i < run->host.count; i++) {
		const struct task *task = &run->host.tasks[i];

		if (!is_live_job(run, i))
			continue;
		printf(" %d%s%s %.0f+%.0f", pid_of(i),
		       run->watches[i].is_frozen ? "*" : "",
		       !task_is_awake(&run->host, task) ? "z"
		       : task_is_growing(task)          ? "g"
							: "",
		       task_resident_mb(task), task_swapped_mb(task));
		if (!run->watches[i].is_frozen)
			printf(" %.1fs", task->work_left_s);
	}
	printf("\n");
}

static bool has_fitting_job(const struct run *run)
{
	for (size_t i = 0; i < run->host.count; i++)
		if (run->host.tasks[i].role.is_job &&
		    !run->host.tasks[i].is_done &&
		    run->host.tasks[i].role.set_mb <=
			    run->host.frames_mb * most_share)
			return true;
	return false;
}

/* Nothing is short, nor will be before the end of a long step. */
static bool is_quiet(const struct host *host)
{
	double wanted_mb = host->frames_mb * 0.02;

	for (size_t i = 0; i < host->count; i++) {
		const struct task *task = &host->tasks[i];

		if (!task_is_there(host, task) || task->is_stopped)
			continue;
		if (task_swapped_mb(task) > 0)
			return false;
		if (task_is_growing(task))
			wanted_mb +=
				task->role.fill_mb_per_s * QUIET_STEP_US / 1e6;
	}
	return host_free_mb(host) > wanted_mb &&
	       host->plan_done == host->plan_number;
}

static void run_host(const struct scenario *scenario,
		     const struct settings *settings, bool is_protected,
		     bool is_verbose, struct run *run)
{
	double limit_s = scenario->bound_s *
			 (is_protected ? give_up : give_up_unprotected);
	uint64_t shown_us = 0;

	if (scenario->kind == KIND_TOO_BIG)
		limit_s += (double)(scenario->jobs * settings->max_frozen_ms) /
			   1000;
	memset(run, 0, sizeof(*run));
	run->scenario = scenario;
	run->settings = settings;
	run->is_protected = is_protected;
	run->is_verbose = is_verbose;
	run->host = scenario->host;
	run->decider.settings = settings;
	run->decider.self = SELF;
	if (census_init(&run->decider.census, ROWS))
		abort();
	while (has_fitting_job(run) && run_s(run) < limit_s) {
		host_step(&run->host, is_quiet(&run->host) ? QUIET_STEP_US
				      : is_protected       ? STEP_US
						     : UNPROTECTED_STEP_US);
		if (is_protected) {
			lead(run);
			judge_step(run);
		}
		if (is_verbose && run->host.now_us - shown_us >= SECOND_US) {
			show(run);
			shown_us = run->host.now_us;
		}
	}
	census_close(&run->decider.census);
	run->is_done = !has_fitting_job(run);
	run->ended_s = run_s(run);
}

/* All runs ----------------------------------------------------------------- */

struct figures {
	struct broken broken[PROMISES];
	double bounds[HOSTS];      /* of crowded hosts */
	double unprotected[HOSTS]; /* of crowded hosts on slow disks */
	size_t count, unprotected_count;
	double simulated_s;
};

static void judge_end(struct run *run, const struct run *unprotected)
{
	const struct scenario *scenario = run->scenario;
	double bounds = run->ended_s / scenario->bound_s;

	if (!run->is_done && is_turning(scenario, run->settings))
		breaks(run, PROMISE_FINISHES, "not done in %.1f bounds",
		       give_up);
	if (scenario->kind == KIND_CROWDED && bounds > most_bounds &&
	    is_turning(scenario, run->settings))
		breaks(run, PROMISE_BOUND, "%.2f bounds of %.1f s (%s)", bounds,
		       scenario->bound_s, scenario->host.disk.name);
	if (unprotected->is_done && scenario->kind != KIND_TOO_BIG &&
	    run->ended_s > unprotected->ended_s * worse_limit +
				   (double)run->settings->quantum_ms / 1000 *
					   worse_quanta)
		breaks(run, PROMISE_NOT_WORSE, "%.1f s, without %.1f s (%s)",
		       run->ended_s, unprotected->ended_s,
		       scenario->host.disk.name);
}

static void add_up(struct figures *figures, const struct run *run,
		   const struct run *unprotected)
{
	const struct scenario *scenario = run->scenario;
	bool is_slow = scenario->host.disk.channels < 2;

	for (size_t i = 0; i < PROMISES; i++) {
		struct broken *broken = &figures->broken[i];

		if (!run->is_broken[i])
			continue;
		if (broken->count < FIRST) {
			broken->seeds[broken->count] = scenario->seed;
			memcpy(broken->details[broken->count], run->details[i],
			       sizeof(broken->details[0]));
		}
		broken->count++;
	}
	figures->simulated_s += run->ended_s + unprotected->ended_s;
	if (scenario->kind != KIND_CROWDED)
		return;
	figures->bounds[figures->count++] = run->ended_s / scenario->bound_s;
	if (is_slow && scenario->bound_s > scenario->serial_s * 1.02)
		figures->unprotected[figures->unprotected_count++] =
			unprotected->ended_s / scenario->bound_s;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that share of all are below. */
static double quantile(double *values, size_t count, double share)
{
	if (!count)
		return 0;
	qsort(values, count, sizeof(*values), by_size);
	return values[(size_t)((double)(count - 1) * share)];
}

static void describe(const struct scenario *scenario)
{
	const struct host *host = &scenario->host;

	printf("# seed %u: %s, %zu jobs in %.0f MB, %.0f cpus, %s %.0f MB/s "
	       "%.0f us %.0f us; serial %.1f s, bound %.1f s\n",
	       (unsigned)scenario->seed, kind_names[scenario->kind],
	       scenario->jobs, host->frames_mb, host->cpus, host->disk.name,
	       host->disk.mb_per_s, host->disk.latency_us, host->disk.seek_us,
	       scenario->serial_s, scenario->bound_s);
}

static void describe_tasks(const struct host *host)
{
	static const char *const patterns[] = {"uniform", "hot", "sequential"};

	for (size_t i = 0; i < host->count; i++) {
		const struct role *role = &host->tasks[i].role;

		printf("# %d %-5s at %5.1f s: %5.0f MB (%.0f MB/s), %.1f s, "
		       "%s",
		       pid_of(i), role->command, (double)role->start_us / 1e6,
		       role->set_mb, role->fill_mb_per_s, role->work_s,
		       patterns[role->pattern]);
		if (role->phase_s > 0)
			printf(", sleeps %.1f s after %.3f s", role->sleep_s,
			       role->phase_s);
		printf("\n");
	}
}

static void simulate(uint64_t seed, const struct settings *settings,
		     bool is_verbose, bool is_listed, struct figures *figures)
{
	static struct scenario scenario;
	static struct run run, unprotected;

	make_scenario(seed, &scenario);
	if (is_verbose) {
		describe(&scenario);
		describe_tasks(&scenario.host);
	}
	run_host(&scenario, settings, false, false, &unprotected);
	run_host(&scenario, settings, true, is_verbose, &run);
	judge_end(&run, &unprotected);
	add_up(figures, &run, &unprotected);
	if (is_listed)
		describe(&scenario);
	if (is_listed || is_verbose)
		printf("# seed %u: %.2f bounds%s, unprotected %.2f%s; %u "
		       "freezes, %u pauses\n",
		       (unsigned)seed, run.ended_s / scenario.bound_s,
		       run.is_done ? "" : " (not done)",
		       unprotected.ended_s / scenario.bound_s,
		       unprotected.is_done ? "" : " (not done)",
		       (unsigned)run.freezes, (unsigned)run.pauses);
}

static void report(struct figures *figures)
{
	for (size_t i = 0; i < PROMISES; i++) {
		const struct broken *broken = &figures->broken[i];

		ok(!broken->count, "%s", sentences[i]);
		if (broken->count)
			diag("%u hosts; run build/tests/simulate.t SEED for:",
			     broken->count);
		for (size_t k = 0; k < broken->count && k < FIRST; k++)
			diag("%4u  %s", (unsigned)broken->seeds[k],
			     broken->details[k]);
	}

	double median = quantile(figures->bounds, figures->count, 0.5);
	double without =
		quantile(figures->unprotected, figures->unprotected_count, 0.5);

	double nearly_all = quantile(figures->bounds, figures->count, 0.99);

	ok(median <= median_bounds, "half of the hosts take a bound at most");
	ok(nearly_all <= nearly_most_bounds, "99 of 100 take two bounds");
	diag("of %zu: median %.2f, 90 %% below %.2f, 99 %% below %.2f, all "
	     "below %.2f",
	     figures->count, median,
	     quantile(figures->bounds, figures->count, 0.9), nearly_all,
	     quantile(figures->bounds, figures->count, 1));
	ok(without > 3, "without us, slow disks take more than three bounds");
	diag("of %zu: median %.2f, a tenth below %.2f (given up at %.0f)",
	     figures->unprotected_count, without,
	     quantile(figures->unprotected, figures->unprotected_count, 0.1),
	     give_up_unprotected);
	diag("%.0f s of hosts' time", figures->simulated_s);
}

int main(int argc, char **argv)
{
	static struct settings settings;
	static struct figures figures;
	const char *hosts = getenv("SIMULATE_HOSTS");
	bool is_listed = argc > 1 && strcmp(argv[1], "--list") == 0;
	uint64_t last = hosts ? strtoull(hosts, NULL, 10) : HOSTS;

	settings_default(&settings);
	if (argc > 1 && !is_listed) {
		simulate(strtoull(argv[1], NULL, 10), &settings, true, false,
			 &figures);
		report(&figures);
		return done_testing();
	}
	for (uint64_t seed = 1; seed <= last && seed <= HOSTS; seed++)
		simulate(seed, &settings, false, is_listed, &figures);
	report(&figures);
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schedule of a host that tests make up, turn by turn. */
#ifndef THRASH_TESTS_SCHEDULES_H
#define THRASH_TESTS_SCHEDULES_H

#include "daemon/schedule.h"

#include "tests/processes.h"
#include "tests/scratch.h"

struct fixture {
	struct settings settings;
	struct schedule schedule;
	struct processes host;
	struct orders orders;
	struct situation situation;
};

static inline void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	settings_default(&f->settings);
	processes_begin(&f->host);
	f->situation = (struct situation){
		.now_us = 100000000,
		.before = &f->host.before,
		.now = &f->host.now,
		.self = 2,
	};
}

/* The row of the newer look; NULL if there is none any more. */
static inline struct process *find_row(struct fixture *f, pid_t pid)
{
	for (size_t i = 0; i < f->host.now.count; i++)
		if (f->host.now_rows[i].pid == pid)
			return &f->host.now_rows[i];
	return NULL;
}

/* One that is there, for a test to change. */
static inline struct process *row(struct fixture *f, pid_t pid)
{
	struct process *found = find_row(f, pid);

	if (!found)
		abort();
	return found;
}

/* What the freezer does to a process, so that the next turn sees it. */
static inline void obey(struct fixture *f, const struct order *order)
{
	struct process *process = find_row(f, order->process.pid);

	if (process && order->kind != ORDER_FORGET)
		process->state = order->kind == ORDER_THAW ||
						 order->kind == ORDER_RELEASE
					 ? 'R'
					 : 'T';
}

/* One turn, ms after the last; every order ends with error. */
static inline void turn(struct fixture *f, unsigned ms, enum verdict verdict,
			int error)
{
	f->situation.now_us += UINT64_C(1000) * ms;
	f->situation.verdict = verdict;
	for (size_t i = 0; i < f->schedule.count; i++)
		schedule_see(&f->schedule, i,
			     find_row(f, f->schedule.jobs[i].process.pid),
			     f->situation.now_us);
	schedule_step(&f->schedule, &f->settings, &f->situation, &f->orders);
	for (size_t i = 0; i < f->orders.count; i++) {
		schedule_confirm(&f->schedule, &f->settings,
				 &f->orders.items[i], error,
				 f->situation.now_us);
		if (!error)
			obey(f, &f->orders.items[i]);
	}
	if (f->orders.has_plan)
		schedule_planned(&f->schedule, f->schedule.plan + 1);
}

/* The orders of the last turn, as "freeze 10, load 11"; or "none". */
static inline const char *orders(const struct fixture *f)
{
	static const char *const names[] = {"freeze", "pause",   "load",
					    "thaw",   "release", "forget"};
	static char text[256];
	size_t used = 0;

	for (size_t i = 0; i < f->orders.count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s %d", i ? ", " : "",
					 names[f->orders.items[i].kind],
					 (int)f->orders.items[i].process.pid);
	return f->orders.count ? text : "none";
}

/* The pager has done all it was told. */
static inline void finish_plan(struct fixture *f)
{
	f->situation.plan_done = f->schedule.plan;
}

/*
 * Adds one that is a job already, with that much in memory and in swap: in
 * its turn if it runs, and if not, waiting since now.
 */
static inline struct job *add_job(struct fixture *f, pid_t pid,
				  enum job_state state, uint64_t resident_kib,
				  uint64_t swapped_kib)
{
	struct process *process =
		processes_add(&f->host, pid, "job", resident_kib, 0);
	struct job *job = &f->schedule.jobs[f->schedule.count++];

	process->swapped_kib = swapped_kib;
	process->state = state == JOB_RUNNING ? 'R' : 'T';
	*job = (struct job){
		.process = *process,
		.state = state,
		.since_us = f->situation.now_us,
		.given_us = f->situation.now_us,
		.turn_us = state == JOB_RUNNING ? f->situation.now_us : 0,
		.active_us = f->situation.now_us,
	};
	return job;
}

/* Makes a job one of a group of processes, in session 5. */
static inline void join_group(struct fixture *f, struct job *job, pid_t group)
{
	struct process *process = row(f, job->process.pid);

	process->group = job->process.group = group;
	process->session = job->process.session = 5;
}

/* Two hogs that have 260 MiB between them; each wants 160 and more. */
static inline void add_two_hogs(struct fixture *f)
{
	(void)processes_add(&f->host, 10, "hog", 130 * MIB, 5);
	(void)processes_add(&f->host, 11, "hog", 130 * MIB, 5);
	row(f, 10)->state = 'R';
	row(f, 10)->swapped_kib = 30 * MIB;
	row(f, 11)->swapped_kib = 40 * MIB;
}

/* It has all its memory. */
static inline void load(struct fixture *f, pid_t pid)
{
	row(f, pid)->resident_kib += row(f, pid)->swapped_kib;
	row(f, pid)->swapped_kib = 0;
}

/* They thrash: 11 is frozen, 10 gets its memory and begins its turn. */
static inline void freeze_one(struct fixture *f)
{
	begin(f);
	add_two_hogs(f);
	turn(f, 50, VERDICT_THRASHING, 0);
	finish_plan(f);
	load(f, 10);
	turn(f, 1000, VERDICT_UNSETTLED, 0);
	turn(f, 1000, VERDICT_CALM, 0);
}

/* The same with a disk that takes 10 s for it; pages go out all the time. */
static inline void freeze_one_slowly(struct fixture *f)
{
	begin(f);
	add_two_hogs(f);
	f->situation.is_evicting = true;
	turn(f, 50, VERDICT_THRASHING, 0);
	finish_plan(f);
	turn(f, 9000, VERDICT_UNSETTLED, 0);
	load(f, 10);
	turn(f, 1000, VERDICT_CALM, 0);
}

/* Two families of two, each of which would fit, but not both. */
static inline void add_two_families(struct fixture *f)
{
	for (pid_t pid = 10; pid < 14; pid++) {
		(void)processes_add(&f->host, pid, "cc1", 65 * MIB, 5);
		row(f, pid)->group = pid < 12 ? 10 : 12;
		row(f, pid)->session = 5;
		row(f, pid)->swapped_kib = (uint64_t)(pid - 9) * 5 * MIB;
		row(f, pid)->state = 'R';
	}
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests how those who share too little memory take turns with it. */
#include "daemon/schedule.h"

#include "tests/schedules.h"

static void test_queue(void)
{
	static const uint64_t lacks_mib[] = {50, 20, 30, 3};
	struct fixture f;

	begin(&f);
	for (size_t i = 0; i < COUNT(lacks_mib); i++) {
		struct job *job = add_job(&f, 10 + (pid_t)i, JOB_RUNNING,
					  60 * MIB, lacks_mib[i] * MIB);

		job->turn_us = 0;
		job->is_due = true;
		job->kept_us = f.situation.now_us + 1000000;
	}
	(void)add_job(&f, 14, JOB_RUNNING, 60 * MIB, 60 * MIB);
	turn(&f, 950, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "who was thawed may try for a quantum");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, freeze 12",
		"of those thawed without their memory only one goes on");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "and gets it");
}

/* A change that took 10 s is worth turns of 40 s. */
static void test_pause_in_turn(void)
{
	struct fixture f;

	freeze_one_slowly(&f);
	row(&f, 10)->swapped_kib = 20 * MIB;
	turn(&f, 20000, VERDICT_THRASHING, 0);
	is_text(orders(&f), "pause 10", "a runner is paused in its turn");
	finish_plan(&f);
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 10", "goes on in it");
	row(&f, 10)->swapped_kib = 0;
	turn(&f, 18000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "keeps the rest of it");
	turn(&f, 1100, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, load 11", "and no more");
}

/* 10 and 12 run, in 300 MiB; 11 waits. */
static void test_room_for_next(void)
{
	struct fixture f;

	begin(&f);
	f.schedule.capacity_kib = 300 * MIB;
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 0);
	(void)add_job(&f, 11, JOB_FROZEN, 10 * MIB, 140 * MIB);
	f.situation.now_us += 4000000;
	(void)add_job(&f, 12, JOB_RUNNING, 200 * MIB, 0);
	f.schedule.change_us = 1;
	turn(&f, 1500, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none",
		"nobody's turn ends for one that finds no room all the same");
	turn(&f, 4000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, freeze 12, load 11",
		"it waits until the turns of enough others are over");

	begin(&f);
	f.schedule.capacity_kib = 300 * MIB;
	(void)add_job(&f, 10, JOB_RUNNING, 100 * MIB, 0);
	(void)add_job(&f, 11, JOB_FROZEN, 10 * MIB, 140 * MIB);
	add_job(&f, 12, JOB_RUNNING, 100 * MIB, 0)->given_us--;
	f.schedule.change_us = 1;
	turn(&f, 5100, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 12, load 11",
		"as few as needed: the one whose turn began first");

	begin(&f);
	f.schedule.capacity_kib = 100 * MIB;
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 0);
	(void)add_job(&f, 11, JOB_FROZEN, 10 * MIB, 140 * MIB);
	f.schedule.change_us = 1;
	turn(&f, 5100, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, load 11",
		"who would not fit alone has its turn as well");
}

static void test_overdue(void)
{
	struct fixture f;

	begin(&f);
	f.settings.max_frozen_ms = 8000;
	f.schedule.capacity_kib = 200 * MIB;
	add_job(&f, 10, JOB_RUNNING, 200 * MIB, 0)->kept_us =
		f.situation.now_us + 7500000;
	(void)add_job(&f, 11, JOB_FROZEN, 10 * MIB, 190 * MIB);
	f.schedule.jobs[0].turn_us = f.situation.now_us + 7000000;
	turn(&f, 7400, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none",
		"who was thawed just now runs on, though others wait long");
	turn(&f, 200, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, load 11", "but for a quantum only");
}

/* To move 200 MiB out and in takes 8 s at 50 MiB/s. */
static void test_first_length(void)
{
	static const struct {
		pid_t waiting;
		unsigned length_ms;
		const char *name;
	} rows[] = {
		{1, 32000, "the first turn is worth what its end should cost"},
		{3, 20000, "if three wait, each has a third of max_frozen"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		f.schedule.capacity_kib = 200 * MIB;
		(void)add_job(&f, 10, JOB_RUNNING, 200 * MIB, 0);
		for (pid_t pid = 11; pid < 11 + rows[i].waiting; pid++)
			(void)add_job(&f, pid, JOB_FROZEN, 10 * MIB, 190 * MIB);
		turn(&f, rows[i].length_ms - 100, VERDICT_UNSETTLED, 0);
		is_text(orders(&f), "none", "%s", rows[i].name);
		turn(&f, 200, VERDICT_UNSETTLED, 0);
		is_text(orders(&f), "freeze 10, load 11", "and no more");
	}
}

/* Of 170 MiB; who has nothing in swap is growing. */
static void test_growers(void)
{
	struct fixture f;

	begin(&f);
	(void)processes_add(&f.host, 10, "grows", 20 * MIB, 5);
	(void)processes_add(&f.host, 11, "grows", 20 * MIB, 5);
	processes_add(&f.host, 12, "big", 100 * MIB, 5)->swapped_kib =
		100 * MIB;
	processes_add(&f.host, 13, "small", 30 * MIB, 5)->swapped_kib = 2 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11, freeze 12",
		"one grows at a time, though both would fit for now");
	turn(&f, 100, VERDICT_UNSETTLED, 0);
	ok(f.schedule.jobs[0].is_growing, "it is taken to grow on");
}

static void test_growth(void)
{
	struct fixture f;
	const struct job *job;

	freeze_one(&f);
	job = f.schedule.jobs;
	row(&f, 10)->state = 'D';
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	ok(!job->is_growing, "who waits for a page is not growing");
	row(&f, 10)->resident_kib += SELECT_GROWTH_KIB - 4;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	ok(!job->is_growing, "nor who has grown by some pages");
	row(&f, 10)->resident_kib += SELECT_GROWTH_KIB;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	ok(job->is_growing, "who has grown by a megabyte is");
	turn(&f, SCHEDULE_GROWN_MS, VERDICT_UNSETTLED, 0);
	ok(job->is_growing, "for as long as it waits for room");
	row(&f, 10)->state = 'R';
	turn(&f, SCHEDULE_GROWN_MS - 50, VERDICT_UNSETTLED, 0);
	ok(job->is_growing, "and a little while");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	ok(!job->is_growing, "but no longer");
}

/* 10 and 11 have 200 MiB between them, and one of them fits. */
static void test_claims(void)
{
	struct fixture f;

	begin(&f);
	add_job(&f, 10, JOB_RUNNING, 100 * MIB, 50 * MIB)->turn_us = 0;
	(void)add_job(&f, 11, JOB_RUNNING, 100 * MIB, 10 * MIB);
	f.schedule.jobs[0].is_due = true;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11",
		"who has waited for its turn is not frozen in it for another");

	begin(&f);
	for (pid_t pid = 10; pid < 12; pid++) {
		struct job *job =
			add_job(&f, pid, JOB_RUNNING, 100 * MIB, 50 * MIB);

		job->turn_us = 0;
		job->is_due = true;
		f.situation.now_us += 1000000;
	}
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 10",
		"of two that have, the one whose turn is younger goes on");
}

static void test_shown_late(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->pid = 9999;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	finish_plan(&f);
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 11", "one goes on");
	row(&f, 11)->state = 'T';
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	ok(schedule_find(&f.schedule, row(&f, 11)),
	   "and may be shown as stopped for a while");
	turn(&f, 4000, VERDICT_UNSETTLED, 0);
	ok(!schedule_find(&f.schedule, row(&f, 11)),
	   "but not longer than a quantum: somebody else has stopped it");
}

/* 10 has its turn, then 11, then 10 again; a change takes ten seconds. */
static void test_next_turn(void)
{
	struct fixture f;

	freeze_one(&f);
	f.situation.is_evicting = true;
	turn(&f, 5100, VERDICT_UNSETTLED, 0);
	finish_plan(&f);
	turn(&f, 10000, VERDICT_UNSETTLED, 0);
	row(&f, 10)->resident_kib = 40 * MIB;
	row(&f, 10)->swapped_kib = 120 * MIB;
	row(&f, 11)->resident_kib = 170 * MIB;
	row(&f, 11)->swapped_kib = 0;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, 41000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 11, load 10", "one has its second turn");
	finish_plan(&f);
	turn(&f, 10000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 10", "when its memory is there");
	row(&f, 10)->resident_kib = 160 * MIB;
	row(&f, 10)->swapped_kib = 0;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	turn(&f, 39000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "which is as long as the first");
	turn(&f, 2000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, load 11", "and not longer");
}

/* 11 is thawed after 20 s, because 10 has ended, with 40 MiB in swap. */
static void test_thawed_without(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.quantum_ms = 3600000;
	turn(&f, 20000, VERDICT_UNSETTLED, 0);
	row(&f, 10)->pid = 9999;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	finish_plan(&f);
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 11", "one goes on without its memory");
	f.situation.plan_done--;
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_UNSETTLED, 0);
	ok(!f.orders.has_plan, "while memory is moved for it all is done");
	finish_plan(&f);
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	ok(f.orders.has_plan, "then what is left is, though nobody is frozen");

	begin(&f);
	f.schedule.capacity_kib = 300 * MIB;
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 50 * MIB);
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_UNSETTLED, 0);
	ok(!f.orders.has_plan, "who was never frozen helps itself");
}

/* 11 is thawed, and both thrash. */
static void test_after_thaw(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.max_frozen_ms = 2000;
	f.settings.quantum_ms = 100;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 11",
		"who is thawed for having waited is not loaded as well");
	turn(&f, SCHEDULE_SETTLE_MS - 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "what a thaw does is awaited");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 10", "then the other one is frozen");

	begin(&f);
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 40 * MIB);
	(void)add_job(&f, 11, JOB_RUNNING, 60 * MIB, 40 * MIB);
	(void)add_job(&f, 12, JOB_FROZEN, 60 * MIB, 0);
	turn(&f, (unsigned)f.settings.max_frozen_ms, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 12",
		"nor is anybody frozen for it in the same turn");
}

static void test_load_in_trouble(void)
{
	struct fixture f;

	begin(&f);
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 40 * MIB);
	(void)add_job(&f, 11, JOB_RUNNING, 60 * MIB, 40 * MIB);
	(void)add_job(&f, 12, JOB_LOADING, 60 * MIB, 40 * MIB);
	f.schedule.jobs[2].loading_us = f.situation.now_us;
	f.schedule.plan = 1;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none",
		"while somebody is loaded, nobody else is frozen");
}

/* One that runs, and has 100 MiB, at the end of a change of turn. */
static void test_begin_of_turn(void)
{
	static const struct {
		bool is_growing, begins;
		enum verdict verdict;
		uint64_t lacks_mib;
		const char *name;
	} rows[] = {
		{false, true, VERDICT_UNSETTLED, 0,
		 "a turn begins when all memory is there"},
		{false, true, VERDICT_UNSETTLED, 1, "or nearly all"},
		{false, false, VERDICT_UNSETTLED, 2, "not before"},
		{false, true, VERDICT_CALM, 2, "unless it is calm"},
		{false, true, VERDICT_UNSETTLED, 250, "or never can be there"},
		{true, false, VERDICT_UNSETTLED, 0, "nor while it grows"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		struct job *job;

		begin(&f);
		f.schedule.capacity_kib = 300 * MIB;
		job = add_job(&f, 10, JOB_RUNNING, 100 * MIB,
			      rows[i].lacks_mib * MIB);
		job->turn_us = 0;
		job->is_growing = rows[i].is_growing;
		job->grew_us = f.situation.now_us;
		if (!rows[i].is_growing)
			job->grew_us -= SCHEDULE_GROWN_MS * 1000;
		turn(&f, 50, rows[i].verdict, 0);
		is_int(job->turn_us != 0, rows[i].begins, "%s", rows[i].name);
	}
}

/* One has all its memory 8 s after a change of turn. */
static void test_timed_change(void)
{
	static const struct {
		int given_s, loading_s, change_s;
		const char *name;
	} rows[] = {
		{-1, -9, 8, "a change ends when who ran on has its memory"},
		{3, 0, 8, "or who was loaded for it"},
		{3, -9, 0, "not when one has that came later"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		struct job *job;
		uint64_t now_us;

		begin(&f);
		now_us = f.situation.now_us;
		job = add_job(&f, 10, JOB_RUNNING, 100 * MIB, 0);
		f.schedule.changed_us = now_us;
		job->turn_us = 0;
		job->given_us = now_us + (uint64_t)(rows[i].given_s * 1000000);
		job->loading_us =
			now_us + (uint64_t)(rows[i].loading_s * 1000000);
		job->active_us = now_us;
		turn(&f, 8000, VERDICT_UNSETTLED, 0);
		is_int((int64_t)f.schedule.change_us,
		       rows[i].change_s * INT64_C(1000000), "%s", rows[i].name);
	}
}

static void test_longest_wait(void)
{
	struct fixture f;

	begin(&f);
	(void)add_job(&f, 10, JOB_FROZEN, 60 * MIB, 0);
	add_job(&f, 11, JOB_FROZEN, 60 * MIB, 0)->since_us--;
	(void)add_job(&f, 12, JOB_FROZEN, 60 * MIB, 0);
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "load 11", "who has waited for longest is next");
}

/* A stop takes effect when the process leaves the kernel. */
static void test_second_stop(void)
{
	struct fixture f;

	freeze_one(&f);
	f.situation.is_evicting = true;
	turn(&f, 5100, VERDICT_UNSETTLED, 0);
	finish_plan(&f);
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 11", "one is seen stopped, and goes on");
	row(&f, 10)->resident_kib = 40 * MIB;
	row(&f, 10)->swapped_kib = 120 * MIB;
	row(&f, 11)->resident_kib = 170 * MIB;
	row(&f, 11)->swapped_kib = 0;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, 10000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 11, load 10", "it is frozen again");
	row(&f, 11)->state = 'D';
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "and may take its time to stop again");
}

static void test_active(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.quantum_ms = 3600000;
	row(&f, 10)->state = 'D';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	ok(schedule_find(&f.schedule, row(&f, 10)),
	   "who waits for a disk is not asleep");
	row(&f, 10)->state = 'S';
	row(&f, 10)->major_faults++;
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	ok(schedule_find(&f.schedule, row(&f, 10)),
	   "nor who has done so since");
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "load 11", "who is gives its turn away");
}

static void test_waits_for_frozen(void)
{
	struct fixture f;

	begin(&f);
	join_group(&f, add_job(&f, 10, JOB_RUNNING, 100 * MIB, 0), 10);
	join_group(&f, add_job(&f, 11, JOB_FROZEN, 100 * MIB, 0), 10);
	row(&f, 10)->state = 'S';
	turn(&f, SCHEDULE_SETTLE_MS - 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "one of a group sleeps");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "load 11",
		"its frozen one need not wait long: it may be waited for");
}

static void test_spared(void)
{
	struct fixture f;

	begin(&f);
	for (pid_t pid = 10; pid < 13; pid++)
		processes_add(&f.host, pid, "hog", 100 * MIB, 5)->swapped_kib =
			(uint64_t)(pid - 9) * 80 * MIB;
	turn(&f, 50, VERDICT_THRASHING, -EPERM);
	is_text(orders(&f), "freeze 11, freeze 12", "two cannot be frozen");
	is_int((int64_t)f.schedule.frozen_us_total, 0, "and never were");
	turn(&f, (unsigned)f.settings.max_frozen_ms - 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 1, "and are both left alone");
	f.host.before_rows[2].start_time++;
	f.host.now_rows[2].start_time++;
	turn(&f, 10, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 2, "who only has their pid is not");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 3, "and nobody is for ever");
}

static void test_full(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	for (size_t i = 0; i < SCHEDULE_JOBS - 1; i++)
		f.schedule.jobs[i] = (struct job){
			.process = {.pid = (pid_t)(1000 + i),
				    .group = (pid_t)(1000 + i)},
			.active_us = f.situation.now_us,
		};
	f.schedule.count = SCHEDULE_JOBS - 1;
	f.situation.verdict = VERDICT_THRASHING;
	schedule_step(&f.schedule, &f.settings, &f.situation, &f.orders);
	is_int((int64_t)f.schedule.count, SCHEDULE_JOBS,
	       "who does not fit into the table is passed over");
}

static void test_times(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.max_frozen_ms = 2000;
	row(&f, 11)->pid = 9999;
	turn(&f, 500, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "forget 11", "one ends while it is frozen");
	is_int((int64_t)f.schedule.frozen_us_total, 2500000,
	       "what it was frozen for is counted");

	freeze_one(&f);
	f.settings.max_frozen_ms = 2000;
	turn(&f, 500, VERDICT_UNSETTLED, -ESRCH);
	is_text(orders(&f), "thaw 11", "one ends when it is thawed");
	is_int((int64_t)f.orders.items[0].frozen_us, 2500000,
	       "for how long it was frozen is told");
	is_int((int64_t)schedule_frozen_us_total(&f.schedule,
						 f.situation.now_us + 1000000),
	       2500000, "and counted, and it goes on no more");
}

/* 10 has its memory, 11 is frozen, and tasks stall as before. */
static void test_trial(void)
{
	static const struct {
		uint64_t grown_kib, lacked_kib, before_permille;
		enum verdict verdict;
		bool is_paging;
		const char *orders, *name;
	} rows[] = {
		{0, 0, 800, VERDICT_THRASHING, false, "release 11",
		 "a freeze that did not help is undone"},
		{0, 0, 800, VERDICT_UNSETTLED, false, "none",
		 "but not one after which the host thrashes no more"},
		{0, 2 * MIB, 800, VERDICT_THRASHING, false, "none",
		 "nor while a runner lacks memory"},
		{2 * MIB, 0, 800, VERDICT_THRASHING, false, "pause 10",
		 "nor while one grows"},
		{0, 0, 800, VERDICT_THRASHING, true, "none",
		 "nor while memory is moved"},
		{0, 0, 99, VERDICT_THRASHING, false, "none",
		 "hardly any stall is no proof"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		add_two_hogs(&f);
		f.situation.stall_permille = rows[i].before_permille;
		turn(&f, 50, VERDICT_THRASHING, 0);
		if (!rows[i].is_paging)
			finish_plan(&f);
		row(&f, 10)->resident_kib = 160 * MIB - rows[i].lacked_kib;
		row(&f, 10)->swapped_kib = rows[i].lacked_kib;
		turn(&f, SCHEDULE_JUDGE_MS - 50, VERDICT_UNSETTLED, 0);
		if (!rows[i].is_paging)
			finish_plan(&f);
		row(&f, 10)->resident_kib += rows[i].grown_kib;
		turn(&f, 50, rows[i].verdict, 0);
		is_text(orders(&f), rows[i].orders, "%s", rows[i].name);
		if (rows[i].verdict == VERDICT_THRASHING)
			continue;
		turn(&f, SCHEDULE_JUDGE_MS, VERDICT_THRASHING, 0);
		is_text(orders(&f), "none", "a freeze is judged once");
	}
}

static void test_earlier_freeze(void)
{
	struct fixture f;

	freeze_one(&f);
	f.schedule.trial_us = 0;
	processes_add(&f.host, 12, "hog", 130 * MIB, 5)->swapped_kib = 60 * MIB;
	f.situation.stall_permille = 800;
	turn(&f, 1000, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 12", "one is frozen later than another");
	finish_plan(&f);
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "release 12",
		"if that does not help, the other may have");
}

/* 10 runs and lacks memory; 11 is frozen and has 130 MiB. */
static void test_when_to_pause(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->swapped_kib = 20 * MIB;
	row(&f, 11)->resident_kib = 3 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "no room is made for it by little memory");
	row(&f, 11)->resident_kib = 130 * MIB;
	f.schedule.jobs[0].kept_us = f.situation.now_us + 1000000;
	row(&f, 10)->state = 'T';
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "whom others stop is not paused");
	row(&f, 10)->state = 'R';
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "pause 10", "else it is");

	freeze_one(&f);
	row(&f, 10)->swapped_kib = 20 * MIB;
	(void)add_job(&f, 12, JOB_RUNNING, 20 * MIB, 0);
	for (size_t i = 0; i < f.schedule.count; i++)
		f.schedule.jobs[i].kept_us = f.situation.now_us + 1000000;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "nor while another one runs as well");

	freeze_one(&f);
	row(&f, 10)->swapped_kib = 400 * MIB;
	f.schedule.jobs[0].kept_us = f.situation.now_us + 1000000;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "who is too big is not paused for ever");

	freeze_one(&f);
	row(&f, 10)->resident_kib += 5 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "pause 10", "who needs room to grow is paused too");
}

static void test_pause_in_group(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	(void)processes_add(&f.host, 14, "cc1", 65 * MIB, 5);
	*row(&f, 14) = (struct process){
		.pid = 14,
		.group = 10,
		.session = 5,
		.start_time = row(&f, 14)->start_time,
		.major_faults = 60,
		.resident_kib = 65 * MIB,
		.swapped_kib = 8 * MIB,
		.state = 'R',
	};
	turn(&f, 50, VERDICT_THRASHING, 0);
	finish_plan(&f);
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "pause 11",
		"of a group the one that lacks most is paused");
}

/* Who is brought in, as "11 12". */
static const char *brought_in(const struct fixture *f)
{
	static char text[64];
	struct schedule_plan plan;
	size_t used = 0;

	schedule_plan(&f->schedule, &plan);
	text[0] = '\0';
	for (size_t i = 0; i < plan.in_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%d", i ? " " : "",
					 (int)plan.in[i]->process.pid);
	return text;
}

static void test_who_is_brought_in(void)
{
	struct fixture f;

	begin(&f);
	f.schedule.capacity_kib = 300 * MIB;
	(void)add_job(&f, 10, JOB_RUNNING, 20 * MIB, 500 * MIB);
	is_text(brought_in(&f), "", "who is too big for all is not brought in");
	(void)add_job(&f, 11, JOB_RUNNING, 20 * MIB, 50 * MIB);
	(void)add_job(&f, 12, JOB_RUNNING, 20 * MIB, 20 * MIB);
	(void)add_job(&f, 13, JOB_RUNNING, 20 * MIB, 60 * MIB);
	(void)add_job(&f, 14, JOB_RUNNING, 20 * MIB, SCHEDULE_PLAN_KIB - 1);
	is_text(brought_in(&f), "12",
		"of those that run, the one that is soonest there is");
	(void)add_job(&f, 15, JOB_LOADING, 20 * MIB, 80 * MIB);
	(void)add_job(&f, 16, JOB_LOADING, 20 * MIB, 90 * MIB);
	(void)add_job(&f, 17, JOB_RUNNING, 20 * MIB, 5 * MIB);
	(void)add_job(&f, 18, JOB_FROZEN, 20 * MIB, 9 * MIB);
	is_text(brought_in(&f), "15 16",
		"but first those that wait for it, all of them");
}

/* 10 lacks 30 MiB; what 11 has lost is free, but for the daemon to guess. */
static void test_room_in_plan(void)
{
	static const struct {
		bool is_confined;
		uint64_t out_kib;
		const char *name;
	} rows[] = {
		{false, 10 * MIB, "what is free need not be moved out"},
		{true, 30 * MIB,
		 "unless it is in a cgroup, of which that is only guessed"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		struct schedule_plan plan;

		begin(&f);
		add_two_hogs(&f);
		f.situation.is_confined = rows[i].is_confined;
		turn(&f, 50, VERDICT_THRASHING, 0);
		row(&f, 11)->resident_kib -= 20 * MIB;
		turn(&f, 50, VERDICT_UNSETTLED, 0);
		schedule_plan(&f.schedule, &plan);
		is_int((int64_t)plan.out_kib, (int64_t)rows[i].out_kib, "%s",
		       rows[i].name);
	}
}

int main(void)
{
	test_queue();
	test_pause_in_turn();
	test_room_for_next();
	test_overdue();
	test_first_length();
	test_growers();
	test_growth();
	test_claims();
	test_shown_late();
	test_next_turn();
	test_thawed_without();
	test_after_thaw();
	test_load_in_trouble();
	test_begin_of_turn();
	test_timed_change();
	test_longest_wait();
	test_second_stop();
	test_active();
	test_waits_for_frozen();
	test_spared();
	test_full();
	test_times();
	test_trial();
	test_earlier_freeze();
	test_when_to_pause();
	test_pause_in_group();
	test_who_is_brought_in();
	test_room_in_plan();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests how much memory the jobs are believed to have, and who needs it. */
#include "daemon/capacity.h"

#include "daemon/units.h"
#include "tests/schedules.h"

static int64_t capacity(const struct fixture *f)
{
	return (int64_t)f->schedule.capacity_kib;
}

static void test_need(void)
{
	static const struct {
		enum job_state state;
		bool is_growing;
		uint64_t held_mib, shared_mib, need_mib;
		const char *name;
	} rows[] = {
		{JOB_RUNNING, false, 100, 0, 100,
		 "a job needs what it has, in memory and in swap"},
		{JOB_RUNNING, false, 100, 70, 30,
		 "but for what it shares with its parent"},
		{JOB_RUNNING, false, 100, 120, 0, "which may be all"},
		{JOB_RUNNING, true, 100, 0, 100,
		 "nobody knows what one that grows will need"},
		{JOB_FROZEN, true, 100, 0, 150,
		 "one that grew when it was frozen will want half as much "
		 "more"},
		{JOB_FROZEN, true, 400, 0, 528, "but not more than 128 MiB"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct job job = {
			.process = {.resident_kib = 40 * MIB,
				    .swapped_kib =
					    (rows[i].held_mib - 40) * MIB},
			.state = rows[i].state,
			.is_growing = rows[i].is_growing,
			.shared_kib = rows[i].shared_mib * MIB,
		};

		is_int((int64_t)job_need_kib(&job),
		       (int64_t)rows[i].need_mib * MIB, "%s", rows[i].name);
	}
}

static void test_too_small(void)
{
	struct fixture f;

	begin(&f);
	(void)add_job(&f, 10, JOB_RUNNING, 100 * MIB, 20 * MIB);
	f.schedule.capacity_kib = 60 * MIB;
	ok(!capacity_is_too_small(&f.schedule, 100 * MIB),
	   "what all hold is there, whatever was measured before");
	ok(capacity_is_too_small(&f.schedule, 100 * MIB + 1), "and not more");
	f.schedule.evicted_kib = 600 * MIB;
	ok(!capacity_is_too_small(&f.schedule, 120 * MIB) &&
		   capacity_is_too_small(&f.schedule, 120 * MIB + 1),
	   "but for what was evicted from them, and is in memory still");
	f.schedule.evicted_kib = 0;
	f.schedule.capacity_kib = 110 * MIB;
	ok(!capacity_is_too_small(&f.schedule, 110 * MIB),
	   "what was measured is there too");
}

/* 10 has run with 160 MiB, and 11 was frozen with 130. */
static void test_sleepers(void)
{
	struct fixture f;

	freeze_one(&f);

	int64_t before = capacity(&f);

	row(&f, 10)->state = 'S';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	is_int(capacity(&f), before - 160 * MIB,
	       "what one keeps that sleeps is not there for the others");

	freeze_one(&f);
	before = capacity(&f);
	row(&f, 10)->pid = 9999;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_int(capacity(&f), before, "what one had that has ended is");

	freeze_one(&f);
	f.schedule.capacity_kib = 50 * MIB;
	row(&f, 10)->state = 'S';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	is_int(capacity(&f), 1, "if that is all, next to nothing is left");
	f.schedule.capacity_kib = 0;
	capacity_take(&f.schedule, 50 * MIB);
	is_int(capacity(&f), 0, "what was not measured stays unknown");
}

/* All hold 290 MiB and want 330. */
static void test_calm(void)
{
	struct fixture f;

	freeze_one(&f);
	f.schedule.capacity_kib = 200 * MIB;
	f.situation.is_evicting = true;
	f.situation.free_kib = 64 * MIB;
	turn(&f, 50, VERDICT_CALM, 0);
	is_int(capacity(&f), 290 * MIB, "what all hold in peace is theirs");
	f.situation.is_evicting = false;
	f.situation.free_kib = 0;
	turn(&f, 450, VERDICT_CALM, 0);
	is_int(capacity(&f), 290 * MIB, "more is believed in little by little");
	turn(&f, 50, VERDICT_CALM, 0);
	is_int(capacity(&f), 290 * MIB * 101 / 100,
	       "one percent in half a second");
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	is_int(capacity(&f), 290 * MIB * 101 / 100,
	       "while it is not calm no more is");
	f.settings.max_frozen_ms = f.settings.quantum_ms = 86400000;
	f.schedule.capacity_kib = 300 * MIB;
	turn(&f, 3600000, VERDICT_CALM, 0);
	is_int(capacity(&f), 306 * MIB, "nor for the time of a long sleep");
	f.schedule.capacity_kib = 325 * MIB;
	turn(&f, 1000, VERDICT_CALM, 0);
	is_int(capacity(&f), 330 * MIB, "nor more than all want");
	f.schedule.capacity_kib = 350 * MIB;
	turn(&f, 1000, VERDICT_CALM, 0);
	is_int(capacity(&f), 350 * MIB, "but what was there is not forgotten");
	f.schedule.capacity_kib = 0;
	turn(&f, 1000, VERDICT_CALM, 0);
	is_int(capacity(&f), 0, "what was never short is not measured");
}

/* The same jobs, on hosts that tell what processes can have. */
static void test_usable(void)
{
	static const struct {
		bool is_confined;
		uint64_t limit_mib;
		const char *name;
	} rows[] = {
		{false, 0, "no more than the host has, but for a sixteenth"},
		{true, 320,
		 "of a cgroup, no more than the limit that was reached"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		add_two_hogs(&f);
		f.situation.usable_kib =
			(rows[i].is_confined ? 100 : 320) * MIB;
		f.situation.is_confined = rows[i].is_confined;
		row(&f, 10)->limit = LIMIT_REACHED;
		row(&f, 10)->limit_kib = rows[i].limit_mib * MIB;
		row(&f, 11)->limit_kib = 900 * MIB;
		turn(&f, 50, VERDICT_THRASHING, 0);
		row(&f, 10)->limit = LIMIT_UNKNOWN;
		turn(&f, 50, VERDICT_THRASHING, 0);
		f.schedule.capacity_kib = 299 * MIB;
		turn(&f, 1000, VERDICT_CALM, 0);
		is_int(capacity(&f), 300 * MIB, "%s", rows[i].name);
	}
}

/* Where the host tells what is free: 64 MiB beside the 290 that all hold. */
static void test_free(void)
{
	static const struct {
		bool is_confined;
		uint64_t free_mib;
		int64_t capacity_kib, limited_kib;
		const char *name;
	} rows[] = {
		{false, 64, 290 * MIB + 64 * MIB - 354 * MIB / 16,
		 290 * MIB + 64 * MIB - 354 * MIB / 16 + 1,
		 "what is free is theirs, but for a sixteenth"},
		{false, 12, 290 * MIB, 290 * MIB + 1,
		 "less than that is no room"},
		{true, 64, 290 * MIB * 51 / 50, 290 * MIB + 1,
		 "of a cgroup it is not known"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		freeze_one(&f);
		f.schedule.capacity_kib = 200 * MIB;
		f.schedule.is_confined = rows[i].is_confined;
		f.situation.free_kib = rows[i].free_mib * MIB;
		turn(&f, 1000, VERDICT_CALM, 0);
		is_int(capacity(&f), rows[i].capacity_kib, "%s", rows[i].name);

		freeze_one(&f);
		f.schedule.capacity_kib = 500 * MIB;
		f.situation.free_kib = rows[i].free_mib * MIB;
		f.situation.is_evicting = true;
		f.situation.is_confined = rows[i].is_confined;
		turn(&f, 50, VERDICT_THRASHING, 0);
		is_int(capacity(&f), rows[i].limited_kib,
		       "when pages go out there is no more than that");
	}
}

static void test_limit(void)
{
	struct fixture f;

	freeze_one(&f);
	f.schedule.capacity_kib = 500 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int(capacity(&f), 500 * MIB,
	       "while no pages go out there may be more than what is held");
	f.situation.is_evicting = true;
	f.schedule.plan = f.situation.plan_done + 1;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int(capacity(&f), 500 * MIB,
	       "also while it is the pager that moves them out");
}

static void test_measure(void)
{
	struct fixture f;
	uint64_t late_us;

	begin(&f);
	(void)add_job(&f, 10, JOB_RUNNING, 60 * MIB, 20 * MIB);
	(void)add_job(&f, 11, JOB_FROZEN, 40 * MIB, 0);
	f.schedule.capacity_kib = 90 * MIB;
	f.schedule.changed_us = f.situation.now_us;
	late_us = f.situation.now_us + SCHEDULE_TRIAL_MS * 1000;
	capacity_measure(&f.schedule, late_us - 1);
	is_int(capacity(&f), 90 * MIB, "a change has time to show");
	capacity_measure(&f.schedule, late_us);
	is_int(capacity(&f), 75 * MIB,
	       "those who should fit and thrash have less than they need");
	f.schedule.jobs[0].process.swapped_kib = 60 * MIB;
	capacity_measure(&f.schedule, late_us);
	is_int(capacity(&f), 100 * MIB, "or what all hold, if they need more");
}

/* Two families, of a parent and a child that has 70 MiB from it. */
static void test_sharing(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	row(&f, 11)->parent = 10;
	row(&f, 13)->parent = 12;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.jobs[1].shared_kib, 70 * MIB,
	       "what the parent holds counts once");
	is_int((int64_t)f.schedule.jobs[0].shared_kib, 0,
	       "for the parent itself");
	is_text(orders(&f), "freeze 12, freeze 13",
		"so that one of the families fits");
	(void)snprintf(row(&f, 13)->command, sizeof(row(&f, 13)->command), "x");
	row(&f, 11)->group = 11;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.jobs[3].shared_kib, 0,
	       "who runs another program shares nothing");
	is_int((int64_t)f.schedule.jobs[1].shared_kib, 0,
	       "nor who is in a group of its own");
}

/* A group of four with 260 MiB; what is measured is a little too little. */
static void test_margin(void)
{
	static const struct {
		uint64_t lacked_mib;
		const char *orders, *name;
	} rows[] = {
		{4, "none", "a group that lacks a sixteenth is not divided"},
		{5, "freeze 13", "one that lacks more is"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		add_two_families(&f);
		for (pid_t pid = 10; pid < 14; pid++) {
			row(&f, pid)->group = 10;
			row(&f, pid)->swapped_kib = rows[i].lacked_mib * MIB;
		}
		turn(&f, 50, VERDICT_THRASHING, 0);
		is_text(orders(&f), rows[i].orders, "%s", rows[i].name);
	}
}

/* One of 310 MiB that would fit into the 336 of the host. */
static void test_patience(void)
{
	static const struct {
		bool is_calm, is_changed, is_thawed, is_divided;
		const char *name;
	} rows[] = {
		{false, false, false, true,
		 "a group that thrashes for long "
		 "with all to itself is divided"},
		{true, false, false, false, "but not soon after a calm time"},
		{false, true, false, false, "nor soon after a change of turn"},
		{false, false, true, false, "nor soon after a thaw"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		f.situation.now_us += 60000000;
		for (pid_t pid = 10; pid < 14; pid++)
			join_group(&f,
				   add_job(&f, pid, JOB_RUNNING, 65 * MIB,
					   12 * MIB),
				   10);
		f.schedule.capacity_kib = 260 * MIB;
		f.schedule.usable_kib = 315 * MIB;
		f.schedule.calm_us = rows[i].is_calm * f.situation.now_us;
		f.schedule.changed_us = rows[i].is_changed * f.situation.now_us;
		f.schedule.thawed_us = rows[i].is_thawed * f.situation.now_us;
		units_form(&f.schedule,
			   f.situation.now_us + SCHEDULE_DIVIDE_MS * 1000 - 1);
		is_int(f.schedule.jobs[3].unit != 0, rows[i].is_divided, "%s",
		       rows[i].name);
	}
}

/* 10 and 11 are one group, of which 11 waits longer; 12 is another. */
static void test_sums(void)
{
	struct fixture f;
	const struct unit *unit;

	begin(&f);
	unit = f.schedule.units;
	f.schedule.capacity_kib = 500 * MIB;
	join_group(&f, add_job(&f, 10, JOB_FROZEN, 65 * MIB, 0), 10);
	join_group(&f, add_job(&f, 11, JOB_FROZEN, 65 * MIB, 0), 10);
	(void)add_job(&f, 12, JOB_FROZEN, 65 * MIB, 0);
	f.schedule.jobs[0].since_us = 3000000;
	f.schedule.jobs[1].since_us = 1000000;
	f.schedule.jobs[2].since_us = 2000000;
	units_form(&f.schedule, f.situation.now_us);
	is_int((int64_t)unit->since_us, 1000000,
	       "a group waits for as long as the first of it");
	is_int((int64_t)unit->frozen_need_kib, 130 * MIB,
	       "and needs what all of it need");

	for (size_t i = 0; i < 2; i++) {
		struct job *job = &f.schedule.jobs[i];

		job->state = JOB_RUNNING;
		job->turn_us = 3000000 - i;
		job->given_us = 2000000 - i;
		job->kept_us = 4000000 - i;
	}
	units_form(&f.schedule, f.situation.now_us);
	ok(unit->turn_us == 3000000 && unit->given_us == 2000000 &&
		   unit->kept_us == 4000000,
	   "its turn begins when the last of it has its memory");
}

int main(void)
{
	test_need();
	test_too_small();
	test_sleepers();
	test_calm();
	test_usable();
	test_free();
	test_limit();
	test_measure();
	test_sharing();
	test_margin();
	test_patience();
	test_sums();
	return done_testing();
}

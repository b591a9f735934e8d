/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is frozen, who goes on, and when. */
#include "daemon/schedule.h"

#include "tests/schedules.h"

static void test_making_room(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(orders(&f), "none", "a calm host is left alone");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "an unsettled one too");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11",
		"thrashing freezes who has most in swap");
	is_int((int64_t)f.schedule.capacity_kib, 260 * MIB,
	       "what all hold is what there is");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "the last is never frozen");
	is_int((int64_t)f.schedule.freezes_total, 1, "a freeze is counted");
}

static void test_as_few_as_needed(void)
{
	struct fixture f;

	begin(&f);
	for (pid_t pid = 10; pid < 14; pid++) {
		(void)processes_add(&f.host, pid, "hog", 60 * MIB, 5);
		row(&f, pid)->swapped_kib = (uint64_t)(pid - 9) * 10 * MIB;
	}
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 13",
		"of four that need 340 MiB and have 240, one is frozen");
	f.situation.before = f.situation.now = NULL;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "what that does is awaited");
	turn(&f, SCHEDULE_TRIAL_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 12",
		"if they thrash all the same, there was less room");
}

/* Whoever thrashes at the limit of a cgroup is nobody else's concern. */
static void test_confined(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	(void)processes_add(&f.host, 12, "giant", 900 * MIB, 50);
	row(&f, 10)->limit = row(&f, 11)->limit = LIMIT_REACHED;
	row(&f, 12)->limit = LIMIT_FAR;
	row(&f, 12)->swapped_kib = 90 * MIB;
	f.situation.is_confined = true;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11",
		"those inside a cgroup at its limit take turns");
	is_int((int64_t)f.schedule.count, 2, "those outside do not");

	begin(&f);
	add_two_hogs(&f);
	row(&f, 10)->limit = LIMIT_FAR;
	f.situation.is_confined = true;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 1,
	       "whose limit is not known may be inside");
	f.situation.is_confined = false;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 2,
	       "when the host is short, limits do not matter");
}

static void test_filling(void)
{
	struct fixture f;

	begin(&f);
	(void)processes_add(&f.host, 10, "hog", 120 * MIB, 0);
	(void)processes_add(&f.host, 11, "hog", 130 * MIB, 0);
	row(&f, 10)->resident_kib += 5 * MIB;
	row(&f, 11)->resident_kib += 5 * MIB;
	f.situation.is_filling = true;
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10",
		"of two that fill memory one is frozen before it thrashes");

	struct schedule_plan plan;

	schedule_plan(&f.schedule, &plan);
	ok(plan.out_count == 1 && plan.out[0]->process.pid == 10 &&
		   plan.out_kib == 135 * MIB / SCHEDULE_GROWTH_SHARE,
	   "room is made for the other one to grow");
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(orders(&f), "none",
		"a single grower is not frozen for growing");
	f.situation.is_filling = false;
	row(&f, 11)->resident_kib = 100 * MIB;
	turn(&f, SCHEDULE_GROWN_MS - 100, VERDICT_CALM, 0);
	is_text(orders(&f), "none", "nobody joins while it grows");
	turn(&f, 200, VERDICT_CALM, 0);
	is_text(orders(&f), "none",
		"nor into room that it was about to outgrow");
	row(&f, 11)->resident_kib = 50 * MIB;
	turn(&f, 200, VERDICT_CALM, 0);
	is_text(orders(&f), "load 10", "but into what will do");
}

static void test_nobody_to_freeze(void)
{
	struct fixture f;

	begin(&f);
	(void)processes_add(&f.host, 10, "sshd", 900 * MIB, 50);
	(void)processes_add(&f.host, 11, "hog", 900 * MIB, 50);
	(void)processes_add(&f.host, 12, "idle", 900 * MIB, 0);
	processes_add(&f.host, 13, "stopped", 900 * MIB, 50)->state = 'T';
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none",
		"one beside protected, idle and stopped ones runs on");
	is_int((int64_t)f.schedule.count, 1, "those are no jobs");

	begin(&f);
	add_two_hogs(&f);
	f.situation.before = NULL;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "one look alone accuses nobody");
}

static void test_failed_freeze(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	turn(&f, 50, VERDICT_THRASHING, -EPERM);
	is_int((int64_t)schedule_frozen_count(&f.schedule), 0,
	       "who could not be frozen is not taken for frozen");
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_THRASHING, 0);
	ok(!schedule_find(&f.schedule, row(&f, 11)),
	   "and is left alone for a while");
}

static void test_turns(void)
{
	struct fixture f;

	freeze_one(&f);
	is_text(orders(&f), "none", "what does not fit waits");
	turn(&f, 3000, VERDICT_CALM, 0);
	is_text(orders(&f), "none", "for as long as the other's turn");
	turn(&f, 2100, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10, load 11",
		"then the turns change, and its memory is brought in");
	ok(f.orders.has_plan, "by the pager");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "it waits for that");
	finish_plan(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 11", "and goes on when it is there");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "who has just begun is not frozen");
	is_int((int64_t)f.schedule.rotations_total, 1, "a turn is counted");
}

static void test_long_turns(void)
{
	struct fixture f;

	freeze_one_slowly(&f);
	turn(&f, 39000, VERDICT_CALM, 0);
	is_text(orders(&f), "none",
		"a change that took 10 s is worth turns of 40 s");
	turn(&f, 1100, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10, load 11", "and not more");
}

static void test_hand_over(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->pid = 9999; /* it ends */
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(orders(&f), "load 11", "a runner that ends hands its turn on");
	finish_plan(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(orders(&f), "thaw 11", "at once");
	is_int((int64_t)f.schedule.thaws_total, 1, "a thaw is counted");
}

static void test_room(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->resident_kib = 80 * MIB; /* it lets half of it go */
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none", "nobody joins before it is calm");
	turn(&f, 1000, VERDICT_CALM, 0);
	is_text(orders(&f), "load 11", "who fits goes on beside the other");

	freeze_one(&f);

	uint64_t capacity_kib = f.schedule.capacity_kib;

	f.situation.is_evicting = true;
	turn(&f, 1000, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.capacity_kib, (int64_t)capacity_kib,
	       "while pages go out there is no more room");
	f.situation.is_evicting = false;
	turn(&f, 1000, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.capacity_kib,
	       (int64_t)(capacity_kib * 51 / 50),
	       "when none do, two percent a second are believed in");
}

static void test_pause(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	turn(&f, SCHEDULE_SETTLE_MS - 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "a runner that lacks memory tries first");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "pause 10",
		"then it waits until that is brought in");

	struct schedule_plan plan;

	schedule_plan(&f.schedule, &plan);
	ok(plan.in_count == 1 && plan.in[0]->process.pid == 10,
	   "which the pager does");
	finish_plan(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 10", "and goes on");

	begin(&f);
	(void)processes_add(&f.host, 10, "hog", 130 * MIB, 5);
	row(&f, 10)->swapped_kib = 90 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	turn(&f, 500, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "but not when it is alone");
}

static void test_stuck_pager(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->pid = 9999;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, 14500, VERDICT_CALM, 0);
	is_text(orders(&f), "none", "loading may take a while");
	turn(&f, 200, VERDICT_CALM, 0);
	is_text(orders(&f), "thaw 11",
		"170 MiB a second more than four times as long as they should");
}

static void test_max_frozen(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.max_frozen_ms = 10000;
	f.settings.quantum_ms = 3600000;
	turn(&f, 6000, VERDICT_THRASHING, 0);
	ok(schedule_find(&f.schedule, row(&f, 11))->state == JOB_FROZEN,
	   "before max_frozen it waits");
	turn(&f, 1000, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10, load 11",
		"near max_frozen it has its turn, whatever the other's");

	freeze_one(&f);
	f.settings.max_frozen_ms = 5000;
	f.schedule.jobs[0].turn_us = 0; /* nobody's turn can end */
	turn(&f, 3000, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 11", "nobody waits longer than max_frozen");
}

static void test_budget(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	row(&f, 11)->judged = (struct judgement){.class = CLASS_INTERACTIVE,
						 .budget_ms = 2000};
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11", "who is interactive may be frozen");
	row(&f, 11)->judged = (struct judgement){.class = CLASS_UNKNOWN};
	turn(&f, 1950, VERDICT_THRASHING, 0);
	is_int(schedule_find(&f.schedule, row(&f, 11))->state, JOB_FROZEN,
	       "for as long as its budget allows");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 11",
		"and no longer, though nobody has judged it again");

	freeze_one(&f);
	f.schedule.jobs[0].turn_us = 0;
	row(&f, 11)->judged =
		(struct judgement){.class = CLASS_BATCH, .budget_ms = 2500};
	turn(&f, 500, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 11",
		"who is judged anew while frozen gets what is due");

	freeze_one(&f);
	f.settings.max_frozen_ms = 2100;
	f.schedule.jobs[0].turn_us = 0;
	row(&f, 11)->judged =
		(struct judgement){.class = CLASS_BATCH, .budget_ms = 9000};
	turn(&f, 500, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 11", "max_frozen holds for everybody");
}

static void test_judged(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	row(&f, 11)->judged.class = CLASS_PROTECTED;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 1, "who is protected is no job");

	begin(&f);
	(void)processes_add(&f.host, 10, "sshd", 130 * MIB, 5);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 0, "a name alone is believed");
	row(&f, 10)->judged.class = CLASS_BATCH;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.count, 1, "unless it was looked at");
}

static void test_losing(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 11)->state = 'R';
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "forget 11", "who runs again is not ours any more");
	turn(&f, 1000, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "and is left alone for a while");

	freeze_one(&f);
	row(&f, 11)->pid = 9999;
	turn(&f, 50, VERDICT_UNSETTLED, -EAGAIN);
	is_int((int64_t)schedule_frozen_count(&f.schedule), 1,
	       "who may be frozen still is not lost");
	turn(&f, 50, VERDICT_UNSETTLED, -ESRCH);
	is_text(orders(&f), "forget 11", "who has ended is forgotten");
	is_int((int64_t)schedule_frozen_count(&f.schedule), 0, "for good");
	is_int((int64_t)f.schedule.thaws_total, 0, "neither is a thaw");

	begin(&f);
	add_two_hogs(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	row(&f, 11)->state = 'D';
	turn(&f, 100, VERDICT_UNSETTLED, 0);
	row(&f, 11)->state = 'R';
	turn(&f, 100, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "none",
		"a stop that waits for the end of a page fault is no loss");
}

static void test_failed_thaw(void)
{
	struct fixture f;

	freeze_one(&f);
	f.settings.max_frozen_ms = 1000;
	turn(&f, 50, VERDICT_UNSETTLED, -EPERM);
	is_int((int64_t)schedule_frozen_count(&f.schedule), 1,
	       "who could not be thawed stays on the list");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "thaw 11", "and is tried again");
}

static void test_the_end(void)
{
	struct fixture f;

	freeze_one(&f);
	is_int((int64_t)schedule_frozen_us_total(&f.schedule,
						 f.situation.now_us),
	       2000000, "those who are frozen count as well");
	f.orders.count = 1;
	f.orders.has_plan = true;
	schedule_thaw_all(&f.schedule, f.situation.now_us, "end", &f.orders);
	is_text(orders(&f), "thaw 11", "at the end everybody is thawed");
	ok(!f.orders.has_plan, "and no memory is moved any more");
}

static void test_idle(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 11)->pid = 9999;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.count, 1, "who runs stays a job");
	row(&f, 10)->state = 'S';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.count, 0,
	       "who does nothing any more is no job");
}

static void test_units(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 12, freeze 13",
		"a process group is frozen as one");
	finish_plan(&f);
	row(&f, 10)->swapped_kib = row(&f, 11)->swapped_kib = 0;
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	turn(&f, 1000, VERDICT_CALM, 0);
	turn(&f, 5000, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10, freeze 11, load 12, load 13",
		"and has its turn as one");

	struct schedule_plan plan;

	schedule_plan(&f.schedule, &plan);
	ok(plan.in_count == 2 && plan.in[0]->process.pid == 12 &&
		   plan.in[1]->process.pid == 13,
	   "which both get their memory for");
	finish_plan(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 12, thaw 13", "before they go on");

	begin(&f);
	add_two_families(&f);
	for (pid_t pid = 10; pid < 14; pid++)
		row(&f, pid)->group = 10;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 13",
		"of a group that does not fit some are frozen");
}

/* Who sleeps holds a part of what a group of 310 MiB would fit into. */
static void test_undivided(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	for (pid_t pid = 10; pid < 14; pid++)
		row(&f, pid)->group = 10;
	f.situation.usable_kib = 336 * MIB;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none",
		"a group that could fit into all memory is not divided");
	turn(&f, SCHEDULE_DIVIDE_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 13", "but for it does not get that");

	begin(&f);
	add_two_families(&f);
	for (pid_t pid = 10; pid < 14; pid++) {
		row(&f, pid)->group = 10;
		row(&f, pid)->limit = LIMIT_REACHED;
		row(&f, pid)->limit_kib = 336 * MIB;
	}
	f.situation.is_confined = true;
	f.situation.usable_kib = 10 * MIB;
	turn(&f, 50, VERDICT_CALM, 0);
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "a cgroup has what its limit is");
}

/* The first trouble of a day was light. */
static void test_light_trouble(void)
{
	struct fixture f;

	begin(&f);
	f.situation.now_us = UINT64_C(86400000000);
	(void)processes_add(&f.host, 10, "hog", 160 * MIB, 5);
	row(&f, 10)->state = 'R';
	turn(&f, 50, VERDICT_THRASHING, 0);
	turn(&f, 100, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.change_us, 0,
	       "where nothing was changed, no change is timed");
}

static void test_stubborn(void)
{
	struct fixture f;

	freeze_one(&f);
	(void)processes_add(&f.host, 12, "hog", 130 * MIB, 5);
	f.schedule.jobs[f.schedule.count++] = (struct job){
		.process = *row(&f, 12),
		.state = JOB_FROZEN,
		.since_us = f.situation.now_us,
	};
	row(&f, 11)->judged.class = CLASS_PROTECTED;
	row(&f, 12)->state = 'T';
	turn(&f, 50, VERDICT_CALM, -EIO);
	turn(&f, (unsigned)f.settings.max_frozen_ms, VERDICT_CALM, -EIO);
	is_text(orders(&f), "thaw 11, thaw 12",
		"one that cannot be thawed keeps no other beyond the limit");
}

static void test_failed_pause(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->swapped_kib = 20 * MIB;
	turn(&f, 50, VERDICT_THRASHING, -EALREADY);
	is_text(orders(&f), "pause 10", "a runner that lacks memory is paused");
	turn(&f, 50, VERDICT_THRASHING, -EALREADY);
	is_text(orders(&f), "none", "what failed is not tried in every turn");
}

static void test_judgement(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	row(&f, 10)->judged.class = row(&f, 11)->judged.class = CLASS_BATCH;
	row(&f, 10)->judged.is_preferred = true;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 10",
		"whom the administrator prefers is frozen first");
	row(&f, 10)->judged.class = CLASS_PROTECTED;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "thaw 10", "who comes to be protected is thawed");
	turn(&f, 50, VERDICT_THRASHING, 0);
	ok(!schedule_find(&f.schedule, row(&f, 10)), "and is no job any more");

	freeze_one(&f);
	row(&f, 10)->state = 'T';
	turn(&f, 50, VERDICT_CALM, 0);
	ok(!schedule_find(&f.schedule, row(&f, 10)),
	   "whom somebody else stops is no job any more");
}

static void test_guest(void)
{
	struct fixture f;
	struct schedule_plan plan;

	freeze_one(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	schedule_plan(&f.schedule, &plan);
	ok(!f.orders.has_plan && !plan.out_kib,
	   "who has its memory wants no more to be moved out");
	f.situation.wants_room = true;
	turn(&f, 50, VERDICT_CALM, 0);
	schedule_plan(&f.schedule, &plan);
	ok(f.orders.has_plan && plan.out_kib == SCHEDULE_GUEST_KIB,
	   "somebody who logs in is given room at once, by the frozen");
	finish_plan(&f);
	turn(&f, SCHEDULE_GUEST_MS, VERDICT_CALM, 0);
	ok(!f.orders.has_plan, "and once");
	turn(&f, 50, VERDICT_THRASHING, 0);
	ok(f.orders.has_plan, "again only if tasks stall all the same");
	finish_plan(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	ok(!f.orders.has_plan, "and not at once");
	turn(&f, 20000, VERDICT_CALM, 0);
	is_text(orders(&f), "none", "the turns do not change meanwhile");
	turn(&f, (unsigned)f.settings.max_frozen_ms - 30000, VERDICT_CALM, 0);
	is_text(orders(&f), "freeze 10, load 11",
		"unless somebody has waited for almost too long");
}

/* Memory that the pager cannot bring in, for want of room or of a right. */
static void test_same_plan(void)
{
	struct fixture f;

	freeze_one(&f);
	row(&f, 10)->swapped_kib = 3 * SCHEDULE_PLAN_KIB;
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_CALM, 0);
	ok(f.orders.has_plan, "what a runner lacks is brought in");
	finish_plan(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	ok(!f.orders.has_plan, "what cannot be is not tried again at once");
	row(&f, 10)->swapped_kib += SCHEDULE_PLAN_KIB;
	turn(&f, 50, VERDICT_CALM, 0);
	ok(f.orders.has_plan, "but when it lacks more");
	finish_plan(&f);
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_CALM, 0);
	ok(f.orders.has_plan, "or after a while");
}

/* 60 MiB of those that were evicted are in memory still, but nobody's. */
static void test_evicted(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	f.situation.evicted_kib = 60 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.capacity_kib, 320 * MIB,
	       "what was evicted and is in memory still is to be had");
	begin(&f);
	add_two_hogs(&f);
	f.situation.evicted_kib = 600 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.capacity_kib, 330 * MIB * 15 / 16,
	       "as far as it can be theirs; less, if that does not do");
	begin(&f);
	add_two_hogs(&f);
	f.situation.evicted_kib = 60 * MIB;
	f.situation.usable_kib = 288 * MIB;
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_int((int64_t)f.schedule.capacity_kib, 270 * MIB,
	       "and no more than there is, but for a sixteenth");
}

/* A child of a frozen family that was not known yet. */
static void test_new_member(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	finish_plan(&f);
	row(&f, 10)->swapped_kib = row(&f, 11)->swapped_kib = 0;
	(void)processes_add(&f.host, 14, "cc1", 16 * MIB, 5);
	row(&f, 14)->group = 12;
	row(&f, 14)->session = 5;
	row(&f, 14)->state = 'R';
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 14",
		"what a frozen group forks is frozen with it");
}

/* One of a family that waits for the others, and did nothing since. */
static void test_kin(void)
{
	struct fixture f;

	begin(&f);
	add_two_families(&f);
	(void)processes_add(&f.host, 14, "make", 20 * MIB, 0);
	(void)processes_add(&f.host, 15, "make", 15 * MIB, 0);
	(void)processes_add(&f.host, 16, "make", 20 * MIB, 0);
	for (pid_t pid = 14; pid < 17; pid++) {
		row(&f, pid)->group = pid < 16 ? 12 : 16;
		row(&f, pid)->session = 5;
	}
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 12, freeze 13, freeze 14",
		"who belongs to a group is frozen with it, if it is worth it");

	begin(&f);
	add_two_families(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	row(&f, 10)->state = 'S';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	ok(schedule_find(&f.schedule, row(&f, 10)),
	   "who waits for one of its group stays a job");
	row(&f, 11)->state = 'S';
	turn(&f, SCHEDULE_IDLE_MS, VERDICT_UNSETTLED, 0);
	ok(!schedule_find(&f.schedule, row(&f, 10)),
	   "until all of the group sleep");
}

/* Frozen 11 has its memory in swap; 10 has all it wants, and yet. */
static void test_unhelpful(void)
{
	struct fixture f;

	begin(&f);
	add_two_hogs(&f);
	f.situation.stall_permille = 800;
	turn(&f, 50, VERDICT_THRASHING, 0);
	finish_plan(&f);
	row(&f, 10)->resident_kib = 160 * MIB;
	row(&f, 10)->swapped_kib = 0;
	turn(&f, SCHEDULE_JUDGE_MS - 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "a freeze has time to help");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "release 11", "one that does not is undone");
	is_int((int64_t)f.schedule.freezes_unhelpful_total, 1, "counted");
	row(&f, 11)->swapped_kib = 60 * MIB;
	turn(&f, SCHEDULE_RETRY_MS - 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "and not tried again for a while");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(orders(&f), "freeze 11", "but then");

	begin(&f);
	add_two_hogs(&f);
	f.situation.stall_permille = 800;
	turn(&f, 50, VERDICT_THRASHING, 0);
	finish_plan(&f);
	row(&f, 10)->resident_kib = 160 * MIB;
	row(&f, 10)->swapped_kib = 0;
	f.situation.stall_permille = 600;
	turn(&f, SCHEDULE_JUDGE_MS, VERDICT_THRASHING, 0);
	is_text(orders(&f), "none", "one that helps some is not");
}

/* 10 runs, and wants more than there is, or grows for ever. */
static void test_insatiable(void)
{
	struct fixture f;

	freeze_one(&f);
	f.schedule.jobs[0].turn_us = 0;
	f.schedule.jobs[0].given_us = f.situation.now_us;
	row(&f, 10)->swapped_kib = 20 * MIB;
	turn(&f, 10000, VERDICT_UNSETTLED, 0);
	is_int((int64_t)f.schedule.jobs[0].turn_us, 0,
	       "a turn begins when the memory is there");
	turn(&f, 40000, VERDICT_UNSETTLED, 0);
	ok(f.schedule.jobs[0].turn_us != 0,
	   "or when it should have been there long ago");

	freeze_one(&f);
	f.schedule.jobs[0].turn_us = 0;
	row(&f, 10)->swapped_kib = 400 * MIB;
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(orders(&f), "freeze 10, load 11",
		"who is too big does not wait for it in vain");
}

int main(void)
{
	test_making_room();
	test_as_few_as_needed();
	test_confined();
	test_filling();
	test_nobody_to_freeze();
	test_failed_freeze();
	test_turns();
	test_long_turns();
	test_hand_over();
	test_room();
	test_pause();
	test_stuck_pager();
	test_max_frozen();
	test_budget();
	test_judged();
	test_losing();
	test_failed_thaw();
	test_the_end();
	test_idle();
	test_units();
	test_undivided();
	test_evicted();
	test_guest();
	test_same_plan();
	test_judgement();
	test_light_trouble();
	test_stubborn();
	test_failed_pause();
	test_new_member();
	test_kin();
	test_unhelpful();
	test_insatiable();
	return done_testing();
}

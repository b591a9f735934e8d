/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that what is frozen as a whole is ordered as a whole. */
#include "daemon/units.h"

#include "tests/scratch.h"

static struct schedule schedule;
static struct orders orders;

enum { NOW_US = 5000000, MIB = 1024, PEN = 77, ALONE = 0 };

/* Jobs are called by their number. */
static struct job *add(pid_t pid, uint64_t whole, enum job_state state)
{
	struct job *job = &schedule.jobs[schedule.count++];

	*job = (struct job){
		.process = {.pid = pid,
			    .group = pid + 100,
			    .session = 1,
			    .start_time = 9,
			    .resident_kib = 40 * MIB,
			    .judged = {.whole = whole}},
		.state = state,
		.is_whole = whole && state != JOB_RUNNING,
		.since_us = 1000000,
	};
	return job;
}

static void begin(void)
{
	schedule = (struct schedule){.capacity_kib = 1000 * MIB};
	orders = (struct orders){.count = 0};
}

static void give_order(enum order_kind kind, size_t index)
{
	orders.items[orders.count++] = (struct order){
		kind, schedule.jobs[index].process, 0, "a reason"};
}

/* "freeze 1, thaw 2 alone" */
static const char *complete(void)
{
	static const char *const names[] = {"freeze", "pause",   "load",
					    "thaw",   "release", "forget"};
	static char text[256];
	size_t used = 0;

	units_form(&schedule, NOW_US);
	units_complete(&schedule, NOW_US, &orders);
	for (size_t i = 0; i < orders.count && used < sizeof(text); i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s %d%s",
			i ? ", " : "", names[orders.items[i].kind],
			(int)orders.items[i].process.pid,
			orders.items[i].process.judged.whole ? "" : " alone");
	return text;
}

static void test_together(void)
{
	begin();
	add(1, PEN, JOB_RUNNING);
	add(2, ALONE, JOB_RUNNING);
	add(3, PEN, JOB_RUNNING);
	add(4, PEN + 1, JOB_RUNNING);
	units_form(&schedule, NOW_US);
	ok(schedule.jobs[0].unit == schedule.jobs[2].unit,
	   "those in a cgroup that is frozen as a whole are a unit");
	ok(schedule.jobs[1].unit == 1 && schedule.jobs[3].unit == 3,
	   "and nobody else is in it");
	schedule.jobs[1].process.group = schedule.jobs[0].process.group;
	units_form(&schedule, NOW_US);
	is_int((int64_t)schedule.jobs[1].unit, 1,
	       "not even of the same process group");
}

static void test_orders(void)
{
	begin();
	add(1, PEN, JOB_RUNNING);
	add(2, ALONE, JOB_RUNNING);
	add(3, PEN, JOB_RUNNING);
	give_order(ORDER_PAUSE, 0);
	is_text(complete(), "pause 1, pause 3",
		"who is frozen takes the others along");
	orders.count = 0;
	give_order(ORDER_FREEZE, 0);
	give_order(ORDER_FREEZE, 2);
	is_text(complete(), "freeze 1, freeze 3", "and none of them twice");
	orders.count = 0;
	give_order(ORDER_FREEZE, 1);
	is_text(complete(), "freeze 2 alone", "others are left alone");

	begin();
	add(1, PEN, JOB_FROZEN);
	add(2, PEN + 1, JOB_FROZEN);
	add(3, PEN, JOB_LOADING);
	add(4, PEN, JOB_RUNNING);
	give_order(ORDER_RELEASE, 0);
	is_text(complete(), "release 1, release 3",
		"who is thawed takes those along who are frozen");
	is_int((int64_t)orders.items[1].frozen_us, 4000000,
	       "for as long as each was");
	orders.count = 0;
	give_order(ORDER_FORGET, 2);
	is_text(complete(), "forget 3, thaw 1",
		"who is gone lets the others go on");
	orders.count = 0;
	give_order(ORDER_LOAD, 0);
	is_text(complete(), "load 1", "who is loaded is still frozen");
}

static void test_divided(void)
{
	begin();
	schedule.capacity_kib = 60 * MIB;
	add(1, PEN, JOB_RUNNING);
	add(2, PEN, JOB_RUNNING);
	give_order(ORDER_FREEZE, 0);
	is_text(complete(), "freeze 1 alone",
		"a cgroup that does not fit is divided: each is frozen alone");
	begin();
	schedule.capacity_kib = 60 * MIB;
	add(1, PEN, JOB_FROZEN)->is_whole = false;
	add(2, PEN, JOB_FROZEN)->is_whole = false;
	give_order(ORDER_THAW, 0);
	is_text(complete(), "thaw 1", "and thawed alone");
	schedule.jobs[0].is_whole = schedule.jobs[1].is_whole = true;
	orders.count = 0;
	give_order(ORDER_THAW, 0);
	is_text(complete(), "thaw 1, thaw 2",
		"but who was frozen with the others goes on with them");
}

int main(void)
{
	test_together();
	test_orders();
	test_divided();
	return done_testing();
}

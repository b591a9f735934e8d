/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests when processes are looked at, whom of them, and what is made of it. */
#include "daemon/decide.h"

#include "tests/scratch.h"

enum { ROWS = 16, MIB = 1024, TICK_US = 10000, BEGIN_S = 1000 };

struct fixture {
	struct settings settings;
	struct decider decider;
	struct sample sample;
	struct orders orders;
};

/* A host that has been up for BEGIN_S. */
static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	settings_default(&f->settings);
	f->decider.settings = &f->settings;
	f->decider.self = 2;
	need(census_init(&f->decider.census, ROWS), "census");
	f->decider.census.tick_us = TICK_US;
	f->decider.census.page_kib = 4;
	f->sample = (struct sample){
		.time_us = UINT64_C(1000000) * BEGIN_S,
		.has_memory = true,
		.vmstat = {.has_swap = true, .has_refaults_anon = true},
	};
	(void)decide_verdict(&f->decider, &f->sample);
}

static void end(struct fixture *f)
{
	census_close(&f->decider.census);
}

/* Nothing happens for so long. */
static void rest(struct fixture *f, unsigned ms)
{
	f->sample.time_us += UINT64_C(1000) * ms;
	(void)decide_verdict(&f->decider, &f->sample);
}

/* All tasks stall for so long, and pages go out and come back. */
static void thrash(struct fixture *f, unsigned ms)
{
	f->sample.memory.some_us += UINT64_C(1000) * ms;
	f->sample.vmstat.swapped_in += ms;
	f->sample.vmstat.refaulted_anon += ms;
	f->sample.vmstat.swapped_out += ms;
	f->sample.vmstat.scanned += ms;
	rest(f, ms);
}

/* Of one that has run for long; the second look has to show what it does. */
static void see(struct fixture *f, pid_t pid, pid_t group, uint64_t mib,
		uint64_t faults)
{
	const struct process process = {
		.pid = pid,
		.parent = 1,
		.group = group,
		.session = 5,
		.start_time = 100,
		.major_faults = faults,
		.resident_kib = mib * MIB,
		.state = 'S',
		.command = "any",
	};

	need(census_see(&f->decider.census, &process), "see");
}

static struct process *row(struct fixture *f, pid_t pid)
{
	struct process_table *now = &f->decider.census.now;

	for (size_t i = 0; i < now->count; i++)
		if (now->rows[i].pid == pid)
			return &now->rows[i];
	abort();
}

static void test_when(void)
{
	struct fixture f;

	begin(&f);
	rest(&f, 1000);
	ok(!decide_wants_look(&f.decider), "a calm host is not looked at");
	thrash(&f, 50);
	ok(decide_wants_look(&f.decider), "but as soon as tasks stall");
	(void)decide_look(&f.decider);
	thrash(&f, 25);
	ok(decide_wants_look(&f.decider), "and at first in every turn");
	(void)decide_look(&f.decider);
	rest(&f, 25);
	ok(f.decider.detector.verdict == VERDICT_THRASHING &&
		   decide_wants_look(&f.decider),
	   "also in a pause of a thrash");
	thrash(&f, 1000);
	(void)decide_look(&f.decider);
	thrash(&f, DECIDE_SEARCH_MS - 10);
	ok(!decide_wants_look(&f.decider), "a second later more seldom");
	f.decider.census.unread = 1;
	ok(decide_wants_look(&f.decider), "unless somebody was never seen");
	f.decider.census.unread = 0;
	thrash(&f, 10);
	ok(decide_wants_look(&f.decider), "for as long as one may be missing");
	f.decider.schedule.count = 2;
	thrash(&f, DECIDE_LOOK_MS - DECIDE_SEARCH_MS - 10);
	ok(!decide_wants_look(&f.decider), "two are enough to lead");
	thrash(&f, 10);
	ok(decide_wants_look(&f.decider), "others are found in time");
	(void)decide_look(&f.decider);
	f.decider.schedule.count = 0;
	rest(&f, CENSUS_FRESH_MS - 50);
	thrash(&f, 40);
	(void)decide_look(&f.decider);
	thrash(&f, 10);
	ok(!decide_wants_look(&f.decider), "the same trouble has no new begin");
	rest(&f, CENSUS_FRESH_MS);
	thrash(&f, 40);
	(void)decide_look(&f.decider);
	thrash(&f, 10);
	ok(decide_wants_look(&f.decider), "what comes later has");
	end(&f);
}

/* 10 and 12 fault; 12 is small, and so is 13, which 10 has with it. */
static void look_twice(struct fixture *f)
{
	for (uint64_t faults = 0; faults < 2; faults++) {
		thrash(f, 50);
		(void)decide_look(&f->decider);
		see(f, 10, 10, 100, faults);
		see(f, 11, 11, 100, 0);
		see(f, 12, 12, 1, faults);
		see(f, 13, 10, 1, 0);
		see(f, 14, 10, 20, 0);
		see(f, 15, 15, 100, faults);
	}
}

/* As the daemon goes through a look. */
static void note_claims(struct fixture *f)
{
	struct process *process;
	size_t at = 0;

	while ((process = decide_next_of_interest(&f->decider, &at)))
		decide_note_claim(&f->decider, process);
}

static void test_who(void)
{
	struct fixture f;
	struct process *process;
	size_t at = 0;

	begin(&f);
	look_twice(&f);
	process = decide_next_of_interest(&f.decider, &at);
	ok(process == row(&f, 10) &&
		   decide_next_of_interest(&f.decider, &at) == row(&f, 12) &&
		   decide_next_of_interest(&f.decider, &at) == row(&f, 15) &&
		   !decide_next_of_interest(&f.decider, &at),
	   "who takes part is of interest, one after the other");
	note_claims(&f);
	ok(decide_wants_judgement(&f.decider, row(&f, 10)),
	   "who is to blame is judged");
	row(&f, 15)->group = row(&f, 15)->session = 0;
	ok(decide_wants_judgement(&f.decider, row(&f, 15)),
	   "also if its group cannot be seen from here");
	ok(!decide_wants_judgement(&f.decider, row(&f, 11)),
	   "who sits still is not");
	ok(!decide_wants_judgement(&f.decider, row(&f, 12)),
	   "nor who is too small");
	ok(decide_wants_judgement(&f.decider, row(&f, 14)),
	   "who is of the same group is, because it would be frozen as well");
	ok(!decide_wants_judgement(&f.decider, row(&f, 13)),
	   "if it is worth that");
	row(&f, 12)->swapped_kib = 20 * MIB;
	note_claims(&f);
	ok(decide_wants_judgement(&f.decider, row(&f, 12)),
	   "who is small because all is in swap is not too small");

	row(&f, 10)->has_claim = false;
	ok(!decide_wants_judgement(&f.decider, row(&f, 14)),
	   "without one to blame, its group is not");
	f.decider.schedule.count = 1;
	f.decider.schedule.jobs[0].process = *row(&f, 11);
	ok(!decide_wants_judgement(&f.decider, row(&f, 14)),
	   "nor if another is a job");
	f.decider.schedule.jobs[0].process = *row(&f, 10);
	ok(decide_wants_judgement(&f.decider, row(&f, 14)),
	   "but if one of it is a job");
	end(&f);
}

static void test_limits(void)
{
	struct fixture f;

	begin(&f);
	look_twice(&f);
	note_claims(&f);
	ok(!decide_wants_limit(&f.decider, row(&f, 10)),
	   "whose limit is reached does not matter on a host that is short");
	f.sample.vmstat.has_scanned = true;
	thrash(&f, 50);
	thrash(&f, 3000);
	look_twice(&f);
	note_claims(&f);
	ok(decide_wants_limit(&f.decider, row(&f, 10)),
	   "it does if only a cgroup is");
	ok(!decide_wants_limit(&f.decider, row(&f, 11)),
	   "of those to blame only");
	end(&f);
}

/* Began so long after BEGIN_S; the trouble did a second after that. */
static void test_logins(void)
{
	static const struct {
		const char *command;
		int began_s;
		bool has_trouble, is_judged;
		const char *name;
	} rows[] = {
		{"sshd", 1, true, true, "somebody who logs in is judged"},
		{"sshd", -29, true, true, "and who had just begun to"},
		{"sshd", -30, true, false, "who had long before is not"},
		{"hog", 1, true, false, "nor who only begins"},
		{"sshd", 1, false, false,
		 "nor anybody before there is trouble"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		struct process process = {
			.pid = 20,
			.start_time = (uint64_t)(BEGIN_S + rows[i].began_s) *
				      (1000000 / TICK_US),
		};

		begin(&f);
		if (rows[i].has_trouble)
			thrash(&f, 1000);
		(void)snprintf(process.command, sizeof(process.command), "%s",
			       rows[i].command);
		is_int(decide_wants_judgement(&f.decider, &process),
		       rows[i].is_judged, "%s", rows[i].name);
		end(&f);
	}
}

static void test_trouble(void)
{
	struct fixture f;
	const struct process process = {.pid = 10, .start_time = 7};
	uint64_t began_us;

	begin(&f);
	ok(!decide_moment(&f.decider, &process).trouble_us,
	   "there is no trouble at first");
	thrash(&f, 1000);
	began_us = f.sample.time_us;
	ok(decide_moment(&f.decider, &process).trouble_us == began_us,
	   "it begins with the verdict");
	rest(&f, 1000);
	for (int i = 0; i < 3; i++) {
		rest(&f, DECIDE_TROUBLE_MS - 5000);
		thrash(&f, 1000);
	}
	ok(decide_moment(&f.decider, &process).trouble_us == began_us,
	   "what begins again soon is still the same trouble");
	rest(&f, 1000);
	rest(&f, DECIDE_TROUBLE_MS);
	ok(!decide_moment(&f.decider, &process).trouble_us,
	   "five calm minutes later it is over");
	thrash(&f, 1000);
	ok(decide_moment(&f.decider, &process).trouble_us == f.sample.time_us,
	   "and the next is another");
	ok(!decide_moment(&f.decider, &process).is_job,
	   "who is no job is judged as none");
	f.decider.schedule.count = 1;
	f.decider.schedule.jobs[0].process = process;
	ok(decide_moment(&f.decider, &process).is_job, "who is one, as one");
	end(&f);
}

static void test_orders(void)
{
	struct fixture f;

	begin(&f);
	look_twice(&f);
	decide_orders(&f.decider, false, &f.orders);
	is_int((int64_t)f.decider.schedule.count, 0,
	       "an old look accuses nobody again");
	decide_orders(&f.decider, true, &f.orders);
	is_int((int64_t)f.decider.schedule.count, 3,
	       "a new one does, and their kin");
	end(&f);
}

/* Somebody has begun to log in just now; the look says so once. */
static void test_room(void)
{
	struct fixture f;

	begin(&f);
	look_twice(&f);
	row(&f, 11)->start_time = BEGIN_S * (1000000 / TICK_US);
	decide_orders(&f.decider, true, &f.orders);
	ok(!f.decider.schedule.guest_kib, "who only begins is given no room");
	row(&f, 11)->judged.is_new_login = true;
	row(&f, 14)->judged.is_new_login = true;
	decide_orders(&f.decider, true, &f.orders);
	ok(f.decider.schedule.guest_kib > 0, "who logs in is given room");
	rest(&f, ROLE_ROOM_MS - 200);
	decide_orders(&f.decider, false, &f.orders);
	ok(f.decider.schedule.guest_kib > 0, "until that should be done");
	rest(&f, 200);
	decide_orders(&f.decider, false, &f.orders);
	ok(!f.decider.schedule.guest_kib, "and no longer");
	end(&f);
}

/* 200 MiB. */
static void test_free(void)
{
	struct fixture f;

	begin(&f);
	f.sample.vmstat.free = 200 * MIB / 4;
	rest(&f, 50);
	decide_orders(&f.decider, false, &f.orders);
	is_int((int64_t)f.decider.schedule.spare_kib, 0,
	       "who does not tell whose memory is short tells nothing of it");
	f.sample.vmstat.has_scanned = true;
	rest(&f, 50);
	decide_orders(&f.decider, false, &f.orders);
	is_int((int64_t)f.decider.schedule.spare_kib, 200 * MIB * 15 / 16,
	       "else what is free is to be had, but for a sixteenth");
	end(&f);
}

int main(void)
{
	test_when();
	test_who();
	test_limits();
	test_logins();
	test_trouble();
	test_orders();
	test_room();
	test_free();
	return done_testing();
}

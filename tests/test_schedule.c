/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is frozen and thawed, and when. */
#include "daemon/schedule.h"

#include "tests/processes.h"
#include "tests/scratch.h"

struct fixture {
	struct settings settings;
	struct schedule schedule;
	struct processes host;
	struct orders orders;
	uint64_t now_us;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	settings_default(&f->settings);
	processes_begin(&f->host);
	f->now_us = 5000000;
}

/* One turn, ms after the last; every order succeeds with error. */
static void turn(struct fixture *f, unsigned ms, enum verdict verdict,
		 int error)
{
	struct situation situation = {
		.now_us = f->now_us += UINT64_C(1000) * ms,
		.verdict = verdict,
		.before = &f->host.before,
		.now = &f->host.now,
		.self = 2,
	};

	schedule_step(&f->schedule, &f->settings, &situation, &f->orders);
	for (size_t i = 0; i < f->orders.count; i++)
		schedule_confirm(&f->schedule, &f->settings,
				 &f->orders.items[i], error, f->now_us);
}

/* The only order of the last turn, as "freeze 10"; or what there is. */
static const char *order(const struct fixture *f)
{
	static const char *const names[] = {"freeze", "thaw", "forget"};
	static char text[64];

	if (f->orders.count != 1)
		return f->orders.count ? "several" : "none";
	(void)snprintf(text, sizeof(text), "%s %d",
		       names[f->orders.items[0].kind],
		       (int)f->orders.items[0].process.pid);
	return text;
}

/* Three hogs; 11 is the worst, then 12, then 10. */
static void add_hogs(struct fixture *f)
{
	(void)processes_add(&f->host, 10, "hog", 100 * MIB, 5);
	(void)processes_add(&f->host, 11, "hog", 300 * MIB, 5);
	(void)processes_add(&f->host, 12, "hog", 200 * MIB, 5);
}

static void test_freezing(void)
{
	struct fixture f;

	begin(&f);
	add_hogs(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(order(&f), "none", "a calm host is left alone");
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(order(&f), "none", "an unsettled one too");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 11", "thrashing freezes the worst");
	f.host.now_rows[1].state = 'T';
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(order(&f), "none", "the next waits for what it does");
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 12", "then the next worst is frozen");
	f.host.now_rows[2].state = 'T';
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_THRASHING, 0);
	is_text(order(&f), "none", "the last candidate is never frozen");
	is_int((int64_t)f.schedule.frozen_count, 2, "two are frozen");
	is_int((int64_t)f.schedule.freezes_total, 2, "and counted");
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
	is_text(order(&f), "none",
		"one candidate beside protected, idle and stopped ones runs "
		"on");
}

static void test_without_looks(void)
{
	struct fixture f;
	struct situation situation = {.verdict = VERDICT_THRASHING,
				      .now_us = 5000000};

	begin(&f);
	add_hogs(&f);
	situation.now = &f.host.now;
	schedule_step(&f.schedule, &f.settings, &situation, &f.orders);
	is_text(order(&f), "none", "one look alone accuses nobody");
}

static void test_failed_freeze(void)
{
	struct fixture f;

	begin(&f);
	add_hogs(&f);
	turn(&f, 50, VERDICT_THRASHING, -EPERM);
	is_int((int64_t)f.schedule.frozen_count, 0,
	       "who could not be frozen is not taken for frozen");
	turn(&f, 50, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 12", "and the next is tried at once");
}

/* Frozen: 11, a second later 12. */
static void freeze_two(struct fixture *f)
{
	begin(f);
	add_hogs(f);
	turn(f, 50, VERDICT_THRASHING, 0);
	turn(f, 1000, VERDICT_THRASHING, 0);
	f->host.now_rows[1].state = f->host.now_rows[2].state = 'T';
	turn(f, 50, VERDICT_UNSETTLED, 0);
}

static void test_thawing(void)
{
	struct fixture f;

	freeze_two(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(order(&f), "thaw 11", "calm thaws who has waited longest");
	f.host.now_rows[1].state = 'S';
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(order(&f), "none", "the next waits for what it does");
	turn(&f, SCHEDULE_SETTLE_MS, VERDICT_CALM, 0);
	is_text(order(&f), "thaw 12", "as long as it stays calm");
	is_int((int64_t)f.schedule.thaws_total, 2, "thaws are counted");
	is_int((int64_t)f.schedule.frozen_us_total, 1100000 + 450000,
	       "and the time they were frozen");
}

static void test_quantum(void)
{
	struct fixture f;

	freeze_two(&f);
	turn(&f, 50, VERDICT_CALM, 0);
	f.host.now_rows[1].state = 'S';
	turn(&f, 500, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 10",
		"who was just thawed is not frozen for the trouble it makes");
	f.host.now_rows[0].state = 'T';
	turn(&f, 1500, VERDICT_CALM, 0);
	is_text(order(&f), "none",
		"after trouble the next waits until the quantum is over");
	turn(&f, 3000, VERDICT_CALM, 0);
	is_text(order(&f), "thaw 12", "and then has its turn");
	f.host.now_rows[2].state = 'S';
	turn(&f, 500, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 11", "now the first may be frozen again");
}

static void test_max_frozen(void)
{
	struct fixture f;

	freeze_two(&f);
	f.settings.max_frozen_ms = 5000;
	turn(&f, 3940, VERDICT_UNSETTLED, 0);
	is_text(order(&f), "none", "before max_frozen it waits");
	turn(&f, 10, VERDICT_THRASHING, 0);
	ok(f.orders.count && f.orders.items[0].kind == ORDER_THAW &&
		   f.orders.items[0].process.pid == 11,
	   "nobody waits longer than max_frozen, whatever the verdict");
}

static void test_losing(void)
{
	struct fixture f;

	freeze_two(&f);
	f.host.now_rows[1].state = 'R';
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(order(&f), "forget 11", "who runs again is not ours any more");
	turn(&f, 1000, VERDICT_THRASHING, 0);
	is_text(order(&f), "freeze 10", "and is left alone for a while");
	f.host.now.count = 2; /* 12 is gone */
	f.host.now_rows[0].state = 'T';
	turn(&f, 50, VERDICT_UNSETTLED, 0);
	is_text(order(&f), "forget 12", "who has ended is forgotten");
	is_int((int64_t)f.schedule.thaws_total, 0, "neither is a thaw");

	begin(&f);
	add_hogs(&f);
	turn(&f, 50, VERDICT_THRASHING, 0);
	f.host.now_rows[1].state = 'D';
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	f.host.now_rows[1].state = 'R';
	turn(&f, 1000, VERDICT_UNSETTLED, 0);
	is_text(order(&f), "none",
		"a stop that waits for the end of a page fault is no loss");
}

static void test_failed_thaw(void)
{
	struct fixture f;

	freeze_two(&f);
	turn(&f, 50, VERDICT_CALM, -EPERM);
	is_int((int64_t)f.schedule.frozen_count, 2,
	       "who could not be thawed stays on the list");
	turn(&f, 50, VERDICT_CALM, 0);
	is_text(order(&f), "thaw 11", "and is tried again");
	turn(&f, 1000, VERDICT_CALM, -ESRCH);
	is_int((int64_t)f.schedule.frozen_count, 0,
	       "who is gone leaves the list");
}

static void test_the_end(void)
{
	struct fixture f;

	freeze_two(&f);
	is_int((int64_t)schedule_frozen_us_total(&f.schedule, f.now_us),
	       1050000 + 50000, "those who are frozen count as well");
	schedule_thaw_all(&f.schedule, f.now_us, "the end", &f.orders);
	is_int((int64_t)f.orders.count, 2, "at the end everybody is thawed");
}

static void test_many(void)
{
	struct fixture f;
	uint64_t thawed_us[PROCESSES_MAX] = {0};
	bool was_frozen_in_its_quantum = false;

	begin(&f);
	for (int i = 0; i < PROCESSES_MAX; i++)
		(void)processes_add(&f.host, 10 + i, "hog", 100 * MIB, 5);
	for (int i = 0; i < 5000; i++) {
		turn(&f, 50, i % 40 < 20 ? VERDICT_THRASHING : VERDICT_CALM, 0);
		for (size_t k = 0; k < f.orders.count; k++) {
			const struct order *order = &f.orders.items[k];
			pid_t index = order->process.pid - 10;

			if (order->kind == ORDER_THAW)
				thawed_us[index] = f.now_us;
			else if (thawed_us[index] &&
				 f.now_us - thawed_us[index] <
					 f.settings.quantum_ms * 1000)
				was_frozen_in_its_quantum = true;
			f.host.now_rows[index].state =
				order->kind == ORDER_THAW ? 'S' : 'T';
		}
	}
	ok(!was_frozen_in_its_quantum,
	   "in four minutes with 64 hogs nobody is frozen in its quantum");
	ok(f.schedule.frozen_count < PROCESSES_MAX, "never are all frozen");
	for (int i = 0; i < 2 * PROCESSES_MAX * 10; i++)
		turn(&f, 50, VERDICT_CALM, 0);
	is_int((int64_t)f.schedule.frozen_count, 0,
	       "when it stays calm everybody is thawed");
}

int main(void)
{
	test_freezing();
	test_nobody_to_freeze();
	test_without_looks();
	test_failed_freeze();
	test_thawing();
	test_quantum();
	test_max_frozen();
	test_losing();
	test_failed_thaw();
	test_the_end();
	test_many();
	return done_testing();
}

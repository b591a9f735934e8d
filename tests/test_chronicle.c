/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what the daemon writes into the history, by a clock of our own. */
#include "daemon/chronicle.h"

#include "tests/scratch.h"

#include <signal.h>
#include <sys/resource.h>

enum { SECOND_US = 1000000, START_S = 100000 };

struct fixture {
	struct scratch scratch;
	struct chronicle chronicle;
	struct decider decider;
	struct freezer freezer;
	struct ledger ledger;
	struct orders orders;
	struct log log;
	struct history history;
	struct problem problem;
	uint64_t now_us;
};

static void open_chronicle(struct fixture *f)
{
	chronicle_clear(&f->chronicle);
	chronicle_open(&f->chronicle, f->scratch.directory,
		       f->scratch.directory, &f->log);
}

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	scratch_open(&f->scratch);
	f->ledger.doorbell = -1;
	f->log.file = need(openat(f->scratch.directory, "log",
				  O_RDWR | O_CREAT | O_CLOEXEC, 0600),
			   "log");
	f->log.allowance = LOG_BURST;
	freezer_open_dry_run(&f->freezer, &f->ledger);
	f->now_us = (uint64_t)START_S * SECOND_US;
	f->decider.detector.count = 1;
	open_chronicle(f);
	need(history_open(&f->history, f->scratch.path, f->scratch.directory,
			  &f->problem),
	     f->problem.text);
}

static void end(struct fixture *f)
{
	chronicle_close(&f->chronicle);
	history_close(&f->history);
	log_close(&f->log);
	scratch_close(&f->scratch);
}

static void turn(struct fixture *f, bool is_published)
{
	struct detector *detector = &f->decider.detector;

	detector->history[detector->newest].time_us = f->now_us;
	chronicle_turn(&f->chronicle, &f->decider, &f->freezer, &f->orders,
		       f->now_us, is_published, &f->log);
	f->orders.count = 0;
}

/* Turns of a twentieth of a second, without a state file. */
static void go_on(struct fixture *f, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 20; i++) {
		f->now_us += SECOND_US / 20;
		turn(f, false);
	}
}

static uint64_t count_records(struct fixture *f)
{
	struct history_record record;
	struct history_walk walk;
	uint64_t count = 0;

	history_walk(&walk, &f->history, UINT64_C(1000) * START_S - 1,
		     f->now_us / 1000);
	while (history_next(&walk, &record))
		count++;
	return count;
}

static const char *log_text(struct fixture *f)
{
	static char text[4096];

	return scratch_text(f->scratch.directory, "log", text, sizeof(text));
}

static void test_rest(void)
{
	static struct fixture f;

	begin(&f);
	for (int i = 0; i < 60; i++) {
		turn(&f, true);
		f.now_us += UINT64_C(60) * SECOND_US;
	}
	is_int((int64_t)count_records(&f), 60,
	       "an hour at rest is sixty records, one with each state file");
	go_on(&f, 120);
	is_int((int64_t)count_records(&f), 60, "and none in between");
	end(&f);
}

static void test_trouble(void)
{
	static struct fixture f;
	struct history_record record;

	begin(&f);
	turn(&f, true);
	f.decider.detector.verdict = VERDICT_THRASHING;
	go_on(&f, 60);
	is_int((int64_t)count_records(&f), 6,
	       "a minute of trouble is six records, with no state file at all");
	f.decider.detector.stall_permille = 900;
	turn(&f, false);
	f.decider.detector.stall_permille = 2;
	f.decider.detector.verdict = VERDICT_CALM;
	go_on(&f, 5);
	turn(&f, true);
	ok(history_read(&f.history, HISTORY_COARSE, f.now_us / 60000000,
			&record),
	   "when it is over, there is a record");
	is_int(record.stall_permille, 900,
	       "with the worst of all turns that were not written down");
	is_int(record.verdict, HISTORY_THRASHING, "whatever it is now");
	end(&f);
}

/* As on a disk that is full. */
static void test_full(void)
{
	const struct rlimit none = {0, RLIM_INFINITY};
	const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
	static struct fixture f;
	struct history_record record;

	begin(&f);
	turn(&f, true);
	f.now_us += UINT64_C(60) * SECOND_US;
	f.decider.detector.stall_permille = 900;
	(void)signal(SIGXFSZ, SIG_IGN);
	need(setrlimit(RLIMIT_FSIZE, &none), "setrlimit");
	turn(&f, true);
	need(setrlimit(RLIMIT_FSIZE, &any), "setrlimit");
	ok(!history_read(&f.history, HISTORY_COARSE, f.now_us / 60000000,
			 &record),
	   "what cannot be written is not there");
	f.decider.detector.stall_permille = 2;
	turn(&f, true);
	ok(history_read(&f.history, HISTORY_COARSE, f.now_us / 60000000,
			&record),
	   "later it can");
	is_int(record.stall_permille, 900, "with the worst from before");
	end(&f);
}

static void test_lack(void)
{
	static struct fixture f;
	struct history_sum sum;
	struct schedule *schedule = &f.decider.schedule;

	begin(&f);
	turn(&f, true);
	f.decider.detector.verdict = VERDICT_THRASHING;
	schedule->count = 2;
	schedule->capacity_kib = 150;
	schedule->jobs[0].process.resident_kib = 100;
	schedule->jobs[1].process.swapped_kib = 120;
	go_on(&f, 30);
	f.decider.detector.verdict = VERDICT_CALM;
	go_on(&f, 30);
	turn(&f, true);
	history_add_up(&f.history, UINT64_C(1000) * START_S - 1,
		       f.now_us / 1000, &sum);
	is_int(sum.worst.lacked_kib, 70,
	       "memory lacks by what all jobs need and cannot have");
	is_int((int64_t)sum.lacked_ms, 30000, "for as long as it is not calm");
	end(&f);
}

static void freeze(struct fixture *f, size_t row, pid_t pid, bool is_ordered)
{
	struct frozen *frozen = &f->ledger.rows[row];

	frozen->pid = pid;
	frozen->start_time = 5;
	frozen->since_us = f->now_us;
	frozen->method = FREEZE_DRY_RUN;
	frozen->is_ordered = is_ordered;
	frozen->needed = !is_ordered;
	(void)strcpy(frozen->command, "job");
	if (!is_ordered)
		return;
	f->orders.items[f->orders.count++] = (struct order){
		.kind = ORDER_FREEZE,
		.process = {.pid = pid, .resident_kib = 300, .swapped_kib = 4},
		.reason = "its turn is over",
	};
}

static void test_freezes(void)
{
	static struct fixture f;
	struct history_freeze one, parent;
	struct history_record record;

	begin(&f);
	turn(&f, true);
	freeze(&f, 0, 70, true);
	freeze(&f, 1, 71, false);
	turn(&f, true);
	ok(history_find_freeze(&f.history, 1, &one) &&
		   history_find_freeze(&f.history, 2, &parent),
	   "who is frozen is written down");
	is_int(one.pid, 70, "with the pid");
	is_int(one.is_over, 0, "as frozen still");
	is_text(one.reason, "its turn is over", "the reason");
	is_text(one.class, "batch", "the class");
	is_text(one.method, "dry-run", "the method");
	is_int(one.memory_kib, 304, "and the memory that it has");
	is_text(parent.class, "parent", "a parent is called one");
	go_on(&f, 3);
	f.ledger.rows[0].is_ordered = false;
	turn(&f, true);
	(void)history_find_freeze(&f.history, 1, &one);
	is_int(one.is_over, 1, "when it goes on that is written down");
	is_int(one.frozen_ms, 3000, "with the time that it took");
	is_int((int64_t)history_last_freeze(&f.history), 2,
	       "and nothing is written twice");
	ok(history_read(&f.history, HISTORY_COARSE, f.now_us / 60000000,
			&record) &&
		   record.frozen_processes == 2 &&
		   record.longest_frozen_ms == 3000,
	   "how many and how long is in the records");
	chronicle_close(&f.chronicle);
	memset(&f.ledger.rows, 0, sizeof(f.ledger.rows));
	memset(&f.chronicle, 0, sizeof(f.chronicle));
	open_chronicle(&f);
	freeze(&f, 0, 72, true);
	turn(&f, true);
	ok(history_find_freeze(&f.history, 3, &one) && one.pid == 72,
	   "another daemon goes on where the one before was");
	(void)history_find_freeze(&f.history, 2, &parent);
	is_int(parent.is_over, 0, "of what that one left no end is made up");
	end(&f);
}

static void test_lost_file(void)
{
	static struct fixture f;

	begin(&f);
	turn(&f, true);
	need(unlinkat(f.scratch.directory, "history", 0), "unlink");
	turn(&f, true);
	history_close(&f.history);
	is_int(history_open(&f.history, f.scratch.path, f.scratch.directory,
			    &f.problem),
	       0, "when the file was removed there is a new one");
	is_int((int64_t)count_records(&f), 1, "in which it goes on");
	need(renameat(f.scratch.directory, "history", f.scratch.directory,
		      "history.old"),
	     "rename");
	turn(&f, true);
	is_int(faccessat(f.scratch.directory, "history", F_OK, 0), 0,
	       "so there is when it was put away");
	is_text(log_text(&f), "", "about which nothing need be said");
	need(ftruncate(f.chronicle.history.file, 100), "truncate");
	turn(&f, true);
	turn(&f, true);
	ok(strstr(log_text(&f), "begun anew: it is not a history\n"),
	   "when it was cut there is a new one");
	is_int((int64_t)strlen(log_text(&f)),
	       (int64_t)strlen("thrash-protect: the history is begun anew: it "
			       "is not a history\n"),
	       "which is said once");
	end(&f);
}

/* The sequences of a lost file are those of others in the new one. */
static void test_lost_freeze(void)
{
	static struct fixture f;
	struct history_freeze one;

	begin(&f);
	freeze(&f, 0, 70, true);
	turn(&f, true);
	need(unlinkat(f.scratch.directory, "history", 0), "unlink");
	freeze(&f, 1, 71, true);
	turn(&f, true);
	history_close(&f.history);
	need(history_open(&f.history, f.scratch.path, f.scratch.directory,
			  &f.problem),
	     f.problem.text);
	is_int((int64_t)history_last_freeze(&f.history), 2,
	       "a new file has all who are frozen");
	go_on(&f, 3);
	f.ledger.rows[0].is_ordered = false;
	turn(&f, true);
	for (uint64_t i = 1; i <= 2; i++) {
		(void)history_find_freeze(&f.history, i, &one);
		is_int(one.is_over, one.pid == 70,
		       "and only who goes on is said to (%d)", (int)one.pid);
	}
	end(&f);
}

static void test_no_file(void)
{
	static struct fixture f;
	const char *text;

	begin(&f);
	chronicle_close(&f.chronicle);
	need(unlinkat(f.scratch.directory, "history", 0), "unlink");
	need(mkdirat(f.scratch.directory, "history", 0755), "mkdir");
	open_chronicle(&f);
	for (int i = 0; i < 5; i++)
		turn(&f, true);
	text = log_text(&f);
	ok(strstr(text, "no history is kept: ") &&
		   strcspn(text, "\n") + 1 == strlen(text),
	   "that there can be none is told once");
	need(unlinkat(f.scratch.directory, "history", AT_REMOVEDIR), "rmdir");
	freeze(&f, 0, 70, true);
	turn(&f, true);
	text = log_text(&f);
	ok(strstr(text, "history: written again"), "and that it is over");
	history_close(&f.history);
	need(history_open(&f.history, f.scratch.path, f.scratch.directory,
			  &f.problem),
	     f.problem.text);
	is_int((int64_t)history_last_freeze(&f.history), 1,
	       "then who is frozen is written down");
	chronicle_close(&f.chronicle);
	turn(&f, true);
	ok(true, "one that is closed does nothing");
	end(&f);
}

int main(void)
{
	test_rest();
	test_trouble();
	test_full();
	test_lack();
	test_freezes();
	test_lost_file();
	test_lost_freeze();
	test_no_file();
	return done_testing();
}

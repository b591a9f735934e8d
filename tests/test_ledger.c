/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is in the ledger, and when; test_guardian.c tests what for. */
#include "daemon/freezer.h"

#include "core/file.h"
#include "tests/scratch.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static struct ledger ledger;
static struct freezer freezer;
static struct process child;
static struct log log_to_nowhere;
static int proc;

static bool is_one_stopped(pid_t pid)
{
	struct process now;

	return process_read(proc, pid, 4, &now) == 0 &&
	       process_is_stopped(&now);
}

/* A signal takes its time: up to a second. */
static bool one_becomes(pid_t pid, bool stopped)
{
	for (int i = 0; i < 1000 && is_one_stopped(pid) != stopped; i++)
		(void)usleep(1000);
	return is_one_stopped(pid) == stopped;
}

static bool is_stopped(void)
{
	return is_one_stopped(child.pid);
}

static bool becomes(bool stopped)
{
	return one_becomes(child.pid, stopped);
}

static int freeze(void)
{
	int error = freezer_prepare(&freezer, &child, 1);

	return error ? error : freezer_freeze(&freezer, &child);
}

static size_t thaw_all(size_t *left)
{
	return ledger_thaw_all(&ledger, proc, -1, &log_to_nowhere, left);
}

/* How often the doorbell has rung since it was asked last. */
static int rings(void)
{
	uint64_t count = 0;

	return read(ledger.doorbell, &count, sizeof(count)) < 0 ? 0
								: (int)count;
}

static void test_one(void)
{
	size_t left = 99;

	ok(!ledger_has_any(&ledger), "at first nobody is in it");
	is_int(freezer_prepare(&freezer, &child, 1), 0, "one is prepared");
	ok(!ledger_has_any(&ledger), "who is not held by that");
	is_int(freezer_freeze(&freezer, &child), 0, "it is frozen");
	ok(becomes(true) && ledger_has_any(&ledger), "and held");
	is_int(rings(), 1, "which rings");
	is_int((int64_t)thaw_all(&left), 1, "all are thawed by it");
	is_int((int64_t)left, 0, "none is left");
	ok(becomes(false), "nor stopped");
	ok(ledger_has_any(&ledger), "who is thawed by it stays in it");
	is_int(freezer_thaw(&freezer, &child), 0,
	       "one is thawed by the worker");
	ok(!ledger_has_any(&ledger), "and in it no more");
}

static void test_refused(void)
{
	struct process other = child;

	other.start_time++;
	(void)rings();
	is_int(freezer_prepare(&freezer, &other, 1), -ESRCH, "one who is gone");
	is_int(freezer_prepare(&freezer, &child, 1), 0, "who was prepared");
	(void)kill(child.pid, SIGSTOP);
	(void)becomes(true);
	is_int(freezer_freeze(&freezer, &child), -EALREADY,
	       "and then stopped by somebody else");
	ok(!ledger_has_any(&ledger), "is not held");
	is_int(rings(), 0, "not even for a moment");
	is_int((int64_t)freezer_count(&freezer), 0, "nor in the table");
	(void)kill(child.pid, SIGCONT);
	(void)becomes(false);
}

static void test_full(void)
{
	struct process others[STATE_FROZEN];
	struct freezer dry_run;
	size_t failed = 0;

	freezer_open_dry_run(&dry_run, &ledger);
	for (int i = 0; i < STATE_FROZEN; i++) {
		others[i] = (struct process){.pid = 1000 + i};
		failed += freezer_prepare(&dry_run, &others[i], 1) != 0;
	}
	is_int((int64_t)failed, 0, "there is room for %d", STATE_FROZEN);
	is_int(rings(), 0, "a dry run does not ring");
	is_int(freeze(), -ENOSPC, "then it is full");
	ok(!is_stopped(), "and nobody is frozen");
	is_int(freezer_thaw(&dry_run, &others[7]), 0, "when one has left");
	is_int(freeze(), 0, "there is room for another");
	freezer_close(&dry_run);
	is_int((int64_t)freezer_count(&freezer), 0, "who closes it empties it");
	ok(ledger_has_any(&ledger), "but who is held remains so");
	ledger_let_go(&ledger.rows[7]);
	(void)kill(child.pid, SIGCONT);
	(void)becomes(false);
}

/* As a worker may leave it that has gone mad. */
static void test_nonsense(void)
{
	size_t left;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		ledger.rows[i] = (struct frozen){
			.hold = i % 2 ? HOLD_STOP : 4711,
			.pid = i % 4 == 1 ? -1 : (pid_t)-i,
			.start_time = i,
		};
	is_int((int64_t)thaw_all(&left), 0, "nonsense in it thaws nobody");
	is_int((int64_t)left, 0, "and all of it is passed over");
	memset(ledger.rows, 0, sizeof(ledger.rows));
}

/* Where its cage would be looked for cannot be had. */
static void test_no_cgroups(void)
{
	size_t left;

	ledger_hold(&ledger, &ledger.rows[3], HOLD_CAGE);
	is_int((int64_t)thaw_all(&left), 0, "nobody is thawed by cgroup");
	is_int((int64_t)left, 1, "where cgroups cannot be had, which is told");
	ledger_let_go(&ledger.rows[3]);
}

static void test_files(void)
{
	char path[PATH_MAX + 1];

	ledger_tell_files(&ledger, "/run/x", "");
	ok(ledger.has_files, "the files are told");
	is_text(ledger.run_dir, "/run/x", "where they are");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ledger_tell_files(&ledger, "/run/x", path);
	ok(!ledger.has_files, "a path that is too long is not told, nor half");
}

/* A process, its child, and the child of that. */
enum { TOP, MIDDLE, BOTTOM, CHAIN };

static struct process chain[CHAIN];

static void start_chain(void)
{
	pid_t *pids = mmap(NULL, sizeof(*pids) * CHAIN, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(pids == MAP_FAILED ? -1 : 0, "mmap");
	if (need(fork(), "fork") == 0) {
		for (int i = 0; i < CHAIN; i++) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			pids[i] = getpid();
			if (i + 1 == CHAIN || need(fork(), "fork") != 0)
				break;
		}
		for (;;)
			(void)pause();
	}
	for (int i = 0; i < 1000 && !*(volatile pid_t *)&pids[BOTTOM]; i++)
		(void)usleep(1000);
	for (int i = 0; i < CHAIN; i++)
		need(process_read(proc, pids[i], 4, &chain[i]), "a chain");
	(void)munmap(pids, sizeof(*pids) * CHAIN);
}

static void stop_chain(void)
{
	for (int i = 0; i < CHAIN; i++)
		(void)kill(chain[i].pid, SIGSTOP);
	for (int i = 0; i < CHAIN; i++)
		(void)one_becomes(chain[i].pid, true);
}

static bool does_chain_run(void)
{
	return one_becomes(chain[TOP].pid, false) &&
	       one_becomes(chain[MIDDLE].pid, false) &&
	       one_becomes(chain[BOTTOM].pid, false);
}

static struct stopped stopped(int which)
{
	return (struct stopped){.pid = chain[which].pid,
				.start_time = chain[which].start_time};
}

static bool is_middle(const void *context, pid_t pid, uint64_t start_time)
{
	(void)context;
	return pid == chain[MIDDLE].pid &&
	       start_time == chain[MIDDLE].start_time;
}

static void test_order(void)
{
	struct stopped items[] = {stopped(TOP), stopped(BOTTOM),
				  stopped(MIDDLE)};

	stop_chain();
	stop_release_all(proc, items, COUNT(items), NULL, NULL);
	ok(items[0].pid == chain[BOTTOM].pid &&
		   items[1].pid == chain[MIDDLE].pid &&
		   items[2].pid == chain[TOP].pid,
	   "children go on before their parents");
	is_int(items[0].error + items[1].error + items[2].error, 0,
	       "without an error");
	ok(does_chain_run(), "and all do");

	stop_chain();
	items[0] = stopped(BOTTOM);
	stop_release_all(proc, items, 1, is_middle, NULL);
	ok(one_becomes(chain[BOTTOM].pid, false) &&
		   is_one_stopped(chain[MIDDLE].pid),
	   "a parent that is to stay stopped stays so");
	stop_release_all(proc, items, 1, NULL, NULL);
	ok(does_chain_run(), "else it goes on with its child");
}

/* It is a zombie, as its parent has no time for it. */
static void test_killed(void)
{
	struct stopped item = stopped(BOTTOM);

	stop_chain();
	(void)kill(chain[BOTTOM].pid, SIGKILL);
	for (int i = 0;
	     i < 1000 && process_is_alive(proc, item.pid, item.start_time); i++)
		(void)usleep(1000);
	stop_release_all(proc, &item, 1, NULL, NULL);
	is_int(item.error, -ESRCH, "who was killed is gone");
	ok(one_becomes(chain[MIDDLE].pid, false) &&
		   one_becomes(chain[TOP].pid, false),
	   "but who stopped with it goes on");
}

/* As stop_release_all() does it, which the worker uses as well. */
static void test_family(void)
{
	size_t left;

	stop_chain();
	for (int i = 0; i < 2; i++)
		ledger.rows[i] = (struct frozen){
			.hold = HOLD_STOP,
			.pid = chain[i ? BOTTOM : TOP].pid,
			.start_time = chain[i ? BOTTOM : TOP].start_time,
		};
	is_int((int64_t)thaw_all(&left), 2, "a family is thawed");
	ok(does_chain_run(), "also who stopped himself with his child");
	memset(ledger.rows, 0, sizeof(ledger.rows));
}

/*
 * What /proc does not show is not gone as long as the kernel knows it: here
 * with a /proc that shows nobody.
 */
static void test_hidden(void)
{
	struct scratch nobody;
	size_t left;

	scratch_open(&nobody);
	is_int(freeze(), 0, "one that is frozen");
	ok(becomes(true), "and stands still");
	freezer.proc = nobody.directory;
	ok(!freezer_has_lost(&freezer, &child),
	   "is not lost when /proc does not show it");
	is_int(freezer_thaw(&freezer, &child), -EAGAIN,
	       "if it cannot be thawed then");
	ok(freezer_count(&freezer) == 1 && ledger_has_any(&ledger),
	   "it stays in the table");
	is_int((int64_t)ledger_thaw_all(&ledger, nobody.directory, -1,
					&log_to_nowhere, &left),
	       0, "nor does the guardian thaw it");
	is_int((int64_t)left, 1, "who counts it as left");
	freezer.proc = proc;
	is_int(freezer_thaw(&freezer, &child), 0, "then it is thawed");
	ok(becomes(false) && !freezer_count(&freezer), "and goes on");
	scratch_close(&nobody);

	ok(stop_is_gone(proc, child.pid, child.start_time + 1),
	   "a process of another start time is gone");
	ok(stop_is_gone(proc, -1, 1), "so is nobody's pid");
}

/* A parent that was stopped for its child, and cannot be let go on at once. */
static void test_waiter_left(void)
{
	struct scratch nobody;

	scratch_open(&nobody);
	stop_chain();
	ledger.rows[0] = (struct frozen){
		.pid = child.pid,
		.start_time = child.start_time,
		.cage = -1,
		.is_ordered = true,
		.waiters = {1},
		.waiter_count = 1,
	};
	ledger.rows[1] = (struct frozen){
		.hold = HOLD_STOP,
		.pid = chain[TOP].pid,
		.start_time = chain[TOP].start_time,
		.cage = -1,
		.needed = 1,
	};
	freezer.proc = nobody.directory;
	is_int(freezer_thaw(&freezer, &child), 0, "a child is let go on");
	freezer_try_again(&freezer);
	ok(freezer_count(&freezer) == 1 && is_one_stopped(chain[TOP].pid),
	   "its parent, who cannot be, stays in the table");
	freezer.proc = proc;
	freezer_try_again(&freezer);
	ok(one_becomes(chain[TOP].pid, false) && !freezer_count(&freezer) &&
		   !ledger_has_any(&ledger),
	   "and is tried again");
	(void)kill(chain[MIDDLE].pid, SIGCONT);
	(void)kill(chain[BOTTOM].pid, SIGCONT);
	scratch_close(&nobody);
}

int main(void)
{
	pid_t pid = need(fork(), "fork");

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	proc = need(directory_open("/proc"), "/proc");
	need(process_read(proc, pid, 4, &child), "a child");
	log_open_stderr(&log_to_nowhere);
	log_to_nowhere.file =
		need(open("/dev/null", O_WRONLY | O_CLOEXEC), "null");
	ledger.doorbell = need(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "bell");
	need(freezer_open(&freezer, &ledger, FREEZER_SIGNAL, proc, -1),
	     "a freezer");
	test_one();
	test_refused();
	test_full();
	test_nonsense();
	test_no_cgroups();
	start_chain();
	test_order();
	test_family();
	test_hidden();
	test_waiter_left();
	test_killed();
	(void)kill(chain[TOP].pid, SIGKILL);
	(void)waitpid(chain[TOP].pid, NULL, 0);
	test_files();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return done_testing();
}

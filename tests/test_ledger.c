/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is in the ledger, and when; test_guardian.c tests what for. */
#include "daemon/ledger.h"

#include "core/file.h"
#include "core/process.h"
#include "tests/scratch.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

static struct ledger ledger;
static struct process child;
static struct log log_to_nowhere;
static int proc;

static bool is_stopped(void)
{
	struct process now;

	return process_read(proc, child.pid, 4, &now) == 0 &&
	       process_is_stopped(&now);
}

/* A signal takes its time: up to a second. */
static bool becomes(bool stopped)
{
	for (int i = 0; i < 1000 && is_stopped() != stopped; i++)
		(void)usleep(1000);
	return is_stopped() == stopped;
}

static int freeze(const struct freezer *freezer)
{
	return ledger_freeze(&ledger, freezer, proc, child.pid,
			     child.start_time);
}

static int thaw(void)
{
	return ledger_thaw(&ledger, &freezer_signal, proc, child.pid,
			   child.start_time);
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
	is_int(freeze(&freezer_signal), 0, "one is frozen");
	ok(becomes(true) && ledger_has_any(&ledger), "and is in it");
	is_int(rings(), 1, "which rings");
	is_int((int64_t)ledger_thaw_all(&ledger, proc, &log_to_nowhere, &left),
	       1, "all are thawed by it");
	is_int((int64_t)left, 0, "none is left");
	ok(becomes(false), "nor stopped");
	ok(ledger_has_any(&ledger), "who is thawed by it stays in it");
	is_int(thaw(), 0, "one is thawed by the worker");
	ok(!ledger_has_any(&ledger), "and in it no more");

	is_int(freeze(&freezer_dry_run), 0, "a dry run");
	ok(!is_stopped() && ledger_has_any(&ledger), "is entered likewise");
	ledger_forget(&ledger, child.pid, child.start_time + 1);
	ok(ledger_has_any(&ledger), "another with its pid is not struck out");
	ledger_forget(&ledger, child.pid, child.start_time);
	ok(!ledger_has_any(&ledger), "it itself is");
}

static void test_refused(void)
{
	static const struct freezer strange = {.method = "strange"};

	(void)rings();
	is_int(freeze(&strange), -EINVAL, "by a method that it does not know");
	is_int(ledger_freeze(&ledger, &freezer_signal, proc, child.pid,
			     child.start_time + 1),
	       -ESRCH, "one who is gone");
	(void)kill(child.pid, SIGSTOP);
	(void)becomes(true);
	is_int(freeze(&freezer_signal), -EALREADY,
	       "who was stopped by somebody else");
	ok(!ledger_has_any(&ledger), "nobody of them is entered");
	is_int(rings(), 0, "not even for a moment");
	(void)kill(child.pid, SIGCONT);
}

static void test_full(void)
{
	size_t left = 0;

	for (int i = 0; i < STATE_FROZEN; i++)
		if (freeze(&freezer_dry_run))
			left++;
	is_int((int64_t)left, 0, "there is room for %d", STATE_FROZEN);
	is_int(rings(), 1, "only the first rings");
	is_int(freeze(&freezer_signal), -ENOSPC, "then it is full");
	ok(!is_stopped(), "and nobody is frozen");
	ledger_forget(&ledger, child.pid, child.start_time);
	ok(!ledger_has_any(&ledger), "who is forgotten is forgotten for good");
}

/* As a worker may leave it that has gone mad. */
static void test_nonsense(void)
{
	size_t left;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		ledger.entries[i] = (struct ledger_entry){
			.method = i % 2 ? 1 : 4711,
			.pid = i % 4 == 1 ? -1 : (pid_t)-i,
			.start_time = i,
		};
	is_int((int64_t)ledger_thaw_all(&ledger, proc, &log_to_nowhere, &left),
	       0, "nonsense in it thaws nobody");
	is_int((int64_t)left, 0, "and all of it is passed over");
	memset(ledger.entries, 0, sizeof(ledger.entries));
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
	test_one();
	test_refused();
	test_full();
	test_nonsense();
	test_files();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return done_testing();
}

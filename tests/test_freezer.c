/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests freezing and thawing of our own children, by each method. */
#include "daemon/freezer.h"

#include "core/cgroup.h"
#include "core/file.h"
#include "daemon/cage.h"
#include "tests/scratch.h"

#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct ledger ledger = {.doorbell = -1};
static int proc;

static void handle(int number)
{
	(void)number;
}

/* A child that waits for ever, and survives SIGTERM; its start time too. */
static pid_t start_child(uint64_t *start_time)
{
	struct process process;

	(void)signal(SIGTERM, handle); /* before it can be frozen */

	pid_t child = need(fork(), "fork");

	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	(void)signal(SIGTERM, SIG_DFL);
	/* ^Z stops nobody in a process group without a parent in its session */
	need(setpgid(child, child), "setpgid");
	need(process_read(proc, child, 4, &process), "stat of a child");
	*start_time = process.start_time;
	return child;
}

/* Waits up to a second until the state is reached. */
static bool reaches(pid_t pid, char state)
{
	struct process process;

	for (int i = 0; i < 1000; i++) {
		if (process_read(proc, pid, 4, &process) == 0 &&
		    process.state == state)
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void end_child(pid_t child)
{
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void test_signal(const char *how)
{
	uint64_t start_time;
	pid_t child = start_child(&start_time);

	is_int(stop_process(proc, child, start_time + 1), -ESRCH,
	       "%s: another start time is another process", how);
	ok(reaches(child, 'S'), "%s: which is not stopped", how);
	is_int(stop_process(proc, child, start_time), 0,
	       "%s: a process is stopped", how);
	ok(reaches(child, 'T'), "%s: and is", how);
	is_int(stop_process(proc, child, start_time), -EALREADY,
	       "%s: one that is stopped already is not ours", how);
	is_int(stop_release(proc, child, start_time + 1), -ESRCH,
	       "%s: nor is another continued", how);
	ok(reaches(child, 'T'), "%s: it stays stopped", how);
	is_int(stop_release(proc, child, start_time), 0,
	       "%s: a process is continued", how);
	ok(reaches(child, 'S'), "%s: and runs", how);
	(void)kill(child, SIGKILL);
	ok(reaches(child, 'Z'), "%s: when it has ended", how);
	is_int(stop_process(proc, child, start_time), -ESRCH,
	       "%s: a zombie is gone", how);
	end_child(child);
	is_int(stop_release(proc, child, start_time), -ESRCH,
	       "%s: who is gone is told", how);
}

/* From here on that system call fails. */
static int forbid(unsigned call, unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* A cgroup of our own, with a child in it. */
struct ground {
	int top, cgroup; /* the tree's root, and ours in it */
	char name[64], cage[96];
	pid_t child;
	struct process process;
};

static int write_to(int directory, const char *name, const char *text)
{
	int file = openat(directory, name, O_WRONLY | O_CLOEXEC);
	ssize_t count = file < 0 ? -1 : write(file, text, strlen(text));

	if (file >= 0)
		(void)close(file);
	return count < 0 ? -1 : 0;
}

static int put(int directory, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	return write_to(directory, "cgroup.procs", text);
}

static int open_top(void)
{
	struct cgroups cgroups;

	cgroups_open(&cgroups, CGROUP_ROOT);
	if (cgroups.v1 >= 0)
		(void)close(cgroups.v1);
	return cgroups.v2;
}

static void ground_begin(struct ground *ground)
{
	uint64_t start_time;

	ground->top = open_top();
	(void)snprintf(ground->name, sizeof(ground->name),
		       "thrash-protect-test.%d", (int)getpid());
	need(mkdirat(ground->top, ground->name, 0755), ground->name);
	ground->cgroup =
		need(openat(ground->top, ground->name, O_DIRECTORY | O_CLOEXEC),
		     ground->name);
	ground->child = start_child(&start_time);
	need(put(ground->cgroup, ground->child), "cgroup.procs");
	need(process_read(proc, ground->child, 4, &ground->process), "stat");
	(void)snprintf(ground->cage, sizeof(ground->cage),
		       "thrash-protect.%d.%llu", (int)ground->child,
		       (unsigned long long)start_time);
}

static void ground_end(struct ground *ground)
{
	static const char *const left[] = {"deeper/", ""};

	end_child(ground->child);
	for (size_t i = 0; i < COUNT(left); i++) { /* by a test that failed */
		char cage[128];

		(void)snprintf(cage, sizeof(cage), "%s%s", left[i],
			       ground->cage);
		(void)unlinkat(ground->cgroup, cage, AT_REMOVEDIR);
		(void)unlinkat(ground->cgroup, "deeper", AT_REMOVEDIR);
	}
	(void)close(ground->cgroup);
	ok(unlinkat(ground->top, ground->name, AT_REMOVEDIR) == 0,
	   "nothing is left in the cgroup");
	(void)close(ground->top);
}

static bool has_cage(const struct ground *ground)
{
	return faccessat(ground->cgroup, ground->cage, F_OK, 0) == 0;
}

/* Whether the child is in the cgroup itself, or in that one below it. */
static bool is_at(const struct ground *ground, const char *below)
{
	char path[PATH_MAX], wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "/%s%s%s", ground->name,
		       below[0] ? "/" : "", below);
	return cgroup_read_path(proc, ground->child, path) == 0 &&
	       strlen(path) >= strlen(wanted) &&
	       strcmp(path + strlen(path) - strlen(wanted), wanted) == 0;
}

static int cage_child(const struct ground *ground)
{
	return cage_freeze(ground->top, proc, ground->child,
			   ground->process.start_time);
}

static int thaw_child(const struct ground *ground, int cage)
{
	return cage_thaw(cage, ground->child, ground->process.start_time);
}

static bool comes_to_hold(int cage, pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		if (cage_holds(cage, pid))
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void test_cage(void)
{
	struct ground g;
	int cage;

	ground_begin(&g);
	is_int(cage_freeze(g.top, proc, g.child, g.process.start_time + 1),
	       -ESRCH, "cage: another start time is another process");
	ok(is_at(&g, "") && !has_cage(&g), "cage: which stays where it is");
	cage = cage_child(&g);
	ok(cage >= 0, "cage: a process is frozen (%d)", cage);
	ok(comes_to_hold(cage, g.child), "cage: it stands still");
	ok(!cage_holds(cage, getpid()), "cage: which is said of no other");
	ok(is_at(&g, g.cage), "cage: in a cgroup with its pid and start time");
	ok(reaches(g.child, 'S'), "cage: it looks as if it were asleep");
	is_int(waitpid(g.child, NULL, WUNTRACED | WNOHANG), 0,
	       "cage: its parent is not told");
	(void)kill(g.child, SIGCONT);
	ok(comes_to_hold(cage, g.child), "cage: SIGCONT does not undo it");
	is_int(thaw_child(&g, cage), 0, "cage: it is thawed");
	ok(is_at(&g, "") && !has_cage(&g),
	   "cage: and back, and the cage is gone");
	(void)kill(g.child, SIGSTOP);
	ok(reaches(g.child, 'T'), "cage: it runs, so that it can be stopped");
	is_int(cage_child(&g), -EALREADY,
	       "cage: who is stopped already is not ours");
	(void)kill(g.child, SIGCONT);
	ground_end(&g);
}

static void test_cage_ends(void)
{
	struct ground g;
	char freeze[128];
	int cage;

	ground_begin(&g);
	cage = cage_child(&g);
	(void)kill(g.child, SIGKILL);
	ok(reaches(g.child, 'Z'), "cage: who is in it can be killed");
	is_int(thaw_child(&g, cage), 0, "cage: an empty one is removed");
	ok(!has_cage(&g), "cage: and gone");
	ground_end(&g);

	ground_begin(&g);
	cage = cage_child(&g);
	(void)snprintf(freeze, sizeof(freeze), "%s/cgroup.freeze", g.cage);
	need(write_to(g.cgroup, freeze, "0"), freeze);
	ok(!comes_to_hold(cage, g.child),
	   "cage: nobody stands still in one that somebody has opened");
	need(put(g.cgroup, g.child), "cgroup.procs");
	ok(!cage_holds(cage, g.child),
	   "cage: who was moved out of it does not stand still");
	is_int(thaw_child(&g, cage), 0, "cage: it is removed all the same");
	ground_end(&g);
}

/* More than one process, as when somebody else has put more in there. */
static void test_crowd(void)
{
	struct ground g;
	uint64_t start_time;
	pid_t others[40];
	char path[PATH_MAX];
	int cage, wrong = 0;

	ground_begin(&g);
	cage = cage_child(&g);
	for (size_t i = 0; i < COUNT(others); i++) {
		int directory = openat(g.cgroup, g.cage, O_DIRECTORY);

		others[i] = start_child(&start_time);
		need(put(directory, others[i]), "cgroup.procs");
		(void)close(directory);
	}
	is_int(thaw_child(&g, cage), 0, "cage: all who are in it are thawed");
	for (size_t i = 0; i < COUNT(others); i++) {
		wrong += cgroup_read_path(proc, others[i], path) != 0 ||
			 strstr(path, "/thrash-protect.") != NULL;
		end_child(others[i]);
	}
	is_int(wrong, 0, "cage: and moved back");
	ok(!has_cage(&g), "cage: which is removed then");
	ground_end(&g);
}

/* Whoever owns the cgroup may have been there first. */
static void test_planted(void)
{
	struct ground g;

	ground_begin(&g);
	need(mkdirat(g.cgroup, g.cage, 0755), g.cage);
	is_int(cage_child(&g), -EEXIST,
	       "cage: one that is there already is not used");
	ok(has_cage(&g) && is_at(&g, ""), "cage: nor removed");
	ground_end(&g);

	ground_begin(&g);
	need(put(g.top, g.child), "cgroup.procs"); /* or it would not change */
	need(write_to(g.cgroup, "cgroup.type", "threaded"), "cgroup.type");
	need(put(g.cgroup, g.child), "cgroup.procs");
	is_int(cage_child(&g), -ENOTSUP,
	       "cage: a cgroup for threads can have none below it");
	ok(!has_cage(&g), "cage: and has none");
	ground_end(&g);
}

/* What stands in for the tree where nobody is in a cgroup but the root. */
static void test_no_ground(void)
{
	struct scratch scratch;
	uint64_t start_time;
	pid_t child = start_child(&start_time);
	char path[PATH_MAX];

	is_int(cages_check(-1, proc), -ENOENT, "no cgroups: no cages");
	scratch_open(&scratch);
	is_int(cages_check(scratch.directory, proc), -ENOTSUP,
	       "what is no tree of version 2 has no cages");
	if (cgroup_read_path(proc, child, path) == 0 &&
	    strcmp(path, "/") == 0) {
		scratch_write(scratch.directory, "cgroup.subtree_control",
			      "memory pids\n", 12, 0644);
		is_int(cage_freeze(scratch.directory, proc, child, start_time),
		       -EBUSY, "no cage where controllers are handed on");
	} else {
		skip("this is not the root of cgroups");
	}
	scratch_close(&scratch);
	end_child(child);
}

static void test_left_behind(void)
{
	struct ground g;
	struct log log;
	int cage, below;

	log_open_stderr(&log);
	log.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
	ground_begin(&g);
	cage = cage_child(&g);
	(void)close(cage); /* whoever had it is dead */
	cages_empty(g.cgroup, NULL, NULL, &log);
	ok(is_at(&g, "") && !has_cage(&g),
	   "cages left behind are emptied and removed");
	need(mkdirat(g.cgroup, "deeper", 0755), "deeper");
	below = need(openat(g.cgroup, "deeper", O_DIRECTORY), "deeper");
	need(put(below, g.child), "cgroup.procs");
	cage = cage_child(&g);
	(void)close(cage);
	cages_empty(g.cgroup, NULL, NULL, &log);
	ok(is_at(&g, "deeper"), "also further down");
	need(put(g.cgroup, g.child), "cgroup.procs");
	(void)close(below);
	ok(unlinkat(g.cgroup, "deeper", AT_REMOVEDIR) == 0,
	   "where no cage is left");
	need(mkdirat(g.cgroup, "thrash-protect.x.1", 0755), "mkdir");
	cages_empty(g.cgroup, NULL, NULL, &log);
	ok(unlinkat(g.cgroup, "thrash-protect.x.1", AT_REMOVEDIR) == 0,
	   "other cgroups are let alone");
	(void)close(log.file);
	ground_end(&g);
}

static bool is_that_one(const void *context, pid_t pid, uint64_t start_time)
{
	const struct process *process = context;

	return process->pid == pid && process->start_time == start_time;
}

/* Another daemon, that lives until it is killed. */
static pid_t start_holder(const struct ground *ground)
{
	pid_t holder = need(fork(), "fork");

	if (holder == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cage_child(ground) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	for (int i = 0; i < 1000 && !is_at(ground, ground->cage); i++)
		(void)usleep(1000);
	return holder;
}

static void test_held(void)
{
	struct ground g;
	struct process other;
	struct log log;
	pid_t holder;

	log_open_stderr(&log);
	log.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
	ground_begin(&g);
	other = g.process;
	other.start_time++;
	holder = start_holder(&g);
	is_int(cages_empty(g.cgroup, NULL, NULL, &log), 0,
	       "a cage that is held is passed over");
	is_int(cages_empty(g.cgroup, is_that_one, &other, &log), 0,
	       "also where others are wanted");
	ok(is_at(&g, g.cage), "who is in there stays frozen");
	is_int(cages_empty(g.cgroup, is_that_one, &g.process, &log), 0,
	       "one that is wanted is emptied");
	ok(is_at(&g, "") && !has_cage(&g), "and removed");
	end_child(holder);

	holder = start_holder(&g);
	end_child(holder);
	ok(is_at(&g, g.cage), "one whose holder was killed");
	is_int(cages_empty(g.cgroup, NULL, NULL, &log), 0,
	       "is held no more, so it is emptied");
	ok(is_at(&g, "") && !has_cage(&g), "and removed");
	log_close(&log);
	ground_end(&g);
}

/* As the owner of the cgroup around the cage: 0 if he may as he should. */
static int open_as_owner(void *argument)
{
	const struct ground *ground = argument;
	char procs[128];

	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", ground->cage);
	if (fchown(ground->cgroup, 65534, 65534) != 0 ||
	    setresgid(65534, 65534, 65534) != 0 ||
	    setresuid(65534, 65534, 65534) != 0)
		return CHILD_SKIPS;
	if (openat(ground->cgroup, ground->cage, O_RDONLY) >= 0 ||
	    errno != EACCES)
		return 1;
	return openat(ground->cgroup, procs, O_RDONLY) < 0 ? 2 : 0;
}

static void test_owner(void)
{
	struct ground g;
	int cage, result;

	ground_begin(&g);
	cage = cage_child(&g);
	result = child_run(open_as_owner, &g);
	if (result == CHILD_SKIPS)
		skip("nobody else can be played here");
	else
		is_int(result, 0,
		       "who owns the cgroup around a cage can see who is in "
		       "there, but not hold it");
	is_int(thaw_child(&g, cage), 0, "(it was there)");
	ground_end(&g);
}

/* Looking for what was left behind where a system call fails. */
struct hindrance {
	int cgroup;
	unsigned call;
};

static int empty_hindered(void *argument)
{
	const struct hindrance *hindrance = argument;
	struct log log;

	log_open_stderr(&log);
	if (forbid(hindrance->call, EIO) != 0)
		return CHILD_SKIPS;
	return -cages_empty(hindrance->cgroup, NULL, NULL, &log);
}

static void test_hindered(void)
{
	static const struct {
		unsigned call;
		const char *name;
	} rows[] = {
		{SYS_fstatfs, "fstatfs"},
		{SYS_getdents64, "getdents64"},
		{SYS_lseek, "lseek"},
		{SYS_openat, "openat"},
	};
	struct ground g;
	int cage;

	ground_begin(&g);
	cage = cage_child(&g);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct hindrance hindrance = {g.cgroup, rows[i].call};
		int result = child_run(empty_hindered, &hindrance);

		if (result == CHILD_SKIPS)
			skip("no seccomp here to take %s away", rows[i].name);
		else
			is_int(result, EIO, "%s fails: that is said",
			       rows[i].name);
	}
	is_int(thaw_child(&g, cage), 0, "and who was frozen is not lost");
	ground_end(&g);
}

static void open_freezer(struct freezer *freezer, enum freezer_choice choice,
			 int top)
{
	is_int(freezer_open(freezer, &ledger, choice, proc, top), 0,
	       "the freezer is there");
}

/* What is seen of the child, or 0. */
static char seen_state(const struct freezer *freezer, struct ground *ground)
{
	struct process now;

	for (int i = 0; i < 50; i++) {
		need(process_read(proc, ground->child, 4, &now), "stat");
		freezer_see(freezer, &now);
		if (now.state == 'T')
			break;
		(void)usleep(1000);
	}
	return now.state;
}

/* The table, with either method. */
static void test_freezer(enum freezer_choice choice)
{
	static struct freezer freezer;
	struct ground g;
	const char *how = choice == FREEZER_SIGNAL ? "signal" : "cgroup";

	ground_begin(&g);
	open_freezer(&freezer, choice, g.top);
	is_int(freezer_freeze(&freezer, &g.process), -EBUSY,
	       "%s: who was not prepared is not frozen", how);
	is_int(freezer_prepare(&freezer, &g.process, 1000), 0,
	       "%s: one is prepared", how);
	ok(freezer_count(&freezer) == 1 && ledger.rows[0].pid == g.child &&
		   ledger.rows[0].is_ordered,
	   "%s: it is in the table first", how);
	ok(!ledger_has_any(&ledger), "%s: but not held yet", how);
	is_text(freeze_method_name((enum freeze_method)ledger.rows[0].method),
		how, "%s: with its method", how);
	is_int(freezer_freeze(&freezer, &g.process), 0, "%s: it is frozen",
	       how);
	is_int(seen_state(&freezer, &g), 'T', "%s: and is seen as stopped",
	       how);
	ok(ledger_has_any(&ledger), "%s: and held", how);
	(void)kill(g.child, SIGTERM);
	is_int(seen_state(&freezer, &g), PROCESS_WANTED,
	       "%s: who is asked to end is seen as wanted", how);
	is_int(freezer_thaw(&freezer, &g.process), 0, "%s: it is thawed", how);
	is_int((int64_t)freezer_count(&freezer), 0, "%s: and not in the table",
	       how);
	ok(!ledger_has_any(&ledger), "%s: nor held", how);
	ok(reaches(g.child, 'S') && is_at(&g, ""), "%s: it runs", how);
	is_int(freezer_thaw(&freezer, &g.process), 0,
	       "%s: who is not frozen is thawed already", how);

	is_int(freezer_prepare(&freezer, &g.process, 1000), 0, "%s: again",
	       how);
	is_int(freezer_freeze(&freezer, &g.process), 0, "%s: it is frozen",
	       how);
	is_int(seen_state(&freezer, &g), 'T', "%s: as before", how);
	(void)kill(g.child, SIGTSTP);
	is_int(freezer_thaw(&freezer, &g.process), 0, "%s: it is thawed", how);
	ok(reaches(g.child, 'T'),
	   "%s: who was stopped by its user meanwhile stays so", how);
	is_int(freezer_prepare(&freezer, &g.process, 1000), 0, "%s: again",
	       how);
	is_int(freezer_freeze(&freezer, &g.process), -EALREADY,
	       "%s: and is not ours", how);
	is_int((int64_t)freezer_count(&freezer), 0, "%s: nor in the table",
	       how);
	(void)kill(g.child, SIGCONT);
	freezer_close(&freezer);
	ground_end(&g);
}

/* It may be dying, and long about it. */
static void test_worker_that_holds(void)
{
	static struct freezer freezer;
	struct ground g;
	struct log log;
	size_t left;

	log_open_stderr(&log);
	log.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
	ground_begin(&g);
	open_freezer(&freezer, FREEZER_CGROUP, g.top);
	is_int(freezer_prepare(&freezer, &g.process, 1000), 0, "one is");
	is_int(freezer_freeze(&freezer, &g.process), 0, "frozen by cgroup");
	is_int((int64_t)ledger_thaw_all(&ledger, proc, g.top, &log, &left), 1,
	       "its worker's guardian thaws it, though the worker is there");
	ok(!left && is_at(&g, "") && !has_cage(&g), "and nobody is left");
	is_int(freezer_thaw(&freezer, &g.process), 0, "nor thawed again");
	freezer_close(&freezer);
	log_close(&log);
	ground_end(&g);
}

static void test_fall_back(void)
{
	static struct freezer freezer;
	struct ground g;

	ground_begin(&g);
	need(mkdirat(g.cgroup, g.cage, 0755), g.cage);
	open_freezer(&freezer, FREEZER_AUTO, g.top);
	is_int(freezer_prepare(&freezer, &g.process, 1000), 0,
	       "auto: where there can be no cage");
	is_int(freezer_freeze(&freezer, &g.process), -EAGAIN,
	       "auto: there is another method");
	ok(freezer_count(&freezer) == 1 &&
		   ledger.rows[0].method == FREEZE_SIGNAL,
	   "auto: which is in the table first");
	is_int(freezer_freeze(&freezer, &g.process), 0, "auto: then used");
	ok(reaches(g.child, 'T'), "auto: it is stopped");
	is_int(freezer_thaw(&freezer, &g.process), 0, "auto: and thawed");
	ok(reaches(g.child, 'S'), "auto: and runs");

	open_freezer(&freezer, FREEZER_CGROUP, g.top);
	is_int(freezer_prepare(&freezer, &g.process, 1000), 0,
	       "cgroup: where there can be no cage");
	is_int(freezer_freeze(&freezer, &g.process), -EEXIST,
	       "cgroup: there is no other method");
	ok(!freezer_count(&freezer) && reaches(g.child, 'S'),
	   "cgroup: nobody is frozen");
	ground_end(&g);
}

static void test_dry_run(void)
{
	static struct freezer freezer;
	struct process process;
	uint64_t start_time;
	pid_t child = start_child(&start_time);

	need(process_read(proc, child, 4, &process), "stat");
	freezer_open_dry_run(&freezer, &ledger);
	is_int(freezer_prepare(&freezer, &process, 1000), 0, "a dry run");
	is_int(freezer_freeze(&freezer, &process), 0, "succeeds");
	is_text(freeze_method_name((enum freeze_method)ledger.rows[0].method),
		"dry-run", "which it says");
	ok(reaches(child, 'S'), "and does nothing");
	is_int(freezer_thaw(&freezer, &process), 0, "nor to thaw");
	end_child(child);
}

static void test_cgroups(void)
{
	int top = open_top(), error = cages_check(top, proc);

	if (top >= 0)
		(void)close(top);
	if (error || geteuid() != 0) {
		skip("no cgroup can be made here: %s",
		     error ? strerror(-error) : "that needs root");
		return;
	}
	test_cage();
	test_cage_ends();
	test_crowd();
	test_planted();
	test_left_behind();
	test_held();
	test_owner();
	test_hindered();
	test_freezer(FREEZER_CGROUP);
	test_freezer(FREEZER_SIGNAL);
	test_worker_that_holds();
	test_fall_back();
}

int main(void)
{
	proc = need(directory_open("/proc"), "/proc");
	test_signal("pidfd");
	test_dry_run();
	test_no_ground();
	test_cgroups();
	/* as it was before Linux 5.3 */
	if (forbid(434, ENOSYS) == 0)
		test_signal("without pidfd");
	else
		skip("no seccomp here to take pidfd away");
	return done_testing();
}

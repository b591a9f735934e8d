/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests stopping and continuing of our own children, with and without pidfd. */
#include "daemon/freezer.h"

#include "core/file.h"
#include "core/process.h"
#include "tests/scratch.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int proc;

/* A child that waits for ever; its start time too. */
static pid_t start_child(uint64_t *start_time)
{
	struct process process;
	pid_t child = need(fork(), "fork");

	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
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

	is_int(freezer_signal.freeze(proc, child, start_time + 1), -ESRCH,
	       "%s: another start time is another process", how);
	ok(reaches(child, 'S'), "%s: which is not stopped", how);
	is_int(freezer_signal.freeze(proc, child, start_time), 0,
	       "%s: a process is stopped", how);
	ok(reaches(child, 'T'), "%s: and is", how);
	is_int(freezer_signal.freeze(proc, child, start_time), -EALREADY,
	       "%s: one that is stopped already is not ours", how);
	is_int(freezer_signal.thaw(proc, child, start_time + 1), -ESRCH,
	       "%s: nor is another continued", how);
	ok(reaches(child, 'T'), "%s: it stays stopped", how);
	is_int(freezer_signal.thaw(proc, child, start_time), 0,
	       "%s: a process is continued", how);
	ok(reaches(child, 'S'), "%s: and runs", how);
	(void)kill(child, SIGKILL);
	ok(reaches(child, 'Z'), "%s: when it has ended", how);
	is_int(freezer_signal.freeze(proc, child, start_time), -ESRCH,
	       "%s: a zombie is gone", how);
	end_child(child);
	is_int(freezer_signal.thaw(proc, child, start_time), -ESRCH,
	       "%s: who is gone is told", how);
}

/* From here on pidfd_open() is what it was before Linux 5.3. */
static int forbid_pidfd(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 434, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void test_dry_run(void)
{
	uint64_t start_time;
	pid_t child = start_child(&start_time);

	is_int(freezer_dry_run.freeze(proc, child, start_time), 0,
	       "a dry run succeeds");
	ok(reaches(child, 'S'), "and does nothing");
	end_child(child);
}

int main(void)
{
	proc = need(directory_open("/proc"), "/proc");
	test_signal("pidfd");
	test_dry_run();
	if (forbid_pidfd() == 0)
		test_signal("without pidfd");
	else
		skip("no seccomp here to take pidfd away");
	return done_testing();
}

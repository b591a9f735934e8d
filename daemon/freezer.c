/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stops and continues processes. */
#include "daemon/freezer.h"

#include "core/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc has wrappers since 2.36 only; the numbers are the same everywhere. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int check(int proc, pid_t pid, uint64_t start_time, bool may_be_stopped)
{
	struct process process;
	int error = process_find(proc, pid, start_time, 1, &process);

	if (error)
		return error;
	return process_is_stopped(&process) && !may_be_stopped ? -EALREADY : 0;
}

static int result_of(long result)
{
	return result == 0 ? 0 : -errno;
}

static int send_signal(int proc, pid_t pid, uint64_t start_time, int number)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 && errno == ESRCH)
		return -ESRCH;

	/* looked at after it was opened: now the two mean the same process */
	int error = check(proc, pid, start_time, number == SIGCONT);

	if (!error)
		error = result_of(pidfd < 0 ? kill(pid, number)
					    : syscall(SYS_pidfd_send_signal,
						      pidfd, number, NULL, 0));
	if (pidfd >= 0)
		(void)close(pidfd);
	return error;
}

static int signal_freeze(int proc, pid_t pid, uint64_t start_time)
{
	return send_signal(proc, pid, start_time, SIGSTOP);
}

static int signal_thaw(int proc, pid_t pid, uint64_t start_time)
{
	return send_signal(proc, pid, start_time, SIGCONT);
}

static int dry_run(int proc, pid_t pid, uint64_t start_time)
{
	(void)proc, (void)pid, (void)start_time;
	return 0;
}

const struct freezer freezer_signal = {"signal", signal_freeze, signal_thaw};
const struct freezer freezer_dry_run = {"dry-run", dry_run, dry_run};

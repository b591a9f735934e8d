/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stops a process with SIGSTOP, through a pidfd (Linux 5.3), which cannot come
 * to mean another process.  Without one the start time is compared right
 * before the signal.
 *
 * A parent may notice.  A shell that waits for its foreground job is told of
 * the stop, prints "Stopped", takes the terminal back, and what we continue
 * later is a background job that stops at once when it reads from there; sudo
 * and su stop themselves, which their shell is told of in turn.  So these are
 * stopped first and continued last.  That takes nothing from their users:
 * they wait for this very job anyhow, and who presses ^C or ^Z at it is seen
 * by stop_is_wanted(), whereupon all of them go on.
 *
 * The shell of a background job is in use and never stopped; it may mention
 * the stop at its next prompt.  A parent that continues its children as soon
 * as they stop (a terminal multiplexer its shells) cannot be waited out: what
 * is in the foreground there is not stopped at all.
 *
 * Who waits in the foreground is told by session, terminal and process group;
 * who stops itself, or continues others, by name only: nothing else says it.
 */
#ifndef THRASH_DAEMON_STOP_H
#define THRASH_DAEMON_STOP_H

#include "core/process.h"

enum {
	/* A shell, sudo and its monitor, a shell again. */
	STOP_WAITERS = 6,
	/* A waiter that does not stop by then is in trouble itself. */
	STOP_AWAIT_MS = 20,
};

/*
 * Those that must be stopped before the process is, the nearest first.  0;
 * -EBUSY when one of them cannot be; -ESRCH when the process is gone.
 */
int stop_find_waiters(int proc, pid_t pid, uint64_t start_time,
		      struct process waiters[STOP_WAITERS], size_t *count);

/*
 * 0; -ESRCH when that process is gone; -EALREADY when somebody has stopped it,
 * so that it is not ours to continue.
 */
int stop_check(int proc, pid_t pid, uint64_t start_time);

/* The same, then stops it; or what the kernel says. */
int stop_process(int proc, pid_t pid, uint64_t start_time);

/* After stop_process(), until it stands still; -ETIMEDOUT. */
int stop_await(int proc, pid_t pid, uint64_t start_time);

/*
 * Whether there is no such process any more.  Who is held to be gone is let go
 * on by nobody, so two ways of asking must agree.
 */
bool stop_is_gone(int proc, pid_t pid, uint64_t start_time);

/*
 * Lets it go on, unless its user has stopped it meanwhile.  0; -ESRCH when it
 * is gone; after any other error it is to be tried again.
 */
int stop_release(int proc, pid_t pid, uint64_t start_time);

/* One that was stopped. */
struct stopped {
	pid_t pid;
	uint64_t start_time;
	void *whose; /* the caller's; not looked at */
	/* filled in: */
	int error; /* of stop_release(), and for those that stopped with it */
	unsigned depth; /* how many ancestors it has */
};

/* Whether somebody is to stay as he is. */
typedef bool stop_filter(const void *context, pid_t pid, uint64_t start_time);

/*
 * Lets all go on, children before their parents, so that each finds that what
 * it waits for goes on; and who stopped himself with one of them, unless that
 * one is kept (NULL: nobody is).  Sorts items.
 */
void stop_release_all(int proc, struct stopped *items, size_t count,
		      stop_filter *is_kept, const void *context);

/*
 * Whether the parent stands still too, which after stop_release() is one that
 * stopped itself when its child was stopped: 1, 0, or -errno.
 */
int stop_is_followed(int proc, pid_t pid, struct process *parent);

/*
 * Whether a signal waits for a process that stands still, at which it should
 * end or, for its user, stop: somebody wants it to go on.
 */
bool stop_is_wanted(int proc, pid_t pid);

#endif

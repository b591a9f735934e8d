/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guardian: the process that was started, and that the service manager
 * knows.  It forks the worker, which does everything else, and sleeps.  When
 * the worker dies in whatever way, or does not get on while somebody is
 * frozen, the guardian thaws whom the ledger names, removes what the worker
 * has published, and fails, so that the service manager starts both anew; it
 * never starts a second worker itself.  When the guardian dies, the worker
 * thaws everybody and fails as well.
 *
 * It allocates nothing, and while nobody is frozen it waits without a timer.
 */
#ifndef THRASH_DAEMON_GUARDIAN_H
#define THRASH_DAEMON_GUARDIAN_H

#include "core/cgroup.h"
#include "core/log.h"
#include "core/problem.h"
#include "daemon/ledger.h"

enum {
	/*
	 * A worker whose turn is late by so much hangs, if somebody is frozen.
	 * Twice the worst gap of one that did not (measured: 4.6 s, locked
	 * into memory, on a host that thrashes on a network volume); who is
	 * frozen in vain waits no longer than most people would.
	 */
	GUARDIAN_LATE_MS = 10000,
	/*
	 * Then it is given so much more: both may have been stopped together,
	 * with their container or virtual machine, and we woke first.
	 */
	GUARDIAN_GRACE_MS = 1000,
	/*
	 * A worker that was killed dies when its system call is over.  What it
	 * holds is wanted by the next one, so we wait for that, if not long.
	 */
	GUARDIAN_REAP_MS = 5000,
	/*
	 * Whom it cannot thaw, or what it cannot remove, is tried again: there
	 * may be no memory, or no descriptor, for a moment.
	 */
	GUARDIAN_TRIES = 3,
	GUARDIAN_AGAIN_MS = 50,
};

struct guardian {
	struct ledger *ledger; /* shared; owned by both */
	/*
	 * Each process has its end of a pipe.  The worker's becomes readable
	 * when the guardian is gone: unlike a signal for the parent's death
	 * that needs no luck with threads, user ids or the moment, and unlike
	 * a pidfd it is as old as poll().
	 */
	int lifeline;
	int signals;            /* the guardian's signalfd */
	int proc;               /* the guardian's directory descriptor */
	struct cgroups cgroups; /* the guardian's */
	pid_t worker;
	int status;            /* of waitpid(); -1: it lives */
	bool is_ending;        /* it was told to */
	uint64_t suspected_us; /* since when it is seen to be late; 0: not */
	uint64_t watchdog_us;  /* 0: nobody wants to hear */
	uint64_t told_us;      /* when it last heard */
	unsigned ready_total;  /* told so far */
};

/*
 * Becomes two processes.  The worker's pid in the guardian, 0 in the worker;
 * -errno with *problem, and then there is one still.  Both have the signals
 * that end or reload blocked, to be read from a signalfd.
 */
pid_t guardian_fork(struct guardian *guardian, const char *proc,
		    struct problem *problem);

/* A signalfd for the signals that end or reload; -errno. */
int guardian_open_signals(void);

/* Waits for the worker's end; the exit status. */
int guardian_watch(struct guardian *guardian, struct log *log);

/* At the end of each process: the ledger and the lifeline are gone for it. */
void guardian_close(struct guardian *guardian);

#endif

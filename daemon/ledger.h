/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger: who is frozen at this moment, in memory that the worker shares
 * with its guardian.  A process is entered before it is frozen and struck out
 * after it was thawed, each in one store, so that whoever reads it finds
 * everybody who may be frozen, wherever the writer was when it died.  It also
 * has the worker's heartbeat, and what of its files the guardian is to remove.
 *
 * The state file holds the same for those who come when both are gone.
 */
#ifndef THRASH_DAEMON_LEDGER_H
#define THRASH_DAEMON_LEDGER_H

#include "core/log.h"
#include "core/state.h"
#include "daemon/freezer.h"

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>

struct ledger_entry {
	atomic_uint method; /* which freezer; 0: nobody; stored last */
	pid_t pid;
	uint64_t start_time;
};

struct ledger {
	int doorbell; /* an eventfd that calls the guardian; -1: none */
	/* of CLOCK_MONOTONIC: when the worker's next turn should begin */
	_Atomic uint64_t due_us;
	atomic_uint ready_total; /* how often it has opened everything */
	struct ledger_entry entries[STATE_FROZEN];
	/* what is not needed for thawing */
	atomic_bool has_files; /* these two are the worker's own */
	char run_dir[PATH_MAX], marker[PATH_MAX];
};

/* Without what the end of the worker can bring in again. */
#define LEDGER_URGENT_BYTES offsetof(struct ledger, has_files)

/* The worker's side. */

/*
 * As the freezer does it; -ENOSPC or -EINVAL when it cannot be entered, and
 * then it is not frozen.
 */
int ledger_freeze(struct ledger *ledger, const struct freezer *freezer,
		  int proc, pid_t pid, uint64_t start_time);

/* As the freezer does it; who cannot be thawed remains. */
int ledger_thaw(struct ledger *ledger, const struct freezer *freezer, int proc,
		pid_t pid, uint64_t start_time);

/* It is gone, or goes on without us. */
void ledger_forget(struct ledger *ledger, pid_t pid, uint64_t start_time);

/* The next turn is due at due_us. */
void ledger_beat(struct ledger *ledger, uint64_t due_us);

/* These files are ours from now on; a path that is too long is not told. */
void ledger_tell_files(struct ledger *ledger, const char *run_dir,
		       const char *marker);

void ledger_tell_ready(struct ledger *ledger);

/* The guardian's side. */

/* Whether anybody may be frozen. */
bool ledger_has_any(const struct ledger *ledger);

/*
 * Thaws everybody, and strikes nobody out: who is in it may be being frozen
 * right now.  How many were thawed; *left is how many could not be.
 */
size_t ledger_thaw_all(const struct ledger *ledger, int proc, struct log *log,
		       size_t *left);

#endif

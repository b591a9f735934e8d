/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger: who is frozen at this moment, and how, in memory that the worker
 * shares with its guardian.  It is the freezer's own table, so that there is
 * no second one to be told.  A process is held there before it is frozen and
 * until after it was thawed, each in one store, so that whoever reads it finds
 * everybody who may be frozen, wherever the writer was when it died.  It also
 * has the worker's heartbeat, and what of its files the guardian is to remove.
 *
 * The state file holds the same for those who come when both are gone.
 */
#ifndef THRASH_DAEMON_LEDGER_H
#define THRASH_DAEMON_LEDGER_H

#include "core/log.h"
#include "core/process.h"
#include "core/state.h"
#include "daemon/stop.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>

/* How one may be frozen right now. */
enum hold {
	HOLD_NONE, /* not: it is only prepared, or this a dry run */
	HOLD_CAGE, /* or in a pen: the tree of cgroups says where */
	HOLD_STOP,
};

/* One that is frozen, or is about to be. */
struct frozen {
	atomic_uint hold; /* enum hold; stored last */
	pid_t pid;
	uint64_t start_time;
	uint64_t since_us;
	int cage;       /* or the pen, of one of those in it; owned; -1: none */
	uint64_t whole; /* the pen, as in struct judgement; 0: none */
	char command[PROCESS_COMMAND];
	uint16_t needed;               /* by how many, that it waits with */
	uint8_t waiters[STOP_WAITERS]; /* rows for this one, nearest first */
	uint8_t waiter_count;
	uint8_t method;  /* enum freeze_method */
	uint8_t class;   /* enum process_class */
	bool is_ordered; /* else it only waits with others, or is nobody */
	bool is_left;    /* nobody needs it, but it could not be let go on */
};

static_assert(STATE_FROZEN <= UINT8_MAX + 1, "rows have eight bits");

struct ledger {
	int doorbell; /* an eventfd that calls the guardian; -1: none */
	/* of CLOCK_MONOTONIC: when the worker's next turn should begin */
	_Atomic uint64_t due_us;
	atomic_uint ready_total; /* how often it has opened everything */
	struct frozen rows[STATE_FROZEN];
	/* what is not needed for thawing */
	atomic_bool has_files; /* these two are the worker's own */
	char run_dir[PATH_MAX], marker[PATH_MAX];
};

/* Without what the end of the worker can bring in again. */
#define LEDGER_URGENT_BYTES offsetof(struct ledger, has_files)

/* The worker's side. */

/* From now on it may be frozen so, and from then on it is not. */
void ledger_hold(struct ledger *ledger, struct frozen *frozen, enum hold hold);
void ledger_let_go(struct frozen *frozen);

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
 * Thaws everybody, children before their parents, and lets go of nobody: who is
 * in it may be being frozen right now.  cgroups is a descriptor of the tree of
 * version 2, or -1.  How many were thawed; *left is how many could not be.
 */
size_t ledger_thaw_all(const struct ledger *ledger, int proc, int cgroups,
		       struct log *log, size_t *left);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Holds, lets go of, and thaws who is in the ledger. */
#include "daemon/ledger.h"

#include "daemon/cage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A worker that went mad may have written anything. */
static unsigned hold_of(const struct frozen *frozen)
{
	return atomic_load_explicit(&frozen->hold, memory_order_acquire);
}

/* Asks the guardian to look; as it sleeps, nobody being frozen. */
static void ring(const struct ledger *ledger)
{
	static const uint64_t once = 1;

	/* fails only when it has not looked for 2^64 times */
	if (ledger->doorbell >= 0 &&
	    write(ledger->doorbell, &once, sizeof(once)) < 0)
		return;
}

void ledger_hold(struct ledger *ledger, struct frozen *frozen, enum hold hold)
{
	bool is_first = !ledger_has_any(ledger);

	atomic_store_explicit(&frozen->hold, hold, memory_order_release);
	if (is_first)
		ring(ledger);
}

void ledger_let_go(struct frozen *frozen)
{
	atomic_store_explicit(&frozen->hold, HOLD_NONE, memory_order_release);
}

void ledger_beat(struct ledger *ledger, uint64_t due_us)
{
	atomic_store(&ledger->due_us, due_us);
}

void ledger_tell_files(struct ledger *ledger, const char *run_dir,
		       const char *marker)
{
	atomic_store(&ledger->has_files, false);
	if (span_copy(span_of(run_dir), ledger->run_dir,
		      sizeof(ledger->run_dir)) == 0 &&
	    span_copy(span_of(marker), ledger->marker,
		      sizeof(ledger->marker)) == 0)
		atomic_store(&ledger->has_files, true);
}

void ledger_tell_ready(struct ledger *ledger)
{
	atomic_fetch_add(&ledger->ready_total, 1);
	ring(ledger);
}

bool ledger_has_any(const struct ledger *ledger)
{
	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (hold_of(&ledger->rows[i]) != HOLD_NONE)
			return true;
	return false;
}

/* What was done so far. */
struct thaw {
	struct log *log;
	size_t thawed, left;
};

static void count(struct thaw *thaw, pid_t pid, int error)
{
	if (!error) {
		thaw->thawed++;
		return;
	}
	thaw->left++;
	log_error(thaw->log, "cannot thaw %d: %s", (int)pid, strerror(-error));
}

static void release(struct thaw *thaw, const struct ledger *ledger, int proc)
{
	struct stopped items[STATE_FROZEN];
	size_t found = 0;

	for (size_t i = 0; i < STATE_FROZEN; i++) {
		const struct frozen *row = &ledger->rows[i];

		if (hold_of(row) == HOLD_STOP)
			items[found++] = (struct stopped){
				.pid = row->pid, .start_time = row->start_time};
	}
	stop_release_all(proc, items, found, NULL, NULL);
	for (size_t i = 0; i < found; i++)
		if (items[i].error != -ESRCH)
			count(thaw, items[i].pid, items[i].error);
}

/* Held by its worker or not: that one may be dying still. */
static bool is_caged(const void *context, pid_t pid, uint64_t start_time)
{
	const struct ledger *ledger = context;

	for (size_t i = 0; i < STATE_FROZEN; i++) {
		const struct frozen *row = &ledger->rows[i];

		if (hold_of(row) == HOLD_CAGE && row->pid == pid &&
		    row->start_time == start_time)
			return true;
	}
	return false;
}

/* By name: which of them are there, and who is in them, only the tree knows. */
static void open_cages(struct thaw *thaw, const struct ledger *ledger,
		       int cgroups)
{
	bool is_done = false;
	int error = 0;

	for (size_t i = 0; i < STATE_FROZEN; i++) {
		if (hold_of(&ledger->rows[i]) != HOLD_CAGE)
			continue;
		if (!is_done)
			error = cgroups < 0 ? -ENOENT
					    : cages_empty(cgroups, is_caged,
							  ledger, thaw->log);
		is_done = true;
		count(thaw, ledger->rows[i].pid, error);
	}
}

size_t ledger_thaw_all(const struct ledger *ledger, int proc, int cgroups,
		       struct log *log, size_t *left)
{
	struct thaw thaw = {.log = log};

	release(&thaw, ledger, proc);
	open_cages(&thaw, ledger, cgroups);
	*left = thaw.left;
	return thaw.thawed;
}

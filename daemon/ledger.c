/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Enters, strikes out, and thaws who is in the ledger. */
#include "daemon/ledger.h"

#include "core/process.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How an entry names its freezer. */
enum method {
	NOBODY,
	SIGNAL,
	DRY_RUN,
	METHODS,
};

static const struct freezer *const freezers[METHODS] = {
	[SIGNAL] = &freezer_signal,
	[DRY_RUN] = &freezer_dry_run,
};

static unsigned method_of(const struct freezer *freezer)
{
	for (unsigned i = NOBODY + 1; i < METHODS; i++)
		if (freezers[i] == freezer)
			return i;
	return NOBODY;
}

/* NULL: nobody; a worker that went mad may have written anything. */
static const struct freezer *freezer_of(const struct ledger_entry *entry)
{
	unsigned method =
		atomic_load_explicit(&entry->method, memory_order_acquire);

	return method < METHODS ? freezers[method] : NULL;
}

static struct ledger_entry *find_free(struct ledger *ledger)
{
	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (!freezer_of(&ledger->entries[i]))
			return &ledger->entries[i];
	return NULL;
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

static void enter(struct ledger *ledger, struct ledger_entry *entry, pid_t pid,
		  uint64_t start_time, unsigned method)
{
	bool is_first = !ledger_has_any(ledger);

	entry->pid = pid;
	entry->start_time = start_time;
	atomic_store_explicit(&entry->method, method, memory_order_release);
	if (is_first)
		ring(ledger);
}

static void strike_out(struct ledger_entry *entry)
{
	atomic_store_explicit(&entry->method, NOBODY, memory_order_release);
}

int ledger_freeze(struct ledger *ledger, const struct freezer *freezer,
		  int proc, pid_t pid, uint64_t start_time)
{
	struct ledger_entry *entry = find_free(ledger);
	unsigned method = method_of(freezer);
	struct process process;
	int error = process_find(proc, pid, start_time, 1, &process);

	if (error)
		return error;
	/* the freezer finds this, too, but then it is in the ledger */
	if (process_is_stopped(&process))
		return -EALREADY;
	if (!entry)
		return -ENOSPC;
	if (method == NOBODY)
		return -EINVAL;
	enter(ledger, entry, pid, start_time, method);
	error = freezer->freeze(proc, pid, start_time);
	if (error)
		strike_out(entry);
	return error;
}

int ledger_thaw(struct ledger *ledger, const struct freezer *freezer, int proc,
		pid_t pid, uint64_t start_time)
{
	int error = freezer->thaw(proc, pid, start_time);

	if (!error || error == -ESRCH)
		ledger_forget(ledger, pid, start_time);
	return error;
}

void ledger_forget(struct ledger *ledger, pid_t pid, uint64_t start_time)
{
	for (size_t i = 0; i < STATE_FROZEN; i++) {
		struct ledger_entry *entry = &ledger->entries[i];

		if (freezer_of(entry) && entry->pid == pid &&
		    entry->start_time == start_time)
			strike_out(entry);
	}
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
		if (freezer_of(&ledger->entries[i]))
			return true;
	return false;
}

size_t ledger_thaw_all(const struct ledger *ledger, int proc, struct log *log,
		       size_t *left)
{
	size_t thawed = 0;

	*left = 0;
	for (size_t i = 0; i < STATE_FROZEN; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		const struct freezer *freezer = freezer_of(entry);
		int error = freezer ? freezer->thaw(proc, entry->pid,
						    entry->start_time)
				    : -ESRCH;

		if (!error)
			thawed++;
		if (!error || error == -ESRCH)
			continue;
		(*left)++;
		log_error(log, "cannot thaw %d: %s", (int)entry->pid,
			  strerror(-error));
	}
	return thawed;
}

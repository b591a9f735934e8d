/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses how each process is frozen, and keeps the ledger of who is. */
#include "daemon/freezer.h"

#include "core/clock.h"
#include "daemon/cage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *freeze_method_name(enum freeze_method method)
{
	switch (method) {
	case FREEZE_CGROUP:
		return "cgroup";
	case FREEZE_SIGNAL:
		return "signal";
	case FREEZE_DRY_RUN:
		break;
	}
	return "dry-run";
}

void freezer_open_dry_run(struct freezer *freezer, struct ledger *ledger)
{
	*freezer = (struct freezer){
		.ledger = ledger,
		.proc = -1,
		.cgroups = -1,
		.method = FREEZE_DRY_RUN,
	};
}

int freezer_open(struct freezer *freezer, struct ledger *ledger,
		 enum freezer_choice choice, int proc, int cgroups)
{
	int error = choice == FREEZER_SIGNAL ? 0 : cages_check(cgroups, proc);

	*freezer = (struct freezer){
		.ledger = ledger,
		.proc = proc,
		.cgroups = cgroups,
		.method = FREEZE_CGROUP,
		.may_fall_back = choice == FREEZER_AUTO,
	};
	if (choice == FREEZER_SIGNAL || (error && freezer->may_fall_back)) {
		freezer->method = FREEZE_SIGNAL;
		freezer->may_fall_back = false;
	}
	return error;
}

bool freezer_is_dry_run(const struct freezer *freezer)
{
	return freezer->method == FREEZE_DRY_RUN;
}

static bool is_used(const struct frozen *frozen)
{
	return frozen->is_ordered || frozen->needed;
}

const struct frozen *freezer_next(const struct freezer *freezer,
				  const struct frozen *last)
{
	const struct frozen *rows = freezer->ledger->rows;

	for (last = last ? last + 1 : rows; last < rows + STATE_FROZEN; last++)
		if (is_used(last))
			return last;
	return NULL;
}

size_t freezer_count(const struct freezer *freezer)
{
	const struct frozen *frozen = NULL;
	size_t count = 0;

	while ((frozen = freezer_next(freezer, frozen)))
		count++;
	return count;
}

/* Its row; NULL when it is not in the table. */
static struct frozen *find(const struct freezer *freezer, pid_t pid,
			   uint64_t start_time)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (is_used(&rows[i]) && rows[i].pid == pid &&
		    rows[i].start_time == start_time)
			return &rows[i];
	return NULL;
}

static struct frozen *find_room(const struct freezer *freezer)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (!is_used(&rows[i]) && rows[i].hold == HOLD_NONE)
			return &rows[i];
	return NULL;
}

/* Finds or makes its row; NULL without room. */
static struct frozen *take_row(struct freezer *freezer,
			       const struct process *process, uint64_t now_us)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);

	if (!frozen)
		frozen = find_room(freezer);
	if (!frozen || is_used(frozen))
		return frozen;
	*frozen = (struct frozen){
		.pid = process->pid,
		.start_time = process->start_time,
		.since_us = now_us,
		.method = FREEZE_SIGNAL,
		.cage = -1,
	};
	memcpy(frozen->command, process->command, sizeof(frozen->command));
	return frozen;
}

void freezer_close(struct freezer *freezer)
{
	for (size_t i = 0; i < STATE_FROZEN; i++) {
		struct frozen *frozen = &freezer->ledger->rows[i];

		if (is_used(frozen) && frozen->cage >= 0)
			(void)close(frozen->cage);
		frozen->cage = -1;
		frozen->is_ordered = false;
		frozen->needed = 0;
	}
}

static bool is_in_table(const void *context, pid_t pid, uint64_t start_time)
{
	return find(context, pid, start_time) != NULL;
}

/* Lets stopped ones go on; what went wrong with the last, or 0. */
static int release(const struct freezer *freezer, struct frozen *const rows[],
		   size_t count)
{
	struct stopped items[STOP_WAITERS];
	int error = 0;

	for (size_t i = 0; i < count; i++)
		items[i] = (struct stopped){
			.pid = rows[i]->pid,
			.start_time = rows[i]->start_time,
			.whose = rows[i],
		};
	stop_release_all(freezer->proc, items, count, is_in_table, freezer);
	for (size_t i = 0; i < count; i++)
		if (!items[i].error || items[i].error == -ESRCH)
			ledger_let_go(items[i].whose);
		else
			error = items[i].error; /* else the guardian tries */
	return error;
}

static void release_waiters(const struct freezer *freezer,
			    struct frozen *ordered)
{
	struct frozen *rows[STOP_WAITERS];
	size_t count = 0;

	for (size_t i = 0; i < ordered->waiter_count; i++) {
		struct frozen *waiter =
			&freezer->ledger->rows[ordered->waiters[i]];

		if (!--waiter->needed && !waiter->is_ordered &&
		    waiter->hold == HOLD_STOP)
			rows[count++] = waiter;
	}
	ordered->waiter_count = 0;
	(void)release(freezer, rows, count);
}

/* It is in the table no more, unless another one needs it there. */
static void forget(const struct freezer *freezer, struct frozen *frozen)
{
	release_waiters(freezer, frozen);
	frozen->is_ordered = false;
}

/* Whether somebody else has stopped it, or the next above. */
static bool is_stopped_by_others(const struct freezer *freezer,
				 const struct process *waiters, size_t count,
				 pid_t pid)
{
	struct process parent;

	for (size_t i = 0; i < count; i++)
		if (process_is_stopped(&waiters[i]) &&
		    !find(freezer, waiters[i].pid, waiters[i].start_time))
			return true;
	return stop_is_followed(freezer->proc,
				count ? waiters[count - 1].pid : pid,
				&parent) > 0 &&
	       !find(freezer, parent.pid, parent.start_time);
}

static int add_waiters(struct freezer *freezer, struct frozen *frozen,
		       uint64_t now_us)
{
	struct process waiters[STOP_WAITERS];
	size_t count;
	int error = stop_find_waiters(freezer->proc, frozen->pid,
				      frozen->start_time, waiters, &count);

	if (!error &&
	    is_stopped_by_others(freezer, waiters, count, frozen->pid))
		error = -EALREADY;
	for (size_t i = 0; i < count && !error; i++) {
		struct frozen *waiter = take_row(freezer, &waiters[i], now_us);

		if (!waiter)
			return -ENOSPC;
		waiter->needed++;
		frozen->waiters[frozen->waiter_count++] =
			(uint8_t)(waiter - freezer->ledger->rows);
	}
	return error;
}

static int prepare(struct freezer *freezer, const struct process *process,
		   enum freeze_method method, uint64_t now_us)
{
	struct frozen *frozen = take_row(freezer, process, now_us);
	int error = 0;

	if (!frozen)
		return -ENOSPC;
	release_waiters(freezer, frozen); /* of another method, if any */
	frozen->method = (uint8_t)method;
	frozen->class = process->judged.class;
	frozen->is_ordered = true;
	frozen->since_us = now_us;
	if (method == FREEZE_SIGNAL)
		error = add_waiters(freezer, frozen, now_us);
	if (error)
		forget(freezer, frozen);
	return error;
}

int freezer_prepare(struct freezer *freezer, const struct process *process,
		    uint64_t now_us)
{
	bool is_too_slow =
		freezer->may_fall_back && now_us < freezer->slow_until_us;

	return prepare(freezer, process,
		       is_too_slow ? FREEZE_SIGNAL : freezer->method, now_us);
}

static int cage(struct freezer *freezer, struct frozen *frozen)
{
	uint64_t begun_us = clock_boottime_us();
	int cage = cage_freeze(freezer->cgroups, freezer->proc, frozen->pid,
			       frozen->start_time);
	uint64_t now_us = clock_boottime_us();

	if (now_us - begun_us > UINT64_C(1000) * FREEZER_SLOW_MS)
		freezer->slow_until_us =
			now_us + UINT64_C(1000) * FREEZER_RETRY_MS;
	if (cage < 0)
		return cage;
	frozen->cage = cage;
	return 0;
}

/* Held before it is done; who was stopped by somebody else is not, ever. */
static int hold(struct freezer *freezer, struct frozen *frozen, enum hold how)
{
	int error = stop_check(freezer->proc, frozen->pid, frozen->start_time);

	if (error)
		return error;
	ledger_hold(freezer->ledger, frozen, how);
	error = how == HOLD_CAGE ? cage(freezer, frozen)
				 : stop_process(freezer->proc, frozen->pid,
						frozen->start_time);
	if (error)
		ledger_let_go(frozen);
	return error;
}

/* And waits, so that it cannot see the next stop. */
static int stop_waiter(struct freezer *freezer, struct frozen *waiter)
{
	int error;

	if (waiter->hold != HOLD_NONE)
		return 0;
	error = hold(freezer, waiter, HOLD_STOP);
	return error ? error
		     : stop_await(freezer->proc, waiter->pid,
				  waiter->start_time);
}

static int stop(struct freezer *freezer, struct frozen *frozen)
{
	int error = 0;

	for (size_t i = frozen->waiter_count; !error && i-- > 0;)
		error = stop_waiter(freezer,
				    &freezer->ledger->rows[frozen->waiters[i]]);
	if (!error && frozen->hold == HOLD_NONE) /* or it waits for somebody */
		error = hold(freezer, frozen, HOLD_STOP);
	return error;
}

static bool can_fall_back(const struct freezer *freezer,
			  const struct frozen *frozen, int error)
{
	return error && error != -ESRCH && error != -EALREADY &&
	       frozen->method == FREEZE_CGROUP && freezer->may_fall_back;
}

int freezer_freeze(struct freezer *freezer, const struct process *process)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);
	int error = 0;

	if (!frozen || !frozen->is_ordered)
		return -EBUSY;
	if (frozen->method == FREEZE_CGROUP)
		error = hold(freezer, frozen, HOLD_CAGE);
	else if (frozen->method == FREEZE_SIGNAL)
		error = stop(freezer, frozen);
	if (can_fall_back(freezer, frozen, error)) {
		freezer->cgroup_error = error;
		error = prepare(freezer, process, FREEZE_SIGNAL,
				frozen->since_us);
		return error ? error : -EAGAIN;
	}
	if (error)
		forget(freezer, frozen);
	return error;
}

static int let_go(const struct freezer *freezer, struct frozen *frozen)
{
	int error;

	if (frozen->hold == HOLD_STOP)
		return release(freezer, &frozen, 1);
	if (frozen->hold != HOLD_CAGE)
		return 0;
	error = cage_thaw(frozen->cage, frozen->pid, frozen->start_time);
	if (error && error != -ESRCH)
		return error;
	frozen->cage = -1;
	ledger_let_go(frozen);
	return 0;
}

int freezer_thaw(struct freezer *freezer, const struct process *process)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);
	int error;

	if (!frozen || !frozen->is_ordered)
		return 0;
	error = let_go(freezer, frozen);
	if (!error || error == -ESRCH)
		forget(freezer, frozen);
	return error;
}

void freezer_see(const struct freezer *freezer, struct process *process)
{
	const struct frozen *frozen =
		find(freezer, process->pid, process->start_time);

	if (!frozen || frozen->method == FREEZE_DRY_RUN)
		return;
	if (frozen->cage >= 0 && cage_holds(frozen->cage, frozen->pid))
		process->state = 'T';
	if (process_is_stopped(process) &&
	    stop_is_wanted(freezer->proc, process->pid))
		process->state = 'S';
}

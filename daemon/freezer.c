/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses how each process is frozen, and keeps the ledger of who is. */
#include "daemon/freezer.h"

#include "core/clock.h"
#include "daemon/cage.h"
#include "daemon/pen.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *freeze_method_name(enum freeze_method method)
{
	switch (method) {
	case FREEZE_CGROUP:
		return "cgroup";
	case FREEZE_WHOLE_CGROUP:
		return "whole-cgroup";
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
	return frozen->is_ordered || frozen->needed || frozen->whole ||
	       frozen->is_left;
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

const struct frozen *freezer_find(const struct freezer *freezer, pid_t pid,
				  uint64_t start_time)
{
	return find(freezer, pid, start_time);
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

/* The row that has the descriptor; NULL: none of that pen is in the table. */
static struct frozen *find_pen(const struct freezer *freezer, uint64_t whole)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (is_used(&rows[i]) && rows[i].whole == whole &&
		    rows[i].cage >= 0)
			return &rows[i];
	return NULL;
}

static void hold_pen(struct freezer *freezer, uint64_t whole)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (is_used(&rows[i]) && rows[i].whole == whole)
			ledger_hold(freezer->ledger, &rows[i], HOLD_CAGE);
}

/* From now on those in it are in the table for themselves, or not at all. */
static void dissolve(const struct freezer *freezer, uint64_t whole)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++) {
		if (!is_used(&rows[i]) || rows[i].whole != whole)
			continue;
		ledger_let_go(&rows[i]);
		if (rows[i].cage >= 0)
			(void)close(rows[i].cage);
		rows[i].cage = -1;
		rows[i].whole = 0;
		rows[i].method = FREEZE_CGROUP;
	}
}

static void forget_pen(const struct freezer *freezer, uint64_t whole)
{
	struct frozen *rows = freezer->ledger->rows;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		if (rows[i].whole == whole)
			rows[i].is_ordered = false;
	dissolve(freezer, whole);
}

void freezer_close(struct freezer *freezer)
{
	for (size_t i = 0; i < STATE_FROZEN; i++) {
		struct frozen *frozen = &freezer->ledger->rows[i];

		if (is_used(frozen) && frozen->cage >= 0)
			(void)close(frozen->cage);
		frozen->cage = -1;
		frozen->is_ordered = frozen->is_left = false;
		frozen->needed = 0;
		frozen->whole = 0;
	}
}

static bool is_in_table(const void *context, pid_t pid, uint64_t start_time)
{
	return find(context, pid, start_time) != NULL;
}

/* What came of it; whom nobody asks for any more is tried again by us. */
static void note(const struct stopped *stopped)
{
	struct frozen *frozen = stopped->whose;
	bool is_free = !stopped->error || stopped->error == -ESRCH;

	frozen->is_left = !is_free && !frozen->is_ordered;
	if (is_free)
		ledger_let_go(frozen);
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
	for (size_t i = 0; i < count; i++) {
		note(&items[i]);
		error = items[i].error ? items[i].error : error;
	}
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

void freezer_try_again(const struct freezer *freezer)
{
	struct frozen *rows[STOP_WAITERS];
	size_t count = 0;

	for (size_t i = 0; i < STATE_FROZEN && count < STOP_WAITERS; i++) {
		struct frozen *frozen = &freezer->ledger->rows[i];

		if (frozen->is_left && !frozen->is_ordered && !frozen->needed)
			rows[count++] = frozen;
	}
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

static void order(struct frozen *frozen, const struct process *process,
		  enum freeze_method method, uint64_t now_us)
{
	frozen->method = (uint8_t)method;
	frozen->class = process->judged.class;
	frozen->is_ordered = true;
	frozen->since_us = now_us;
}

static int prepare(struct freezer *freezer, const struct process *process,
		   enum freeze_method method, uint64_t now_us)
{
	struct frozen *frozen = take_row(freezer, process, now_us);
	int error = 0;

	if (!frozen)
		return -ENOSPC;
	release_waiters(freezer, frozen); /* of another method, if any */
	order(frozen, process, method, now_us);
	if (method == FREEZE_SIGNAL)
		error = add_waiters(freezer, frozen, now_us);
	if (error)
		forget(freezer, frozen);
	return error;
}

int freezer_prepare(struct freezer *freezer, const struct process *process,
		    uint64_t now_us)
{
	const struct frozen *frozen =
		find(freezer, process->pid, process->start_time);
	bool is_too_slow =
		freezer->may_fall_back && now_us < freezer->slow_until_us;

	if (frozen && frozen->whole)
		return -EBUSY; /* with others */
	return prepare(freezer, process,
		       is_too_slow ? FREEZE_SIGNAL : freezer->method, now_us);
}

bool freezer_may_whole(const struct freezer *freezer)
{
	return freezer->facts && freezer->method == FREEZE_CGROUP;
}

bool freezer_has_whole(const struct freezer *freezer, uint64_t whole)
{
	return whole && find_pen(freezer, whole);
}

/* Everybody who is in there now. */
static int add_members(struct freezer *freezer, int pen, uint64_t whole,
		       uint64_t now_us)
{
	pid_t members[PEN_MEMBERS] = {0};
	int count = pen_list(pen, members);

	for (int i = 0; i < count; i++) {
		struct process member;
		struct frozen *row;

		if (process_read(freezer->proc, members[i], 1, &member) != 0)
			continue; /* it is gone */
		row = take_row(freezer, &member, now_us);
		if (!row)
			return -ENOSPC;
		if (is_used(row) && row->whole != whole)
			return -EBUSY;
		row->method = FREEZE_WHOLE_CGROUP;
		row->whole = whole;
	}
	return count < 0 ? count : 0;
}

int freezer_prepare_whole(struct freezer *freezer,
			  const struct process *process, int pen,
			  uint64_t now_us)
{
	uint64_t whole = process->judged.whole;
	int error = pen < 0 ? 0 : add_members(freezer, pen, whole, now_us);
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);

	if (!error && (!frozen || frozen->whole != whole))
		error = -ESRCH;
	if (!error)
		order(frozen, process, FREEZE_WHOLE_CGROUP, now_us);
	if (!error && pen >= 0)
		frozen->cage = pen;
	if (error && pen >= 0)
		dissolve(freezer, whole);
	return error;
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

/*
 * Nobody in there is looked at any more: who is stopped by its user as well
 * stays so.  Who was born since is added to the table, if there is room.
 */
static int freeze_whole(struct freezer *freezer, const struct frozen *frozen)
{
	uint64_t whole = frozen->whole;
	const struct frozen *pen = find_pen(freezer, whole);
	int error;

	if (frozen->hold == HOLD_CAGE)
		return 0; /* with another one */
	hold_pen(freezer, whole);
	error = pen ? pen_freeze(pen->cage, pen->pid, pen->start_time) : -EBADF;
	if (!error && pen) {
		(void)add_members(freezer, pen->cage, whole, frozen->since_us);
		hold_pen(freezer, whole);
	} else if (error == -EALREADY) {
		forget_pen(freezer, whole);
	} else {
		dissolve(freezer, whole);
	}
	return error;
}

static bool can_fall_back(const struct freezer *freezer,
			  const struct frozen *frozen, int error)
{
	return error && error != -ESRCH && error != -EALREADY &&
	       frozen->method == FREEZE_CGROUP && freezer->may_fall_back;
}

static void note_failure(struct freezer *freezer, enum freeze_method method,
			 int error)
{
	freezer->failed_method = method;
	freezer->failure = error;
}

int freezer_freeze(struct freezer *freezer, const struct process *process)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);
	int error = 0;

	if (!frozen || !frozen->is_ordered)
		return -EBUSY;
	if (frozen->whole) {
		error = freeze_whole(freezer, frozen);
		if (!error || error == -EALREADY)
			return error;
		note_failure(freezer, FREEZE_WHOLE_CGROUP, error);
		return -EAGAIN; /* each by itself */
	}
	if (frozen->method == FREEZE_CGROUP)
		error = hold(freezer, frozen, HOLD_CAGE);
	else if (frozen->method == FREEZE_SIGNAL)
		error = stop(freezer, frozen);
	if (can_fall_back(freezer, frozen, error)) {
		note_failure(freezer, FREEZE_CGROUP, error);
		error = prepare(freezer, process, FREEZE_SIGNAL,
				frozen->since_us);
		return error ? error : -EAGAIN;
	}
	if (error)
		forget(freezer, frozen);
	return error;
}

/* With everybody in there. */
static int thaw_whole(const struct freezer *freezer, uint64_t whole)
{
	const struct frozen *pen = find_pen(freezer, whole);
	int error = pen && pen->hold == HOLD_CAGE
			    ? pen_thaw(pen->cage, pen->pid, pen->start_time)
			    : 0;

	if (!error)
		forget_pen(freezer, whole);
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
	if (error)
		return error == -ESRCH ? -EAGAIN : error; /* nobody has gone */
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
	if (frozen->whole)
		return thaw_whole(freezer, frozen->whole);
	error = let_go(freezer, frozen);
	if (!error || error == -ESRCH)
		forget(freezer, frozen);
	return error;
}

bool freezer_has_lost(const struct freezer *freezer,
		      const struct process *process)
{
	return freezer_is_dry_run(freezer) ||
	       stop_is_gone(freezer->proc, process->pid, process->start_time);
}

static bool stands_still(const struct freezer *freezer,
			 const struct frozen *frozen)
{
	const struct frozen *pen = find_pen(freezer, frozen->whole);
	char path[PATH_MAX];

	if (!frozen->whole)
		return frozen->cage >= 0 &&
		       cage_holds(frozen->cage, frozen->pid);
	return pen && pen_is_still(pen->cage) &&
	       facts_find_whole(freezer->facts, frozen->pid, path) &&
	       span_hash(span_of(path)) == frozen->whole;
}

/* Of a pen, one sees to it that nobody in there is. */
static bool is_wanted(const struct freezer *freezer,
		      const struct frozen *frozen)
{
	const struct frozen *row = NULL;

	if (!frozen->whole || frozen->cage < 0)
		return stop_is_wanted(freezer->proc, frozen->pid);
	while ((row = freezer_next(freezer, row)))
		if (row->whole == frozen->whole &&
		    stop_is_wanted(freezer->proc, row->pid))
			return true;
	return false;
}

void freezer_see(const struct freezer *freezer, struct process *process)
{
	const struct frozen *frozen =
		find(freezer, process->pid, process->start_time);

	if (!frozen || frozen->method == FREEZE_DRY_RUN)
		return;
	if (stands_still(freezer, frozen))
		process->state = 'T';
	if (process_is_stopped(process) && is_wanted(freezer, frozen))
		process->state = PROCESS_WANTED;
}

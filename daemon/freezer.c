/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses how each process is frozen, and keeps the table of who is. */
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

void freezer_open_dry_run(struct freezer *freezer)
{
	freezer->method = FREEZE_DRY_RUN;
	freezer->may_fall_back = false;
	freezer->count = 0;
}

int freezer_open(struct freezer *freezer, enum freezer_choice choice, int proc,
		 int cgroups)
{
	int error = choice == FREEZER_SIGNAL ? 0 : cages_check(cgroups, proc);

	*freezer = (struct freezer){
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

void freezer_close(struct freezer *freezer)
{
	for (size_t i = 0; i < freezer->count; i++)
		if (freezer->items[i].cage >= 0)
			(void)close(freezer->items[i].cage);
	freezer->count = 0;
}

bool freezer_is_dry_run(const struct freezer *freezer)
{
	return freezer->method == FREEZE_DRY_RUN;
}

static const struct frozen *look_up(const struct freezer *freezer, pid_t pid,
				    uint64_t start_time)
{
	for (size_t i = 0; i < freezer->count; i++)
		if (freezer->items[i].pid == pid &&
		    freezer->items[i].start_time == start_time)
			return &freezer->items[i];
	return NULL;
}

static struct frozen *find(struct freezer *freezer, pid_t pid,
			   uint64_t start_time)
{
	const struct frozen *frozen = look_up(freezer, pid, start_time);

	return frozen ? &freezer->items[frozen - freezer->items] : NULL;
}

/* Who waits is in the table, so that its pid says which process it is. */
static struct frozen *find_waiter(struct freezer *freezer, pid_t pid)
{
	for (size_t i = 0; i < freezer->count; i++)
		if (freezer->items[i].pid == pid && freezer->items[i].needed)
			return &freezer->items[i];
	return NULL;
}

/* Finds or makes its row; NULL without room. */
static struct frozen *take_row(struct freezer *freezer,
			       const struct process *process, uint64_t now_us)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);

	if (frozen || freezer->count == STATE_FROZEN)
		return frozen;
	frozen = &freezer->items[freezer->count++];
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

static void drop_if_done(struct freezer *freezer, struct frozen *frozen)
{
	size_t index = (size_t)(frozen - freezer->items);

	if (frozen->is_ordered || frozen->needed)
		return;
	freezer->count--;
	memmove(frozen, frozen + 1, (freezer->count - index) * sizeof(*frozen));
}

/* The nearest first: each finds that what it waits for goes on. */
static void release_waiters(struct freezer *freezer,
			    const struct frozen *ordered)
{
	pid_t waiters[STOP_WAITERS];
	size_t count = ordered->waiter_count;

	memcpy(waiters, ordered->waiters, sizeof(waiters));
	for (size_t i = 0; i < count; i++) {
		struct frozen *waiter = find_waiter(freezer, waiters[i]);

		if (!waiter || --waiter->needed)
			continue;
		if (waiter->is_stopped && !waiter->is_ordered)
			(void)stop_release(freezer->proc, waiter->pid,
					   waiter->start_time);
		drop_if_done(freezer, waiter);
	}
}

/* Those that stopped themselves with it, other than by us. */
static void release_followers(const struct freezer *freezer, pid_t pid)
{
	struct process parent;

	for (int i = 0; i < STOP_WAITERS; i++) {
		if (!stop_is_followed(freezer->proc, pid, &parent) ||
		    look_up(freezer, parent.pid, parent.start_time))
			return;
		(void)stop_release(freezer->proc, parent.pid,
				   parent.start_time);
		pid = parent.pid;
	}
}

static void forget(struct freezer *freezer, struct frozen *frozen)
{
	pid_t pid = frozen->pid;
	uint64_t start_time = frozen->start_time;

	release_waiters(freezer, frozen);
	frozen = find(freezer, pid, start_time); /* rows have moved */
	if (!frozen)
		return;
	frozen->is_ordered = false;
	drop_if_done(freezer, frozen);
}

/* Whether somebody else has stopped it, or the next above. */
static bool is_stopped_by_others(const struct freezer *freezer,
				 const struct process *waiters, size_t count,
				 pid_t pid)
{
	struct process parent;

	for (size_t i = 0; i < count; i++)
		if (process_is_stopped(&waiters[i]) &&
		    !look_up(freezer, waiters[i].pid, waiters[i].start_time))
			return true;
	return stop_is_followed(freezer->proc,
				count ? waiters[count - 1].pid : pid,
				&parent) &&
	       !look_up(freezer, parent.pid, parent.start_time);
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
		frozen->waiters[frozen->waiter_count++] = waiter->pid;
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
	frozen->method = (uint8_t)method;
	frozen->is_ordered = true;
	frozen->since_us = now_us;
	frozen->waiter_count = 0;
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

	frozen->cage = cage_freeze(freezer->cgroups, freezer->proc, frozen->pid,
				   frozen->start_time);

	uint64_t now_us = clock_boottime_us();

	if (now_us - begun_us > UINT64_C(1000) * FREEZER_SLOW_MS)
		freezer->slow_until_us =
			now_us + UINT64_C(1000) * FREEZER_RETRY_MS;
	return frozen->cage < 0 ? frozen->cage : 0;
}

/* And waits, so that it cannot see the next stop. */
static int stop_waiter(const struct freezer *freezer, struct frozen *waiter)
{
	int error;

	if (waiter->is_stopped || waiter->cage >= 0)
		return 0;
	error = stop_process(freezer->proc, waiter->pid, waiter->start_time);
	if (error)
		return error;
	waiter->is_stopped = true;
	return stop_await(freezer->proc, waiter->pid, waiter->start_time);
}

static int stop(struct freezer *freezer, struct frozen *frozen)
{
	int error = 0;

	for (size_t i = frozen->waiter_count; !error && i-- > 0;) {
		struct frozen *waiter =
			find_waiter(freezer, frozen->waiters[i]);

		error = waiter ? stop_waiter(freezer, waiter) : -ESRCH;
	}
	if (!error && !frozen->is_stopped) /* or it waits for somebody */
		error = stop_process(freezer->proc, frozen->pid,
				     frozen->start_time);
	if (!error)
		frozen->is_stopped = true;
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
		error = cage(freezer, frozen);
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

int freezer_thaw(struct freezer *freezer, const struct process *process)
{
	struct frozen *frozen =
		find(freezer, process->pid, process->start_time);
	int error = 0;

	if (!frozen || !frozen->is_ordered)
		return 0;
	if (frozen->cage >= 0)
		error = cage_thaw(frozen->cage, frozen->pid,
				  frozen->start_time);
	else if (frozen->is_stopped)
		error = stop_release(freezer->proc, frozen->pid,
				     frozen->start_time);
	if (error && error != -ESRCH)
		return error;
	frozen->cage = -1;
	frozen->is_stopped = false;
	if (frozen->method == FREEZE_SIGNAL)
		release_followers(freezer, frozen->pid);
	forget(freezer, frozen);
	return error;
}

void freezer_see(const struct freezer *freezer, struct process *process)
{
	const struct frozen *frozen =
		look_up(freezer, process->pid, process->start_time);

	if (!frozen || frozen->method == FREEZE_DRY_RUN)
		return;
	if (frozen->cage >= 0 && cage_holds(frozen->cage, frozen->pid))
		process->state = 'T';
	if (process_is_stopped(process) &&
	    stop_is_wanted(freezer->proc, process->pid))
		process->state = 'S';
}

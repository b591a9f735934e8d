/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thaws by the tree of cgroups and by the state file. */
#include "daemon/recover.h"

#include "daemon/cage.h"
#include "daemon/freezer.h"
#include "daemon/stop.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool has_method(const struct state_frozen *frozen,
		       enum freeze_method method)
{
	return strcmp(frozen->method, freeze_method_name(method)) == 0;
}

static bool is_to_go_on(const struct state_frozen *frozen, struct log *log)
{
	if (!has_method(frozen, FREEZE_SIGNAL))
		return false; /* of a dry run, or in a cage */
	if (frozen->pid != 1 && frozen->pid != getpid())
		return true;
	log_warning(log,
		    "the state file says that pid %d was frozen: not believed",
		    (int)frozen->pid);
	return false;
}

/* What became of it; 0, or -errno when it may be frozen still. */
static int tell(const struct stopped *stopped, struct log *log)
{
	int pid = (int)stopped->pid;

	if (!stopped->error)
		log_info(log, "thawed %d, which was left frozen", pid);
	else if (stopped->error == -ESRCH)
		log_info(log, "%d, which was left frozen, is gone", pid);
	else
		log_error(log, "cannot thaw %d: %s", pid,
			  strerror(-stopped->error));
	return stopped->error == -ESRCH ? 0 : stopped->error;
}

bool recover_is_hopeless(int error)
{
	return error == -EINVAL || error == -EPERM ||
	       error == -EPROTONOSUPPORT || error == -EFBIG || error == -ELOOP;
}

bool recover_is_due(const char *run_dir, struct state *state)
{
	struct problem ignored;

	if (state_read(run_dir, state, &ignored))
		return false;
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		if (!has_method(&state->frozen[i], FREEZE_DRY_RUN))
			return true;
	return false;
}

static bool is_any(const void *context, pid_t pid, uint64_t start_time)
{
	(void)context, (void)pid, (void)start_time;
	return true;
}

int recover_caged(int cgroups, bool are_all, struct log *log)
{
	cage_filter *is_wanted = are_all ? is_any : NULL;
	static const struct timespec pause = {
		.tv_nsec = RECOVER_AGAIN_MS * 1000000L,
	};
	int error = cages_empty(cgroups, is_wanted, NULL, log);

	for (int i = 1; i < RECOVER_TRIES && error && error != -EFBIG; i++) {
		(void)nanosleep(&pause, NULL);
		error = cages_empty(cgroups, is_wanted, NULL, log);
	}
	if (error)
		log_warning(log, "somebody may be left frozen in a cgroup: %s",
			    strerror(-error));
	return error;
}

int recover_stopped(const char *run_dir, int proc, struct state *state,
		    struct log *log)
{
	struct stopped items[STATE_FROZEN];
	struct problem problem;
	size_t count = 0;
	int error = state_read(run_dir, state, &problem);

	if (error == -ENOENT)
		return 0;
	if (error) {
		log_warning(log, "cannot thaw by it: %s", problem.text);
		return error;
	}
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		if (is_to_go_on(&state->frozen[i], log))
			items[count++] = (struct stopped){
				.pid = state->frozen[i].pid,
				.start_time = state->frozen[i].start_time,
			};
	stop_release_all(proc, items, count, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		int failure = tell(&items[i], log);

		if (failure)
			error = failure;
	}
	return error;
}

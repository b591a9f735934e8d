/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thaws by the state file. */
#include "daemon/recover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int thaw(const struct state_frozen *frozen, int proc,
		const struct freezer *freezer, struct log *log)
{
	if (strcmp(frozen->method, freezer->method) != 0)
		return 0; /* of a dry run */
	if (frozen->pid == 1 || frozen->pid == getpid()) {
		log_warning(log,
			    "the state file says that pid %d was frozen: "
			    "not believed",
			    (int)frozen->pid);
		return 0;
	}

	int error = freezer->thaw(proc, frozen->pid, frozen->start_time);

	if (!error)
		log_info(log, "thawed %d, which was left frozen",
			 (int)frozen->pid);
	else if (error == -ESRCH)
		log_info(log, "%d, which was left frozen, is gone",
			 (int)frozen->pid);
	else
		log_error(log, "cannot thaw %d: %s", (int)frozen->pid,
			  strerror(-error));
	return error == -ESRCH ? 0 : error;
}

bool recover_is_hopeless(int error)
{
	return error == -EINVAL || error == -EPERM ||
	       error == -EPROTONOSUPPORT || error == -EFBIG || error == -ELOOP;
}

bool recover_is_due(const char *run_dir, const struct freezer *freezer,
		    struct state *state)
{
	struct problem ignored;

	if (state_read(run_dir, state, &ignored))
		return false;
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		if (strcmp(state->frozen[i].method, freezer->method) != 0)
			return true;
	return false;
}

int recover(const char *run_dir, int proc, const struct freezer *freezer,
	    struct state *state, struct log *log)
{
	struct problem problem;
	int error = state_read(run_dir, state, &problem);

	if (error == -ENOENT)
		return 0;
	if (error) {
		log_warning(log, "cannot thaw by it: %s", problem.text);
		return error;
	}
	for (uint64_t i = 0; i < state->frozen_processes; i++) {
		int failure = thaw(&state->frozen[i], proc, freezer, log);

		if (failure)
			error = failure;
	}
	return error;
}

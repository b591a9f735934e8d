/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thaws what an earlier daemon has left frozen, by its state file.  A state
 * file that is missing, malformed or not root's is said to be so and thaws
 * nobody; a process that is gone, or whose pid is another's now, is passed
 * over.
 */
#ifndef THRASH_DAEMON_RECOVER_H
#define THRASH_DAEMON_RECOVER_H

#include "core/log.h"
#include "core/state.h"
#include "daemon/freezer.h"

/*
 * 0, also when there was nothing to thaw; -errno of what went wrong last.
 * proc is a directory descriptor; *state is room to work in and holds what
 * was read, if anything.
 */
int recover(const char *run_dir, int proc, const struct freezer *freezer,
	    struct state *state, struct log *log);

#endif

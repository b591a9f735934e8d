/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thaws what an earlier daemon has left frozen: those in cages, for which no
 * file is needed, and those that were stopped, by its state file.  A state
 * file that is missing, malformed or not root's is said to be so and thaws
 * nobody; a process that is gone, or whose pid is another's now, is passed
 * over.
 */
#ifndef THRASH_DAEMON_RECOVER_H
#define THRASH_DAEMON_RECOVER_H

#include "core/log.h"
#include "core/state.h"

enum {
	/* There may be no memory, or no descriptor, for a moment. */
	RECOVER_TRIES = 3,
	RECOVER_AGAIN_MS = 50,
};

/*
 * Those in cages; who is held by a daemon that lives is let alone, unless all
 * are wanted.  cgroups (version 2, or -1) is a directory descriptor.  0, or
 * -errno when not everybody was found and thawed; who was not stays where the
 * next one looks for him.
 */
int recover_caged(int cgroups, bool are_all, struct log *log);

/*
 * Those who were stopped.  0, also when there was nobody to thaw; -errno of
 * what went wrong last.  proc is a directory descriptor; *state is room to
 * work in and holds what was read, if anything.
 */
int recover_stopped(const char *run_dir, int proc, struct state *state,
		    struct log *log);

/*
 * Whether that error means that the state file is not to be believed, and
 * will be no better next time.  After any other it must be left as it is.
 */
bool recover_is_hopeless(int error);

/*
 * Whether an earlier daemon has left somebody frozen, which a dry run may not
 * forget.
 */
bool recover_is_due(const char *run_dir, struct state *state);

#endif

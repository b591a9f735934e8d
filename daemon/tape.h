/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recordings of a host: what the daemon saw, line by line, and a replay of it
 * through the same decisions.  A recording is the first line, then for each
 * turn a sample line; "job" and a process for each job, or "gone PID START";
 * and, if all processes were looked at, a line for each, which tells nothing of
 * a job that has its own.  What is known of a process's limit follows it:
 * "limit far" or "limit reached"; and how it was judged: "role CLASS BUDGET_MS
 * PREFERRED NEW_LOGIN ROLE", where yes is 1.  A rule of the administrator's has
 * its list and text there, and counts as long as the settings of the replay
 * have it too; else the name decides.
 */
#ifndef THRASH_DAEMON_TAPE_H
#define THRASH_DAEMON_TAPE_H

#include "core/problem.h"
#include "daemon/decide.h"

#include <stdio.h>

/* A plain file, emptied, never through a link; NULL with errno. */
FILE *tape_create(const char *path);

/*
 * Adds one turn, after its jobs were seen and before its orders; non-zero
 * with errno when the disk is full and the like.
 */
int tape_write(FILE *tape, const struct decider *decider, bool has_looked);

/*
 * Replays the text of a recording and prints, to out, the time in seconds
 * since its beginning with each new verdict and each order.  The orders are
 * taken as carried out.  A last line that was cut is passed over.  The decider
 * is new, with room in its tables; -EINVAL with the line's number in *problem.
 */
int tape_replay(struct span text, struct decider *decider, FILE *out,
		struct problem *problem);

#endif

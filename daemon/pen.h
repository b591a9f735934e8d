/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pen: a cgroup of version 2 (Linux 5.2) that is frozen as a whole, because
 * an administrator says that those in it and below it belong together: a
 * container, or a service.  As with a cage (cage.h) nobody is told; but nobody
 * is moved either, and who is born in there, or enters it, is frozen too.
 *
 * Nobody in there may be one who is never frozen, or not for as long.  That is
 * looked at right before; who comes later waits with the others, and is no
 * reason to thaw.
 *
 * A cgroup tells that it is frozen, but not by whom.  So one that is frozen
 * already is not ours, and in ours lies a mark, an empty cgroup that is called
 * after one of those in the pen: the tree says what is to be thawed to whoever
 * comes after us.  Who owns the pen, unless he is root, can remove the mark,
 * and then he has only harmed himself; one that he makes does not count, or he
 * could undo what others have frozen.  As with cages, the worker holds what it
 * has frozen by flock(): here of the pen itself.
 */
#ifndef THRASH_DAEMON_PEN_H
#define THRASH_DAEMON_PEN_H

#include "core/log.h"
#include "daemon/facts.h"

/* And then ".PID.START_TIME" */
#define PEN_MARK "thrash-protect.whole"

enum {
	/* Each is looked at before: 0.1 ms and more. */
	PEN_MEMBERS = 64,
	/* Of cgroups, one in the other, and of those in all. */
	PEN_LEVELS = 16,
	PEN_CGROUPS = 256,
};

/*
 * The cgroup that is to be frozen as a whole with a process, as it was judged;
 * a descriptor, or -errno: -ENOENT when it is not in there any more.
 */
int pen_open(int cgroups, const struct facts *facts,
	     const struct process *process);

/* Who is in there or below; how many, or -errno: -E2BIG for too many. */
int pen_list(int pen, pid_t members[PEN_MEMBERS]);

/*
 * Whether all of them may be frozen for as long as process may.  -EPERM: not
 * *member, as he was judged.  Or -errno when they cannot be listed.
 */
int pen_check(int pen, const struct facts *facts, const struct process *process,
	      const struct role_moment *moment, struct process *member);

/* For as long as it is open; -EWOULDBLOCK: somebody else does. */
int pen_hold(int pen);

/*
 * Holds it, marks it with one of those in it, and freezes it.  -EALREADY:
 * somebody else has frozen it.  After an error nothing was done.
 */
int pen_freeze(int pen, pid_t pid, uint64_t start_time);

/* 0, also when the cgroup is gone. */
int pen_thaw(int pen, pid_t pid, uint64_t start_time);

/* Whether all in there stand still. */
bool pen_is_still(int pen);

/*
 * Whether an entry of the directory of a cgroup is a mark that counts, and for
 * whom: then the cgroup was frozen as a whole.
 */
bool pen_is_mark(int pen, const char *name, pid_t *pid, uint64_t *start_time);

#endif

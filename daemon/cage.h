/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cage: a cgroup of version 2 (Linux 5.2) in which one process stands still
 * and nobody is told.  Its parent gets no SIGCHLD, so shells, sudo, terminal
 * multiplexers and service managers notice nothing; SIGCONT does not undo it;
 * SIGKILL still works.  /proc shows such a process as asleep.
 *
 * The cage is made inside the cgroup that the process is in, frozen before
 * anybody is in there, and the process alone is moved in: it stays below its
 * service, and as long as that cgroup hands no controllers on to its children
 * its memory is counted as before.  The name tells pid and start time, so
 * the tree of cgroups is a ledger that outlives us: see cages_empty().
 *
 * The kernel moves processes only when none is in the middle of a fork or an
 * exit, and waits for that: the first move in a while takes 5-20 ms, those
 * right behind it 0.03-0.1 ms (Linux 6.18); making and freezing the cgroup
 * takes 0.1 ms.  Nothing here waits until the process stands still, which a
 * page fault on a slow disk puts off: cage_holds() tells.
 *
 * Others may own the cgroup in which a cage is made (a user's service manager
 * does), and can remove and replace what is in it.  Everything is reached by
 * descriptors from the mount point and links are not followed, so nobody gains
 * more than that his own processes go on.
 *
 * Several daemons may share the tree, each in its container.  So a worker holds
 * its cages, by flock() of the directory, which is the same one wherever it is
 * mounted, and which ends with the worker however that ends.  Whoever looks for
 * what was left behind lets alone what is held.  To hold a directory one must
 * open it for reading, which is for its owner and root only (others may pass
 * through, to see and to end who is in there): who owns the cgroup around a
 * cage can remove it, but not keep it closed when its worker is dead.  He may
 * hold one that he has made himself; in there he can put none but those whom
 * he can freeze anyhow, in a cgroup of any name.  An administrator's
 * --thaw-all opens all, held or not, as a worker that hangs holds on.
 */
#ifndef THRASH_DAEMON_CAGE_H
#define THRASH_DAEMON_CAGE_H

#include "core/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	/* What is looked through for what was left behind. */
	CAGE_LEVELS = 24,
	CAGE_CGROUPS = 50000,
};

/*
 * Whether cages can be made below cgroups, a directory descriptor (or -1): it
 * must be a tree of version 2 that shows us where /proc says that we are.
 * 0 or -errno.
 */
int cages_check(int cgroups, int proc);

/*
 * Freezes a process; the descriptor of its cage, or -errno: -ESRCH when that
 * process is gone, -EALREADY when somebody has stopped it.  Any other means
 * that it cannot be done here, and nothing was: if what was done could not be
 * undone it counts as done, to be undone by cage_thaw().
 */
int cage_freeze(int cgroups, int proc, pid_t pid, uint64_t start_time);

/* Whether the process is in there and stands still. */
bool cage_holds(int cage, pid_t pid);

/*
 * Lets everybody in there go on, moves them back and removes the cage; the
 * descriptor is closed unless it fails.  0, also if it had been removed.
 */
int cage_thaw(int cage, pid_t pid, uint64_t start_time);

/* Whether a cage, or a pen, is to be opened though somebody holds it. */
typedef bool cage_filter(const void *context, pid_t pid, uint64_t start_time);

/*
 * The same for every cage that a worker has left behind, and for those that
 * are held and wanted all the same (NULL: none); and for every pen (pen.h), by
 * the process in its mark.  Whose name looks like one is
 * taken for one, as all that it can do is to go on.  0, also where cgroups is
 * -1 or no tree of version 2; or -errno of what went wrong last: then there may
 * be more, and it is to be tried again.
 */
int cages_empty(int cgroups, cage_filter *is_wanted, const void *context,
		struct log *log);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cgroups: where a process is, and whether it is in one that has used up its
 * memory, version 1 or 2.  The name of one is chosen by whoever made it, and
 * is only looked up below the mount point.
 */
#ifndef THRASH_CORE_CGROUP_H
#define THRASH_CORE_CGROUP_H

#include "core/process.h"

#include <limits.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum {
	/* PID/cgroup: a line per hierarchy; what is longer is not looked at. */
	CGROUP_SIZE = 8192,
	/* Below the mount point; more than systemd and containers nest. */
	CGROUP_LEVELS = 16,
	/*
	 * With less than this share left a limit is reached: while a cgroup
	 * thrashes at it, 0-1 % are left (measured with 48 MB; the kernel makes
	 * room for 32 pages at a time).
	 */
	CGROUP_LEFT_SHARE = 16,
};

/* Where the cgroups are, of version 1 those for memory; directory descriptors,
 * owned; -1: nowhere. */
struct cgroups {
	int v1, v2;
};

/* root is where cgroups are mounted on this host. */
void cgroups_open(struct cgroups *cgroups, const char *root);
void cgroups_close(struct cgroups *cgroups);

/*
 * Fills in whether the cgroup of a process, or one above it, has reached its
 * limit, and which.  Before Linux 6.7 the kernel may make the caller wait for
 * somebody else who makes a cgroup: not to be called while the host is short
 * of memory.
 */
void cgroups_see_limit(const struct cgroups *cgroups, int proc,
		       struct process *process);

/*
 * The cgroup of version 2 in which a process is, as "/" or "/a/b" below the
 * mount point; -ENOENT when there is none, or it is not to be seen from here.
 */
int cgroup_read_path(int proc, pid_t pid, char path[PATH_MAX]);

#endif

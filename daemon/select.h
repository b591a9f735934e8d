/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may be frozen, and who takes part in the thrashing?  Pure: two
 * snapshots of the processes in, yes or no out.
 */
#ifndef THRASH_DAEMON_SELECT_H
#define THRASH_DAEMON_SELECT_H

#include "core/process.h"
#include "daemon/role.h"
#include "daemon/settings.h"

enum {
	/*
	 * Freezing less memory than this gives nobody else a working set; and
	 * what a login needs is smaller (measured on Debian 12: systemd --user
	 * 10 MB, an sshd 8 MB, bash 5 MB).
	 */
	SELECT_LEAST_KIB = 16 * 1024,
	/* A process that grows by less between two looks is not filling. */
	SELECT_GROWTH_KIB = 1024,
};

/*
 * Whether it faulted or grew since the snapshot before, or waits for a page
 * or a disk now: one fault on a slow disk outlasts looks.  So does who runs
 * while it loses memory: it will want that back (measured: 350 ms before its
 * first major fault, with an SSD).  Of whom the snapshot does not have (or
 * without one) this is unknown: it takes no part.
 */
bool select_takes_part(const struct process_table *before,
		       const struct process *process);

/*
 * Whether it must never be frozen: PID 1, ourselves and our ancestors, and who
 * is protected by its role (role.h) as it was judged; by its name alone if it
 * was not, as in older recordings.  now is needed to walk up from self.
 */
bool select_is_protected(const struct settings *settings,
			 const struct process_table *now, pid_t self,
			 const struct process *process);

/* Whether it is to blame: it takes part, and is not too small to matter. */
bool select_has_claim(const struct process_table *before,
		      const struct process *process);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Freezes processes and lets them go on, by the best of several methods, and
 * remembers who is frozen and how.  A process is never known by its pid alone:
 * it must have started at start_time, or nobody is touched.
 *
 *   cgroup   invisible to everybody; see cage.h
 *   whole-cgroup   with everybody in its cgroup, who then all are in the
 *            table; see pen.h
 *   signal   SIGSTOP, and for those whose parent would notice the parent too,
 *            which then is in the table as well; see stop.h
 *   dry-run  nothing is done
 *
 * Whoever will be stopped is in the table first (freezer_prepare()), to be
 * written down before it happens; and held there, for the guardian, before and
 * as long as it may be frozen.
 */
#ifndef THRASH_DAEMON_FREEZER_H
#define THRASH_DAEMON_FREEZER_H

#include "core/process.h"
#include "daemon/facts.h"
#include "daemon/ledger.h"
#include "daemon/settings.h"

enum {
	/*
	 * A freeze by cgroup that took so long (the kernel waits for forks and
	 * exits, and may have no memory) held up the whole daemon; for a while
	 * it is done by signal then.
	 */
	FREEZER_SLOW_MS = 500,
	FREEZER_RETRY_MS = 60000,
};

enum freeze_method {
	FREEZE_CGROUP,
	FREEZE_WHOLE_CGROUP,
	FREEZE_SIGNAL,
	FREEZE_DRY_RUN,
};

/* As published. */
const char *freeze_method_name(enum freeze_method method);

struct freezer {
	struct ledger *ledger; /* whose rows are the table; not ours */
	int proc;              /* not ours */
	int cgroups;           /* version 2; not ours; -1: there is no way */
	const struct facts *facts; /* not ours; NULL: nobody is in a pen */
	enum freeze_method method; /* that is tried first */
	bool may_fall_back;        /* from cgroup to signal */
	enum freeze_method failed_method; /* before it fell back last, */
	int failure;                      /* and why */
	uint64_t slow_until_us;
};

/*
 * cgroups is a descriptor of the tree of version 2, or -1.  0, or -errno
 * where the method that was chosen cannot be used; it still falls back if it
 * may.
 */
int freezer_open(struct freezer *freezer, struct ledger *ledger,
		 enum freezer_choice choice, int proc, int cgroups);
void freezer_open_dry_run(struct freezer *freezer, struct ledger *ledger);

/* Forgets all that are still in the table; who is held there remains so. */
void freezer_close(struct freezer *freezer);

/* Goes through the table: the next after last, or the first; NULL at the end.
 */
const struct frozen *freezer_next(const struct freezer *freezer,
				  const struct frozen *last);
size_t freezer_count(const struct freezer *freezer);

/* Its row; NULL when it is not in the table. */
const struct frozen *freezer_find(const struct freezer *freezer, pid_t pid,
				  uint64_t start_time);

bool freezer_is_dry_run(const struct freezer *freezer);

/*
 * Puts a process that will be frozen into the table, with those that will be
 * stopped for it.  0; -EBUSY when it cannot be frozen unnoticed; -ESRCH when
 * it is gone; -EALREADY when its parent was stopped by somebody else; -ENOSPC.
 */
int freezer_prepare(struct freezer *freezer, const struct process *process,
		    uint64_t now_us);

/*
 * The same for one that is to be frozen with its cgroup, whose descriptor (of
 * pen_open()) becomes the freezer's unless this fails: -EBUSY when somebody in
 * there is in the table by himself; -ESRCH when it is not in there any more.
 * If that cgroup is in the table already, pen is -1.
 */
int freezer_prepare_whole(struct freezer *freezer,
			  const struct process *process, int pen,
			  uint64_t now_us);
bool freezer_has_whole(const struct freezer *freezer, uint64_t whole);

/* Whether a cgroup can be frozen as a whole on this host. */
bool freezer_may_whole(const struct freezer *freezer);

/*
 * Freezes one that was prepared.  0; -EAGAIN when it was prepared anew, for
 * another method: then the table is to be written down and this called again;
 * -ESRCH when that process is gone; -EALREADY when somebody else has stopped
 * it, so that it is not ours to thaw; or what the kernel says.  After these
 * it is not in the table.
 */
int freezer_freeze(struct freezer *freezer, const struct process *process);

/*
 * Lets one go on, whoever was stopped for it or frozen with it as well, and
 * takes it out of the table.  0, also when it was not in there; -ESRCH when
 * that process is gone; after any other error it is still frozen.
 */
int freezer_thaw(struct freezer *freezer, const struct process *process);

/*
 * Lets those go on who were stopped for somebody else, are so no more, and
 * could not be let go on: they are in the table until they can.
 */
void freezer_try_again(const struct freezer *freezer);

/*
 * Whether one that /proc does not show is really gone; of a dry run, which has
 * frozen nobody, that is enough.
 */
bool freezer_has_lost(const struct freezer *freezer,
		      const struct process *process);

/*
 * /proc shows one that is frozen by cgroup as asleep; here it becomes T, as
 * it is with signals.  And who is stopped but wanted, by a signal that waits
 * for it, becomes PROCESS_WANTED.
 */
void freezer_see(const struct freezer *freezer, struct process *process);

#endif

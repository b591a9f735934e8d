/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The marker file: it exists exactly while something is frozen and holds the
 * pids on one line.  It lies in a directory where anybody can plant things,
 * so a link is never followed, nobody's file is written through, and nothing
 * is ever read back.
 */
#ifndef THRASH_DAEMON_MARKER_H
#define THRASH_DAEMON_MARKER_H

#include "core/state.h"

#include <time.h>

struct marker {
	int directory;         /* owned; -1: there is no marker */
	const char *name;      /* in that directory; the settings' memory */
	struct timespec since; /* when this time of freezing began */
	bool is_there;
};

/*
 * path is absolute, or empty for none.  What an earlier daemon left there is
 * removed.  -errno when the directory cannot be opened, and then there is no
 * marker; -EEXIST when somebody else's file, a link or the like is there, and
 * will be replaced if it can be.
 */
int marker_open(struct marker *marker, const char *path);
void marker_close(struct marker *marker);

/* Removes what is left of a daemon of that user's; errors as above. */
int marker_remove(const char *path, uid_t owner);

/*
 * Brings the file up to date; now is of CLOCK_REALTIME.  The file's time of
 * modification is the moment when something became frozen first, not that of
 * the last change, so that its age says for how long.  -errno; the caller may
 * go on.
 */
int marker_update(struct marker *marker, const struct state *state,
		  const struct timespec *now);

#endif

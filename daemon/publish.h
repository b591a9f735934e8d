/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells everybody else what the daemon sees and does: state file and marker. */
#ifndef THRASH_DAEMON_PUBLISH_H
#define THRASH_DAEMON_PUBLISH_H

#include "core/log.h"
#include "core/state.h"
#include "daemon/decide.h"
#include "daemon/freezer.h"
#include "daemon/marker.h"

enum {
	/* How often a calm daemon shows that it is alive. */
	PUBLISH_CALM_MS = 60000,
};

struct publisher {
	int directory; /* the run directory; owned */
	int lock;      /* owned; held as long as we run */
	struct marker marker;
	struct state state;
	uint64_t written_us;           /* 0: never */
	int state_error, marker_error; /* of the last attempt, to tell once */
};

/* What is all zero but for this is not open, and may be closed. */
void publisher_clear(struct publisher *publisher);

/*
 * Makes the run directory if need be and takes its lock.  -errno with
 * *problem: -EWOULDBLOCK when another daemon holds the lock; then there still
 * is something to close.  marker is empty for none; one that cannot be kept
 * is only a warning.
 */
int publisher_open(struct publisher *publisher, const struct settings *settings,
		   const char *marker, struct log *log,
		   struct problem *problem);

/* The end: marker and state file are removed, or kept for what comes next. */
void publisher_close(struct publisher *publisher, bool keeps_state);

/* What does not change while the daemon runs. */
void publisher_introduce(struct publisher *publisher, const char *mode,
			 pid_t pid, uint64_t start_time);

/* As what somebody is frozen; "parent": only for the sake of another. */
const char *publish_class_name(const struct frozen *row);

/*
 * Before anybody is frozen: the state with those who will be, as the freezer
 * has them in its table.  -errno when it cannot be written, and then nobody
 * may be frozen, because after a crash nobody would know.
 */
int publish_ahead(struct publisher *publisher, const struct freezer *freezer,
		  uint64_t now_us);

/*
 * Writes if something changed, or when the file would grow stale.  -ENOENT
 * when the run directory is gone; other failures are told once and tried
 * again.
 */
int publish(struct publisher *publisher, const struct decider *decider,
	    const struct freezer *freezer, struct log *log);

/*
 * Removes the files of a daemon that is gone, as its own end would have done;
 * those of another than pid are left alone.  0, or -errno: try again.
 */
int publish_settle(const char *run_dir, const char *marker, pid_t pid);

/* When the file has to be written again, in ms from now. */
uint64_t publish_due_ms(const struct publisher *publisher, uint64_t now_us);

#endif

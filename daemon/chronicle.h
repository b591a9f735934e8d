/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the history, while the daemon runs: what it saw, at most every ten
 * seconds while it is not calm and with every state file; and who was frozen
 * and why, when it begins and when it ends.  It wakes nobody, and of what it
 * has written it keeps nothing.
 */
#ifndef THRASH_DAEMON_CHRONICLE_H
#define THRASH_DAEMON_CHRONICLE_H

#include "core/history.h"
#include "core/log.h"
#include "daemon/decide.h"
#include "daemon/freezer.h"

/* One that is frozen, and where that was written down. */
struct chronicle_row {
	pid_t pid;
	uint64_t start_time;
	uint64_t sequence; /* 0: it could not be */
};

struct chronicle {
	struct history history;
	int directory, proc;           /* not ours; directory -1: not open */
	uint64_t started_ms;           /* when counting began; 0: not yet */
	uint64_t written_us;           /* 0: never */
	uint64_t turn_us;              /* the last one; 0: none */
	uint64_t last_freeze;          /* a sequence */
	int error;                     /* of the last attempt, to tell once */
	struct history_record pending; /* what is not written yet */
	struct chronicle_row rows[STATE_FROZEN];
	size_t count;
};

/* What is all zero but for this is not open, and may be closed. */
void chronicle_clear(struct chronicle *chronicle);

/*
 * directory is the run directory.  That there can be no history, or that what
 * was there is replaced, is a warning only.
 */
void chronicle_open(struct chronicle *chronicle, int directory, int proc,
		    struct log *log);
void chronicle_close(struct chronicle *chronicle);

/*
 * The end of a turn, whose orders have been carried out; is_published says
 * that the state file was just written.
 */
void chronicle_turn(struct chronicle *chronicle, const struct decider *decider,
		    const struct freezer *freezer, const struct orders *orders,
		    uint64_t now_us, bool is_published, struct log *log);

#endif

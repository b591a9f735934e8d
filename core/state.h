/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state file: what the daemon tells everybody else, and the only place
 * where the daemon and the plugins meet.  Lines of "name value"; readers
 * ignore names they do not know, so the format can grow.
 *
 * <run directory>/state is root's, mode 0644, and replaced in one step.
 */
#ifndef THRASH_CORE_STATE_H
#define THRASH_CORE_STATE_H

#include "core/problem.h"
#include "core/process.h"
#include "core/sample.h"
#include "core/text.h"

#include <stdio.h>
#include <sys/types.h>

#define STATE_RUN_DIR "/run/thrash-protect"
#define STATE_MARKER "/tmp/thrash-protect-frozen-pid-list"

enum {
	STATE_FORMAT = 1,
	STATE_FROZEN = 256,     /* processes frozen at the same time, at most */
	STATE_SIZE = 48 * 1024, /* bytes of a state file, at most */
	STATE_WORD = 24,
};

/* One frozen process. */
struct state_frozen {
	pid_t pid;
	uint64_t start_time; /* ticks since boot, as in /proc/PID/stat */
	uint64_t frozen_ms;  /* for how long, when the state was written */
	/* cgroup | whole-cgroup | signal | dry-run */
	char method[STATE_WORD];
	/* batch | interactive | parent, or member (of a frozen one's cgroup) */
	char class[STATE_WORD];
	char command[PROCESS_COMMAND]; /* as it is, not escaped */
};

struct state {
	uint64_t format;
	char version[STATE_WORD];
	uint64_t pid; /* of the daemon, with its start time */
	uint64_t pid_start_time;
	uint64_t boottime_ms;  /* CLOCK_BOOTTIME when it was written */
	uint64_t fresh_for_ms; /* it will be written again within this time */
	char mode[STATE_WORD]; /* psi-trigger | psi-poll | swap | pgmajfault */
	char verdict[STATE_WORD]; /* calm | unsettled | thrashing */
	uint64_t stall_permille;  /* of the last interval */
	uint64_t page_cost_us;    /* learned: stall per page from swap */
	uint64_t stall_us_total;
	uint64_t thrash_us_total; /* time with the verdict thrashing */
	uint64_t freezes_total, thaws_total;
	uint64_t rotations_total;         /* turns given to one who waited */
	uint64_t freezes_unhelpful_total; /* after which it thrashed on */
	uint64_t paged_out_bytes_total, prefetched_bytes_total; /* in bulk */
	uint64_t frozen_us_total; /* summed over processes */
	uint64_t longest_gap_ms;  /* between two turns that were due sooner */
	uint64_t frozen_processes;
	uint64_t longest_frozen_ms; /* of those frozen now */
	/* the kernel's counters at that moment, for rates since then */
	struct sample sample;
	struct state_frozen frozen[STATE_FROZEN]; /* frozen_processes rows */
	uid_t owner; /* of the file that was read; not in it */
};

/*
 * Writes the state as text.  -EFBIG if it does not fit, which STATE_SIZE
 * bytes rule out; -EINVAL for more frozen processes than there is room for.
 */
int state_format(const struct state *state, char *buffer, size_t size,
		 struct span *text);

/* The same as one JSON object. */
void state_print_json(const struct state *state, FILE *stream);

/*
 * -EINVAL for anything malformed, twice or missing, with the line's number in
 * *problem; -EPROTONOSUPPORT for another format.  Then *state is all zero.
 */
int state_parse(struct span text, struct state *state, struct problem *problem);

/*
 * Opens the run directory; a descriptor, or -errno with *problem: -EPERM when
 * others can write there than root, we ourselves, and the user to whom root has
 * given it, as one that lies where only root can write; -ENOTDIR for a link.
 */
int state_open_directory(const char *run_dir, struct problem *problem);

/* directory is the run directory. */
int state_write(int directory, const struct state *state);

/*
 * -errno, with *problem saying what is wrong: -ENOENT without a file, -EACCES
 * when it may not be read, -EPERM for a file or directory that somebody else
 * can write, -EINVAL for a malformed one.
 */
int state_read(const char *run_dir, struct state *state,
	       struct problem *problem);

/*
 * Whether the daemon that wrote the state is there: -ESRCH when its process
 * is gone, -ETIMEDOUT when it has not written for three times its own
 * fresh_for_ms, with *problem saying so.  Where /proc hides other users'
 * processes only the age is judged.  proc is a directory descriptor.
 */
int state_check_daemon(const struct state *state, int proc,
		       uint64_t boottime_ms, struct problem *problem);

#endif

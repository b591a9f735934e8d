/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the daemon knows of the processes that it may freeze, beside their
 * stat: whose they are, where they come from, what program it is, what hangs
 * on them.  Read once for each and kept, because it seldom changes; who takes
 * another name is looked at again, and everybody after FACTS_FRESH_MS.
 *
 * Nothing is read that can wait for the process itself (cmdline, environ,
 * maps) or for a server: where a program lies is asked without its file
 * system's opinion.  PID/cgroup could make us wait for somebody who makes a
 * cgroup before Linux 6.7; so it is read only if a rule or a watchdog asks for
 * it.  Time taken on Linux 6.18: 100 us for the process, 15 us for each of its
 * ancestors.
 */
#ifndef THRASH_DAEMON_FACTS_H
#define THRASH_DAEMON_FACTS_H

#include "daemon/role.h"
#include "daemon/settings.h"
#include "daemon/watchdog.h"

#include <limits.h>

#define FACTS_SHELLS "/etc/shells"

enum {
	FACTS_KEPT = 64,
	FACTS_READS = 16, /* processes, in one look at most: 3 ms */
	FACTS_FRESH_MS = 10000,
	FACTS_ANCESTORS = 16,
	FACTS_KIN = 16,
	FACTS_SHELL_NAMES = 16,
	FACTS_FILES = 16, /* descriptors that are looked at for /dev/fuse */
	FACTS_PATH = 256, /* of a program; of a longer one only the beginning */
	FACTS_CGROUPS = 4096, /* of PID/cgroup; a longer one is not read */
};

struct facts {
	int proc;                        /* not ours */
	const struct settings *settings; /* not ours */
	unsigned page_kib;
	unsigned reads_left;
	size_t next; /* to be replaced in kept */
	char shells[FACTS_SHELL_NAMES][PROCESS_COMMAND];
	size_t shell_count;
	pid_t kin[FACTS_KIN]; /* the daemon and its ancestors */
	size_t kin_count;
	struct watchdogs watchdogs;
	struct role_facts kept[FACTS_KEPT];
};

/* self is the daemon; 0: there is none. */
void facts_open(struct facts *facts, int proc, const struct settings *settings,
		pid_t self);
void facts_close(struct facts *facts);

/* A new look: as many as FACTS_READS may be read. */
void facts_begin(struct facts *facts);

/* What is kept of a process, however old; NULL: nothing. */
struct role_facts *facts_find(struct facts *facts,
			      const struct process *process);

/*
 * What is known of a process, read if need be; *is_new says that it was.
 * NULL: not in this look any more, or it is gone.
 */
struct role_facts *facts_get(struct facts *facts, const struct process *process,
			     uint64_t now_us, bool *is_new);

/*
 * Judges a process by what is known of it then; who is not known is pending.
 * *is_new says that there was nothing to go by before.
 */
void facts_judge(struct facts *facts, struct process *process,
		 const struct role_moment *moment, bool *is_new);

/*
 * Judges a process of whom nothing may be known yet, and keeps nothing; who is
 * gone meanwhile is pending.
 */
struct judgement facts_judge_once(const struct facts *facts,
				  const struct process *process,
				  const struct role_moment *moment);

/*
 * Fills in which cgroup it is to be frozen with, as a whole, for one who is
 * not judged (yet).
 */
void facts_see_whole(struct facts *facts, struct process *process);

/*
 * The path of that cgroup now, and the number of the rule that says so; 0:
 * there is none.
 */
uint8_t facts_find_whole(const struct facts *facts, pid_t pid,
			 char path[PATH_MAX]);

/* The program of a process, terminated; false: it may not be looked at. */
bool facts_read_exe(int proc, pid_t pid, char path[FACTS_PATH]);

#endif

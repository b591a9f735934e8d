/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that tests make up. */
#ifndef THRASH_TESTS_PROCESSES_H
#define THRASH_TESTS_PROCESSES_H

#include "core/process.h"

#include <stdio.h>

enum { PROCESSES_MAX = 64, MIB = 1024 };

/* Two looks at the same host, the second some time after the first. */
struct processes {
	struct process before_rows[PROCESSES_MAX], now_rows[PROCESSES_MAX];
	struct process_table before, now;
};

static inline void processes_begin(struct processes *processes)
{
	processes->before = (struct process_table){
		.rows = processes->before_rows, .capacity = PROCESSES_MAX};
	processes->now = (struct process_table){.rows = processes->now_rows,
						.capacity = PROCESSES_MAX};
}

/*
 * Adds a process of init's with that many KiB, which has taken faults between
 * the looks; pids must rise.  Its row in the newer look can be changed.
 */
static inline struct process *processes_add(struct processes *processes,
					    pid_t pid, const char *command,
					    uint64_t resident_kib,
					    uint64_t faults)
{
	struct process *now = &processes->now_rows[processes->now.count++];

	*now = (struct process){
		.pid = pid,
		.parent = 1,
		.group = pid,
		.session = pid,
		.start_time = 1000 + (uint64_t)pid,
		.major_faults = 50,
		.resident_kib = resident_kib,
		.state = 'S',
	};
	(void)snprintf(now->command, sizeof(now->command), "%s", command);
	processes->before_rows[processes->before.count++] = *now;
	now->major_faults += faults;
	return now;
}

#endif

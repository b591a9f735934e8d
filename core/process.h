/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Processes as /proc shows them.  Only files that the kernel serves without
 * the lock of the process's memory are read (stat, status): cmdline, environ
 * and maps block while the process forks or faults (measured: up to 20 ms),
 * and cmdline swaps its page in.
 */
#ifndef THRASH_CORE_PROCESS_H
#define THRASH_CORE_PROCESS_H

#include "core/text.h"

#include <dirent.h>
#include <sys/types.h>

enum {
	PROCESS_COMMAND = 16, /* TASK_COMM_LEN; longer names are cut */
	PROCESS_STAT_SIZE = 1024,
	PROCESS_STATUS_SIZE = 2048, /* read at once; it may be longer */
};

/* Of the memory that its cgroup, or one above, may have; core/cgroup.h. */
enum process_limit {
	LIMIT_UNKNOWN, /* not looked at, or not to be seen from here */
	LIMIT_FAR,     /* there is more to have, or no limit */
	LIMIT_REACHED,
};

/* How a process is to be treated; who judges that is daemon/role.h. */
enum process_class {
	CLASS_UNKNOWN, /* nobody has judged yet */
	CLASS_BATCH,   /* it may be frozen, and wait for its turn */
	CLASS_INTERACTIVE,
	CLASS_PROTECTED, /* it is never frozen */
	CLASSES,
};

struct judgement {
	/* the cgroup that it is frozen with, as a whole; 0: it is alone */
	uint64_t whole;
	uint32_t budget_ms; /* it is frozen for no longer; 0: max_frozen */
	uint8_t class;      /* enum process_class */
	uint8_t role;       /* enum role_kind: why */
	uint8_t rule;       /* the administrator's that says so; 0: none */
	bool is_preferred : 1, is_new_login : 1;
};

struct process {
	pid_t pid, parent, group, session;
	uint64_t start_time;   /* ticks since boot; with pid: which process */
	uint64_t major_faults; /* of all its threads, since it started */
	uint64_t resident_kib;
	uint64_t swapped_kib;     /* only after process_read_memory() */
	enum process_limit limit; /* only after cgroups_see_limit() */
	uint64_t limit_kib;       /* which it has reached */
	unsigned flags;           /* PF_* of include/linux/sched.h */
	uint32_t cpu_ticks;       /* used since it started, or the most */
	struct judgement judged;  /* only after role_judge() */
	bool has_claim;           /* only after decide_note_claim() */
	bool has_terminal;        /* that controls it */
	bool is_foreground;       /* its group is the one at the terminal */
	char state;               /* R S D T t Z X I P */
	char command[PROCESS_COMMAND];
};

bool process_is_kernel_thread(const struct process *process);

/* Gone but for its exit code: Z or X (x before Linux 3.14). */
bool process_is_dead(const struct process *process);

/* Stopped by a signal or a tracer: T or t. */
bool process_is_stopped(const struct process *process);

/*
 * In the same cgroup that is frozen as a whole; or, if neither is in one, of
 * the same process group: a pipeline, make and its compilers.
 */
bool process_is_together(const struct process *a, const struct process *b);

/* "unknown", "batch", "interactive", "protected" */
const char *process_class_name(enum process_class class);

/* Resident and swapped together. */
uint64_t process_memory_kib(const struct process *process);

/* PID/stat; the command may hold anything, ")" and newlines included. */
int process_parse_stat(struct span text, unsigned page_kib,
		       struct process *process);

/* VmSwap of PID/status, in KiB; 0 where there is none (no memory left). */
int process_parse_status(struct span text, uint64_t *swapped_kib);

/* -ENOENT or -ESRCH when the process is gone: that is normal. */
int process_read(int proc, pid_t pid, unsigned page_kib,
		 struct process *process);
int process_read_memory(int proc, struct process *process);

/*
 * Reads the process that started at start_time; -ESRCH when it is gone, or
 * dead, or its pid belongs to another one now.
 */
int process_find(int proc, pid_t pid, uint64_t start_time, unsigned page_kib,
		 struct process *process);

/* It and its ancestors, from it up, until one is not there; how many. */
size_t process_read_kin(int proc, pid_t pid, unsigned page_kib, pid_t *kin,
			size_t most);

/* Whether that process is known to be there. */
bool process_is_alive(int proc, pid_t pid, uint64_t start_time);

/*
 * Whether proc is a real /proc that shows this very process under its pid, so
 * that its pids can be trusted.
 */
bool process_is_own_proc(int proc);

/*
 * Which signals wait to be delivered to it: bit n - 1 for signal n, for the
 * process or for its first thread.
 */
int process_read_pending(int proc, pid_t pid, uint64_t *signals);

/* A snapshot of all processes but kernel threads and zombies, by rising pid. */
struct process_table {
	DIR *directory; /* owned; kept open so that a scan allocates nothing */
	struct process *rows; /* owned */
	size_t count, capacity;
	size_t left_out; /* what did not fit */
	unsigned page_kib;
};

int process_table_open(struct process_table *table, int proc, size_t capacity);
void process_table_close(struct process_table *table);

/* Takes a new snapshot; -errno when /proc cannot be listed. */
int process_table_scan(struct process_table *table);

/* NULL if it is not there or its pid belongs to another process now. */
const struct process *process_table_find(const struct process_table *table,
					 pid_t pid, uint64_t start_time);

enum { PROCESS_LINE = 256 };

/*
 * A line of a recording, without its newline:
 *   process PID PARENT GROUP SESSION START MAJOR RESIDENT SWAPPED FLAGS STATE
 *   COMMAND
 */
void process_format(const struct process *process, char line[PROCESS_LINE]);
int process_parse(struct span line, struct process *process);

#endif

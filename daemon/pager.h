/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves whole sets of memory between RAM and swap, in bulk and in address
 * order, which a disk does at full speed where page faults would make it seek.
 *
 * The system calls block for as long as the disk does, so a thread of its own
 * makes them, a few megabytes at a time; a new plan takes the place of the
 * old one after the current step.  Without the calls (Linux before 5.10, or
 * no CAP_SYS_NICE or CAP_SYS_PTRACE) nothing is moved, and everything works,
 * slower.
 */
#ifndef THRASH_DAEMON_PAGER_H
#define THRASH_DAEMON_PAGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PAGER_TARGETS = 64, /* of each kind, at most */
	PAGER_STACK_BYTES = 64 * 1024,
	PAGER_STACK_USED = 32 * 1024, /* at most (measured: 22 kB) */
	/* A step: short enough to be dropped soon (70 ms at 60 MB/s). */
	PAGER_OUT_STEP_KIB = 4096,
	/* The same of what is marked cold, which needs no disk. */
	PAGER_COLD_STEP_KIB = 256 * 1024,
	/*
	 * Of a step out, in one call.  The kernel frees a page at the next need
	 * if it was written after the end of the call, otherwise after all
	 * others (measured: with 2048 on a magnetic disk, a third of the memory
	 * held such pages while those of the runner were evicted).
	 */
	PAGER_OUT_PIECE_KIB = 256,
	/* Less, because it must find room that is being made for it. */
	PAGER_IN_STEP_KIB = 1024,
	/* As good as nothing: the pages that a disk is always writing. */
	PAGER_WRITING = 256,
	PAGER_WAIT_NS = 5000000,
	/* For others, after each step out: 100 ms. */
	PAGER_OUT_WAITS = 20,
	/* For a second of each plan, until what was moved out is written. */
	PAGER_IN_WAITS = 200,
};

/* Which process; the start time guards against another with its pid. */
struct pager_target {
	pid_t pid;
	uint64_t start_time;
};

struct pager_targets {
	struct pager_target items[PAGER_TARGETS];
	size_t count;
};

/*
 * What to do, in this order: mark those of out as cold, so that the kernel
 * evicts them before anything else; move up to out_kib of them to swap; bring
 * those of in back, into the room that was made and room_kib.  More would
 * evict itself again, and in a full cgroup the kernel has given up on making
 * room for it and killed somebody (measured: Linux 6.18, version 1).
 */
struct pager_plan {
	struct pager_targets out, in;
	uint64_t out_kib, room_kib;
};

/* All zero is a pager that is not open: it moves nothing. */
struct pager {
	pthread_t thread;
	bool is_running;
	int proc; /* a directory descriptor; not ours */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock: */
	struct pager_plan plan;
	uint64_t plan_number;
	bool is_ending;
	/* written by the thread: */
	atomic_uint_fast64_t done_number;
	atomic_uint_fast64_t out_bytes, in_bytes;
};

/* 0, or -errno. */
int pager_open(struct pager *pager, int proc);

/* Tells it to end after the current step, for which nobody waits here. */
void pager_end(struct pager *pager);

/* The same, and waits for it: as long as a disk that hangs. */
void pager_close(struct pager *pager);

/* Replaces the plan; gives its number, which counts from 1. */
uint64_t pager_order(struct pager *pager, const struct pager_plan *plan);

/* The number of the last plan that was carried out, or dropped. */
uint64_t pager_done(const struct pager *pager);

/* What was moved so far, by what the processes have in swap. */
void pager_totals(const struct pager *pager, uint64_t *out_bytes,
		  uint64_t *in_bytes);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A host that exists in arithmetic only: tasks with working sets, memory that
 * is too small for them, and a device to swap to.  Time goes on in steps; in
 * each everything is an expected value, no page is followed by itself.
 *
 * What is modelled: filling and touching memory, page faults that wait for
 * latency, seek and a queue, reclaim (what is marked cold first, what is in
 * use last), the order in which pages lie in swap, a pager that moves memory
 * in bulk, processor time, and the counters that the kernel would show.
 */
#ifndef THRASH_TESTS_SIMULATED_HOST_H
#define THRASH_TESTS_SIMULATED_HOST_H

#include "core/process.h"
#include "core/sample.h"

enum {
	HOST_TASKS = 24,
	HOST_PARTS = 2, /* of a task's memory: the hot one and the rest */
	HOST_FIRST_PID = 100,
};

struct disk {
	const char *name;
	double mb_per_s;
	double latency_us; /* of every request */
	double seek_us;    /* of one that does not follow the one before */
	double channels;   /* requests that it serves at the same time */
};

enum pattern {
	PATTERN_UNIFORM,    /* every page alike */
	PATTERN_HOT,        /* nine of ten touches on one tenth */
	PATTERN_SEQUENTIAL, /* front to back, over and over */
};

/* What a task is going to do; sizes in MB of 2^20 bytes. */
/* The uptime when the jobs come to a host; the others are there then. */
enum { HOST_BEGIN_US = 10000000 };

struct role {
	char command[PROCESS_COMMAND];
	bool is_job;       /* it ends; the others last as long as the host */
	uint64_t start_us; /* when it starts */
	double set_mb;
	double fill_mb_per_s;
	double work_s; /* processor time after the filling */
	double touch_us;
	enum pattern pattern;
	double phase_s; /* of work between two sleeps; 0: never sleeps */
	double sleep_s;
	double trim_mb_per_s; /* what it loses though memory is not short */
};

struct task {
	struct role role;
	bool is_done;
	double resident_mb[HOST_PARTS], swapped_mb[HOST_PARTS];
	double cold_mb;      /* of the resident: marked by the pager */
	double scattered_mb; /* of the swapped: not in the order of addresses */
	double work_left_s, phase_left_s;
	uint64_t asleep_until_us; /* 0: awake */
	uint64_t active_us;       /* when it last ran or waited */
	uint64_t ended_us;
	double major_faults;
	bool is_stopped;
	uint64_t stops_us; /* the stop waits for the end of a fault */
	/* of the last step: */
	double stalled; /* share of the step */
	double progress_s;
	double response_us; /* of a fault */
	double busy;        /* share of the device that it took */
	double service_us;  /* of one of its requests */
};

/* What the pager is told; indices of tasks. */
struct host_plan {
	size_t out[HOST_TASKS];
	size_t out_count;
	double out_mb;
	size_t in[HOST_TASKS];
	size_t in_count;
};

struct host {
	struct disk disk;
	double frames_mb;
	double cpus;
	double psi_share; /* of the stall, that memory pressure sees */
	struct task tasks[HOST_TASKS];
	size_t count;
	uint64_t random;
	uint64_t now_us;
	/* the pager */
	struct host_plan plan;
	uint64_t plan_number, plan_done;
	bool is_begun;
	/* what it has not passed yet on its way through each memory */
	double out_left_mb[HOST_TASKS], in_left_mb[HOST_TASKS];
	double pager_busy, pager_busy_before, pager_service_us;
	/* of the step that is on */
	double written;  /* share of what comes in that makes room first */
	double busy;     /* share of the device that was taken */
	double queue_us; /* what a request finds before it */
	/* counters, as the kernel has them */
	double swapped_in, swapped_out, major_faults, refaulted;
	double memory_us, io_us;
	double scanned, scanned_for_host;
	bool has_scanned; /* the kernel counts them */
};

/* Between 0 and 1, the same for the same seed. */
double host_random(struct host *host);

void host_step(struct host *host, uint64_t step_us);

double task_resident_mb(const struct task *task);
double task_swapped_mb(const struct task *task);

/* Started and not ended. */
bool task_is_there(const struct host *host, const struct task *task);

/* It would work if it were let. */
bool task_is_awake(const struct host *host, const struct task *task);

/* Filling its memory. */
bool task_is_growing(const struct task *task);

/* What the memory of a task that is brought in costs the device, in s. */
double host_load_s(const struct host *host, const struct task *task);

double host_free_mb(const struct host *host);

/* What /proc would show. */
void host_sample(const struct host *host, struct sample *sample);
void host_process(struct host *host, size_t index, struct process *process);

void host_stop(struct host *host, size_t index);
void host_continue(struct host *host, size_t index);
uint64_t host_order(struct host *host, const struct host_plan *plan);

#endif

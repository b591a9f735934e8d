/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stops processes and lets them go on.  A process is never known by its pid
 * alone: it must have started at start_time, or nobody is touched.
 */
#ifndef THRASH_DAEMON_FREEZER_H
#define THRASH_DAEMON_FREEZER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct freezer {
	const char *method; /* as published */
	/*
	 * 0; -ESRCH when that process is gone; -EALREADY when somebody else
	 * has stopped it, so that it is not ours to thaw; or what the kernel
	 * says.
	 */
	int (*freeze)(int proc, pid_t pid, uint64_t start_time);
	int (*thaw)(int proc, pid_t pid, uint64_t start_time);
};

/*
 * SIGSTOP and SIGCONT, through a pidfd (Linux 5.3), which cannot come to mean
 * another process.  Without one the start time is compared right before the
 * signal.
 */
extern const struct freezer freezer_signal;

/* Does nothing, successfully. */
extern const struct freezer freezer_dry_run;

#endif

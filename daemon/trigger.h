/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pressure trigger: the kernel wakes us when tasks stall for memory, so
 * that a calm host is never looked at.
 */
#ifndef THRASH_DAEMON_TRIGGER_H
#define THRASH_DAEMON_TRIGGER_H

enum {
	/* The shortest window that all kernels take (6.1; measured). */
	TRIGGER_WINDOW_US = 500000,
	/* Early: one in twenty-five; the samples that follow decide. */
	TRIGGER_STALL_US = 20000,
};

/*
 * A descriptor for poll(2) with POLLPRI (POLLERR: pressure information is
 * gone), or -errno.  Without CAP_SYS_RESOURCE the kernel takes only windows
 * that are multiples of 2 s, which is too late, and says EINVAL to this one.
 */
int trigger_open(int proc);

#endif

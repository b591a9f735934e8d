/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds a lock of a file that somebody else waits for, by /proc/locks.
 * Reading it takes 6 to 12 ms (Linux 6.18): the kernel waits until nobody
 * takes or gives back a lock.
 */
#ifndef THRASH_CORE_LOCKS_H
#define THRASH_CORE_LOCKS_H

#include "core/text.h"

#include <sys/types.h>

enum { LOCKS_HOLDERS = 16 };

struct locks {
	pid_t awaited[LOCKS_HOLDERS]; /* who others wait for */
	size_t count;                 /* what does not fit is left out */
	pid_t holder;                 /* of the lock in the last line */
};

/*
 * Adds whole lines of the file; the first call is with all zero.  Lines that
 * are not understood are passed over.
 */
void locks_parse(struct locks *locks, struct span text);

/* -errno. */
int locks_read(int proc, struct locks *locks);

bool locks_has(const struct locks *locks, pid_t pid);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps the daemon itself running while nothing else does: memory that
 * is never swapped out or dropped, a high priority, and no place on the
 * kernel's list when memory is out.
 *
 * Only what a turn uses is locked: the program with its data, as much of each
 * stack as is used, and what the caller names.  mlockall() would also hold
 * libc's heap and the room that stacks and tables may grow into (measured of
 * the static program: 1476 kB of VmLck instead of 1192; of one that needs
 * libc.so, 3 MB).
 */
#ifndef THRASH_DAEMON_RESIDENT_H
#define THRASH_DAEMON_RESIDENT_H

#include "core/log.h"

#include <stddef.h>

/*
 * Does what it may and logs (level debug) what it may not; none of it is
 * needed to work.
 */
void resident_begin(struct log *log);

/*
 * The same for the guardian, which is seldom awake: its own data and stack.
 * The code is the worker's, too, and locked by that one.
 */
void resident_begin_little(struct log *log);

/* Locks a mapping, whose pages may come later; -errno. */
int resident_keep(const void *start, size_t bytes);

/*
 * Makes it all zero, as memset() does; but what is zero is not written to, so
 * that memory that was never used takes none.
 */
void resident_clear(void *start, size_t bytes);

/* Brings in and locks so much of this thread's stack, below the caller. */
int resident_keep_stack(size_t bytes);

#endif

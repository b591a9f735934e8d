/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps the daemon itself running while nothing else does: memory that
 * is never swapped out, a high priority, and no place on the kernel's list
 * when memory is out.
 */
#ifndef THRASH_DAEMON_RESIDENT_H
#define THRASH_DAEMON_RESIDENT_H

#include "core/log.h"

/*
 * Does what it may and logs (level debug) what it may not; none of it is
 * needed to work.  Call it when everything is allocated.
 */
void resident_begin(struct log *log);

#endif

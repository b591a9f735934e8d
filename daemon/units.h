/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Units: jobs that are frozen and thawed as one, because they wait for each
 * other, the processes of one process group.
 */
#ifndef THRASH_DAEMON_UNITS_H
#define THRASH_DAEMON_UNITS_H

#include "daemon/schedule.h"

/*
 * Puts each job into its unit, and sums them up.  A group that is too big to
 * fit as a whole takes turns by its members.
 */
void units_form(struct schedule *schedule, uint64_t now_us);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Units: jobs that are frozen and thawed as one, because they wait for each
 * other, the processes of one process group; or because an administrator says
 * so, those of a cgroup.
 */
#ifndef THRASH_DAEMON_UNITS_H
#define THRASH_DAEMON_UNITS_H

#include "daemon/schedule.h"

/*
 * Puts each job into its unit, and sums them up.  A group that is too big to
 * fit as a whole takes turns by its members.
 */
void units_form(struct schedule *schedule, uint64_t now_us);

/*
 * Orders that freeze one of a cgroup that is frozen as a whole, or thaw one
 * that was frozen so, are for all the jobs in there: completes them.  From a
 * cgroup that was divided each is frozen by itself.
 */
void units_complete(const struct schedule *schedule, uint64_t now_us,
		    struct orders *orders);

#endif

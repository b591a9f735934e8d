/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much memory the jobs of a schedule can have between them, and how much
 * they need.  Nobody tells; it is measured when memory is short, and believed
 * to grow while it is not.
 */
#ifndef THRASH_DAEMON_CAPACITY_H
#define THRASH_DAEMON_CAPACITY_H

#include "daemon/schedule.h"

/* What who holds so much and grows may come to want. */
uint64_t job_growth_kib(uint64_t held_kib);

/* What is its own; who was frozen while it grew will want more than it has. */
uint64_t job_need_kib(const struct job *job);

/* What those need who are not frozen, or will not be for long. */
uint64_t capacity_needed_kib(const struct schedule *schedule);

/* What all of them, also the frozen, need and there is not; 0 if unknown. */
uint64_t capacity_lacked_kib(const struct schedule *schedule);

/* What all jobs hold. */
uint64_t capacity_resident_kib(const struct schedule *schedule);

/* What is free but for a reserve, as far as it is known. */
uint64_t capacity_spare_kib(const struct schedule *schedule,
			    const struct situation *situation);

/* Whether so much could never be there at once. */
bool capacity_is_too_small(const struct schedule *schedule, uint64_t kib);

/*
 * Memory is short: what all jobs hold is what they can have.  If those who
 * run should fit into it and thrash all the same, it is less; but the last
 * change must have had time to show.
 */
void capacity_measure(struct schedule *schedule, uint64_t now_us);

/* Pages go out though nothing is moved: it is not more than what is there. */
void capacity_limit(struct schedule *schedule,
		    const struct situation *situation);

/* Who keeps so much is a job no more. */
void capacity_take(struct schedule *schedule, uint64_t kib);

/*
 * What the jobs hold while it is calm, and what is free, is the least that
 * they can have.  Where that is not known more may be free while nothing is
 * evicted: believe in 2 % every second until it proves wrong.
 */
void capacity_raise(struct schedule *schedule,
		    const struct situation *situation);

#endif

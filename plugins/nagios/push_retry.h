/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When to try again: after each failure in a row twice as long as before, with
 * chance in it, so that the hosts of a fleet do not all come back at once.
 */
#ifndef THRASH_NAGIOS_PUSH_RETRY_H
#define THRASH_NAGIOS_PUSH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct push_retry {
	unsigned failures; /* in a row */
	uint64_t due_ms;   /* not before */
	long cause;        /* of the last failure: a number of the caller's */
};

/* From half of the full time to all of it; chance is any number. */
static inline uint64_t push_retry_delay_ms(unsigned failures, uint64_t first_ms,
					   uint64_t most_ms, uint32_t chance)
{
	uint64_t full_ms = first_ms;

	while (failures-- > 1 && full_ms < most_ms)
		full_ms *= 2;
	if (full_ms > most_ms)
		full_ms = most_ms;
	return full_ms - full_ms / 2 * chance / UINT32_MAX;
}

#endif

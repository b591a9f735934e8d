/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one clock, for programs: CLOCK_BOOTTIME, which no change of the wall
 * clock moves and which goes on during suspend.  Functions get the time as an
 * argument; only loops and main() ask for it.
 *
 * How late something is, is asked of CLOCK_MONOTONIC, which stands still when
 * the host does: who slept with it is not late.
 */
#ifndef THRASH_CORE_CLOCK_H
#define THRASH_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_boottime_us(void);
uint64_t clock_monotonic_us(void);

enum { CLOCK_UTC_TEXT = 24 };

/*
 * Seconds since 1970 as "2024-02-29T12:00:00Z".  libc's own way brings time
 * zones and scanf() with it: 126 kB of a static program, which the daemon
 * would have to keep in memory.
 */
void clock_format_utc(uint64_t seconds, char text[CLOCK_UTC_TEXT]);

/* Whether ms milliseconds have gone by, on the same clock. */
static inline bool has_passed(uint64_t since_us, uint64_t ms, uint64_t now_us)
{
	return now_us - since_us >= ms * 1000;
}

#endif

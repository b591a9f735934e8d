/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one clock, for programs: CLOCK_BOOTTIME, which no change of the wall
 * clock moves and which goes on during suspend.  Functions get the time as an
 * argument; only loops and main() ask for it.
 */
#ifndef THRASH_CORE_CLOCK_H
#define THRASH_CORE_CLOCK_H

#include <stdint.h>

uint64_t clock_boottime_us(void);

#endif

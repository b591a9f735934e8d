/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pressure stall information: /proc/pressure/{memory,io}, since 4.20.  Only
 * the totals are taken: they are exact at every read, while the averages lag
 * by seconds (measured: avg10 moves 2 s late and decays for 12 s).
 */
#ifndef THRASH_CORE_PRESSURE_H
#define THRASH_CORE_PRESSURE_H

#include "core/text.h"

enum { PRESSURE_SIZE = 512 };

struct pressure {
	uint64_t some_us; /* time in which at least one task was stalled */
	uint64_t full_us; /* time in which all non-idle tasks were */
};

/* -EINVAL unless the text is a "some" and a "full" line, each well-formed. */
int pressure_parse(struct span text, struct pressure *pressure);

#endif

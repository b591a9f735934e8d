/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the clock. */
#include "core/clock.h"

#include <time.h>

uint64_t clock_boottime_us(void)
{
	struct timespec now;

	/* cannot fail: Linux has this clock since 2.6.39 */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

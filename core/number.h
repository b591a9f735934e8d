/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lesser and the greater of two counts. */
#ifndef THRASH_CORE_NUMBER_H
#define THRASH_CORE_NUMBER_H

#include <stdint.h>

static inline uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line that tells a person what is wrong and where.  Functions that judge
 * what a person wrote fill it beside their error code; only the caller, who
 * knows where messages go, prints it.
 */
#ifndef THRASH_CORE_PROBLEM_H
#define THRASH_CORE_PROBLEM_H

struct problem {
	char text[256];
};

/* Stores the line (cut if it is too long) and returns error unchanged. */
__attribute__((format(printf, 3, 4))) int
problem_set(struct problem *problem, int error, const char *format, ...);

#endif

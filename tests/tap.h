/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Test Anything Protocol for tests in C.  A test's name is a sentence
 * that says what is promised.  main() ends with "return done_testing();".
 */
#ifndef THRASH_TESTS_TAP_H
#define THRASH_TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>

/* Each prints one result line and returns whether the test passed. */
__attribute__((format(printf, 2, 3))) bool ok(bool passed, const char *name,
					      ...);
__attribute__((format(printf, 3, 4))) bool is_int(int64_t got, int64_t wanted,
						  const char *name, ...);
__attribute__((format(printf, 3, 4))) bool
is_text(const char *got, const char *wanted, const char *name, ...);

/* A line for the person who reads a failure. */
__attribute__((format(printf, 1, 2))) void diag(const char *format, ...);

/* One result that is passed over, with the reason. */
__attribute__((format(printf, 1, 2))) void skip(const char *reason, ...);

/* The whole program has nothing to test here: prints why and exits. */
__attribute__((format(printf, 1, 2), noreturn)) void
skip_all(const char *reason, ...);

/* Prints the plan; 0 when all passed. */
int done_testing(void);

#endif

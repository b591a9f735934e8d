/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hosts that a fuzzer makes up: bytes become a small /proc that changes from
 * turn to turn, and the whole daemon runs on it, as a dry run and in a time
 * of its own.  With FUZZ_LOG in the environment its log is printed.
 */
#ifndef THRASH_TESTS_FUZZ_HOST_H
#define THRASH_TESTS_FUZZ_HOST_H

#include "tests/parsers.h"

/* Like parsers, but each takes milliseconds, and not all are texts. */
extern const struct parser hosts[];
extern const size_t host_count;

/* Any text as PID/cgroup: no limit may come from outside of the cgroups. */
enum outcome try_cgroups(struct span text);

#endif

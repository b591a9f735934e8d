/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which services systemd kills when they are silent for too long.  Only
 * systemd knows for sure, and it would have to be asked over D-Bus, which
 * takes a service that may itself hang.  So the unit files are read, all of
 * them and once, at the start: while the host thrashes a file may come from
 * the disk after seconds.  What systemd-run has made later is read when it is
 * needed, from /run, which is in memory.  Of several files for a unit the
 * shortest time counts, whichever is in force.
 */
#ifndef THRASH_DAEMON_WATCHDOG_H
#define THRASH_DAEMON_WATCHDOG_H

#include "core/text.h"

enum { WATCHDOG_UNITS = 64 };

struct watchdogs {
	int root; /* owned; the root directory; -1: none */
	size_t count;
	/* hashes; of two units with the same, one is taken for the other */
	uint64_t names[WATCHDOG_UNITS];
	uint32_t ms[WATCHDOG_UNITS];
};

/* root is "/" but for tests; without systemd there is nothing to read. */
void watchdogs_open(struct watchdogs *watchdogs, const char *root);
void watchdogs_close(struct watchdogs *watchdogs);

/* For a unit, by the text of PID/cgroup; 0: it is not watched, or no unit. */
uint32_t watchdogs_find(const struct watchdogs *watchdogs, struct span cgroups);

/* The innermost service in the text of PID/cgroup; empty: none. */
struct span watchdog_unit(struct span cgroups);

/* The shortest WatchdogSec= in a unit file that is not 0; 0: there is none. */
uint32_t watchdog_parse(struct span text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --report: what the history says of the last hours, for a person. */
#ifndef THRASH_DAEMON_REPORT_H
#define THRASH_DAEMON_REPORT_H

#include "core/history.h"
#include "core/log.h"
#include "daemon/settings.h"

#include <stdio.h>

enum {
	REPORT_SINCE_MS = 86400000,
	/* Of more processes a person is shown the worst only. */
	REPORT_LINES = 30,
};

/* A history and what of it is wanted. */
struct report {
	const struct history *history; /* not ours */
	uint64_t since_ms, until_ms;   /* of CLOCK_BOOTTIME */
	uint64_t until_s;              /* the same since 1970 */
};

/* 0, or -ENOMEM. */
int report_write(const struct report *report, bool is_json, FILE *out);

/* Returns an exit status and tells on log what went wrong. */
int report_print(const struct settings *settings, FILE *out, struct log *log);

#endif

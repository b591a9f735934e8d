/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --explain: what the daemon would think of a process, and why. */
#ifndef THRASH_DAEMON_EXPLAIN_H
#define THRASH_DAEMON_EXPLAIN_H

#include "core/log.h"
#include "daemon/settings.h"

#include <stdio.h>

/* Prints lines of "name value"; an exit status, with what is wrong on log. */
int explain_print(const struct settings *settings, FILE *out, struct log *log);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done and printed on request, without being the daemon. */
#ifndef THRASH_DAEMON_STATUS_H
#define THRASH_DAEMON_STATUS_H

#include "core/log.h"
#include "daemon/settings.h"

#include <stdio.h>

/* Each returns an exit status and tells on log what went wrong. */

/* Prints the state that the daemon published, also when it is gone. */
int status_print(const struct settings *settings, FILE *out, struct log *log);

/* Thaws by the state file; if no daemon is there, removes file and marker. */
int status_thaw_all(const struct settings *settings, struct log *log);

/* Replays a recording. */
int status_replay(const struct settings *settings, FILE *out, struct log *log);

#endif

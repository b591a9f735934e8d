/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: one line per change of state.  It never blocks the caller: a line
 * that its reader is too slow for is dropped and counted.  A host in trouble
 * must not drown in it either: of a burst only the first LOG_BURST lines are
 * written, then LOG_PER_SECOND, and what was left out is told afterwards.
 * errno survives every call.
 */
#ifndef THRASH_CORE_LOG_H
#define THRASH_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_BURST = 40, LOG_PER_SECOND = 4 };

enum log_level {
	LOG_LEVEL_ERROR = 3, /* the numbers of syslog(3) */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

struct log {
	int file;            /* owned unless it is standard error */
	bool is_syslog;      /* file is a socket to /dev/log */
	bool is_file;        /* of its own: lines begin with the date */
	const char *program; /* the caller's; NULL: thrash-protect */
	bool is_debug;       /* lines of level debug are written too */
	uint64_t now_us;     /* set by the caller's loop; any steady clock */
	uint64_t since_us; /* when the allowance was last brought up to date */
	unsigned allowance;
	unsigned left_out;
};

/* To standard error, where systemd's journal reads it. */
void log_open_stderr(struct log *log);

/* To the local syslog; -errno without one. */
int log_open_syslog(struct log *log);

/* Appends to a file of its own, never through a link; -errno. */
int log_open_file(struct log *log, const char *path);

void log_close(struct log *log);

__attribute__((format(printf, 3, 4))) void
log_write(struct log *log, enum log_level level, const char *format, ...);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif

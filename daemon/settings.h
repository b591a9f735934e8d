/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an administrator can set, from one table.  The command line wins over
 * THRASH_PROTECT_* in the environment, that over the configuration file, and
 * that over the defaults.  A file or an environment that was written for the
 * older Python program of this name is understood.
 */
#ifndef THRASH_DAEMON_SETTINGS_H
#define THRASH_DAEMON_SETTINGS_H

#include "core/options.h"
#include "core/problem.h"
#include "daemon/role.h"
#include "daemon/rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define SETTINGS_CONFIG SYSCONFDIR "/thrash-protect.conf"

enum action {
	ACTION_RUN,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_CHECK_CONFIG,
	ACTION_STATUS,
	ACTION_THAW_ALL,
	ACTION_REPLAY,
	ACTION_EXPLAIN,
	ACTION_REPORT,
};

enum freezer_choice {
	FREEZER_AUTO, /* by cgroup where that can be done, else by signal */
	FREEZER_CGROUP,
	FREEZER_SIGNAL,
};

enum {
	SETTINGS_FILE_SIZE = 16384, /* of the configuration file */
	SETTINGS_WARNINGS = 32,
};

struct settings {
	int action;  /* enum action */
	int freezer; /* enum freezer_choice */
	bool is_dry_run;
	bool is_json;
	bool is_prometheus;
	bool is_debug;
	bool uses_syslog;
	bool uses_psi;
	bool forgives;      /* what is wrong is a warning */
	const char *config; /* all texts: argv's, the environment's or below */
	const char *run_dir;
	const char *proc;
	const char *marker; /* empty: none is kept */
	const char *log_file;
	const char *record;
	const char *replay;
	uint64_t interval_ms;
	uint64_t state_interval_ms;
	uint64_t stall_threshold_permille;
	uint64_t swap_page_threshold;
	uint64_t major_fault_threshold;
	uint64_t calm_ms;
	uint64_t quantum_ms;
	uint64_t max_frozen_ms;
	uint64_t explain;  /* a pid; 0: none */
	uint64_t since_ms; /* of the report; 0: the standard */
	struct rules rules;

	/* what was accepted, but will not do what its writer expects */
	struct problem warnings[SETTINGS_WARNINGS];
	size_t warning_count;
	char file_text[SETTINGS_FILE_SIZE]; /* cut into values in place */
};

extern const struct option_table settings_table;

/*
 * Fills *settings; argv and environment must outlive it.  -EINVAL, or what
 * opening the configuration file gave, with the place and what is expected
 * in *problem.  The default configuration file need not exist.  For --thaw-all
 * what is wrong in file or environment is a warning: nobody stays frozen for
 * it.
 */
int settings_load(struct settings *settings, int argc, char **argv,
		  char *const *environment, struct problem *problem);

/* Only the defaults. */
void settings_default(struct settings *settings);

/*
 * Reads the text of a configuration file, which must end in a NUL and is cut
 * into values; name is for messages.
 */
int settings_parse_file(struct settings *settings, char *text, size_t length,
			const char *name, struct problem *problem);

enum { SETTINGS_RULE = 384 };

/*
 * Why a process is treated as it is: "a shell", or a rule as it was written
 * and where: "protect = exe:/opt/x* (/etc/thrash-protect.conf:3)".
 */
void settings_describe(const struct settings *settings,
		       const struct judgement *judged,
		       char text[SETTINGS_RULE]);

#endif

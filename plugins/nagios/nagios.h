/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all Nagios and Icinga checks have in common: options, ranges, one line
 * of output with performance data, an end after --timeout.  A check is a
 * table of its options and one function that looks and judges.
 *
 * All numbers are thousandths in integers: 1500 is 1.5.  So limits match
 * exactly, and no locale can change what a point means.
 */
#ifndef THRASH_NAGIOS_NAGIOS_H
#define THRASH_NAGIOS_NAGIOS_H

#include "core/history.h"
#include "core/options.h"
#include "core/state.h"

enum nagios_status { /* the exit codes */
		     NAGIOS_OK,
		     NAGIOS_WARNING,
		     NAGIOS_CRITICAL,
		     NAGIOS_UNKNOWN,
};

/*
 * "[@]start:end": a value outside alerts, or with @ one inside.  Both ends
 * are inside.
 */
struct nagios_range {
	int64_t start; /* INT64_MIN for ~ */
	int64_t end;   /* INT64_MAX when it is left out */
	bool is_inverted;
	bool is_set; /* one that is not never alerts */
};

struct nagios_limits {
	struct nagios_range warning, critical;
};

/* -EINVAL for all but digits, a point, a sign, "@", "~" and ":". */
int nagios_range_parse(struct span text, struct nagios_range *range);

bool nagios_range_alerts(const struct nagios_range *range, int64_t value);
enum nagios_status nagios_limits_judge(const struct nagios_limits *limits,
				       int64_t value);

/* Parsers for option_row.parse; the comment says the type of the field. */
option_parser nagios_option_range;  /* struct nagios_range */
option_parser nagios_option_status; /* int: ok, warning, critical, unknown */

/* A row whose field of struct settings is a struct nagios_range. */
#define NAGIOS_RANGE(range_name, range_letter, range_standard, field, \
		     range_help)                                      \
	{                                                             \
		.name = (range_name), .letter = (range_letter),       \
		.argument = "RANGE", .standard = (range_standard),    \
		.help = (range_help), .parse = nagios_option_range,   \
		.offset = offsetof(struct settings, field)            \
	}

/* A row for --since, whose field of struct settings is a uint64_t in ms. */
#define NAGIOS_SINCE(field, row_help)                                       \
	{                                                                   \
		.name = "since", .argument = "SECONDS", .help = (row_help), \
		.parse = option_duration,                                   \
		.offset = offsetof(struct settings, field), .min = 1000,    \
		.max = UINT64_C(86400000) * HISTORY_DAYS                    \
	}

/* The options of every check: the first member of its settings. */
struct nagios_common {
	int command;
	unsigned verbosity;
	uint64_t timeout_ms;
	const char *run_dir;
	const char *proc_dir;
};

/* Text that grows; what does not fit is cut. */
struct nagios_text {
	char *start; /* somebody else's array, terminated */
	size_t size;
	size_t used;
};

/* One run of a check, and what it found. */
struct nagios_run {
	const struct nagios_check *check;
	const struct nagios_common *common;
	int proc;
	uint64_t now_ms; /* CLOCK_BOOTTIME */
	/*
	 * What the last look saw, kept by who looks again and again, and
	 * replaced by what this one sees; NULL: nobody does.
	 */
	struct sample *previous;
	enum nagios_status status;
	struct nagios_text text;    /* what a person reads first */
	struct nagios_text metrics; /* the performance data */
	struct nagios_text details; /* lines, with -v */
	char late[96];              /* the line that --timeout prints */
};

struct nagios_check {
	const char *program; /* check_thrash_frozen */
	const char *name;    /* FROZEN */
	const char *summary; /* for --help */
	const struct option_row *rows;
	size_t row_count;
	size_t settings_size; /* of what begins with a struct nagios_common */
	void (*look)(const void *settings, struct nagios_run *run);
};

/* Each in its file. */
extern const struct nagios_check check_thrash_frozen, check_thrash_marker,
	check_thrash_pressure;

/* Room for the settings of any check. */
union nagios_settings {
	struct nagios_common common;
	uint64_t room[64];
};

/*
 * Reads the environment and the options as of a command line; -EINVAL with
 * *problem.  Texts of argv stay in use.
 */
int nagios_set(const struct nagios_check *check, int argc, char **argv,
	       union nagios_settings *settings, struct problem *problem);

enum {
	NAGIOS_TEXT = 512,
	NAGIOS_METRICS = 1024,
	NAGIOS_DETAILS = 48 * 1024, /* NRPE delivers 64 KiB */
};

/* Room for what a run says; only what is used is touched. */
struct nagios_room {
	char text[NAGIOS_TEXT];
	char metrics[NAGIOS_METRICS];
	char details[NAGIOS_DETAILS];
};

void nagios_begin(struct nagios_run *run, const struct nagios_check *check,
		  const union nagios_settings *settings,
		  struct nagios_room *room);

/* Looks and judges. */
void nagios_look(struct nagios_run *run, const union nagios_settings *settings);

/* "FROZEN OK: nothing is frozen", with no character that would be obeyed. */
enum { NAGIOS_LINE = NAGIOS_TEXT + 64 };
void nagios_headline(const struct nagios_run *run, char line[NAGIOS_LINE]);

/* A whole main() of a check; returns the exit code. */
int nagios_main(const struct nagios_check *check, int argc, char **argv);

/* Makes the status worse, never better: OK, WARNING, UNKNOWN, CRITICAL. */
void nagios_raise(struct nagios_run *run, enum nagios_status status);

__attribute__((format(printf, 2, 3))) void nagios_add(struct nagios_text *text,
						      const char *format, ...);

/* Raises to status, and says why in the text. */
__attribute__((format(printf, 3, 4))) void nagios_say(struct nagios_run *run,
						      enum nagios_status status,
						      const char *format, ...);

/* One line for those who gave that many -v. */
__attribute__((format(printf, 3, 4))) void nagios_detail(struct nagios_run *run,
							 unsigned verbosity,
							 const char *format,
							 ...);

/*
 * One process: its name in the text, which is not empty, if there is room or
 * it is the first after ":", and a line of details with what else is known.
 */
__attribute__((format(printf, 4, 5))) void nagios_name(struct nagios_run *run,
						       const char *command,
						       pid_t pid,
						       const char *format, ...);

/*
 * Adds "label=value" to the performance data, in a unit of s, %, B, c or
 * none, and judges it: raises, and returns the status of this one.  Without
 * limits (NULL) it is only shown.
 */
enum nagios_status nagios_measure(struct nagios_run *run, const char *label,
				  const char *unit, uint64_t value,
				  const struct nagios_limits *limits);

/* "1.5" for 1500. */
enum { NAGIOS_NUMBER = 24 };
void nagios_number(uint64_t value, char text[NAGIOS_NUMBER]);

/*
 * A command as a word that does no harm where monitoring passes it on: to a
 * parser of performance data, a web page, a shell that sends mail.
 */
void nagios_escape(const char *command, char text[TEXT_ESCAPED_COMMAND]);

/*
 * Reads the state file and looks whether its daemon is there; as state_read()
 * and state_check_daemon().  Without a state nobody is frozen in *state.
 */
int nagios_read_state(const struct nagios_run *run, struct state *state,
		      struct problem *problem);

/* An error that means: no daemon; the others mean: nobody knows. */
bool nagios_is_daemon_missing(int error);

/* For how long the state has not been written. */
uint64_t nagios_state_age_ms(const struct nagios_run *run,
			     const struct state *state);

/*
 * Opens the history; false without one, which raises to UNKNOWN and is said in
 * the text: what was asked for is not known then.
 */
bool nagios_open_history(struct nagios_run *run, struct history *history);

/* When a time that long ago was, in CLOCK_BOOTTIME. */
uint64_t nagios_since_ms(const struct nagios_run *run, uint64_t ago_ms);

/* A trial run: nothing of what the state lists is really frozen. */
bool nagios_is_dry_run(const struct state *state);

/*
 * Whether the directory of file is another one than the host's of that name,
 * as systemd's PrivateTmp= makes it; 0 also where that cannot be told, -errno
 * without such a directory.
 */
int nagios_is_private(int proc, const char *file);

#endif

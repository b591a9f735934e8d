/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of settings, and where their values come from. */
#include "daemon/settings.h"

#include "core/config.h"
#include "core/history.h"
#include "core/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* struct rules: one list of them, which .value names */
static int option_rules(const struct option_row *row, const char *text,
			void *field, struct problem *problem)
{
	return rules_parse(field, (enum rule_list)row->value, text, problem);
}

/* An absolute path: the daemon's working directory is nobody's business. */
static int option_path(const struct option_row *row, const char *text,
		       void *field, struct problem *problem)
{
	if (text[0] != '/' && !(text[0] == '\0' && row->min == 0))
		return problem_set(problem, -EINVAL,
				   "an absolute path is expected");
	*(const char **)field = text;
	return 0;
}

/* int: enum freezer_choice */
static int option_freezer(const struct option_row *row, const char *text,
			  void *field, struct problem *problem)
{
	static const char *const names[] = {
		[FREEZER_AUTO] = "auto",
		[FREEZER_CGROUP] = "cgroup",
		[FREEZER_SIGNAL] = "signal",
	};

	(void)row;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i]) == 0) {
			*(int *)field = (int)i;
			return 0;
		}
	return problem_set(problem, -EINVAL,
			   "auto, cgroup or signal is expected");
}

#define FIELD(name) .offset = offsetof(struct settings, name)
#define ACTION(what)                                            \
	.parse = option_choose, FIELD(action), .value = (what), \
	.is_command = true
#define RULES(list) .parse = option_rules, FIELD(rules), .value = (list)
/* A name of the Python program that has no meaning any more. */
#define FORMER(old, instead)                                          \
	{                                                             \
		.name = (old), .argument = "VALUE", .help = (instead) \
	}

static const struct option_row rows[] = {
	{.name = "help",
	 .letter = 'h',
	 .help = "print this text",
	 ACTION(ACTION_HELP)},
	{.name = "version",
	 .letter = 'V',
	 .help = "print the version",
	 ACTION(ACTION_VERSION)},
	{.name = "check-config",
	 .help = "read the settings, say what is wrong with them, and exit",
	 ACTION(ACTION_CHECK_CONFIG)},
	{.name = "status",
	 .help = "print what the running daemon last published",
	 ACTION(ACTION_STATUS)},
	{.name = "explain",
	 .argument = "PID",
	 .help = "print what the daemon would think of that process, and "
		 "which rule says so; needs no running daemon",
	 .parse = option_number,
	 FIELD(explain),
	 .is_command = true,
	 .min = 1,
	 .max = INT_MAX},
	{.name = "report",
	 .help = "print who was frozen, for how long and why, and how much "
		 "memory was lacking; needs no running daemon",
	 ACTION(ACTION_REPORT)},
	{.name = "since",
	 .argument = "TIME",
	 .help = "with --report: of the last 90 (seconds), 30m, 2h or 7d "
		 "(default: 1d)",
	 .parse = option_duration,
	 FIELD(since_ms),
	 .is_command = true,
	 .min = 1000,
	 .max = UINT64_C(86400000) * HISTORY_DAYS},
	{.name = "json",
	 .help = "with --status or --report: as a JSON object",
	 .parse = option_flag,
	 FIELD(is_json),
	 .is_command = true},
	{.name = "prometheus",
	 .help = "with --status: as text for the textfile collector of "
		 "Prometheus's node_exporter",
	 .parse = option_flag,
	 FIELD(is_prometheus),
	 .is_command = true},
	{.name = "thaw-all",
	 .help = "let everything go on that the daemon has frozen, by what it "
		 "has written before each freeze; needs no running daemon.  "
		 "Who is not named there was stopped by somebody else, and "
		 "stays so",
	 ACTION(ACTION_THAW_ALL)},
	{.name = "dry-run",
	 .letter = 'n',
	 .help = "decide and publish, but freeze nothing",
	 .parse = option_flag,
	 FIELD(is_dry_run)},
	{.name = "record",
	 .argument = "FILE",
	 .help = "also write what is seen to FILE, for --replay",
	 .parse = option_text,
	 FIELD(record),
	 .is_command = true},
	{.name = "replay",
	 .argument = "FILE",
	 .help = "print what would have been done on the recorded host, and "
		 "exit",
	 .parse = option_text,
	 FIELD(replay),
	 .is_command = true},
	{.name = "config",
	 .argument = "FILE",
	 .standard = SETTINGS_CONFIG,
	 .help = "read settings from FILE",
	 .parse = option_text,
	 FIELD(config),
	 .is_command = true},
	{.name = "interval",
	 .argument = "SECONDS",
	 .standard = "0.05",
	 .help = "look this often while there is trouble, and always where "
		 "the kernel cannot wake us",
	 .parse = option_seconds,
	 FIELD(interval_ms),
	 .min = 10,
	 .max = 10000},
	{.name = "stall-threshold",
	 .former = "psi-threshold",
	 .argument = "PERCENT",
	 .standard = "10",
	 .help = "a host thrashes when tasks wait for memory for this share "
		 "of a second, or five times this share of a tenth of it",
	 .parse = option_percent,
	 FIELD(stall_threshold_permille),
	 .min = 1,
	 .max = 1000},
	{.name = "use-psi",
	 .argument = "YES|NO",
	 .standard = "yes",
	 .help = "judge by pressure stall information where the kernel has "
		 "it",
	 .parse = option_flag,
	 FIELD(uses_psi)},
	{.name = "swap-page-threshold",
	 .argument = "PAGES",
	 .standard = "32",
	 .help = "without pressure information: pages that must come in and "
		 "go out in half a second (their geometric mean)",
	 .parse = option_number,
	 FIELD(swap_page_threshold),
	 .min = 1,
	 .max = 1000000},
	{.name = "pgmajfault-scan-threshold",
	 .argument = "FAULTS",
	 .standard = "100",
	 .help = "on a kernel that does not count swapping either: major "
		 "faults in half a second",
	 .parse = option_number,
	 FIELD(major_fault_threshold),
	 .min = 1,
	 .max = 1000000},
	{.name = "calm",
	 .argument = "SECONDS",
	 .standard = "1",
	 .help = "it is calm when there was no thrashing for this long",
	 .parse = option_seconds,
	 FIELD(calm_ms),
	 .min = 100,
	 .max = 3600000},
	{.name = "quantum",
	 .argument = "SECONDS",
	 .standard = "5",
	 .help = "what was thawed may run at least this long",
	 .parse = option_seconds,
	 FIELD(quantum_ms),
	 .min = 100,
	 .max = 3600000},
	{.name = "max-frozen",
	 .argument = "SECONDS",
	 .standard = "60",
	 .help = "nothing stays frozen longer than this at a time",
	 .parse = option_seconds,
	 FIELD(max_frozen_ms),
	 .min = 100,
	 .max = 86400000},
	{.name = "freezer",
	 .argument = "METHOD",
	 .standard = "auto",
	 .help = "freeze by cgroup (version 2), which nobody notices, or by "
		 "signal (SIGSTOP); auto: by signal only where the other "
		 "cannot be done",
	 .parse = option_freezer,
	 FIELD(freezer)},
	{.name = "protect",
	 .former = "cmd-whitelist",
	 .argument = "RULES",
	 .help = "never freeze processes that match, besides those that are "
		 "never frozen anyhow; a rule is a shell pattern for the "
		 "name, or exe:PATTERN, user:NAME, cgroup:PATTERN",
	 RULES(RULES_PROTECT)},
	{.name = "prefer",
	 .former = "cmd-blacklist",
	 .argument = "RULES",
	 .help = "freeze processes that match before all others",
	 RULES(RULES_PREFER)},
	{.name = "interactive",
	 .argument = "RULES",
	 .help = "freeze processes that match for two seconds at most; so are "
		 "those that wait for somebody at a terminal or a desktop",
	 RULES(RULES_INTERACTIVE)},
	{.name = "batch",
	 .argument = "RULES",
	 .help = "processes that match may wait, wherever they were started",
	 RULES(RULES_BATCH)},
	{.name = "freeze-cgroup",
	 .argument = "PATHS",
	 .help = "freeze cgroups (version 2) whose path matches one of these "
		 "shell patterns (/machine.slice/*) as a whole, with everybody "
		 "in them; where that cannot be done, or somebody in there is "
		 "never frozen, each process by itself",
	 RULES(RULES_WHOLE)},
	{.name = "run-dir",
	 .argument = "DIR",
	 .standard = STATE_RUN_DIR,
	 .help = "where the state file is kept",
	 .parse = option_path,
	 .min = 1,
	 FIELD(run_dir)},
	{.name = "state-interval",
	 .argument = "SECONDS",
	 .standard = "10",
	 .help = "write the state file at least this often while it is not "
		 "calm",
	 .parse = option_seconds,
	 FIELD(state_interval_ms),
	 .min = 100,
	 .max = 60000},
	{.name = "marker",
	 .argument = "FILE",
	 .standard = STATE_MARKER,
	 .help = "keep this file, with the pids in it, while something is "
		 "frozen; empty: keep none",
	 .parse = option_path,
	 FIELD(marker)},
	{.name = "proc",
	 .argument = "DIR",
	 .standard = "/proc",
	 .help = "read processes and counters here; anything but a real /proc "
		 "means --dry-run",
	 .parse = option_path,
	 .min = 1,
	 FIELD(proc)},
	{.name = "log-file",
	 .argument = "FILE",
	 .help = "append the log to FILE instead of writing it to standard "
		 "error",
	 .parse = option_path,
	 .min = 1,
	 FIELD(log_file)},
	{.name = "syslog",
	 .help = "send the log to syslog",
	 .parse = option_flag,
	 FIELD(uses_syslog)},
	{.name = "debug",
	 .former = "debug-logging",
	 .help = "log more",
	 .parse = option_flag,
	 FIELD(is_debug)},
	FORMER("cmd_jobctrllist",
	       "shells and terminal multiplexers are never frozen"),
	FORMER("whitelist_score_divider", "what protect names is never frozen"),
	FORMER("blacklist_score_multiplier",
	       "what prefer names is frozen first"),
	FORMER("unfreeze_pop_ratio", "who has waited longest is thawed first"),
	FORMER("log_user_data_on_freeze",
	       "every freeze is logged with its process"),
	FORMER("log_user_data_on_unfreeze",
	       "every thaw is logged with its process"),
	FORMER("date_human_readable", "the log is dated by who keeps it"),
	FORMER("diagnostic", "debug logs more, and --status tells the rest"),
	FORMER("test_mode", "there are --dry-run, --record and --replay"),
};

const struct option_table settings_table = {rows, sizeof(rows) / sizeof(*rows)};

void settings_describe(const struct settings *settings,
		       const struct judgement *judged, char text[SETTINGS_RULE])
{
	const struct rule *rule = settings->rules.items + judged->rule - 1;
	struct problem place;

	if (!judged->rule) {
		(void)snprintf(text, SETTINGS_RULE, "%s",
			       role_name(judged->role));
		return;
	}
	if (rule->line == RULES_COMMAND_LINE)
		(void)problem_set(&place, 0, "the command line");
	else if (rule->line == RULES_ENVIRONMENT)
		(void)problem_set(&place, 0, "the environment");
	else
		(void)problem_set(&place, 0, "%s:%u", settings->config,
				  rule->line);
	(void)snprintf(text, SETTINGS_RULE, "%s = %.*s (%s)",
		       rules_list_name(rule->list), SPAN_FORMAT(rule->text),
		       place.text);
}

void settings_default(struct settings *settings)
{
	/* file_text has nothing yet, and should not take memory */
	memset(settings, 0, offsetof(struct settings, file_text));
	options_default(&settings_table, settings);
}

/* Makes an error of whoever forgives a warning. */
static int forgive(void *target, int error, const struct problem *problem)
{
	struct settings *settings = target;

	if (!error || !settings->forgives)
		return error;
	if (settings->warning_count < SETTINGS_WARNINGS)
		settings->warnings[settings->warning_count++] = *problem;
	return 0;
}

/* Sets what a file or the environment calls name. */
static int set_named(struct settings *settings, struct span name,
		     const char *text, const char *place,
		     struct problem *problem)
{
	const struct option_row *row = options_find(&settings_table, name);
	int error = options_set_named(&settings_table, name, text, place,
				      settings, problem);

	if (error)
		return error;
	if (!row->parse && settings->warning_count < SETTINGS_WARNINGS)
		(void)problem_set(
			&settings->warnings[settings->warning_count++], 0,
			"%s: %.*s has no effect: %s", place, SPAN_FORMAT(name),
			row->help);
	return 0;
}

static int set_line(void *target, const struct config_line *line,
		    struct problem *problem)
{
	struct settings *settings = target;

	settings->rules.line = (uint16_t)line->number;
	return set_named(settings, line->name, line->value, line->place,
			 problem);
}

int settings_parse_file(struct settings *settings, char *text, size_t length,
			const char *name, struct problem *problem)
{
	static const struct config_form form = {"[thrash-protect]", set_line,
						forgive};

	return config_parse(text, length, name, &form, settings, problem);
}

static int load_file(struct settings *settings, const char *path,
		     bool must_exist, struct problem *problem)
{
	struct span text;
	int error = config_read(path, false, settings->file_text,
				sizeof(settings->file_text), &text, problem);

	if (error == -ENOENT && !must_exist)
		return 0;
	return error ? error
		     : settings_parse_file(settings, settings->file_text,
					   text.length, path, problem);
}

/* THRASH_PROTECT_MAX_FROZEN=30 is max_frozen = 30. */
static int load_environment(struct settings *settings, char *const *environment,
			    struct problem *problem)
{
	static const char prefix[] = "THRASH_PROTECT_";

	settings->rules.line = RULES_ENVIRONMENT;
	for (; *environment; environment++) {
		struct span rest = span_of(*environment), key;
		char place[64], name[64];
		size_t length = 0;

		if (strncmp(*environment, prefix, sizeof(prefix) - 1) != 0 ||
		    !span_split(&rest, '=', &key) || !rest.length ||
		    span_copy(key, place, sizeof(place)))
			continue; /* an empty one counts as not set */
		for (const char *c = place + sizeof(prefix) - 1; *c; c++)
			name[length++] =
				*c >= 'A' && *c <= 'Z' ? (char)(*c | 32) : *c;
		if (length == 6 && memcmp(name, "config", 6) == 0)
			continue; /* read before the file, below */

		int error = set_named(settings, (struct span){name, length},
				      rest.start, place, problem);

		error = forgive(settings, error, problem);
		if (error)
			return error;
	}
	return 0;
}

static const char *config_in(char *const *environment)
{
	static const char key[] = "THRASH_PROTECT_CONFIG=";

	for (; *environment; environment++)
		if (strncmp(*environment, key, sizeof(key) - 1) == 0)
			return *environment + sizeof(key) - 1;
	return NULL;
}

/* What goes together and what does not. */
static int choose_action(struct settings *settings, struct problem *problem)
{
	if (settings->is_json && settings->action != ACTION_STATUS &&
	    settings->action != ACTION_REPORT)
		return problem_set(problem, -EINVAL,
				   "option --json goes with --status or "
				   "--report");
	if (settings->since_ms && settings->action != ACTION_REPORT)
		return problem_set(problem, -EINVAL,
				   "option --since goes with --report");
	if (settings->is_prometheus &&
	    (settings->action != ACTION_STATUS || settings->is_json))
		return problem_set(problem, -EINVAL,
				   "option --prometheus goes with --status, "
				   "without --json");
	if (!settings->replay && !settings->explain)
		return 0;
	if (settings->action != ACTION_RUN ||
	    (settings->replay && settings->explain))
		return problem_set(problem, -EINVAL,
				   "only one thing can be done at a time");
	settings->action = settings->replay ? ACTION_REPLAY : ACTION_EXPLAIN;
	return 0;
}

/*
 * The command line is read twice: first for --config alone, then, when file
 * and environment have been read, to win over them.
 */
int settings_load(struct settings *settings, int argc, char **argv,
		  char *const *environment, struct problem *problem)
{
	settings_default(settings);
	settings->config = NULL;

	int error =
		options_parse(&settings_table, argc, argv, settings, problem);

	if (error)
		return error;

	const char *config =
		settings->config ? settings->config : config_in(environment);
	bool must_exist = config;

	if (!config)
		config = SETTINGS_CONFIG;
	if (settings->action == ACTION_HELP ||
	    settings->action == ACTION_VERSION)
		return 0; /* asked for when nothing else works */

	bool forgives = settings->action == ACTION_THAW_ALL;

	settings_default(settings);
	settings->forgives = forgives;
	error = load_file(settings, config, must_exist, problem);
	error = forgive(settings, error, problem);
	if (!error)
		error = load_environment(settings, environment, problem);
	settings->rules.line = RULES_COMMAND_LINE;
	if (!error)
		error = options_parse(&settings_table, argc, argv, settings,
				      problem);
	settings->config = config;
	return error ? error : choose_action(settings, problem);
}

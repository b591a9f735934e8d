/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, ranges and output of the Nagios and Icinga checks. */
#include "plugins/nagios/nagios.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/number.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const status_names[] = {"OK", "WARNING", "CRITICAL",
					   "UNKNOWN"};

enum {
	STATUSES = sizeof(status_names) / sizeof(*status_names),
	ROWS_MAX = 60,
	NAMES_WIDTH = 56, /* of the text; no name begins behind it */
	MOUNTS_SIZE = 256 * 1024,
};

enum command {
	COMMAND_HELP = 1,
	COMMAND_VERSION,
};

static int parse_end(struct span text, int64_t *value)
{
	bool is_negative = text.length && text.start[0] == '-';
	struct span digits = {text.start + is_negative,
			      text.length - is_negative};
	uint64_t size;
	int error = span_to_thousandths(digits, &size);

	if (error)
		return error;
	if (size >= INT64_MAX)
		return -ERANGE;
	*value = is_negative ? -(int64_t)size : (int64_t)size;
	return 0;
}

int nagios_range_parse(struct span text, struct nagios_range *range)
{
	struct nagios_range parsed = {.end = INT64_MAX, .is_set = true};
	struct span start = {text.start, 0};

	if (text.length && text.start[0] == '@') {
		parsed.is_inverted = true;
		text = (struct span){text.start + 1, text.length - 1};
	}

	bool has_colon = span_split(&text, ':', &start);

	if (!start.length && !text.length)
		return -EINVAL;
	if (span_equals(start, "~"))
		parsed.start = INT64_MIN;
	else if (start.length && parse_end(start, &parsed.start))
		return -EINVAL;
	if ((text.length || !has_colon) && parse_end(text, &parsed.end))
		return -EINVAL;
	if (parsed.start > parsed.end)
		return -EINVAL;
	*range = parsed;
	return 0;
}

bool nagios_range_alerts(const struct nagios_range *range, int64_t value)
{
	bool is_inside = value >= range->start && value <= range->end;

	return range->is_set && is_inside == range->is_inverted;
}

enum nagios_status nagios_limits_judge(const struct nagios_limits *limits,
				       int64_t value)
{
	return nagios_range_alerts(&limits->critical, value)  ? NAGIOS_CRITICAL
	       : nagios_range_alerts(&limits->warning, value) ? NAGIOS_WARNING
							      : NAGIOS_OK;
}

int nagios_option_range(const struct option_row *row, const char *text,
			void *field, struct problem *problem)
{
	(void)row;
	if (nagios_range_parse(span_of(text), field) == 0)
		return 0;
	return problem_set(problem, -EINVAL,
			   "a range is expected, such as 10, 5:, 5:10, ~:10 "
			   "or @5:10");
}

int nagios_option_status(const struct option_row *row, const char *text,
			 void *field, struct problem *problem)
{
	(void)row;
	for (int i = 0; i < STATUSES; i++) {
		if (strcasecmp(text, status_names[i]) != 0)
			continue;
		*(int *)field = i;
		return 0;
	}
	return problem_set(problem, -EINVAL,
			   "ok, warning, critical or unknown is expected");
}

void nagios_raise(struct nagios_run *run, enum nagios_status status)
{
	static const int rank[] = {
		[NAGIOS_OK] = 0,
		[NAGIOS_WARNING] = 1,
		[NAGIOS_UNKNOWN] = 2,
		[NAGIOS_CRITICAL] = 3,
	};

	if (rank[status] > rank[run->status])
		run->status = status;
}

__attribute__((format(printf, 2, 0))) static void
add(struct nagios_text *text, const char *format, va_list args)
{
	size_t room = text->size - text->used;
	int length = vsnprintf(text->start + text->used, room, format, args);

	if (length > 0)
		text->used += (size_t)length < room ? (size_t)length : room - 1;
}

void nagios_add(struct nagios_text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(text, format, args);
	va_end(args);
}

void nagios_say(struct nagios_run *run, enum nagios_status status,
		const char *format, ...)
{
	va_list args;

	nagios_raise(run, status);
	va_start(args, format);
	add(&run->text, format, args);
	va_end(args);
}

/*
 * A path or an option may hold anything: "|" begins performance data and a
 * newline the next line.
 */
static void make_harmless(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f || *line == '|')
			*line = '?';
}

void nagios_detail(struct nagios_run *run, unsigned verbosity,
		   const char *format, ...)
{
	char line[NAGIOS_TEXT];
	va_list args;

	if (run->common->verbosity < verbosity)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	make_harmless(line);
	/* a whole line or none */
	if (strlen(line) + 2 <= run->details.size - run->details.used)
		nagios_add(&run->details, "%s\n", line);
}

void nagios_number(uint64_t value, char text[NAGIOS_NUMBER])
{
	int length = snprintf(text, NAGIOS_NUMBER, "%" PRIu64 ".%03" PRIu64,
			      value / 1000, value % 1000);

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[--length] = '\0';
}

/*
 * Icinga 2.13 understands only limits of the form "not above": others are
 * left out.  Nothing that we measure is negative.
 */
static void add_limit(struct nagios_run *run, const struct nagios_range *range)
{
	char number[NAGIOS_NUMBER] = "";

	if (range->is_set && !range->is_inverted && range->start <= 0 &&
	    range->end >= 0 && range->end != INT64_MAX)
		nagios_number((uint64_t)range->end, number);
	nagios_add(&run->metrics, ";%s", number);
}

enum nagios_status nagios_measure(struct nagios_run *run, const char *label,
				  const char *unit, uint64_t value,
				  const struct nagios_limits *limits)
{
	static const struct nagios_limits none = {.warning = {.is_set = false}};
	enum nagios_status status;
	char number[NAGIOS_NUMBER];

	if (!limits)
		limits = &none;
	status = nagios_limits_judge(limits, (int64_t)value);
	nagios_raise(run, status);
	nagios_number(value, number);
	nagios_add(&run->metrics, "%s%s=%s%s", run->metrics.used ? " " : "",
		   label, number, unit);
	add_limit(run, &limits->warning);
	add_limit(run, &limits->critical);
	nagios_add(&run->metrics, strcmp(unit, "%") == 0 ? ";0;100" : ";0");
	return status;
}

void nagios_escape(const char *command, char text[TEXT_ESCAPED_COMMAND])
{
	size_t used = 0;

	text[0] = '\0';
	for (; *command && used + 5 < TEXT_ESCAPED_COMMAND; command++) {
		char one[] = {*command, '\0'};

		if (strchr("|$`'\"<>&;~", *command))
			(void)snprintf(text + used, 5, "\\%03o",
				       (unsigned char)*command);
		else
			text_escape(one, text + used, 5);
		used += strlen(text + used);
	}
}

void nagios_name(struct nagios_run *run, const char *command, pid_t pid,
		 const char *format, ...)
{
	char name[TEXT_ESCAPED_COMMAND], known[NAGIOS_TEXT];
	va_list args;

	nagios_escape(command, name);
	va_start(args, format);
	(void)vsnprintf(known, sizeof(known), format, args);
	va_end(args);
	nagios_detail(run, 1, "%s[%d]: %s", name, (int)pid, known);

	char last = run->text.start[run->text.used - 1];

	if (run->text.used < NAMES_WIDTH || last == ':')
		nagios_add(&run->text, " %s[%d]", name, (int)pid);
	else if (last != '.')
		nagios_add(&run->text, " ...");
}

int nagios_read_state(const struct nagios_run *run, struct state *state,
		      struct problem *problem)
{
	struct problem why;

	int error = state_read(run->common->run_dir, state, &why);

	if (error)
		state->frozen_processes = 0;
	if (error == -ENOENT)
		return problem_set(problem, error,
				   "the daemon is not running (%s)", why.text);
	*problem = why;
	return error ? error
		     : state_check_daemon(state, run->proc, run->now_ms,
					  problem);
}

bool nagios_is_daemon_missing(int error)
{
	return error == -ENOENT || error == -ESRCH || error == -ETIMEDOUT;
}

uint64_t nagios_state_age_ms(const struct nagios_run *run,
			     const struct state *state)
{
	/* it may have been written since this run began */
	return run->now_ms > state->boottime_ms
		       ? run->now_ms - state->boottime_ms
		       : 0;
}

bool nagios_open_history(struct nagios_run *run, struct history *history)
{
	struct problem problem;

	if (history_open(history, run->common->run_dir, run->proc, &problem) ==
	    0)
		return true;
	nagios_say(run, NAGIOS_UNKNOWN, "%sno history: %s",
		   run->text.used ? "; " : "", problem.text);
	return false;
}

uint64_t nagios_since_ms(const struct nagios_run *run, uint64_t ago_ms)
{
	return run->now_ms - lesser(run->now_ms, ago_ms);
}

bool nagios_is_dry_run(const struct state *state)
{
	return state->frozen_processes &&
	       strcmp(state->frozen[0].method, "dry-run") == 0;
}

/* A directory, whatever it is called: where on which file system it is. */
struct place {
	char device[24];
	char path[2 * PATH_MAX];
};

/* What of directory is left below point; NULL if it is not below. */
static const char *path_below(const char *directory, const char *point)
{
	size_t length = strcmp(point, "/") == 0 ? 0 : strlen(point);

	if (strncmp(directory, point, length) != 0 ||
	    (directory[length] && directory[length] != '/'))
		return NULL;
	return directory + length;
}

/*
 * "36 35 98:0 /root /point rw,noatime ...": of the mounts that hold the
 * directory the one nearest to it counts, and of those the last.
 */
static bool place_find(struct span mounts, const char *directory,
		       struct place *place)
{
	size_t shortest = SIZE_MAX;

	while (mounts.length) {
		struct span line = span_line(&mounts), device;
		char root[PATH_MAX], point[PATH_MAX];
		const char *below;

		(void)span_word(&line), (void)span_word(&line);
		device = span_word(&line);
		if (text_unescape(span_word(&line), root, sizeof(root)) ||
		    text_unescape(span_word(&line), point, sizeof(point)))
			continue;
		below = path_below(directory, point);
		if (!below || strlen(below) > shortest ||
		    span_copy(device, place->device, sizeof(place->device)))
			continue;
		shortest = strlen(below);
		(void)snprintf(place->path, sizeof(place->path), "%s%s",
			       strcmp(root, "/") == 0 ? "" : root, below);
	}
	return shortest != SIZE_MAX;
}

static bool place_read(int proc, const char *file, const char *directory,
		       struct place *place)
{
	char buffer[MOUNTS_SIZE]; /* only what is read is touched */
	struct span mounts;

	return file_read_at(proc, file, buffer, sizeof(buffer), &mounts) == 0 &&
	       place_find(mounts, directory, place);
}

/* The directory that a file is or would be in, without links. */
static int directory_of(const char *file, char directory[PATH_MAX])
{
	char path[PATH_MAX];
	struct span span = span_of(file);

	while (span.length && span.start[span.length - 1] != '/')
		span.length--;
	if (!*file)
		return -EINVAL;
	if (!span.length)
		span = span_of(".");
	if (span_copy(span, path, sizeof(path)))
		return -ENAMETOOLONG;
	return realpath(path, directory) ? 0 : -errno;
}

int nagios_is_private(int proc, const char *file)
{
	struct place ours, hosts;
	char directory[PATH_MAX];
	int error = directory_of(file, directory);

	if (error)
		return error;
	if (!place_read(proc, "self/mountinfo", directory, &ours))
		return false;
	/* the first process has the host's view, unless /proc hides it */
	if (!place_read(proc, "1/mountinfo", directory, &hosts))
		return strstr(ours.path, "/systemd-private-") != NULL;
	return strcmp(ours.device, hosts.device) != 0 ||
	       strcmp(ours.path, hosts.path) != 0;
}

static const struct option_row common_rows[] = {
	{.name = "help",
	 .letter = 'h',
	 .help = "print this text",
	 .parse = option_choose,
	 .offset = offsetof(struct nagios_common, command),
	 .value = COMMAND_HELP},
	{.name = "version",
	 .letter = 'V',
	 .help = "print the version",
	 .parse = option_choose,
	 .offset = offsetof(struct nagios_common, command),
	 .value = COMMAND_VERSION},
	{.name = "verbose",
	 .letter = 'v',
	 .help = "print more lines; up to three times",
	 .parse = option_count,
	 .offset = offsetof(struct nagios_common, verbosity)},
	{.name = "timeout",
	 .letter = 't',
	 .argument = "SECONDS",
	 .standard = "10",
	 .help = "UNKNOWN after this time",
	 .parse = option_seconds,
	 .offset = offsetof(struct nagios_common, timeout_ms),
	 .min = 100,
	 .max = 3600000},
	{.name = "run-dir",
	 .argument = "DIR",
	 .standard = STATE_RUN_DIR,
	 .help = "of the state file",
	 .parse = option_text,
	 .offset = offsetof(struct nagios_common, run_dir)},
	{.name = "proc",
	 .argument = "DIR",
	 .standard = "/proc",
	 .help = "of the kernel",
	 .parse = option_text,
	 .offset = offsetof(struct nagios_common, proc_dir)},
};

enum { COMMON_ROWS = sizeof(common_rows) / sizeof(*common_rows) };

/* Options that the environment can set too. */
static const struct {
	const char *variable, *option;
} environment[] = {
	{"THRASH_PROTECT_RUN_DIR", "run_dir"},
	{"THRASH_PROTECT_PROC", "proc"},
	{"THRASH_PROTECT_MARKER", "marker"},
};

static void take_environment(const struct option_table *table, void *settings,
			     struct problem *problem)
{
	for (size_t i = 0; i < sizeof(environment) / sizeof(*environment);
	     i++) {
		const struct option_row *row =
			options_find(table, span_of(environment[i].option));
		const char *value = getenv(environment[i].variable);

		if (row && value && *value)
			(void)options_set(row, value, settings, problem);
	}
}

void nagios_headline(const struct nagios_run *run, char line[NAGIOS_LINE])
{
	(void)snprintf(line, NAGIOS_LINE, "%s %s: %s", run->check->name,
		       status_names[run->status], run->text.start);
	make_harmless(line);
}

/* Prints all at once; the exit code. */
static int print(const struct nagios_run *run)
{
	char line[NAGIOS_LINE];

	nagios_headline(run, line);
	/* a second answer would be wrong: who does not read is left alone */
	(void)signal(SIGALRM, SIG_DFL);
	(void)printf("%s%s%s\n%s", line, run->metrics.used ? " | " : "",
		     run->metrics.start, run->details.start);
	return fflush(stdout) == 0 ? (int)run->status : NAGIOS_UNKNOWN;
}

/* What options there are: the check's own, then those of every check. */
struct table {
	struct option_row rows[ROWS_MAX];
	struct option_table options;
};

static void make_table(const struct nagios_check *check, struct table *table)
{
	size_t count = check->row_count;

	assert(COMMON_ROWS + count <= ROWS_MAX);
	memcpy(table->rows, check->rows, count * sizeof(*check->rows));
	memcpy(table->rows + count, common_rows, sizeof(common_rows));
	table->options =
		(struct option_table){table->rows, COMMON_ROWS + count};
}

static int print_help(const struct nagios_check *check)
{
	struct table table;

	make_table(check, &table);
	(void)printf("%s %s: %s\n\n", check->program, VERSION, check->summary);
	options_help(&table.options, stdout);
	return NAGIOS_UNKNOWN;
}

static int print_version(const struct nagios_check *check)
{
	(void)printf("%s %s\n", check->program, VERSION);
	return NAGIOS_UNKNOWN;
}

static void on_timeout(int number, siginfo_t *info, void *context)
{
	const char *line = info->si_value.sival_ptr;

	(void)number, (void)context;
	if (info->si_code != SI_TIMER)
		return; /* somebody's kill: it comes without a line */
	while (*line) {
		ssize_t count = write(STDOUT_FILENO, line, strlen(line));

		if (count <= 0)
			break;
		line += count;
	}
	_exit(NAGIOS_UNKNOWN);
}

/* A timer, not alarm(): it hands the handler its line, without a global. */
static int start_timer(struct nagios_run *run)
{
	uint64_t timeout_ms = run->common->timeout_ms;
	char number[NAGIOS_NUMBER];
	struct sigaction action = {.sa_flags = SA_SIGINFO};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGALRM,
				 .sigev_value = {.sival_ptr = run->late}};
	struct itimerspec after = {
		.it_value = {.tv_sec = (time_t)(timeout_ms / 1000),
			     .tv_nsec = (long)(timeout_ms % 1000) * 1000000}};
	sigset_t alarm_only;
	timer_t timer;

	nagios_number(timeout_ms, number);
	(void)snprintf(run->late, sizeof(run->late),
		       "%s %s: no answer within %s s\n", run->check->name,
		       status_names[NAGIOS_UNKNOWN], number);
	action.sa_sigaction = on_timeout;
	(void)sigemptyset(&alarm_only);
	(void)sigaddset(&alarm_only, SIGALRM);
	if (sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) != 0 ||
	    sigaction(SIGALRM, &action, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &after, NULL) != 0)
		return -errno;
	return 0;
}

void nagios_begin(struct nagios_run *run, const struct nagios_check *check,
		  const union nagios_settings *settings,
		  struct nagios_room *room)
{
	*run = (struct nagios_run){
		.check = check,
		.common = &settings->common,
		.text = {room->text, sizeof(room->text), 0},
		.metrics = {room->metrics, sizeof(room->metrics), 0},
		.details = {room->details, sizeof(room->details), 0},
	};
	room->text[0] = room->metrics[0] = room->details[0] = '\0';
}

int nagios_set(const struct nagios_check *check, int argc, char **argv,
	       union nagios_settings *settings, struct problem *problem)
{
	struct table table;

	assert(check->settings_size <= sizeof(*settings));
	make_table(check, &table);
	memset(settings, 0, sizeof(*settings));
	options_default(&table.options, settings);
	take_environment(&table.options, settings, problem);
	return options_parse(&table.options, argc, argv, settings, problem);
}

void nagios_look(struct nagios_run *run, const union nagios_settings *settings)
{
	const struct nagios_common *common = run->common;

	run->proc = directory_open(common->proc_dir);
	if (run->proc < 0) {
		nagios_say(run, NAGIOS_UNKNOWN, "%s: %s", common->proc_dir,
			   strerror(-run->proc));
		return;
	}
	run->now_ms = clock_boottime_us() / 1000;
	run->check->look(settings, run);
	nagios_detail(run, 3, "run directory %s, proc %s", common->run_dir,
		      common->proc_dir);
	(void)close(run->proc);
}

int nagios_main(const struct nagios_check *check, int argc, char **argv)
{
	union nagios_settings settings = {.common = {.command = 0}};
	struct nagios_room room;
	struct nagios_run run;
	struct problem problem;
	int error;

	nagios_begin(&run, check, &settings, &room);
	if (nagios_set(check, argc, argv, &settings, &problem))
		nagios_say(&run, NAGIOS_UNKNOWN, "%s", problem.text);
	else if (settings.common.command == COMMAND_HELP)
		return print_help(check);
	else if (settings.common.command == COMMAND_VERSION)
		return print_version(check);
	else if ((error = start_timer(&run)) != 0)
		nagios_say(&run, NAGIOS_UNKNOWN, "timer: %s", strerror(-error));
	else
		nagios_look(&run, &settings);
	return print(&run);
}

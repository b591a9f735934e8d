/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats, parses, writes and reads the state file, from one table. */
#include "core/state.h"

#include "core/file.h"
#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind {
	NUMBER,
	WORD,
};

struct row {
	const char *name;
	enum kind kind;
	bool is_required;
	size_t offset;
	size_t has; /* offset of the bool that says it is there; 0: always */
	/* for Prometheus; without: not told, or node_exporter has it */
	const char *metric;
	unsigned unit; /* how many of ours are one of the metric's */
	const char *help;
};

#define FIELD(field, what, must)                               \
	.name = #field, .kind = (what), .is_required = (must), \
	.offset = offsetof(struct state, field)
#define METRIC(called, units, text) \
	.metric = (called), .unit = (units), .help = (text)
#define COUNTER(called, path)             \
	.name = (called), .kind = NUMBER, \
	.offset = offsetof(struct state, sample.path)
#define IF(path) .has = offsetof(struct state, sample.path)

/* In the order in which they are written. */
static const struct row rows[] = {
	{FIELD(format, NUMBER, true)},
	{FIELD(version, WORD, true),
	 METRIC("version_info", 1, "Which thrash-protect wrote this.")},
	{FIELD(pid, NUMBER, true)},
	{FIELD(pid_start_time, NUMBER, true)},
	{FIELD(boottime_ms, NUMBER, true)},
	{FIELD(fresh_for_ms, NUMBER, true)},
	{FIELD(mode, WORD, true), METRIC("mode_info", 1, "What it judges by.")},
	{FIELD(verdict, WORD, true),
	 METRIC("verdict_info", 1,
		"Whether the host is calm, unsettled or thrashing.")},
	{FIELD(stall_permille, NUMBER, false),
	 METRIC("stall_ratio", 1000,
		"Share of the last interval in which tasks were stalled.")},
	{FIELD(page_cost_us, NUMBER, false),
	 METRIC("page_cost_seconds", 1000000,
		"What a page from swap costs here, as learned.")},
	{FIELD(stall_us_total, NUMBER, false),
	 METRIC("stall_seconds_total", 1000000,
		"Time in which tasks were stalled.")},
	{FIELD(thrash_us_total, NUMBER, false),
	 METRIC("thrash_seconds_total", 1000000,
		"Time in which the host was thrashing.")},
	{FIELD(freezes_total, NUMBER, false),
	 METRIC("freezes_total", 1, "Freezes of a process.")},
	{FIELD(thaws_total, NUMBER, false),
	 METRIC("thaws_total", 1, "Thaws of a process.")},
	{FIELD(rotations_total, NUMBER, false),
	 METRIC("rotations_total", 1,
		"Turns given to a process that had waited.")},
	{FIELD(freezes_unhelpful_total, NUMBER, false),
	 METRIC("freezes_unhelpful_total", 1,
		"Freezes after which the host thrashed on.")},
	{FIELD(paged_out_bytes_total, NUMBER, false),
	 METRIC("paged_out_bytes_total", 1,
		"Memory of frozen processes moved to swap in bulk.")},
	{FIELD(prefetched_bytes_total, NUMBER, false),
	 METRIC("prefetched_bytes_total", 1,
		"Memory brought in for processes whose turn came.")},
	{FIELD(frozen_us_total, NUMBER, false),
	 METRIC("frozen_process_seconds_total", 1000000,
		"Time frozen, summed over processes.")},
	{FIELD(longest_gap_ms, NUMBER, false),
	 METRIC("longest_gap_seconds", 1000,
		"Longest time for which the daemon itself could not run.")},
	{COUNTER("pswpin", vmstat.swapped_in), IF(vmstat.has_swap)},
	{COUNTER("pswpout", vmstat.swapped_out), IF(vmstat.has_swap)},
	{COUNTER("pgmajfault", vmstat.major_faults)},
	{COUNTER("workingset_refault_anon", vmstat.refaulted_anon),
	 IF(vmstat.has_refaults_anon)},
	{COUNTER("workingset_refault_file", vmstat.refaulted_file),
	 IF(vmstat.has_refaults_file)},
	{COUNTER("memory_some_us", memory.some_us), IF(has_memory)},
	{COUNTER("memory_full_us", memory.full_us), IF(has_memory)},
	{COUNTER("io_some_us", io.some_us), IF(has_io)},
	{COUNTER("io_full_us", io.full_us), IF(has_io)},
	{FIELD(frozen_processes, NUMBER, true),
	 METRIC("frozen_processes", 1, "Processes that are frozen.")},
	{FIELD(longest_frozen_ms, NUMBER, true),
	 METRIC("longest_frozen_seconds", 1000,
		"For how long the one frozen first has been.")},
};

enum {
	ROWS = sizeof(rows) / sizeof(*rows),
	STATE_LINE = 256, /* the longest has 200 bytes */
	STATE_PIECE = 4096,
};

static uint64_t *number_of(struct state *state, const struct row *row)
{
	return (uint64_t *)(void *)((char *)state + row->offset);
}

static uint64_t number_in(const struct state *state, const struct row *row)
{
	return *(const uint64_t *)(const void *)((const char *)state +
						 row->offset);
}

static bool has_row(const struct state *state, const struct row *row)
{
	return !row->has || *(const bool *)((const char *)state + row->has);
}

static const char *word_in(const struct state *state, const struct row *row)
{
	return (const char *)state + row->offset;
}

/* Where a text goes: into a buffer, and from there into a file, if any. */
struct output {
	char *buffer;
	size_t size, used;
	int file; /* -1: none */
	int error;
};

static void flush(struct output *output)
{
	if (!output->error)
		output->error =
			file_write(output->file,
				   (struct span){output->buffer, output->used});
	output->used = 0;
}

/* Appends a line; once it is full, used stays at size. */
__attribute__((format(printf, 2, 3))) static void
append(struct output *output, const char *format, ...)
{
	size_t left = output->size - output->used;
	va_list args;

	va_start(args, format);

	int length =
		vsnprintf(output->buffer + output->used, left, format, args);

	va_end(args);
	output->used = length < 0 || (size_t)length >= left
			       ? output->size
			       : output->used + (size_t)length;
	if (output->file >= 0 && output->size - output->used < STATE_LINE)
		flush(output);
}

static void append_frozen(struct output *output,
			  const struct state_frozen *frozen)
{
	char command[TEXT_ESCAPED_COMMAND];

	text_escape(frozen->command, command, sizeof(command));
	append(output, "frozen %d %" PRIu64 " %" PRIu64 " %s %s %s\n",
	       (int)frozen->pid, frozen->start_time, frozen->frozen_ms,
	       frozen->method, frozen->class, command);
}

static int append_all(struct output *output, const struct state *state)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!has_row(state, &rows[i]))
			continue;
		if (rows[i].kind == WORD)
			append(output, "%s %s\n", rows[i].name,
			       word_in(state, &rows[i]));
		else
			append(output, "%s %" PRIu64 "\n", rows[i].name,
			       number_in(state, &rows[i]));
	}
	if (state->frozen_processes > STATE_FROZEN)
		return -EINVAL;
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		append_frozen(output, &state->frozen[i]);
	return 0;
}

int state_format(const struct state *state, char *buffer, size_t size,
		 struct span *text)
{
	struct output output = {.buffer = buffer, .size = size, .file = -1};
	int error = append_all(&output, state);

	*text = (struct span){buffer, output.used};
	return error || output.used < size ? error : -EFBIG;
}

/* Escaped as in the file, so that any command is valid JSON. */
void state_print_json_text(const char *text, FILE *stream)
{
	char escaped[TEXT_ESCAPED_COMMAND];

	text_escape(text, escaped, sizeof(escaped));
	(void)fputc('"', stream);
	for (const char *c = escaped; *c; c++)
		(void)fprintf(stream, *c == '"' || *c == '\\' ? "\\%c" : "%c",
			      *c);
	(void)fputc('"', stream);
}

void state_print_json(const struct state *state, FILE *stream)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!has_row(state, &rows[i]))
			continue;
		(void)fprintf(stream, "%s\"%s\": ", i ? ",\n  " : "{\n  ",
			      rows[i].name);
		if (rows[i].kind == WORD)
			state_print_json_text(word_in(state, &rows[i]), stream);
		else
			(void)fprintf(stream, "%" PRIu64,
				      number_in(state, &rows[i]));
	}
	(void)fprintf(stream, ",\n  \"frozen\": [");
	for (uint64_t i = 0; i < state->frozen_processes; i++) {
		const struct state_frozen *frozen = &state->frozen[i];

		(void)fprintf(stream,
			      "%s\n    {\"pid\": %d, \"start_time\": %" PRIu64
			      ", \"frozen_ms\": %" PRIu64
			      ", \"method\": \"%s\", \"class\": \"%s\", "
			      "\"command\": ",
			      i ? "," : "", (int)frozen->pid,
			      frozen->start_time, frozen->frozen_ms,
			      frozen->method, frozen->class);
		state_print_json_text(frozen->command, stream);
		(void)fputc('}', stream);
	}
	(void)fprintf(stream, "%s]\n}\n",
		      state->frozen_processes ? "\n  " : "");
}

/* A name that ends in _total is a counter's, by Prometheus's rules. */
static void print_metric_head(const char *name, const char *help, FILE *stream)
{
	const char *end = strstr(name, "_total");
	bool is_counter = end && strcmp(end, "_total") == 0;

	(void)fprintf(stream,
		      "# HELP thrash_protect_%s %s\n"
		      "# TYPE thrash_protect_%s %s\nthrash_protect_%s",
		      name, help, name, is_counter ? "counter" : "gauge", name);
}

/* A word is a label of a metric that is always 1. */
static void print_metric(const struct state *state, const struct row *row,
			 FILE *stream)
{
	uint64_t number;

	print_metric_head(row->metric, row->help, stream);
	if (row->kind == WORD) {
		(void)fprintf(stream, "{%s=\"%s\"} 1\n", row->name,
			      word_in(state, row));
		return;
	}
	number = number_in(state, row);
	(void)fprintf(stream, " %" PRIu64, number / row->unit);
	if (row->unit > 1)
		(void)fprintf(stream, ".%0*" PRIu64, row->unit == 1000 ? 3 : 6,
			      number % row->unit);
	(void)fputc('\n', stream);
}

void state_print_prometheus(const struct state *state, bool is_up, FILE *stream)
{
	print_metric_head("up", "Whether the daemon is there.", stream);
	(void)fprintf(stream, " %d\n", is_up);
	for (size_t i = 0; state && i < ROWS; i++)
		if (rows[i].metric)
			print_metric(state, &rows[i], stream);
}

/* What versions and our own words are made of. */
static int parse_word(struct span span, char word[STATE_WORD])
{
	if (!span.length)
		return -EINVAL;
	for (size_t i = 0; i < span.length; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+~_:",
			    span.start[i]) ||
		    !span.start[i])
			return -EINVAL;
	return span_copy(span, word, STATE_WORD);
}

/* "frozen PID START_TIME FROZEN_MS METHOD CLASS COMMAND" */
static int parse_frozen(struct span line, struct state_frozen *frozen)
{
	if (span_to_pid(span_word(&line), &frozen->pid) ||
	    span_to_u64(span_word(&line), &frozen->start_time) ||
	    span_to_u64(span_word(&line), &frozen->frozen_ms) ||
	    parse_word(span_word(&line), frozen->method) ||
	    parse_word(span_word(&line), frozen->class) ||
	    text_unescape(line, frozen->command, sizeof(frozen->command)))
		return -EINVAL;
	return 0;
}

struct parser {
	struct state *state;
	uint64_t seen;   /* a bit per row */
	uint64_t frozen; /* lines */
};

static bool is_seen(const struct parser *parser, size_t row)
{
	return parser->seen & UINT64_C(1) << row;
}

static int parse_line(struct parser *parser, struct span line)
{
	struct state *state = parser->state;
	struct span name = span_word(&line);

	if (span_equals(name, "frozen"))
		return parser->frozen == STATE_FROZEN
			       ? -EINVAL
			       : parse_frozen(line,
					      &state->frozen[parser->frozen++]);
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if (!span_equals(name, rows[i].name))
			continue;
		if (parser->seen & bit)
			return -EINVAL;
		parser->seen |= bit;
		if (rows[i].has)
			*(bool *)((char *)state + rows[i].has) = true;
		return rows[i].kind == WORD
			       ? parse_word(line,
					    (char *)number_of(state, &rows[i]))
			       : span_to_u64(line, number_of(state, &rows[i]));
	}
	return name.length ? 0 : -EINVAL;
}

/* Counters that one flag stands for come together or not at all. */
static int check_pairs(const struct parser *parser, struct problem *problem)
{
	for (size_t i = 1; i < ROWS; i++)
		if (rows[i].has && rows[i].has == rows[i - 1].has &&
		    is_seen(parser, i) != is_seen(parser, i - 1))
			return problem_set(problem, -EINVAL,
					   "state file: %s or %s is missing",
					   rows[i - 1].name, rows[i].name);
	return 0;
}

static int check_frozen(const struct state *state, struct problem *problem)
{
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		for (uint64_t j = 0; j < i; j++)
			if (state->frozen[i].pid == state->frozen[j].pid)
				return problem_set(
					problem, -EINVAL,
					"state file: pid %d is listed twice",
					(int)state->frozen[i].pid);
	return 0;
}

static int check_whole(struct parser *parser, struct problem *problem)
{
	struct state *state = parser->state;

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].is_required && !is_seen(parser, i))
			return problem_set(problem, -EINVAL,
					   "state file: no line %s",
					   rows[i].name);
	if (state->frozen_processes != parser->frozen)
		return problem_set(problem, -EINVAL,
				   "state file: frozen_processes is %" PRIu64
				   ", but %" PRIu64 " are listed",
				   state->frozen_processes, parser->frozen);
	if (state->pid == 0 || state->pid > INT_MAX)
		return problem_set(problem, -EINVAL,
				   "state file: pid is not valid");
	state->sample.time_us = state->boottime_ms * 1000;
	return 0;
}

static int parse_lines(struct parser *parser, struct span text,
		       struct problem *problem)
{
	unsigned number = 0;

	while (text.length) {
		number++;
		if (parse_line(parser, span_line(&text)))
			return problem_set(problem, -EINVAL,
					   "state file: line %u is not valid",
					   number);
		if (number == 1 && parser->state->format != STATE_FORMAT)
			return problem_set(problem, -EPROTONOSUPPORT,
					   "state file: not of format %d",
					   STATE_FORMAT);
	}
	return 0;
}

int state_parse(struct span text, struct state *state, struct problem *problem)
{
	struct parser parser = {.state = state};

	memset(state, 0, sizeof(*state));

	int error = parse_lines(&parser, text, problem);

	if (!error)
		error = check_whole(&parser, problem);
	if (!error)
		error = check_pairs(&parser, problem);
	if (!error)
		error = check_frozen(state, problem);
	if (error) /* half of one must not be taken for a state */
		memset(state, 0, sizeof(*state));
	return error;
}

/* In pieces: the daemon does this on the stack that it keeps in memory. */
int state_write(int directory, const struct state *state)
{
	char buffer[STATE_PIECE];
	struct file_replacement replacement;
	struct output output = {.buffer = buffer, .size = sizeof(buffer)};
	int error = file_replacement_open(&replacement, directory, "state");

	if (error)
		return error;
	output.file = replacement.file;
	error = append_all(&output, state);
	flush(&output);
	return file_replacement_close(&replacement,
				      error ? error : output.error, 0644, NULL);
}

/*
 * A daemon that is not root's has a directory that root has made for it: where
 * only root can write, nobody else can have put it.  Whose it is then, or root.
 */
static uid_t find_trustee(int directory)
{
	struct stat parent, status;

	if (fstatat(directory, "..", &parent, 0) != 0 || parent.st_uid ||
	    parent.st_mode & (S_IWGRP | S_IWOTH) ||
	    fstat(directory, &status) != 0)
		return 0;
	return status.st_uid;
}

int state_open_directory(const char *run_dir, uid_t *owner,
			 struct problem *problem)
{
	int directory =
		open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (directory < 0)
		return problem_set(problem, -errno, "%s: %s", run_dir,
				   strerror(errno));
	*owner = find_trustee(directory);
	if (file_is_trusted(directory, owner))
		return directory;
	(void)close(directory);
	return problem_set(problem, -EPERM,
			   "%s: others than root can write there", run_dir);
}

/* *owner is whose the directory is, and then whose the file is. */
static int read_trusted(int directory, char *buffer, size_t size,
			struct span *text, uid_t *owner)
{
	int file = file_open_at(directory, "state");

	if (file < 0)
		return file;

	int error = file_is_trusted(file, owner)
			    ? file_read(file, buffer, size, text)
			    : -EPERM;

	(void)close(file);
	return error;
}

int state_read(const char *run_dir, struct state *state,
	       struct problem *problem)
{
	char buffer[STATE_SIZE];
	struct span text;
	uid_t owner;
	int directory = state_open_directory(run_dir, &owner, problem);

	if (directory < 0)
		return directory;

	int error =
		read_trusted(directory, buffer, sizeof(buffer), &text, &owner);

	(void)close(directory);
	if (error == -EPERM)
		return problem_set(problem, error,
				   "%s/state: others than root can write it",
				   run_dir);
	if (error)
		return problem_set(problem, error, "%s/state: %s", run_dir,
				   strerror(-error));
	error = state_parse(text, state, problem);
	state->owner = owner;
	return error;
}

/* Whether /proc shows us processes of other users (hidepid). */
static bool sees_others(int proc)
{
	struct process init;

	return process_read(proc, 1, 1, &init) == 0;
}

int state_check_daemon(const struct state *state, int proc,
		       uint64_t boottime_ms, struct problem *problem)
{
	uint64_t age_ms = boottime_ms > state->boottime_ms
				  ? boottime_ms - state->boottime_ms
				  : 0;

	bool is_hidden = !process_is_alive(proc, (pid_t)state->pid,
					   state->pid_start_time);

	if (is_hidden && sees_others(proc))
		return problem_set(problem, -ESRCH,
				   "the daemon (pid %" PRIu64 ") is gone",
				   state->pid);
	/* from the future, by more than a race explains: of an earlier boot */
	if (is_hidden && state->boottime_ms > boottime_ms &&
	    state->boottime_ms - boottime_ms > 1000)
		return problem_set(problem, -ETIMEDOUT,
				   "the daemon has been silent since this "
				   "host started");
	if (age_ms / 3 > state->fresh_for_ms)
		return problem_set(problem, -ETIMEDOUT,
				   "the daemon has been silent for %" PRIu64
				   " s",
				   age_ms / 1000);
	return 0;
}

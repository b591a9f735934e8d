/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses options by a table and prints their help. */
#include "core/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
	ROWS_MAX = 60,
	LONG_BASE = 256, /* getopt_long() returns LONG_BASE + row number */
};

int option_flag(const struct option_row *row, const char *text, void *field,
		struct problem *problem)
{
	static const char *const words[] = {"no",    "yes",  "off", "on",
					    "false", "true", "0",   "1"};

	(void)row;
	if (!text) {
		*(bool *)field = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*(bool *)field = i % 2;
		return 0;
	}
	return problem_set(problem, -EINVAL, "yes or no is expected");
}

/* A limit of the row as a person writes it: 50 of 1000 is "0.05". */
static void format_limit(uint64_t value, uint64_t scale, char text[32])
{
	uint64_t fraction = value % scale;
	int digits = scale == 1000 ? 3 : 1;

	if (!fraction) {
		(void)snprintf(text, 32, "%" PRIu64, value / scale);
		return;
	}
	while (fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	(void)snprintf(text, 32, "%" PRIu64 ".%0*" PRIu64, value / scale,
		       digits, fraction);
}

/* scale: how many units of the field are one that a person writes. */
static int check_range(const struct option_row *row, uint64_t value,
		       uint64_t scale, struct problem *problem)
{
	char min[32], max[32];

	if (value >= row->min && value <= row->max)
		return 0;
	format_limit(row->min, scale, min);
	format_limit(row->max, scale, max);
	return problem_set(problem, -EINVAL,
			   "a number from %s to %s is expected", min, max);
}

int option_number(const struct option_row *row, const char *text, void *field,
		  struct problem *problem)
{
	uint64_t value;

	if (span_to_u64(span_of(text), &value))
		return problem_set(problem, -EINVAL,
				   "a whole number is expected");

	int error = check_range(row, value, 1, problem);

	if (!error)
		*(uint64_t *)field = value;
	return error;
}

int option_seconds(const struct option_row *row, const char *text, void *field,
		   struct problem *problem)
{
	uint64_t value;

	if (span_to_thousandths(span_of(text), &value))
		return problem_set(problem, -EINVAL,
				   "a number of seconds is expected");

	int error = check_range(row, value, 1000, problem);

	if (!error)
		*(uint64_t *)field = value;
	return error;
}

int option_duration(const struct option_row *row, const char *text, void *field,
		    struct problem *problem)
{
	static const struct {
		char letter;
		uint64_t ms;
	} units[] = {
		{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	struct span number = span_of(text);
	uint64_t unit_ms = 1000, value;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (number.length &&
		    number.start[number.length - 1] == units[i].letter) {
			unit_ms = units[i].ms;
			number.length--;
			break;
		}
	if (span_to_u64(number, &value))
		return problem_set(problem, -EINVAL,
				   "a time is expected, such as 90, 30m, 2h "
				   "or 1d");
	if (value > UINT64_MAX / unit_ms)
		value = UINT64_MAX / unit_ms;

	int error = check_range(row, value * unit_ms, 1000, problem);

	if (!error)
		*(uint64_t *)field = value * unit_ms;
	return error;
}

int option_percent(const struct option_row *row, const char *text, void *field,
		   struct problem *problem)
{
	uint64_t value;

	if (span_to_thousandths(span_of(text), &value))
		return problem_set(problem, -EINVAL,
				   "a percentage is expected");
	value = value / 100 + (value % 100 >= 50);

	int error = check_range(row, value, 10, problem);

	if (!error)
		*(uint64_t *)field = value;
	return error;
}

int option_text(const struct option_row *row, const char *text, void *field,
		struct problem *problem)
{
	(void)row, (void)problem;
	*(const char **)field = text;
	return 0;
}

int option_count(const struct option_row *row, const char *text, void *field,
		 struct problem *problem)
{
	(void)row, (void)text, (void)problem;
	++*(unsigned *)field;
	return 0;
}

int option_choose(const struct option_row *row, const char *text, void *field,
		  struct problem *problem)
{
	int *choice = field;

	(void)text;
	if (*choice && *choice != row->value)
		return problem_set(problem, -EINVAL,
				   "only one thing can be done at a time");
	*choice = row->value;
	return 0;
}

int options_set(const struct option_row *row, const char *text, void *target,
		struct problem *problem)
{
	return row->parse ? row->parse(row, text, (char *)target + row->offset,
				       problem)
			  : 0;
}

void options_default(const struct option_table *table, void *target)
{
	struct problem ignored;

	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].standard)
			(void)options_set(&table->rows[i],
					  table->rows[i].standard, target,
					  &ignored);
}

static char hyphenated(char c)
{
	return c == '_' ? '-' : c;
}

/* Whether the name of a file or the environment is this one of ours. */
static bool is_name(struct span name, const char *ours)
{
	if (!ours || name.length != strlen(ours))
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (hyphenated(name.start[i]) != hyphenated(ours[i]))
			return false;
	return true;
}

const struct option_row *options_find(const struct option_table *table,
				      struct span name)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		if (!row->is_command &&
		    (is_name(name, row->name) || is_name(name, row->former)))
			return row;
	}
	return NULL;
}

int options_set_named(const struct option_table *table, struct span name,
		      const char *text, const char *place, void *target,
		      struct problem *problem)
{
	const struct option_row *row = options_find(table, name);
	struct problem why;

	if (!row)
		return problem_set(problem, -EINVAL,
				   "%s: %.*s is not a setting", place,
				   SPAN_FORMAT(name));

	int error = options_set(row, text, target, &why);

	return error ? problem_set(problem, error, "%s: %.*s: %s", place,
				   SPAN_FORMAT(name), why.text)
		     : 0;
}

/* What getopt_long() wants, made from the table. */
struct getopt_tables {
	struct option longs[ROWS_MAX + 1];
	char shorts[2 * ROWS_MAX + 2];
};

static void make_getopt_tables(const struct option_table *table,
			       struct getopt_tables *made)
{
	size_t used = 0, count = 0;

	memset(made, 0, sizeof(*made));
	made->shorts[used++] = ':'; /* a missing value is told as ':' */
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		if (!row->parse && !row->is_command)
			continue; /* only files and environments have it */
		made->longs[count++] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument
				   : row->parse == option_flag
					   ? optional_argument
					   : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (row->letter)
			made->shorts[used++] = row->letter;
		if (row->letter && row->argument)
			made->shorts[used++] = ':';
	}
}

static const struct option_row *row_of(const struct option_table *table,
				       int value)
{
	if (value >= LONG_BASE)
		return &table->rows[value - LONG_BASE];
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].letter && table->rows[i].letter == value)
			return &table->rows[i];
	return NULL;
}

static int refuse(int result, const char *word, struct problem *problem)
{
	const char *what = result == ':' ? "needs a value" : "is not known";

	/* getopt() takes one byte, as a char with a sign, for a letter */
	if (optopt < 0 || (optopt > '~' && optopt < LONG_BASE))
		return problem_set(problem, -EINVAL,
				   "an option whose letter is not ASCII %s",
				   what);
	if (optopt > 0 && optopt < LONG_BASE)
		return problem_set(problem, -EINVAL, "option -%c %s", optopt,
				   what);
	/* a long option: the word shows it, up to an "=" */
	return problem_set(
		problem, -EINVAL, "option %.*s %s", (int)strcspn(word, "="),
		word, optopt ? result == ':' ? what : "takes no value" : what);
}

int options_parse(const struct option_table *table, int argc, char **argv,
		  void *target, struct problem *problem)
{
	struct getopt_tables made;
	int result;

	make_getopt_tables(table, &made);
	opterr = 0;
	optind = 0; /* start afresh (a GNU and musl convention) */
	while ((result = getopt_long(argc, argv, made.shorts, made.longs,
				     NULL)) != -1) {
		const struct option_row *row = result == '?' || result == ':'
						       ? NULL
						       : row_of(table, result);
		struct problem why;

		if (!row)
			return refuse(result, argv[optind - 1], problem);

		int error = options_set(row, optarg, target, &why);

		if (error)
			return problem_set(problem, error, "option --%s: %s",
					   row->name, why.text);
	}
	if (optind < argc)
		return problem_set(problem, -EINVAL,
				   "argument '%s' is not expected",
				   argv[optind]);
	return 0;
}

enum { HELP_INDENT = 28, HELP_WIDTH = 80 };

/* Prints words from column on, in lines of HELP_WIDTH. */
static void print_wrapped(const char *text, FILE *stream)
{
	struct span rest = span_of(text);
	size_t column = HELP_INDENT;

	while (rest.length) {
		struct span word = span_word(&rest);

		if (column > HELP_INDENT &&
		    column + 1 + word.length >= HELP_WIDTH) {
			(void)fprintf(stream, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		} else if (column > HELP_INDENT) {
			(void)fputc(' ', stream);
			column++;
		}
		(void)fprintf(stream, "%.*s", SPAN_FORMAT(word));
		column += word.length;
	}
	(void)fputc('\n', stream);
}

void options_help(const struct option_table *table, FILE *stream)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		char head[80], text[512];
		bool has_default = row->standard && *row->standard;

		if (!row->help || (!row->parse && !row->is_command))
			continue;

		int length = snprintf(head, sizeof(head), "  %c%c%s--%s%s%s",
				      row->letter ? '-' : ' ',
				      row->letter ? row->letter : ' ',
				      row->letter ? ", " : "  ", row->name,
				      row->argument ? " " : "",
				      row->argument ? row->argument : "");

		(void)fputs(head, stream);
		if (length >= HELP_INDENT - 1)
			(void)fprintf(stream, "\n%*s", HELP_INDENT, "");
		else
			(void)fprintf(stream, "%*s", HELP_INDENT - length, "");
		(void)snprintf(text, sizeof(text), "%s%s%s%s", row->help,
			       has_default ? " (default: " : "",
			       has_default ? row->standard : "",
			       has_default ? ")" : "");
		print_wrapped(text, stream);
	}
}

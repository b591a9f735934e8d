/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options from one table: defaults, command line, environment, configuration
 * file and --help all come from the same rows, so that none of them can know
 * an option that another does not.
 */
#ifndef THRASH_CORE_OPTIONS_H
#define THRASH_CORE_OPTIONS_H

#include "core/problem.h"
#include "core/text.h"

#include <stdio.h>

struct option_row {
	const char *name;     /* as on the command line: "max-frozen" */
	const char *former;   /* a name it had before, or NULL */
	const char *argument; /* what --help calls the value; NULL: none */
	const char *standard; /* the default, as text; NULL: field is 0 */
	const char *help;     /* NULL: not listed */
	/*
	 * Puts text into the field (NULL where the option stands without a
	 * value); 0, or -EINVAL with *problem saying what is expected.  NULL
	 * for an option that has no meaning any more: it is accepted, and
	 * .help says what took its place.
	 */
	int (*parse)(const struct option_row *row, const char *text,
		     void *field, struct problem *problem);
	size_t offset;     /* of the field in the caller's struct */
	uint64_t min, max; /* of a number, in the unit of the field */
	int value;         /* for option_choose */
	char letter;       /* short form, or 0 */
	bool is_command;   /* only on the command line */
};

/* Parsers for option_row.parse; the comment says the type of the field. */
typedef int option_parser(const struct option_row *row, const char *text,
			  void *field, struct problem *problem);
option_parser option_flag;     /* bool: yes, on, true, 1, or the contrary */
option_parser option_number;   /* uint64_t: whole */
option_parser option_seconds;  /* uint64_t in ms: "0.05", "10" */
option_parser option_duration; /* uint64_t in ms: "90", "30m", "2d" */
option_parser option_percent;  /* uint64_t in permille, rounded: "12.5" */
option_parser option_text;     /* const char *: the text itself, not a copy */
option_parser option_count;    /* unsigned: one more every time */
option_parser option_choose;   /* int: set to row->value */

struct option_table {
	const struct option_row *rows;
	size_t count; /* at most 60 */
};

/* Sets every field to its default. */
void options_default(const struct option_table *table, void *target);

/*
 * Reads the command line; there are no positional arguments.  -EINVAL with
 * one line in *problem.
 */
int options_parse(const struct option_table *table, int argc, char **argv,
		  void *target, struct problem *problem);

/*
 * The row that a configuration file or the environment calls name, where
 * hyphens may be underscores; the former names too.  NULL if there is none.
 */
const struct option_row *options_find(const struct option_table *table,
				      struct span name);

/* Sets one field from text. */
int options_set(const struct option_row *row, const char *text, void *target,
		struct problem *problem);

/*
 * Sets what a configuration file or the environment calls name; place says
 * where that is, for *problem.
 */
int options_set_named(const struct option_table *table, struct span name,
		      const char *text, const char *place, void *target,
		      struct problem *problem);

/* One line or more per option, at most 80 columns. */
void options_help(const struct option_table *table, FILE *stream);

#endif

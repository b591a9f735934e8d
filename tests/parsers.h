/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every parser of the project that takes a text, with what it promises of any
 * text and with texts to begin from: for tests/test_mutations.c, which changes
 * them at random, and for tests/fuzz, which lets coverage guide the changes.
 */
#ifndef THRASH_TESTS_PARSERS_H
#define THRASH_TESTS_PARSERS_H

#include "daemon/schedule.h"

enum {
	PARSER_SEEDS = 8,
	PARSER_TEXT = 16384, /* of a seed, or of what is made from it */
};

enum outcome {
	REFUSED,
	ACCEPTED,
	BROKEN, /* a promise was not kept */
};

struct parser {
	const char *name;
	/* text lies in memory that ends where the text does */
	enum outcome (*try)(struct span text);
	const char *seeds[PARSER_SEEDS];
	const char *files[PARSER_SEEDS]; /* below tests/ */
};

extern const struct parser parsers[];
extern const size_t parser_count;

/* All texts of a parser, into room; how many. */
size_t parser_seeds(const struct parser *parser,
		    char room[PARSER_SEEDS][PARSER_TEXT],
		    struct span seeds[PARSER_SEEDS]);

/*
 * What holds of a schedule after each turn, whatever it was told: nobody is
 * frozen who must not be, no process is two jobs, the totals add up.
 */
bool is_sane_schedule(const struct schedule *schedule, uint64_t now_us);

#endif

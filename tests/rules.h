/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules that tests make up. */
#ifndef THRASH_TESTS_RULES_H
#define THRASH_TESTS_RULES_H

#include "daemon/rules.h"

#include "tests/scratch.h"

/* Sets a list of good ones. */
static inline void rules_set(struct rules *rules, enum rule_list list,
			     const char *text)
{
	struct problem problem;

	need(rules_parse(rules, list, text, &problem), text);
}

#endif

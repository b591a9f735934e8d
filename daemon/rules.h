/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an administrator says of processes: lists of rules, each a shell
 * pattern and what it is compared with.
 *
 *   comm:PATTERN    the name in /proc/PID/comm; so does a PATTERN alone
 *   exe:PATTERN     the path of the program
 *   user:NAME       whose it is, by effective id; or user:NUMBER
 *   cgroup:PATTERN  a path in /proc/PID/cgroup, of any hierarchy
 *
 * Any process can take any name (comm); who must not be fooled compares
 * something else.  The names of users are looked up once, when the rule is
 * read, and in /etc/passwd alone: a static program has no NSS.  Users that are
 * kept elsewhere can be given by number.
 */
#ifndef THRASH_DAEMON_RULES_H
#define THRASH_DAEMON_RULES_H

#include "core/problem.h"
#include "core/text.h"

#define RULES_PASSWD "/etc/passwd"

enum {
	RULES_MAX = 128, /* in all lists together; a rule's number is a byte */
	RULES_PATTERN_SIZE = 128,
	/* For rules.line: where rules are from that have no line. */
	RULES_COMMAND_LINE = 0,
	RULES_ENVIRONMENT = UINT16_MAX,
};

enum rule_list {
	RULES_PROTECT,
	RULES_PREFER,
	RULES_INTERACTIVE,
	RULES_BATCH,
	RULES_WHOLE, /* patterns for the paths of cgroups, from "/" on */
	RULES_LISTS,
};

enum rule_kind {
	RULE_COMM,
	RULE_EXE,
	RULE_USER,
	RULE_CGROUP,
	RULE_KINDS,
};

struct rule {
	struct span text; /* of the option's, as it was written */
	uint32_t user;    /* of a RULE_USER */
	uint16_t line;    /* of the configuration file, or as above */
	uint8_t kind;     /* enum rule_kind */
	uint8_t list;     /* enum rule_list */
};

struct rules {
	struct rule items[RULES_MAX];
	size_t count;
	uint16_t line; /* where the list comes from that is read next */
};

/* What rules are compared with; a text that is NULL is like no pattern. */
struct rule_subject {
	const char *command;
	const char *exe;
	struct span cgroups; /* the text of PID/cgroup */
	uint32_t user;
	bool has_user;
};

/*
 * Puts the rules in text, which must last, in the place of the list that was
 * there: separated by blanks or commas.  -EINVAL with *problem.
 */
int rules_parse(struct rules *rules, enum rule_list list, const char *text,
		struct problem *problem);

/* The number of the first rule of a list that matches, from 1; 0: none. */
uint8_t rules_match(const struct rules *rules, enum rule_list list,
		    const struct rule_subject *subject);

/* Whether there is a rule of that kind; or one in that list. */
bool rules_have(const struct rules *rules, enum rule_kind kind);
bool rules_have_list(const struct rules *rules, enum rule_list list);

/*
 * Of the path of a cgroup of version 2 ("/a/b"), which is cut to it, the part
 * that is to be frozen as a whole: the shortest that a rule matches.  The
 * number of that rule; 0: there is none.
 */
uint8_t rules_find_whole(const struct rules *rules, char *path);

/* "protect", ... as the setting is called */
const char *rules_list_name(enum rule_list list);

/*
 * The id of a user by the text of a passwd file, of which text may be the
 * beginning only; *rest is what comes behind the lines that were read.
 */
bool rules_find_user(struct span text, struct span name, uint32_t *user,
		     struct span *rest);

#endif

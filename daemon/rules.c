/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the rules of an administrator, and compares processes with them. */
#include "daemon/rules.h"

#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_names[RULE_KINDS] = {
	[RULE_COMM] = "comm",
	[RULE_EXE] = "exe",
	[RULE_USER] = "user",
	[RULE_CGROUP] = "cgroup",
};

const char *rules_list_name(enum rule_list list)
{
	static const char *const names[RULES_LISTS] = {
		[RULES_PROTECT] = "protect",         [RULES_PREFER] = "prefer",
		[RULES_INTERACTIVE] = "interactive", [RULES_BATCH] = "batch",
		[RULES_WHOLE] = "freeze_cgroup",
	};

	return names[list];
}

/* "postgres:x:110:117:PostgreSQL administrator:/var/lib/postgresql:..." */
static bool is_user(struct span line, struct span name, uint32_t *user)
{
	struct span field, secret, id;
	uint64_t value;

	if (!span_split(&line, ':', &field) ||
	    !span_split(&line, ':', &secret) || !span_split(&line, ':', &id) ||
	    field.length != name.length ||
	    memcmp(field.start, name.start, name.length) != 0 ||
	    span_to_u64(id, &value) || value >= UINT32_MAX)
		return false;
	*user = (uint32_t)value;
	return true;
}

bool rules_find_user(struct span text, struct span name, uint32_t *user,
		     struct span *rest)
{
	struct span line;

	bool is_found = false;

	while (!is_found && span_split(&text, '\n', &line))
		is_found = is_user(line, name, user);
	*rest = text;
	return is_found;
}

/* Of a line longer than the buffer, which no user has, the rest is lost. */
static bool look_up_user(struct span name, uint32_t *user)
{
	int file = open(RULES_PASSWD, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char buffer[4096];
	size_t length = 0;
	bool is_found = false;

	if (file < 0)
		return false;
	while (!is_found) {
		ssize_t count = read(file, buffer + length,
				     sizeof(buffer) - 1 - length);
		struct span text = {buffer, length}, rest;

		if (count < 0)
			break;
		text.length += (size_t)count;
		if (!count)
			buffer[text.length++] = '\n'; /* of the last line */
		is_found = rules_find_user(text, name, user, &rest);
		if (!count)
			break;
		length = rest.length < sizeof(buffer) - 1 ? rest.length : 0;
		memmove(buffer, rest.start, length);
	}
	(void)close(file);
	return is_found;
}

static int parse_user(struct span name, uint32_t *user, struct problem *problem)
{
	uint64_t number;

	if (span_to_u64(name, &number) == 0 && number < UINT32_MAX)
		*user = (uint32_t)number;
	else if (!look_up_user(name, user))
		return problem_set(problem, -EINVAL,
				   "user '%.*s' is not in " RULES_PASSWD
				   "; the number does as well",
				   SPAN_FORMAT(name));
	return 0;
}

/* A path may have a colon in it. */
static bool has_kind(enum rule_list list)
{
	return list != RULES_WHOLE;
}

/* "exe:/usr/bin/java", "user:root", or a pattern alone. */
static int parse_rule(struct span text, struct rule *rule,
		      struct problem *problem)
{
	struct span kind = span_of(kind_names[RULE_COMM]), rest = text;
	size_t number = 0;

	if (has_kind((enum rule_list)rule->list))
		(void)span_split(&rest, ':', &kind);
	else
		kind = span_of(kind_names[RULE_CGROUP]);
	while (number < RULE_KINDS && !span_equals(kind, kind_names[number]))
		number++;
	if (number == RULE_KINDS)
		return problem_set(problem, -EINVAL,
				   "'%.*s:' is none of comm:, exe:, user: and "
				   "cgroup:",
				   SPAN_FORMAT(kind));
	if (!rest.length)
		return problem_set(problem, -EINVAL, "'%.*s' names nothing",
				   SPAN_FORMAT(text));
	if (rule->list == RULES_WHOLE &&
	    (rest.length < 2 || rest.start[0] != '/'))
		return problem_set(problem, -EINVAL,
				   "'%.*s' is no cgroup: the path of one "
				   "below the root is expected, from / on",
				   SPAN_FORMAT(text));
	if (rest.length >= RULES_PATTERN_SIZE)
		return problem_set(problem, -EINVAL,
				   "a rule has at most %d letters",
				   RULES_PATTERN_SIZE - 1);
	rule->text = text;
	rule->kind = (uint8_t)number;
	return number == RULE_USER ? parse_user(rest, &rule->user, problem) : 0;
}

static void remove_list(struct rules *rules, enum rule_list list)
{
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].list != list)
			rules->items[kept++] = rules->items[i];
	rules->count = kept;
}

int rules_parse(struct rules *rules, enum rule_list list, const char *text,
		struct problem *problem)
{
	static const char separators[] = " \t,";

	remove_list(rules, list);
	for (text += strspn(text, separators); *text;
	     text += strspn(text, separators)) {
		struct span word = {text, strcspn(text, separators)};
		struct rule *rule = &rules->items[rules->count];

		if (rules->count == RULES_MAX)
			return problem_set(problem, -EINVAL,
					   "there can be at most %d rules",
					   RULES_MAX);
		*rule = (struct rule){.line = rules->line,
				      .list = (uint8_t)list};

		int error = parse_rule(word, rule, problem);

		if (error)
			return error;
		rules->count++;
		text += word.length;
	}
	return 0;
}

static bool is_like(const struct rule *rule, const char *text)
{
	struct span rest = rule->text, kind;
	char pattern[RULES_PATTERN_SIZE];

	if (has_kind((enum rule_list)rule->list))
		(void)span_split(&rest, ':', &kind);
	if (!text || span_copy(rest, pattern, sizeof(pattern)))
		return false;
	/* the kernel cuts names, so a plain one is cut as well */
	if (rule->kind == RULE_COMM && !strpbrk(pattern, "*?["))
		pattern[PROCESS_COMMAND - 1] = '\0';
	return text_matches(pattern, text);
}

/* "4:cpu,memory:/a/b" for each hierarchy */
static bool is_in_cgroup(const struct rule *rule, struct span cgroups)
{
	while (cgroups.length) {
		struct span line = span_line(&cgroups), number, controllers;
		char path[1024];

		if (span_split(&line, ':', &number) &&
		    span_split(&line, ':', &controllers) &&
		    span_copy(line, path, sizeof(path)) == 0 &&
		    is_like(rule, path))
			return true;
	}
	return false;
}

static bool is_true(const struct rule *rule, const struct rule_subject *subject)
{
	switch ((enum rule_kind)rule->kind) {
	case RULE_COMM:
		return is_like(rule, subject->command);
	case RULE_EXE:
		return is_like(rule, subject->exe);
	case RULE_USER:
		return subject->has_user && subject->user == rule->user;
	case RULE_CGROUP:
		return is_in_cgroup(rule, subject->cgroups);
	case RULE_KINDS:
		break;
	}
	return false;
}

uint8_t rules_match(const struct rules *rules, enum rule_list list,
		    const struct rule_subject *subject)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].list == list &&
		    is_true(&rules->items[i], subject))
			return (uint8_t)(i + 1);
	return 0;
}

bool rules_have(const struct rules *rules, enum rule_kind kind)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].kind == kind)
			return true;
	return false;
}

bool rules_have_list(const struct rules *rules, enum rule_list list)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].list == list)
			return true;
	return false;
}

uint8_t rules_find_whole(const struct rules *rules, char *path)
{
	for (char *end = path; end[0] && end[1];) {
		end = strchrnul(end + 1, '/');

		char next = *end;

		*end = '\0';
		for (size_t i = 0; i < rules->count; i++)
			if (rules->items[i].list == RULES_WHOLE &&
			    is_like(&rules->items[i], path))
				return (uint8_t)(i + 1);
		*end = next;
	}
	return 0;
}

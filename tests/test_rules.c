/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the rules of an administrator. */
#include "daemon/rules.h"

#include "tests/rules.h"
#include "tests/scratch.h"

static struct rules rules;
static struct problem problem;

static int parse(enum rule_list list, const char *text)
{
	problem.text[0] = '\0';
	return rules_parse(&rules, list, text, &problem);
}

static void test_bad_rules(void)
{
	static const struct {
		const char *text, *problem, *name;
	} rows[] = {
		{"a tmux:b",
		 "'tmux:' is none of comm:, exe:, user: and cgroup:",
		 "an unknown kind"},
		{":b", "':' is none of comm:, exe:, user: and cgroup:",
		 "a colon without a kind"},
		{"exe:", "'exe:' names nothing", "a kind without a pattern"},
		{"user:not-here",
		 "user 'not-here' is not in /etc/passwd; the number does as "
		 "well",
		 "an unknown user"},
		{"user:r*",
		 "user 'r*' is not in /etc/passwd; the number does as well",
		 "a pattern for users"},
		{"user:4294967295",
		 "user '4294967295' is not in /etc/passwd; the number does as "
		 "well",
		 "the number that is nobody's"},
	};
	char text[400];

	for (size_t i = 0; i < COUNT(rows); i++) {
		is_int(parse(RULES_PROTECT, rows[i].text), -EINVAL,
		       "%s is refused", rows[i].name);
		is_text(problem.text, rows[i].problem, "%s: told",
			rows[i].name);
	}
	(void)snprintf(text, sizeof(text), "exe:%0127d", 0);
	is_int(parse(RULES_PROTECT, text), 0, "a pattern may have 127 letters");
	(void)snprintf(text, sizeof(text), "exe:%0128d", 0);
	is_int(parse(RULES_PROTECT, text), -EINVAL, "but no more");
	for (size_t i = 0; i < 2 * 129; i += 2)
		memcpy(text + i, "a ", 3);
	is_int(parse(RULES_PROTECT, text), -EINVAL, "129 rules are refused");
	text[2 * 128] = '\0';
	is_int(parse(RULES_PROTECT, text), 0, "128 are not");
	is_int(parse(RULES_BATCH, "b"), -EINVAL, "in all lists together");
	is_int(parse(RULES_PROTECT, ""), 0, "a list may be empty");
	is_int((int64_t)rules.count, 0, "and then it is");
}

static void test_matching(void)
{
	static const struct rule_subject subject = {
		.command = "a-name-of-15-by",
		.exe = "/opt/app/bin/server",
		.cgroups = BYTES("9:name=systemd:/system.slice/app.service\n"
				 "4:memory:/jobs/nightly\n"
				 "0::/user.slice/user-1000.slice\n"),
		.user = 1000,
		.has_user = true,
	};
	static const struct {
		const char *rule;
		bool matches;
	} rows[] = {
		{"a-name-of-15-by", true},
		{"a-name-of-15-bytes-that-is-cut", true},
		{"a-name*", true},
		{"a-name", false},
		{"comm:a-name*", true},
		{"exe:/opt/*", true},
		{"exe:server", false},
		{"exe:*/server", true},
		{"comm:server", false},
		{"user:1000", true},
		{"user:100", false},
		{"user:root", false},
		{"cgroup:/jobs/*", true},
		{"cgroup:*/app.service", true},
		{"cgroup:/user.slice/*", true},
		{"cgroup:/jobs", false},
		{"cgroup:memory*", false},
		{"no, comm:x,user:1000", true},
	};
	static const struct rule_subject nobody = {.command = "x"};

	for (size_t i = 0; i < COUNT(rows); i++) {
		rules_set(&rules, RULES_PREFER, rows[i].rule);
		ok((rules_match(&rules, RULES_PREFER, &subject) != 0) ==
			   rows[i].matches,
		   "'%s' %s", rows[i].rule,
		   rows[i].matches ? "matches" : "does not match");
	}
	rules_set(&rules, RULES_PREFER, "exe:* user:0 cgroup:*");
	is_int(rules_match(&rules, RULES_PREFER, &nobody), 0,
	       "what is not known matches nothing");
}

static void test_lists(void)
{
	static const struct rule_subject subject = {.command = "b"};

	rules = (struct rules){.count = 0};
	rules_set(&rules, RULES_PROTECT, "a b");
	rules.line = 7;
	rules_set(&rules, RULES_BATCH, "c cgroup:b b");
	is_int(rules_match(&rules, RULES_PROTECT, &subject), 2,
	       "a rule has its number");
	is_int(rules_match(&rules, RULES_BATCH, &subject), 5,
	       "which counts on in the next list");
	is_int(rules_match(&rules, RULES_INTERACTIVE, &subject), 0,
	       "lists are not mixed up");
	is_int(rules.items[4].line, 7, "a rule knows the line it came with");
	ok(rules_have(&rules, RULE_CGROUP) && !rules_have(&rules, RULE_EXE),
	   "it is known what must be read for them");
	rules_set(&rules, RULES_PROTECT, "z");
	is_int(rules_match(&rules, RULES_PROTECT, &subject), 0,
	       "a list that is set again replaces the old one");
	is_int(rules_match(&rules, RULES_BATCH, &subject), 3,
	       "and leaves the others");
}

static void test_users(void)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
				     "broken\n"
				     "half:x:\n"
				     "odd:x:12x:1::/:\n"
				     "db:x:110:117:Database:/var/lib/db:\n"
				     "db2:x:111:117::/:\ncut:x:1";
	struct span rest = {NULL, 0};
	uint32_t user = 77;

	ok(rules_find_user(SPAN(passwd), SPAN("root"), &user, &rest) &&
		   user == 0,
	   "root is found");
	ok(rules_find_user(SPAN(passwd), SPAN("db"), &user, &rest) &&
		   user == 110,
	   "a user is found behind broken lines");
	ok(!rules_find_user(SPAN(passwd), SPAN("half"), &user, &rest) &&
		   !rules_find_user(SPAN(passwd), SPAN("odd"), &user, &rest),
	   "a line without a number is none");
	ok(!rules_find_user(SPAN(passwd), SPAN("cut"), &user, &rest) &&
		   span_equals(rest, "cut:x:1"),
	   "a line that is cut is left for later");
	is_int(parse(RULES_PROTECT, "user:root"), 0,
	       "root is in this host's passwd");
	is_int(rules.items[rules.count - 1].user, 0, "with its number");
}

/* Which cgroup is frozen as a whole, for who is in the one named first. */
static void test_whole(void)
{
	static const struct {
		const char *path, *whole;
		uint8_t number;
		const char *name;
	} rows[] = {
		{"/batch.slice/a.service", "/batch.slice/a.service", 2,
		 "a cgroup that matches"},
		{"/batch.slice/a.service/b/c", "/batch.slice/a.service", 2,
		 "one further up"},
		{"/machine.slice/a:b", "/machine.slice/a:b", 3, "a colon"},
		{"/machine.slice/a:b/payload/init.scope", "/machine.slice/a:b",
		 3, "of several the one that is nearest to the root"},
		{"/batch.slice", "", 0, "not the one above"},
		{"/a.service", "", 0, "nor one with half of the path"},
		{"/machine.slicer/a", "", 0, "nor one that begins like it"},
		{"/", "", 0, "never the root"},
		{"", "", 0, "nor what is nothing"},
	};
	char path[64];

	rules = (struct rules){.count = 0};
	need(parse(RULES_PROTECT, "cgroup:/*"), "rules");
	ok(!rules_have_list(&rules, RULES_WHOLE), "a list may have no rules");
	need(parse(RULES_WHOLE, "/batch.slice/?.service /machine.slice/*"),
	     "rules");
	ok(rules_have_list(&rules, RULES_WHOLE), "or some");
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(path, sizeof(path), "%s", rows[i].path);
		is_int(rules_find_whole(&rules, path), rows[i].number,
		       "as a whole: %s", rows[i].name);
		is_text(path, rows[i].number ? rows[i].whole : rows[i].path,
			"as a whole: %s: which it is", rows[i].name);
	}
	is_int(parse(RULES_WHOLE, "/x cgroup:/a"), -EINVAL,
	       "there are no kinds in this list");
	is_text(problem.text,
		"'cgroup:/a' is no cgroup: the path of one below the root is "
		"expected, from / on",
		"which is told");
	is_int(parse(RULES_WHOLE, "/"), -EINVAL, "nor can it name the root");
}

int main(void)
{
	test_bad_rules();
	test_whole();
	test_matching();
	test_lists();
	test_users();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests options: one table for defaults, command line, names and help. */
#include "core/options.h"

#include "tests/scratch.h"

struct target {
	bool is_dry_run;
	uint64_t number, seconds_ms, permille;
	const char *text;
	unsigned verbosity;
	int command;
};

enum { SHOW = 1, HELP };

static const struct option_row rows[] = {
	{.name = "dry-run",
	 .letter = 'n',
	 .parse = option_flag,
	 .offset = offsetof(struct target, is_dry_run),
	 .help = "Decide, but freeze nobody"},
	{.name = "max-frozen",
	 .former = "frozen-max",
	 .letter = 'm',
	 .argument = "NUMBER",
	 .standard = "7",
	 .parse = option_number,
	 .offset = offsetof(struct target, number),
	 .min = 1,
	 .max = 100,
	 .help = "Freeze no more than NUMBER processes at the same time, "
		 "however many there are that deserve it"},
	{.name = "interval",
	 .argument = "SECONDS",
	 .standard = "0.05",
	 .parse = option_seconds,
	 .offset = offsetof(struct target, seconds_ms),
	 .min = 10,
	 .max = 3600000,
	 .help = "Look this often"},
	{.name = "threshold",
	 .letter = 't',
	 .argument = "PERCENT",
	 .standard = "12.5",
	 .parse = option_percent,
	 .offset = offsetof(struct target, permille),
	 .max = 1000,
	 .help = "Stall that is thrashing"},
	{.name = "a-name-that-leaves-no-room-for-help",
	 .argument = "TEXT",
	 .parse = option_text,
	 .offset = offsetof(struct target, text),
	 .help = "Any text"},
	{.name = "verbose",
	 .letter = 'v',
	 .parse = option_count,
	 .offset = offsetof(struct target, verbosity),
	 .is_command = true,
	 .help = "Say more"},
	{.name = "show",
	 .letter = 's',
	 .parse = option_choose,
	 .value = SHOW,
	 .offset = offsetof(struct target, command),
	 .is_command = true,
	 .help = "Show what is set"},
	{.name = "help",
	 .letter = 'h',
	 .parse = option_choose,
	 .value = HELP,
	 .offset = offsetof(struct target, command),
	 .is_command = true,
	 .help = "Print this"},
	{.name = "hidden",
	 .parse = option_flag,
	 .offset = offsetof(struct target, is_dry_run)},
	{.name = "score-divider",
	 .argument = "NUMBER",
	 .help = "use protect instead"},
};

static const struct option_table table = {rows, COUNT(rows)};

enum { WORDS = 6 };

/* Parses the words of a command line into a target of defaults. */
static int parse(const char *const words[WORDS], struct target *target,
		 struct problem *problem)
{
	char copies[WORDS][64], *argv[WORDS + 2] = {NULL};
	char program[] = "program";
	int argc = 1;

	argv[0] = program;
	for (size_t i = 0; i < WORDS && words[i]; i++) {
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
		argv[argc++] = copies[i];
	}
	*target = (struct target){.is_dry_run = false};
	problem->text[0] = '\0';
	options_default(&table, target);
	return options_parse(&table, argc, argv, target, problem);
}

static void test_defaults(void)
{
	struct target target = {.is_dry_run = false};

	options_default(&table, &target);
	ok(target.number == 7 && target.seconds_ms == 50 &&
		   target.permille == 125,
	   "defaults are set in the unit of their fields");
	ok(!target.is_dry_run && !target.text && !target.verbosity &&
		   !target.command,
	   "what has no default is 0");
}

static void test_command_line(void)
{
	static const char *const long_words[WORDS] = {
		"--dry-run",      "--max-frozen",     "9",
		"--interval=1.5", "--threshold=99.9", NULL};
	static const char *const short_words[WORDS] = {"-nvv", "-m10", "-t",
						       "0.1",  "-s",   "-s"};
	static const char *const last_words[WORDS] = {"-m1", "--max-frozen=2",
						      "--dry-run=no", NULL};
	static const char *const no_words[WORDS] = {NULL};
	struct target target;
	struct problem problem;

	is_int(parse(long_words, &target, &problem), 0,
	       "long options are read, with a blank or an equals sign");
	ok(target.is_dry_run && target.number == 9 &&
		   target.seconds_ms == 1500 && target.permille == 999,
	   "and set their fields");
	is_int(parse(short_words, &target, &problem), 0,
	       "short options are read, together or apart");
	ok(target.is_dry_run && target.number == 10 && target.permille == 1 &&
		   target.verbosity == 2 && target.command == SHOW,
	   "and set the same fields");
	is_int(parse(last_words, &target, &problem), 0,
	       "an option may come again");
	is_int((int64_t)target.number, 2, "and then the last one holds");
	ok(!target.is_dry_run, "a flag can be denied");
	is_int(parse(no_words, &target, &problem), 0,
	       "there need not be any option");
	is_int((int64_t)target.number, 7, "then the default holds");
}

static void test_text_option(void)
{
	char program[] = "program";
	char word[] = "--a-name-that-leaves-no-room-for-help=some text";
	char *argv[] = {program, word, NULL};
	struct target target = {.text = NULL};
	struct problem problem;

	is_int(options_parse(&table, 2, argv, &target, &problem), 0,
	       "an option may be a text");
	is_text(target.text, "some text", "which is taken as it is");
	ok(target.text == word + strlen(word) - strlen("some text"),
	   "and not copied");
}

static const struct {
	const char *words[WORDS];
	const char *told; /* the problem tells it */
	const char *name;
} refused[] = {
	{{"--max-frozen"}, "--max-frozen needs", "a value that is missing"},
	{{"-m"}, "-m needs", "a value that is missing after a letter"},
	{{"--max-frozen=x"}, "--max-frozen", "a word for a number"},
	{{"--max-frozen="}, "--max-frozen", "nothing for a number"},
	{{"--max-frozen=-1"}, "--max-frozen", "a negative number"},
	{{"--max-frozen=0"}, "1 to 100", "a number that is too small"},
	{{"--max-frozen=101"}, "1 to 100", "a number that is too large"},
	{{"--max-frozen=18446744073709551617"},
	 "--max-frozen",
	 "a number that would wrap to 1"},
	{{"--interval=0.009"}, "0.01 to 3600", "a time that is too short"},
	{{"--interval=3600.001"}, "0.01 to 3600", "a time that is too long"},
	{{"--interval=1s"}, "seconds", "a time with a unit"},
	{{"--interval=0,5"}, "seconds", "a time with a comma"},
	{{"--threshold=100.1"}, "0 to 100", "a percentage above 100"},
	{{"--threshold=1.2345"}, "percentage", "a percentage too precise"},
	{{"--threshold=5%"}, "percentage", "a percentage with its sign"},
	{{"--dry-run=maybe"}, "yes or no", "a flag that is neither"},
	{{"--dry-run="}, "yes or no", "a flag that is nothing"},
	{{"--verbose=2"}, "--verbose takes no", "a value where none is taken"},
	{{"--unknown"}, "--unknown is not known", "an unknown option"},
	{{"--unknown=5"},
	 "--unknown is not known",
	 "an unknown option with a value"},
	{{"-x"}, "-x is not known", "an unknown letter"},
	{{"-nx"}, "-x", "an unknown letter after a known one"},
	{{"-\xc3\xb6"}, "is not known", "a letter that is not ASCII"},
	{{"-n\xc3\xb6"}, "is not known", "such a letter after a known one"},
	{{"-:"}, "-:", "a colon for a letter"},
	{{"-?"}, "-?", "a question mark for a letter"},
	{{"file"}, "file", "an argument"},
	{{"-n", "file", "-v"}, "file", "an argument between options"},
	{{"--", "-n"}, "-n", "an argument after two hyphens"},
	{{"-"}, "'-'", "a hyphen alone"},
	{{""}, "''", "an empty argument"},
	{{"--dry-run", "no"}, "no", "a flag's value after a blank"},
	{{"--show", "--help"}, "one thing", "two things at a time"},
	{{"--score-divider=5"}, "--score-divider", "a name of files only"},
	{{"--frozen_max=5"}, "--frozen_max", "a former name"},
};

static void test_refused(void)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct target target;
		struct problem problem;
		int error = parse(refused[i].words, &target, &problem);

		if (!ok(error == -EINVAL &&
				strstr(problem.text, refused[i].told),
			"%s is refused, saying '%s'", refused[i].name,
			refused[i].told))
			diag("error %d: %s", error, problem.text);
	}
}

/* Whoever reads a problem reads one line, and no word of the wrong option. */
static void test_problem_lines(void)
{
	static const char *const newline[WORDS] = {"two\nlines", NULL};
	static const char *const letter[WORDS] = {"-n", "-\xc3\xb6", NULL};
	char program[] = "program", word[1024];
	char *argv[] = {program, word, NULL};
	struct target target;
	struct problem problem;

	(void)parse(newline, &target, &problem);
	ok(!strchr(problem.text, '\n'),
	   "a newline in an argument does not make two lines of a problem");
	(void)parse(letter, &target, &problem);
	ok(!strstr(problem.text, "program") && !strstr(problem.text, "-n"),
	   "an unknown letter is not blamed on another word");
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	is_int(options_parse(&table, 2, argv, &target, &problem), -EINVAL,
	       "an argument of any length is refused");
	is_int((int64_t)strlen(problem.text), sizeof(problem.text) - 1,
	       "and the problem is cut");
}

static void test_parse_again(void)
{
	static const char *const first[WORDS] = {"-nx", NULL};
	static const char *const second[WORDS] = {"-m5", "--interval=2", NULL};
	char *nothing[] = {NULL};
	struct target target;
	struct problem problem;

	(void)parse(first, &target, &problem);
	is_int(parse(second, &target, &problem), 0,
	       "after a bad command line another can be read");
	ok(target.number == 5 && target.seconds_ms == 2000 &&
		   !target.is_dry_run,
	   "from its beginning");
	is_int(options_parse(&table, 0, nothing, &target, &problem), 0,
	       "a command line without even a program is empty");
}

static const struct {
	const char *name;
	const char *row; /* its name, or NULL */
	const char *what;
} names[] = {
	{"max_frozen", "max-frozen", "a name with underscores"},
	{"max-frozen", "max-frozen", "a name with hyphens"},
	{"frozen_max", "max-frozen", "a former name"},
	{"interval", "interval", "a name of one word"},
	{"hidden", "hidden", "a name that is not in the help"},
	{"score_divider", "score-divider", "a name without meaning"},
	{"max_froze", NULL, "a name cut short"},
	{"max_frozen_", NULL, "a name too long"},
	{"MAX_FROZEN", NULL, "a name in capitals"},
	{"", NULL, "an empty name"},
	{"show", NULL, "a name of the command line only"},
};

static void test_find(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct option_row *row =
			options_find(&table, span_of(names[i].name));

		ok(names[i].row ? row && strcmp(row->name, names[i].row) == 0
				: !row,
		   "%s is %s", names[i].what,
		   names[i].row ? "found" : "not found");
	}
	ok(!options_find(&table, (struct span){NULL, 0}),
	   "a span without memory is nobody's name");
	ok(!options_find(&table, SPAN("interval\0")),
	   "a NUL byte is part of a name");
}

static void test_set(void)
{
	const struct option_row *flag = &rows[0], *former = &rows[9];
	static const char *const yes[] = {"yes", "on", "true", "1"};
	static const char *const no[] = {"no", "off", "false", "0"};
	struct target target = {.is_dry_run = false};
	struct problem problem;
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(yes); i++) {
		wrong += options_set(flag, yes[i], &target, &problem) != 0 ||
			 !target.is_dry_run;
		wrong += options_set(flag, no[i], &target, &problem) != 0 ||
			 target.is_dry_run;
	}
	is_int(wrong, 0, "a flag can be said in four ways, and denied");
	is_int(options_set(flag, "2", &target, &problem), -EINVAL,
	       "but not as another number");
	is_int(options_set(&rows[1], "12", &target, &problem), 0,
	       "one field can be set from text");
	is_int((int64_t)target.number, 12, "to what the text says");
	is_int(options_set(&rows[1], "0", &target, &problem), -EINVAL,
	       "what is out of range is refused");
	is_text(problem.text, "a number from 1 to 100 is expected",
		"and the problem says what is expected");
	is_int((int64_t)target.number, 12, "and the field stays");
	is_int(options_set(former, "whatever", &target, &problem), 0,
	       "an option without meaning takes any value");
}

/* How the limits of a range are told. */
static void test_limits(void)
{
	struct option_row row = {.name = "x", .min = 50, .max = 1500};
	struct problem problem;
	uint64_t value = 0;

	(void)option_seconds(&row, "9", &value, &problem);
	is_text(problem.text, "a number from 0.05 to 1.5 is expected",
		"limits in milliseconds are told in seconds");
	row.min = 1001;
	row.max = UINT64_MAX;
	(void)option_seconds(&row, "0", &value, &problem);
	is_text(problem.text,
		"a number from 1.001 to 18446744073709551.615 is expected",
		"all digits of a limit are told");
	row.min = 5;
	row.max = 1000;
	(void)option_percent(&row, "0", &value, &problem);
	is_text(problem.text, "a number from 0.5 to 100 is expected",
		"limits in permille are told in percent");
}

static void test_help(void)
{
	char *text = NULL;
	size_t size = 0, longest = 0;
	FILE *stream = open_memstream(&text, &size);

	options_help(&table, stream);
	(void)fclose(stream);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > longest)
			longest = strcspn(line, "\n");
	ok(longest > 60 && longest <= 80, "help has at most 80 columns");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char word[64];

		(void)snprintf(word, sizeof(word), "--%s", rows[i].name);
		if (rows[i].help && rows[i].parse)
			ok(strstr(text, word), "help lists %s", word);
		else
			ok(!strstr(text, word), "help does not list %s", word);
	}
	ok(strstr(text, "  -m, --max-frozen NUMBER "),
	   "help shows the letter and the value");
	ok(strstr(text, "    --interval SECONDS "),
	   "help shows an option without a letter");
	ok(strstr(text, "Look this often (default: 0.05)\n"),
	   "help shows the default");
	ok(strstr(text, "Say more\n"), "help shows no default without one");
	ok(strstr(text, "-help TEXT\n                            Any text\n"),
	   "a name that is too long has its help on the next line");
	free(text);
}

static void test_problem(void)
{
	struct problem problem;

	is_int(problem_set(&problem, -ENOENT, "%s: %d", "here", 5), -ENOENT,
	       "a problem gives its error back");
	is_text(problem.text, "here: 5", "and keeps its line");
}

int main(void)
{
	test_defaults();
	test_command_line();
	test_text_option();
	test_refused();
	test_problem_lines();
	test_parse_again();
	test_find();
	test_set();
	test_limits();
	test_help();
	test_problem();
	return done_testing();
}

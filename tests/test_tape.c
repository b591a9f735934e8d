/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replays recordings of real hosts, and made-up and broken ones. */
#include "daemon/tape.h"

#include "core/file.h"
#include "tests/rules.h"
#include "tests/scratch.h"

#include <dirent.h>
#include <inttypes.h>

enum { TEXT_SIZE = 1 << 20, ROWS = 1024 };

static struct settings settings;

/* Replays text with a new decider; what was printed is in out. */
static int replay(struct span text, char *out, size_t size,
		  struct problem *problem)
{
	static struct decider decider;
	FILE *stream = fmemopen(out, size, "w");

	memset(&decider, 0, sizeof(decider));
	memset(out, 0, size);
	decider.settings = &settings;
	need(census_init(&decider.census, ROWS), "census");
	need(stream ? 0 : -1, "fmemopen");
	problem->text[0] = '\0';

	int error = tape_replay(text, &decider, stream, problem);

	census_close(&decider.census);
	(void)fclose(stream);
	return error;
}

static void test_recording(int directory, const char *name)
{
	static char text[TEXT_SIZE], wanted[8192], got[8192];
	char orders[300];
	struct span tape = {"", 0}, expected = {"", 0};
	struct problem problem;

	(void)snprintf(orders, sizeof(orders), "%.*s.orders",
		       (int)(strlen(name) - strlen(".tape")), name);
	need(file_read_at(directory, name, text, sizeof(text), &tape), name);
	need(file_read_at(directory, orders, wanted, sizeof(wanted), &expected),
	     orders);
	is_int(replay(tape, got, sizeof(got), &problem), 0,
	       "%s is replayed (%s)", name, problem.text);
	is_text(got, wanted, "%s: the right things are done", name);
}

static void test_recordings(void)
{
	int directory = need(directory_open("tests/recordings"),
			     "tests/recordings (run from the top)");
	DIR *stream = fdopendir(dup(directory));
	const struct dirent *entry;
	unsigned count = 0;

	if (!stream) {
		ok(false, "tests/recordings can be listed");
		return;
	}
	while ((entry = readdir(stream))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".tape") != 0)
			continue;
		test_recording(directory, entry->d_name);
		count++;
	}
	ok(count >= 3, "there are recordings");
	(void)closedir(stream);
	(void)close(directory);
}

static const char sample[] = "sample 1000 0 0 0 0 0 0 0 0 0\n";

static const struct {
	const char *first, *second, *third, *problem, *name;
} bad_tapes[] = {
	{"", "", "", "1: 'thrash-protect-recording 1' is expected",
	 "an empty file"},
	{"thrash-protect-recording 2\n", "", "",
	 "1: 'thrash-protect-recording 1' is expected", "another format"},
	{"thrash-protect-recording 1\n", "garbage\n", "", "2: not a valid line",
	 "garbage"},
	{"thrash-protect-recording 1\n", sample, sample, "3: not a valid line",
	 "time that stands still"},
	{"thrash-protect-recording 1\n", "process 7 1 7 7 1 0 0 0 0 S x\n", "",
	 "2: not a valid line", "a process before any sample"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\n"
	 "process 6 1 6 6 1 0 0 0 0 S x\n",
	 "4: not a valid line", "processes out of order"},
	{"thrash-protect-recording 1\n", sample, "limit far\n",
	 "3: not a valid line", "a limit of nobody"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nlimit near\n", "4: not a valid line",
	 "an unknown limit"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nlimit reached much\n",
	 "4: not a valid line", "a limit that is no number"},
	{"thrash-protect-recording 1\n", sample, "role batch 0 0 0 x\n",
	 "3: not a valid line", "a role of nobody"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nrole unknown 0 0 0 x\n",
	 "4: not a valid line", "an unknown class"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nrole batch 1 0\n",
	 "4: not a valid line", "half a role"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nrole batch 0 2 0 x\n",
	 "4: not a valid line", "neither yes nor no"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\n"
	 "role batch 4294967296 0 0 x\n",
	 "4: not a valid line", "a budget of weeks"},
	{"thrash-protect-recording 1\n", sample, "whole 1\n",
	 "3: not a valid line", "a cgroup of nobody"},
	{"thrash-protect-recording 1\n", sample,
	 "process 7 1 7 7 1 0 0 0 0 S x\nwhole x\n", "4: not a valid line",
	 "a cgroup that is no number"},
};

static void test_bad_tapes(void)
{
	char text[512], out[512];
	struct problem problem;

	for (size_t i = 0; i < COUNT(bad_tapes); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", bad_tapes[i].first,
			       bad_tapes[i].second, bad_tapes[i].third);
		is_int(replay(span_of(text), out, sizeof(out), &problem),
		       -EINVAL, "%s is refused", bad_tapes[i].name);
		is_text(problem.text, bad_tapes[i].problem,
			"%s: told with its line", bad_tapes[i].name);
	}
}

static void test_too_many(void)
{
	static char text[TEXT_SIZE];
	char out[512];
	struct problem problem;
	size_t used = (size_t)snprintf(text, sizeof(text),
				       "thrash-protect-recording 1\n"
				       "sample 1000 0 0 0 0 0 0 0 0 0\n");

	for (int pid = 1; pid <= ROWS + 1; pid++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "process %d 1 7 7 1 0 0 0 0 S x\n",
					 pid);
	is_int(replay((struct span){text, used}, out, sizeof(out), &problem),
	       -EINVAL, "more processes than there is room for are refused");
}

/*
 * Two thrash in a turn of their own, where "a", which is to be frozen, is
 * judged by role; what follows is told by later.
 */
static void check_two(const char *role, const char *later, const char *orders,
		      const char *name)
{
	char text[1024], out[512];
	struct problem problem;

	(void)snprintf(text, sizeof(text),
		       "thrash-protect-recording 1\n"
		       "sample 11000000 0 0 0 - - - - - -\n"
		       "sample 11100000 1000 1000 0 - - - - - -\n"
		       "process 10 1 10 10 5 100 30000 0 0 R a\n"
		       "process 11 1 11 11 6 100 60000 0 0 R b\n"
		       "sample 11200000 2000 2000 0 - - - - - -\n"
		       "process 10 1 10 10 5 300 30000 0 0 R a\n%s"
		       "process 11 1 11 11 6 300 70000 0 0 R b\n%s",
		       role, later);
	is_int(replay(span_of(text), out, sizeof(out), &problem), 0,
	       "it is replayed (%s)", problem.text);
	is_text(strchr(out, '\n') ? strchr(out, '\n') + 1 : out, orders, "%s",
		name);
}

/* Who is frozen is seen as a job 3 s later. */
static void test_roles(void)
{
	static const struct {
		const char *role, *later, *orders, *name;
	} rows[] = {
		{"", "", "0.200 freeze 10 a\n3.200 load 10 a\n",
		 "who was not judged is frozen, and waits for its turn"},
		{"role protected 0 0 0 a shell\n", "", "",
		 "who was protected is not"},
		{"role protected 0 0 0 protect = exe:/opt/a\n", "", "",
		 "nor who was by a rule"},
		{"role protected 0 0 0 protect = exe:/opt/b\n", "",
		 "0.200 freeze 10 a\n3.200 load 10 a\n",
		 "but who was by a rule that is gone"},
		{"role interactive 2000 0 0 x\n", "",
		 "0.200 freeze 10 a\n3.200 thaw 10 a\n",
		 "and who had a budget not for longer"},
		{"role batch 0 0 0 x\n", "role batch 2000 0 0 x\n",
		 "0.200 freeze 10 a\n3.200 thaw 10 a\n",
		 "nor who was given one while frozen"},
		{"role batch 0 0 0 x\nwhole 77\n",
		 "role batch 2000 0 0 x\nwhole 77\n",
		 "0.200 freeze 10 a\n3.200 thaw 10 a\n",
		 "a cgroup that is frozen as a whole may follow"},
	};

	rules_set(&settings.rules, RULES_PROTECT, "x exe:/opt/a");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char later[256];

		(void)snprintf(later, sizeof(later),
			       "sample 14200000 9000 9000 0 - - - - - -\n"
			       "job process 10 1 10 10 5 300 30000 0 0 T a\n%s",
			       rows[i].later);
		check_two(rows[i].role, later, rows[i].orders, rows[i].name);
	}
}

/* A look is not told who is in a cage, nor all of everybody's memory. */
static void test_looks(void)
{
	static const struct {
		const char *later, *orders, *name;
	} rows[] = {
		{"job process 10 1 10 10 5 300 30000 0 0 T a\n"
		 "process 10 1 10 10 5 300 30000 0 0 S a\n",
		 "0.200 freeze 10 a\n",
		 "who is frozen is not taken for let go on by a look"},
		{"job process 10 1 10 10 5 300 30000 0 0 T a\n"
		 "process 10 1 10 10 5 300 30000 0 0 S a\n"
		 "role protected 0 0 0 a shell\n",
		 "0.200 freeze 10 a\n", "nor is it judged by one"},
		{"process 10 1 10 10 5 300 30000 0 0 T a\n"
		 "role protected 0 0 0 a shell\n",
		 "0.200 freeze 10 a\n0.300 thaw 10 a\n",
		 "but who was no job of the recorded daemon is"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char later[256];

		(void)snprintf(later, sizeof(later),
			       "sample 11300000 2000 2000 0 - - - - - -\n%s",
			       rows[i].later);
		check_two("", later, rows[i].orders, rows[i].name);
	}
}

static void test_writing(const struct scratch *scratch)
{
	static struct decider decider;
	struct process row = {.pid = 7, .state = 'S', .command = "a b"};
	char path[300], text[512];

	decider.settings = &settings;
	decider.detector.history[0] =
		(struct sample){.time_us = 5, .has_io = true};
	decider.schedule.jobs[0].process = row;
	decider.schedule.jobs[1] = (struct job){
		.process = {.pid = 8, .start_time = 9}, .is_gone = true};
	decider.schedule.count = 2;
	row.limit = LIMIT_REACHED;
	row.limit_kib = 262144;
	row.judged = (struct judgement){.whole = 7,
					.class = CLASS_INTERACTIVE,
					.role = ROLE_TERMINAL,
					.budget_ms = 2000,
					.is_preferred = true};
	decider.census.now = (struct process_table){.rows = &row, .count = 1};
	(void)snprintf(path, sizeof(path), "%s/tape", scratch->path);

	FILE *tape = tape_create(path);

	if (!ok(tape, "a tape is created"))
		return;
	tape_write(tape, &decider, true);
	tape_write(tape, &decider, false);
	(void)fclose(tape);
	is_text(scratch_text(scratch->directory, "tape", text, sizeof(text)),
		"thrash-protect-recording 1\n"
		"sample 5 - - 0 - - - - 0 0 - - - - -\n"
		"job process 7 0 0 0 0 0 0 0 0 S a\\040b\n"
		"gone 8 9\n"
		"process 7 0 0 0 0 0 0 0 0 S a\\040b\n"
		"role interactive 2000 1 0 it waits for somebody at a "
		"terminal\n"
		"whole 7\n"
		"limit reached 262144\n"
		"sample 5 - - 0 - - - - 0 0 - - - - -\n"
		"job process 7 0 0 0 0 0 0 0 0 S a\\040b\n"
		"gone 8 9\n",
		"a turn is a sample, the jobs, and the processes looked at");
	(void)unlink(path);
	need(symlink("/dev/null", path), "symlink");
	ok(!tape_create(path), "a link is not followed");
}

/* One of three is too much; two of them may be in a cgroup. */
static void test_whole(void)
{
	static const struct {
		const char *whole, *later, *out, *name;
	} rows[] = {
		{"", "", "0.200 freeze 12 c\n", "one is frozen"},
		{"whole 7\n", "", "0.200 freeze 10 a\n0.200 freeze 12 c\n",
		 "or two, of the same cgroup"},
		{"whole 7\n",
		 "sample 14200000 9000 9000 0 - - - - - -\n"
		 "job process 10 1 10 10 5 300 30000 2000 0 T a\n"
		 "role batch 2000 0 0 x\nwhole 7\n"
		 "job process 12 1 12 12 7 300 20000 2000 0 T c\nwhole 7\n",
		 "0.200 freeze 10 a\n0.200 freeze 12 c\n"
		 "3.200 thaw 10 a\n3.200 thaw 12 c\n",
		 "and thawed when it is time for one of them"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[1024], out[512];
		struct problem problem;

		(void)snprintf(text, sizeof(text),
			       "thrash-protect-recording 1\n"
			       "sample 11000000 0 0 0 - - - - - -\n"
			       "sample 11100000 1000 1000 0 - - - - - -\n"
			       "process 10 1 10 10 5 100 30000 0 0 R a\n"
			       "process 11 1 11 11 6 100 70000 0 0 R b\n"
			       "process 12 1 12 12 7 100 20000 0 0 R c\n"
			       "sample 11200000 2000 2000 0 - - - - - -\n"
			       "process 10 1 10 10 5 300 30000 2000 0 R a\n%s"
			       "process 11 1 11 11 6 300 70000 1100 0 R b\n"
			       "process 12 1 12 12 7 300 20000 2000 0 R c\n%s"
			       "%s",
			       rows[i].whole, rows[i].whole, rows[i].later);
		is_int(replay(span_of(text), out, sizeof(out), &problem), 0,
		       "a cgroup is replayed (%s)", problem.text);
		is_text(out + strlen("0.100 thrashing\n"), rows[i].out, "%s",
			rows[i].name);
	}
}

int main(void)
{
	struct scratch scratch;

	settings_default(&settings);
	scratch_open(&scratch);
	test_recordings();
	test_bad_tapes();
	test_too_many();
	test_roles();
	test_looks();
	test_whole();
	test_writing(&scratch);
	scratch_close(&scratch);
	return done_testing();
}

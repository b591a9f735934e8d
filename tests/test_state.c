/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the state file: its text, who may write it, and who is behind it. */
#include "core/state.h"

#include "core/file.h"
#include "tests/scratch.h"

#include <limits.h>
#include <sys/stat.h>

/* A state file with everything in it, line by line. */
static const char *const whole[] = {
	"format 1",
	"version 1.2.3",
	"pid 4242",
	"pid_start_time 5678",
	"boottime_ms 86400000",
	"fresh_for_ms 60000",
	"mode psi-trigger",
	"verdict thrashing",
	"stall_permille 312",
	"page_cost_us 95",
	"stall_us_total 1001",
	"thrash_us_total 1002",
	"freezes_total 7",
	"thaws_total 5",
	"rotations_total 4",
	"freezes_unhelpful_total 6",
	"paged_out_bytes_total 4096",
	"prefetched_bytes_total 8192",
	"frozen_us_total 1003",
	"longest_gap_ms 13",
	"pswpin 21",
	"pswpout 22",
	"pgmajfault 23",
	"workingset_refault_anon 24",
	"workingset_refault_file 25",
	"memory_some_us 26",
	"memory_full_us 27",
	"io_some_us 28",
	"io_full_us 29",
	"frozen_processes 2",
	"longest_frozen_ms 1500",
	"frozen 1234 5678901 1500 signal batch convert",
	"frozen 1235 5678902 20 dry-run batch a)\\040b\\012",
};

enum { LINES_BEFORE_FROZEN = COUNT(whole) - 2, NONE = COUNT(whole) };

/* The whole text, but with other text (NULL: nothing) for one line. */
static struct span text_with(size_t line, const char *other, char *buffer)
{
	size_t used = 0;

	for (size_t i = 0; i < COUNT(whole); i++) {
		const char *text = i == line ? other : whole[i];

		if (text)
			used += (size_t)sprintf(buffer + used, "%s\n", text);
	}
	return (struct span){buffer, used};
}

static int parse_with(size_t line, const char *other, struct problem *problem)
{
	char buffer[STATE_SIZE];
	struct state state;

	problem->text[0] = '\0';
	return state_parse(text_with(line, other, buffer), &state, problem);
}

static void test_parse(struct state *state)
{
	char buffer[STATE_SIZE];
	struct problem problem;

	memset(state, 0xff, sizeof(*state));
	is_int(state_parse(text_with(NONE, NULL, buffer), state, &problem), 0,
	       "a state with everything is read");
	is_int((int64_t)state->format, 1, "format");
	is_text(state->version, "1.2.3", "version");
	is_int((int64_t)state->pid, 4242, "pid");
	is_int((int64_t)state->pid_start_time, 5678, "pid_start_time");
	is_int((int64_t)state->boottime_ms, 86400000, "boottime_ms");
	is_int((int64_t)state->fresh_for_ms, 60000, "fresh_for_ms");
	is_text(state->mode, "psi-trigger", "mode");
	is_text(state->verdict, "thrashing", "verdict");
	is_int((int64_t)state->stall_permille, 312, "stall_permille");
	is_int((int64_t)state->page_cost_us, 95, "page_cost_us");
	is_int((int64_t)state->stall_us_total, 1001, "stall_us_total");
	is_int((int64_t)state->thrash_us_total, 1002, "thrash_us_total");
	is_int((int64_t)state->freezes_total, 7, "freezes_total");
	is_int((int64_t)state->thaws_total, 5, "thaws_total");
	is_int((int64_t)state->rotations_total, 4, "rotations_total");
	is_int((int64_t)state->freezes_unhelpful_total, 6,
	       "freezes_unhelpful_total");
	is_int((int64_t)state->paged_out_bytes_total, 4096,
	       "paged_out_bytes_total");
	is_int((int64_t)state->prefetched_bytes_total, 8192,
	       "prefetched_bytes_total");
	is_int((int64_t)state->frozen_us_total, 1003, "frozen_us_total");
	is_int((int64_t)state->longest_gap_ms, 13, "longest_gap_ms");
	is_int((int64_t)state->frozen_processes, 2, "frozen_processes");
	is_int((int64_t)state->longest_frozen_ms, 1500, "longest_frozen_ms");
}

static void test_parsed_sample(const struct state *state)
{
	char line[SAMPLE_LINE];

	sample_format(&state->sample, line);
	is_text(line,
		"sample 86400000000 21 22 23 24 25 26 27 28 29 "
		"- - - - -",
		"the kernel's counters are a sample of that moment");
}

static void test_parsed_frozen(const struct state *state)
{
	const struct state_frozen *first = &state->frozen[0];
	const struct state_frozen *second = &state->frozen[1];

	ok(first->pid == 1234 && first->start_time == 5678901 &&
		   first->frozen_ms == 1500,
	   "the numbers of a frozen process");
	is_text(first->method, "signal", "its method");
	is_text(first->class, "batch", "its class");
	is_text(first->command, "convert", "its command");
	ok(second->pid == 1235 && second->start_time == 5678902 &&
		   second->frozen_ms == 20,
	   "the numbers of the next");
	is_text(second->method, "dry-run", "its method");
	is_text(second->command, "a) b\n", "its command is not escaped");
}

static void test_format(const struct state *state)
{
	char buffer[STATE_SIZE], wanted[STATE_SIZE];
	struct span text = {NULL, 0}, want = text_with(NONE, NULL, wanted);
	unsigned wrong = 0;

	is_int(state_format(state, buffer, sizeof(buffer), &text), 0,
	       "a state is written");
	ok(text.length == want.length && text.start == buffer &&
		   memcmp(buffer, wanted, want.length) == 0,
	   "and is the text it was read from");
	is_int(state_format(state, buffer, want.length + 1, &text), 0,
	       "it is written where it just fits");
	for (size_t size = 0; size <= want.length; size++) {
		buffer[size] = '#';
		wrong += state_format(state, buffer, size, &text) != -EFBIG ||
			 buffer[size] != '#';
	}
	is_int(wrong, 0, "where it does not fit, that is told and respected");
}

static void test_without(void)
{
	static const char text[] =
		"format 1\nversion 1\npid 1\npid_start_time 2\n"
		"boottime_ms 3\nfresh_for_ms 4\nmode swap\nverdict calm\n"
		"frozen_processes 0\nlongest_frozen_ms 0";
	char buffer[STATE_SIZE];
	struct span written = {NULL, 0};
	struct state state;
	struct problem problem;

	memset(&state, 0xff, sizeof(state));
	is_int(state_parse(SPAN(text), &state, &problem), 0,
	       "a state with only what must be there is read");
	ok(!state.sample.has_memory && !state.sample.has_io &&
		   !state.sample.vmstat.has_swap &&
		   !state.sample.vmstat.has_refaults_anon &&
		   !state.sample.vmstat.has_refaults_file,
	   "what is not there is known to be missing");
	(void)state_format(&state, buffer, sizeof(buffer), &written);
	ok(!strstr(buffer, "memory_") && !strstr(buffer, "io_") &&
		   !strstr(buffer, "pswp") && !strstr(buffer, "workingset"),
	   "and is not written");
}

/* Each line in turn is left out, comes twice, or has nonsense as its value. */
static void test_every_line(void)
{
	static const char *const required =
		" format version pid pid_start_time boottime_ms fresh_for_ms"
		" mode verdict frozen_processes longest_frozen_ms ";
	struct problem problem;

	for (size_t i = 0; i < LINES_BEFORE_FROZEN; i++) {
		int length = (int)strcspn(whole[i], " "), error;
		char name[64], twice[128], nonsense[64], number[32];

		(void)snprintf(name, sizeof(name), " %.*s ", length, whole[i]);
		(void)snprintf(twice, sizeof(twice), "%s\n%s", whole[i],
			       whole[i]);
		(void)snprintf(nonsense, sizeof(nonsense), "%.*s ?", length,
			       whole[i]);
		error = parse_with(i, NULL, &problem);
		if (strstr(required, name))
			ok(error < 0 && problem.text[0],
			   "a state without%sis refused", name);
		(void)snprintf(number, sizeof(number), "line %zu ", i + 2);
		ok(parse_with(i, twice, &problem) == -EINVAL &&
			   strstr(problem.text, number),
		   "a second%sis refused, with its line's number", name);
		(void)snprintf(number, sizeof(number), "line %zu ", i + 1);
		ok(parse_with(i, nonsense, &problem) == -EINVAL &&
			   strstr(problem.text, number),
		   "nonsense for%sis refused, with its line's number", name);
	}
}

static const struct {
	size_t line; /* of the whole text, from 0 */
	const char *other;
	int error;
	const char *name;
} changes[] = {
	{2, "pid 4242\nnew_name whatever it says", 0,
	 "a line of an unknown name is skipped"},
	{0, "format 2", -EPROTONOSUPPORT, "another format is told apart"},
	{0, "format 2\nan entirely\n\nother text", -EPROTONOSUPPORT,
	 "whatever follows in another format"},
	{0, "format 18446744073709551617", -EINVAL,
	 "a format that would wrap to 1 is refused"},
	{2, "pid 4242 ", -EINVAL, "a blank after a number is refused"},
	{2, "pid  4242", -EINVAL, "two blanks before a number are refused"},
	{2, "pid -4242", -EINVAL, "a negative number is refused"},
	{2, "pid 4242\r", -EINVAL, "a carriage return is refused"},
	{2, "pid 18446744073709551616", -EINVAL,
	 "a number above the largest is refused"},
	{2, "pid 0", -EINVAL, "nobody's pid is refused"},
	{2, "pid 4294971538", -EINVAL,
	 "a pid that would wrap to another is refused"},
	{2, "pid 4242\n", -EINVAL, "an empty line is refused"},
	{1, "version 1.0.0~RC1_2-1.el9", 0,
	 "a version as packagers write them is read"},
	{1, "version ", -EINVAL, "an empty word is refused"},
	{1, "version 1.2 3", -EINVAL, "a word of two words is refused"},
	{1, "version 12345678901234567890123", 0, "a word of 23 is read"},
	{1, "version 123456789012345678901234", -EINVAL,
	 "a longer word is refused"},
	{7, "verdict calm\033[2J", -EINVAL,
	 "a word with a control character is refused"},
	{7, "verdict <b>", -EINVAL, "a word with markup is refused"},
	{21, NULL, -EINVAL, "half of the swap counters is refused"},
	{26, NULL, -EINVAL, "half a memory pressure is refused"},
	{27, NULL, -EINVAL, "half an io pressure is refused"},
	{29, "frozen_processes 1", -EINVAL, "more frozen than said is refused"},
	{29, "frozen_processes 3", -EINVAL,
	 "fewer frozen than said is refused"},
	{29, "frozen_processes 4294967298", -EINVAL,
	 "far more said than frozen is refused"},
	{31, "frozen 0 1 1 signal batch x", -EINVAL, "frozen pid 0 is refused"},
	{31, "frozen -1 1 1 signal batch x", -EINVAL,
	 "frozen pid -1, which is everybody to kill(), is refused"},
	{31, "frozen 2147483648 1 1 signal batch x", -EINVAL,
	 "a frozen pid above the largest is refused"},
	{31, "frozen 1 -1 1 signal batch x", -EINVAL,
	 "a negative start time is refused"},
	{31, "frozen 1 1 1 signal", -EINVAL, "a frozen line cut is refused"},
	{31, "frozen 1 1 1 <signal> batch x", -EINVAL,
	 "a method with markup is refused"},
	{31, "frozen 1 1 1 signal batch", 0, "a command may be empty"},
	{31, "frozen 1 1 1 signal batch 123456789012345", 0,
	 "a command of 15 is read"},
	{31, "frozen 1 1 1 signal batch 1234567890123456", -EINVAL,
	 "a longer command is refused"},
	{31, "frozen 1 1 1 signal batch a\\", -EINVAL,
	 "a command with a bad escape is refused"},
	{31, "frozen 1 1 1 signal batch a\\000b", -EINVAL,
	 "a command with an escaped NUL is refused"},
	{31, "frozen 1235 5678902 20 dry-run batch a)\\040b\\012", -EINVAL,
	 "a process that is listed twice is refused"},
};

static void test_changes(void)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct problem problem;
		int error =
			parse_with(changes[i].line, changes[i].other, &problem);

		is_int(error, changes[i].error, "%s", changes[i].name);
		if (error && !problem.text[0])
			ok(false, "and the problem is told");
	}
}

static void test_odd_texts(void)
{
	struct state state;
	struct problem problem;

	is_int(state_parse((struct span){NULL, 0}, &state, &problem), -EINVAL,
	       "an empty state is refused");
	is_int(state_parse(SPAN("\n"), &state, &problem), -EINVAL,
	       "an empty first line is refused");
	is_int(state_parse(SPAN("format 1\0\n"), &state, &problem), -EINVAL,
	       "a NUL byte after a number is refused");
	ok(state_parse(SPAN("\x7f"
			    "ELF\2\1\1\0\0\0"),
		       &state, &problem) < 0,
	   "a program is refused");
}

/* As many frozen processes as there may be, each as long as it may be. */
static void fill(struct state *state)
{
	state->frozen_processes = STATE_FROZEN;
	for (size_t i = 0; i < STATE_FROZEN; i++) {
		struct state_frozen *frozen = &state->frozen[i];

		frozen->pid = INT_MAX - (int)i;
		frozen->start_time = frozen->frozen_ms = UINT64_MAX;
		memset(frozen->method, 'm', STATE_WORD);
		memset(frozen->class, 'c', STATE_WORD);
		memset(frozen->command, '\n', PROCESS_COMMAND);
		frozen->method[STATE_WORD - 1] = '\0';
		frozen->class[STATE_WORD - 1] = '\0';
		frozen->command[PROCESS_COMMAND - 1] = '\0';
	}
}

static void test_largest(struct state *state)
{
	char buffer[STATE_SIZE + 512], again[STATE_SIZE];
	struct span text = {NULL, 0}, second = {NULL, 0};
	struct state back;
	struct problem problem;
	char *at;

	fill(state);
	is_int(state_format(state, buffer, STATE_SIZE, &text), 0,
	       "the longest state fits");
	is_int(state_parse(text, &back, &problem), 0, "it is read back");
	(void)state_format(&back, again, sizeof(again), &second);
	ok(text.length == second.length &&
		   memcmp(buffer, again, text.length) == 0,
	   "and is the same again");

	text.length += (size_t)snprintf(buffer + text.length, 512, "%s",
					"frozen 1 1 1 signal batch x\n");
	at = strstr(buffer, "frozen_processes 256");
	need(at ? 0 : -1, "frozen_processes 256");
	(void)memcpy(at, "frozen_processes 257",
		     strlen("frozen_processes 257"));
	is_int(state_parse(text, &back, &problem), -EINVAL,
	       "one frozen process more is refused");
}

static void is_json(const struct state *state, const char *wanted,
		    const char *name)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	state_print_json(state, stream);
	(void)fclose(stream);
	is_text(text, wanted, "%s", name);
	free(text);
}

static void test_json(void)
{
	struct state state = {.format = 1,
			      .version = "1.2.3",
			      .pid = 4242,
			      .mode = "swap",
			      .verdict = "calm",
			      .stall_us_total = UINT64_MAX,
			      .sample.vmstat.swapped_in = 21,
			      .sample.vmstat.has_swap = true,
			      .sample.has_io = true,
			      .sample.io = {28, 29}};

	is_json(&state,
		"{\n  \"format\": 1,\n  \"version\": \"1.2.3\",\n"
		"  \"pid\": 4242,\n  \"pid_start_time\": 0,\n"
		"  \"boottime_ms\": 0,\n  \"fresh_for_ms\": 0,\n"
		"  \"mode\": \"swap\",\n  \"verdict\": \"calm\",\n"
		"  \"stall_permille\": 0,\n  \"page_cost_us\": 0,\n"
		"  \"stall_us_total\": 18446744073709551615,\n"
		"  \"thrash_us_total\": 0,\n  \"freezes_total\": 0,\n"
		"  \"thaws_total\": 0,\n  \"rotations_total\": 0,\n"
		"  \"freezes_unhelpful_total\": 0,\n"
		"  \"paged_out_bytes_total\": 0,\n"
		"  \"prefetched_bytes_total\": 0,\n"
		"  \"frozen_us_total\": 0,\n"
		"  \"longest_gap_ms\": 0,\n  \"pswpin\": 21,\n"
		"  \"pswpout\": 0,\n  \"pgmajfault\": 0,\n"
		"  \"io_some_us\": 28,\n  \"io_full_us\": 29,\n"
		"  \"frozen_processes\": 0,\n  \"longest_frozen_ms\": 0,\n"
		"  \"frozen\": []\n}\n",
		"a state with nobody frozen is JSON");
}

/* Only what comes after "frozen": the rest is tested above. */
static void test_json_frozen(void)
{
	struct state state = {.frozen_processes = 2,
			      .frozen = {{.pid = 12,
					  .start_time = 34,
					  .frozen_ms = 56,
					  .method = "signal",
					  .class = "batch",
					  .command = "a\"b\\c\n\xff"},
					 {.pid = 13}}};
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	const char *frozen;

	state_print_json(&state, stream);
	(void)fclose(stream);
	frozen = strstr(text, "\"frozen\":");
	is_text(frozen,
		"\"frozen\": [\n"
		"    {\"pid\": 12, \"start_time\": 34, \"frozen_ms\": 56, "
		"\"method\": \"signal\", \"class\": \"batch\", "
		"\"command\": \"a\\\"b\\\\134c\\\\012\\\\377\"},\n"
		"    {\"pid\": 13, \"start_time\": 0, \"frozen_ms\": 0, "
		"\"method\": \"\", \"class\": \"\", \"command\": \"\"}\n"
		"  ]\n}\n",
		"frozen processes are JSON, whatever their commands");
	free(text);
}

static void test_write_and_read(struct scratch *scratch,
				const struct state *state, const char *what)
{
	char buffer[STATE_SIZE], again[STATE_SIZE];
	struct span text = {NULL, 0}, second = {NULL, 0};
	struct state back;
	struct problem problem;
	struct stat status;

	(void)state_format(state, buffer, sizeof(buffer), &text);
	is_int(state_write(scratch->directory, state), 0,
	       "%s is put into the run directory", what);
	(void)fstatat(scratch->directory, "state", &status, 0);
	is_int(status.st_mode & 07777, 0644, "for everybody to read");
	is_int(state_read(scratch->path, &back, &problem), 0,
	       "and is read from there");
	(void)state_format(&back, again, sizeof(again), &second);
	ok(text.length == second.length &&
		   memcmp(buffer, again, text.length) == 0,
	   "as it was");
}

/* Reads the state; a problem must say which file or directory it is in. */
static int read_state(const struct scratch *scratch)
{
	struct state state;
	struct problem problem = {""};
	int error = state_read(scratch->path, &state, &problem);

	if (!error || strstr(problem.text, scratch->path) ||
	    strstr(problem.text, "state file"))
		return error;
	diag("the problem is '%s'", problem.text);
	return -EDOM;
}

static int read_in_child(void *argument)
{
	return -read_state(argument);
}

/* As somebody who is neither root nor the daemon. */
static int read_as_nobody(void *argument)
{
	if (geteuid() != 0 || seteuid(65534) != 0)
		return CHILD_SKIPS;
	return -read_state(argument);
}

static void is_for_nobody(struct scratch *scratch, int error, const char *name)
{
	int result = child_run(read_as_nobody, scratch);

	if (result == CHILD_SKIPS)
		skip("%s: only root can try", name);
	else
		is_int(-result, error, "%s", name);
}

static void test_modes(struct scratch *scratch)
{
	int at = scratch->directory;

	need(fchmod(at, 0755), "chmod");
	is_int(read_state(scratch), 0, "a good state is read");
	is_for_nobody(scratch, 0, "anybody can read it");
	need(fchmod(at, 0700), "chmod");
	is_for_nobody(scratch, -EACCES, "a hidden run directory is told");
	need(fchmod(at, 0757), "chmod");
	is_int(read_state(scratch), -EPERM,
	       "a directory that all can write is not believed");
	need(fchmod(at, 0775), "chmod");
	is_int(read_state(scratch), -EPERM,
	       "a directory that a group can write is not believed");
	need(fchmod(at, 0755), "chmod");
	need(fchmodat(at, "state", 0646, 0), "chmod");
	is_int(read_state(scratch), -EPERM,
	       "a file that all can write is not believed");
	need(fchmodat(at, "state", 0664, 0), "chmod");
	is_int(read_state(scratch), -EPERM,
	       "a file that a group can write is not believed");
	need(fchmodat(at, "state", 0600, 0), "chmod");
	is_for_nobody(scratch, -EACCES, "a hidden state is told");
	need(fchmodat(at, "state", 0644, 0), "chmod");
}

/* As systemd makes one for a daemon that is not root's. */
static void test_given(struct scratch *scratch)
{
	struct scratch given = {.directory = -1};
	struct state state;
	struct problem problem;

	(void)snprintf(given.path, sizeof(given.path), "%.200s/given",
		       scratch->path);
	need(mkdir(given.path, 0755), "mkdir");
	given.directory =
		need(open(given.path, O_RDONLY | O_DIRECTORY), "open");
	need(linkat(scratch->directory, "state", given.directory, "state", 0),
	     "link");
	need(fchown(given.directory, 65534, (gid_t)-1), "chown");
	need(fchownat(given.directory, "state", 65534, (gid_t)-1, 0), "chown");
	is_int(state_read(given.path, &state, &problem), 0,
	       "a directory that root has given to its owner is believed");
	is_int(state.owner, 65534, "the owner of the state is known");
	need(fchmod(scratch->directory, 01777), "chmod");
	is_int(read_state(&given), -EPERM,
	       "not where anybody could have made it");
	need(fchmod(scratch->directory, 0755), "chmod");
	need(fchownat(given.directory, "state", 65533, (gid_t)-1, 0), "chown");
	is_int(read_state(&given), -EPERM,
	       "nor the file of a third user in it");
	need(fchownat(given.directory, "state", 0, (gid_t)-1, 0), "chown");
	(void)close(given.directory);
}

static void test_owners(struct scratch *scratch)
{
	int at = scratch->directory;

	if (geteuid() != 0 || fchownat(at, "state", 65534, (gid_t)-1, 0) != 0) {
		skip("files of others: only root can make them");
		return;
	}
	is_int(read_state(scratch), -EPERM,
	       "a file of somebody else is not believed");
	is_for_nobody(scratch, 0, "but its owner believes it");
	need(fchownat(at, "state", 0, (gid_t)-1, 0), "chown");
	need(fchown(at, 65534, (gid_t)-1), "chown");
	is_int(read_state(scratch), -EPERM,
	       "a directory of somebody else is not believed");
	need(fchown(at, 0, (gid_t)-1), "chown");
	test_given(scratch);
}

static void test_bad_files(struct scratch *scratch)
{
	static char big[STATE_SIZE];
	int at = scratch->directory;
	const struct scratch none = {.path = "/nonexistent/state"};

	is_int(read_state(&none), -ENOENT, "a missing run directory is told");
	(void)unlinkat(at, "state", 0);
	is_int(read_state(scratch), -ENOENT, "a missing state is told");
	scratch_write(at, "state", "format 1\n", 9, 0644);
	is_int(read_state(scratch), -EINVAL, "a state cut short is malformed");
	scratch_write(at, "state", "", 0, 0644);
	is_int(read_state(scratch), -EINVAL, "an empty state is malformed");
	scratch_write(at, "state", "format 9\n", 9, 0644);
	is_int(read_state(scratch), -EPROTONOSUPPORT,
	       "a state of a later format is told apart");
	scratch_write(at, "state", big, sizeof(big), 0644);
	is_int(read_state(scratch), -EFBIG, "a huge state is refused");
	(void)unlinkat(at, "state", 0);
	need(symlinkat("/etc/passwd", at, "state"), "symlink");
	is_int(read_state(scratch), -ELOOP, "a link is not followed");
	(void)unlinkat(at, "state", 0);
	need(mkfifoat(at, "state", 0644), "mkfifo");
	is_int(-child_run(read_in_child, scratch), -EINVAL,
	       "a FIFO is not waited on");
	(void)unlinkat(at, "state", 0);
	need(mkdirat(at, "state", 0755), "mkdir");
	is_int(read_state(scratch), -EINVAL, "a directory is no state");
}

/* In the tree sshd (pid 700, started at 1530) stands for the daemon. */
static const struct {
	uint64_t pid, start_time, boottime_ms; /* of the state */
	int error;
	const char *name;
} daemons[] = {
	{700, 1530, 1000000, 0, "a daemon that has just written is there"},
	{700, 1530, 1000500, 0, "as is one that wrote a moment later"},
	{700, 1530, 980000, 0, "twice its time is not yet silence"},
	{700, 1530, 960000, -ETIMEDOUT, "four times its time is silence"},
	{700, 1530, 0, -ETIMEDOUT, "silence since the host started is told"},
	{700, 1529, 1000000, -ESRCH, "another with its pid is not it"},
	{701, 1530, 1000000, -ESRCH, "a daemon without a process is gone"},
	{1290, 90210, 1000000, -ESRCH, "a daemon that is a zombie is gone"},
	{701, 1530, 960000, -ESRCH, "gone is told before silent"},
	{2147483647, 1530, 1000000, -ESRCH, "the largest pid is looked for"},
};

static void test_daemon(void)
{
	int proc = need(directory_open("tests/proc/calm"),
			"tests/proc (start this at the top of the tree)");

	for (size_t i = 0; i < COUNT(daemons); i++) {
		struct state state = {.pid = daemons[i].pid,
				      .pid_start_time = daemons[i].start_time,
				      .boottime_ms = daemons[i].boottime_ms,
				      .fresh_for_ms = 10000};
		struct problem problem = {""};
		int error = state_check_daemon(&state, proc, 1000000, &problem);

		is_int(error, daemons[i].error, "%s", daemons[i].name);
		if (error)
			ok(strstr(problem.text, "daemon"),
			   "the problem says so");
	}
	(void)close(proc);
}

/* A scratch directory without process 1 is a /proc that hides others. */
static void test_hidden_daemon(int proc)
{
	struct state state = {.pid = 700,
			      .pid_start_time = 1530,
			      .boottime_ms = 1000000,
			      .fresh_for_ms = 10000};
	struct problem problem;

	is_int(state_check_daemon(&state, proc, 1005000, &problem), 0,
	       "a daemon that is hidden is judged by its age");
	is_int(state_check_daemon(&state, proc, 1040000, &problem), -ETIMEDOUT,
	       "and told when it is silent");
	is_int(state_check_daemon(&state, proc, 2000, &problem), -ETIMEDOUT,
	       "a state of a time to come is of an earlier boot: silent too");
	state.fresh_for_ms = UINT64_MAX;
	is_int(state_check_daemon(&state, proc, UINT64_MAX, &problem), 0,
	       "a daemon may say that it is fresh for ever");
}

int main(void)
{
	struct scratch scratch;
	struct state state;
	static struct state longest;

	scratch_open(&scratch);
	test_parse(&state);
	test_parsed_sample(&state);
	test_parsed_frozen(&state);
	test_format(&state);
	test_without();
	test_every_line();
	test_changes();
	test_odd_texts();
	test_json();
	test_json_frozen();
	test_write_and_read(&scratch, &state, "a state");
	longest = state;
	fill(&longest);
	test_write_and_read(&scratch, &longest, "the longest one");
	test_modes(&scratch);
	test_owners(&scratch);
	test_hidden_daemon(scratch.directory);
	test_bad_files(&scratch);
	test_daemon();
	test_largest(&state);
	scratch_close(&scratch);
	return done_testing();
}

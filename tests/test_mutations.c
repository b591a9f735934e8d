/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Feeds every parser with texts that are nearly right, and with noise.  It is
 * meant for a build with -fsanitize=address,undefined: each input lies in
 * memory of exactly its length, so that one byte too far is a crash.
 *
 * MUTATIONS in the environment is the number of inputs per parser, SEED a
 * number for other inputs; without it they are the same at every run.
 */
#include "core/file.h"
#include "core/state.h"
#include "daemon/settings.h"
#include "plugins/nagios/nagios.h"
#include "tests/scratch.h"

#include <inttypes.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { MUTATIONS = 100000 };
#else
enum { MUTATIONS = 5000 };
#endif

enum { INPUT_SIZE = 16384, SEEDS_MAX = 8, CHANGES_MAX = 4 };

/*
 * xorshift64*: the same numbers on every host.  No two are drawn in one
 * expression, whose order is the compiler's.
 */
static uint64_t random_next(uint64_t *random)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return *random * UINT64_C(2685821657736338717);
}

static size_t random_below(uint64_t *random, size_t limit)
{
	return limit ? (size_t)((random_next(random) >> 16) % limit) : 0;
}

struct input {
	char bytes[INPUT_SIZE];
	size_t length;
};

/* Replaces count bytes at a place by others; what does not fit is left. */
static void input_replace(struct input *input, size_t at, size_t count,
			  struct span by)
{
	if (!by.start || input->length - count + by.length > INPUT_SIZE)
		return;
	memmove(input->bytes + at + by.length, input->bytes + at + count,
		input->length - at - count);
	memcpy(input->bytes + at, by.start, by.length);
	input->length = input->length - count + by.length;
}

/* What parsers stumble over. */
static const struct span tokens[] = {
	BYTES("0"),
	BYTES("-1"),
	BYTES("+1"),
	BYTES("2147483647"),
	BYTES("2147483648"),
	BYTES("4294967295"),
	BYTES("4294967296"),
	BYTES("9223372036854775808"),
	BYTES("18446744073709551.615"),
	BYTES("18446744073709551615"),
	BYTES("18446744073709551616"),
	BYTES("99999999999999999999999999999999999999999"),
	BYTES("0000000000000000000000000000000000000001"),
	BYTES("0x1f"),
	BYTES("1e9"),
	BYTES("nan"),
	BYTES("\0"),
	BYTES(" "),
	BYTES("  "),
	BYTES("\t"),
	BYTES("\n"),
	BYTES("\n\n"),
	BYTES("\r\n"),
	BYTES("("),
	BYTES(")"),
	BYTES(") R 1 1"),
	BYTES("="),
	BYTES(":"),
	BYTES("."),
	BYTES("-"),
	BYTES("~"),
	BYTES("@"),
	BYTES("#"),
	BYTES("["),
	BYTES("\\"),
	BYTES("\\000"),
	BYTES("\\012"),
	BYTES("\\377"),
	BYTES("\\400"),
	BYTES("%s%n"),
	BYTES("\xff\xfe"),
	BYTES("\xc3\xa9"),
	BYTES("1234567890123456"),
	BYTES("frozen 1 2 3 signal batch x\n"),
	BYTES("VmSwap:\t5 kB\n"),
	BYTES("pgmajfault 1\n"),
	BYTES("total=1"),
};

struct mutator {
	uint64_t random;
	struct span seeds[SEEDS_MAX];
	size_t seed_count;
};

static struct span pick_seed(struct mutator *mutator)
{
	return mutator
		->seeds[random_below(&mutator->random, mutator->seed_count)];
}

/* A part of one of the seeds, of any length. */
static struct span pick_part(struct mutator *mutator)
{
	struct span seed = pick_seed(mutator);
	size_t from = random_below(&mutator->random, seed.length);
	size_t length = random_below(&mutator->random, seed.length - from + 1);

	return (struct span){seed.start + from, length};
}

static struct span pick_token(struct mutator *mutator)
{
	return tokens[random_below(&mutator->random, COUNT(tokens))];
}

static size_t pick_place(struct mutator *mutator, const struct input *input)
{
	return random_below(&mutator->random, input->length);
}

/* At most so many bytes of what is left behind a place. */
static size_t pick_count(struct mutator *mutator, const struct input *input,
			 size_t at, size_t most)
{
	size_t left = input->length - at;

	return random_below(&mutator->random, (left < most ? left : most) + 1);
}

static void flip_bit(struct mutator *mutator, struct input *input)
{
	size_t at = pick_place(mutator, input);

	if (input->length)
		input->bytes[at] ^=
			(char)(1 << random_below(&mutator->random, 8));
}

static void set_byte(struct mutator *mutator, struct input *input)
{
	size_t at = pick_place(mutator, input);

	if (input->length)
		input->bytes[at] = (char)random_below(&mutator->random, 256);
}

static void delete_some(struct mutator *mutator, struct input *input)
{
	size_t at = pick_place(mutator, input);
	size_t count = pick_count(mutator, input, at, 40);

	input_replace(input, at, count, SPAN(""));
}

static void insert_token(struct mutator *mutator, struct input *input)
{
	size_t at = random_below(&mutator->random, input->length + 1);

	input_replace(input, at, 0, pick_token(mutator));
}

/* Puts a token in the place of a word, where a parser looks closest. */
static void replace_word(struct mutator *mutator, struct input *input)
{
	static const char separators[] = " \t\n=:";
	size_t from = pick_place(mutator, input), to = from;

	while (from && !memchr(separators, input->bytes[from - 1],
			       sizeof(separators) - 1))
		from--;
	while (to < input->length &&
	       !memchr(separators, input->bytes[to], sizeof(separators) - 1))
		to++;
	input_replace(input, from, to - from, pick_token(mutator));
}

static void duplicate_line(struct mutator *mutator, struct input *input)
{
	size_t from = pick_place(mutator, input), to = from;
	char line[512];

	while (from && input->bytes[from - 1] != '\n')
		from--;
	while (to < input->length && input->bytes[to++] != '\n')
		;
	if (to - from > sizeof(line))
		return;
	memcpy(line, input->bytes + from, to - from);
	input_replace(input, from, 0, (struct span){line, to - from});
}

static void truncate_end(struct mutator *mutator, struct input *input)
{
	input->length = random_below(&mutator->random, input->length + 1);
}

static void splice_part(struct mutator *mutator, struct input *input)
{
	size_t at = pick_place(mutator, input);
	size_t count = pick_count(mutator, input, at, INPUT_SIZE);

	input_replace(input, at, count, pick_part(mutator));
}

static void make_noise(struct mutator *mutator, struct input *input)
{
	input->length = random_below(&mutator->random, 64);
	for (size_t i = 0; i < input->length; i++)
		input->bytes[i] = (char)random_below(&mutator->random, 256);
}

static void (*const changes[])(struct mutator *, struct input *) = {
	flip_bit,     set_byte,       delete_some,  insert_token, replace_word,
	replace_word, duplicate_line, truncate_end, splice_part,  make_noise,
};

/* A seed with some changes; now and then as it is. */
static void make_input(struct mutator *mutator, struct input *input)
{
	struct span seed = pick_seed(mutator);
	size_t count = random_below(&mutator->random, CHANGES_MAX + 1);

	input->length = 0;
	input_replace(input, 0, 0, seed);
	while (count--)
		changes[random_below(&mutator->random, COUNT(changes))](mutator,
									input);
}

enum outcome {
	REFUSED,
	ACCEPTED,
	BROKEN, /* a property does not hold */
};

/*
 * Each parses twice, into memory of zeros and of ones: both must say the same
 * and leave the same.  What was accepted and can be written must be read back
 * as the same.
 */
static void zeros_and_ones(void *zeros, void *ones, size_t size)
{
	memset(zeros, 0, size);
	memset(ones, 0xff, size);
}

static enum outcome judge_processes(const struct process *first,
				    const struct process *second)
{
	char line[PROCESS_LINE], same[PROCESS_LINE];
	struct process back;

	process_format(first, line);
	process_format(second, same);
	if (strcmp(line, same) != 0 || process_parse(span_of(line), &back))
		return BROKEN;
	process_format(&back, same);
	return strcmp(line, same) == 0 &&
			       strcmp(first->command, back.command) == 0
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome try_process_stat(struct span text)
{
	struct process first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse_stat(text, 4, &first);
	if (process_parse_stat(text, 4, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_processes(&first, &second);
}

static enum outcome try_process(struct span text)
{
	struct process first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse(text, &first);
	if (process_parse(text, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_processes(&first, &second);
}

/* No VmSwap, nothing in swap. */
static enum outcome try_process_status(struct span text)
{
	uint64_t first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse_status(text, &first);
	if (process_parse_status(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	return first == second && (first == 0 || memmem(text.start, text.length,
							"VmSwap:", 7))
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome judge_samples(const struct sample *first,
				  const struct sample *second)
{
	char line[SAMPLE_LINE], same[SAMPLE_LINE];
	struct sample back;

	sample_format(first, line);
	sample_format(second, same);
	if (strcmp(line, same) != 0 || sample_parse(span_of(line), &back))
		return BROKEN;
	sample_format(&back, same);
	return strcmp(line, same) == 0 ? ACCEPTED : BROKEN;
}

static enum outcome try_sample(struct span text)
{
	struct sample first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = sample_parse(text, &first);
	if (sample_parse(text, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

/* As part of a sample it can be written and read. */
static enum outcome try_vmstat(struct span text)
{
	struct sample first = {0}, second = {0};
	int error;

	zeros_and_ones(&first.vmstat, &second.vmstat, sizeof(first.vmstat));
	error = vmstat_parse(text, &first.vmstat);
	if (vmstat_parse(text, &second.vmstat) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

static enum outcome try_pressure(struct span text)
{
	struct sample first = {.has_io = true}, second = {.has_io = true};
	int error;

	zeros_and_ones(&first.io, &second.io, sizeof(first.io));
	error = pressure_parse(text, &first.io);
	if (pressure_parse(text, &second.io) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

static bool is_same_text(struct span a, struct span b)
{
	return a.length == b.length && memcmp(a.start, b.start, a.length) == 0;
}

static enum outcome judge_states(const struct state *first,
				 const struct state *second)
{
	char buffer[STATE_SIZE], other_buffer[STATE_SIZE];
	struct span text, other;
	struct state back;
	struct problem problem;
	FILE *nowhere = fopen("/dev/null", "w");

	state_print_json(first, nowhere);
	(void)fclose(nowhere);
	if (state_format(first, buffer, sizeof(buffer), &text) ||
	    state_format(second, other_buffer, sizeof(other_buffer), &other) ||
	    !is_same_text(text, other) || state_parse(text, &back, &problem))
		return BROKEN;
	return state_format(&back, other_buffer, sizeof(other_buffer),
			    &other) == 0 &&
			       is_same_text(text, other)
		       ? ACCEPTED
		       : BROKEN;
}

static bool is_one_line(const struct problem *problem)
{
	return problem->text[0] && !strchr(problem->text, '\n');
}

static enum outcome try_state(struct span text)
{
	struct state first, second;
	struct problem problem = {""};
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = state_parse(text, &first, &problem);
	if (state_parse(text, &second, &problem) != error)
		return BROKEN;
	if (error)
		return is_one_line(&problem) ? REFUSED : BROKEN;
	return judge_states(&first, &second);
}

/* How many bytes a text of well-formed escapes stands for. */
static size_t unescaped_length(struct span text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; length++)
		i += text.start[i] == '\\' ? 4 : 1;
	return length;
}

static enum outcome try_unescape(struct span text)
{
	char first[PROCESS_COMMAND], second[PROCESS_COMMAND];
	char escaped[TEXT_ESCAPED_COMMAND];
	int error;

	zeros_and_ones(first, second, sizeof(first));
	error = text_unescape(text, first, sizeof(first));
	if (text_unescape(text, second, sizeof(second)) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	text_escape(first, escaped, sizeof(escaped));
	return strcmp(first, second) == 0 &&
			       strlen(first) == unescaped_length(text) &&
			       text_unescape(span_of(escaped), second,
					     sizeof(second)) == 0 &&
			       strcmp(first, second) == 0
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome try_thousandths(struct span text)
{
	uint64_t first, second;
	char again[32];
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = span_to_thousandths(text, &first);
	if (span_to_thousandths(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	(void)snprintf(again, sizeof(again), "%" PRIu64 ".%03" PRIu64,
		       first / 1000, first % 1000);
	return first == second &&
			       span_to_thousandths(span_of(again), &second) ==
				       0 &&
			       first == second
		       ? ACCEPTED
		       : BROKEN;
}

/* The ends of a range are inside, and what is beyond them is not. */
static enum outcome try_range(struct span text)
{
	struct nagios_range first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = nagios_range_parse(text, &first);
	if (nagios_range_parse(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	if (!first.is_set || first.start > first.end ||
	    first.start != second.start || first.end != second.end ||
	    first.is_inverted != second.is_inverted)
		return BROKEN;

	bool inside = first.is_inverted;
	bool is_right =
		nagios_range_alerts(&first, first.start) == inside &&
		nagios_range_alerts(&first, first.end) == inside &&
		(first.start == INT64_MIN ||
		 nagios_range_alerts(&first, first.start - 1) == !inside) &&
		(first.end == INT64_MAX ||
		 nagios_range_alerts(&first, first.end + 1) == !inside);

	return is_right ? ACCEPTED : BROKEN;
}

/* The parser cuts the text, and wants a NUL behind it. */
static int parse_settings(struct span text, struct settings *settings)
{
	struct problem problem = {""};
	char *copy = malloc(text.length + 1);
	int error;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text.start, text.length);
	copy[text.length] = '\0';
	settings_default(settings);
	error = settings_parse_file(settings, copy, text.length, "file",
				    &problem);
	free(copy);
	return error && !is_one_line(&problem) ? 1 : error;
}

static bool is_same_settings(const struct settings *a, const struct settings *b)
{
	bool is_same = a->warning_count == b->warning_count;

	for (size_t i = 0; is_same && i < a->warning_count; i++)
		is_same =
			strcmp(a->warnings[i].text, b->warnings[i].text) == 0 &&
			is_one_line(&a->warnings[i]);
	return is_same && a->interval_ms == b->interval_ms &&
	       a->stall_threshold_permille == b->stall_threshold_permille &&
	       a->rules.count == b->rules.count;
}

static enum outcome try_settings(struct span text)
{
	struct settings first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = parse_settings(text, &first);
	if (error == 1 || parse_settings(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	return is_same_settings(&first, &second) ? ACCEPTED : BROKEN;
}

static const char state_seed[] =
	"format 1\nversion 1.2.3\npid 4242\npid_start_time 5678\n"
	"boottime_ms 86400000\nfresh_for_ms 60000\nmode psi-trigger\n"
	"verdict thrashing\nstall_permille 312\npage_cost_us 95\n"
	"stall_us_total 1001\nthrash_us_total 1002\nfreezes_total 7\n"
	"thaws_total 5\nfrozen_us_total 1003\nlongest_gap_ms 13\npswpin 21\n"
	"pswpout 22\npgmajfault 23\nworkingset_refault_anon 24\n"
	"workingset_refault_file 25\nmemory_some_us 26\nmemory_full_us 27\n"
	"io_some_us 28\nio_full_us 29\nfrozen_processes 2\n"
	"longest_frozen_ms 1500\n"
	"frozen 1234 5678901 1500 signal batch convert\n"
	"frozen 1235 5678902 20 dry-run batch a)\\040b\\012\n";

static const char calm_seed[] =
	"format 1\nversion 1\npid 1\npid_start_time 2\nboottime_ms 3\n"
	"fresh_for_ms 4\nmode swap\nverdict calm\nfrozen_processes 0\n"
	"longest_frozen_ms 0\n";

static const char settings_seed[] =
	"# a comment\n[thrash-protect]\ninterval = 0.5\n"
	"swap_page_threshold=4\nuse_psi: yes\n\n; another\n"
	"cmd_whitelist = sshd exe:/opt/* user:0\r\ndebug_logging = off\n";

/* What one parser is tried with: texts, and files of the tree. */
static const struct subject {
	const char *name;
	enum outcome (*try)(struct span text);
	const char *seeds[SEEDS_MAX];
	const char *files[SEEDS_MAX];
} subjects[] = {
	{"state_parse", try_state, {state_seed, calm_seed}, {NULL}},
	{"process_parse_stat",
	 try_process_stat,
	 {NULL},
	 {"calm/900/stat", "thrashing/4001/stat", "odd_names/102/stat",
	  "odd_names/103/stat", "odd_names/106/stat", "linux_4_4/2/stat"}},
	{"process_parse_status",
	 try_process_status,
	 {"Name:\tx\nVmSwap:\t      12 kB\nThreads:\t1\n"},
	 {"thrashing/4001/status", "calm/2/status", "odd_names/108/status"}},
	{"vmstat_parse",
	 try_vmstat,
	 {"pswpin 1\npswpout 2\npgmajfault 3\nworkingset_refault_file 4\n"},
	 {"no_pressure/vmstat", "linux_4_4/vmstat"}},
	{"pressure_parse",
	 try_pressure,
	 {NULL},
	 {"calm/pressure/memory", "thrashing/pressure/io"}},
	{"sample_parse",
	 try_sample,
	 {"sample 5 20715301 24310977 5310442 19904417 3233139 988341870 "
	  "511203374 1512667012 1299034511",
	  "sample 5 - - 61230 - 71013 - - - -",
	  "sample 5 1 2 3 4 5 6 7 8 9 10 11"},
	 {NULL}},
	{"process_parse",
	 try_process,
	 {"process 4001 1 4000 3990 500100 51234 917504 903168 4194304 D "
	  "a\\040b",
	  "process 1 0 0 0 7 0 0 0 0 S "},
	 {NULL}},
	{"text_unescape",
	 try_unescape,
	 {"convert", "a)\\040b\\012", "\\303\\251t\\303\\251", "\\134040"},
	 {NULL}},
	{"span_to_thousandths",
	 try_thousandths,
	 {"0.05", "10", "18446744073709551.615", "1.5"},
	 {NULL}},
	{"settings_parse_file", try_settings, {settings_seed}, {NULL}},
	{"nagios_range_parse",
	 try_range,
	 {"10", "10:", "~:10", "10:20", "@10:20", "-1.5:0.25"},
	 {NULL}},
};

/* The texts of a subject, and its files one after another in *room. */
static void add_seeds(struct mutator *mutator, const struct subject *subject,
		      char room[SEEDS_MAX][INPUT_SIZE])
{
	mutator->seed_count = 0;
	for (size_t i = 0; i < SEEDS_MAX && subject->seeds[i]; i++)
		mutator->seeds[mutator->seed_count++] =
			span_of(subject->seeds[i]);
	for (size_t i = 0; i < SEEDS_MAX && subject->files[i]; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "tests/proc/%s",
			       subject->files[i]);
		need(file_read_at(AT_FDCWD, path, room[i], INPUT_SIZE,
				  &mutator->seeds[mutator->seed_count++]),
		     "tests/proc (start this at the top of the tree)");
	}
}

/* Tries a copy that ends where its memory ends. */
static enum outcome try_exactly(const struct subject *subject,
				const struct input *input)
{
	size_t size = input->length ? input->length : 1;
	char *block = malloc(size);
	enum outcome outcome;

	need(block ? 0 : -1, "malloc");
	memcpy(block, input->bytes, input->length);
	outcome = subject->try(
		(struct span){block + size - input->length, input->length});
	free(block);
	return outcome;
}

/* The input as a line that can be pasted into a test. */
static void show(const struct input *input)
{
	char text[512];
	size_t used = 0;

	for (size_t i = 0; i < input->length && used + 5 < sizeof(text); i++) {
		unsigned char c = (unsigned char)input->bytes[i];
		bool is_plain = c >= ' ' && c <= '~' && c != '\\' && c != '"';

		used += (size_t)sprintf(text + used, is_plain ? "%c" : "\\%03o",
					c);
	}
	text[used] = '\0';
	diag("\"%s\"%s", text, used + 5 < sizeof(text) ? "" : " and more");
}

static uint64_t number_from(const char *variable, uint64_t standard)
{
	const char *text = getenv(variable);
	uint64_t value;

	return text && span_to_u64(span_of(text), &value) == 0 ? value
							       : standard;
}

static void test_subject(const struct subject *subject, uint64_t count)
{
	char room[SEEDS_MAX][INPUT_SIZE];
	struct mutator mutator = {.random = number_from("SEED", 1) *
					    UINT64_C(0x9e3779b97f4a7c15)};
	uint64_t outcomes[] = {0, 0, 0};
	struct input input;

	add_seeds(&mutator, subject, room);
	for (uint64_t i = 0; i < count; i++) {
		enum outcome outcome;

		make_input(&mutator, &input);
		outcome = try_exactly(subject, &input);
		if (outcome == BROKEN && outcomes[BROKEN] < 3)
			show(&input);
		outcomes[outcome]++;
	}
	is_int((int64_t)outcomes[BROKEN], 0,
	       "what %s accepts is whole, and the same when it is read back",
	       subject->name);
	ok(outcomes[ACCEPTED] && outcomes[REFUSED],
	   "%s accepts some texts and refuses some", subject->name);
	diag("%s: %" PRIu64 " accepted, %" PRIu64 " refused", subject->name,
	     outcomes[ACCEPTED], outcomes[REFUSED]);
}

int main(void)
{
	uint64_t count = number_from("MUTATIONS", MUTATIONS);

	for (size_t i = 0; i < COUNT(subjects); i++)
		test_subject(&subjects[i], count);
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Feeds every parser with texts that are nearly right, and with noise.  It is
 * meant for a build with -fsanitize=address,undefined: each input lies in
 * memory of exactly its length, so that one byte too far is a crash.
 *
 * MUTATIONS in the environment is the number of inputs per parser, SEED a
 * number for other inputs; without it they are the same at every run.
 */
#include "tests/parsers.h"
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

enum { INPUT_SIZE = PARSER_TEXT, CHANGES_MAX = 4 };

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
	struct span seeds[PARSER_SEEDS];
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

/* Tries a copy that ends where its memory ends. */
static enum outcome try_exactly(const struct parser *parser,
				const struct input *input)
{
	size_t size = input->length ? input->length : 1;
	char *block = malloc(size);
	enum outcome outcome;

	need(block ? 0 : -1, "malloc");
	memcpy(block, input->bytes, input->length);
	outcome = parser->try(
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

static void test_parser(const struct parser *parser, uint64_t count)
{
	static char room[PARSER_SEEDS][PARSER_TEXT];
	struct mutator mutator = {.random = number_from("SEED", 1) *
					    UINT64_C(0x9e3779b97f4a7c15)};
	uint64_t outcomes[] = {0, 0, 0};
	struct input input;

	mutator.seed_count = parser_seeds(parser, room, mutator.seeds);
	for (uint64_t i = 0; i < count; i++) {
		enum outcome outcome;

		make_input(&mutator, &input);
		outcome = try_exactly(parser, &input);
		if (outcome == BROKEN && outcomes[BROKEN] < 3)
			show(&input);
		outcomes[outcome]++;
	}
	is_int((int64_t)outcomes[BROKEN], 0,
	       "what %s accepts is whole, and the same when it is read back",
	       parser->name);
	ok(outcomes[ACCEPTED] && outcomes[REFUSED],
	   "%s accepts some texts and refuses some", parser->name);
	diag("%s: %" PRIu64 " accepted, %" PRIu64 " refused", parser->name,
	     outcomes[ACCEPTED], outcomes[REFUSED]);
}

int main(void)
{
	uint64_t count = number_from("MUTATIONS", MUTATIONS);

	for (size_t i = 0; i < parser_count; i++)
		test_parser(&parsers[i], count);
	return done_testing();
}

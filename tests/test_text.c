/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests spans of text and their conversions. */
#include "core/text.h"

#include "tests/scratch.h"

#include <fnmatch.h>

static const struct span empty = {NULL, 0};

static void is_span(struct span got, struct span wanted, const char *name)
{
	if (!ok(got.length == wanted.length &&
			(!wanted.length ||
			 memcmp(got.start, wanted.start, wanted.length) == 0),
		"%s", name))
		diag("got '%.*s'", SPAN_FORMAT(got));
}

static void test_span(void)
{
	is_span(span_of("a b"), SPAN("a b"), "a string becomes a span");
	is_int((int64_t)span_of("").length, 0, "an empty string is empty");
	ok(span_equals(SPAN("swap"), "swap"), "a span equals the same text");
	ok(!span_equals(SPAN("swap"), "swaps"),
	   "a span does not equal a longer text that begins so");
	ok(!span_equals(SPAN("swaps"), "swap"),
	   "a span does not equal the text it begins with");
	ok(!span_equals(SPAN("swap\0"), "swap"),
	   "a NUL byte counts when spans are compared");
	ok(span_equals(empty, ""), "a span of nothing equals the empty text");
	ok(!span_equals(empty, "a"), "a span of nothing equals no other text");
}

static void test_lines(void)
{
	struct span rest = SPAN("one\n\ntw\0o\nlast");

	is_span(span_line(&rest), SPAN("one"), "a line has no newline");
	is_span(span_line(&rest), SPAN(""), "an empty line is a line");
	is_span(span_line(&rest), SPAN("tw\0o"), "a line may hold a NUL byte");
	is_span(span_line(&rest), SPAN("last"),
		"the last line needs no newline");
	is_int((int64_t)rest.length, 0, "and then nothing is left");
	is_span(span_line(&rest), empty, "a line of nothing is empty");

	rest = SPAN("one\n");
	(void)span_line(&rest);
	is_int((int64_t)rest.length, 0,
	       "no line comes after the newline at the end");
	rest = empty;
	is_span(span_line(&rest), empty,
		"a span without memory has an empty line");
}

static void test_words(void)
{
	struct span rest = SPAN(" \tone\t two  three");

	is_span(span_word(&rest), SPAN("one"), "blanks before a word go");
	is_span(rest, SPAN(" two  three"), "one blank after a word goes too");
	is_span(span_word(&rest), SPAN("two"), "a tab ends a word as well");
	is_span(rest, SPAN(" three"), "the second blank after a word stays");
	is_span(span_word(&rest), SPAN("three"),
		"the last word needs no blank after it");
	is_span(rest, empty, "nothing is left behind the last word");
	is_span(span_word(&rest), empty, "and then there is no word");

	rest = SPAN("   ");
	is_span(span_word(&rest), empty, "there is no word among blanks");
	is_span(rest, empty, "blanks without a word are taken");
	rest = SPAN("a\nb\r c");
	is_span(span_word(&rest), SPAN("a\nb\r"),
		"only space and tab end a word");
	rest = empty;
	is_span(span_word(&rest), empty, "a span without memory has no word");
}

static void test_trim(void)
{
	is_span(span_trim(SPAN("\t a b\t ")), SPAN("a b"),
		"trimming takes the blanks at both ends and none between");
	is_span(span_trim(SPAN(" \t ")), empty,
		"nothing is left of blanks alone");
	is_span(span_trim(empty), empty, "nothing can be trimmed");
	is_span(span_trim(SPAN("a\n")), SPAN("a\n"),
		"a newline is not a blank");
}

static void test_split(void)
{
	struct span rest = SPAN("key=a=b"), before = empty;

	ok(span_split(&rest, '=', &before), "a span is split");
	is_span(before, SPAN("key"), "what comes before the first match");
	is_span(rest, SPAN("a=b"), "what comes after the first match");
	before = SPAN("as it was");
	ok(!span_split(&rest, ':', &before), "without a match nothing splits");
	is_span(rest, SPAN("a=b"), "and nothing is taken");

	rest = SPAN("=");
	ok(span_split(&rest, '=', &before) && !before.length && !rest.length,
	   "both sides of a split may be empty");
	rest = SPAN("a\0b");
	ok(span_split(&rest, '\0', &before) && before.length == 1 &&
		   rest.length == 1,
	   "a span can be split at a NUL byte");
	rest = empty;
	ok(!span_split(&rest, '=', &before), "nothing cannot be split");
}

struct number_row {
	struct span text;
	int error;
	uint64_t value;
};

/* Each digit string, then what it is for one of the three conversions. */
static const struct number_row numbers[] = {
	{BYTES("0"), 0, 0},
	{BYTES("007"), 0, 7},
	{BYTES("4294967296"), 0, UINT64_C(4294967296)},
	{BYTES("18446744073709551615"), 0, UINT64_MAX},
	{BYTES("18446744073709551616"), -ERANGE, 0},
	{BYTES("18446744073709551620"), -ERANGE, 0},
	{BYTES("28446744073709551615"), -ERANGE, 0},
	{BYTES("100000000000000000000000"), -ERANGE, 0},
	{BYTES(""), -EINVAL, 0},
	{BYTES("-1"), -EINVAL, 0},
	{BYTES("+1"), -EINVAL, 0},
	{BYTES(" 1"), -EINVAL, 0},
	{BYTES("1 "), -EINVAL, 0},
	{BYTES("1\n"), -EINVAL, 0},
	{BYTES("1\0"), -EINVAL, 0},
	{BYTES("\0"), -EINVAL, 0},
	{BYTES("0x10"), -EINVAL, 0},
	{BYTES("1.0"), -EINVAL, 0},
	{BYTES("1/"), -EINVAL, 0},
	{BYTES("1:"), -EINVAL, 0},
	{BYTES("\xd9\xa1"), -EINVAL, 0}, /* a digit, but not one of ours */
	{BYTES("100000000000000000000000x"), -EINVAL, 0},
};

static const struct number_row thousandths[] = {
	{BYTES("0"), 0, 0},
	{BYTES("10"), 0, 10000},
	{BYTES("0.05"), 0, 50},
	{BYTES("1.5"), 0, 1500},
	{BYTES("0.001"), 0, 1},
	{BYTES("1.050"), 0, 1050},
	{BYTES("18446744073709551.615"), 0, UINT64_MAX},
	{BYTES("18446744073709551.616"), -ERANGE, 0},
	{BYTES("18446744073709552"), -ERANGE, 0},
	{BYTES("100000000000000000000000"), -ERANGE, 0},
	{BYTES(""), -EINVAL, 0},
	{BYTES("."), -EINVAL, 0},
	{BYTES(".5"), -EINVAL, 0},
	{BYTES("5."), -EINVAL, 0},
	{BYTES("1.2345"), -EINVAL, 0},
	{BYTES("0.0000"), -EINVAL, 0},
	{BYTES("1.2.3"), -EINVAL, 0},
	{BYTES("1..2"), -EINVAL, 0},
	{BYTES("-1"), -EINVAL, 0},
	{BYTES("1.-1"), -EINVAL, 0},
	{BYTES("1,5"), -EINVAL, 0}, /* as some locales would have it */
	{BYTES("1e3"), -EINVAL, 0},
	{BYTES("1.5 "), -EINVAL, 0},
	{BYTES("nan"), -EINVAL, 0},
};

/* A test's name is one line: a byte that does not print becomes "?". */
static void print_span(struct span span, char name[32])
{
	size_t length = span.length < 31 ? span.length : 31;

	for (size_t i = 0; i < length; i++)
		name[i] = span.start[i] >= ' ' && span.start[i] <= '~'
				  ? span.start[i]
				  : '?';
	name[length] = '\0';
}

static void test_conversion(const struct number_row *rows, size_t count,
			    int (*convert)(struct span, uint64_t *),
			    const char *what)
{
	for (size_t i = 0; i < count; i++) {
		struct span text = rows[i].text;
		uint64_t value = 0;
		int error = convert(text, &value);
		char name[32];

		print_span(text, name);
		if (!ok(error == rows[i].error && value == rows[i].value,
			"'%s' is %s", name, rows[i].error ? "refused" : what))
			diag("error %d, value %ju", error, (uintmax_t)value);
	}
}

static void test_numbers(void)
{
	uint64_t value;

	test_conversion(numbers, COUNT(numbers), span_to_u64, "a whole number");
	test_conversion(thousandths, COUNT(thousandths), span_to_thousandths,
			"read as thousandths");
	is_int(span_to_u64(empty, &value), -EINVAL, "nothing is no number");
	is_int(span_to_thousandths(empty, &value), -EINVAL,
	       "nothing is no number of thousandths");
}

static void test_pid(void)
{
	int pid = 0;

	is_int(span_to_pid(SPAN("2147483647"), &pid), 0,
	       "the largest int can be a pid");
	is_int(pid, 2147483647, "and is taken whole");
	is_int(span_to_pid(SPAN("2147483648"), &pid), -ERANGE,
	       "a pid above the largest int is refused");
	is_int(span_to_pid(SPAN("4294967297"), &pid), -ERANGE,
	       "a pid that would wrap to 1 is refused");
	ok(span_to_pid(SPAN("0"), &pid) < 0, "0 is nobody's pid");
	is_int(span_to_pid(SPAN("-1"), &pid), -EINVAL,
	       "-1, which is everybody to kill(), is no pid");
	is_int(span_to_pid(empty, &pid), -EINVAL, "nothing is no pid");
}

static void test_copy(void)
{
	char buffer[4] = "xyz";

	is_int(span_copy(SPAN("abcd"), buffer, sizeof(buffer)), -ENAMETOOLONG,
	       "a text without room for its end is not copied");
	is_text(buffer, "xyz", "and nothing of it is");
	is_int(span_copy(SPAN("abc"), buffer, sizeof(buffer)), 0,
	       "a text that just fits is copied");
	is_text(buffer, "abc", "and terminated");
	is_int(span_copy(empty, buffer, sizeof(buffer)), 0,
	       "nothing can be copied");
	is_text(buffer, "", "and is the empty text");
	is_int(span_copy(SPAN(""), buffer, 0), -ENAMETOOLONG,
	       "nothing at all fits into no room");
}

static const struct {
	const char *text, *escaped;
} escapes[] = {
	{"bash", "bash"},
	{"", ""},
	{"a b", "a\\040b"},
	{"\ta\n", "\\011a\\012"},
	{"a\\b", "a\\134b"},
	{"\\040", "\\134040"},
	{"\x7f", "\\177"},
	{"\xff\x80", "\\377\\200"},
	{"\xc3\xa9t\xc3\xa9", "\\303\\251t\\303\\251"},
	{"!\"'(){}~", "!\"'(){}~"},
};

static void test_escape(void)
{
	char buffer[TEXT_ESCAPED_COMMAND];

	for (size_t i = 0; i < COUNT(escapes); i++) {
		text_escape(escapes[i].text, buffer, sizeof(buffer));
		is_text(buffer, escapes[i].escaped, "a text becomes %s",
			escapes[i].escaped);
		is_int(text_unescape(span_of(escapes[i].escaped), buffer,
				     sizeof(buffer)),
		       0, "%s can be undone", escapes[i].escaped);
		is_text(buffer, escapes[i].text, "and is the text again");
	}
	text_escape("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", buffer, sizeof(buffer));
	is_int((int64_t)strlen(buffer), 60,
	       "a command of 15 newlines fits into its buffer");
	text_escape("ab\n", buffer, 6);
	is_text(buffer, "ab", "an escape that does not fit is left out whole");
	text_escape("ab\n", buffer, 7);
	is_text(buffer, "ab\\012", "an escape that just fits is there");
	text_escape("abc", buffer, 3);
	is_text(buffer, "ab", "a long text is cut");
	text_escape("abc", buffer, 1);
	is_text(buffer, "", "nothing fits into one byte");
}

/* Every byte but NUL, which ends a text. */
static void test_every_byte(void)
{
	unsigned wrong_words = 0, wrong_bytes = 0;

	for (unsigned byte = 1; byte < 256; byte++) {
		const char text[] = {'x', (char)byte, '\0'};
		char escaped[8], back[4] = "";
		bool plain = byte > 32 && byte < 127 && byte != '\\';

		text_escape(text, escaped, sizeof(escaped));
		wrong_words += strlen(escaped) != (plain ? 2 : 5);
		for (const char *c = escaped; *c; c++)
			wrong_words += *c <= 32 || *c >= 127;
		wrong_bytes += text_unescape(span_of(escaped), back,
					     sizeof(back)) != 0 ||
			       strcmp(back, text) != 0;
	}
	is_int(wrong_words, 0, "every byte becomes printable ASCII");
	is_int(wrong_bytes, 0, "every byte comes back");
}

static void test_unescape(void)
{
	static const struct {
		struct span text;
		int error;
		const char *why;
	} rows[] = {
		{BYTES("\\"), -EINVAL, "a backslash alone is refused"},
		{BYTES("ab\\"), -EINVAL, "a backslash at the end is refused"},
		{BYTES("\\01"), -EINVAL, "an escape that is cut is refused"},
		{BYTES("\\400"), -EINVAL, "an escape above 377 is refused"},
		{BYTES("\\777"), -EINVAL, "an escape far above 377 is refused"},
		{BYTES("\\080"), -EINVAL, "a digit above 7 is refused"},
		{BYTES("\\1 0"), -EINVAL, "a blank in an escape is refused"},
		{BYTES("\\\xff"
		       "00"),
		 -EINVAL, "a byte above 127 in an escape is refused"},
		{BYTES("\\n"), -EINVAL, "an escape of another kind is refused"},
		{BYTES("a\\000b"), -EINVAL,
		 "an escaped NUL, which would end the text, is refused"},
		{BYTES("a\0b"), -EINVAL,
		 "a bare NUL, which would end the text, is refused"},
		{BYTES("abcdefg"), 0, "a text that just fits is taken"},
		{BYTES("abcdefgh"), -ENAMETOOLONG, "a longer one is refused"},
		{BYTES("\\141\\142\\143\\144\\145\\146\\147"), 0,
		 "its length counts when it is undone"},
		{BYTES("abcdefg\\150"), -ENAMETOOLONG,
		 "an escape that does not fit is refused"},
	};
	char buffer[8];

	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(text_unescape(rows[i].text, buffer, sizeof(buffer)),
		       rows[i].error, "%s", rows[i].why);
	is_int(text_unescape((struct span){"\\0123", 3}, buffer,
			     sizeof(buffer)),
	       -EINVAL, "an escape does not go on behind its span");
	is_int(text_unescape(empty, buffer, sizeof(buffer)), 0,
	       "nothing can be undone");
	is_text(buffer, "", "and is the empty text");
}

static const struct {
	const char *pattern, *text;
	bool matches;
} patterns[] = {
	{"sshd", "sshd", true},
	{"sshd", "sshd2", false},
	{"ssh", "sshd", false},
	{"", "", true},
	{"", "a", false},
	{"*", "", true},
	{"*", "anything", true},
	{"systemd*", "systemd", true},
	{"systemd*", "systemd-logind", true},
	{"*getty", "agetty", true},
	{"*getty", "agetty2", false},
	{"-*sh", "-bash", true},
	{"*a*b*c", "xaxbxbc", true},
	{"*a*b*c", "xaxbxb", false},
	{"**", "", true},
	{"?", "", false},
	{"mysql?", "mysqld", true},
	{"mysql?", "mysql", false},
	{"ruby[23]", "ruby3", true},
	{"ruby[23]", "ruby4", false},
	{"[a-c]x", "bx", true},
	{"[a-c]x", "dx", false},
	{"[!a-c]x", "dx", true},
	{"[!a-c]x", "bx", false},
	{"[^a]", "b", true},
	{"[]a]", "]", true},
	{"[!]a]", "]", false},
	{"[a-]", "-", true},
	{"[\\]]", "]", true},
	{"[\xe0-\xff]", "\xe9", true},
	{"[a", "[a", true},
	{"[a", "a", false},
	{"\\*", "*", true},
	{"\\*", "a", false},
	{"a\\", "a\\", false},
	{"a) b", "a) b", true},
};

static void test_patterns(void)
{
	for (size_t i = 0; i < COUNT(patterns); i++) {
		const char *pattern = patterns[i].pattern;
		const char *text = patterns[i].text;

		ok(text_matches(pattern, text) == patterns[i].matches,
		   "'%s' is %sa pattern of '%s'", pattern,
		   patterns[i].matches ? "" : "not ", text);
	}
}

/* The same as libc's for all short patterns of the characters that matter. */
static void test_all_patterns(void)
{
	static const char signs[] = "ab*?[]!-\\", letters[] = "ab]-";
	enum { SIGNS = sizeof(signs), LETTERS = sizeof(letters), LENGTH = 5 };
	unsigned wrong = 0;

	for (unsigned i = 0; i < 100000; i++) /* SIGNS to the 5th */
		for (unsigned j = 0; j < 125; j++) {
			char pattern[LENGTH + 1] = "", text[4] = "";

			for (unsigned k = 0, n = i; k < LENGTH; k++, n /= SIGNS)
				pattern[k] = signs[n % SIGNS];
			for (unsigned k = 0, n = j; k < 3; k++, n /= LETTERS)
				text[k] = letters[n % LETTERS];
			if (text_matches(pattern, text) !=
				    (fnmatch(pattern, text, 0) == 0) &&
			    !wrong++)
				diag("'%s' and '%s'", pattern, text);
		}
	is_int(wrong, 0, "all short patterns mean what libc takes them for");
}

int main(void)
{
	test_span();
	test_lines();
	test_words();
	test_trim();
	test_split();
	test_numbers();
	test_pid();
	test_copy();
	test_escape();
	test_every_byte();
	test_unescape();
	test_patterns();
	test_all_patterns();
	return done_testing();
}

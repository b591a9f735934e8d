/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks over spans of text and converts them, strictly. */
#include "core/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct span span_skip(struct span span, size_t count)
{
	/* an empty span may have no address, to which not even 0 is added */
	return count ? (struct span){span.start + count, span.length - count}
		     : span;
}

struct span span_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

bool span_equals(struct span span, const char *text)
{
	return span.length == strlen(text) &&
	       (!span.length || memcmp(span.start, text, span.length) == 0);
}

bool span_split(struct span *rest, char c, struct span *before)
{
	const char *at =
		rest->length ? memchr(rest->start, c, rest->length) : NULL;

	if (!at)
		return false;
	*before = (struct span){rest->start, (size_t)(at - rest->start)};
	*rest = span_skip(*rest, before->length + 1);
	return true;
}

struct span span_line(struct span *rest)
{
	struct span line;

	if (span_split(rest, '\n', &line))
		return line;
	line = *rest;
	*rest = span_skip(*rest, rest->length);
	return line;
}

uint64_t span_hash(struct span span)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < span.length; i++)
		value = (value ^ (unsigned char)span.start[i]) *
			UINT64_C(0x100000001b3);
	return value;
}

struct span span_trim(struct span span)
{
	while (span.length && is_blank(span.start[0]))
		span = span_skip(span, 1);
	while (span.length && is_blank(span.start[span.length - 1]))
		span.length--;
	return span;
}

struct span span_word(struct span *rest)
{
	while (rest->length && is_blank(rest->start[0]))
		*rest = span_skip(*rest, 1);

	struct span word = {rest->start, 0};

	while (word.length < rest->length && !is_blank(word.start[word.length]))
		word.length++;
	*rest = span_skip(*rest, word.length);
	if (rest->length)
		*rest = span_skip(*rest, 1);
	return word;
}

int span_to_u64(struct span span, uint64_t *value)
{
	uint64_t sum = 0;

	if (!span.length)
		return -EINVAL;
	for (size_t i = 0; i < span.length; i++)
		if (!is_digit(span.start[i]))
			return -EINVAL;
	for (size_t i = 0; i < span.length; i++) {
		uint64_t digit = (uint64_t)(span.start[i] - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return 0;
}

int span_to_pid(struct span span, int *pid)
{
	uint64_t value;
	int error = span_to_u64(span, &value);

	if (error)
		return error;
	if (value == 0 || value > INT_MAX)
		return -ERANGE;
	*pid = (int)value;
	return 0;
}

int span_to_thousandths(struct span span, uint64_t *value)
{
	struct span whole = span, fraction = {span.start, 0};
	uint64_t units, thousandths = 0;

	if (span_split(&span, '.', &whole)) {
		fraction = span;
		if (fraction.length < 1 || fraction.length > 3 ||
		    span_to_u64(fraction, &thousandths))
			return -EINVAL;
	}
	for (size_t i = fraction.length; i < 3; i++)
		thousandths *= 10;

	int error = span_to_u64(whole, &units);

	if (error)
		return error;
	if (units > (UINT64_MAX - thousandths) / 1000)
		return -ERANGE;
	*value = units * 1000 + thousandths;
	return 0;
}

int span_copy(struct span span, char *buffer, size_t size)
{
	if (span.length >= size)
		return -ENAMETOOLONG;
	if (span.length)
		memcpy(buffer, span.start, span.length);
	buffer[span.length] = '\0';
	return 0;
}

void text_make_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void text_escape(const char *text, char *buffer, size_t size)
{
	size_t used = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c > ' ' && c < 0x7f && c != '\\';

		if (used + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			buffer[used++] = (char)c;
			continue;
		}
		buffer[used++] = '\\';
		buffer[used++] = (char)('0' + (c >> 6));
		buffer[used++] = (char)('0' + (c >> 3 & 7));
		buffer[used++] = (char)('0' + (c & 7));
	}
	buffer[used] = '\0';
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

int text_unescape(struct span span, char *buffer, size_t size)
{
	size_t used = 0;

	while (span.length) {
		unsigned c = (unsigned char)span.start[0];
		size_t taken = 1;

		if (c == '\\') {
			const char *o = span.start + 1;

			taken = 4;
			if (span.length < taken || o[0] > '3' ||
			    !is_octal(o[0]) || !is_octal(o[1]) ||
			    !is_octal(o[2]))
				return -EINVAL;
			c = (unsigned)(o[0] - '0') << 6 |
			    (unsigned)(o[1] - '0') << 3 |
			    (unsigned)(o[2] - '0');
		}
		if (!c)
			return -EINVAL; /* it would end the text */
		if (used + 1 >= size)
			return -ENAMETOOLONG;
		buffer[used++] = (char)c;
		span = span_skip(span, taken);
	}
	buffer[used] = '\0';
	return 0;
}

/* One character of a set, or the end of a range, that \ may precede. */
static unsigned char take(const char **pattern)
{
	if (**pattern == '\\' && (*pattern)[1])
		(*pattern)++;
	return (unsigned char)*(*pattern)++;
}

/*
 * pattern is behind a "["; what follows the "]", or NULL if c is not in the
 * set.  *is_set is false if there is no "]": then "[" is a plain character.
 */
static const char *match_set(const char *pattern, unsigned char c, bool *is_set)
{
	bool is_inverted = *pattern == '!' || *pattern == '^';
	bool is_found = false;
	const char *start = pattern += is_inverted;

	*is_set = true;
	while (*pattern && (*pattern != ']' || pattern == start)) {
		unsigned char low = take(&pattern), high = low;

		if (*pattern == '-' && pattern[1] && pattern[1] != ']') {
			pattern++;
			high = take(&pattern);
		}
		is_found |= low <= c && c <= high;
	}
	*is_set = *pattern;
	return *is_set && is_found != is_inverted ? pattern + 1 : NULL;
}

/* What follows the first element of pattern, or NULL if c is not like it. */
static const char *match_one(const char *pattern, char c)
{
	bool is_set;
	const char *rest;

	switch (*pattern) {
	case '?':
		return pattern + 1;
	case '[':
		rest = match_set(pattern + 1, (unsigned char)c, &is_set);
		return is_set || c != '[' ? rest : pattern + 1;
	case '\\':
		pattern++;
		break;
	default:
		break;
	}
	return *pattern && *pattern == c ? pattern + 1 : NULL;
}

/* Of several "*" only the last can have to take more than it did. */
bool text_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		const char *rest = match_one(pattern, *text);

		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (rest) {
			pattern = rest;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

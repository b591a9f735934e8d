/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text as a span: where it starts and how long it is, so that parsers walk
 * over what they were given without copying or changing it.  Every conversion
 * takes the whole span or fails: there is no half a number.
 */
#ifndef THRASH_CORE_TEXT_H
#define THRASH_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *start; /* somebody else's memory, not terminated */
	size_t length;
};

/* For "%.*s". */
#define SPAN_FORMAT(span) (int)(span).length, (span).start

struct span span_of(const char *text);
bool span_equals(struct span span, const char *text);

/* Takes the next line (without its newline) off the front of *rest. */
struct span span_line(struct span *rest);

/*
 * Takes the next word off the front of *rest, with the blanks before it and
 * one after it.  Blanks are space and tab.  An empty word: there was none.
 */
struct span span_word(struct span *rest);

/* FNV-1a: the same for the same text; for others most likely another. */
uint64_t span_hash(struct span span);

/* Without the blanks at both ends. */
struct span span_trim(struct span span);

/* Splits at the first occurrence of c; false and nothing taken without one. */
bool span_split(struct span *rest, char c, struct span *before);

/* Digits only; -EINVAL, or -ERANGE above UINT64_MAX. */
int span_to_u64(struct span span, uint64_t *value);

/* A positive int such as a pid; -EINVAL or -ERANGE. */
int span_to_pid(struct span span, int *pid);

/*
 * Digits with at most three behind a point ("0.05"), as thousandths (50), so
 * that seconds become ms without floating point; -EINVAL or -ERANGE.
 */
int span_to_thousandths(struct span span, uint64_t *value);

/* Copies and terminates; -ENAMETOOLONG and nothing copied if it won't fit. */
int span_copy(struct span span, char *buffer, size_t size);

/*
 * Makes text one line that no terminal obeys: control characters, which may
 * have come with a name that somebody else chose, become question marks.
 */
void text_make_line(char *text);

enum { TEXT_ESCAPED_COMMAND = 64 };

/*
 * Writes text so that it is one word of printable ASCII: every other byte,
 * the backslash and the blank become \ooo (as the kernel does in
 * /proc/mounts).  What does not fit is cut between two characters.
 */
void text_escape(const char *text, char *buffer, size_t size);

/* Undoes text_escape(); -EINVAL for a bad escape, -ENAMETOOLONG. */
int text_unescape(struct span span, char *buffer, size_t size);

/*
 * Whether a shell pattern (* ? [a-z] [!a-z] \*) is true of the whole text, as
 * fnmatch() without flags does it in the C locale, but for [[:alpha:]].  libc
 * has it for all locales: 34 kB of a static program.
 */
bool text_matches(const char *pattern, const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the locks in /proc/locks that have somebody waiting. */
#include "core/locks.h"

#include "core/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	LOCKS_PIECE = 4096, /* some 60 lines */
	/* What comes behind is not looked at: each piece takes its time. */
	LOCKS_PIECES = 4,
};

bool locks_has(const struct locks *locks, pid_t pid)
{
	for (size_t i = 0; i < locks->count; i++)
		if (locks->awaited[i] == pid)
			return true;
	return false;
}

/*
 * "1: POSIX  ADVISORY  WRITE 812 08:01:1234 0 EOF", and for each that waits
 * for it "1: -> POSIX ..." after that.  The holder is 0 where it is in another
 * PID namespace, and -1 if the lock belongs to an open file.
 */
static void parse_line(struct locks *locks, struct span line)
{
	struct span word;
	pid_t pid;

	(void)span_word(&line); /* the number */
	word = span_word(&line);

	if (span_equals(word, "->")) {
		if (locks->holder && !locks_has(locks, locks->holder) &&
		    locks->count < LOCKS_HOLDERS)
			locks->awaited[locks->count++] = locks->holder;
		return;
	}
	locks->holder = 0;
	(void)span_word(&line); /* ADVISORY, MANDATORY, ACTIVE, ... */
	(void)span_word(&line); /* READ, WRITE, UNLCK */
	if (span_to_pid(span_word(&line), &pid) == 0)
		locks->holder = pid;
}

void locks_parse(struct locks *locks, struct span text)
{
	while (text.length)
		parse_line(locks, span_line(&text));
}

int locks_read(int proc, struct locks *locks)
{
	int file = file_open_at(proc, "locks");
	char buffer[LOCKS_PIECE];
	size_t length = 0;
	ssize_t count = 1;

	*locks = (struct locks){.count = 0};
	if (file < 0)
		return file;
	for (int piece = 0; piece < LOCKS_PIECES && count > 0; piece++) {
		count = read(file, buffer + length, sizeof(buffer) - length);
		if (count <= 0)
			break;
		length += (size_t)count;

		const char *end = memrchr(buffer, '\n', length);
		size_t whole = end ? (size_t)(end + 1 - buffer) : length;

		locks_parse(locks, (struct span){buffer, whole});
		length -= whole;
		memmove(buffer, buffer + whole, length);
	}

	int error = count < 0 ? -errno : 0;

	(void)close(file);
	return error;
}

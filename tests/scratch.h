/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What several tests need beside their results: bytes to parse, a directory of
 * their own, and a child for whatever may hang, die or change its process.
 */
#ifndef THRASH_TESTS_SCRATCH_H
#define THRASH_TESTS_SCRATCH_H

#include "core/text.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
/* A literal with the NUL bytes in it: in a table, and as a struct span. */
#define BYTES(literal)                       \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
#define SPAN(literal) ((struct span)BYTES(literal))

/* For what must be there before anything can be tested; result or exit. */
static inline int need(int result, const char *what)
{
	if (result >= 0)
		return result;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* A new directory below TMPDIR (or /tmp) that scratch_close() removes. */
struct scratch {
	char path[256];
	int directory;
};

static inline void scratch_open(struct scratch *scratch)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(scratch->path, sizeof(scratch->path),
		       "%s/thrash-test-XXXXXX", parent ? parent : "/tmp");
	need(mkdtemp(scratch->path) ? 0 : -1, scratch->path);
	scratch->directory =
		need(open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		     scratch->path);
}

static inline int scratch_remove_one(const char *path,
				     const struct stat *status, int type,
				     struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static inline void scratch_close(struct scratch *scratch)
{
	(void)close(scratch->directory);
	(void)nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file as a test finds it lying there; mode whatever the umask. */
static inline void scratch_write(int directory, const char *name,
				 const char *text, size_t length, mode_t mode)
{
	int file = openat(directory, name,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(file, name);
	need(write(file, text, length) == (ssize_t)length ? 0 : -1, name);
	need(fchmod(file, mode), name);
	(void)close(file);
}

/* The text of a small file, or "(none)". */
static inline const char *scratch_text(int directory, const char *name,
				       char *buffer, size_t size)
{
	int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, buffer, size - 1);

	if (file >= 0)
		(void)close(file);
	if (length < 0)
		return "(none)";
	buffer[length] = '\0';
	return buffer;
}

enum { CHILD_SECONDS = 5, CHILD_SKIPS = 77 };

/*
 * What work returns (0 to 255) when it runs in a child, or minus the signal
 * that ended it: -SIGALRM after CHILD_SECONDS.
 */
static inline int child_run(int (*work)(void *argument), void *argument)
{
	int status = 0;
	pid_t child;

	(void)fflush(stdout);
	child = need(fork(), "fork");
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		_exit(work(argument));
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#endif

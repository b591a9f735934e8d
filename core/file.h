/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small files, read whole and replaced whole.  Names are relative to a
 * directory descriptor: no path is looked up twice, and a test passes another
 * directory.  Nothing here follows a link in the last component, waits on a
 * FIFO or leaves a descriptor open across exec.
 */
#ifndef THRASH_CORE_FILE_H
#define THRASH_CORE_FILE_H

#include "core/text.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* A directory for the functions below; a descriptor or -errno. */
int directory_open(const char *path);

/* An open descriptor for file_read(), or -errno; -EINVAL if not a file. */
int file_open_at(int directory, const char *name);

/*
 * What anybody but root, us and *owner can write, file or directory, is not.
 * Of one that is, *owner is then whose it is.
 */
bool file_is_trusted(int file, uid_t *owner);

/*
 * Reads an open file from its beginning into buffer; *text is what was read,
 * also terminated with a NUL.  -EFBIG if it is larger than size - 1 bytes.
 */
int file_read(int file, char *buffer, size_t size, struct span *text);

/*
 * The same in one call, for files that the kernel makes in one piece (of
 * /proc: pressure, stat, status), whose end need not be looked for.
 */
int file_read_piece(int file, char *buffer, size_t size, struct span *text);

/* Opens, reads and closes. */
int file_read_at(int directory, const char *name, char *buffer, size_t size,
		 struct span *text);

/*
 * Puts text under name in one step: a new file, then a rename, so that no
 * reader ever sees half of it and nobody else's file is written through.  The
 * new file belongs to the caller and has exactly mode; its time of
 * modification is *modified, or now for NULL.  On error nothing is left.
 */
int file_replace_at(int directory, const char *name, struct span text,
		    mode_t mode, const struct timespec *modified);

/* The same in pieces. */
struct file_replacement {
	int directory;    /* not ours */
	const char *name; /* not ours */
	int file;         /* owned: for file_write() */
	char temporary[NAME_MAX + 1];
};

int file_replacement_open(struct file_replacement *replacement, int directory,
			  const char *name);

/* Writes all of it. */
int file_write(int file, struct span text);

/* If error, which is then returned, everything stays as it was. */
int file_replacement_close(const struct file_replacement *replacement,
			   int error, mode_t mode,
			   const struct timespec *modified);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads small files whole, and replaces them in one step. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int directory_open(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return directory < 0 ? -errno : directory;
}

int file_open_at(int directory, const char *name)
{
	/* O_NONBLOCK: a FIFO planted under this name must not hold us up */
	int file = openat(directory, name,
			  O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (file < 0)
		return -errno;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
		return file;
	(void)close(file);
	return -EINVAL;
}

bool file_is_trusted(int file, uid_t *owner)
{
	struct stat status;

	if (fstat(file, &status) != 0 ||
	    (status.st_uid != 0 && status.st_uid != geteuid() &&
	     status.st_uid != *owner) ||
	    status.st_mode & (S_IWGRP | S_IWOTH))
		return false;
	*owner = status.st_uid;
	return true;
}

int file_read(int file, char *buffer, size_t size, struct span *text)
{
	size_t length = 0;

	while (length < size) {
		ssize_t count = pread(file, buffer + length, size - length,
				      (off_t)length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0) {
			buffer[length] = '\0';
			*text = (struct span){buffer, length};
			return 0;
		}
		length += (size_t)count;
	}
	return -EFBIG;
}

int file_read_piece(int file, char *buffer, size_t size, struct span *text)
{
	ssize_t count;

	do
		count = pread(file, buffer, size, 0);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	if ((size_t)count == size)
		return -EFBIG;
	buffer[count] = '\0';
	*text = (struct span){buffer, (size_t)count};
	return 0;
}

int file_read_at(int directory, const char *name, char *buffer, size_t size,
		 struct span *text)
{
	int file = file_open_at(directory, name);

	if (file < 0)
		return file;

	int error = file_read(file, buffer, size, text);

	(void)close(file);
	return error;
}

/*
 * Makes the new file and says how it is called.  What is there already was
 * planted or left by a crash: it is unlinked.  What cannot be unlinked, such
 * as a directory, is avoided with a name that nobody can foresee.
 */
static int create_at(int directory, const char *name,
		     char temporary[NAME_MAX + 1])
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	unsigned number = 0;

	for (int attempt = 0; attempt < 4; attempt++) {
		int length = attempt < 2 ? snprintf(temporary, NAME_MAX + 1,
						    ".%s.new", name)
					 : snprintf(temporary, NAME_MAX + 1,
						    ".%s.%x.new", name, number);

		if (length < 0 || length > NAME_MAX)
			return -ENAMETOOLONG;

		int file = openat(directory, temporary, flags, 0600);

		if (file >= 0)
			return file;
		if (errno != EEXIST)
			return -errno;
		(void)unlinkat(directory, temporary, 0);
		if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
			number++; /* Linux before 3.17 */
	}
	return -EEXIST;
}

int file_write(int file, struct span text)
{
	while (text.length) {
		ssize_t count = write(file, text.start, text.length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		text.start += count;
		text.length -= (size_t)count;
	}
	return 0;
}

int file_replacement_open(struct file_replacement *replacement, int directory,
			  const char *name)
{
	replacement->directory = directory;
	replacement->name = name;
	replacement->file = create_at(directory, name, replacement->temporary);
	return replacement->file < 0 ? replacement->file : 0;
}

static int settle(int file, mode_t mode, const struct timespec *modified)
{
	struct timespec times[2];

	if (fchmod(file, mode) != 0)
		return -errno;
	if (!modified)
		return 0;
	times[0] = times[1] = *modified;
	return futimens(file, times) == 0 ? 0 : -errno;
}

int file_replacement_close(const struct file_replacement *replacement,
			   int error, mode_t mode,
			   const struct timespec *modified)
{
	int directory = replacement->directory;

	if (!error)
		error = settle(replacement->file, mode, modified);
	if (close(replacement->file) != 0 && !error)
		error = -errno;
	if (!error && renameat(directory, replacement->temporary, directory,
			       replacement->name) != 0)
		error = -errno;
	if (error)
		(void)unlinkat(directory, replacement->temporary, 0);
	return error;
}

int file_replace_at(int directory, const char *name, struct span text,
		    mode_t mode, const struct timespec *modified)
{
	struct file_replacement replacement;
	int error = file_replacement_open(&replacement, directory, name);

	if (error)
		return error;
	return file_replacement_close(&replacement,
				      file_write(replacement.file, text), mode,
				      modified);
}

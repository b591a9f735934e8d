/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the marker file. */
#include "daemon/marker.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PID_LENGTH = 12, MARKER_SIZE = STATE_FROZEN * PID_LENGTH + 1 };

/* As a daemon makes it; whatever else has the name is none. */
static bool is_marker(const struct stat *status, uid_t owner)
{
	return S_ISREG(status->st_mode) && status->st_uid == owner &&
	       (status->st_mode & 07777) == 0644 && status->st_nlink == 1 &&
	       status->st_size <= MARKER_SIZE;
}

static int remove_one(int directory, const char *name, uid_t owner)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!is_marker(&status, owner))
		return -EEXIST;
	if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* The directory in which it lies, and its name there. */
static int open_parent(const char *path, const char *slash, const char **name)
{
	char parent[PATH_MAX];
	/* "/name" lies in "/" */
	struct span until = {path, slash == path ? 1 : (size_t)(slash - path)};
	int error = span_copy(until, parent, sizeof(parent));

	*name = slash + 1;
	return error ? error : directory_open(parent);
}

int marker_open(struct marker *marker, const char *path)
{
	const char *slash = strrchr(path, '/');

	*marker = (struct marker){.directory = -1};
	if (!slash)
		return 0;

	int directory = open_parent(path, slash, &marker->name);

	if (directory < 0)
		return directory;
	marker->directory = directory;
	return remove_one(directory, marker->name, geteuid());
}

int marker_remove(const char *path, uid_t owner)
{
	const char *slash = strrchr(path, '/'), *name;

	if (!slash)
		return 0;

	int directory = open_parent(path, slash, &name);

	if (directory < 0)
		return directory;

	int error = remove_one(directory, name, owner);

	(void)close(directory);
	return error;
}

void marker_close(struct marker *marker)
{
	if (marker->directory >= 0)
		(void)close(marker->directory);
	marker->directory = -1;
}

static struct span list_pids(const struct state *state, char *text, size_t size)
{
	size_t used = 0;

	for (uint64_t i = 0; i < state->frozen_processes; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%d",
					 i ? " " : "",
					 (int)state->frozen[i].pid);
	text[used++] = '\n';
	return (struct span){text, used};
}

int marker_update(struct marker *marker, const struct state *state,
		  const struct timespec *now)
{
	char text[MARKER_SIZE];

	if (marker->directory < 0)
		return 0;
	if (!state->frozen_processes) {
		if (!marker->is_there)
			return 0;

		int error =
			remove_one(marker->directory, marker->name, geteuid());

		/* else it is ours still, and the next time may do better */
		if (!error || error == -EEXIST)
			marker->is_there = false;
		return error;
	}
	if (!marker->is_there)
		marker->since = *now;
	marker->is_there = true;
	return file_replace_at(marker->directory, marker->name,
			       list_pids(state, text, sizeof(text)), 0644,
			       &marker->since);
}

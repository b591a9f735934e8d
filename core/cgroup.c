/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the memory cgroup of a process, and compares its use to its limit. */
#include "core/cgroup.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct files {
	const char *usage;
	const char *limits[2]; /* NULL: there is one only */
};

static const struct files files_v1 = {
	"memory.usage_in_bytes",
	{"memory.limit_in_bytes"},
};

/* At memory.high the kernel makes those wait who go on, which stalls as well */
static const struct files files_v2 = {
	"memory.current",
	{"memory.max", "memory.high"},
};

static int open_at(int directory, const char *path)
{
	return openat(directory, path,
		      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A directory below root, if it has that file; else -1. */
static int open_if(int root, const char *path, const char *file)
{
	int directory = open_at(root, path);

	if (directory < 0 || faccessat(directory, file, R_OK, 0) == 0)
		return directory;
	(void)close(directory);
	return -1;
}

void cgroups_open(struct cgroups *cgroups, const char *root)
{
	int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*cgroups = (struct cgroups){-1, -1};
	if (top < 0)
		return;
	cgroups->v1 = open_if(top, "memory", files_v1.usage);
	cgroups->v2 = open_if(top, ".", "cgroup.controllers");
	if (cgroups->v2 < 0)
		cgroups->v2 = open_if(top, "unified", "cgroup.controllers");
	(void)close(top);
}

void cgroups_close(struct cgroups *cgroups)
{
	if (cgroups->v1 >= 0)
		(void)close(cgroups->v1);
	if (cgroups->v2 >= 0)
		(void)close(cgroups->v2);
	*cgroups = (struct cgroups){-1, -1};
}

static bool has_memory(struct span controllers)
{
	struct span name;

	while (span_split(&controllers, ',', &name))
		if (span_equals(name, "memory"))
			return true;
	return span_equals(controllers, "memory");
}

/*
 * "4:cpu,memory:/a/b" or, for version 2, "0::/a/b".  Where memory is under
 * version 1, the process has a line of version 2 as well.
 */
static const struct files *find_path(struct span text, char path[PATH_MAX])
{
	const struct files *found = NULL;

	while (text.length && found != &files_v1) {
		struct span line = span_line(&text), number, controllers;
		const struct files *files;

		if (!span_split(&line, ':', &number) ||
		    !span_split(&line, ':', &controllers))
			return NULL;
		if (has_memory(controllers))
			files = &files_v1;
		else if (!controllers.length && span_equals(number, "0"))
			files = &files_v2;
		else
			continue;
		if (span_copy(line, path, PATH_MAX) != 0)
			return NULL;
		found = files;
	}
	return found;
}

/* "max" or a number */
static int read_bytes(int directory, const char *name, uint64_t *bytes)
{
	char buffer[32];
	struct span text;
	int error =
		file_read_at(directory, name, buffer, sizeof(buffer), &text);

	if (error)
		return error;
	*bytes = UINT64_MAX;
	text = span_line(&text);
	return span_equals(text, "max") ? 0 : span_to_u64(text, bytes);
}

static enum process_limit limit_of(int directory, const struct files *files,
				   uint64_t *limit_kib)
{
	/* version 1 says 2^63 less a page for none */
	const uint64_t none = UINT64_C(1) << 62;
	uint64_t least = none, limit, usage;

	for (size_t i = 0; i < 2 && files->limits[i]; i++) {
		int error = read_bytes(directory, files->limits[i], &limit);

		if (error && error != -ENOENT) /* no file, no limit */
			return LIMIT_UNKNOWN;
		if (!error && limit < least)
			least = limit;
	}
	if (least == none)
		return LIMIT_FAR;
	if (read_bytes(directory, files->usage, &usage) != 0)
		return LIMIT_UNKNOWN;
	if (usage < least - least / CGROUP_LEFT_SHARE)
		return LIMIT_FAR;
	*limit_kib = least / 1024;
	return LIMIT_REACHED;
}

static enum process_limit limit_at(int top, const char *path,
				   const struct files *files,
				   uint64_t *limit_kib)
{
	int directory = open_at(top, path);

	if (directory < 0)
		return LIMIT_UNKNOWN;

	enum process_limit limit = limit_of(directory, files, limit_kib);

	(void)close(directory);
	return limit;
}

/*
 * From the mount point, where the administrator's limits are, down to path,
 * which is "/" or "/a/b".
 */
static enum process_limit walk_down(int top, const struct files *files,
				    char *path, uint64_t *limit_kib)
{
	enum process_limit limit = limit_at(top, ".", files, limit_kib);
	char *end = path;

	for (int level = 0; limit == LIMIT_FAR && end[0] && end[1]; level++) {
		if (level == CGROUP_LEVELS)
			return LIMIT_UNKNOWN;
		end = strchrnul(end + 1, '/');

		char next = *end;

		*end = '\0';
		limit = limit_at(top, path + 1, files, limit_kib);
		*end = next;
	}
	return limit;
}

static int read_lines(int proc, pid_t pid, char text[CGROUP_SIZE],
		      struct span *span)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/cgroup", (int)pid);
	return file_read_at(proc, name, text, CGROUP_SIZE, span);
}

/* "/.." is outside of the namespace whose cgroups are mounted here */
static bool is_inside(const char *path)
{
	return path[0] == '/' && !strstr(path, "/..");
}

void cgroups_see_limit(const struct cgroups *cgroups, int proc,
		       struct process *process)
{
	char text[CGROUP_SIZE], path[PATH_MAX];
	struct span span;

	process->limit = LIMIT_UNKNOWN;
	process->limit_kib = 0;
	if (read_lines(proc, process->pid, text, &span) != 0)
		return;

	const struct files *files = find_path(span, path);

	if (!files || !is_inside(path))
		return;

	int top = files == &files_v1 ? cgroups->v1 : cgroups->v2;

	if (top >= 0)
		process->limit =
			walk_down(top, files, path, &process->limit_kib);
}

int cgroup_read_path(int proc, pid_t pid, char path[PATH_MAX])
{
	char text[CGROUP_SIZE];
	struct span span;
	int error = read_lines(proc, pid, text, &span);

	if (error)
		return error;
	while (span.length) {
		struct span line = span_line(&span);

		if (line.length < 3 || memcmp(line.start, "0::", 3) != 0)
			continue;
		line.start += 3;
		line.length -= 3;
		error = span_copy(line, path, PATH_MAX);
		return error || is_inside(path) ? error : -ENOENT;
	}
	return -ENOENT;
}

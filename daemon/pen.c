/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Freezes a cgroup with everybody in it. */
#include "daemon/pen.h"

#include "core/cgroup.h"
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

static int open_directory(int directory, const char *path)
{
	int result = openat(directory, path,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return result < 0 ? -errno : result;
}

int pen_open(int cgroups, const struct facts *facts,
	     const struct process *process)
{
	char path[PATH_MAX];

	if (cgroups < 0 || !facts_find_whole(facts, process->pid, path) ||
	    span_hash(span_of(path)) != process->judged.whole)
		return -ENOENT;
	return open_directory(cgroups, path + 1);
}

/* A cgroup that is being gone through. */
struct level {
	int directory; /* owned */
	off_t next;    /* where in it */
};

struct walk {
	struct level levels[PEN_LEVELS];
	int depth;
	unsigned cgroups_left;
	pid_t *members;
	int count;
};

static int list_processes(struct walk *walk, int cgroup)
{
	char buffer[PEN_MEMBERS * sizeof("4194304")];
	struct span text, line;
	int error = file_read_at(cgroup, "cgroup.procs", buffer, sizeof(buffer),
				 &text);

	if (error == -EOPNOTSUPP) /* for threads: they are listed further up */
		return 0;
	if (error == -ENODEV) /* it was removed just now */
		return 0;
	while (!error && span_split(&text, '\n', &line)) {
		if (walk->count == PEN_MEMBERS)
			return -E2BIG;
		/* 0 is one that we cannot see */
		error = span_to_pid(line, &walk->members[walk->count]);
		walk->count++;
	}
	return error == -EFBIG ? -E2BIG : error;
}

/* One that was removed just now holds nobody. */
static int descend(struct walk *walk, int cgroup, const char *name)
{
	int below;

	if (!walk->cgroups_left-- || walk->depth == PEN_LEVELS)
		return -E2BIG;
	below = open_directory(cgroup, name);
	if (below < 0)
		return below == -ENOENT ? 0 : below;
	walk->levels[walk->depth++] = (struct level){below, 0};
	return list_processes(walk, below);
}

/*
 * Entry by entry, as libc's readdir() would keep its buffers.  1, 0 at the end
 * of the directory, or -errno.
 */
static int next_entry(struct level *level, struct dirent64 *entry)
{
	long size;

	if (lseek(level->directory, level->next, SEEK_SET) < 0)
		return -errno;
	size = syscall(SYS_getdents64, level->directory, entry, sizeof(*entry));
	if (size <= 0)
		return size < 0 ? -errno : 0;
	level->next = entry->d_off;
	return 1;
}

static void ascend(struct walk *walk)
{
	(void)close(walk->levels[--walk->depth].directory);
}

int pen_list(int pen, pid_t members[PEN_MEMBERS])
{
	struct walk walk = {.cgroups_left = PEN_CGROUPS, .members = members};
	struct dirent64 entry = {.d_type = DT_UNKNOWN};
	int error = descend(&walk, pen, ".");

	while (!error && walk.depth) {
		struct level *level = &walk.levels[walk.depth - 1];
		int more = next_entry(level, &entry);

		if (more == 0 || more == -ENOENT)
			ascend(&walk);
		else if (more < 0)
			error = more;
		else if (entry.d_type == DT_DIR && entry.d_name[0] != '.')
			error = descend(&walk, level->directory, entry.d_name);
	}
	while (walk.depth)
		ascend(&walk);
	return error ? error : walk.count;
}

static bool may_be_frozen(const struct judgement *member,
			  const struct judgement *process)
{
	return member->class != CLASS_PROTECTED &&
	       (!member->budget_ms ||
		(process->budget_ms &&
		 member->budget_ms >= process->budget_ms));
}

int pen_check(int pen, const struct facts *facts, const struct process *process,
	      const struct role_moment *moment, struct process *member)
{
	pid_t members[PEN_MEMBERS] = {0};
	int count = pen_list(pen, members);

	for (int i = 0; i < count; i++) {
		if (process_read(facts->proc, members[i], facts->page_kib,
				 member) != 0)
			continue; /* it is gone */
		member->judged = facts_judge_once(facts, member, moment);
		if (!may_be_frozen(&member->judged, &process->judged) &&
		    process_is_alive(facts->proc, members[i],
				     member->start_time))
			return -EPERM;
	}
	return count < 0 ? count : 0;
}

static int write_freeze(int pen, const char *text)
{
	int file =
		openat(pen, "cgroup.freeze", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int error = 0;

	if (file < 0)
		return -errno;
	if (write(file, text, 1) != 1)
		error = -errno;
	(void)close(file);
	return error;
}

static int check_unfrozen(int pen)
{
	char buffer[16];
	struct span text;
	int error = file_read_at(pen, "cgroup.freeze", buffer, sizeof(buffer),
				 &text);

	return error || span_equals(span_line(&text), "0") ? error : -EALREADY;
}

static void name_mark(pid_t pid, uint64_t start_time, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, PEN_MARK ".%d.%" PRIu64, (int)pid,
		       start_time);
}

static void remove_mark(int pen, pid_t pid, uint64_t start_time)
{
	char name[NAME_SIZE];

	name_mark(pid, start_time, name);
	(void)unlinkat(pen, name, AT_REMOVEDIR);
}

int pen_hold(int pen)
{
	return flock(pen, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

int pen_freeze(int pen, pid_t pid, uint64_t start_time)
{
	char name[NAME_SIZE];
	int error = pen_hold(pen);

	if (!error)
		error = check_unfrozen(pen);
	name_mark(pid, start_time, name);
	if (!error && mkdirat(pen, name, 0755) != 0)
		error = -errno;
	if (error)
		return error;
	error = write_freeze(pen, "1");
	if (error)
		remove_mark(pen, pid, start_time);
	return error;
}

int pen_thaw(int pen, pid_t pid, uint64_t start_time)
{
	int error = write_freeze(pen, "0");

	if (!error)
		remove_mark(pen, pid, start_time);
	return error == -ENOENT || error == -ENODEV ? 0 : error;
}

bool pen_is_still(int pen)
{
	char buffer[256];
	struct span text;

	if (file_read_at(pen, "cgroup.events", buffer, sizeof(buffer), &text))
		return false;
	while (text.length)
		if (span_equals(span_line(&text), "frozen 1"))
			return true;
	return false;
}

/* "thrash-protect.whole.1234.5678901" */
static bool is_mark_name(const char *text, pid_t *pid, uint64_t *start_time)
{
	size_t length = strlen(PEN_MARK ".");
	struct span rest = span_of(text), number;

	if (strncmp(text, PEN_MARK ".", length) != 0)
		return false;
	rest.start += length;
	rest.length -= length;
	return span_split(&rest, '.', &number) &&
	       span_to_pid(number, pid) == 0 &&
	       span_to_u64(rest, start_time) == 0;
}

bool pen_is_mark(int pen, const char *name, pid_t *pid, uint64_t *start_time)
{
	struct stat mark, owner;

	return is_mark_name(name, pid, start_time) &&
	       fstatat(pen, name, &mark, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(pen, &owner) == 0 &&
	       (!mark.st_uid || mark.st_uid == geteuid() ||
		mark.st_uid != owner.st_uid);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Freezes a process in a cgroup of its own. */
#include "daemon/cage.h"

#include "core/cgroup.h"
#include "core/file.h"
#include "daemon/pen.h"
#include "daemon/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CAGE_PREFIX "thrash-protect"

enum {
	NAME_SIZE = 64,
	PIECE = 2048, /* of the list of who is in there */
	/* Who forks all the time is not moved in one go. */
	ROUNDS = 32,
	/* Nobody but its owner and root may open it for reading, and hold it.
	 */
	CAGE_MODE = 0711,
	/* No process has this pid; include/linux/threads.h */
	NO_PID = 4 * 1024 * 1024 + 1,
};

static void name_cage(pid_t pid, uint64_t start_time, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, CAGE_PREFIX ".%d.%" PRIu64, (int)pid,
		       start_time);
}

/* "thrash-protect.1234.5678901" */
static bool is_cage_name(const char *text, pid_t *pid, uint64_t *start_time)
{
	struct span rest = span_of(text), prefix, number;

	return span_split(&rest, '.', &prefix) &&
	       span_equals(prefix, CAGE_PREFIX) &&
	       span_split(&rest, '.', &number) &&
	       span_to_pid(number, pid) == 0 &&
	       span_to_u64(rest, start_time) == 0;
}

static int open_directory(int directory, const char *path, int flags)
{
	int result = openat(directory, path,
			    flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return result < 0 ? -errno : result;
}

static int write_at(int directory, const char *name, const char *text)
{
	int file = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return -errno;

	size_t length = strlen(text);
	ssize_t count = write(file, text, length);
	int error = count < 0 ? -errno : 0;

	(void)close(file);
	return error || (size_t)count == length ? error : -EIO;
}

static int move(int cgroup, int pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", pid);
	return write_at(cgroup, "cgroup.procs", text);
}

/*
 * Before Linux 6.18 the wait for forks and exits lies between our look at the
 * pid and the kernel's.  It is had in advance for the pid of nobody; then the
 * pid that is moved was looked at some microseconds before.
 */
static void wait_for_moves(int cgroup)
{
	(void)move(cgroup, NO_PID);
}

static bool is_in(int cgroup, pid_t pid)
{
	char buffer[PIECE];
	size_t kept = 0;
	ssize_t count;
	bool is_found = false;
	int file = openat(cgroup, "cgroup.procs",
			  O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return false;
	while (!is_found &&
	       (count = read(file, buffer + kept, sizeof(buffer) - kept)) > 0) {
		struct span rest = {buffer, kept + (size_t)count}, line;
		int found;

		while (!is_found && span_split(&rest, '\n', &line))
			is_found =
				span_to_pid(line, &found) == 0 && found == pid;
		kept = rest.length;
		memmove(buffer, rest.start, kept);
	}
	(void)close(file);
	return is_found;
}

/* The cgroup of a process; a descriptor or -errno. */
static int open_cgroup_of(int cgroups, int proc, pid_t pid)
{
	char path[PATH_MAX];
	int error = cgroup_read_path(proc, pid, path);

	if (error)
		return error;
	return open_directory(cgroups, path[1] ? path + 1 : ".", O_PATH);
}

int cages_check(int cgroups, int proc)
{
	struct statfs status;

	if (cgroups < 0)
		return -ENOENT;
	if (fstatfs(cgroups, &status) != 0)
		return -errno;
	if (status.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOTSUP;

	int own = open_cgroup_of(cgroups, proc, getpid());

	if (own < 0)
		return own;

	bool is_there = is_in(own, getpid());

	(void)close(own);
	return is_there ? 0 : -EXDEV;
}

/*
 * Whether a child of it can hold processes without change for them: it hands
 * nothing on, and is of the common kind; the root has no kind.
 */
static int check_parent(int parent)
{
	char buffer[256];
	struct span text;
	int error = file_read_at(parent, "cgroup.subtree_control", buffer,
				 sizeof(buffer), &text);

	if (!error && span_trim(span_line(&text)).length)
		error = -EBUSY;
	if (error)
		return error;
	error = file_read_at(parent, "cgroup.type", buffer, sizeof(buffer),
			     &text);
	if (error == -ENOENT)
		return 0;
	return error || span_equals(span_line(&text), "domain") ? error
								: -ENOTSUP;
}

/* -EWOULDBLOCK: somebody else does. */
static int hold(int cage)
{
	return flock(cage, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

/* Opens and holds a cage; -EWOULDBLOCK. */
static int open_held(int parent, const char *name)
{
	int cage = open_directory(parent, name, O_RDONLY);
	int error = cage < 0 ? cage : hold(cage);

	if (error && cage >= 0)
		(void)close(cage);
	return error ? error : cage;
}

/* What we have just made, and not what somebody put in its place. */
static int open_own(int parent, const char *name)
{
	struct stat status;
	int cage = open_held(parent, name);

	if (cage < 0 ||
	    (fstat(cage, &status) == 0 && status.st_uid == geteuid()))
		return cage;
	(void)close(cage);
	return -EPERM;
}

static int make(int parent, const char *name)
{
	if (mkdirat(parent, name, CAGE_MODE) != 0)
		return -errno;

	int cage = open_own(parent, name);
	int error = cage < 0 ? cage : write_at(cage, "cgroup.freeze", "1");

	if (!error)
		return cage;
	if (cage >= 0)
		(void)close(cage);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
	return error;
}

static int move_in(int cage, int proc, pid_t pid, uint64_t start_time)
{
	wait_for_moves(cage);

	int error = stop_check(proc, pid, start_time);

	if (!error)
		error = move(cage, pid);
	if (!error && !process_is_alive(proc, pid, start_time))
		error = -ESRCH;
	return error;
}

int cage_freeze(int cgroups, int proc, pid_t pid, uint64_t start_time)
{
	char name[NAME_SIZE];
	int error = stop_check(proc, pid, start_time);

	if (error)
		return error;

	int parent = open_cgroup_of(cgroups, proc, pid);

	if (parent < 0)
		return parent;
	name_cage(pid, start_time, name);
	error = check_parent(parent);

	int cage = error ? error : make(parent, name);

	(void)close(parent);
	if (cage < 0)
		return cage;
	error = move_in(cage, proc, pid, start_time);
	if (!error || cage_thaw(cage, pid, start_time) != 0)
		return cage; /* it may be in there */
	return error;
}

static bool is_frozen(int cage)
{
	char buffer[256];
	struct span text;

	if (file_read_at(cage, "cgroup.events", buffer, sizeof(buffer),
			 &text) != 0)
		return false;
	while (text.length)
		if (span_equals(span_line(&text), "frozen 1"))
			return true;
	return false;
}

bool cage_holds(int cage, pid_t pid)
{
	return is_frozen(cage) && is_in(cage, pid);
}

/* Moves those at the front of the list; 0 or what went wrong last. */
static int move_out(int cage, int parent)
{
	char buffer[PIECE];
	int file =
		openat(cage, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int error = 0, pid;

	if (file < 0)
		return -errno;

	ssize_t count = read(file, buffer, sizeof(buffer));
	struct span rest = {buffer, count > 0 ? (size_t)count : 0}, line;

	(void)close(file);
	while (span_split(&rest, '\n', &line)) {
		int failure =
			span_to_pid(line, &pid); /* 0: not for us to see */

		if (!failure)
			failure = move(parent, pid);
		if (failure != 0 && failure != -ESRCH)
			error = failure;
	}
	return error;
}

/* Of a cgroup that somebody else has just removed. */
static bool means_removed(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

/* And not another one that somebody has put in its place. */
static bool is_there(int parent, const char *name, int cage)
{
	struct stat now, own;

	if (fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return !means_removed(-errno);
	return fstat(cage, &own) != 0 || now.st_ino == own.st_ino;
}

/*
 * Moving somebody back is what lets him go on; until then nobody can fork.
 * Where that fails (controllers were enabled there since) they go on in the
 * cage.
 */
static int empty(int cage, int parent, const char *name)
{
	int error = 0;

	wait_for_moves(parent);
	for (int i = 0; i < ROUNDS && !error; i++) {
		error = move_out(cage, parent);
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
			return 0;
	}
	error = write_at(cage, "cgroup.freeze", "0");
	return means_removed(error) && !is_there(parent, name, cage) ? 0
								     : error;
}

int cage_thaw(int cage, pid_t pid, uint64_t start_time)
{
	char name[NAME_SIZE];
	int parent = open_directory(cage, "..", O_PATH);

	name_cage(pid, start_time, name);

	int error = parent < 0 ? write_at(cage, "cgroup.freeze", "0")
			       : empty(cage, parent, name);

	if (parent >= 0)
		(void)close(parent);
	if (!error)
		(void)close(cage);
	return error;
}

/* A directory that is being gone through. */
struct level {
	int directory; /* owned */
	off_t next;    /* where in it */
};

/* The whole way through the tree. */
struct walk {
	struct level levels[CAGE_LEVELS];
	size_t depth;
	unsigned left;          /* cgroups that may still be looked at */
	int error;              /* what went wrong last */
	cage_filter *is_wanted; /* NULL: nobody is who is held */
	const void *context;
	struct log *log;
};

static bool is_to_open(const struct walk *walk, pid_t pid, uint64_t start_time)
{
	return walk->is_wanted &&
	       walk->is_wanted(walk->context, pid, start_time);
}

/* Whoever the mark is for, all in the pen go on. */
static int thaw_left(const struct walk *walk, int pen, pid_t pid,
		     uint64_t start_time)
{
	int error = pen_hold(pen);

	if (error && !is_to_open(walk, pid, start_time))
		return error == -EWOULDBLOCK ? 0 : error;
	error = pen_thaw(pen, pid, start_time);
	if (error)
		log_warning(walk->log, "cannot thaw the cgroup of %d: %s",
			    (int)pid, strerror(-error));
	else
		log_info(walk->log,
			 "thawed the cgroup of %d, which was left frozen",
			 (int)pid);
	return error;
}

static int empty_left(const struct walk *walk, int parent, const char *name,
		      pid_t pid, uint64_t start_time)
{
	int cage = is_to_open(walk, pid, start_time)
			   ? open_directory(parent, name, O_PATH)
			   : open_held(parent, name);
	int error = cage < 0 ? cage : write_at(cage, "cgroup.freeze", "0");

	if (!error)
		error = empty(cage, parent, name);
	if (cage >= 0)
		(void)close(cage);
	if (!error)
		log_info(walk->log, "thawed %d, which was left frozen",
			 (int)pid);
	if (!error || error == -EWOULDBLOCK || means_removed(error))
		return 0;
	log_warning(walk->log, "cannot empty the cgroup %s: %s", name,
		    strerror(-error));
	return error;
}

/*
 * One entry at a time, without libc's readdir(): its buffers would stay ours
 * for good.  1, 0 at the end, or -errno.
 */
static int next_entry(struct level *level, struct dirent64 *entry)
{
	if (lseek(level->directory, level->next, SEEK_SET) < 0)
		return -errno;

	long size = syscall(SYS_getdents64, level->directory, entry,
			    sizeof(*entry));

	if (size <= 0)
		return size < 0 ? -errno : 0;
	level->next = entry->d_off;
	return 1;
}

/* What was removed meanwhile holds nobody. */
static void note(struct walk *walk, int error)
{
	if (error && !means_removed(error))
		walk->error = error;
}

static void descend(struct walk *walk, int parent, const char *name)
{
	int directory;

	if (walk->depth == CAGE_LEVELS)
		return;
	directory = open_directory(parent, name, O_RDONLY);
	if (directory < 0)
		note(walk, directory);
	else
		walk->levels[walk->depth++] = (struct level){directory, 0};
}

/* What lies in a cage as well comes after it, and keeps it from removal. */
static void visit(struct walk *walk, int parent, const char *name)
{
	uint64_t start_time;
	pid_t pid;

	walk->left--;
	if (is_cage_name(name, &pid, &start_time))
		note(walk, empty_left(walk, parent, name, pid, start_time));
	else if (pen_is_mark(parent, name, &pid, &start_time))
		note(walk, thaw_left(walk, parent, pid, start_time));
	descend(walk, parent, name);
}

static void walk_down(struct walk *walk)
{
	struct dirent64 entry = {.d_type = DT_UNKNOWN};

	while (walk->depth) {
		struct level *level = &walk->levels[walk->depth - 1];
		int more = walk->left ? next_entry(level, &entry) : 0;

		if (more > 0) {
			if (entry.d_type == DT_DIR && entry.d_name[0] != '.')
				visit(walk, level->directory, entry.d_name);
			continue;
		}
		note(walk, more);
		(void)close(level->directory);
		walk->depth--;
	}
}

int cages_empty(int cgroups, cage_filter *is_wanted, const void *context,
		struct log *log)
{
	struct walk walk = {
		.left = CAGE_CGROUPS,
		.is_wanted = is_wanted,
		.context = context,
		.log = log,
	};
	struct statfs status;

	if (cgroups < 0)
		return 0;
	if (fstatfs(cgroups, &status) != 0)
		return -errno;
	if (status.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	descend(&walk, cgroups, ".");
	walk_down(&walk);
	if (walk.left)
		return walk.error;
	log_warning(log,
		    "more than %d cgroups: not all were looked at for what "
		    "was left frozen",
		    CAGE_CGROUPS);
	return -EFBIG;
}

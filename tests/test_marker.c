/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that the marker is kept, among things that others planted. */
#include "daemon/marker.h"

#include "tests/scratch.h"

#include <sys/stat.h>

struct fixture {
	struct scratch scratch;
	char path[300];
	struct marker marker;
	struct state state;
	char text[64];
};

static const struct timespec first = {.tv_sec = 1000000};
static const struct timespec later = {.tv_sec = 1000030};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	scratch_open(&f->scratch);
	(void)snprintf(f->path, sizeof(f->path), "%s/marker", f->scratch.path);
}

static void end(struct fixture *f)
{
	marker_close(&f->marker);
	scratch_close(&f->scratch);
}

static void set_frozen(struct fixture *f, uint64_t count)
{
	f->state.frozen_processes = count;
	for (uint64_t i = 0; i < count; i++)
		f->state.frozen[i].pid = (pid_t)(1234 + i);
}

static const char *text_of(struct fixture *f)
{
	return scratch_text(f->scratch.directory, "marker", f->text,
			    sizeof(f->text));
}

static bool is_there(const struct fixture *f)
{
	struct stat status;

	return lstat(f->path, &status) == 0;
}

static void test_life(void)
{
	struct fixture f;
	struct stat status;

	begin(&f);
	is_int(marker_open(&f.marker, f.path), 0, "a marker is opened");
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "nothing is frozen");
	ok(!is_there(&f), "then it is not there");
	set_frozen(&f, 1);
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "something is frozen");
	is_text(text_of(&f), "1234\n", "then it is, with the pid");
	set_frozen(&f, 3);
	(void)marker_update(&f.marker, &f.state, &later);
	is_text(text_of(&f), "1234 1235 1236\n", "all pids are on one line");
	is_int(stat(f.path, &status), 0, "it is a file");
	is_int(status.st_mode & 07777, 0644, "that everybody can read");
	is_int(status.st_mtime, first.tv_sec,
	       "its age is that of the first freeze");
	set_frozen(&f, 0);
	(void)marker_update(&f.marker, &f.state, &later);
	ok(!is_there(&f), "when nothing is frozen it is gone");
	set_frozen(&f, 1);
	(void)marker_update(&f.marker, &f.state, &later);
	is_int(stat(f.path, &status) == 0 ? status.st_mtime : 0, later.tv_sec,
	       "the next time it is new");
	end(&f);
}

static void test_none(void)
{
	struct fixture f;

	begin(&f);
	is_int(marker_open(&f.marker, ""), 0, "no path is no marker");
	set_frozen(&f, 1);
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "which is never an error");
	is_int(marker_open(&f.marker, "/nonexistent/marker"), -ENOENT,
	       "a missing directory is told");
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "and then there is no marker");
	end(&f);
}

static void test_many(void)
{
	struct fixture f;
	struct stat status;

	begin(&f);
	(void)marker_open(&f.marker, f.path);
	set_frozen(&f, STATE_FROZEN);
	for (size_t i = 0; i < STATE_FROZEN; i++)
		f.state.frozen[i].pid = 2147483647;
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "as many as can be frozen fit");
	is_int(stat(f.path, &status) == 0 ? status.st_size : 0,
	       STATE_FROZEN * 11, "all of them");
	end(&f);
}

static void test_left_over(void)
{
	struct fixture f;

	begin(&f);
	scratch_write(f.scratch.directory, "marker", "77\n", 3, 0644);
	is_int(marker_open(&f.marker, f.path), 0, "one that was left is found");
	ok(!is_there(&f), "and removed");
	scratch_write(f.scratch.directory, "marker", "77\n", 3, 0600);
	is_int(marker_open(&f.marker, f.path), -EEXIST,
	       "a file that is not for all to read is none of ours");
	ok(is_there(&f), "and left there");
	(void)unlink(f.path);
	scratch_write(f.scratch.directory, "marker", "77\n", 3, 0644);
	is_int(marker_remove(f.path, geteuid() + 1), -EEXIST,
	       "what is left of another user's daemon is left there");
	is_int(marker_remove(f.path, geteuid()), 0,
	       "unless that is whose it was");
	ok(!is_there(&f), "then it is removed");
	end(&f);
}

/* What others can put there before us. */
static void test_planted(void)
{
	struct fixture f;

	begin(&f);
	(void)marker_open(&f.marker, f.path);
	scratch_write(f.scratch.directory, "target", "precious", 8, 0644);
	need(symlinkat("target", f.scratch.directory, "marker"), "symlink");
	set_frozen(&f, 1);
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "a link at its place is replaced");
	is_text(text_of(&f), "1234\n", "by the marker");
	is_text(scratch_text(f.scratch.directory, "target", f.text,
			     sizeof(f.text)),
		"precious", "what it pointed to is untouched");

	(void)unlink(f.path);
	need(mkfifo(f.path, 0666), "fifo");
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "a FIFO is replaced, not waited on");

	(void)unlink(f.path);
	need(mkdir(f.path, 0777), "directory");
	ok(marker_update(&f.marker, &f.state, &first) < 0,
	   "a directory is an error");
	set_frozen(&f, 0);
	ok(marker_update(&f.marker, &f.state, &first) < 0 && is_there(&f),
	   "and is not removed");
	(void)rmdir(f.path);

	need(symlinkat("target", f.scratch.directory, ".marker.new"), "link");
	set_frozen(&f, 1);
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "a link at the name of the new file does no harm");
	is_text(scratch_text(f.scratch.directory, "target", f.text,
			     sizeof(f.text)),
		"precious", "nor is it followed");

	(void)unlink(f.path);
	need(symlinkat("target", f.scratch.directory, "marker"), "symlink");
	set_frozen(&f, 0);
	ok(marker_update(&f.marker, &f.state, &first) < 0 && is_there(&f),
	   "a link that took its place is not ours to remove");
	end(&f);
}

static void test_foreign(void)
{
	struct fixture f;

	if (geteuid() != 0) {
		skip("only root can plant another user's file");
		return;
	}
	begin(&f);
	scratch_write(f.scratch.directory, "marker", "1\n", 2, 0666);
	need(chown(f.path, 65534, 65534), "chown");
	is_int(marker_open(&f.marker, f.path), -EEXIST,
	       "another user's file is told");
	ok(is_there(&f), "and left there");
	set_frozen(&f, 1);
	is_int(marker_update(&f.marker, &f.state, &first), 0,
	       "until something is frozen");
	is_text(text_of(&f), "1234\n", "then ours takes its place");
	end(&f);
}

/* As somebody whom a mode can keep from it, so in a child. */
static int fail_once(void *argument)
{
	struct fixture *f = argument;

	if (geteuid() == 0 && setuid(65534) != 0)
		return 10;
	if (marker_open(&f->marker, f->path) != 0 ||
	    marker_update(&f->marker, &f->state, &first) != 0)
		return 11;
	set_frozen(f, 0);
	if (chmod(f->scratch.path, 0555) != 0 ||
	    marker_update(&f->marker, &f->state, &first) != -EACCES)
		return 12;
	if (chmod(f->scratch.path, 0755) != 0 ||
	    marker_update(&f->marker, &f->state, &first) != 0)
		return 13;
	return is_there(f);
}

static void test_failure(void)
{
	struct fixture f;

	begin(&f);
	set_frozen(&f, 1);
	if (geteuid() == 0)
		need(chown(f.scratch.path, 65534, 65534), "chown");
	is_int(child_run(fail_once, &f), 0,
	       "what cannot be removed is removed at the next chance");
	end(&f);
}

int main(void)
{
	test_life();
	test_none();
	test_many();
	test_left_over();
	test_planted();
	test_foreign();
	test_failure();
	return done_testing();
}

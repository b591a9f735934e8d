/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests reading and replacing of small files, among hostile ones too. */
#include "core/file.h"

#include "tests/scratch.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* How many names a directory has. */
static unsigned count_names(int directory)
{
	DIR *stream = fdopendir(
		openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned count = 0;

	while (stream && readdir(stream))
		count++;
	if (stream)
		(void)closedir(stream);
	return count - 2; /* "." and ".." */
}

static bool closes_on_exec(int file)
{
	return fcntl(file, F_GETFD) & FD_CLOEXEC;
}

static void test_directory_open(const struct scratch *scratch)
{
	char path[300];
	int directory = directory_open(scratch->path);

	ok(directory >= 0 && closes_on_exec(directory),
	   "a directory is opened and not kept across exec");
	(void)close(directory);
	(void)snprintf(path, sizeof(path), "%s/none", scratch->path);
	is_int(directory_open(path), -ENOENT,
	       "a directory that is not there is told");
	scratch_write(scratch->directory, "plain", "", 0, 0600);
	(void)snprintf(path, sizeof(path), "%s/plain", scratch->path);
	is_int(directory_open(path), -ENOTDIR, "a file is no directory");
	(void)unlinkat(scratch->directory, "plain", 0);
}

static void make_socket(const struct scratch *scratch)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		       "%.90s/socket", scratch->path);
	need(bind(file, (struct sockaddr *)&address, sizeof(address)), "bind");
	(void)close(file);
}

/* In a child: whoever waits on the FIFO is ended by the alarm. */
static int open_fifo(void *argument)
{
	const struct scratch *scratch = argument;

	return -file_open_at(scratch->directory, "fifo");
}

static void test_open(struct scratch *scratch)
{
	int at = scratch->directory, file;

	scratch_write(at, "plain", "text", 4, 0600);
	file = file_open_at(at, "plain");
	ok(file >= 0 && closes_on_exec(file),
	   "a file is opened and not kept across exec");
	ok((fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY,
	   "a file is opened for reading only");
	(void)close(file);
	is_int(file_open_at(at, "none"), -ENOENT,
	       "a file that is not there is told");

	need(symlinkat("plain", at, "link"), "symlinkat");
	is_int(file_open_at(at, "link"), -ELOOP, "a link is not followed");
	need(symlinkat("none", at, "dangling"), "symlinkat");
	is_int(file_open_at(at, "dangling"), -ELOOP,
	       "a link to nothing is not followed");
	need(mkdirat(at, "directory", 0700), "mkdirat");
	is_int(file_open_at(at, "directory"), -EINVAL,
	       "a directory is not a file");
	is_int(file_open_at(AT_FDCWD, "/dev/null"), -EINVAL,
	       "a device is not a file");
	make_socket(scratch);
	ok(file_open_at(at, "socket") < 0, "a socket is not a file");
	need(mkfifoat(at, "fifo", 0600), "mkfifoat");
	is_int(child_run(open_fifo, scratch), EINVAL,
	       "a FIFO is refused at once, not waited on");
}

static void test_read(int at)
{
	char buffer[8];
	struct span text = {NULL, 0};

	scratch_write(at, "seven", "1234567", 7, 0600);
	is_int(file_read_at(at, "seven", buffer, sizeof(buffer), &text), 0,
	       "a file that leaves room for the end of the text is read");
	ok(text.start == buffer && text.length == 7, "as a whole");
	is_text(buffer, "1234567", "and terminated");
	scratch_write(at, "eight", "12345678", 8, 0600);
	is_int(file_read_at(at, "eight", buffer, sizeof(buffer), &text), -EFBIG,
	       "a file one byte larger is too big");
	is_int(file_read_at(at, "seven", buffer, 0, &text), -EFBIG,
	       "any file is too big for no buffer");

	scratch_write(at, "empty", "", 0, 0600);
	is_int(file_read_at(at, "empty", buffer, 1, &text), 0,
	       "an empty file fits into one byte");
	ok(text.length == 0 && buffer[0] == '\0', "as the empty text");
	scratch_write(at, "zero", "a\0b\n", 4, 0600);
	ok(file_read_at(at, "zero", buffer, sizeof(buffer), &text) == 0 &&
		   text.length == 4 && memcmp(buffer, "a\0b\n", 5) == 0,
	   "a NUL byte does not end a file");
	is_int(file_read_at(at, "none", buffer, sizeof(buffer), &text), -ENOENT,
	       "reading a file that is not there is an error");
	is_int(file_read_at(at, "link", buffer, sizeof(buffer), &text), -ELOOP,
	       "reading through a link is an error");
	is_int(file_read(-1, buffer, sizeof(buffer), &text), -EBADF,
	       "reading what is not open is an error");
}

static void test_read_piece(int at)
{
	char buffer[8];
	struct span text = {NULL, 0};
	int file = need(file_open_at(at, "seven"), "seven");

	(void)file_read_piece(file, buffer, sizeof(buffer), &text);
	is_int(file_read_piece(file, buffer, sizeof(buffer), &text), 0,
	       "a file that comes in one piece is read again");
	is_text(buffer, "1234567", "from its beginning, and terminated");
	is_int((int64_t)text.length, 7, "as a whole");
	is_int(file_read_piece(file, buffer, 7, &text), -EFBIG,
	       "a piece that may have been cut is too big");
	is_int(file_read_piece(file, buffer, 0, &text), -EFBIG,
	       "any piece is too big for no buffer");
	(void)close(file);
	is_int(file_read_piece(-1, buffer, sizeof(buffer), &text), -EBADF,
	       "a piece of what is not open is an error");
}

static void test_read_again(int at)
{
	char buffer[16];
	struct span text;
	int file = file_open_at(at, "seven");

	(void)file_read(file, buffer, sizeof(buffer), &text);
	scratch_write(at, "seven", "abc", 3, 0600);
	is_int(file_read(file, buffer, sizeof(buffer), &text), 0,
	       "an open file can be read again");
	is_text(buffer, "abc", "from its beginning, as it is then");
	(void)close(file);
}

/* The kernel writes this file piece by piece while it is read. */
static void test_read_proc(void)
{
	char buffer[64 * 1024];
	struct span text = {NULL, 0};

	is_int(file_read_at(AT_FDCWD, "/proc/self/maps", buffer, sizeof(buffer),
			    &text),
	       0, "a file of /proc that comes in pieces is read");
	ok(text.length > 500 && text.start[text.length - 1] == '\n' &&
		   strstr(buffer, "[stack]"),
	   "up to its last line");
}

static void test_replace(int at)
{
	char buffer[64];
	struct timespec modified = {.tv_sec = 1000000000, .tv_nsec = 5};
	struct stat status;
	mode_t mask = umask(0077);
	unsigned names = count_names(at);

	is_int(file_replace_at(at, "state", SPAN("one\n"), 0644, NULL), 0,
	       "a new file is written");
	is_text(scratch_text(at, "state", buffer, sizeof(buffer)), "one\n",
		"with the text");
	(void)fstatat(at, "state", &status, 0);
	is_int(status.st_mode & 07777, 0644, "with its mode, not the umask's");
	is_int(status.st_uid, geteuid(), "as the caller's");
	ok(status.st_mtim.tv_sec >= time(NULL) - 5,
	   "without a time it is modified now");

	(void)umask(0);
	is_int(file_replace_at(at, "state", SPAN("two\n"), 0600, &modified), 0,
	       "a file is replaced");
	is_text(scratch_text(at, "state", buffer, sizeof(buffer)), "two\n",
		"with the new text");
	(void)fstatat(at, "state", &status, 0);
	is_int(status.st_mode & 07777, 0600, "and the new mode");
	ok(status.st_mtim.tv_sec == 1000000000 && status.st_mtim.tv_nsec == 5,
	   "and the time that was given");
	is_int(file_replace_at(at, "state", (struct span){NULL, 0}, 0644, NULL),
	       0, "a file is replaced with nothing");
	is_text(scratch_text(at, "state", buffer, sizeof(buffer)), "",
		"and is empty then");
	is_int(count_names(at), names + 1, "no other file is left");
	(void)umask(mask);
}

/* Who has the old file open reads on in the old file. */
static void test_one_step(int at)
{
	char buffer[16] = "";
	struct span text;
	int file;

	(void)file_replace_at(at, "state", SPAN("old"), 0644, NULL);
	file = file_open_at(at, "state");
	(void)file_replace_at(at, "state", SPAN("new"), 0644, NULL);
	(void)file_read(file, buffer, sizeof(buffer), &text);
	is_text(buffer, "old", "a reader of the old file is not disturbed");
	(void)close(file);
}

/* Each plants something, under the name or under that of the new file. */
static void plant(int at, const char *name, char kind)
{
	switch (kind) {
	case 'l':
		need(symlinkat("victim", at, name), "symlinkat");
		break;
	case 'd':
		need(symlinkat("none", at, name), "symlinkat");
		break;
	case 'h':
		need(linkat(at, "victim", at, name, 0), "linkat");
		break;
	case 'p':
		need(mkfifoat(at, name, 0666), "mkfifoat");
		break;
	default:
		scratch_write(at, name, "foreign", 7, 0666);
		break;
	}
}

static int replace_victim(void *argument)
{
	int at = *(int *)argument;

	return -file_replace_at(at, "mark", SPAN("1 2\n"), 0644, NULL);
}

static void test_planted(int at)
{
	static const struct {
		char kind;
		const char *what;
	} rows[] = {
		{'l', "a link"},      {'d', "a link to nothing"},
		{'h', "a hard link"}, {'p', "a FIFO"},
		{'f', "a file"},
	};
	static const char *const names[] = {"mark", ".mark.new"};

	scratch_write(at, "victim", "precious", 8, 0600);
	for (size_t i = 0; i < COUNT(rows) * COUNT(names); i++) {
		const char *what = rows[i / 2].what, *name = names[i % 2];
		char mark[16], victim[16];
		struct stat status = {0};

		plant(at, name, rows[i / 2].kind);
		is_int(child_run(replace_victim, &at), 0,
		       "%s planted as %s does not stop the replacement", what,
		       name);
		is_text(scratch_text(at, "mark", mark, sizeof(mark)), "1 2\n",
			"the new text is there in spite of %s as %s", what,
			name);
		is_text(scratch_text(at, "victim", victim, sizeof(victim)),
			"precious", "nothing is written through %s as %s", what,
			name);
		(void)fstatat(at, "mark", &status, AT_SYMLINK_NOFOLLOW);
		ok(S_ISREG(status.st_mode) && status.st_nlink == 1 &&
			   faccessat(at, "none", F_OK, 0) != 0,
		   "what is there is a file of ours, not %s", what);
		(void)unlinkat(at, "mark", 0);
	}
}

/* Anybody can make a directory in /tmp, and only its owner may remove it. */
static void test_planted_directory(int at)
{
	char buffer[16];

	need(mkdirat(at, ".mark.new", 0700), "mkdirat");
	need(mkdirat(at, ".mark.new/full", 0700), "mkdirat");
	is_int(file_replace_at(at, "mark", SPAN("1 2\n"), 0644, NULL), 0,
	       "a directory planted as .mark.new does not stop the "
	       "replacement");
	is_text(scratch_text(at, "mark", buffer, sizeof(buffer)), "1 2\n",
		"the new text is there in spite of that directory");
	(void)unlinkat(at, ".mark.new/full", AT_REMOVEDIR);
	(void)unlinkat(at, ".mark.new", AT_REMOVEDIR);
	(void)unlinkat(at, "mark", 0);
}

static void test_replace_errors(int at)
{
	char name[NAME_MAX + 2];
	unsigned names = count_names(at);

	need(mkdirat(at, "taken", 0700), "mkdirat");
	ok(file_replace_at(at, "taken", SPAN("x"), 0644, NULL) < 0,
	   "a directory is not replaced");
	is_int(count_names(at), names + 1,
	       "and nothing is left of the attempt");
	(void)unlinkat(at, "taken", AT_REMOVEDIR);

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	is_int(file_replace_at(at, name, SPAN("x"), 0644, NULL), -ENAMETOOLONG,
	       "a name without room for that of the new file is refused");
	ok(file_replace_at(at, "", SPAN("x"), 0644, NULL) < 0,
	   "an empty name is refused");
	is_int(count_names(at), names, "and nothing is left of either");
}

/* Writing fails in the middle of the text: the first bytes still fit. */
static int replace_over_limit(void *argument)
{
	int at = *(int *)argument;
	struct rlimit limit = {10, 10};
	unsigned names = count_names(at);
	char buffer[16];

	(void)signal(SIGXFSZ, SIG_IGN);
	if (file_replace_at(at, "state", SPAN("old"), 0644, NULL) ||
	    setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (file_replace_at(at, "state", SPAN("longer than it"), 0644, NULL) !=
	    -EFBIG)
		return 2;
	if (strcmp(scratch_text(at, "state", buffer, sizeof(buffer)), "old") !=
	    0)
		return 3;
	return count_names(at) == names ? 0 : 4;
}

/* The same on a disk with one free page. */
static int replace_on_full_disk(void *argument)
{
	const struct scratch *scratch = argument;
	static const char zeros[4096];
	char text[8192], buffer[16];
	int at;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", scratch->path, "tmpfs", 0, "size=12k") != 0)
		return CHILD_SKIPS;
	at = directory_open(scratch->path);
	scratch_write(at, "filler", zeros, sizeof(zeros), 0600);
	if (file_replace_at(at, "state", SPAN("old"), 0644, NULL) != 0)
		return 1;
	memset(text, 'x', sizeof(text));
	if (file_replace_at(at, "state", (struct span){text, sizeof(text)},
			    0644, NULL) != -ENOSPC)
		return 2;
	if (strcmp(scratch_text(at, "state", buffer, sizeof(buffer)), "old") !=
	    0)
		return 3;
	return count_names(at) == 2 ? 0 : 4;
}

static void test_no_room(struct scratch *scratch)
{
	int result;

	is_int(child_run(replace_over_limit, &scratch->directory), 0,
	       "where a write fails halfway the old file stays, alone");
	result = child_run(replace_on_full_disk, scratch);
	if (result == CHILD_SKIPS)
		skip("a full disk: only root can mount one");
	else
		is_int(result, 0, "on a full disk the old file stays, alone");
}

int main(void)
{
	struct scratch scratch;

	scratch_open(&scratch);
	test_directory_open(&scratch);
	test_open(&scratch);
	test_read(scratch.directory);
	test_read_piece(scratch.directory);
	test_read_again(scratch.directory);
	test_read_proc();
	test_replace(scratch.directory);
	test_one_step(scratch.directory);
	test_planted(scratch.directory);
	test_planted_directory(scratch.directory);
	test_replace_errors(scratch.directory);
	test_no_room(&scratch);
	scratch_close(&scratch);
	return done_testing();
}

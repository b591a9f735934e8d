/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the log: its lines, its limits, and that it holds nobody up. */
#include "core/log.h"

#include "tests/scratch.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

static const uint64_t SECOND_US = 1000000;

/* A log into a pipe, as standard error often is one. */
struct pipe_log {
	struct log log;
	int reader;
};

static void open_pipe(struct pipe_log *piped)
{
	int ends[2];

	need(pipe2(ends, O_CLOEXEC), "pipe");
	need(fcntl(ends[0], F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	log_open_stderr(&piped->log);
	piped->log.file = ends[1];
	piped->log.now_us = 1000 * SECOND_US;
	piped->reader = ends[0];
}

static void close_pipe(struct pipe_log *piped)
{
	(void)close(piped->log.file);
	(void)close(piped->reader);
}

/* Empties the pipe; what was in it, as a text. */
static const char *drain(const struct pipe_log *piped, char *buffer,
			 size_t size)
{
	ssize_t length = 0;
	size_t used = 0;

	while (used + 1 < size && (length = read(piped->reader, buffer + used,
						 size - used - 1)) > 0)
		used += (size_t)length;
	buffer[used] = '\0';
	return buffer;
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void test_lines(void)
{
	char buffer[4096], longest[2000];
	struct pipe_log piped;

	open_pipe(&piped);
	log_info(&piped.log, "%d frozen: %s", 2, "convert");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: 2 frozen: convert\n", "a line is written");
	log_debug(&piped.log, "a detail");
	is_text(drain(&piped, buffer, sizeof(buffer)), "",
		"a line for debugging is not");
	piped.log.is_debug = true;
	log_debug(&piped.log, "a detail");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: a detail\n", "unless that is asked for");
	log_error(&piped.log, "an error");
	log_warning(&piped.log, "a warning");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: an error\nthrash-protect: a warning\n",
		"errors and warnings are lines too");

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_info(&piped.log, "%s", longest);
	(void)drain(&piped, buffer, sizeof(buffer));
	ok(count_lines(buffer) == 1 && strlen(buffer) > 200 &&
		   buffer[strlen(buffer) - 1] == '\n',
	   "a line that is too long is cut, and still a line");
	log_info(&piped.log, "frozen: %s", "a\nthrash-protect: calm\033[2J");
	(void)drain(&piped, buffer, sizeof(buffer));
	is_int(count_lines(buffer), 1,
	       "a newline in a command's name does not make two lines");
	ok(!strchr(buffer, '\033'),
	   "a control character in it does not reach a terminal");
	close_pipe(&piped);
}

static void test_burst(void)
{
	char buffer[8192];
	struct pipe_log piped;

	open_pipe(&piped);
	for (int i = 0; i < 100; i++)
		log_info(&piped.log, "%d", i);
	is_int(count_lines(drain(&piped, buffer, sizeof(buffer))), LOG_BURST,
	       "of a burst only the first lines are written");
	piped.log.now_us += SECOND_US;
	log_info(&piped.log, "later");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: 60 lines were left out\n"
		"thrash-protect: later\n",
		"what was left out is told afterwards");
	log_info(&piped.log, "again");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: again\n", "and told once");
	for (int i = 0; i < 100; i++)
		log_info(&piped.log, "%d", i);
	is_int(count_lines(drain(&piped, buffer, sizeof(buffer))),
	       LOG_PER_SECOND - 2, "a second allows only so many lines more");
	piped.log.now_us += 3600 * SECOND_US;
	(void)drain(&piped, buffer, sizeof(buffer));
	for (int i = 0; i < 100; i++)
		log_info(&piped.log, "%d", i);
	is_int(count_lines(drain(&piped, buffer, sizeof(buffer))),
	       LOG_BURST + 1, "after a long pause another burst is allowed");
	piped.log.now_us = 5;
	log_info(&piped.log, "early");
	ok(strstr(drain(&piped, buffer, sizeof(buffer)), "early"),
	   "a clock that starts anew does not silence the log");
	close_pipe(&piped);
}

/* Lines at an even pace for 100 s, after the burst; how many are written. */
static unsigned written_in_100_s(uint64_t pace_us)
{
	char buffer[16384];
	struct pipe_log piped;
	unsigned count = 0;

	open_pipe(&piped);
	for (int i = 0; i < LOG_BURST; i++)
		log_info(&piped.log, "burst");
	(void)drain(&piped, buffer, sizeof(buffer));
	for (uint64_t us = 0; us < 100 * SECOND_US; us += pace_us) {
		piped.log.now_us += pace_us;
		log_info(&piped.log, "even");
		for (const char *at = drain(&piped, buffer, sizeof(buffer));
		     (at = strstr(at, "even")); at++)
			count++;
	}
	close_pipe(&piped);
	return count;
}

static void test_pace(void)
{
	static const uint64_t paces_us[] = {10000, 100000, 130000, 200000,
					    240000};

	is_int(written_in_100_s(SECOND_US), 100,
	       "one line a second is never left out");
	is_int(written_in_100_s(SECOND_US / 4), 400,
	       "four lines a second are never left out");
	for (size_t i = 0; i < COUNT(paces_us); i++) {
		unsigned count = written_in_100_s(paces_us[i]);

		if (!ok(count >= 396 && count <= 404,
			"of a line each %u ms four a second are written",
			(unsigned)(paces_us[i] / 1000)))
			diag("%u in 100 s", count);
	}
}

/* Nobody reads: lines are dropped, and their number is told later. */
static void test_full_pipe(void)
{
	char buffer[70000];
	struct pipe_log piped;
	unsigned lines = 0;

	open_pipe(&piped);
	while (piped.log.left_out == 0 && lines < 100000) {
		piped.log.now_us += SECOND_US;
		log_info(&piped.log, "line %u", lines++);
	}
	for (unsigned i = 0; i < 9; i++) {
		piped.log.now_us += SECOND_US;
		log_info(&piped.log, "lost");
	}
	is_int(piped.log.left_out, 10,
	       "lines into a full pipe are dropped and counted");
	(void)drain(&piped, buffer, sizeof(buffer));
	is_int(count_lines(buffer), lines - 1,
	       "what is in the pipe is whole lines");
	piped.log.now_us += SECOND_US;
	log_info(&piped.log, "back");
	is_text(drain(&piped, buffer, sizeof(buffer)),
		"thrash-protect: 10 lines were left out\n"
		"thrash-protect: back\n",
		"and told when there is a reader again");
	close_pipe(&piped);
}

/* In a child, whose standard error becomes the file. */
static void open_as_stderr(struct log *log, int file)
{
	need(dup2(file, STDERR_FILENO), "dup2");
	log_open_stderr(log);
	log->now_us = 1000 * SECOND_US;
}

static int write_to_terminal(void *argument)
{
	struct log log;

	open_as_stderr(&log, *(int *)argument);
	for (int i = 0; i < 2000; i++) {
		log.now_us += SECOND_US;
		log_info(&log, "%0300d", i);
	}
	return log.left_out > 0 ? 0 : 1;
}

/* A terminal whose window hangs, as one over a slow ssh does. */
static void test_hung_terminal(void)
{
	int master = need(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "pty");
	int terminal;

	need(grantpt(master), "grantpt");
	need(unlockpt(master), "unlockpt");
	terminal = need(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC),
			"pts");
	is_int(child_run(write_to_terminal, &terminal), 0,
	       "a terminal that hangs does not hold the log up");
	need(tcflow(terminal, TCOOFF), "tcflow");
	is_int(child_run(write_to_terminal, &terminal), 0,
	       "a terminal that is stopped (Ctrl-S) does not either");
	(void)close(terminal);
	(void)close(master);
}

static int write_one(void *argument)
{
	struct log log;

	open_as_stderr(&log, *(int *)argument);
	log_info(&log, "to nobody");
	return log.left_out == 1 ? 0 : 1;
}

static int write_to_nothing(void *argument)
{
	struct log log;

	(void)argument;
	log_open_stderr(&log);
	log.file = -1;
	log_info(&log, "to nobody");
	return log.left_out == 1 ? 0 : 1;
}

static void test_no_reader(void)
{
	int full = need(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
	struct pipe_log piped;

	open_pipe(&piped);
	(void)close(piped.reader);
	is_int(child_run(write_one, &piped.log.file), 0,
	       "a pipe whose reader has gone does not end the caller");
	(void)close(piped.log.file);
	is_int(child_run(write_one, &full), 0,
	       "a line for a full disk is counted");
	(void)close(full);
	is_int(child_run(write_to_nothing, NULL), 0,
	       "a line for a log that is closed is counted");
}

static void test_errno(void)
{
	struct pipe_log piped;
	unsigned wrong = 0;

	open_pipe(&piped);
	for (int i = 0; i < 50; i++) {
		errno = 123;
		log_info(&piped.log, "%d", i);
		wrong += errno != 123;
	}
	(void)close(piped.log.file);
	piped.log.now_us += SECOND_US;
	errno = 123;
	log_info(&piped.log, "into nothing");
	wrong += errno != 123;
	(void)close(piped.reader);
	log_open_stderr(&piped.log);
	piped.log.file =
		need(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
	errno = 123;
	log_info(&piped.log, "to a full disk");
	wrong += errno != 123;
	(void)close(piped.log.file);
	is_int(wrong, 0, "errno survives, whatever becomes of a line");
}

/* The last "thrash-protect..." of a file of its own, behind its date. */
static const char *text_behind_head(const char *line)
{
	const char *at = strstr(line, "]: ");

	return at ? at + 3 : line;
}

static int open_fifo(void *argument)
{
	struct log log;

	return -log_open_file(&log, argument);
}

static void test_file(const struct scratch *scratch)
{
	char path[300], buffer[512] = "";
	struct stat status;
	struct log log;
	mode_t mask = umask(0);
	int file;

	(void)snprintf(path, sizeof(path), "%s/log", scratch->path);
	is_int(log_open_file(&log, path), 0, "a file of its own is made");
	(void)umask(mask);
	ok(fcntl(log.file, F_GETFD) & FD_CLOEXEC, "not kept across exec");
	(void)fstatat(scratch->directory, "log", &status, 0);
	is_int(status.st_mode & 07777, 0640, "not for everybody to read");
	log_info(&log, "first");
	file = log.file;
	log_close(&log);
	ok(fcntl(file, F_GETFD) < 0, "it is closed");

	(void)log_open_file(&log, path);
	log_info(&log, "second");
	log_close(&log);
	(void)scratch_text(scratch->directory, "log", buffer, sizeof(buffer));
	is_int(count_lines(buffer), 2, "it is appended to");
	ok(strncmp(text_behind_head(buffer), "first\n", 6) == 0 &&
		   strcmp(text_behind_head(strchr(buffer, '\n') + 1),
			  "second\n") == 0,
	   "in order");
	ok(strncmp(buffer, "20", 2) == 0 && buffer[4] == '-' &&
		   buffer[10] == 'T' && buffer[19] == 'Z',
	   "its lines begin with the date");
}

static void test_no_file(const struct scratch *scratch)
{
	char path[300], buffer[16];
	struct log log;
	int at = scratch->directory;

	scratch_write(at, "victim", "precious", 8, 0600);
	need(symlinkat("victim", at, "link"), "symlink");
	(void)snprintf(path, sizeof(path), "%s/link", scratch->path);
	is_int(log_open_file(&log, path), -ELOOP, "a link is not followed");
	is_text(scratch_text(at, "victim", buffer, sizeof(buffer)), "precious",
		"nothing is written through it");
	(void)snprintf(path, sizeof(path), "%s", scratch->path);
	is_int(log_open_file(&log, path), -EISDIR, "a directory is no log");
	(void)snprintf(path, sizeof(path), "%s/none/log", scratch->path);
	is_int(log_open_file(&log, path), -ENOENT,
	       "a directory that is not there is told");
	need(mkfifoat(at, "fifo", 0600), "mkfifo");
	(void)snprintf(path, sizeof(path), "%s/fifo", scratch->path);
	ok(child_run(open_fifo, path) > 0, "a FIFO is not waited on");
}

/* Also where standard input was closed, so that the log got its number. */
static void test_close(const struct scratch *scratch)
{
	char path[300];
	struct log log;
	int saved = need(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), "dup");

	log_open_stderr(&log);
	log_close(&log);
	ok(fcntl(STDERR_FILENO, F_GETFD) >= 0,
	   "standard error is never closed");

	(void)snprintf(path, sizeof(path), "%s/log", scratch->path);
	(void)close(STDIN_FILENO);
	is_int(log_open_file(&log, path), 0, "a file may be descriptor 0");
	is_int(log.file, STDIN_FILENO, "where that is free");
	log_close(&log);
	ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "and it is closed too");
	need(dup2(saved, STDIN_FILENO), "dup2");
	(void)close(saved);
}

/* Our own /dev/log, in a mount namespace; the socket that reads it. */
static int make_dev_log(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = "/dev/log"};
	int reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(bind(reader, (struct sockaddr *)&address, sizeof(address)),
	     "/dev/log");
	return reader;
}

static bool hides_dev(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev", "tmpfs", 0, "size=64k") == 0;
}

static int use_syslog(void *argument)
{
	char buffer[128], wanted[128];
	struct log log;
	ssize_t length;
	int reader;

	(void)argument;
	if (!hides_dev())
		return CHILD_SKIPS;
	if (log_open_syslog(&log) != -ENOENT)
		return 1;
	reader = make_dev_log();
	if (log_open_syslog(&log) != 0)
		return 2;
	log_warning(&log, "2 frozen");
	length = recv(reader, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
	if (length < 0)
		return 3;
	buffer[length] = '\0';
	(void)snprintf(wanted, sizeof(wanted),
		       "<28>thrash-protect[%d]: 2 frozen", (int)getpid());
	return strcmp(buffer, wanted) ? 4 : 0;
}

/* A log that writes to our own /dev/log, and the reader; -1: only root can. */
static int open_own_syslog(struct log *log)
{
	int reader;

	if (!hides_dev())
		return -1;
	reader = make_dev_log();
	(void)log_open_syslog(log);
	return reader;
}

/* A syslog that does not read, and whoever comes after it has ended. */
static int use_slow_syslog(void *argument)
{
	char buffer[128];
	struct log log;
	int reader = open_own_syslog(&log);

	(void)argument;
	if (reader < 0)
		return CHILD_SKIPS;
	for (int i = 0; i < 1000; i++) {
		log.now_us += SECOND_US;
		log_info(&log, "%d", i);
	}
	return log.left_out > 0 && recv(reader, buffer, 128, MSG_DONTWAIT) > 0
		       ? 0
		       : 1;
}

static int use_new_syslog(void *argument)
{
	char buffer[128];
	struct log log;
	int reader = open_own_syslog(&log);

	(void)argument;
	if (reader < 0)
		return CHILD_SKIPS;
	(void)close(reader);
	(void)unlink("/dev/log");
	log_info(&log, "while it is away");
	if (log.left_out != 1)
		return 1;
	reader = make_dev_log();
	log.now_us += SECOND_US;
	log_info(&log, "it is back");
	log.now_us += SECOND_US;
	log_info(&log, "and stays");
	return recv(reader, buffer, 128, MSG_DONTWAIT) > 0 ? 0 : 2;
}

static void test_syslog(void)
{
	static const struct {
		int (*use)(void *argument);
		const char *name;
	} rows[] = {
		{use_syslog, "syslog gets its priority, a name and a pid"},
		{use_slow_syslog, "a syslog that is slow holds nobody up"},
		{use_new_syslog, "a syslog that was started anew gets lines"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int result = child_run(rows[i].use, NULL);

		if (result == CHILD_SKIPS)
			skip("%s: only root can try", rows[i].name);
		else
			is_int(result, 0, "%s", rows[i].name);
	}
}

int main(void)
{
	struct scratch scratch;

	scratch_open(&scratch);
	test_lines();
	test_burst();
	test_pace();
	test_full_pipe();
	test_hung_terminal();
	test_no_reader();
	test_errno();
	test_file(&scratch);
	test_no_file(&scratch);
	test_close(&scratch);
	test_syslog();
	scratch_close(&scratch);
	return done_testing();
}

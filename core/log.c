/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes log lines to standard error, syslog or a file, without waiting. */
#include "core/log.h"

#include "core/clock.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_SIZE = 512,
	FACILITY_DAEMON = 3 << 3, /* syslog(3) */
};

void log_open_stderr(struct log *log)
{
	/* our own description of it: O_NONBLOCK must not reach other users */
	struct stat status;
	int file = -1;

	if (fstat(STDERR_FILENO, &status) == 0 &&
	    (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		file = open("/proc/self/fd/2", O_WRONLY | O_APPEND |
						       O_NONBLOCK | O_NOCTTY |
						       O_CLOEXEC);
	*log = (struct log){.file = file < 0 ? STDERR_FILENO : file,
			    .allowance = LOG_BURST};
}

int log_open_syslog(struct log *log)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = "/dev/log"};
	int file =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (file < 0)
		return -errno;
	if (connect(file, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = -errno;

		(void)close(file);
		return error;
	}
	*log = (struct log){
		.file = file, .is_syslog = true, .allowance = LOG_BURST};
	return 0;
}

int log_open_file(struct log *log, const char *path)
{
	int file = open(path,
			O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
				O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			0640);

	if (file < 0)
		return -errno;
	*log = (struct log){
		.file = file, .is_file = true, .allowance = LOG_BURST};
	return 0;
}

void log_close(struct log *log)
{
	if (log->file >= 0 && log->file != STDERR_FILENO)
		(void)close(log->file);
	log->file = -1;
}

/* A bucket of LOG_BURST lines that LOG_PER_SECOND refill. */
static bool may_write(struct log *log)
{
	uint64_t gained =
		(log->now_us - log->since_us) * LOG_PER_SECOND / 1000000;

	if (log->now_us < log->since_us || gained > LOG_BURST)
		gained = LOG_BURST;
	if (gained) {
		log->allowance += (unsigned)gained;
		if (log->allowance > LOG_BURST)
			log->allowance = LOG_BURST;
		/* what is not yet a whole line counts next time */
		log->since_us = gained < LOG_BURST
					? log->since_us + gained * 1000000 /
								  LOG_PER_SECOND
					: log->now_us;
	}
	if (log->allowance == 0)
		return false;
	log->allowance--;
	return true;
}

/* A syslog that was started anew has a new socket. */
static bool send_to_syslog(struct log *log, const char *line, size_t length)
{
	struct log anew = {.file = -1};

	if (send(log->file, line, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if ((errno != ECONNREFUSED && errno != ENOTCONN) ||
	    log_open_syslog(&anew) != 0)
		return false;
	(void)close(log->file);
	log->file = anew.file;
	return send(log->file, line, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* poll() first: standard error may be a pipe that nobody empties. */
static bool send_line(struct log *log, const char *line, size_t length)
{
	struct pollfd writable = {.fd = log->file, .events = POLLOUT};

	if (log->is_syslog)
		return send_to_syslog(log, line, length);
	if (poll(&writable, 1, 0) != 1 || writable.revents != POLLOUT)
		return false;
	return write(log->file, line, length) == (ssize_t)length;
}

static bool send_text(struct log *log, enum log_level level, const char *text)
{
	char head[64] = "", line[LINE_SIZE + sizeof(head)];
	char date[CLOCK_UTC_TEXT];
	const char *program = log->program ? log->program : "thrash-protect";

	/* the journal and syslog add the date by themselves */
	if (log->is_file) {
		clock_format_utc((uint64_t)time(NULL), date);
		(void)snprintf(head, sizeof(head), "%s ", date);
	}
	if (log->is_syslog)
		(void)snprintf(head, sizeof(head), "<%d>",
			       FACILITY_DAEMON | (int)level);

	int length = log->is_file || log->is_syslog
			     ? snprintf(line, sizeof(line), "%s%s[%d]: %s%s",
					head, program, (int)getpid(), text,
					log->is_syslog ? "" : "\n")
			     : snprintf(line, sizeof(line), "%s: %s\n", program,
					text);

	return length > 0 && send_line(log, line, (size_t)length);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	int saved = errno;
	va_list args;

	if (level == LOG_LEVEL_DEBUG && !log->is_debug)
		return;
	if (!may_write(log)) {
		log->left_out++;
		return;
	}
	if (log->left_out) {
		(void)snprintf(text, sizeof(text), "%u lines were left out",
			       log->left_out);
		if (send_text(log, LOG_LEVEL_WARNING, text))
			log->left_out = 0;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_make_line(text);
	if (!send_text(log, level, text))
		log->left_out++;
	errno = saved;
}

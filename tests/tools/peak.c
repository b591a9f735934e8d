/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peak COMMAND...: runs it and prints on standard error what it took:
 * "peak_kib N", the most memory that was resident, from its own start on (so
 * unlike with getrusage() our own size does not count), and "children N", how
 * many processes and threads it has made.  Returns its exit code.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125 };

struct counts {
	uint64_t peak_kib, children;
};

static int begin(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		(void)execv(command[0], command);
	perror(command[0]);
	_exit(FAILED);
}

static uint64_t read_peak_kib(pid_t pid)
{
	static const char key[] = "VmHWM:";
	char path[64], line[256];
	uint64_t kib = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);

	FILE *status = fopen(path, "re");

	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			kib = strtoull(line + sizeof(key) - 1, NULL, 10);
	if (status)
		(void)fclose(status);
	return kib;
}

static int event_of(int status)
{
	return status >> 16;
}

/* At a stop of pid: what it was for, and the signal to go on with. */
static int look(pid_t pid, int status, struct counts *counts)
{
	switch (event_of(status)) {
	case PTRACE_EVENT_EXIT:
		counts->peak_kib = read_peak_kib(pid);
		return 0;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		counts->children++;
		return 0;
	default:
		return WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	}
}

static bool set_options(pid_t pid)
{
	long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		       PTRACE_O_EXITKILL;
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       ptrace(PTRACE_SETOPTIONS, pid, NULL, options) == 0 &&
	       ptrace(PTRACE_CONT, pid, NULL, NULL) == 0;
}

/* Its exit code; -1 if it could not be watched. */
static int watch(pid_t pid, struct counts *counts)
{
	pid_t other;
	int status;

	if (!set_options(pid))
		return -1;
	while ((other = waitpid(-1, &status, __WALL)) > 0) {
		if (other == pid && !WIFSTOPPED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		if (!WIFSTOPPED(status))
			continue;

		/* a child begins with a stop, and is let go on */
		long signal_number =
			other == pid ? look(pid, status, counts) : 0;

		(void)ptrace(PTRACE_CONT, other, NULL, signal_number);
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct counts counts = {0};

	if (argc < 2) {
		(void)fprintf(stderr, "usage: peak COMMAND...\n");
		return FAILED;
	}

	pid_t pid = fork();

	if (pid == 0)
		return begin(argv + 1);

	int code = pid > 0 ? watch(pid, &counts) : -1;

	if (code < 0) {
		(void)fprintf(stderr, "peak: %s could not be watched\n",
			      argv[1]);
		return FAILED;
	}
	(void)fprintf(stderr, "peak_kib %" PRIu64 "\nchildren %" PRIu64 "\n",
		      counts.peak_kib, counts.children);
	return code;
}

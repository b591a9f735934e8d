/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what is left when privileges were dropped, in children of our own. */
#include "daemon/privilege.h"

#include "tests/tap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether a child that has dropped its privileges says so. */
static bool child_says(bool (*question)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		(void)privilege_drop();
		_exit(question() ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Of a line of /proc/self/status; all ones when there is none. */
static uint64_t status_mask(const char *name)
{
	char line[256];
	uint64_t mask = UINT64_MAX;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			mask = strtoull(line + strlen(name), NULL, 16);
	if (file)
		(void)fclose(file);
	return mask;
}

/* kill, ptrace, nice, resource, lock, three to pass by modes of files */
static bool has_few_capabilities(void)
{
	const uint64_t few = 1U << 5 | 1U << 19 | 1U << 23 | 1U << 24 |
			     1U << 14 | 1U << 1 | 1U << 2 | 1U << 3;

	/* who is not root cannot lower the bound, and never comes up to it */
	return !(status_mask("CapEff:") & ~few) &&
	       !(status_mask("CapPrm:") & ~few) &&
	       (geteuid() != 0 || !(status_mask("CapBnd:") & ~few)) &&
	       status_mask("CapInh:") == 0;
}

static bool has_no_new(void)
{
	return status_mask("NoNewPrivs:") == 1;
}

/* Of the capabilities that are lacking, as many as are looked for. */
static bool tells_what_is_lacking(void)
{
	static const char *const names[] = {
		"without CAP_KILL (",   ", CAP_DAC_OVERRIDE (",
		", CAP_SYS_PTRACE (",   ", CAP_SYS_NICE (",
		", CAP_SYS_RESOURCE (", ", CAP_IPC_LOCK (memory locked",
	};
	char text[PRIVILEGE_TEXT];

	if (geteuid() == 0 && setuid(65534) != 0)
		return false;
	privilege_describe(text);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strstr(text, names[i]))
			return false;
	return !privilege_may_signal() && !privilege_may_move();
}

static bool cannot_become_another(void)
{
	char name[] = "true", *arguments[] = {name, NULL};

	return execv("/bin/true", arguments) != 0 && errno == EPERM;
}

static bool cannot_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM;
}

static bool cannot_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL) != 0 && errno == EPERM;
}

static bool can_still_work(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	return child > 0 && kill(child, SIGSTOP) == 0 &&
	       waitpid(child, &status, WUNTRACED) == child &&
	       WIFSTOPPED(status) && kill(child, SIGKILL) == 0 &&
	       waitpid(child, &status, 0) == child;
}

static bool cannot_write_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED &&
	       mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0;
}

int main(void)
{
	int error = 1, status;
	pid_t child = fork();

	if (child == 0)
		_exit(-privilege_drop());
	if (child > 0 && waitpid(child, &status, 0) == child &&
	    WIFEXITED(status))
		error = WEXITSTATUS(status);
	ok(child_says(has_few_capabilities),
	   "few capabilities are left, and there is no way to more");
	ok(child_says(has_no_new), "nor by any program");
	child = fork();
	if (child == 0)
		_exit(tells_what_is_lacking() ? 0 : 1);
	ok(child > 0 && waitpid(child, &status, 0) == child && status == 0,
	   "a user without any is told all that is lacking");
	ok(child_says(can_still_work), "stopping others is still possible");
	if (error) {
		skip("this kernel cannot forbid system calls or writing code");
		return done_testing();
	}
	ok(child_says(cannot_become_another), "no program can be started");
	ok(child_says(cannot_trace), "nobody can be traced");
	ok(child_says(cannot_mount), "nothing can be mounted");
	ok(child_says(cannot_write_code), "no code can be written");
	return done_testing();
}

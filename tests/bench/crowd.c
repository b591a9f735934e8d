/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crowd COUNT GROWING COMMAND...: runs the command among COUNT processes that
 * do nothing, and GROWING that grow all the time, though they take hardly any
 * memory; and ends them with it.  Meant for a PID namespace.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STEP_BYTES = 1 << 20, /* what the daemon takes for growing */
	BEGIN_STEPS = 20,
	PAUSE_US = 30000, /* a step in each of its turns, and more */
};

static void idle(int memory)
{
	(void)memory;
	(void)pause();
}

/* The same memory once more, which counts as if it were other. */
static bool take_step(int memory)
{
	return mmap(NULL, STEP_BYTES, PROT_READ, MAP_SHARED | MAP_POPULATE,
		    memory, 0) != MAP_FAILED;
}

static void grow(int memory)
{
	for (int i = 0; i < BEGIN_STEPS; i++)
		(void)take_step(memory);
	while (take_step(memory))
		(void)usleep(PAUSE_US);
}

/* Processes that do something as long as we are there. */
static void start(long count, void (*work)(int memory), int memory)
{
	pid_t parent = getpid();

	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0) {
			perror("crowd: fork");
			exit(EXIT_FAILURE);
		}
		if (child > 0)
			continue;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			work(memory);
		_exit(EXIT_SUCCESS);
	}
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? strtol(argv[1], NULL, 10) : 0;
	int memory = memfd_create("crowd", MFD_CLOEXEC), status = 0;
	pid_t command;

	if (count <= 0) {
		fprintf(stderr, "usage: crowd COUNT GROWING COMMAND...\n");
		return EXIT_FAILURE;
	}
	if (memory < 0 || ftruncate(memory, STEP_BYTES) != 0) {
		perror("crowd: memory");
		return EXIT_FAILURE;
	}
	start(count, idle, memory);
	start(strtol(argv[2], NULL, 10), grow, memory);
	command = fork();
	if (command == 0) {
		(void)execvp(argv[3], argv + 3);
		_exit(EXIT_FAILURE);
	}
	while (command > 0 && waitpid(command, &status, 0) != command)
		;
	return command > 0 && WIFEXITED(status) ? WEXITSTATUS(status)
						: EXIT_FAILURE;
}

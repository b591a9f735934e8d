/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spawn COMMAND... [-- COMMAND...]...: runs each command RUNS times, in turns
 * so that all have the same share of whatever disturbs them, and prints a
 * line for each: the median in us from start to end, and its first word.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { COMMANDS = 16, RUNS = 201 };

extern char **environ;

static uint64_t clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* 0 if it could not be run. */
static uint64_t time_us(char **command, posix_spawn_file_actions_t *actions)
{
	uint64_t begin_us = clock_us();
	pid_t pid;
	int status;

	if (!command[0] ||
	    posix_spawn(&pid, command[0], actions, NULL, command, environ) != 0)
		return 0;
	while (waitpid(pid, &status, 0) != pid)
		;
	return clock_us() - begin_us;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Cuts the arguments at each "--". */
static size_t split(char **arguments, char **commands[COMMANDS])
{
	size_t count = 0;

	while (*arguments && count < COMMANDS) {
		commands[count++] = arguments;
		while (*arguments && strcmp(*arguments, "--") != 0)
			arguments++;
		if (*arguments)
			*arguments++ = NULL;
	}
	return count;
}

int main(int argc, char **argv)
{
	static uint64_t times[COMMANDS][RUNS];
	char **commands[COMMANDS];
	size_t count = argc > 1 ? split(argv + 1, commands) : 0;
	posix_spawn_file_actions_t actions;

	if (!count) {
		fprintf(stderr, "usage: spawn COMMAND... [-- COMMAND...]...\n");
		return EXIT_FAILURE;
	}
	(void)posix_spawn_file_actions_init(&actions);
	for (int file = 0; file < 3; file++)
		(void)posix_spawn_file_actions_addopen(&actions, file,
						       "/dev/null", O_RDWR, 0);
	for (size_t run = 0; run < RUNS; run++)
		for (size_t i = 0; i < count; i++)
			times[i][run] = time_us(commands[i], &actions);
	for (size_t i = 0; i < count; i++) {
		qsort(times[i], RUNS, sizeof(*times[i]), by_value);
		printf("%" PRIu64 " %s\n", times[i][RUNS / 2], commands[i][0]);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return EXIT_SUCCESS;
}

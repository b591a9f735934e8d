/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crowd COUNT COMMAND...: runs the command among COUNT processes that do
 * nothing, and ends them with it.  Meant for a PID namespace.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t idle(void)
{
	pid_t parent = getpid(), child = fork();

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		(void)pause();
	_exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	int status = 0;
	pid_t command;

	if (count <= 0) {
		fprintf(stderr, "usage: crowd COUNT COMMAND...\n");
		return EXIT_FAILURE;
	}
	for (long i = 0; i < count; i++)
		if (idle() < 0) {
			perror("crowd: fork");
			return EXIT_FAILURE;
		}
	command = fork();
	if (command == 0) {
		(void)execvp(argv[2], argv + 2);
		_exit(EXIT_FAILURE);
	}
	while (command > 0 && waitpid(command, &status, 0) != command)
		;
	return command > 0 && WIFEXITED(status) ? WEXITSTATUS(status)
						: EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pty COMMAND...
 *
 * Runs a command on a terminal of its own, as sshd does: what comes from
 * standard input is typed there, what the terminal shows goes to standard
 * output.  It ends with the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_NO_COMMAND = 127 };

static int open_terminal(int master, int flags)
{
	const char *name;

	if (grantpt(master) != 0 || unlockpt(master) != 0)
		return -1;
	name = ptsname(master);
	return name ? open(name, flags) : -1;
}

static void become(int terminal, char **command)
{
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) != 0)
		_exit(EXIT_NO_COMMAND);
	/* a shell ignores them for what it runs in the background */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	for (int i = 0; i < 3; i++)
		(void)dup2(terminal, i);
	(void)execvp(command[0], command);
	_exit(EXIT_NO_COMMAND);
}

/* False when nothing more will come. */
static bool copy(int from, int to)
{
	char buffer[4096];
	ssize_t count = read(from, buffer, sizeof(buffer));

	for (ssize_t done = 0; done < count;) {
		ssize_t written =
			write(to, buffer + done, (size_t)(count - done));

		if (written < 0)
			return false;
		done += written;
	}
	return count > 0;
}

static void pass(int master)
{
	struct pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				 {.fd = master, .events = POLLIN}};

	for (;;) {
		if (poll(files, 2, -1) < 0)
			return;
		if (files[0].revents && !copy(STDIN_FILENO, master))
			files[0].fd = -1;
		if (files[1].revents && !copy(master, STDOUT_FILENO))
			return; /* nobody has it open any more */
	}
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2) {
		(void)fprintf(stderr, "Usage: pty COMMAND...\n");
		return EXIT_USAGE;
	}

	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int terminal =
		master < 0
			? -1
			: open_terminal(master, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal < 0) {
		perror("pty");
		return EXIT_FAILURE;
	}

	pid_t child = fork();

	if (child == 0)
		become(terminal, argv + 1);
	(void)close(terminal);
	if (child > 0)
		pass(master);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

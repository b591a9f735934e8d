/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * freeze METHOD PID...
 *
 * Freezes processes as the daemon does it (METHOD: auto, cgroup or signal),
 * prints "frozen PID METHOD" or "refused PID: why" for each and then "ready",
 * looks after them as the daemon does, prints "wanted PID" for whom it lets
 * go on because a signal waits for it, and thaws all in the given order when
 * standard input ends.  Exit status 1 if one was refused.
 */
#include "core/cgroup.h"
#include "core/clock.h"
#include "core/file.h"
#include "daemon/freezer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, LOOK_MS = 50, PIDS_MAX = 64 };

struct freeze {
	struct ledger ledger;
	struct freezer freezer;
	struct process processes[PIDS_MAX];
	bool was_stopped[PIDS_MAX];
	size_t count;
	bool is_refused;
};

static int freeze(struct freezer *freezer, const struct process *process)
{
	int error = freezer_prepare(freezer, process, clock_boottime_us());

	if (!error)
		error = freezer_freeze(freezer, process);
	return error == -EAGAIN ? freezer_freeze(freezer, process) : error;
}

static const char *method_of(const struct freezer *freezer, pid_t pid)
{
	const struct frozen *row = NULL;

	while ((row = freezer_next(freezer, row)))
		if (row->pid == pid)
			return freeze_method_name(
				(enum freeze_method)row->method);
	return "no method";
}

static void begin(struct freeze *freeze_all, pid_t pid)
{
	struct freezer *freezer = &freeze_all->freezer;
	struct process *process = &freeze_all->processes[freeze_all->count];
	int error = process_read(freezer->proc, pid, 4, process);

	if (!error)
		error = freeze(freezer, process);
	if (error) {
		freeze_all->is_refused = true;
		printf("refused %d: %s\n", (int)pid, strerror(-error));
		return;
	}
	freeze_all->count++;
	printf("frozen %d %s\n", (int)pid, method_of(freezer, pid));
}

static void thaw(struct freeze *freeze_all, size_t index)
{
	int error = freezer_thaw(&freeze_all->freezer,
				 &freeze_all->processes[index]);

	if (error && error != -ESRCH)
		printf("cannot thaw %d: %s\n",
		       (int)freeze_all->processes[index].pid, strerror(-error));
}

static void look(struct freeze *freeze_all)
{
	struct freezer *freezer = &freeze_all->freezer;

	for (size_t i = 0; i < freeze_all->count; i++) {
		struct process now;
		pid_t pid = freeze_all->processes[i].pid;

		if (process_read(freezer->proc, pid, 4, &now) != 0)
			continue;
		freezer_see(freezer, &now);
		if (process_is_stopped(&now)) {
			freeze_all->was_stopped[i] = true;
		} else if (freeze_all->was_stopped[i] ||
			   now.state == PROCESS_WANTED) {
			freeze_all->was_stopped[i] = false;
			printf("wanted %d\n", (int)pid);
			thaw(freeze_all, i);
		}
	}
}

/* Until standard input ends. */
static void watch(struct freeze *freeze_all)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;

	do
		look(freeze_all);
	while (poll(&input, 1, LOOK_MS) == 0 ||
	       read(STDIN_FILENO, &byte, 1) > 0);
}

static int choose(const char *text, enum freezer_choice *choice)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	const struct option_row *row =
		options_find(&settings_table, span_of("freezer"));
	struct problem problem;
	int error = settings && row ? options_set(row, text, settings, &problem)
				    : -ENOMEM;

	if (!error)
		*choice = (enum freezer_choice)settings->freezer;
	free(settings);
	return error;
}

int main(int argc, char **argv)
{
	static struct freeze all;
	enum freezer_choice choice;
	struct cgroups cgroups;
	int proc = directory_open("/proc");

	if (argc < 3 || argc > PIDS_MAX + 2 || proc < 0 ||
	    choose(argv[1], &choice) != 0) {
		(void)fprintf(stderr, "Usage: freeze METHOD PID...\n");
		return EXIT_USAGE;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	cgroups_open(&cgroups, CGROUP_ROOT);
	all.ledger.doorbell = -1;
	(void)freezer_open(&all.freezer, &all.ledger, choice, proc, cgroups.v2);
	for (int i = 2; i < argc; i++) {
		int pid = 0;

		(void)span_to_pid(span_of(argv[i]), &pid);
		begin(&all, pid);
	}
	puts("ready");
	watch(&all);
	for (size_t i = 0; i < all.count; i++)
		thaw(&all, i);
	return all.is_refused ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reuse METHOD COUNT
 *
 * COUNT times a process dies and another one, the heir, takes its pid at once,
 * while a thread freezes and thaws the dead one, known by its pid and start
 * time, by METHOD (signal or cgroup), as often as it can.  Prints, a "name
 * number" on each line: the reuses; tries, to freeze; frozen, the tries that
 * did; stopped, continued and caged, the heirs to whom that happened and who
 * stay so.  Needs root and a PID namespace of its own, in which pids can be
 * chosen (Linux 5.5).
 */
#include "core/cgroup.h"
#include "core/file.h"
#include "core/process.h"
#include "core/text.h"
#include "daemon/cage.h"
#include "daemon/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	COUNT_MAX = 1 << 20,
	FIRST_PID = 1000,
	VICTIMS = 128, /* at a time: they share the wait for the next tick */
	/* More than a tick of the clock that start times are told in. */
	TICK_NS = 20000000,
	MOMENT_NS = 10000,
	TRIES = 2, /* before the victim dies, and before the heir is left */
	STATUS_SIZE = 4096,
};

struct victim {
	pid_t pid;
	uint64_t start_time;
};

struct method;

struct race {
	const struct method *method;
	int proc; /* a directory descriptor */
	struct cgroups cgroups;
	char cgroup[STATUS_SIZE]; /* as /proc tells our own */
	struct victim victims[VICTIMS];
	_Atomic(const struct victim *) aim; /* NULL: at nobody */
	atomic_bool is_over;
	atomic_ulong tries, pauses;
	unsigned long frozen, stopped, continued, caged;
};

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void rest(long ns)
{
	const struct timespec time = {.tv_nsec = ns};

	(void)nanosleep(&time, NULL);
}

/*
 * What is tested, once: to freeze one, and to thaw it, whether that was done or
 * not.
 */
struct method {
	const char *name;
	bool (*try)(const struct race *race, const struct victim *victim);
};

static bool try_signal(const struct race *race, const struct victim *victim)
{
	int error = stop_process(race->proc, victim->pid, victim->start_time);

	(void)stop_release(race->proc, victim->pid, victim->start_time);
	return error == 0;
}

static bool try_cgroup(const struct race *race, const struct victim *victim)
{
	int cage = cage_freeze(race->cgroups.v2, race->proc, victim->pid,
			       victim->start_time);

	if (cage >= 0 && cage_thaw(cage, victim->pid, victim->start_time) != 0)
		(void)close(cage);
	return cage >= 0;
}

static const struct method methods[] = {
	{"signal", try_signal},
	{"cgroup", try_cgroup},
};

/* Who dies or begins must not wait for who never rests. */
static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void *freeze_and_thaw(void *argument)
{
	struct race *race = argument;

	stay_on(1);
	while (!atomic_load(&race->is_over)) {
		const struct victim *victim = atomic_load(&race->aim);

		if (!victim) {
			atomic_fetch_add(&race->pauses, 1);
			rest(MOMENT_NS);
			continue;
		}
		race->frozen += race->method->try(race, victim);
		atomic_fetch_add(&race->tries, 1);
	}
	return NULL;
}

static void await_more(atomic_ulong *number, unsigned long more)
{
	unsigned long until = atomic_load(number) + more;

	while (atomic_load(number) < until)
		rest(MOMENT_NS);
}

/* A child with that pid, which waits to be killed. */
static void begin_child(pid_t pid)
{
	struct clone_args arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&pid,
		.set_tid_size = 1,
	};
	long result = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (result < 0)
		fail("clone3 with a pid of our choice");
	if (result > 0)
		return;
	for (;;)
		(void)pause();
}

static void end_child(pid_t pid)
{
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid)
		fail("a child cannot be ended");
}

static void begin_victim(struct race *race, struct victim *victim)
{
	struct process process;

	begin_child(victim->pid);
	if (process_read(race->proc, victim->pid, 1, &process))
		fail("a child cannot be looked at");
	victim->start_time = process.start_time;
}

static void read_file(const struct race *race, pid_t pid, const char *file,
		      char text[STATUS_SIZE])
{
	char name[32];
	struct span span;

	(void)snprintf(name, sizeof(name), "%d/%s", (int)pid, file);
	if (file_read_at(race->proc, name, text, STATUS_SIZE, &span))
		fail("a child cannot be looked at");
}

/* SIGCONT is blocked, so it can be seen; stopping takes it back. */
static void count_harm(struct race *race, pid_t pid)
{
	static const char pending[] = "\nShdPnd:\t", stopped[] = "\nState:\tT";
	char text[STATUS_SIZE];
	const char *mask;

	read_file(race, pid, "cgroup", text);
	race->caged += strcmp(text, race->cgroup) != 0;
	read_file(race, pid, "status", text);
	mask = strstr(text, pending);
	if (!mask)
		fail("an heir tells of no signals");
	race->stopped += strstr(text, stopped) != NULL;
	race->continued +=
		strtoull(mask + strlen(pending), NULL, 16) >> (SIGCONT - 1) & 1;
}

static void take_over(struct race *race, const struct victim *victim)
{
	atomic_store(&race->aim, victim);
	await_more(&race->tries, TRIES);
	end_child(victim->pid);
	begin_child(victim->pid);
	await_more(&race->tries, TRIES);
	atomic_store(&race->aim, NULL);
	await_more(&race->pauses, 1);
	count_harm(race, victim->pid);
	end_child(victim->pid);
}

static void take_over_all(struct race *race, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		begin_victim(race, &race->victims[i]);
	rest(TICK_NS);
	for (unsigned i = 0; i < count; i++)
		take_over(race, &race->victims[i]);
}

static void block_continue(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static void run(struct race *race, unsigned count)
{
	pthread_t thread;

	stay_on(0);
	block_continue();
	cgroups_open(&race->cgroups, CGROUP_ROOT);
	for (int i = 0; i < VICTIMS; i++)
		race->victims[i].pid = FIRST_PID + i;
	race->proc = directory_open("/proc");
	if (race->proc < 0)
		fail("/proc");
	read_file(race, getpid(), "cgroup", race->cgroup);
	if (pthread_create(&thread, NULL, freeze_and_thaw, race) != 0)
		fail("pthread_create");
	for (unsigned done = 0; done < count; done += VICTIMS)
		take_over_all(race,
			      count - done < VICTIMS ? count - done : VICTIMS);
	atomic_store(&race->is_over, true);
	(void)pthread_join(thread, NULL);
}

static bool is_usage(int argc, char **argv, struct race *race, uint64_t *count)
{
	for (size_t i = 0; argc == 3 && i < sizeof(methods) / sizeof(*methods);
	     i++)
		if (strcmp(methods[i].name, argv[1]) == 0)
			race->method = &methods[i];
	return race->method && span_to_u64(span_of(argv[2]), count) == 0 &&
	       *count <= COUNT_MAX;
}

int main(int argc, char **argv)
{
	static struct race race;
	uint64_t count;

	if (!is_usage(argc, argv, &race, &count)) {
		(void)fprintf(stderr, "Usage: reuse signal|cgroup COUNT\n");
		return EXIT_USAGE;
	}
	run(&race, (unsigned)count);
	printf("reuses %" PRIu64 "\ntries %lu\nfrozen %lu\nstopped %lu\n"
	       "continued %lu\ncaged %lu\n",
	       count, atomic_load(&race.tries), race.frozen, race.stopped,
	       race.continued, race.caged);
	return EXIT_SUCCESS;
}

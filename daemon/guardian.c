/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forks the worker, watches over it, and thaws when it cannot. */
#include "daemon/guardian.h"

#include "core/clock.h"
#include "core/file.h"
#include "daemon/notify.h"
#include "daemon/publish.h"
#include "daemon/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIVES = -1 };

static const uint64_t late_us = UINT64_C(1000) * GUARDIAN_LATE_MS;
static const uint64_t grace_us = UINT64_C(1000) * GUARDIAN_GRACE_MS;

/*
 * What would stop both, or end both at once, is better not heard; of a file
 * that must not grow the write tells.
 */
static const int ignored[] = {SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU,
			      SIGUSR1, SIGUSR2, SIGXFSZ};
static const int heeded[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void fill_set(sigset_t *set, int also)
{
	(void)sigemptyset(set);
	for (size_t i = 0; i < COUNT(heeded); i++)
		(void)sigaddset(set, heeded[i]);
	if (also)
		(void)sigaddset(set, also);
}

static int open_signals(int also)
{
	sigset_t set;
	int file;

	fill_set(&set, also);
	file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return file < 0 ? -errno : file;
}

int guardian_open_signals(void)
{
	return open_signals(0);
}

/* Before the fork: then none is lost on either side. */
static void block_signals(void)
{
	sigset_t set;

	fill_set(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static int open_ledger(struct guardian *guardian)
{
	void *memory =
		mmap(NULL, sizeof(*guardian->ledger), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	guardian->ledger = memory; /* all zero: nobody */
	guardian->ledger->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ledger_beat(guardian->ledger, clock_monotonic_us());
	return guardian->ledger->doorbell < 0 ? -errno : 0;
}

/* The worker has its own of everything but the ledger and the lifeline. */
static void become_worker(struct guardian *guardian, const int lifeline[2])
{
	(void)close(lifeline[1]);
	(void)close(guardian->signals);
	(void)close(guardian->proc);
	cgroups_close(&guardian->cgroups);
	guardian->lifeline = lifeline[0];
	guardian->signals = guardian->proc = -1;
}

pid_t guardian_fork(struct guardian *guardian, const char *proc,
		    struct problem *problem)
{
	int lifeline[2], error;

	*guardian = (struct guardian){.status = LIVES};
	block_signals();
	error = open_ledger(guardian);
	if (error)
		return problem_set(problem, error, "no ledger: %s",
				   strerror(-error));
	guardian->proc = directory_open(proc);
	if (guardian->proc < 0)
		return problem_set(problem, guardian->proc, "%s: %s", proc,
				   strerror(-guardian->proc));
	cgroups_open(&guardian->cgroups, CGROUP_ROOT);
	guardian->signals = open_signals(SIGCHLD);
	if (guardian->signals < 0)
		return problem_set(problem, guardian->signals, "signalfd: %s",
				   strerror(-guardian->signals));
	if (pipe2(lifeline, O_CLOEXEC) != 0)
		return problem_set(problem, -errno, "pipe: %s",
				   strerror(errno));
	guardian->worker = fork();
	if (guardian->worker < 0)
		return problem_set(problem, -errno, "fork: %s",
				   strerror(errno));
	if (guardian->worker == 0) {
		become_worker(guardian, lifeline);
		return 0;
	}
	(void)close(lifeline[0]);
	guardian->lifeline = lifeline[1];
	return guardian->worker;
}

/* All children: as PID 1 of a container we have orphans, too. */
static void reap(struct guardian *guardian)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == guardian->worker)
			guardian->status = status;
}

/* The worker's end is due; it is not awaited for ever. */
static void end_worker(struct guardian *guardian, int number)
{
	if (!guardian->is_ending) {
		notify("STOPPING=1");
		ledger_beat(guardian->ledger, clock_monotonic_us());
	}
	guardian->is_ending = true;
	(void)kill(guardian->worker, number);
}

static void heed_signals(struct guardian *guardian)
{
	struct signalfd_siginfo info;

	while (read(guardian->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(guardian);
		else if (guardian->status != LIVES)
			continue; /* its pid may be another's */
		else if (info.ssi_signo != SIGHUP)
			end_worker(guardian, (int)info.ssi_signo);
		else {
			notify_reloading(clock_monotonic_us());
			(void)kill(guardian->worker, SIGHUP);
		}
	}
}

static uint64_t due_us(const struct guardian *guardian)
{
	return atomic_load(&guardian->ledger->due_us);
}

static bool is_late(const struct guardian *guardian, uint64_t now_us)
{
	return now_us >= due_us(guardian) + late_us;
}

/* Whether it matters that the worker gets on. */
static bool must_get_on(const struct guardian *guardian)
{
	return guardian->is_ending || ledger_has_any(guardian->ledger);
}

static bool hangs(struct guardian *guardian, uint64_t now_us)
{
	if (!must_get_on(guardian) || !is_late(guardian, now_us)) {
		guardian->suspected_us = 0;
		return false;
	}
	if (!guardian->suspected_us)
		guardian->suspected_us = now_us;
	return now_us >= guardian->suspected_us + grace_us;
}

static void tell(struct guardian *guardian, uint64_t now_us)
{
	unsigned ready_total = atomic_load(&guardian->ledger->ready_total);

	if (ready_total != guardian->ready_total)
		notify("READY=1");
	guardian->ready_total = ready_total;
	if (!guardian->watchdog_us ||
	    now_us < guardian->told_us + guardian->watchdog_us)
		return;
	if (!is_late(guardian, now_us))
		notify("WATCHDOG=1");
	guardian->told_us = now_us;
}

/* In ms, for poll(); -1: for ever. */
static int wait_for(const struct guardian *guardian, uint64_t now_us)
{
	uint64_t until_us = UINT64_MAX;

	if (must_get_on(guardian))
		until_us = guardian->suspected_us
				   ? guardian->suspected_us + grace_us
				   : due_us(guardian) + late_us;
	if (guardian->watchdog_us &&
	    guardian->told_us + guardian->watchdog_us < until_us)
		until_us = guardian->told_us + guardian->watchdog_us;
	if (until_us == UINT64_MAX)
		return -1;
	return until_us > now_us ? (int)((until_us - now_us) / 1000 + 1) : 0;
}

/* Until something happens, or time is up. */
static void wait_once(struct guardian *guardian, int wait_ms)
{
	int doorbell = guardian->ledger->doorbell;
	struct pollfd files[] = {
		{.fd = guardian->signals, .events = POLLIN},
		{.fd = doorbell, .events = POLLIN},
	};
	uint64_t count;

	if (poll(files, COUNT(files), wait_ms) <= 0)
		return;
	if (files[1].revents && read(doorbell, &count, sizeof(count)) < 0)
		files[1].revents = 0; /* nobody rang */
	if (files[0].revents)
		heed_signals(guardian);
}

static void wait_to_try_again(void)
{
	const struct timespec pause = {.tv_nsec = GUARDIAN_AGAIN_MS * 1000000L};

	(void)nanosleep(&pause, NULL);
}

/* Those that could not be had at the start. */
static void open_cgroups(struct guardian *guardian)
{
	if (guardian->cgroups.v2 >= 0)
		return;
	cgroups_close(&guardian->cgroups);
	cgroups_open(&guardian->cgroups, CGROUP_ROOT);
}

static size_t thaw_all(struct guardian *guardian, struct log *log, size_t *left)
{
	size_t thawed = 0;

	*left = 1;
	for (int i = 0; *left && i < GUARDIAN_TRIES; i++) {
		if (i)
			wait_to_try_again();
		open_cgroups(guardian);
		thawed = ledger_thaw_all(guardian->ledger, guardian->proc,
					 guardian->cgroups.v2, log, left);
	}
	return thawed;
}

/*
 * Killed before the others are thawed, so that it freezes nobody any more;
 * but it may be in the midst of that, and then they are thawed again when it
 * is dead.
 */
static size_t kill_and_thaw(struct guardian *guardian, struct log *log,
			    size_t *left)
{
	uint64_t until_us =
		clock_monotonic_us() + UINT64_C(1000) * GUARDIAN_REAP_MS;
	size_t thawed;

	(void)kill(guardian->worker, SIGKILL);
	thawed = thaw_all(guardian, log, left);
	while (guardian->status == LIVES) {
		uint64_t now_us = clock_monotonic_us();

		if (now_us >= until_us)
			break;
		wait_once(guardian, (int)((until_us - now_us) / 1000 + 1));
	}
	(void)thaw_all(guardian, log, left);
	return thawed;
}

/* As the worker would have done. */
static void settle(const struct guardian *guardian, struct log *log,
		   size_t thawed, size_t left)
{
	const struct ledger *ledger = guardian->ledger;

	log_info(log, "the guardian has thawed %zu", thawed);
	if (left)
		log_error(log, "%zu processes are left frozen", left);
	if (left || !atomic_load(&ledger->has_files))
		return;
	for (int i = 0; i < GUARDIAN_TRIES; i++) {
		if (i)
			wait_to_try_again();
		if (!publish_settle(ledger->run_dir, ledger->marker,
				    guardian->worker))
			return;
	}
}

static int end(struct guardian *guardian, struct log *log)
{
	int status = guardian->status;
	size_t thawed, left;

	if (WIFEXITED(status) && !ledger_has_any(guardian->ledger))
		return WEXITSTATUS(status);
	thawed = thaw_all(guardian, log, &left);
	if (WIFEXITED(status))
		log_error(log, "the worker has left processes frozen");
	else
		log_error(log, "the worker was killed by signal %d",
			  WTERMSIG(status));
	settle(guardian, log, thawed, left);
	return EXIT_FAILURE;
}

static int end_hanging(struct guardian *guardian, struct log *log)
{
	size_t left, thawed = kill_and_thaw(guardian, log, &left);

	log_error(log, "the worker has hung for %d s: killed",
		  GUARDIAN_LATE_MS / 1000);
	settle(guardian, log, thawed, left);
	return EXIT_FAILURE;
}

int guardian_watch(struct guardian *guardian, struct log *log)
{
	guardian->watchdog_us = notify_watchdog_us();
	guardian->told_us = clock_monotonic_us();
	resident_begin_little(log);
	(void)resident_keep(guardian->ledger, LEDGER_URGENT_BYTES);
	for (;;) {
		uint64_t now_us = clock_monotonic_us();

		if (guardian->status != LIVES)
			return end(guardian, log);
		if (hangs(guardian, now_us))
			return end_hanging(guardian, log);
		tell(guardian, now_us);
		wait_once(guardian, wait_for(guardian, now_us));
	}
}

void guardian_close(struct guardian *guardian)
{
	const int files[] = {guardian->ledger->doorbell, guardian->lifeline,
			     guardian->signals, guardian->proc};

	for (size_t i = 0; i < COUNT(files); i++)
		if (files[i] >= 0)
			(void)close(files[i]);
	cgroups_close(&guardian->cgroups);
	(void)munmap(guardian->ledger, sizeof(*guardian->ledger));
	guardian->ledger = NULL;
}

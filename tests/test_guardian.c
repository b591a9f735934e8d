/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests that nobody stays frozen, whichever of the two processes dies and
 * whenever: on children of our own, with a worker that does nothing but freeze
 * and thaw them.
 */
#include "daemon/guardian.h"

#include "core/clock.h"
#include "core/file.h"
#include "daemon/cage.h"
#include "daemon/freezer.h"
#include "tests/scratch.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	VICTIMS = 12,
	WORKER_KILLS = 1000,
	GUARDIAN_KILLS = 300,
	CAGE_KILLS = 100, /* the kernel takes its time to move somebody */
	MOMENT_US = 3000, /* a kill comes at any moment of so many */
	FREE_MS = 1000,   /* within which all must be free */
	LONG_MS = 4000,   /* and no test waits longer */
	FAILURES = 3,     /* are enough */
};

/* What the test and the worker know of each other. */
struct shared {
	_Atomic pid_t worker;
	atomic_uint freezes; /* of this worker */
	atomic_uint frozen;  /* now, as it believes */
};

static struct shared *shared;
static int proc;

/* The last one is stopped by us, as a user does it, and nobody else's. */
static struct process victims[VICTIMS + 1];

static struct log quiet(void)
{
	struct log log;

	log_open_stderr(&log);
	log.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "null");
	return log;
}

/* Whether it is in a cage, which nobody may stay in. */
static bool is_caged(size_t index)
{
	char path[PATH_MAX];

	return cgroup_read_path(proc, victims[index].pid, path) == 0 &&
	       strstr(path, "/thrash-protect.");
}

static bool is_stopped(size_t index)
{
	struct process now;

	return is_caged(index) ||
	       (process_read(proc, victims[index].pid, 4, &now) == 0 &&
		process_is_stopped(&now));
}

/* A signal takes its time. */
static bool becomes_stopped(size_t index)
{
	for (int i = 0; i < LONG_MS && !is_stopped(index); i++)
		(void)usleep(1000);
	return is_stopped(index);
}

static void start_victims(void)
{
	for (size_t i = 0; i <= VICTIMS; i++) {
		pid_t child = need(fork(), "fork");

		if (child == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				(void)pause();
		}
		need(process_read(proc, child, 4, &victims[i]), "a child");
	}
	need(kill(victims[VICTIMS].pid, SIGSTOP), "SIGSTOP");
	need(becomes_stopped(VICTIMS) ? 0 : -1, "SIGSTOP");
}

static void end_victims(void)
{
	for (size_t i = 0; i <= VICTIMS; i++) {
		(void)kill(victims[i].pid, SIGKILL);
		(void)waitpid(victims[i].pid, NULL, 0);
	}
}

static unsigned count_stopped(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < VICTIMS; i++)
		count += is_stopped(i);
	return count;
}

/* How long it took until nobody was stopped, in ms; LONG_MS for too long. */
static unsigned await_freedom(void)
{
	uint64_t start_us = clock_monotonic_us();

	while (count_stopped()) {
		if (clock_monotonic_us() - start_us > LONG_MS * UINT64_C(1000))
			return LONG_MS;
		(void)usleep(100);
	}
	return (unsigned)((clock_monotonic_us() - start_us) / 1000);
}

/* The worker ---------------------------------------------------------------*/

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static bool is_alone(const struct guardian *guardian)
{
	struct pollfd lifeline = {.fd = guardian->lifeline, .events = POLLIN};

	return poll(&lifeline, 1, 0) > 0;
}

/* The worker's. */
static struct freezer freezer;
static enum freezer_choice choice = FREEZER_SIGNAL;
static struct cgroups cgroups;

static void open_freezer(struct guardian *guardian)
{
	(void)freezer_open(&freezer, guardian->ledger, choice, proc,
			   cgroups.v2);
}

static int freeze(size_t index)
{
	int error = freezer_prepare(&freezer, &victims[index], 1);

	return error ? error : freezer_freeze(&freezer, &victims[index]);
}

/* Freezes or thaws one at random, whichever it is not; until it is alone. */
static void play(struct guardian *guardian, uint32_t seed)
{
	bool is_frozen[VICTIMS + 1] = {false};

	while (!is_alone(guardian)) {
		size_t i = next_random(&seed) % (VICTIMS + 1);
		int error = is_frozen[i] ? freezer_thaw(&freezer, &victims[i])
					 : freeze(i);

		if (!error) {
			shared->freezes += !is_frozen[i];
			is_frozen[i] = !is_frozen[i];
			shared->frozen += is_frozen[i] ? 1U : -1U;
		}
		ledger_beat(guardian->ledger, clock_monotonic_us());
	}
	for (size_t i = 0; i < VICTIMS; i++)
		if (is_frozen[i])
			(void)freezer_thaw(&freezer, &victims[i]);
	_exit(EXIT_FAILURE);
}

/* Its turn was due long ago, when it freezes somebody. */
static void hang(struct guardian *guardian, uint32_t seed)
{
	(void)seed;
	ledger_beat(guardian->ledger, 1);
	shared->freezes += freeze(0) == 0;
	for (;;)
		(void)pause();
}

/* It hangs, but not for good. */
static void hang_for_a_while(struct guardian *guardian, uint32_t seed)
{
	(void)seed;
	ledger_beat(guardian->ledger, 1);
	shared->freezes += freeze(0) == 0;
	(void)usleep(GUARDIAN_GRACE_MS * 500);
	ledger_beat(guardian->ledger, clock_monotonic_us());
	(void)usleep(GUARDIAN_GRACE_MS * 1000);
	(void)freezer_thaw(&freezer, &victims[0]);
	_exit(5);
}

/* Hangs too, but nobody is frozen. */
static void idle(struct guardian *guardian, uint32_t seed)
{
	(void)seed;
	ledger_beat(guardian->ledger, 1);
	ledger_tell_ready(guardian->ledger);
	(void)usleep(GUARDIAN_GRACE_MS * 1500);
	_exit(6);
}

static void leave_frozen(struct guardian *guardian, uint32_t seed)
{
	(void)guardian;
	(void)seed;
	shared->freezes += freeze(0) == 0;
	_exit(EXIT_SUCCESS);
}

/* Lets the signals decide; the settings are read anew as often as wanted. */
static void obey(struct guardian *guardian, uint32_t seed)
{
	int signals = guardian_open_signals();
	struct pollfd file = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;

	(void)seed;
	do {
		ledger_beat(guardian->ledger, clock_monotonic_us());
		ledger_tell_ready(guardian->ledger);
		(void)poll(&file, 1, -1);
		if (read(signals, &info, sizeof(info)) != sizeof(info))
			_exit(1);
	} while (info.ssi_signo == SIGHUP);
	_exit((int)info.ssi_signo);
}

/* The next guardian has found no cgroups, as it may be without memory. */
static bool is_without_cgroups;

/* The guardian; its pid */
static pid_t start(void (*work)(struct guardian *, uint32_t), uint32_t seed)
{
	pid_t child;

	memset(shared, 0, sizeof(*shared));
	(void)fflush(stdout);
	child = need(fork(), "fork");
	if (child)
		return child;

	struct guardian guardian;
	struct problem problem;
	struct log log = quiet();
	pid_t worker = guardian_fork(&guardian, "/proc", &problem);

	if (is_without_cgroups)
		cgroups_close(&guardian.cgroups);
	if (worker > 0)
		_exit(guardian_watch(&guardian, &log));
	if (worker == 0) {
		(void)alarm(LONG_MS / 1000); /* should nobody end it */
		shared->worker = getpid();
		open_freezer(&guardian);
		work(&guardian, seed);
	}
	_exit(99);
}

/* What ended it: exit status, or minus the signal, which may be ours. */
static int await_end(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < LONG_MS * 5; i++) {
		if (waitpid(pid, &status, WNOHANG) != 0)
			break;
		(void)usleep(200);
	}
	if (kill(pid, SIGKILL) == 0)
		(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void await_freezes(unsigned count)
{
	for (int i = 0; i < LONG_MS && shared->freezes < count; i++)
		(void)usleep(1000);
}

/* The tests ----------------------------------------------------------------*/

struct kills {
	unsigned while_frozen, slow, slowest_ms, others;
	bool has_touched;
};

/* Kills one of the two at a random moment, and looks after the victims. */
static void kill_once(struct kills *kills, bool is_guardian, uint32_t *seed)
{
	pid_t guardian = start(play, next_random(seed));
	pid_t worker;
	unsigned took_ms;

	await_freezes(3);
	worker = shared->worker;
	(void)usleep(next_random(seed) % MOMENT_US);
	kills->while_frozen += shared->frozen != 0;
	(void)kill(is_guardian ? guardian : worker, SIGKILL);
	took_ms = await_freedom();
	if (took_ms > kills->slowest_ms)
		kills->slowest_ms = took_ms;
	if (took_ms > FREE_MS)
		kills->slow++;
	kills->others += await_end(guardian) != (is_guardian ? -SIGKILL : 1);
	if (is_guardian)
		kills->others += await_end(worker) != 1;
	kills->slow += count_stopped() != 0;
	for (size_t i = 0; i < VICTIMS; i++)
		(void)kill(victims[i].pid, SIGCONT);
	kills->has_touched |= !is_stopped(VICTIMS);
	(void)kill(victims[VICTIMS].pid, SIGSTOP);
}

static void test_kills(unsigned count, bool is_guardian, enum freezer_choice by,
		       const char *how)
{
	char who[64];
	struct kills kills = {.slow = 0};
	uint32_t seed = (uint32_t)clock_monotonic_us();

	choice = by;
	(void)snprintf(who, sizeof(who), "by %s: %s", how,
		       is_guardian ? "the guardian" : "the worker");
	diag("seed %" PRIu32, seed);
	for (unsigned i = 0; i < count && kills.slow < FAILURES; i++)
		kill_once(&kills, is_guardian, &seed);
	is_int(kills.slow, 0,
	       "%s is killed %u times: nobody is left frozen after %d ms", who,
	       count, FREE_MS);
	diag("slowest: %u ms", kills.slowest_ms);
	ok(kills.while_frozen > count / 2,
	   "%s: somebody was frozen when it was killed (%u times)", who,
	   kills.while_frozen);
	is_int(kills.others, 0, "%s: the other ends, too, and fails", who);
	ok(!kills.has_touched, "%s: who is stopped by others stays so", who);
}

/* In the cgroup that we are in, whose children they are; -1: not to be seen */
static int count_cages(void)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int count = 0;
	int own = cgroup_read_path(proc, getpid(), path) == 0
			  ? openat(cgroups.v2, path[1] ? path + 1 : ".",
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			  : -1;
	DIR *directory = own < 0 ? NULL : fdopendir(own);

	if (!directory)
		return -1;
	while ((entry = readdir(directory)))
		count += strncmp(entry->d_name, "thrash-protect.", 15) == 0;
	(void)closedir(directory);
	return count;
}

static void test_late_cgroups(void)
{
	choice = FREEZER_CGROUP;
	is_without_cgroups = true;
	is_int(await_end(start(leave_frozen, 0)), 1,
	       "a guardian that had no cgroups at first ends");
	is_without_cgroups = false;
	is_int(shared->freezes, 1, "(by cgroup one was frozen)");
	is_int(count_stopped(), 0, "and thaws by them all the same");
}

static void test_cages(void)
{
	int error = cages_check(cgroups.v2, proc);
	struct log log = quiet();

	if (error || geteuid() != 0) {
		skip("no cgroup can be made here: %s",
		     error ? strerror(-error) : "that needs root");
		return;
	}
	test_kills(CAGE_KILLS, false, FREEZER_CGROUP, "cgroup");
	test_kills(CAGE_KILLS, true, FREEZER_CGROUP, "cgroup");
	test_late_cgroups();
	is_int(count_cages(), 0, "by cgroup: no cgroup is left");
	(void)cages_empty(cgroups.v2, NULL, NULL,
			  &log); /* or the victims' end is late */
	log_close(&log);
}

static void test_hanging(void)
{
	uint64_t start_us = clock_monotonic_us();
	pid_t guardian = start(hang, 0);

	await_freezes(1);
	ok(becomes_stopped(0), "a worker that hangs has frozen one");
	is_int(await_end(guardian), 1, "the guardian ends it and fails");
	ok(clock_monotonic_us() - start_us < GUARDIAN_GRACE_MS * 2500,
	   "soon after its grace");
	is_int(count_stopped(), 0, "and nobody is left frozen");
	is_int(kill(shared->worker, 0), -1, "the worker is gone");

	is_int(await_end(start(hang_for_a_while, 0)), 5,
	       "one that was only late goes on");
	is_int(await_end(start(idle, 0)), 6,
	       "so does one that is late when nobody is frozen");
}

static void test_status(void)
{
	pid_t guardian = start(leave_frozen, 0);

	is_int(await_end(guardian), 1,
	       "a worker that leaves somebody frozen has not ended well");
	is_int(shared->freezes, 1, "(it has frozen one)");
	is_int(count_stopped(), 0, "and the guardian thaws");
}

/* What the service manager hears within a second; "" for nothing */
static const char *hear(int manager, char *text, size_t size)
{
	struct pollfd file = {.fd = manager, .events = POLLIN};
	ssize_t length = -1;

	if (poll(&file, 1, 1000) > 0)
		length = recv(manager, text, size - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

/* A socket, whose name is in the environment. */
static int open_manager(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];
	int length =
		snprintf(name, sizeof(name), "@thrash-test-%d", (int)getpid());
	int manager =
		need(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
	need(bind(manager, (struct sockaddr *)&address,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			      (size_t)length)),
	     "bind");
	(void)setenv("NOTIFY_SOCKET", name, 1);
	return manager;
}

static void test_service_manager(void)
{
	int manager = open_manager();
	uint64_t before_us = clock_monotonic_us(), told_us;
	struct span time, line;
	char text[128];
	pid_t guardian = start(obey, 0);

	is_text(hear(manager, text, sizeof(text)), "READY=1",
		"the service manager is told when the worker is ready");
	(void)kill(guardian, SIGHUP);
	time = span_of(hear(manager, text, sizeof(text)));
	ok(span_split(&time, '\n', &line) && span_equals(line, "RELOADING=1") &&
		   span_split(&time, '=', &line) &&
		   span_equals(line, "MONOTONIC_USEC") &&
		   span_to_u64(time, &told_us) == 0 && told_us >= before_us &&
		   told_us <= clock_monotonic_us(),
	   "SIGHUP: that the settings are read anew, and when");
	is_text(hear(manager, text, sizeof(text)), "READY=1",
		"SIGHUP reaches the worker, and it is ready again");
	(void)kill(guardian, SIGTERM);
	is_text(hear(manager, text, sizeof(text)), "STOPPING=1",
		"SIGTERM: that the end begins");
	is_int(await_end(guardian), SIGTERM,
	       "the worker gets it, and how it ends is passed on");

	(void)setenv("WATCHDOG_USEC", "200000", 1);
	guardian = start(obey, 0);
	(void)hear(manager, text, sizeof(text));
	before_us = clock_monotonic_us();
	is_text(hear(manager, text, sizeof(text)), "WATCHDOG=1",
		"with a watchdog, it is told that the worker gets on");
	is_text(hear(manager, text, sizeof(text)), "WATCHDOG=1", "repeatedly");
	ok(clock_monotonic_us() - before_us >= 190000,
	   "at half of the interval");
	(void)kill(guardian, SIGINT);
	is_int(await_end(guardian), SIGINT, "SIGINT is passed on as well");
	while (*hear(manager, text, sizeof(text)))
		;
	guardian = start(idle, 0);
	(void)hear(manager, text, sizeof(text));
	is_text(hear(manager, text, sizeof(text)), "",
		"a worker that hangs is not said to get on");
	is_int(await_end(guardian), 6, "(it was there)");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("NOTIFY_SOCKET");
	(void)close(manager);
}

int main(void)
{
	proc = need(directory_open("/proc"), "/proc");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared == MAP_FAILED ? -1 : 0, "mmap");
	need(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	start_victims();
	cgroups_open(&cgroups, CGROUP_ROOT);
	test_kills(WORKER_KILLS, false, FREEZER_SIGNAL, "signal");
	test_kills(GUARDIAN_KILLS, true, FREEZER_SIGNAL, "signal");
	test_cages();
	choice = FREEZER_SIGNAL;
	test_hanging();
	test_status();
	test_service_manager();
	end_victims();
	return done_testing();
}

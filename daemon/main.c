/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thrash-protect: keeps a host usable that has run out of memory, by freezing
 * the processes that thrash and letting them take turns.
 *
 * Where to find what, in the order of the data:
 *
 *   main.c      options, signals, and the loop that waits
 *   settings.c  the table of settings: command line, environment, file
 *   tick.c      one turn, which is the whole program in thirty lines
 *   detect.c    pure: samples in, the verdict out
 *   role.c      pure: who is protected, who is interactive, and why
 *   rules.c     what the administrator says of that
 *   facts.c     what role.c has to know; watchdog.c: of systemd's units
 *   select.c    pure: who may be frozen, and who is to blame
 *   schedule.c  pure: who is frozen and thawed next; units.c: who belongs
 *               together; capacity.c: how much memory there is for them
 *   decide.c    the last three put together, for tick.c and tape.c
 *   freezer.c   who is frozen and how; cage.c: in a cgroup of its own,
 *               pen.c: with everybody in its cgroup, stop.c: by SIGSTOP, with
 *               the parents that would notice
 *   pager.c     a thread that moves memory to and from swap in bulk
 *   publish.c   the state file; marker.c: the marker file; chronicle.c: the
 *               history
 *   recover.c   thaws what an earlier daemon left frozen
 *   guardian.c  the process that thaws all when this one cannot; ledger.c:
 *               whom, in memory that both share
 *   tape.c      recordings of a host, and their replay
 *   trigger.c   lets the kernel wake us; resident.c: stays in memory;
 *               privilege.c: gives up what is never needed
 *   status.c    --status, --thaw-all, --replay; explain.c: --explain;
 *               report.c: --report
 *   notify.c    sd_notify
 *
 * core/ below holds the facts: what /proc says, and the formats of the state
 * file and of the history.
 */
#include "core/clock.h"
#include "daemon/explain.h"
#include "daemon/guardian.h"
#include "daemon/privilege.h"
#include "daemon/report.h"
#include "daemon/settings.h"
#include "daemon/status.h"
#include "daemon/tape.h"
#include "daemon/tick.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_USAGE = 2 };

static int print_help(void)
{
	puts("Usage: thrash-protect [OPTION]...\n"
	     "Freeze the processes that make this host thrash, and let them "
	     "take turns.\n");
	options_help(&settings_table, stdout);
	puts("\nSettings are also read from the environment (--max-frozen is "
	     "\nTHRASH_PROTECT_MAX_FROZEN) and from the configuration file "
	     "(max_frozen = 60,\nin section [thrash-protect]); the command "
	     "line wins.\n\n"
	     "It runs as two processes, of which the second does the work.  "
	     "Should one die,\nthe other lets everything go on and fails.");
	return EXIT_SUCCESS;
}

static void log_warnings(const struct settings *settings, struct log *log)
{
	for (size_t i = 0; i < settings->warning_count; i++)
		log_warning(log, "%s", settings->warnings[i].text);
}

/* A host without a syslog is protected all the same. */
static int open_log(const struct settings *settings, struct log *log)
{
	int error = 0;

	log_open_stderr(log);
	if (settings->log_file)
		error = log_open_file(log, settings->log_file);
	else if (settings->uses_syslog)
		error = log_open_syslog(log);
	log->is_debug = settings->is_debug;
	if (error && !settings->log_file)
		log_warning(log, "syslog: %s: logging to standard error",
			    strerror(-error));
	else if (error)
		log_error(log, "%s: %s", settings->log_file, strerror(-error));
	return settings->log_file ? error : 0;
}

/* What lasts over reloads. */
struct service {
	struct daemon daemon;
	struct guardian guardian; /* as the worker has it */
	FILE *tape;               /* NULL: nothing is recorded */
	int signals;              /* a signalfd */
	int signal_number;        /* that ended the last loop; 0: none */
	bool was_ready;           /* the last serve() had opened everything */
	struct problem why;       /* to be logged first; or empty */
};

/* The end of a wait: why.  -EOWNERDEAD when the guardian is gone. */
static int wait_for_event(struct service *service, uint64_t wait_ms,
			  enum tick_cause *cause)
{
	struct pollfd files[] = {
		{.fd = service->signals, .events = POLLIN},
		{.fd = service->guardian.lifeline, .events = POLLIN},
		{.fd = service->daemon.trigger,
		 .events = POLLPRI}, /* -1: passed over */
	};
	struct signalfd_siginfo info;

	*cause = TICK_TIMER;
	if (poll(files, 3, (int)wait_ms) <= 0)
		return 0;
	if (files[1].revents)
		return -EOWNERDEAD;
	if (files[0].revents &&
	    read(service->signals, &info, sizeof(info)) == sizeof(info))
		service->signal_number = (int)info.ssi_signo;
	if (files[2].revents & (POLLERR | POLLNVAL))
		*cause = TICK_TRIGGER_LOST;
	else if (files[2].revents)
		*cause = TICK_TRIGGER;
	return 0;
}

/* Runs until a signal ends it; 0 or -errno. */
static int loop(struct service *service)
{
	struct daemon *daemon = &service->daemon;
	enum tick_cause cause = TICK_TIMER;
	uint64_t due_us = clock_monotonic_us();
	int error = 0;

	while (!error && !service->signal_number) {
		uint64_t steady_us = clock_monotonic_us(), wait_ms;

		if (steady_us > due_us)
			daemon_is_late(daemon, steady_us - due_us);
		error = tick(daemon, clock_boottime_us(), cause, &wait_ms);
		due_us = steady_us + wait_ms * 1000;
		ledger_beat(service->guardian.ledger, due_us);
		if (!error)
			error = wait_for_event(service, wait_ms, &cause);
	}
	return error;
}

/* From start to end or to the next reload; 0 or -errno. */
static int serve(struct service *service, const struct settings *settings)
{
	struct daemon *daemon = &service->daemon;
	struct problem problem;
	struct log log;
	int error = open_log(settings, &log);

	service->was_ready = false;
	service->signal_number = 0;
	if (error)
		return error;
	if (service->why.text[0])
		log_error(&log, "not reloaded: %s", service->why.text);
	service->why.text[0] = '\0';
	log_warnings(settings, &log);
	error = daemon_open(daemon, settings, service->tape,
			    service->guardian.ledger, &log, &problem);
	if (error) {
		log_error(&log, "%s", problem.text);
	} else {
		service->was_ready = true;
		log_info(&log, "ready (%s, freezing by %s)",
			 daemon->publisher.state.mode,
			 freeze_method_name(daemon->freezer.method));
		ledger_tell_ready(service->guardian.ledger);
		error = loop(service);
		if (error)
			log_error(&log, "%s",
				  error == -EOWNERDEAD ? "the guardian is gone"
						       : strerror(-error));
		if (daemon_close(daemon, "the daemon ends",
				 service->signal_number == SIGHUP) &&
		    !error)
			error = -EAGAIN;
		log_info(&log, "ended");
	}
	log_close(&log);
	return error;
}

/*
 * SIGHUP reads the settings anew; if they are not valid, or what they name
 * cannot be opened, the old ones stay in force.
 */
static int serve_and_reload(struct service *service, struct settings *settings,
			    struct settings *other, int argc, char **argv)
{
	bool is_reloaded = false;

	for (;;) {
		struct settings *old = settings;
		int error = serve(service, settings);

		if (error && is_reloaded && !service->was_ready) {
			(void)problem_set(&service->why, 0,
					  "the new settings do not work");
			is_reloaded = false;
			settings = other;
			other = old;
			continue;
		}
		if (error || service->signal_number != SIGHUP)
			return error;
		is_reloaded = settings_load(other, argc, argv, environ,
					    &service->why) == 0;
		if (!is_reloaded)
			continue;
		service->why.text[0] = '\0';
		settings = other;
		other = old;
	}
}

static int work(const struct guardian *guardian, struct settings *settings,
		struct settings *spare, int argc, char **argv, struct log *log)
{
	static struct service service;
	int error;

	service.guardian = *guardian;
	service.signals = guardian_open_signals();
	if (service.signals < 0) {
		log_error(log, "signalfd: %s", strerror(-service.signals));
		return EXIT_FAILURE;
	}
	if (settings->record) {
		service.tape = tape_create(settings->record);
		if (!service.tape) {
			log_error(log, "%s: %s", settings->record,
				  strerror(errno));
			return EXIT_FAILURE;
		}
	}
	error = serve_and_reload(&service, settings, spare, argc, argv);
	if (service.tape)
		(void)fclose(service.tape);
	(void)close(service.signals);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In the worker, and in the guardian, which needs no settings. */
static int run(struct settings settings[2], int argc, char **argv,
	       struct log *log)
{
	struct guardian guardian;
	struct problem problem;
	struct log lasting;
	pid_t worker;
	int error, status;

	if (open_log(settings, &lasting))
		return EXIT_FAILURE;
	error = privilege_drop();
	if (error)
		log_debug(&lasting, "cannot drop all privileges: %s",
			  strerror(-error));
	worker = guardian_fork(&guardian, settings->proc, &problem);
	if (worker > 0) {
		(void)munmap(settings, 2 * sizeof(*settings));
		status = guardian_watch(&guardian, &lasting);
		log_close(&lasting);
		guardian_close(&guardian);
		return status;
	}
	log_close(&lasting);
	if (worker == 0) {
		status = work(&guardian, settings, settings + 1, argc, argv,
			      log);
		guardian_close(&guardian);
		return status;
	}
	log_error(log, "%s", problem.text);
	return EXIT_FAILURE;
}

/* Nothing was said if it could not be written. */
static int said(int result)
{
	if (fflush(stdout) == 0)
		return result;
	(void)fprintf(stderr, "thrash-protect: standard output: %s\n",
		      strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	/* not static: that would be locked, though the second is seldom used */
	struct settings *settings =
		mmap(NULL, 2 * sizeof(*settings), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct problem problem;
	struct log log;

	log_open_stderr(&log);
	if (settings == MAP_FAILED) {
		log_error(&log, "%s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (settings_load(settings, argc, argv, environ, &problem)) {
		log_error(&log, "%s", problem.text);
		return EXIT_USAGE;
	}
	if (settings->action != ACTION_RUN)
		log_warnings(settings, &log);
	switch ((enum action)settings->action) {
	case ACTION_RUN:
		break;
	case ACTION_HELP:
		return said(print_help());
	case ACTION_VERSION:
		puts("thrash-protect " VERSION);
		return said(EXIT_SUCCESS);
	case ACTION_CHECK_CONFIG:
		puts("the settings are valid");
		return said(EXIT_SUCCESS);
	case ACTION_STATUS:
		return said(status_print(settings, stdout, &log));
	case ACTION_THAW_ALL:
		return status_thaw_all(settings, &log);
	case ACTION_EXPLAIN:
		return said(explain_print(settings, stdout, &log));
	case ACTION_REPORT:
		return said(report_print(settings, stdout, &log));
	case ACTION_REPLAY:
		return said(status_replay(settings, stdout, &log));
	}
	return run(settings, argc, argv, &log);
}

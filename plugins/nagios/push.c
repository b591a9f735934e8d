/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thrash-protect-push: sends what the checks find to Icinga 2 or Nagios by
 * itself, when it changes and now and then, and the numbers to a Prometheus
 * Pushgateway.  Nothing depends on it; it only reads.
 *
 *   state file --inotify--> look (the checks) --> queue --> wire --> receiver
 *
 *   push_settings   what can be set, and the secrets
 *   push_result     a result: as a file, and as each receiver wants it
 *   push_queue      what waits, on disk
 *   push_retry      when to try again
 *   push_wire       requests; the only user of libcurl
 */
#include "plugins/nagios/push_queue.h"
#include "plugins/nagios/push_retry.h"
#include "plugins/nagios/push_wire.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { FINISH_MS = 2000 };

/* What is known of one service. */
struct known {
	bool is_known; /* it has been looked at */
	enum nagios_status status;
	uint64_t heartbeat_ms; /* when the next one is due */
	struct sample sample;  /* what the check saw */
	bool is_refused;       /* the last result that was sent */
};

struct push {
	const struct push_settings *settings;
	struct log log;
	struct push_queue queue;
	struct push_wire *wire;
	struct known known[PUSH_KINDS];
	struct push_retry retry[PUSH_LINES];
	uint64_t sent; /* the number of what is under way, and ... */
	enum push_kind sent_kind;
	char *urls[PUSH_LINES]; /* owned; NULL: nothing goes there */
	bool is_gateway_due;    /* there is something new for it */
	bool has_changed;       /* the state file, since the last look */
	bool has_ended;
	bool is_disk_full;
	bool is_queue_full;
	int signals, inotify, watch; /* watch -1: the directory is not there */
	uint64_t now_ms;
	uint64_t looked_ms;
	uint64_t polled_ms; /* the last look that was at everything */
};

static uint32_t chance(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint32_t)clock_monotonic_us();
	return number;
}

/* Looking --------------------------------------------------------------- */

static void make_result(struct push *push, enum push_kind kind,
			struct push_result *result)
{
	const struct push_service *service = &push->settings->services[kind];
	struct nagios_room room;
	struct nagios_run run;

	nagios_begin(&run, push_checks[kind].check, &service->check, &room);
	run.previous = &push->known[kind].sample;
	run.details.size = PUSH_DETAILS;
	nagios_look(&run, &service->check);
	*result = (struct push_result){
		.kind = kind,
		.status = run.status,
		.time_s = (uint64_t)time(NULL),
	};
	nagios_headline(&run, result->output);
	memcpy(result->metrics, room.metrics, sizeof(room.metrics));
	memcpy(result->details, room.details, run.details.used + 1);
}

static void queue_result(struct push *push, const struct push_result *result)
{
	uint64_t superseded = push->queue.superseded;
	int disk, error = push_queue_add(&push->queue, result, &disk);

	if (error)
		log_error(&push->log, "a result is lost: %s", strerror(-error));
	if (disk && !push->is_disk_full)
		log_warning(&push->log, "%s: %s; results wait in memory",
			    push->settings->spool, strerror(-disk));
	push->is_disk_full = disk != 0;
	if (push->queue.superseded == superseded)
		return;
	if (!push->is_queue_full)
		log_warning(&push->log, "the queue is full: older results go");
	push->is_queue_full = true;
}

/* Hosts that start together do not stay together. */
static uint64_t next_heartbeat_ms(const struct push *push)
{
	uint64_t whole_ms = push->settings->heartbeat_ms;

	return push->now_ms + whole_ms - whole_ms / 4 * chance() / UINT32_MAX;
}

/* What waits from before this start is known, too. */
static void look_at(struct push *push, enum push_kind kind)
{
	struct known *known = &push->known[kind];
	struct push_result result;

	make_result(push, kind, &result);
	result.is_change =
		known->is_known ? known->status != result.status
				: !push_queue_has_status(&push->queue, &result);
	if (known->is_known && !result.is_change &&
	    push->now_ms < known->heartbeat_ms)
		return;
	if (result.is_change)
		log_info(&push->log, "%s", result.output);
	known->is_known = true;
	known->status = result.status;
	known->heartbeat_ms = next_heartbeat_ms(push);
	push->is_gateway_due = push->urls[PUSH_GATEWAY] != NULL;
	if (push->urls[PUSH_MONITORING])
		queue_result(push, &result);
}

static bool is_sent(const struct push *push, enum push_kind kind)
{
	return *push->settings->services[kind].name;
}

/* The time of the next look that nothing but time asks for. */
static uint64_t poll_due_ms(const struct push *push)
{
	uint64_t poll_ms = push->settings->poll_ms;
	uint64_t heartbeat_ms = push->settings->heartbeat_ms / 4 * 3;

	return push->polled_ms ? push->polled_ms + (poll_ms < heartbeat_ms
							    ? poll_ms
							    : heartbeat_ms)
			       : 0;
}

static uint64_t event_due_ms(const struct push *push)
{
	return push->has_changed ? push->looked_ms + push->settings->interval_ms
				 : UINT64_MAX;
}

static void look(struct push *push)
{
	bool is_poll = push->now_ms >= poll_due_ms(push);

	if (!is_poll && push->now_ms < event_due_ms(push))
		return;
	push->has_changed = false;
	push->looked_ms = push->now_ms;
	if (is_poll)
		push->polled_ms = push->now_ms;
	for (enum push_kind kind = 0; kind < PUSH_KINDS; kind++)
		if (is_sent(push, kind) &&
		    (is_poll || push_checks[kind].is_by_event))
			look_at(push, kind);
}

/* Sending --------------------------------------------------------------- */

static void told_success(struct push *push, enum push_line line)
{
	if (push->retry[line].failures)
		log_info(&push->log, "%s: answers again", push->urls[line]);
	push->retry[line] = (struct push_retry){.failures = 0};
	if (line == PUSH_MONITORING && push->is_queue_full) {
		log_warning(&push->log, "%" PRIu64 " results had to go so far",
			    push->queue.superseded);
		push->is_queue_full = false;
	}
}

/* Of failures in a row that have the same cause the first one is told. */
static enum log_level put_off(struct push *push, enum push_line line,
			      long cause)
{
	const struct push_settings *settings = push->settings;
	struct push_retry *retry = &push->retry[line];
	bool is_known = retry->failures++ && retry->cause == cause;

	retry->cause = cause;
	push->is_gateway_due |= line == PUSH_GATEWAY;
	retry->due_ms = push->now_ms +
			push_retry_delay_ms(retry->failures, settings->retry_ms,
					    settings->retry_max_ms, chance());
	return is_known ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
}

/* Nothing was sent, for a reason that is here: -errno. */
static void cannot_send(struct push *push, enum push_line line, int error)
{
	enum log_level level = put_off(push, line, error);

	log_write(&push->log, level, "%s; trying again", strerror(-error));
}

/* No answer is quoted. */
static void told_failure(struct push *push, const struct push_answer *answer)
{
	const char *url = push->urls[answer->line];

	if (answer->error)
		log_write(&push->log,
			  put_off(push, answer->line, answer->error),
			  "%s: %s; trying again", url, answer->problem);
	else
		log_write(&push->log,
			  put_off(push, answer->line, 1000 + answer->code),
			  "%s: not taken, HTTP status %ld%s; trying again", url,
			  answer->code,
			  answer->code == 401 || answer->code == 403
				  ? " (look at the credentials)"
				  : "");
}

/* Sends what was printed into a stream that open_memstream() has made. */
static void send_stream(struct push *push, enum push_line line, FILE *stream,
			char **body, const size_t *size, const char *type)
{
	int error = fclose(stream) == 0 ? 0 : -ENOMEM;
	struct push_request request = {
		.url = push->urls[line],
		.type = type,
		.body = *body,
		.size = *size,
		.replaces = line == PUSH_GATEWAY,
	};

	if (error) {
		free(*body);
		cannot_send(push, line, error);
		return;
	}
	if (push_wire_send(push->wire, line, &request))
		cannot_send(push, line, -ENOMEM);
}

static bool is_ready(const struct push *push, enum push_line line)
{
	return push->urls[line] && !push_wire_is_busy(push->wire, line) &&
	       push->now_ms >= push->retry[line].due_ms;
}

/* Whether what waited is for a service that is no longer sent. */
static bool is_wanted(const struct push *push, const struct push_result *result)
{
	return is_sent(push, result->kind);
}

/* The oldest that is wanted; false: there is none, or it is put off. */
static bool take_oldest(struct push *push, struct push_result *result)
{
	uint64_t number;

	while ((number = push_queue_first(&push->queue)) != 0) {
		int error = push_queue_read(&push->queue, number, result);

		if (!error && is_wanted(push, result)) {
			push->sent = number;
			push->sent_kind = result->kind;
			return true;
		}
		if (error && error != -EINVAL) {
			cannot_send(push, PUSH_MONITORING, error);
			return false;
		}
		if (error)
			log_warning(&push->log, "%s: a result is damaged",
				    push->settings->spool);
		push_queue_remove(&push->queue, number);
	}
	return false;
}

static void send_result(struct push *push)
{
	const struct push_settings *settings = push->settings;
	bool is_icinga = settings->receiver == PUSH_ICINGA2;
	uint64_t now_s = (uint64_t)time(NULL);
	struct push_result result;
	char *body;
	size_t size;
	FILE *stream;

	if (!is_ready(push, PUSH_MONITORING) || !take_oldest(push, &result))
		return;
	stream = open_memstream(&body, &size);
	if (!stream) {
		cannot_send(push, PUSH_MONITORING, -ENOMEM);
		return;
	}
	if (is_icinga)
		push_result_print_icinga2(&result, settings, now_s, stream);
	else
		push_result_print_nrdp(&result, settings, now_s, stream);
	send_stream(push, PUSH_MONITORING, stream, &body, &size,
		    is_icinga ? "application/json"
			      : "application/x-www-form-urlencoded");
}

/* Without a state, that there is none. */
static void print_state(const struct push *push, FILE *stream)
{
	const struct nagios_common *common =
		&push->settings->services[PUSH_FROZEN].check.common;
	struct state state;
	struct problem problem;
	int proc = directory_open(common->proc_dir);
	int error = state_read(common->run_dir, &state, &problem);

	state_print_prometheus(
		error ? NULL : &state,
		!error && proc >= 0 &&
			!state_check_daemon(&state, proc,
					    clock_boottime_us() / 1000,
					    &problem),
		stream);
	if (proc >= 0)
		(void)close(proc);
}

/* Only what is now counts there: nothing waits. */
static void send_metrics(struct push *push)
{
	char *body;
	size_t size;
	FILE *stream;

	if (!push->is_gateway_due || !is_ready(push, PUSH_GATEWAY))
		return;
	stream = open_memstream(&body, &size);
	if (!stream) {
		cannot_send(push, PUSH_GATEWAY, -ENOMEM);
		return;
	}
	print_state(push, stream);
	push->is_gateway_due = false;
	send_stream(push, PUSH_GATEWAY, stream, &body, &size,
		    "text/plain; version=0.0.4");
}

static void hear_gateway(struct push *push, const struct push_answer *answer)
{
	if (answer->code / 100 == 2) {
		told_success(push, PUSH_GATEWAY);
		return;
	}
	told_failure(push, answer);
}

/* Once, until one of that service is taken. */
static void told_refusal(struct push *push, long code)
{
	log_write(&push->log,
		  push->known[push->sent_kind].is_refused ? LOG_LEVEL_DEBUG
							  : LOG_LEVEL_WARNING,
		  "%s: a result is refused, HTTP status %ld: is there a "
		  "service '%s' of the host '%s', for passive results?",
		  push->urls[PUSH_MONITORING], code,
		  push->settings->services[push->sent_kind].name,
		  push->settings->host);
}

static void hear_monitoring(struct push *push, const struct push_answer *answer)
{
	enum push_verdict verdict =
		push_answer_judge((enum push_receiver)push->settings->receiver,
				  answer->code, answer->text);

	if (verdict == PUSH_FAILED) {
		told_failure(push, answer);
		return;
	}
	told_success(push, PUSH_MONITORING);
	if (verdict == PUSH_REFUSED)
		told_refusal(push, answer->code);
	push->known[push->sent_kind].is_refused = verdict == PUSH_REFUSED;
	push_queue_remove(&push->queue, push->sent);
}

static void hear(struct push *push)
{
	struct push_answer answer;

	while (push_wire_next(push->wire, &answer))
		if (answer.line == PUSH_GATEWAY)
			hear_gateway(push, &answer);
		else
			hear_monitoring(push, &answer);
}

/* Waiting --------------------------------------------------------------- */

/* The run directory may come and go with the daemon. */
static void watch(struct push *push)
{
	if (push->watch < 0 && push->inotify >= 0)
		push->watch = inotify_add_watch(
			push->inotify, push->settings->run_dir,
			IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |
				IN_MOVE_SELF | IN_ONLYDIR);
}

static void take_events(struct push *push)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t length;

	while (push->inotify >= 0 &&
	       (length = read(push->inotify, buffer, sizeof(buffer))) > 0) {
		const char *at = buffer;

		push->has_changed = true;
		while (at < buffer + length) {
			const struct inotify_event *event = (const void *)at;

			if (event->mask & IN_MOVE_SELF)
				(void)inotify_rm_watch(push->inotify,
						       event->wd);
			if (event->mask & IN_IGNORED)
				push->watch = -1;
			at += sizeof(*event) + event->len;
		}
	}
}

static void take_signals(struct push *push)
{
	struct signalfd_siginfo info;

	if (read(push->signals, &info, sizeof(info)) > 0)
		push->has_ended = true;
}

static uint64_t send_due_ms(const struct push *push, enum push_line line,
			    bool has_something)
{
	return has_something && push->urls[line] &&
			       !push_wire_is_busy(push->wire, line)
		       ? push->retry[line].due_ms
		       : UINT64_MAX;
}

static int timeout_ms(const struct push *push)
{
	const uint64_t dues_ms[] = {
		poll_due_ms(push),
		event_due_ms(push),
		send_due_ms(push, PUSH_MONITORING,
			    push_queue_first(&push->queue) != 0),
		send_due_ms(push, PUSH_GATEWAY, push->is_gateway_due),
	};
	uint64_t due_ms = push->now_ms + 60000;

	for (size_t i = 0; i < sizeof(dues_ms) / sizeof(*dues_ms); i++)
		if (dues_ms[i] < due_ms)
			due_ms = dues_ms[i];
	return due_ms > push->now_ms ? (int)(due_ms - push->now_ms) : 0;
}

static void wait_for_something(struct push *push)
{
	const int descriptors[] = {push->signals, push->inotify};

	push_wire_wait(push->wire, descriptors, push->inotify >= 0 ? 2 : 1,
		       timeout_ms(push));
	take_signals(push);
	take_events(push);
}

static void tell_time(struct push *push)
{
	push->log.now_us = clock_monotonic_us();
	push->now_ms = push->log.now_us / 1000;
}

static void turn(struct push *push)
{
	tell_time(push);
	watch(push);
	look(push);
	send_result(push);
	send_metrics(push);
	wait_for_something(push);
	tell_time(push);
	hear(push);
}

static bool has_more_to_send(const struct push *push)
{
	return push_queue_first(&push->queue) || push->is_gateway_due ||
	       push_wire_is_busy(push->wire, PUSH_GATEWAY);
}

static bool has_failed(const struct push *push)
{
	return push->retry[PUSH_MONITORING].failures ||
	       push->retry[PUSH_GATEWAY].failures;
}

/*
 * Waits a little for the answer that is under way: without it, the same result
 * is sent again after the next start.  A second signal ends that, too.
 */
static void finish(struct push *push)
{
	uint64_t end_ms = push->now_ms + FINISH_MS;

	push->has_ended = false;
	while (push_wire_is_busy(push->wire, PUSH_MONITORING) &&
	       push->now_ms < end_ms && !push->has_ended) {
		push_wire_wait(push->wire, &push->signals, 1,
			       (int)(end_ms - push->now_ms));
		take_signals(push);
		tell_time(push);
		hear(push);
	}
}

static int run(struct push *push)
{
	bool is_once = push->settings->action == PUSH_ONCE;

	log_info(&push->log, "ready");
	do
		turn(push);
	while (!push->has_ended &&
	       (!is_once || (has_more_to_send(push) && !has_failed(push))));
	finish(push);
	return is_once && has_more_to_send(push) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Starting -------------------------------------------------------------- */

static char *make_url(const char *base, const char *path, const char *host)
{
	char *url = NULL;
	size_t size, length = strlen(base);
	FILE *stream = open_memstream(&url, &size);

	if (!stream)
		return NULL;
	while (length && base[length - 1] == '/')
		length--;
	(void)fprintf(stream, "%.*s%s", (int)length, base, path);
	if (host)
		push_print_encoded(host, stream);
	return fclose(stream) == 0 ? url : NULL;
}

static int make_urls(struct push *push)
{
	const struct push_settings *settings = push->settings;
	bool is_missing = false;

	if (*settings->url) {
		push->urls[PUSH_MONITORING] =
			make_url(settings->url,
				 settings->receiver == PUSH_ICINGA2
					 ? "/v1/actions/process-check-result"
					 : "/",
				 NULL);
		is_missing = !push->urls[PUSH_MONITORING];
	}
	if (*settings->pushgateway) {
		push->urls[PUSH_GATEWAY] =
			make_url(settings->pushgateway,
				 "/metrics/job/thrash_protect/instance/",
				 settings->host);
		is_missing |= !push->urls[PUSH_GATEWAY];
	}
	return is_missing ? -ENOMEM : 0;
}

static int open_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* as a disk that is full */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start(struct push *push)
{
	const struct push_settings *settings = push->settings;
	struct problem problem;
	int error;

	error = push_queue_open(&push->queue, settings->spool,
				settings->queue_results, settings->queue_bytes,
				&problem);
	if (error) {
		log_error(&push->log, "%s", problem.text);
		return error;
	}
	push->signals = open_signals();
	push->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	push->watch = -1;
	if (push->inotify < 0)
		log_warning(&push->log, "inotify: %s; looking now and then",
			    strerror(errno));
	push->wire = push_wire_open(settings);
	error = push->signals < 0 || !push->wire ? -ENOMEM : make_urls(push);
	if (error)
		log_error(&push->log, "%s", strerror(-error));
	return error;
}

static void stop(struct push *push)
{
	if (push->wire)
		push_wire_close(push->wire);
	for (int line = 0; line < PUSH_LINES; line++)
		free(push->urls[line]);
	if (push->inotify >= 0)
		(void)close(push->inotify);
	if (push->signals >= 0)
		(void)close(push->signals);
	push_queue_close(&push->queue);
}

static int send_all(const struct push_settings *settings, struct log *log)
{
	struct push push = {.settings = settings, .log = *log};
	int status = EXIT_FAILURE;

	if (start(&push) == 0)
		status = run(&push);
	if (push.queue.entries)
		stop(&push);
	return status;
}

/* The secrets are not for a core dump, nor for another process of this user. */
static void hide_memory(void)
{
	static const struct rlimit no_core = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static int print_help(void)
{
	(void)printf("thrash-protect-push " VERSION
		     ": send what the checks find to Icinga 2 or Nagios\n\n");
	options_help(&push_settings_table, stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct push_settings *settings = calloc(1, sizeof(*settings));
	struct problem problem;
	struct log log;
	int status = 2;

	log_open_stderr(&log);
	hide_memory();
	log.program = "thrash-protect-push";
	if (!settings)
		return EXIT_FAILURE;
	if (push_settings_load(settings, argc, argv, &problem)) {
		log_error(&log, "%s", problem.text);
	} else if (settings->action == PUSH_HELP) {
		status = print_help();
	} else if (settings->action == PUSH_VERSION) {
		status = printf("thrash-protect-push %s\n", VERSION) < 0;
	} else if (settings->action == PUSH_CHECK_CONFIG) {
		status = printf("the settings are valid\n") < 0;
	} else {
		log.is_debug = settings->is_debug;
		status = send_all(settings, &log);
	}
	free(settings);
	return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers what Munin asks a plugin: config, autoconf and fetch. */
#include "plugins/munin/munin.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void munin_put(struct munin_value *value, bool has, uint64_t number)
{
	value->presence = has ? MUNIN_KNOWN : MUNIN_ABSENT;
	value->number = number;
}

static bool is_word(char c)
{
	return c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "abcdefghijklmnopqrstuvwxyz"
			   "0123456789._+:@/()-",
			   c);
}

void munin_make_word(char *text)
{
	for (; *text; text++)
		if (!is_word(*text))
			*text = '_';
}

/* Text that is safe in every place where Munin puts it. */
static void print_plain(const char *text)
{
	for (; *text; text++) {
		bool is_plain = is_word(*text) || *text == ' ' || *text == ',';

		(void)putchar(is_plain ? *text : '_');
	}
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

int munin_read_vmstat(const struct munin_host *host, struct vmstat *vmstat,
		      struct problem *problem)
{
	char buffer[VMSTAT_SIZE];
	struct span text;
	int error = file_read_at(host->proc, "vmstat", buffer, sizeof(buffer),
				 &text);

	if (!error)
		error = vmstat_parse(text, vmstat);
	if (error)
		return problem_set(problem, error, "vmstat: %s",
				   strerror(-error));
	return 0;
}

int munin_read_state(const struct munin_host *host, struct state *state,
		     struct problem *problem)
{
	int error = state_read(host->run_dir, state, problem);

	return error ? error
		     : state_check_daemon(state, host->proc,
					  clock_boottime_us() / 1000, problem);
}

bool munin_is_absence(int error)
{
	return error == -ENOENT || error == -ESRCH || error == -ETIMEDOUT;
}

int munin_find_state(const struct munin_host *host, struct problem *problem)
{
	struct state state;
	int directory = directory_open(host->run_dir);

	if (directory < 0)
		return problem_set(problem, directory, "%s: %s", host->run_dir,
				   strerror(-directory));
	(void)close(directory);

	int error = state_read(host->run_dir, &state, problem);

	/* a daemon that is not running now will write it */
	return error == -ENOENT ? 0 : error;
}

/* "5", "-0.5", ".5": what Munin takes for a number. */
static bool is_number(struct span span)
{
	size_t digits = 0, points = 0;

	for (size_t i = 0; i < span.length; i++) {
		char c = span.start[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (c == '.')
			points++;
		else if (i > 0 || (c != '-' && c != '+'))
			return false;
	}
	return digits > 0 && points <= 1;
}

/* MAX, MIN:, :MAX or MIN:MAX; anything else Munin would take for 0:0. */
static bool is_limit(struct span span)
{
	struct span low;

	if (!span_split(&span, ':', &low))
		return is_number(span);
	return (low.length || span.length) && (!low.length || is_number(low)) &&
	       (!span.length || is_number(span));
}

static const char *const limits[] = {"warning", "critical"};

enum { LIMITS = sizeof(limits) / sizeof(*limits), LIMIT_NAME = 64 };

/* Where the administrator set this limit; its value, or NULL without one. */
static const char *find_limit(const struct munin_field *field,
			      const char *limit, char name[LIMIT_NAME])
{
	(void)snprintf(name, LIMIT_NAME, "%s_%s", field->name, limit);

	const char *value = environment(name, NULL);

	if (value)
		return value;
	(void)snprintf(name, LIMIT_NAME, "%s", limit);
	return environment(name, NULL);
}

static int check_limits(const struct munin_graph *graph,
			struct problem *problem)
{
	char name[LIMIT_NAME];

	for (size_t i = 0; i < graph->count * LIMITS; i++) {
		const char *value = find_limit(&graph->fields[i / LIMITS],
					       limits[i % LIMITS], name);

		if (value && !is_limit(span_trim(span_of(value))))
			return problem_set(problem, -EINVAL,
					   "env.%s %s: expected MAX, MIN:, "
					   ":MAX or MIN:MAX",
					   name, value);
	}
	return 0;
}

static void print_limits(const struct munin_field *field)
{
	char name[LIMIT_NAME];

	for (size_t i = 0; i < LIMITS; i++) {
		const char *value = find_limit(field, limits[i], name);

		if (value)
			(void)printf("%s.%s %.*s\n", field->name, limits[i],
				     SPAN_FORMAT(span_trim(span_of(value))));
	}
}

static void print_extinfo(const struct munin_field *field, const char *text)
{
	if (!*text)
		return;
	(void)printf("%s.extinfo ", field->name);
	print_plain(text);
	(void)putchar('\n');
}

/* "field.value " and what comes before the number, if it is not of now. */
static void print_name(const struct munin_field *field, uint64_t epoch_s)
{
	(void)printf("%s.value ", field->name);
	if (epoch_s)
		(void)printf("%" PRIu64 ":", epoch_s);
}

static void print_number(const struct munin_field *field, uint64_t number,
			 uint64_t epoch_s)
{
	print_name(field, epoch_s);
	if (field->is_thousandths)
		(void)printf("%" PRIu64 ".%03" PRIu64 "\n", number / 1000,
			     number % 1000);
	else
		(void)printf("%" PRIu64 "\n", number);
}

static void print_value(const struct munin_field *field,
			const struct munin_value *value, uint64_t epoch_s,
			const struct problem *problem)
{
	if (value->presence == MUNIN_UNKNOWN) {
		print_name(field, epoch_s);
		(void)puts("U");
		print_extinfo(field, problem->text);
		return;
	}
	print_number(field, value->number, epoch_s);
	print_extinfo(field, value->extinfo);
}

enum { SLOT_S = 300, BACKFILL_S = 3600, BACKFILL_MAX_S = 86400 * HISTORY_DAYS };

/* What a bad value would be taken for is the default. */
static uint64_t backfill_ms(void)
{
	uint64_t seconds;

	if (span_to_u64(span_of(environment("backfill", "")), &seconds))
		seconds = BACKFILL_S;
	return 1000 * lesser(seconds, BACKFILL_MAX_S);
}

/* The two clocks at one moment, so that each time has its epoch. */
struct clocks {
	uint64_t boottime_ms, epoch_ms;
};

static struct clocks read_clocks(void)
{
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return (struct clocks){
		.boottime_ms = clock_boottime_us() / 1000,
		.epoch_ms = (uint64_t)wall.tv_sec * 1000 +
			    (uint64_t)wall.tv_nsec / 1000000,
	};
}

/* An absurd clock of before 1970 makes it 0. */
static uint64_t epoch_s(const struct clocks *clocks, uint64_t boottime_ms)
{
	uint64_t ago_ms = clocks->boottime_ms - boottime_ms;

	return (clocks->epoch_ms - lesser(clocks->epoch_ms, ago_ms)) / 1000;
}

/* One slot; of a field that there is none of now nothing is said. */
static void print_past(const struct munin_graph *graph,
		       const struct munin_value *present,
		       const struct history_record *record, uint64_t epoch_s)
{
	struct munin_value values[MUNIN_FIELDS] = {0};
	struct sample sample;

	history_get_sample(record, &sample);
	graph->recall(record, &sample, values);
	for (size_t i = 0; i < graph->count; i++)
		if (present[i].presence != MUNIN_ABSENT &&
		    values[i].presence == MUNIN_KNOWN)
			print_number(&graph->fields[i], values[i].number,
				     epoch_s);
}

/* Where the past is sent to, and how far that is. */
struct past {
	const struct munin_graph *graph;
	const struct munin_value *present; /* of each field */
	const struct clocks *clocks;
	uint64_t since_ms;
	struct history_record slot; /* merged; at 0: there is none */
	struct history_record last; /* as it was written */
	uint64_t sent_ms;           /* the last time sent; 0: none */
};

static void send(struct past *past, const struct history_record *record)
{
	if (!record->boottime_ms || record->boottime_ms == past->sent_ms)
		return;
	print_past(past->graph, past->present, record,
		   epoch_s(past->clocks, record->boottime_ms));
	past->sent_ms = record->boottime_ms;
}

/* Before it nobody watched, or a daemon whose totals were others. */
static bool is_beginning(const struct past *past,
			 const struct history_record *record)
{
	const struct history_record *last = &past->last;

	if (!last->boottime_ms)
		return record->started_ms >= past->since_ms;
	return record->started_ms != last->started_ms ||
	       record->boottime_ms - last->boottime_ms > HISTORY_GAP_MS;
}

/* Without one at its beginning there is no rate in the first slot. */
static void add_past(struct past *past, const struct history_record *record)
{
	uint64_t number = epoch_s(past->clocks, record->boottime_ms) / SLOT_S;
	uint64_t before =
		epoch_s(past->clocks, past->slot.boottime_ms) / SLOT_S;

	if (is_beginning(past, record)) {
		send(past, &past->slot);
		send(past, record);
		past->slot = *record;
	} else if (past->slot.boottime_ms && number == before) {
		history_merge(&past->slot, record);
	} else {
		send(past, &past->slot);
		past->slot = *record;
	}
	past->last = *record;
}

/*
 * Of each slot, but the one that has not ended, the last counters and the
 * worst of the rest.  Whether there was anything to be sent.
 */
static bool print_history(const struct munin_graph *graph,
			  const struct munin_value *present,
			  const struct history *history,
			  const struct clocks *clocks)
{
	uint64_t now_ms = clocks->boottime_ms;
	uint64_t since_ms = now_ms - lesser(now_ms, backfill_ms());
	uint64_t present_slot = epoch_s(clocks, now_ms) / SLOT_S;
	struct past past = {
		.graph = graph,
		.present = present,
		.clocks = clocks,
		.since_ms = since_ms,
	};
	struct history_record record;

	for (uint64_t minute = since_ms / HISTORY_COARSE_MS;
	     minute <= now_ms / HISTORY_COARSE_MS; minute++) {
		if (!history_read(history, HISTORY_COARSE, minute, &record) ||
		    record.boottime_ms > now_ms)
			continue;
		if (epoch_s(clocks, record.boottime_ms) / SLOT_S >=
		    present_slot)
			break;
		add_past(&past, &record);
	}
	send(&past, &past.slot);
	return past.sent_ms;
}

/*
 * A master that gets a time with one value takes those without for as old:
 * then all have one.
 */
static void print_values(const struct munin_graph *graph,
			 const struct munin_host *host,
			 const struct munin_value *values,
			 const struct problem *problem)
{
	const struct clocks clocks = read_clocks();
	struct history history;
	struct problem ignored;
	uint64_t now_s = 0;

	if (graph->recall && backfill_ms() &&
	    history_open(&history, host->run_dir, host->proc, &ignored) == 0) {
		if (print_history(graph, values, &history, &clocks))
			now_s = clocks.epoch_ms / 1000;
		history_close(&history);
	}
	for (size_t i = 0; i < graph->count; i++)
		if (values[i].presence != MUNIN_ABSENT)
			print_value(&graph->fields[i], &values[i], now_s,
				    problem);
}

static void print_graph(const struct munin_graph *graph)
{
	(void)printf("graph_title %s\ngraph_args %s\ngraph_vlabel %s\n"
		     "graph_category %s\ngraph_info %s\n",
		     graph->title, graph->args, graph->vlabel, graph->category,
		     graph->info);
	if (graph->is_unscaled)
		(void)puts("graph_scale no");
}

static void print_field(const struct munin_field *field)
{
	(void)printf("%s.label %s\n%s.type %s\n%s.min 0\n%s.info %s\n",
		     field->name, field->label, field->name, field->type,
		     field->name, field->name, field->info);
	if (field->is_hidden)
		(void)printf("%s.graph no\n", field->name);
	if (field->negative)
		(void)printf("%s.negative %s\n", field->name, field->negative);
	print_limits(field);
}

static bool has_optional_fields(const struct munin_graph *graph)
{
	for (size_t i = 0; i < graph->count; i++)
		if (graph->fields[i].is_optional)
			return true;
	return false;
}

static int answer_fetch(const struct munin_graph *graph,
			const struct munin_host *host, struct problem *problem)
{
	struct munin_value values[MUNIN_FIELDS] = {0};
	int error = graph->fetch(host, values, problem);

	if (error)
		return error;
	print_values(graph, host, values, problem);
	return 0;
}

/*
 * Without a config there is no graph at all, so it does not fail for want of
 * values, unless they tell which fields there are.
 */
static int answer_config(const struct munin_graph *graph,
			 const struct munin_host *host, struct problem *problem)
{
	struct munin_value values[MUNIN_FIELDS] = {0};
	int error = check_limits(graph, problem);

	if (error)
		return error;
	error = graph->fetch(host, values, problem);
	if (error && has_optional_fields(graph))
		return error;

	bool is_dirty =
		!error &&
		strcmp(environment("MUNIN_CAP_DIRTYCONFIG", ""), "1") == 0;

	print_graph(graph);
	for (size_t i = 0; i < graph->count; i++)
		if (values[i].presence != MUNIN_ABSENT)
			print_field(&graph->fields[i]);
	if (is_dirty)
		print_values(graph, host, values, problem);
	return 0;
}

static int answer_autoconf(const struct munin_graph *graph,
			   const struct munin_host *host,
			   struct problem *problem)
{
	struct munin_value values[MUNIN_FIELDS] = {0};
	int error = graph->autoconf ? graph->autoconf(host, problem)
				    : graph->fetch(host, values, problem);

	if (!error)
		(void)puts("yes");
	return error;
}

struct request {
	const char *name;
	int (*answer)(const struct munin_graph *graph,
		      const struct munin_host *host, struct problem *problem);
	bool is_question; /* "no" is an answer, not a failure */
};

static const struct request requests[] = {
	{"fetch", answer_fetch, false},
	{"config", answer_config, false},
	{"autoconf", answer_autoconf, true},
};

/*
 * Without an argument Munin wants the values; "config cap", of Munin 3, may be
 * answered as config.
 */
static const struct request *find_request(int argc, char **argv)
{
	const char *name = argc > 1 && *argv[1] ? argv[1] : "fetch";

	if (argc > 3 || (argc == 3 && strcmp(argv[2], "cap") != 0))
		return NULL;

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (strcmp(name, requests[i].name) == 0)
			return &requests[i];
	return NULL;
}

static int answer(const struct request *request,
		  const struct munin_graph *graph, struct problem *problem)
{
	const char *proc = environment("THRASH_PROTECT_PROC", "/proc");
	const struct munin_host host = {
		.run_dir = environment("THRASH_PROTECT_RUN_DIR", STATE_RUN_DIR),
		.proc = directory_open(proc),
	};

	if (host.proc < 0)
		return problem_set(problem, host.proc, "%s: %s", proc,
				   strerror(-host.proc));

	int error = request->answer(graph, &host, problem);

	(void)close(host.proc);
	return error;
}

static int fail(const char *reason)
{
	(void)fprintf(stderr, "%s: %s\n", program_invocation_short_name,
		      reason);
	return 1;
}

int munin_main(int argc, char **argv, const struct munin_graph *graph)
{
	const struct request *request = find_request(argc, argv);
	struct problem problem = {""};

	if (!request)
		return fail("expected config, autoconf or fetch");

	int error = answer(request, graph, &problem);

	if (error && !request->is_question)
		return fail(problem.text);
	if (error) {
		(void)fputs("no (", stdout);
		print_plain(problem.text);
		(void)puts(")");
	}
	return fflush(stdout) == 0 ? 0 : fail(strerror(errno));
}

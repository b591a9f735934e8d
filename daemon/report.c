/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --report. */
#include "daemon/report.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/number.h"
#include "core/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1024, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* One process, over all its freezes. */
struct culprit {
	struct history_freeze last; /* the youngest freeze */
	uint64_t times, frozen_ms, longest_ms;
	bool is_open; /* the end of one is not known */
};

struct culprits {
	struct culprit *rows; /* owned; room for all freezes */
	size_t count;
};

/* Whose freeze it was, perhaps for the first time. */
static struct culprit *find(struct culprits *culprits,
			    const struct history_freeze *freeze)
{
	for (size_t i = 0; i < culprits->count; i++) {
		const struct history_freeze *last = &culprits->rows[i].last;

		if (last->pid == freeze->pid &&
		    last->start_time == freeze->start_time)
			return &culprits->rows[i];
	}
	return &culprits->rows[culprits->count++];
}

static void add(struct culprits *culprits, const struct history_freeze *freeze)
{
	struct culprit *culprit = find(culprits, freeze);

	culprit->times++;
	culprit->frozen_ms += freeze->frozen_ms;
	culprit->longest_ms = greater(culprit->longest_ms, freeze->frozen_ms);
	culprit->is_open |= !freeze->is_over;
	if (freeze->sequence > culprit->last.sequence)
		culprit->last = *freeze;
}

/*
 * Those whose freeze began, ended or went on in that time: one without an end
 * did if its daemon saw somebody frozen in it.
 */
static bool is_wanted(const struct report *report,
		      const struct history_sum *sum,
		      const struct history_freeze *freeze)
{
	uint64_t end_ms = freeze->boottime_ms + freeze->frozen_ms;

	if (!freeze->is_over && sum->worst.frozen_processes &&
	    freeze->boottime_ms >= sum->worst.started_ms)
		end_ms = report->until_ms;
	return freeze->boottime_ms <= report->until_ms &&
	       end_ms >= report->since_ms;
}

static int collect(const struct report *report, const struct history_sum *sum,
		   struct culprits *culprits)
{
	struct history_freeze freeze;
	uint64_t last = history_last_freeze(report->history);

	culprits->count = 0;
	culprits->rows = calloc(HISTORY_FREEZES, sizeof(*culprits->rows));
	if (!culprits->rows)
		return -ENOMEM;
	for (uint64_t i = 0; i < lesser(last, HISTORY_FREEZES); i++)
		if (history_find_freeze(report->history, last - i, &freeze) &&
		    is_wanted(report, sum, &freeze))
			add(culprits, &freeze);
	return 0;
}

/* Who was frozen for longest comes first; of the same, who was so last. */
static int compare(const void *one, const void *other)
{
	const struct culprit *a = one, *b = other;

	if (a->frozen_ms != b->frozen_ms)
		return a->frozen_ms < b->frozen_ms ? 1 : -1;
	return a->last.sequence < b->last.sequence ? 1 : -1;
}

static void format_time(const struct report *report, uint64_t boottime_ms,
			char text[CLOCK_UTC_TEXT])
{
	uint64_t ago_s = (report->until_ms - boottime_ms) / SECOND;

	clock_format_utc(report->until_s - lesser(report->until_s, ago_s),
			 text);
}

enum { DURATION = 48 };

/* "1.250 s", "12 min 3 s", "27 h 12 min" */
static void format_duration(uint64_t ms, char text[DURATION])
{
	if (ms < MINUTE)
		(void)snprintf(text, DURATION, "%" PRIu64 ".%03" PRIu64 " s",
			       ms / SECOND, ms % SECOND);
	else if (ms < HOUR)
		(void)snprintf(text, DURATION, "%" PRIu64 " min %" PRIu64 " s",
			       ms / MINUTE, ms % MINUTE / SECOND);
	else
		(void)snprintf(text, DURATION, "%" PRIu64 " h %" PRIu64 " min",
			       ms / HOUR, ms % HOUR / MINUTE);
}

enum { SHORT = 24 };

/* The same in a column: "1.2s", "12m03s", "27h12m". */
static void format_short(uint64_t ms, char text[SHORT])
{
	if (ms < MINUTE)
		(void)snprintf(text, SHORT, "%" PRIu64 ".%" PRIu64 "s",
			       ms / SECOND, ms % SECOND / 100);
	else if (ms < HOUR)
		(void)snprintf(text, SHORT, "%" PRIu64 "m%02" PRIu64 "s",
			       ms / MINUTE, ms % MINUTE / SECOND);
	else
		(void)snprintf(text, SHORT, "%" PRIu64 "h%02" PRIu64 "m",
			       ms / HOUR, ms % HOUR / MINUTE);
}

/* What of the time nobody watched; a little less than a minute is nothing. */
static uint64_t missed_ms(const struct report *report,
			  const struct history_sum *sum)
{
	uint64_t ms = report->until_ms - report->since_ms;

	ms -= lesser(ms, sum->covered_ms);
	return ms < HISTORY_COARSE_MS ? 0 : ms;
}

static void print_memory(const struct history_sum *sum, FILE *out)
{
	bool is_confined = sum->worst.flags & HISTORY_IS_CONFINED;
	char time[DURATION];

	if (!sum->worst.lacked_kib) {
		(void)fputs("memory       enough, as far as it was measured\n",
			    out);
		return;
	}
	format_duration(sum->lacked_ms, time);
	(void)fprintf(out,
		      "memory       too little for %s; at worst %" PRIu64
		      " MiB were lacking%s\n",
		      time, ((uint64_t)sum->worst.lacked_kib + MIB - 1) / MIB,
		      is_confined ? "\n             to a cgroup at its limit"
				  : "");
}

static void print_frozen(const struct history_sum *sum, size_t processes,
			 FILE *out)
{
	char time[DURATION];

	if (!processes && !sum->freezes && !sum->worst.frozen_processes) {
		(void)fputs("frozen       nobody\n", out);
		return;
	}
	format_duration(sum->worst.longest_frozen_ms, time);
	(void)fprintf(out,
		      "frozen       %zu process%s, %" PRIu64
		      " time%s; at most %u at once, and one for %s\n",
		      processes, processes == 1 ? "" : "es", sum->freezes,
		      sum->freezes == 1 ? "" : "s",
		      (unsigned)sum->worst.frozen_processes, time);
}

static void print_sum(const struct report *report,
		      const struct history_sum *sum, size_t processes,
		      FILE *out)
{
	char since[CLOCK_UTC_TEXT], until[CLOCK_UTC_TEXT], time[DURATION];
	uint64_t unwatched_ms = missed_ms(report, sum);

	format_time(report, report->since_ms, since);
	format_time(report, report->until_ms, until);
	format_duration(report->until_ms - report->since_ms, time);
	(void)fprintf(out, "from %s to %s, %s\n", since, until, time);
	if (unwatched_ms) {
		format_duration(unwatched_ms, time);
		(void)fprintf(out,
			      "not watched  %s: no daemon was running, or the "
			      "host slept\n",
			      time);
	}
	format_duration(sum->thrash_us / 1000, time);
	(void)fprintf(out, "thrashing    %s\n", time);
	print_memory(sum, out);
	print_frozen(sum, processes, out);
}

/* Two lines: who, how often and for how long; and why. */
static void print_culprit(const struct report *report,
			  const struct culprit *culprit, FILE *out)
{
	const struct history_freeze *last = &culprit->last;
	char command[TEXT_ESCAPED_COMMAND];
	char total[SHORT], longest[SHORT], ago[SHORT];

	format_short(report->until_ms -
			     lesser(report->until_ms, last->boottime_ms),
		     ago);
	format_short(culprit->frozen_ms, total);
	format_short(culprit->longest_ms, longest);
	text_escape(last->command, command, sizeof(command));
	(void)fprintf(out,
		      "%8d %-16s %6" PRIu64 " %7s%c %8s %9u %8s ago\n"
		      "         %s%s%s\n",
		      (int)last->pid, command, culprit->times, total,
		      culprit->is_open ? '+' : ' ', longest,
		      last->memory_kib / MIB, ago, last->class,
		      last->reason[0] ? ": " : "", last->reason);
}

static void print_text(const struct report *report,
		       const struct history_sum *sum, struct culprits *culprits,
		       FILE *out)
{
	size_t lines = lesser(culprits->count, REPORT_LINES);
	bool is_any_open = false;

	print_sum(report, sum, culprits->count, out);
	if (!lines)
		return;
	qsort(culprits->rows, culprits->count, sizeof(*culprits->rows),
	      compare);
	(void)fprintf(out, "\n%8s %-16s %6s %7s  %8s %9s %12s\n", "PID",
		      "COMMAND", "TIMES", "FROZEN", "LONGEST", "MIB", "LAST");
	for (size_t i = 0; i < lines; i++) {
		print_culprit(report, &culprits->rows[i], out);
		is_any_open |= culprits->rows[i].is_open;
	}
	if (lines < culprits->count)
		(void)fprintf(out, "and %zu more\n", culprits->count - lines);
	if (is_any_open)
		(void)fputs("+ and a time whose end is still to come, or not "
			    "known\n",
			    out);
}

static void print_json_culprit(const struct report *report,
			       const struct culprit *culprit, FILE *out)
{
	const struct history_freeze *last = &culprit->last;
	char since[CLOCK_UTC_TEXT];

	format_time(report, last->boottime_ms, since);
	(void)fprintf(out,
		      "\n    {\"pid\": %d, \"start_time\": %" PRIu64
		      ", \"times\": %" PRIu64 ", \"frozen_ms\": %" PRIu64
		      ", \"longest_ms\": %" PRIu64
		      ", \"is_over\": %s, \"memory_kib\": %u, "
		      "\"last\": \"%s\", \"method\": \"%s\", "
		      "\"class\": \"%s\", \"reason\": \"%s\", \"command\": ",
		      (int)last->pid, last->start_time, culprit->times,
		      culprit->frozen_ms, culprit->longest_ms,
		      culprit->is_open ? "false" : "true", last->memory_kib,
		      since, last->method, last->class, last->reason);
	state_print_json_text(last->command, out);
	(void)fputc('}', out);
}

static void print_json(const struct report *report,
		       const struct history_sum *sum,
		       const struct culprits *culprits, FILE *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"not_watched_ms", missed_ms(report, sum)},
		{"thrash_ms", sum->thrash_us / 1000},
		{"lacked_ms", sum->lacked_ms},
		{"lacked_kib", sum->worst.lacked_kib},
		{"freezes", sum->freezes},
		{"frozen_ms", sum->frozen_us / 1000},
		{"most_frozen_processes", sum->worst.frozen_processes},
		{"longest_frozen_ms", sum->worst.longest_frozen_ms},
	};
	char since[CLOCK_UTC_TEXT], until[CLOCK_UTC_TEXT];

	format_time(report, report->since_ms, since);
	format_time(report, report->until_ms, until);
	(void)fprintf(out, "{\n  \"since\": \"%s\",\n  \"until\": \"%s\"",
		      since, until);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		(void)fprintf(out, ",\n  \"%s\": %" PRIu64, numbers[i].name,
			      numbers[i].value);
	(void)fputs(",\n  \"frozen\": [", out);
	for (size_t i = 0; i < culprits->count; i++) {
		(void)fputs(i ? "," : "", out);
		print_json_culprit(report, &culprits->rows[i], out);
	}
	(void)fprintf(out, "%s]\n}\n", culprits->count ? "\n  " : "");
}

int report_write(const struct report *report, bool is_json, FILE *out)
{
	struct history_sum sum;
	struct culprits culprits;
	int error;

	history_add_up(report->history, report->since_ms, report->until_ms,
		       &sum);
	error = collect(report, &sum, &culprits);
	if (error)
		return error;
	if (is_json)
		print_json(report, &sum, &culprits, out);
	else
		print_text(report, &sum, &culprits, out);
	free(culprits.rows);
	return 0;
}

int report_print(const struct settings *settings, FILE *out, struct log *log)
{
	struct history history = {-1};
	struct problem problem;
	struct timespec wall;
	uint64_t now_ms = clock_boottime_us() / 1000;
	uint64_t since_ms =
		settings->since_ms ? settings->since_ms : REPORT_SINCE_MS;
	int proc = directory_open(settings->proc);
	int error = proc < 0 ? problem_set(&problem, proc, "%s: %s",
					   settings->proc, strerror(-proc))
			     : history_open(&history, settings->run_dir, proc,
					    &problem);

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	if (!error) {
		const struct report report = {
			.history = &history,
			.since_ms = now_ms - lesser(now_ms, since_ms),
			.until_ms = now_ms,
			.until_s = (uint64_t)wall.tv_sec,
		};

		error = report_write(&report, settings->is_json, out);
		(void)problem_set(&problem, error, "%s", strerror(-error));
	}
	if (error)
		log_error(log, "%s", problem.text);
	history_close(&history);
	if (proc >= 0)
		(void)close(proc);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

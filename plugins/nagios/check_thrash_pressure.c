/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nagios check: how long tasks wait for memory and how much is paged, by the
 * kernel's own counters.  Needs no daemon, no swap and no pressure
 * information, but uses what there is.
 */
#include "plugins/nagios/nagios.h"

#include "core/clock.h"
#include "core/number.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum metric {
	STALL,
	SWAP_IN,
	SWAP_OUT,
	REFAULTS,
	MAJOR_FAULTS,
	IO_STALL,
	METRICS,
};

struct settings {
	struct nagios_common common;
	struct nagios_limits limits[METRICS];
	uint64_t interval_ms;
	uint64_t since_ms; /* 0: only the last interval is judged */
};

#define RANGES(prefix, metric, what)                                     \
	NAGIOS_RANGE(prefix "-warning", 0, NULL, limits[metric].warning, \
		     what "; also " prefix "-critical"),                 \
		NAGIOS_RANGE(prefix "-critical", 0, NULL,                \
			     limits[metric].critical, NULL)

static const struct option_row rows[] = {
	NAGIOS_RANGE("warning", 'w', "10", limits[STALL].warning,
		     "WARNING outside RANGE of stall, in %"),
	NAGIOS_RANGE("critical", 'c', "40", limits[STALL].critical,
		     "CRITICAL likewise"),
	RANGES("swap-in", SWAP_IN, "bytes/s"),
	RANGES("swap-out", SWAP_OUT, "bytes/s"),
	RANGES("refaults", REFAULTS, "pages/s"),
	RANGES("major-faults", MAJOR_FAULTS, "faults/s"),
	RANGES("io-stall", IO_STALL, "%"),
	NAGIOS_SINCE(since_ms, "judge the worst of that time, by the history"),
	{.name = "interval",
	 .argument = "SECONDS",
	 .standard = "1",
	 .help = "to watch without a daemon",
	 .parse = option_seconds,
	 .offset = offsetof(struct settings, interval_ms),
	 .min = 100,
	 .max = 3600000},
};

/* Shorter, rates are chance; longer, a host that hangs is long in answering. */
enum { WATCHED_MIN_MS = 500 };

enum kind {
	TIME,  /* us stalled: % */
	PAGES, /* bytes/s */
	COUNT, /* 1/s */
};

#define COUNTER(path) offsetof(struct sample, path)

static const struct row {
	const char *label, *name;
	enum kind kind;
	bool is_detail; /* in the text only if it alerts or is alone */
	size_t counter; /* in struct sample, as the others */
	size_t other;   /* to be added; 0: none */
	size_t has;     /* the bool that says that it is there; 0: always */
} metrics[METRICS] = {
	[STALL] = {"stall", "stall", TIME, false, COUNTER(memory.some_us), 0,
		   COUNTER(has_memory)},
	[SWAP_IN] = {"swap_in", "swap-in", PAGES, false,
		     COUNTER(vmstat.swapped_in), 0, COUNTER(vmstat.has_swap)},
	[SWAP_OUT] = {"swap_out", "swap-out", PAGES, false,
		      COUNTER(vmstat.swapped_out), 0, COUNTER(vmstat.has_swap)},
	[REFAULTS] = {"refaults", "refaults", COUNT, false,
		      COUNTER(vmstat.refaulted_file),
		      COUNTER(vmstat.refaulted_anon),
		      COUNTER(vmstat.has_refaults_file)},
	[MAJOR_FAULTS] = {"major_faults", "major faults", COUNT, true,
			  COUNTER(vmstat.major_faults), 0, 0},
	[IO_STALL] = {"io_stall", "I/O stall", TIME, true, COUNTER(io.some_us),
		      0, COUNTER(has_io)},
};

static bool row_is_in(const struct row *row, const struct sample *sample)
{
	return !row->has || *(const bool *)((const char *)sample + row->has);
}

static uint64_t counter_in(const struct sample *sample, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)sample + offset);
}

static uint64_t row_counter(const struct row *row, const struct sample *sample)
{
	return counter_in(sample, row->counter) +
	       (row->other ? counter_in(sample, row->other) : 0);
}

/* In thousandths, measured to a tenth; bytes to one. */
static uint64_t rounded(double value, bool is_bytes)
{
	double most = 1e15; /* of whatever; thousandths of it still fit */
	double clamped = value < most ? value : most;

	return is_bytes ? (uint64_t)(clamped + 0.5) * 1000
			: (uint64_t)(clamped * 10 + 0.5) * 100;
}

/* The growth of a second, in the unit of the metric. */
static uint64_t row_rate(const struct row *row, const struct sample *before,
			 const struct sample *after)
{
	double growth =
		(double)(row_counter(row, after) - row_counter(row, before));
	double rate = growth * 1e6 / (double)(after->time_us - before->time_us);

	if (row->kind == PAGES)
		rate *= (double)sysconf(_SC_PAGESIZE);
	if (row->kind == TIME) /* of a second; the clocks differ a little */
		rate = rate < 1e6 ? rate / 1e4 : 100;
	return rounded(rate, row->kind == PAGES);
}

static void judge_row(const struct row *row, const struct nagios_limits *limits,
		      uint64_t rate, struct nagios_run *run)
{
	static const struct {
		const char *unit, *suffix;
	} kinds[] = {
		[TIME] = {"%", " %"},
		[PAGES] = {"B", " kB/s"},
		[COUNT] = {"", "/s"},
	};
	char number[NAGIOS_NUMBER];
	enum nagios_status status = nagios_measure(
		run, row->label, kinds[row->kind].unit, rate, limits);

	nagios_number(row->kind == PAGES ? (rate + 500000) / 1000000 * 1000
					 : rate,
		      number);
	nagios_detail(run, 1, "%s %s%s", row->name, number,
		      kinds[row->kind].suffix);
	if (!row->is_detail || status != NAGIOS_OK || !run->text.used)
		nagios_add(&run->text, "%s%s %s%s", run->text.used ? ", " : "",
			   row->name, number, kinds[row->kind].suffix);
}

static bool row_is_in_both(const struct row *row, const struct sample *before,
			   const struct sample *after)
{
	return row_is_in(row, before) && row_is_in(row, after);
}

/* What the kernel never does while it runs; NULL if it did not. */
static const struct row *find_backwards(const struct sample *before,
					const struct sample *after)
{
	for (const struct row *row = metrics; row < metrics + METRICS; row++)
		if (row_is_in_both(row, before, after) &&
		    row_counter(row, after) < row_counter(row, before))
			return row;
	return NULL;
}

/* The highest rate of each metric between two samples that follow. */
struct worst {
	uint64_t rates[METRICS];
	uint64_t since_ms; /* 0: of one interval only */
};

/* Too short an interval says little; one without a daemon is an average. */
static void worsen(struct worst *worst, const struct sample *before,
		   const struct sample *after)
{
	if (after->time_us - before->time_us <
		    UINT64_C(1000) * WATCHED_MIN_MS ||
	    find_backwards(before, after))
		return;
	for (size_t i = 0; i < METRICS; i++)
		if (row_is_in_both(&metrics[i], before, after))
			worst->rates[i] =
				greater(worst->rates[i],
					row_rate(&metrics[i], before, after));
}

static void judge(const struct settings *settings, const struct sample *before,
		  const struct sample *after, const struct worst *worst,
		  struct nagios_run *run)
{
	const struct row *backwards = find_backwards(before, after);
	char seconds[NAGIOS_NUMBER];

	if (backwards) {
		nagios_say(run, NAGIOS_UNKNOWN,
			   "the kernel's counter of %s went backwards",
			   backwards->name);
		return;
	}
	for (size_t i = 0; i < METRICS; i++)
		if (row_is_in_both(&metrics[i], before, after))
			judge_row(&metrics[i], &settings->limits[i],
				  greater(worst->rates[i],
					  row_rate(&metrics[i], before, after)),
				  run);
	nagios_number(worst->since_ms ? worst->since_ms
				      : (after->time_us - before->time_us) /
						100000 * 100,
		      seconds);
	nagios_add(&run->text, "%s %s s%s",
		   worst->since_ms ? ", the worst of" : " over", seconds,
		   after->has_memory ? "" : ", no pressure information");
}

/* From one record of the history to the next, and from the last until now. */
static bool find_worst(const struct settings *settings,
		       const struct sample *after, struct worst *worst,
		       struct nagios_run *run)
{
	uint64_t since_ms = nagios_since_ms(run, settings->since_ms);
	struct history history;
	struct history_walk walk;
	struct history_record record;
	struct sample before = {.time_us = 0}, now;

	worst->since_ms = run->now_ms - since_ms;
	if (!nagios_open_history(run, &history))
		return false;
	/* the first interval may have begun before */
	history_walk(&walk, &history,
		     since_ms - lesser(since_ms, HISTORY_GAP_MS),
		     after->time_us / 1000);
	while (history_next(&walk, &record)) {
		history_get_sample(&record, &now);
		if (before.time_us && record.boottime_ms > since_ms)
			worsen(worst, &before, &now);
		before = now;
	}
	if (before.time_us)
		worsen(worst, &before, after);
	history_close(&history);
	return true;
}

static int take(const struct nagios_run *run, struct sample *sample)
{
	return sample_read(run->proc, clock_boottime_us(), sample);
}

/* What was seen when this was last looked at by the same program. */
static bool take_previous(const struct nagios_run *run, struct sample *sample)
{
	if (!run->previous || !run->previous->time_us)
		return false;
	*sample = *run->previous;
	return clock_boottime_us() - sample->time_us >=
	       WATCHED_MIN_MS * UINT64_C(1000);
}

/* What the daemon saw when it wrote its state. */
static bool take_published(const struct nagios_run *run, struct sample *sample)
{
	struct state state;
	struct problem problem;

	if (nagios_read_state(run, &state, &problem))
		return false;
	*sample = state.sample;
	/* every host has had major faults: a state without has no counters */
	return state.sample.vmstat.major_faults > 0;
}

/* Until what is in sample was that long ago. */
static void wait_until_old(const struct sample *sample, uint64_t least_ms)
{
	uint64_t age_ms = (clock_boottime_us() - sample->time_us) / 1000;
	uint64_t wait_ms = least_ms - lesser(age_ms, least_ms);
	const struct timespec rest = {
		.tv_sec = (time_t)(wait_ms / 1000),
		.tv_nsec = (long)(wait_ms % 1000) * 1000000,
	};

	if (wait_ms)
		(void)nanosleep(&rest, NULL);
}

static int take_both(const struct settings *settings,
		     const struct nagios_run *run, struct sample *before,
		     struct sample *after)
{
	uint64_t least_ms = WATCHED_MIN_MS;

	if (!take_previous(run, before) && !take_published(run, before)) {
		int error = take(run, before);

		if (error)
			return error;
		least_ms = settings->interval_ms;
	}
	wait_until_old(before, least_ms);
	return take(run, after);
}

static void look(const void *given, struct nagios_run *run)
{
	const struct settings *settings = given;
	struct sample before, after;
	struct worst worst = {.since_ms = 0};

	if (settings->interval_ms >= run->common->timeout_ms) {
		nagios_say(run, NAGIOS_UNKNOWN,
			   "--interval must be shorter than --timeout");
		return;
	}

	int error = take_both(settings, run, &before, &after);

	if (error)
		nagios_say(run, NAGIOS_UNKNOWN, "counters in %s: %s",
			   run->common->proc_dir, strerror(-error));
	else if (!settings->since_ms ||
		 find_worst(settings, &after, &worst, run))
		judge(settings, &before, &after, &worst, run);
	if (!error && run->previous)
		*run->previous = after;
}

const struct nagios_check check_thrash_pressure = {
	.program = "check_thrash_pressure",
	.name = "PRESSURE",
	.summary = "waiting for memory, and paging",
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(*rows),
	.settings_size = sizeof(struct settings),
	.look = look,
};

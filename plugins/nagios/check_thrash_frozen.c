/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nagios check: how many processes are frozen, who, and for how long. */
#include "plugins/nagios/nagios.h"

#include "core/number.h"

#include <inttypes.h>
#include <string.h>

enum { PROCESSES_MAX = 65536 };

struct settings {
	struct nagios_common common;
	struct nagios_limits frozen, longest;
	uint64_t since_ms; /* 0: only this moment is judged */
	int no_daemon;     /* enum nagios_status */
	bool counts_orphans;
};

/* A daemon with default settings lets nobody wait longer than 60 s. */
static const struct option_row rows[] = {
	NAGIOS_RANGE("warning", 'w', "0", frozen.warning,
		     "WARNING outside RANGE of frozen"),
	NAGIOS_RANGE("critical", 'c', "5", frozen.critical,
		     "CRITICAL likewise"),
	NAGIOS_RANGE("longest-warning", 0, "90", longest.warning,
		     "WARNING outside RANGE of the longest, in s"),
	NAGIOS_RANGE("longest-critical", 0, "300", longest.critical,
		     "CRITICAL likewise"),
	{.name = "no-daemon",
	 .argument = "STATUS",
	 .standard = "critical",
	 .help = "ok, warning, critical or unknown: without a daemon",
	 .parse = nagios_option_status,
	 .offset = offsetof(struct settings, no_daemon)},
	NAGIOS_SINCE(since_ms, "judge the worst of that time, not this moment"),
	{.name = "orphans",
	 .help = "apply -w and -c also to what is stopped, but "
		 "neither by the daemon nor as a job of a shell",
	 .parse = option_flag,
	 .offset = offsetof(struct settings, counts_orphans)},
};

static void name_frozen(const struct state *state, struct nagios_run *run)
{
	uint64_t age_ms = nagios_state_age_ms(run, state);
	char seconds[NAGIOS_NUMBER];

	for (uint64_t i = 0; i < state->frozen_processes; i++) {
		const struct state_frozen *frozen = &state->frozen[i];

		nagios_number(frozen->frozen_ms + age_ms, seconds);
		nagios_name(run, frozen->command, frozen->pid,
			    "frozen for %s s, method %s, class %s", seconds,
			    frozen->method, frozen->class);
	}
}

static void look_at_state(const struct settings *settings,
			  const struct state *state, struct nagios_run *run)
{
	uint64_t count = state->frozen_processes;
	uint64_t longest_ms = count ? state->longest_frozen_ms +
					      nagios_state_age_ms(run, state)
				    : 0;
	char seconds[NAGIOS_NUMBER];

	nagios_measure(run, "frozen", "", count * 1000,
		       settings->since_ms ? NULL : &settings->frozen);
	nagios_measure(run, "longest", "s", longest_ms,
		       settings->since_ms ? NULL : &settings->longest);
	nagios_measure(run, "freezes", "c", state->freezes_total * 1000, NULL);
	nagios_detail(run, 2, "daemon %" PRIu64 ", %s, mode %s, verdict %s",
		      state->pid, state->version, state->mode, state->verdict);
	nagios_number(longest_ms, seconds);
	if (!count)
		nagios_add(&run->text, "nothing is frozen");
	else
		nagios_add(&run->text, "%" PRIu64 " %s, longest %s s:", count,
			   nagios_is_dry_run(state) ? "in a dry run" : "frozen",
			   seconds);
	name_frozen(state, run);
}

enum { NAMED = 64 };

/* Who was named already; of so many each only once. */
struct named {
	struct {
		pid_t pid;
		uint64_t start_time;
	} rows[NAMED];
	size_t count;
};

static bool is_new(struct named *named, const struct history_freeze *freeze)
{
	for (size_t i = 0; i < lesser(named->count, NAMED); i++)
		if (named->rows[i].pid == freeze->pid &&
		    named->rows[i].start_time == freeze->start_time)
			return false;
	named->rows[named->count % NAMED].pid = freeze->pid;
	named->rows[named->count++ % NAMED].start_time = freeze->start_time;
	return true;
}

static void name_one(const struct history_freeze *freeze,
		     struct nagios_run *run)
{
	char seconds[NAGIOS_NUMBER];

	nagios_number(freeze->frozen_ms, seconds);
	nagios_name(run, freeze->command, freeze->pid,
		    "was frozen for %s s, method %s, class %s: %s", seconds,
		    freeze->method, freeze->class, freeze->reason);
}

/*
 * Whose freeze ended in that time; who still is frozen has been named.  The
 * longest of that time began no sooner than longest_ms before it, and what was
 * noted of it is a minute old at most.
 */
static void name_past(const struct history *history, uint64_t since_ms,
		      uint64_t longest_ms, struct nagios_run *run)
{
	uint64_t last = history_last_freeze(history);
	struct named named = {.count = 0};
	struct history_freeze freeze;

	for (uint64_t i = 0; i < lesser(last, HISTORY_FREEZES); i++) {
		if (!history_find_freeze(history, last - i, &freeze))
			continue;
		if (freeze.boottime_ms + longest_ms + HISTORY_COARSE_MS <
		    since_ms)
			break;
		if (freeze.is_over &&
		    freeze.boottime_ms + freeze.frozen_ms >= since_ms &&
		    is_new(&named, &freeze))
			name_one(&freeze, run);
	}
}

/* How bad it was, which is at least as bad as it is. */
static void look_at_past(const struct settings *settings,
			 const struct state *state, struct nagios_run *run)
{
	uint64_t since_ms = nagios_since_ms(run, settings->since_ms);
	uint64_t count = state->frozen_processes, longest_ms = 0;
	char period[NAGIOS_NUMBER], seconds[NAGIOS_NUMBER];
	struct history history;
	struct history_sum sum;

	if (!nagios_open_history(run, &history))
		return;
	history_add_up(&history, since_ms, run->now_ms, &sum);
	if (count)
		longest_ms = state->longest_frozen_ms +
			     nagios_state_age_ms(run, state);
	count = greater(count, sum.worst.frozen_processes);
	longest_ms = greater(longest_ms, sum.worst.longest_frozen_ms);
	nagios_measure(run, "frozen_worst", "", count * 1000,
		       &settings->frozen);
	nagios_measure(run, "longest_worst", "s", longest_ms,
		       &settings->longest);
	nagios_number(run->now_ms - since_ms, period);
	nagios_number(longest_ms, seconds);
	nagios_add(&run->text, "; worst in %s s", period);
	if (sum.covered_ms + HISTORY_GAP_MS < run->now_ms - since_ms) {
		nagios_number(sum.covered_ms, period);
		nagios_add(&run->text, " (%s s watched)", period);
	}
	nagios_add(&run->text, ": %" PRIu64 " frozen", count);
	if (sum.worst.frozen_processes) {
		nagios_add(&run->text, ", longest %s s:", seconds);
		name_past(&history, since_ms, longest_ms, run);
	}
	history_close(&history);
}

/* Without a daemon; its last state, if there is one, may still be true. */
static void look_at_leftovers(const struct settings *settings,
			      const struct state *state, const char *why,
			      struct nagios_run *run)
{
	nagios_say(run, (enum nagios_status)settings->no_daemon, "%s", why);
	if (!state->frozen_processes)
		return;
	/* nobody will thaw them: that is never all right */
	if (!nagios_is_dry_run(state))
		nagios_raise(run, NAGIOS_CRITICAL);
	nagios_add(&run->text, "; it had frozen:");
	name_frozen(state, run);
	nagios_detail(run, 1, "thrash-protect --thaw-all lets them go on");
}

/* A shell gives each job a group of its own; its user may have stopped it. */
static bool is_orphan(const struct process *process, const struct state *state,
		      bool is_daemon_missing)
{
	if (process->state != 'T')
		return false;
	for (uint64_t i = 0; i < state->frozen_processes; i++)
		if (state->frozen[i].pid == process->pid &&
		    state->frozen[i].start_time == process->start_time)
			return is_daemon_missing;
	return process->group == process->session;
}

static void look_at_table(const struct settings *settings,
			  const struct process_table *table,
			  const struct state *state, bool is_daemon_missing,
			  struct nagios_run *run)
{
	uint64_t count = 0;

	nagios_add(&run->text, "; orphans:");
	for (size_t i = 0; i < table->count; i++) {
		const struct process *process = &table->rows[i];

		if (!is_orphan(process, state, is_daemon_missing))
			continue;
		count++;
		nagios_name(run, process->command, process->pid,
			    "stopped, and no daemon tracks it");
	}
	if (!count)
		nagios_add(&run->text, " none");
	nagios_measure(run, "orphans", "", count * 1000, &settings->frozen);
}

static void look_for_orphans(const struct settings *settings,
			     const struct state *state, bool is_daemon_missing,
			     struct nagios_run *run)
{
	struct process_table table = {.capacity = 0};
	struct process init;
	const char *why = NULL;

	/* to count only those that we may see would be a false OK */
	if (process_read(run->proc, 1, 1, &init))
		why = "hidden by the options of /proc";
	else if (process_table_open(&table, run->proc, PROCESSES_MAX) ||
		 process_table_scan(&table))
		why = "processes cannot be listed";
	else if (table.left_out)
		why = "too many processes";
	if (why)
		nagios_say(run, NAGIOS_UNKNOWN, "; orphans: %s", why);
	else
		look_at_table(settings, &table, state, is_daemon_missing, run);
	process_table_close(&table);
}

static void look(const void *given, struct nagios_run *run)
{
	const struct settings *settings = given;
	struct state state;
	struct problem problem;
	int error = nagios_read_state(run, &state, &problem);
	bool is_daemon_missing = nagios_is_daemon_missing(error);

	if (!error)
		look_at_state(settings, &state, run);
	else if (is_daemon_missing)
		look_at_leftovers(settings, &state, problem.text, run);
	else
		nagios_say(run, NAGIOS_UNKNOWN, "%s", problem.text);
	if (settings->since_ms)
		look_at_past(settings, &state, run);
	if (settings->counts_orphans)
		look_for_orphans(settings, &state, is_daemon_missing, run);
}

const struct nagios_check check_thrash_frozen = {
	.program = "check_thrash_frozen",
	.name = "FROZEN",
	.summary = "processes that thrash-protect has frozen",
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(*rows),
	.settings_size = sizeof(struct settings),
	.look = look,
};

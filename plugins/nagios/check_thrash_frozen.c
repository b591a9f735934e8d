/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nagios check: how many processes are frozen, who, and for how long. */
#include "plugins/nagios/nagios.h"

#include <inttypes.h>
#include <string.h>

enum { PROCESSES_MAX = 65536 };

struct settings {
	struct nagios_common common;
	struct nagios_limits frozen, longest;
	int no_daemon; /* enum nagios_status */
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

	nagios_measure(run, "frozen", "", count * 1000, &settings->frozen);
	nagios_measure(run, "longest", "s", longest_ms, &settings->longest);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges one process as the daemon would, and prints the judgement. */
#include "daemon/explain.h"

#include "core/cgroup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/locks.h"
#include "core/state.h"
#include "daemon/cage.h"
#include "daemon/facts.h"
#include "daemon/pen.h"
#include "daemon/select.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct subject {
	const struct settings *settings;
	struct process process;
	struct state state; /* of the daemon, all zero if there is none */
	const struct role_facts *known;
	char exe[FACTS_PATH];
	char whole[PATH_MAX];  /* cgroup, if known->whole */
	int whole_error;       /* why it is not frozen as a whole */
	struct process member; /* because of whom, if that is -EPERM */
};

static bool is_frozen(const struct subject *subject)
{
	const struct state *state = &subject->state;

	for (size_t i = 0; i < state->frozen_processes; i++)
		if (state->frozen[i].pid == subject->process.pid &&
		    state->frozen[i].start_time == subject->process.start_time)
			return true;
	return false;
}

static const char *freedom(const struct subject *subject)
{
	const struct process *process = &subject->process;

	if (is_frozen(subject))
		return "it is frozen now";
	if (process->judged.class == CLASS_PROTECTED)
		return "no";
	return process_memory_kib(process) < SELECT_LEAST_KIB
		       ? "no, it holds too little"
		       : "when it takes part in a thrash";
}

static void print_hazards(const struct subject *subject, FILE *out)
{
	const struct role_facts *known = subject->known;
	const char *comma = "";

	(void)fprintf(out, "hazards ");
	if (known->is_awaited) {
		(void)fprintf(out, "others wait for a lock that it has");
		comma = ", ";
	}
	if (known->has_fuse) {
		(void)fprintf(out, "%sit serves a file system", comma);
		comma = ", ";
	}
	if (known->watchdog_ms)
		(void)fprintf(out, "%sa watchdog of %u.%03u s", comma,
			      known->watchdog_ms / 1000,
			      known->watchdog_ms % 1000);
	else if (!*comma)
		(void)fprintf(out, "none");
	(void)fputc('\n', out);
}

/* The path is somebody else's choice. */
static void print_exe(const struct subject *subject, FILE *out)
{
	char escaped[4 * FACTS_PATH];

	text_escape(subject->exe, escaped, sizeof(escaped));
	(void)fprintf(out, "exe %s\n",
		      subject->known->has_exe ? escaped
					      : "(may not be looked at)");
}

/* "/a/b, by freeze_cgroup = /a/x* (/etc/thrash-protect.conf:3)" */
static void print_whole(const struct subject *subject, FILE *out)
{
	const struct judgement by = {
		.rule = subject->known->rules[RULES_WHOLE]};
	const struct process *member = &subject->member;
	char escaped[4 * PATH_MAX], reason[SETTINGS_RULE];

	if (!by.rule) {
		(void)fprintf(out, "frozen_with nobody else\n");
		return;
	}
	text_escape(subject->whole, escaped, sizeof(escaped));
	settings_describe(subject->settings, &by, reason);
	(void)fprintf(out, "frozen_with everybody in %s, by %s", escaped,
		      reason);
	if (subject->whole_error == -EPERM) {
		text_escape(member->command, escaped, sizeof(escaped));
		settings_describe(subject->settings, &member->judged, reason);
		(void)fprintf(out, "; but not because of %d (%s), which is %s",
			      (int)member->pid, escaped, reason);
	} else if (subject->whole_error) {
		(void)fprintf(out, "; but that cannot be done: %s",
			      strerror(-subject->whole_error));
	}
	(void)fputc('\n', out);
}

static void print(const struct subject *subject, FILE *out)
{
	const struct process *process = &subject->process;
	const struct judgement *judged = &process->judged;
	char command[TEXT_ESCAPED_COMMAND], reason[SETTINGS_RULE];
	uint64_t most_ms =
		judged->budget_ms && judged->budget_ms <
					     subject->settings->max_frozen_ms
			? judged->budget_ms
			: subject->settings->max_frozen_ms;

	if (judged->class == CLASS_PROTECTED)
		most_ms = 0;
	text_escape(process->command, command, sizeof(command));
	settings_describe(subject->settings, judged, reason);
	(void)fprintf(out, "pid %d\ncomm %s\n", (int)process->pid, command);
	print_exe(subject, out);
	(void)fprintf(out, "user %u\n", subject->known->user);
	(void)fprintf(out, "class %s\n", process_class_name(judged->class));
	(void)fprintf(out, "rule %s\n", reason);
	(void)fprintf(out, "preferred %s\n",
		      judged->is_preferred ? "yes" : "no");
	(void)fprintf(out, "memory_kib %" PRIu64 "\n",
		      process_memory_kib(process));
	(void)fprintf(out, "may_be_frozen %s\n", freedom(subject));
	(void)fprintf(out, "frozen_at_most_ms %" PRIu64 "\n", most_ms);
	print_whole(subject, out);
	print_hazards(subject, out);
}

/* Whether it would be frozen with its whole cgroup; 0 or -errno. */
static int check_whole(struct subject *subject, const struct facts *facts,
		       const struct role_moment *moment)
{
	const struct process *process = &subject->process;
	struct cgroups cgroups;
	int error, pen;

	cgroups_open(&cgroups, CGROUP_ROOT);
	error = cages_check(cgroups.v2, facts->proc);
	pen = error ? error : pen_open(cgroups.v2, facts, process);
	cgroups_close(&cgroups);
	if (pen < 0)
		return pen;
	error = pen_check(pen, facts, process, moment, &subject->member);
	(void)close(pen);
	return error;
}

/* As the daemon does, but for the trouble, of which nothing is known here. */
static bool judge(struct subject *subject, struct facts *facts, int proc)
{
	struct process *process = &subject->process;
	const struct role_moment moment = {
		.now_us = clock_boottime_us(),
		.tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK),
		.is_job = is_frozen(subject),
	};
	struct locks locks;
	bool is_new;
	struct role_facts *known =
		facts_get(facts, process, moment.now_us, &is_new);

	if (!known)
		return false;
	known->is_awaited = locks_read(proc, &locks) == 0 &&
			    locks_has(&locks, process->pid);
	process->judged = role_judge(process, known, &moment);
	subject->known = known;
	(void)facts_read_exe(proc, process->pid, subject->exe);
	if (facts_find_whole(facts, process->pid, subject->whole))
		subject->whole_error = check_whole(subject, facts, &moment);
	return true;
}

static int explain(struct subject *subject, int proc, FILE *out)
{
	unsigned page_kib = (unsigned)(sysconf(_SC_PAGESIZE) / 1024);
	struct facts *facts = calloc(1, sizeof(*facts));
	struct problem ignored;
	int error = facts ? 0 : -ENOMEM;

	if (!error)
		error = process_read(proc, (pid_t)subject->settings->explain,
				     page_kib, &subject->process);
	if (!error)
		error = process_read_memory(proc, &subject->process);
	if (error) {
		free(facts);
		return error;
	}
	if (state_read(subject->settings->run_dir, &subject->state, &ignored) !=
	    0)
		memset(&subject->state, 0, sizeof(subject->state));
	facts_open(facts, proc, subject->settings, (pid_t)subject->state.pid);
	if (judge(subject, facts, proc))
		print(subject, out);
	else
		error = -ESRCH;
	facts_close(facts);
	free(facts);
	return error;
}

int explain_print(const struct settings *settings, FILE *out, struct log *log)
{
	int proc = directory_open(settings->proc), error = proc;
	struct subject *subject = calloc(1, sizeof(*subject));

	if (proc < 0) {
		log_error(log, "%s: %s", settings->proc, strerror(-proc));
	} else if (subject) {
		subject->settings = settings;
		error = explain(subject, proc, out);
		if (error == -ENOENT || error == -ESRCH)
			log_error(log, "there is no process %" PRIu64,
				  settings->explain);
		else if (error)
			log_error(log, "process %" PRIu64 ": %s",
				  settings->explain, strerror(-error));
	}
	free(subject);
	if (proc >= 0)
		(void)close(proc);
	return error || !subject ? EXIT_FAILURE : EXIT_SUCCESS;
}

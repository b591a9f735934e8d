/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each parser promises of any text. */
#include "tests/parsers.h"

#include "core/file.h"
#include "core/history.h"
#include "core/locks.h"
#include "core/state.h"
#include "daemon/settings.h"
#include "daemon/tape.h"
#include "daemon/watchdog.h"
#include "plugins/nagios/push_result.h"
#include "tests/rules.h"
#include "tests/scratch.h"

#include <fnmatch.h>
#include <inttypes.h>

/* Terminated, to be freed. */
static char *copy_text(struct span text)
{
	char *copy = malloc(text.length + 1);

	need(copy ? 0 : -1, "malloc");
	memcpy(copy, text.start, text.length);
	copy[text.length] = '\0';
	return copy;
}

/*
 * Each parses twice, into memory of zeros and of ones: both must say the same
 * and leave the same.  What was accepted and can be written must be read back
 * as the same.
 */
static void zeros_and_ones(void *zeros, void *ones, size_t size)
{
	memset(zeros, 0, size);
	memset(ones, 0xff, size);
}

static enum outcome judge_processes(const struct process *first,
				    const struct process *second)
{
	char line[PROCESS_LINE], same[PROCESS_LINE];
	struct process back;

	process_format(first, line);
	process_format(second, same);
	if (strcmp(line, same) != 0 || process_parse(span_of(line), &back))
		return BROKEN;
	process_format(&back, same);
	return strcmp(line, same) == 0 &&
			       strcmp(first->command, back.command) == 0
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome try_process_stat(struct span text)
{
	struct process first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse_stat(text, 4, &first);
	if (process_parse_stat(text, 4, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_processes(&first, &second);
}

static enum outcome try_process(struct span text)
{
	struct process first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse(text, &first);
	if (process_parse(text, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_processes(&first, &second);
}

/* No VmSwap, nothing in swap. */
static enum outcome try_process_status(struct span text)
{
	uint64_t first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = process_parse_status(text, &first);
	if (process_parse_status(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	return first == second && (first == 0 || memmem(text.start, text.length,
							"VmSwap:", 7))
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome judge_samples(const struct sample *first,
				  const struct sample *second)
{
	char line[SAMPLE_LINE], same[SAMPLE_LINE];
	struct sample back;

	sample_format(first, line);
	sample_format(second, same);
	if (strcmp(line, same) != 0 || sample_parse(span_of(line), &back))
		return BROKEN;
	sample_format(&back, same);
	return strcmp(line, same) == 0 ? ACCEPTED : BROKEN;
}

static enum outcome try_sample(struct span text)
{
	struct sample first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = sample_parse(text, &first);
	if (sample_parse(text, &second) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

/* As part of a sample it can be written and read. */
static enum outcome try_vmstat(struct span text)
{
	struct sample first = {0}, second = {0};
	int error;

	zeros_and_ones(&first.vmstat, &second.vmstat, sizeof(first.vmstat));
	error = vmstat_parse(text, &first.vmstat);
	if (vmstat_parse(text, &second.vmstat) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

static enum outcome try_pressure(struct span text)
{
	struct sample first = {.has_io = true}, second = {.has_io = true};
	int error;

	zeros_and_ones(&first.io, &second.io, sizeof(first.io));
	error = pressure_parse(text, &first.io);
	if (pressure_parse(text, &second.io) != error)
		return BROKEN;
	return error ? REFUSED : judge_samples(&first, &second);
}

static bool is_same_text(struct span a, struct span b)
{
	return a.length == b.length && memcmp(a.start, b.start, a.length) == 0;
}

static enum outcome judge_states(const struct state *first,
				 const struct state *second)
{
	char buffer[STATE_SIZE], other_buffer[STATE_SIZE];
	struct span text, other;
	struct state back;
	struct problem problem;
	FILE *nowhere = fopen("/dev/null", "w");

	state_print_json(first, nowhere);
	(void)fclose(nowhere);
	if (state_format(first, buffer, sizeof(buffer), &text) ||
	    state_format(second, other_buffer, sizeof(other_buffer), &other) ||
	    !is_same_text(text, other) || state_parse(text, &back, &problem))
		return BROKEN;
	return state_format(&back, other_buffer, sizeof(other_buffer),
			    &other) == 0 &&
			       is_same_text(text, other)
		       ? ACCEPTED
		       : BROKEN;
}

static bool is_one_line(const struct problem *problem)
{
	return problem->text[0] && !strchr(problem->text, '\n');
}

static enum outcome try_state(struct span text)
{
	struct state first, second;
	struct problem problem = {""};
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = state_parse(text, &first, &problem);
	if (state_parse(text, &second, &problem) != error)
		return BROKEN;
	if (error)
		return is_one_line(&problem) ? REFUSED : BROKEN;
	return judge_states(&first, &second);
}

/* How many bytes a text of well-formed escapes stands for. */
static size_t unescaped_length(struct span text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; length++)
		i += text.start[i] == '\\' ? 4 : 1;
	return length;
}

static enum outcome try_unescape(struct span text)
{
	char first[PROCESS_COMMAND], second[PROCESS_COMMAND];
	char escaped[TEXT_ESCAPED_COMMAND];
	int error;

	zeros_and_ones(first, second, sizeof(first));
	error = text_unescape(text, first, sizeof(first));
	if (text_unescape(text, second, sizeof(second)) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	text_escape(first, escaped, sizeof(escaped));
	return strcmp(first, second) == 0 &&
			       strlen(first) == unescaped_length(text) &&
			       text_unescape(span_of(escaped), second,
					     sizeof(second)) == 0 &&
			       strcmp(first, second) == 0
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome try_thousandths(struct span text)
{
	uint64_t first, second;
	char again[32];
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = span_to_thousandths(text, &first);
	if (span_to_thousandths(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	(void)snprintf(again, sizeof(again), "%" PRIu64 ".%03" PRIu64,
		       first / 1000, first % 1000);
	return first == second &&
			       span_to_thousandths(span_of(again), &second) ==
				       0 &&
			       first == second
		       ? ACCEPTED
		       : BROKEN;
}

/* The ends of a range are inside, and what is beyond them is not. */
static enum outcome try_range(struct span text)
{
	struct nagios_range first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = nagios_range_parse(text, &first);
	if (nagios_range_parse(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	if (!first.is_set || first.start > first.end ||
	    first.start != second.start || first.end != second.end ||
	    first.is_inverted != second.is_inverted)
		return BROKEN;

	bool inside = first.is_inverted;
	bool is_right =
		nagios_range_alerts(&first, first.start) == inside &&
		nagios_range_alerts(&first, first.end) == inside &&
		(first.start == INT64_MIN ||
		 nagios_range_alerts(&first, first.start - 1) == !inside) &&
		(first.end == INT64_MAX ||
		 nagios_range_alerts(&first, first.end + 1) == !inside);

	return is_right ? ACCEPTED : BROKEN;
}

/* The parser cuts the text, and wants a NUL behind it. */
static int parse_settings(struct span text, struct settings *settings)
{
	struct problem problem = {""};
	char *copy = copy_text(text);
	int error;

	settings_default(settings);
	error = settings_parse_file(settings, copy, text.length, "file",
				    &problem);
	free(copy);
	return error && !is_one_line(&problem) ? 1 : error;
}

static bool is_same_settings(const struct settings *a, const struct settings *b)
{
	bool is_same = a->warning_count == b->warning_count;

	for (size_t i = 0; is_same && i < a->warning_count; i++)
		is_same =
			strcmp(a->warnings[i].text, b->warnings[i].text) == 0 &&
			is_one_line(&a->warnings[i]);
	return is_same && a->interval_ms == b->interval_ms &&
	       a->stall_threshold_permille == b->stall_threshold_permille &&
	       a->rules.count == b->rules.count;
}

static enum outcome try_settings(struct span text)
{
	struct settings first, second;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = parse_settings(text, &first);
	if (error == 1 || parse_settings(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	return is_same_settings(&first, &second) ? ACCEPTED : BROKEN;
}

/* A result is written as it was read. */
static enum outcome try_push_result(struct span text)
{
	struct push_result first, second;
	char wanted[PUSH_RESULT_SIZE], got[PUSH_RESULT_SIZE];
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = push_result_parse(text, &first);
	if (push_result_parse(text, &second) != error)
		return BROKEN;
	if (error)
		return REFUSED;
	(void)push_result_format(&first, wanted);
	(void)push_result_format(&second, got);
	if (strcmp(wanted, got) != 0 ||
	    push_result_parse(span_of(wanted), &second))
		return BROKEN;
	(void)push_result_format(&second, got);
	return strcmp(wanted, got) == 0 ? ACCEPTED : BROKEN;
}

/* Who is sent secrets without encryption is this host, whatever follows. */
static enum outcome try_push_url(struct span text)
{
	bool is_safe;

	if (push_url_parse(text, &is_safe))
		return REFUSED;
	if (memchr(text.start, '\n', text.length))
		return BROKEN;
	if (!is_safe || strncmp(text.start, "https://", 8) == 0)
		return ACCEPTED;
	return strncmp(text.start, "http://localhost", 16) == 0 ||
			       strncmp(text.start, "http://127.0.0.1", 16) == 0
		       ? ACCEPTED
		       : BROKEN;
}

/* Nothing is taken for sent without a number that says so, and HTTP as well. */
static enum outcome try_push_answer(struct span text)
{
	enum push_verdict icinga = push_answer_judge(PUSH_ICINGA2, 200, text);
	enum push_verdict nrdp = push_answer_judge(PUSH_NRDP, 200, text);

	if ((icinga == PUSH_TAKEN &&
	     !memmem(text.start, text.length, "\"code\"", 6)) ||
	    (nrdp == PUSH_TAKEN &&
	     !memmem(text.start, text.length, "\"status\"", 8)) ||
	    nrdp == PUSH_REFUSED ||
	    push_answer_judge(PUSH_ICINGA2, 502, text) == PUSH_TAKEN ||
	    push_answer_judge(PUSH_NRDP, 502, text) != PUSH_FAILED)
		return BROKEN;
	return icinga == PUSH_TAKEN || nrdp == PUSH_TAKEN ? ACCEPTED : REFUSED;
}

static enum outcome try_push_settings(struct span text)
{
	struct push_settings *settings = calloc(1, sizeof(*settings));
	char *copy = copy_text(text);
	struct problem problem = {""};
	int error;

	need(settings ? 0 : -1, "calloc");
	error = push_settings_parse(settings, copy, text.length, "conf",
				    &problem);
	free(copy);
	free(settings);
	if (!error)
		return ACCEPTED;
	return is_one_line(&problem) ? REFUSED : BROKEN;
}

/* Beyond the number of the line messages have nothing that is not in here. */
static bool is_silent(const struct problem *problem)
{
	static const char *const messages[] = {
		"user, password or token is expected",
		"'name = value' is expected",
		"section [credentials] is expected",
		"there is a NUL",
	};
	const char *message = strstr(problem->text, ": ");

	for (size_t i = 0; message && i < COUNT(messages); i++)
		if (strcmp(message + 2, messages[i]) == 0)
			return true;
	return false;
}

static enum outcome try_push_secrets(struct span text)
{
	struct push_settings *settings = calloc(1, sizeof(*settings));
	char *copy = copy_text(text);
	struct problem problem = {""};
	int error;

	need(settings ? 0 : -1, "calloc");
	error = push_secrets_parse(settings, copy, text.length, "secrets",
				   &problem);
	free(copy);
	free(settings);
	if (!error)
		return ACCEPTED;
	return is_silent(&problem) ? REFUSED : BROKEN;
}

/* What was read in one piece is the same as what was read line by line. */
static enum outcome try_locks(struct span text)
{
	struct locks locks = {.count = 0}, again = {.count = 0};
	struct span rest = text;

	locks_parse(&locks, text);
	while (rest.length) {
		struct span line = span_line(&rest);

		locks_parse(&again, line.length ? line : SPAN("\n"));
	}
	if (locks.count > LOCKS_HOLDERS || locks.count != again.count ||
	    locks.holder != again.holder ||
	    memcmp(locks.awaited, again.awaited, sizeof(locks.awaited)) != 0)
		return BROKEN;
	for (size_t i = 0; i < locks.count; i++)
		if (locks.awaited[i] <= 0 ||
		    !locks_has(&locks, locks.awaited[i]))
			return BROKEN;
	return locks.count ? ACCEPTED : REFUSED;
}

static bool is_within(struct span part, struct span text)
{
	return part.start >= text.start &&
	       part.start + part.length <= text.start + text.length;
}

/* What is said twice means what it means once. */
static enum outcome try_watchdog(struct span text)
{
	uint32_t ms = watchdog_parse(text);
	size_t length = 2 * text.length + 1;
	char *twice = malloc(length);

	need(twice ? 0 : -1, "malloc");
	memcpy(twice, text.start, text.length);
	twice[text.length] = '\n';
	memcpy(twice + text.length + 1, text.start, text.length);

	bool is_same = watchdog_parse((struct span){twice, length}) == ms;

	free(twice);
	if (!is_same ||
	    (ms && !memmem(text.start, text.length, "WatchdogSec", 11)))
		return BROKEN;
	return ms ? ACCEPTED : REFUSED;
}

/* It becomes a part of a path. */
static enum outcome try_unit(struct span text)
{
	static const char suffix[] = ".service";
	struct span unit = watchdog_unit(text);

	if (!unit.length)
		return REFUSED;
	return is_within(unit, text) && unit.length >= sizeof(suffix) &&
			       memcmp(unit.start + unit.length -
					      (sizeof(suffix) - 1),
				      suffix, sizeof(suffix) - 1) == 0 &&
			       !memchr(unit.start, '/', unit.length) &&
			       !memchr(unit.start, '\n', unit.length)
		       ? ACCEPTED
		       : BROKEN;
}

/* A pattern in the first line, and a text. */
static enum outcome try_pattern(struct span text)
{
	struct span line = span_line(&text);
	char *pattern = copy_text(line), *subject = copy_text(text);
	bool is_match = text_matches(pattern, subject);
	/* libc's knows classes of characters, and half a range at the end */
	bool is_plain = !strstr(pattern, "[:") && !strstr(pattern, "[.") &&
			!strstr(pattern, "[=") &&
			(!*pattern || pattern[strlen(pattern) - 1] != '-');
	bool is_right =
		!is_plain || is_match == (fnmatch(pattern, subject, 0) == 0);

	free(pattern);
	free(subject);
	if (!is_right)
		return BROKEN;
	return is_match ? ACCEPTED : REFUSED;
}

static bool is_same_rule(const struct rule *a, const struct rule *b)
{
	return a->text.length == b->text.length && a->kind == b->kind &&
	       a->list == b->list && a->user == b->user &&
	       memcmp(a->text.start, b->text.start, a->text.length) == 0;
}

/* Each rule is within the text, and alone it says the same. */
static bool is_sane_rule(const struct rules *rules, uint8_t number,
			 struct span text)
{
	const struct rule *rule = &rules->items[number];
	char *alone = copy_text(rule->text);
	static struct rules one;
	struct problem problem;
	bool is_sane = is_within(rule->text, text) &&
		       rules_parse(&one, RULES_PROTECT, alone, &problem) == 0 &&
		       one.count == 1 && is_same_rule(&one.items[0], rule);

	free(alone);
	return is_sane;
}

/* Rules in the first line; a name, a program and cgroups below. */
static enum outcome judge_rules(const struct rules *rules, struct span text,
				struct span rest)
{
	struct span name = span_line(&rest), path = span_line(&rest);
	char *command = copy_text(name), *exe = copy_text(path);
	struct rule_subject subject = {command, exe, rest, 7, true};
	uint8_t number = rules_match(rules, RULES_PROTECT, &subject);
	bool is_sane = rules->count <= RULES_MAX && number <= rules->count &&
		       !rules_match(rules, RULES_PREFER, &subject);

	for (size_t i = 0; is_sane && i < rules->count; i++)
		is_sane = is_sane_rule(rules, (uint8_t)i, text);
	free(command);
	free(exe);
	return is_sane ? ACCEPTED : BROKEN;
}

static enum outcome try_rules(struct span text)
{
	struct span rest = text, line = span_line(&rest);
	char *list = copy_text(line);
	static struct rules rules;
	struct problem problem = {""};
	int error;
	enum outcome outcome;

	memset(&rules, 0, sizeof(rules));
	error = rules_parse(&rules, RULES_PROTECT, list, &problem);
	if (error)
		outcome = is_one_line(&problem) ? REFUSED : BROKEN;
	else
		outcome = judge_rules(&rules, (struct span){list, line.length},
				      rest);
	free(list);
	return outcome;
}

/* A name in the first line, and users. */
static enum outcome try_users(struct span text)
{
	struct span name = span_line(&text), rest;
	uint32_t user;

	if (!rules_find_user(text, name, &user, &rest))
		return is_within(rest, text) ? REFUSED : BROKEN;
	return is_within(rest, text) && memmem(text.start, text.length,
					       name.start, name.length)
		       ? ACCEPTED
		       : BROKEN;
}

enum { WORDS_MAX = 64 };

/* The lines of a text as a list of strings, which ends in NULL. */
static size_t split_lines(char *text, char *words[WORDS_MAX], size_t count)
{
	char *line;

	while (count + 1 < WORDS_MAX && (line = strsep(&text, "\n")))
		words[count++] = line;
	words[count] = NULL;
	return count;
}

/* Each line is an argument. */
static int load_arguments(char *text, struct settings *settings,
			  struct problem *problem)
{
	static char program[] = "thrash-protect";
	char *words[WORDS_MAX] = {program};
	size_t count = split_lines(text, words, 1);

	settings_default(settings);
	return options_parse(&settings_table, (int)count, words, settings,
			     problem);
}

/* Each line is in the environment. */
static int load_environment(char *text, struct settings *settings,
			    struct problem *problem)
{
	static char program[] = "thrash-protect";
	static char config[] = "THRASH_PROTECT_CONFIG=/dev/null";
	char *arguments[] = {program, NULL}, *words[WORDS_MAX] = {config};

	(void)split_lines(text, words, 1);
	return settings_load(settings, 1, arguments, words, problem);
}

static enum outcome try_load(struct span text,
			     int (*load)(char *text, struct settings *settings,
					 struct problem *problem))
{
	static struct settings first, second;
	struct problem problem = {""};
	char *one = copy_text(text), *other = copy_text(text);
	enum outcome outcome = REFUSED;
	int error;

	zeros_and_ones(&first, &second, sizeof(first));
	error = load(one, &first, &problem);
	if (load(other, &second, &problem) != error ||
	    (error && !is_one_line(&problem)))
		outcome = BROKEN;
	else if (!error)
		outcome = is_same_settings(&first, &second) ? ACCEPTED : BROKEN;
	free(one);
	free(other);
	return outcome;
}

static enum outcome try_arguments(struct span text)
{
	return try_load(text, load_arguments);
}

static enum outcome try_environment(struct span text)
{
	return try_load(text, load_environment);
}

bool is_sane_schedule(const struct schedule *schedule, uint64_t now_us)
{
	if (schedule->count > SCHEDULE_JOBS ||
	    schedule->freezes_total <
		    schedule->thaws_total + schedule_frozen_count(schedule))
		return false;
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (schedule_find(schedule, &job->process) != job)
			return false;
		if (!job_is_frozen(job))
			continue;
		/* a recording may tell later that it is a kernel thread */
		if (job->process.judged.class == CLASS_PROTECTED ||
		    job->process.pid <= 1 ||
		    (job->since_us == now_us &&
		     process_is_kernel_thread(&job->process)))
			return false;
	}
	return true;
}

/* Replays with a new decider; what was printed is to be freed. */
static int replay(struct span text, struct decider *decider,
		  struct settings *settings, char **printed)
{
	struct problem problem = {""};
	size_t size;
	FILE *out = open_memstream(printed, &size);
	int error;

	need(out ? 0 : -1, "open_memstream");
	memset(decider, 0, sizeof(*decider));
	decider->settings = settings;
	need(census_init(&decider->census, 64), "census_init");
	error = tape_replay(text, decider, out, &problem);
	census_close(&decider->census);
	(void)fclose(out);
	return error && !is_one_line(&problem) ? 1 : error;
}

/* Of the same host the same is decided, and nobody is harmed. */
static enum outcome try_tape(struct span text)
{
	static struct decider decider;
	static struct settings settings;
	char *first, *second;
	bool is_right;
	int error;

	settings_default(&settings);
	rules_set(&settings.rules, RULES_PROTECT, "giant");
	error = replay(text, &decider, &settings, &first);
	/* one that breaks off does so within a turn */
	is_right =
		error != 1 &&
		(error || is_sane_schedule(&decider.schedule,
					   decide_sample(&decider)->time_us)) &&
		replay(text, &decider, &settings, &second) == error;
	if (is_right) {
		is_right = strcmp(first, second) == 0;
		free(second);
	}
	free(first);
	if (!is_right)
		return BROKEN;
	return error ? REFUSED : ACCEPTED;
}

/*
 * The text is what lies in the file, in the place of a record; and again with
 * a checksum that fits, so that what comes behind that is tried as well.
 */
static enum outcome try_history_record(struct span text)
{
	struct history_record record = {.checksum = 0}, other;
	struct sample sample;
	char line[SAMPLE_LINE];
	bool is_accepted;

	memcpy(&record, text.start,
	       text.length < sizeof(record) ? text.length : sizeof(record));
	is_accepted = history_is_record(&record);
	other = record;
	history_seal_record(&record);
	if (is_accepted && memcmp(&record, &other, sizeof(record)) != 0)
		return BROKEN;
	if (!history_is_record(&record))
		return is_accepted ? BROKEN : REFUSED;
	other.boottime_ms = record.boottime_ms;
	history_merge(&other, &record);
	history_get_sample(&record, &sample);
	sample_format(&sample, line);
	return record.verdict < HISTORY_VERDICTS &&
			       other.lacked_ms >= record.lacked_ms &&
			       other.lacked_kib >= record.lacked_kib
		       ? ACCEPTED
		       : BROKEN;
}

static enum outcome try_history_freeze(struct span text)
{
	struct history_freeze freeze = {.checksum = 0}, same;
	bool is_accepted;
	char line[256];
	int length;

	memcpy(&freeze, text.start,
	       text.length < sizeof(freeze) ? text.length : sizeof(freeze));
	is_accepted = history_is_freeze(&freeze);
	same = freeze;
	history_seal_freeze(&freeze);
	if (is_accepted && memcmp(&freeze, &same, sizeof(freeze)) != 0)
		return BROKEN;
	if (!history_is_freeze(&freeze))
		return is_accepted ? BROKEN : REFUSED;
	/* all that is not escaped before it is printed */
	length = snprintf(line, sizeof(line), "%s%s%s", freeze.class,
			  freeze.method, freeze.reason);
	for (int i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~' || strchr("\"\\", line[i]))
			return BROKEN;
	return strlen(freeze.command) < sizeof(freeze.command) ? ACCEPTED
							       : BROKEN;
}

static const char state_seed[] =
	"format 1\nversion 1.2.3\npid 4242\npid_start_time 5678\n"
	"boottime_ms 86400000\nfresh_for_ms 60000\nmode psi-trigger\n"
	"verdict thrashing\nstall_permille 312\npage_cost_us 95\n"
	"stall_us_total 1001\nthrash_us_total 1002\nfreezes_total 7\n"
	"thaws_total 5\nfrozen_us_total 1003\nlongest_gap_ms 13\npswpin 21\n"
	"pswpout 22\npgmajfault 23\nworkingset_refault_anon 24\n"
	"workingset_refault_file 25\nmemory_some_us 26\nmemory_full_us 27\n"
	"io_some_us 28\nio_full_us 29\nfrozen_processes 2\n"
	"longest_frozen_ms 1500\n"
	"frozen 1234 5678901 1500 signal batch convert\n"
	"frozen 1235 5678902 20 dry-run batch a)\\040b\\012\n";

static const char calm_seed[] =
	"format 1\nversion 1\npid 1\npid_start_time 2\nboottime_ms 3\n"
	"fresh_for_ms 4\nmode swap\nverdict calm\nfrozen_processes 0\n"
	"longest_frozen_ms 0\n";

static const char settings_seed[] =
	"# a comment\n[thrash-protect]\ninterval = 0.5\n"
	"swap_page_threshold=4\nuse_psi: yes\n\n; another\n"
	"cmd_whitelist = sshd exe:/opt/* user:0\r\ndebug_logging = off\n";

/* Two thrash; one is frozen, judged and thawed. */
static const char tape_seed[] = "thrash-protect-recording 1\n"
				"sample 11000000 0 0 0 - - - - - -\n"
				"sample 11100000 1000 1000 0 - - - - - -\n"
				"process 10 1 10 10 5 100 30000 0 0 R a\n"
				"process 11 1 11 11 6 100 60000 0 0 R giant\n"
				"process 12 1 11 11 6 100 60000 0 0 R b\n"
				"limit reached 65536\n"
				"sample 11200000 2000 2000 0 - - - - - -\n"
				"process 10 1 10 10 5 300 30000 0 0 R a\n"
				"role interactive 2000 0 0 x\n"
				"process 11 1 11 11 6 300 70000 0 0 R giant\n"
				"role protected 0 1 0 protect = giant\n"
				"process 12 1 11 11 6 300 70000 0 0 R b\n"
				"sample 14200000 9000 9000 0 - - - - - -\n"
				"job process 10 1 10 10 5 300 30000 0 0 T a\n"
				"role interactive 2000 0 0 x\n"
				"gone 12 6\n";

const struct parser parsers[] = {
	{"state_parse", try_state, {state_seed, calm_seed}, {NULL}},
	{"process_parse_stat",
	 try_process_stat,
	 {NULL},
	 {"proc/calm/900/stat", "proc/thrashing/4001/stat",
	  "proc/odd_names/102/stat", "proc/odd_names/103/stat",
	  "proc/odd_names/106/stat", "proc/linux_4_4/2/stat"}},
	{"process_parse_status",
	 try_process_status,
	 {"Name:\tx\nVmSwap:\t      12 kB\nThreads:\t1\n"},
	 {"proc/thrashing/4001/status", "proc/calm/2/status",
	  "proc/odd_names/108/status"}},
	{"vmstat_parse",
	 try_vmstat,
	 {"pswpin 1\npswpout 2\npgmajfault 3\nworkingset_refault_file 4\n"},
	 {"proc/no_pressure/vmstat", "proc/linux_4_4/vmstat"}},
	{"pressure_parse",
	 try_pressure,
	 {NULL},
	 {"proc/calm/pressure/memory", "proc/thrashing/pressure/io"}},
	{"sample_parse",
	 try_sample,
	 {"sample 5 20715301 24310977 5310442 19904417 3233139 988341870 "
	  "511203374 1512667012 1299034511",
	  "sample 5 - - 61230 - 71013 - - - -",
	  "sample 5 1 2 3 4 5 6 7 8 9 10 11"},
	 {NULL}},
	{"process_parse",
	 try_process,
	 {"process 4001 1 4000 3990 500100 51234 917504 903168 4194304 D "
	  "a\\040b",
	  "process 1 0 0 0 7 0 0 0 0 S "},
	 {NULL}},
	{"text_unescape",
	 try_unescape,
	 {"convert", "a)\\040b\\012", "\\303\\251t\\303\\251", "\\134040"},
	 {NULL}},
	{"span_to_thousandths",
	 try_thousandths,
	 {"0.05", "10", "18446744073709551.615", "1.5"},
	 {NULL}},
	{"settings_parse_file", try_settings, {settings_seed}, {NULL}},
	{"nagios_range_parse",
	 try_range,
	 {"10", "10:", "~:10", "10:20", "@10:20", "-1.5:0.25"},
	 {NULL}},
	{"push_result_parse",
	 try_push_result,
	 {"thrash-protect-push 1\nfrozen 2 change 1700000000\n"
	  "FROZEN CRITICAL: 7 frozen\nfrozen=7;0;5;0 longest=1.5s;90;300;0\n"
	  "hog[1001]: frozen for 2 s\n",
	  "thrash-protect-push 1\nmarker 0 heartbeat 1\n\n\n"},
	 {NULL}},
	{"push_settings_parse",
	 try_push_settings,
	 {"[thrash-protect-push]\nreceiver = nrdp\nurl = https://a/nrdp/\n"
	  "frozen_options = -v -w 5\nqueue-results: 10\n# x\ndebug = no\n"},
	 {NULL}},
	{"push_secrets_parse",
	 try_push_secrets,
	 {"[credentials]\nuser = me\npassword = hush = hush\n# x\n",
	  "[credentials]\ntoken: a b\n\npassword\n"},
	 {NULL}},
	{"push_url_parse",
	 try_push_url,
	 {"https://icinga.example:5665/x?y#z", "http://localhost:80/nrdp/",
	  "http://127.0.0.1", "https://[::1]:1"},
	 {NULL}},
	{"push_answer_judge",
	 try_push_answer,
	 {"{\"results\":[{\"code\":200.0,\"status\":\"Successfully\"}]}",
	  "{\"error\":404,\"status\":\"No objects found.\"}",
	  "{ \"result\" : { \"status\" : \"0\", \"message\": \"OK\" } }"},
	 {NULL}},
	{"locks_parse",
	 try_locks,
	 {"1: POSIX  ADVISORY  WRITE 812 08:01:1234 0 EOF\n"
	  "1: -> POSIX  ADVISORY  WRITE 900 08:01:1234 0 EOF\n"
	  "2: FLOCK  ADVISORY  WRITE -1 08:01:77 0 EOF\n"
	  "2: -> FLOCK  ADVISORY  WRITE 1 08:01:77 0 EOF\n",
	  "3: OFDLCK ADVISORY  READ 0 00:06:1 1073741826 1073742335\n"},
	 {NULL}},
	{"watchdog_parse",
	 try_watchdog,
	 {"[Service]\nType=notify\nWatchdogSec=1min 30s\nRestart=always\n",
	  "[Service]\nWatchdogSec = 5\nWatchdogSec=250ms\nWatchdogSec=0\n"},
	 {NULL}},
	{"watchdog_unit",
	 try_unit,
	 {"4:cpu,memory:/system.slice/a@b.service/payload\n"
	  "0::/user.slice/user@1000.service/app.slice/x.service\n",
	  "0::/init.scope\n"},
	 {NULL}},
	{"text_matches",
	 try_pattern,
	 {"a*[!b-d]?\\*\nabcx*", "*\n", "[]-a]*b**c\n]xxbc"},
	 {NULL}},
	{"rules_parse",
	 try_rules,
	 {"giant exe:/opt/*/bin/x, user:7 cgroup:/jobs.slice/*\n"
	  "giant\n/opt/a/bin/x\n4:cpu,memory:/jobs.slice/a\n0::/b\n",
	  "post[a-z]*\npostgres\n\n", "user:root a\nb\n\n"},
	 {NULL}},
	{"rules_find_user",
	 try_users,
	 {"root\nroot:x:0:0:root:/root:/bin/sh\nx:x:1:1::/:/bin/sh\n",
	  "x\n:x:4294967295:\nx:x:4294967294:\n"},
	 {NULL}},
	{"options_parse",
	 try_arguments,
	 {"--dry-run\n--interval=0.1\n--protect\nx y\n-n\n--json",
	  "--explain\n7\n--marker=", "-nhV"},
	 {NULL}},
	{"settings_load",
	 try_environment,
	 {"THRASH_PROTECT_MAX_FROZEN=30\nPATH=/bin\n"
	  "THRASH_PROTECT_USE_PSI=no\nTHRASH_PROTECT_MARKER=\n",
	  "THRASH_PROTECT_CMD_WHITELIST=sshd bash\n"
	  "THRASH_PROTECT_TEST_MODE=1\n"},
	 {NULL}},
	{"tape_replay", try_tape, {tape_seed}, {NULL}},
	{"history_record",
	 try_history_record,
	 {NULL},
	 {"history/record", "history/trouble"}},
	{"history_freeze", try_history_freeze, {NULL}, {"history/freeze"}},
};

const size_t parser_count = COUNT(parsers);

size_t parser_seeds(const struct parser *parser,
		    char room[PARSER_SEEDS][PARSER_TEXT],
		    struct span seeds[PARSER_SEEDS])
{
	size_t count = 0;

	for (size_t i = 0; i < PARSER_SEEDS && parser->seeds[i]; i++)
		seeds[count++] = span_of(parser->seeds[i]);
	for (size_t i = 0; i < PARSER_SEEDS && parser->files[i]; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "tests/%s",
			       parser->files[i]);
		need(file_read_at(AT_FDCWD, path, room[i], PARSER_TEXT,
				  &seeds[count++]),
		     "tests/ (start this at the top of the tree)");
	}
	return count;
}

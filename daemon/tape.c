/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes and replays recordings. */
#include "daemon/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "thrash-protect-recording 1";

static const char *const limit_names[] = {
	[LIMIT_FAR] = "far",
	[LIMIT_REACHED] = "reached",
};

FILE *tape_create(const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads must not hold us up */
	int file = open(
		path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		0600);
	struct stat status;
	FILE *tape = NULL;

	if (file < 0)
		return NULL;
	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		errno = EINVAL;
	else if (ftruncate(file, 0) == 0)
		tape = fdopen(file, "w");
	if (tape)
		(void)fprintf(tape, "%s\n", first_line);
	else
		(void)close(file);
	return tape;
}

static void write_judgement(FILE *tape, const struct rules *rules,
			    const struct judgement *judged)
{
	const struct rule *rule = rules->items + judged->rule - 1;

	(void)fprintf(tape, "role %s %u %d %d %s",
		      process_class_name(judged->class), judged->budget_ms,
		      judged->is_preferred, judged->is_new_login,
		      role_name(judged->role));
	if (judged->rule)
		(void)fprintf(tape, " = %.*s", SPAN_FORMAT(rule->text));
	(void)fputc('\n', tape);
}

static void write_process(FILE *tape, const char *prefix,
			  const struct rules *rules,
			  const struct process *process)
{
	char line[PROCESS_LINE];

	process_format(process, line);
	(void)fprintf(tape, "%s%s\n", prefix, line);
	if (process->judged.class != CLASS_UNKNOWN)
		write_judgement(tape, rules, &process->judged);
	if (process->judged.whole)
		(void)fprintf(tape, "whole %" PRIu64 "\n",
			      process->judged.whole);
}

static void write_look(FILE *tape, const struct rules *rules,
		       const struct process_table *look)
{
	for (size_t i = 0; i < look->count; i++) {
		write_process(tape, "", rules, &look->rows[i]);
		if (look->rows[i].limit != LIMIT_UNKNOWN)
			(void)fprintf(tape, "limit %s %" PRIu64 "\n",
				      limit_names[look->rows[i].limit],
				      look->rows[i].limit_kib);
	}
}

int tape_write(FILE *tape, const struct decider *decider, bool has_looked)
{
	const struct schedule *schedule = &decider->schedule;
	char line[SAMPLE_LINE];

	sample_format(decide_sample(decider), line);
	(void)fprintf(tape, "%s\n", line);
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job->is_gone)
			(void)fprintf(tape, "gone %d %" PRIu64 "\n",
				      (int)job->process.pid,
				      job->process.start_time);
		else
			write_process(tape, "job ", &decider->settings->rules,
				      &job->process);
	}
	if (has_looked)
		write_look(tape, &decider->settings->rules,
			   &decider->census.now);
	return fflush(tape);
}

struct replay {
	struct decider *decider;
	FILE *out;
	uint64_t begin_us;
	enum verdict verdict; /* last printed */
	bool is_in_turn;      /* a sample was read, its orders not given */
	bool has_looked;
	bool has_line[SCHEDULE_JOBS]; /* "job" or "gone", in this turn */
	struct process last; /* of the line before that has one; pid 0: none */
	struct job *told;    /* the job that it was told of; NULL: none */
	struct orders orders;
};

static void print_time(const struct replay *replay)
{
	uint64_t us =
		decide_sample(replay->decider)->time_us - replay->begin_us;

	(void)fprintf(replay->out, "%" PRIu64 ".%03" PRIu64 " ", us / 1000000,
		      us / 1000 % 1000);
}

static void print_order(const struct replay *replay, const struct order *order)
{
	static const char *const names[] = {
		[ORDER_FREEZE] = "freeze",   [ORDER_THAW] = "thaw",
		[ORDER_RELEASE] = "release", [ORDER_FORGET] = "forget",
		[ORDER_PAUSE] = "pause",     [ORDER_LOAD] = "load",
	};
	char command[TEXT_ESCAPED_COMMAND];

	text_escape(order->process.command, command, sizeof(command));
	print_time(replay);
	(void)fprintf(replay->out, "%s %d %s\n", names[order->kind],
		      (int)order->process.pid, command);
}

/* The turn whose lines have all been read. */
static void end_turn(struct replay *replay)
{
	struct decider *decider = replay->decider;

	if (!replay->is_in_turn)
		return;
	if (decider->detector.verdict != replay->verdict) {
		replay->verdict = decider->detector.verdict;
		print_time(replay);
		(void)fprintf(replay->out, "%s\n",
			      verdict_name(replay->verdict));
	}
	decide_orders(decider, replay->has_looked, &replay->orders);
	for (size_t i = 0; i < replay->orders.count; i++) {
		print_order(replay, &replay->orders.items[i]);
		schedule_confirm(&decider->schedule, decider->settings,
				 &replay->orders.items[i], 0,
				 decide_sample(decider)->time_us);
	}
	if (replay->orders.has_plan) /* which takes no time here */
		schedule_planned(&decider->schedule, ++decider->plan_done);
	replay->is_in_turn = replay->has_looked = false;
}

static int begin_turn(struct replay *replay, const struct sample *sample)
{
	const struct detector *detector = &replay->decider->detector;

	if (!detector->count)
		replay->begin_us = sample->time_us;
	else if (sample->time_us <= decide_sample(replay->decider)->time_us)
		return -EINVAL; /* time goes forward */
	(void)decide_verdict(replay->decider, sample);
	replay->is_in_turn = true;
	replay->last.pid = 0;
	memset(replay->has_line, 0, sizeof(replay->has_line));
	return 0;
}

enum line { LINE_JOB, LINE_GONE, LINE_LOOK };

/*
 * Of a job of ours; the recorded daemon may have had others.  A look sees less
 * than a line of its own tells: not all memory, and nobody caged as stopped.
 */
static int see_job(struct replay *replay, const struct process *process,
		   enum line line)
{
	struct schedule *schedule = &replay->decider->schedule;
	const struct job *job = schedule_find(schedule, process);

	if (!replay->is_in_turn)
		return -EINVAL;
	replay->last = *process;
	replay->told = NULL;
	if (!job)
		return 0;

	size_t index = (size_t)(job - schedule->jobs);

	if (line == LINE_LOOK && replay->has_line[index])
		return 0;
	replay->has_line[index] |= line != LINE_LOOK;
	replay->told = &schedule->jobs[index];
	schedule_see(schedule, index, line == LINE_GONE ? NULL : process,
		     decide_sample(replay->decider)->time_us);
	return 0;
}

static int add_process(struct replay *replay, const struct process *process)
{
	struct census *census = replay->has_looked
					? &replay->decider->census
					: decide_look(replay->decider);
	const struct process_table *look = &census->now;

	if (!replay->is_in_turn)
		return -EINVAL;
	replay->has_looked = true;
	if (look->count && look->rows[look->count - 1].pid >= process->pid)
		return -EINVAL; /* not in order */
	if (census_see(census, process))
		return -EINVAL; /* too many */
	return see_job(replay, process, LINE_LOOK);
}

/* "reached 262144", of the process in the line before; once without KiB */
static int add_limit(struct replay *replay, struct span line)
{
	const struct process_table *look = &replay->decider->census.now;
	struct span name = span_word(&line);
	struct process *process;

	if (!replay->has_looked || !look->count)
		return -EINVAL;
	process = &look->rows[look->count - 1];
	if (line.length && span_to_u64(line, &process->limit_kib))
		return -EINVAL;
	for (size_t i = LIMIT_FAR; i <= LIMIT_REACHED; i++)
		if (span_equals(name, limit_names[i])) {
			process->limit = (enum process_limit)i;
			return 0;
		}
	return -EINVAL;
}

/* "protect = exe:/opt/x*": its number; 0: there is no such rule now. */
static uint8_t find_rule(const struct rules *rules, struct span list,
			 struct span text)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (span_equals(list,
				rules_list_name((enum rule_list)rule->list)) &&
		    rule->text.length == text.length &&
		    memcmp(rule->text.start, text.start, text.length) == 0)
			return (uint8_t)(i + 1);
	}
	return 0;
}

/* "batch 2000 0 0 a shell"; what a role is called is for people */
static int parse_judgement(struct span line, const struct rules *rules,
			   struct judgement *judged)
{
	struct span class = span_word(&line), list;
	uint64_t budget_ms, is_preferred, is_new_login;
	size_t number = CLASS_BATCH;

	while (number < CLASSES &&
	       !span_equals(class,
			    process_class_name((enum process_class)number)))
		number++;
	if (number == CLASSES || span_to_u64(span_word(&line), &budget_ms) ||
	    span_to_u64(span_word(&line), &is_preferred) ||
	    span_to_u64(span_word(&line), &is_new_login) ||
	    budget_ms > UINT32_MAX || is_preferred > 1 || is_new_login > 1)
		return -EINVAL;
	*judged = (struct judgement){
		.budget_ms = (uint32_t)budget_ms,
		.class = (uint8_t)number,
		.is_preferred = is_preferred,
		.is_new_login = is_new_login,
	};
	if (span_split(&line, '=', &list)) {
		judged->rule =
			find_rule(rules, span_trim(list), span_trim(line));
		if (!judged->rule)
			*judged = (struct judgement){.class = CLASS_UNKNOWN};
	}
	return 0;
}

/* Of the process in the line before, which may be a job and in the look. */
static void set_judgement(struct replay *replay, struct judgement judged)
{
	const struct process_table *look = &replay->decider->census.now;

	replay->last.judged = judged;
	if (replay->told)
		replay->told->process.judged = judged;
	if (replay->has_looked && look->count &&
	    look->rows[look->count - 1].pid == replay->last.pid)
		look->rows[look->count - 1].judged = judged;
}

static int add_judgement(struct replay *replay, struct span line)
{
	struct judgement judged;

	if (!replay->last.pid ||
	    parse_judgement(line, &replay->decider->settings->rules, &judged))
		return -EINVAL;
	set_judgement(replay, judged);
	return 0;
}

/* "1234567", behind its role */
static int add_whole(struct replay *replay, struct span line)
{
	struct judgement judged = replay->last.judged;

	if (!replay->last.pid || span_to_u64(line, &judged.whole))
		return -EINVAL;
	set_judgement(replay, judged);
	return 0;
}

/* "gone PID START" */
static int parse_gone(struct span line, struct process *process)
{
	*process = (struct process){.pid = 0};
	if (span_to_pid(span_word(&line), &process->pid) ||
	    span_to_u64(line, &process->start_time))
		return -EINVAL;
	return 0;
}

static int replay_line(struct replay *replay, struct span line)
{
	struct sample sample;
	struct process process;
	struct span rest = line, word = span_word(&rest);

	if (span_equals(word, "job"))
		return process_parse(rest, &process)
			       ? -EINVAL
			       : see_job(replay, &process, LINE_JOB);
	if (span_equals(word, "gone"))
		return parse_gone(rest, &process)
			       ? -EINVAL
			       : see_job(replay, &process, LINE_GONE);
	if (span_equals(word, "limit"))
		return add_limit(replay, rest);
	if (span_equals(word, "role"))
		return add_judgement(replay, rest);
	if (span_equals(word, "whole"))
		return add_whole(replay, rest);
	if (sample_parse(line, &sample) == 0) {
		end_turn(replay);
		return begin_turn(replay, &sample);
	}
	if (process_parse(line, &process) == 0)
		return add_process(replay, &process);
	return -EINVAL;
}

int tape_replay(struct span text, struct decider *decider, FILE *out,
		struct problem *problem)
{
	struct replay replay = {.decider = decider, .out = out};
	unsigned number = 1;

	if (!span_equals(span_line(&text), first_line))
		return problem_set(problem, -EINVAL, "1: '%s' is expected",
				   first_line);
	while (text.length) {
		/* the last line of a recording may have been cut */
		bool may_be_cut =
			number > 1 && !memchr(text.start, '\n', text.length);

		number++;
		if (replay_line(&replay, span_line(&text)) && !may_be_cut)
			return problem_set(problem, -EINVAL,
					   "%u: not a valid line", number);
	}
	end_turn(&replay);
	return 0;
}

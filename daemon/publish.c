/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the state file and the marker. */
#include "daemon/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void publisher_clear(struct publisher *publisher)
{
	publisher->directory = publisher->lock = -1;
	publisher->marker.directory = -1;
}

static int take_lock(int directory, struct problem *problem)
{
	int lock = openat(directory, "lock",
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0)
		return problem_set(problem, -errno, "cannot open the lock: %s",
				   strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;

	int error = errno;

	(void)close(lock);
	return problem_set(problem, -error,
			   error == EWOULDBLOCK
				   ? "another thrash-protect is running"
				   : "cannot take the lock: %s",
			   strerror(error));
}

/* Root does not write where another user may put links in its way. */
static int check_owner(int directory, const char *run_dir,
		       struct problem *problem)
{
	struct stat status;

	if (fstat(directory, &status) != 0)
		return problem_set(problem, -errno, "%s: %s", run_dir,
				   strerror(errno));
	if (status.st_uid && status.st_uid != geteuid())
		return problem_set(problem, -EPERM,
				   "%s belongs to user %u, not to us", run_dir,
				   (unsigned)status.st_uid);
	return 0;
}

/* One that we make is for all to read, whatever the umask. */
static int open_run_directory(const char *run_dir, struct problem *problem)
{
	bool is_made = mkdir(run_dir, 0755) == 0;

	if (!is_made && errno != EEXIST)
		return problem_set(problem, -errno, "%s: %s", run_dir,
				   strerror(errno));

	int directory = state_open_directory(run_dir, problem);

	if (directory < 0)
		return directory;
	if (is_made)
		(void)fchmod(directory, 0755);

	int error = check_owner(directory, run_dir, problem);

	if (!error)
		return directory;
	(void)close(directory);
	return error;
}

int publisher_open(struct publisher *publisher, const struct settings *settings,
		   const char *marker, struct log *log, struct problem *problem)
{
	publisher->directory = open_run_directory(settings->run_dir, problem);
	if (publisher->directory < 0)
		return publisher->directory;
	publisher->lock = take_lock(publisher->directory, problem);
	if (publisher->lock < 0)
		return publisher->lock;

	int error = marker_open(&publisher->marker, marker);

	if (error)
		log_warning(log, "no marker %s: %s", marker, strerror(-error));
	return 0;
}

/* Each is tried again: there is no later. */
static void remove_all(struct publisher *publisher)
{
	struct state *state = &publisher->state;

	state->frozen_processes = 0;
	if (marker_update(&publisher->marker, state, NULL) != 0)
		(void)marker_update(&publisher->marker, state, NULL);
	if (unlinkat(publisher->directory, "state", 0) != 0)
		(void)unlinkat(publisher->directory, "state", 0);
}

void publisher_close(struct publisher *publisher, bool keeps_state)
{
	if (publisher->written_us && !keeps_state)
		remove_all(publisher);
	marker_close(&publisher->marker);
	if (publisher->lock >= 0)
		(void)close(publisher->lock);
	if (publisher->directory >= 0)
		(void)close(publisher->directory);
}

void publisher_introduce(struct publisher *publisher, const char *mode,
			 pid_t pid, uint64_t start_time)
{
	struct state *state = &publisher->state;

	state->format = STATE_FORMAT;
	(void)span_copy(span_of(VERSION), state->version,
			sizeof(state->version));
	(void)span_copy(span_of(mode), state->mode, sizeof(state->mode));
	state->pid = (uint64_t)pid;
	state->pid_start_time = start_time;
}

/* Who was not judged is batch: nobody else is frozen. */
static const char *class_name(const struct frozen *row)
{
	if (!row->is_ordered)
		return row->whole ? "member" : "parent";
	return process_class_name(row->class == CLASS_INTERACTIVE
					  ? CLASS_INTERACTIVE
					  : CLASS_BATCH);
}

static void add_frozen(struct state *state, const struct frozen *row,
		       uint64_t now_us)
{
	struct state_frozen *frozen = &state->frozen[state->frozen_processes++];

	*frozen = (struct state_frozen){
		.pid = row->pid,
		.start_time = row->start_time,
		.frozen_ms = (now_us - row->since_us) / 1000,
	};
	(void)span_copy(
		span_of(freeze_method_name((enum freeze_method)row->method)),
		frozen->method, sizeof(frozen->method));
	(void)span_copy(span_of(class_name(row)), frozen->class,
			sizeof(frozen->class));
	(void)span_copy(span_of(row->command), frozen->command,
			sizeof(frozen->command));
	if (frozen->frozen_ms > state->longest_frozen_ms)
		state->longest_frozen_ms = frozen->frozen_ms;
}

/* Parents last, as they must be thawed last. */
static void describe_frozen(struct state *state, const struct freezer *freezer,
			    uint64_t now_us)
{
	static const bool is_ordered[] = {true, false};
	const struct frozen *row = NULL;

	state->frozen_processes = state->longest_frozen_ms = 0;
	for (size_t i = 0; i < 2; i++)
		while ((row = freezer_next(freezer, row)))
			if (row->is_ordered == is_ordered[i])
				add_frozen(state, row, now_us);
}

static void describe(struct state *state, const struct decider *decider,
		     const struct freezer *freezer)
{
	const struct detector *detector = &decider->detector;
	const struct schedule *schedule = &decider->schedule;
	uint64_t now_us = decide_sample(decider)->time_us;

	state->boottime_ms = now_us / 1000;
	state->fresh_for_ms = detector->verdict == VERDICT_CALM
				      ? PUBLISH_CALM_MS
				      : decider->settings->state_interval_ms;
	(void)span_copy(span_of(verdict_name(detector->verdict)),
			state->verdict, sizeof(state->verdict));
	state->stall_permille = detector->stall_permille;
	state->page_cost_us = detector->page_cost_ns / 1000;
	state->stall_us_total = detect_stall_us_total(detector);
	state->thrash_us_total = detector->thrash_us_total;
	state->freezes_total = schedule->freezes_total;
	state->thaws_total = schedule->thaws_total;
	state->rotations_total = schedule->rotations_total;
	state->freezes_unhelpful_total = schedule->freezes_unhelpful_total;
	state->frozen_us_total = schedule_frozen_us_total(schedule, now_us);
	state->sample = *decide_sample(decider);
	describe_frozen(state, freezer, now_us);
}

/* Tells an error when it is new, and when it is over. */
static void tell(struct log *log, const char *what, int error, int *last)
{
	if (error && error != *last)
		log_warning(log, "%s: %s", what, strerror(-error));
	if (!error && *last)
		log_info(log, "%s: written again", what);
	*last = error;
}

static bool has_changed(const struct state *state,
			const struct decider *decider,
			const struct freezer *freezer)
{
	const struct schedule *schedule = &decider->schedule;

	return state->freezes_total != schedule->freezes_total ||
	       state->thaws_total != schedule->thaws_total ||
	       state->frozen_processes != freezer_count(freezer) ||
	       strcmp(state->verdict,
		      verdict_name(decider->detector.verdict)) != 0;
}

uint64_t publish_due_ms(const struct publisher *publisher, uint64_t now_us)
{
	uint64_t age_ms = (now_us - publisher->written_us) / 1000;

	if (age_ms >= publisher->state.fresh_for_ms)
		return 0;
	return publisher->state.fresh_for_ms - age_ms;
}

int publish_ahead(struct publisher *publisher, const struct freezer *freezer,
		  uint64_t now_us)
{
	describe_frozen(&publisher->state, freezer, now_us);
	return state_write(publisher->directory, &publisher->state);
}

int publish(struct publisher *publisher, const struct decider *decider,
	    const struct freezer *freezer, struct log *log)
{
	uint64_t now_us = decide_sample(decider)->time_us;
	struct timespec wall;

	if (publisher->written_us && publish_due_ms(publisher, now_us) &&
	    !has_changed(&publisher->state, decider, freezer))
		return 0;
	describe(&publisher->state, decider, freezer);
	publisher->written_us = now_us;

	int error = state_write(publisher->directory, &publisher->state);

	tell(log, "state file", error, &publisher->state_error);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	tell(log, "marker",
	     marker_update(&publisher->marker, &publisher->state, &wall),
	     &publisher->marker_error);
	/* while calm that would last for long */
	if (error || publisher->marker_error)
		publisher->state.fresh_for_ms =
			decider->settings->state_interval_ms;
	return error == -ENOENT ? error : 0;
}

static int remove_state(const char *run_dir)
{
	struct problem ignored;
	int directory = state_open_directory(run_dir, &ignored);
	int error = 0;

	if (directory < 0)
		return directory;
	if (unlinkat(directory, "state", 0) != 0)
		error = -errno;
	(void)close(directory);
	return error;
}

int publish_settle(const char *run_dir, const char *marker, pid_t pid)
{
	struct state state;
	struct problem ignored;
	int error = state_read(run_dir, &state, &ignored);

	if (error == -ENOENT || (!error && state.pid != (uint64_t)pid))
		return 0;
	if (error)
		return error;
	error = marker_remove(marker, state.owner);
	if (error && error != -EEXIST)
		return error;
	return remove_state(run_dir); /* last: it says what is to be done */
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --status, --thaw-all and --replay. */
#include "daemon/status.h"

#include "core/cgroup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/state.h"
#include "daemon/publish.h"
#include "daemon/recover.h"
#include "daemon/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_proc(const struct settings *settings, struct log *log)
{
	int proc = directory_open(settings->proc);

	if (proc < 0)
		log_error(log, "%s: %s", settings->proc, strerror(-proc));
	return proc;
}

static bool has_daemon(const struct settings *settings,
		       const struct state *state, struct log *log)
{
	struct problem problem;
	int proc = open_proc(settings, log);

	if (proc < 0)
		return false;

	int error = state_check_daemon(state, proc, clock_boottime_us() / 1000,
				       &problem);

	if (error)
		log_warning(log, "%s", problem.text);
	(void)close(proc);
	return !error;
}

static void print_text(const struct state *state, FILE *out)
{
	char text[STATE_SIZE];
	struct span span;

	if (state_format(state, text, sizeof(text), &span) == 0)
		(void)fwrite(span.start, 1, span.length, out);
}

int status_print(const struct settings *settings, FILE *out, struct log *log)
{
	struct state state;
	struct problem problem;
	bool is_up;

	if (state_read(settings->run_dir, &state, &problem)) {
		log_error(log, "%s", problem.text);
		/* a file without it would say that nobody has looked */
		if (settings->is_prometheus)
			state_print_prometheus(NULL, false, out);
		return EXIT_FAILURE;
	}
	is_up = has_daemon(settings, &state, log);
	if (settings->is_prometheus)
		state_print_prometheus(&state, is_up, out);
	else if (settings->is_json)
		state_print_json(&state, out);
	else
		print_text(&state, out);
	return is_up ? EXIT_SUCCESS : EXIT_FAILURE;
}

int status_thaw_all(const struct settings *settings, struct log *log)
{
	struct state state = {.format = 0};
	struct cgroups cgroups;
	int proc = open_proc(settings, log);

	if (proc < 0)
		return EXIT_FAILURE;
	if (!process_is_own_proc(proc)) {
		log_error(log, "%s shows other processes than ours",
			  settings->proc);
		(void)close(proc);
		return EXIT_FAILURE;
	}

	cgroups_open(&cgroups, CGROUP_ROOT);

	int caged = recover_caged(cgroups.v2, true, log);
	int stopped = recover_stopped(settings->run_dir, proc, &state, log);
	bool is_done = !caged && !stopped;
	bool is_gone = state.format && !process_is_alive(proc, (pid_t)state.pid,
							 state.pid_start_time);

	cgroups_close(&cgroups);
	(void)close(proc);
	if (is_done && is_gone)
		(void)publish_settle(settings->run_dir, settings->marker,
				     (pid_t)state.pid);
	return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int replay_text(const struct settings *settings, struct span text,
		       FILE *out, struct log *log)
{
	struct problem problem;
	struct decider *decider = calloc(1, sizeof(*decider));
	int error = -ENOMEM;

	(void)problem_set(&problem, 0, "no memory");
	if (decider) {
		decider->settings = settings;
		error = census_init(&decider->census, CENSUS_ROWS);
	}
	if (!error) {
		error = tape_replay(text, decider, out, &problem);
		census_close(&decider->census);
	}
	if (error)
		log_error(log, "recording %s:%s", settings->replay,
			  problem.text);
	free(decider);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A recording can be large, so it is mapped, until the program ends. */
static int map_file(const char *path, struct span *text,
		    struct problem *problem)
{
	int file = file_open_at(AT_FDCWD, path);
	struct stat status;
	void *start = MAP_FAILED;

	if (file < 0)
		return problem_set(problem, file, "%s",
				   file == -EINVAL ? "it is not a file"
						   : strerror(-file));
	if (fstat(file, &status) == 0 && status.st_size > 0)
		start = mmap(NULL, (size_t)status.st_size, PROT_READ,
			     MAP_PRIVATE, file, 0);
	(void)close(file);
	if (start == MAP_FAILED)
		return problem_set(problem, -EINVAL, "%s",
				   status.st_size ? "it cannot be mapped"
						  : "it is empty");
	*text = (struct span){start, (size_t)status.st_size};
	return 0;
}

int status_replay(const struct settings *settings, FILE *out, struct log *log)
{
	struct problem problem;
	struct span text = {"", 0};

	if (map_file(settings->replay, &text, &problem)) {
		log_error(log, "recording %s: %s", settings->replay,
			  problem.text);
		return EXIT_FAILURE;
	}

	return replay_text(settings, text, out, log);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nagios check: the marker file, which exists while something is frozen.  It
 * lies where everybody can write: it is looked at, never opened.
 */
#include "plugins/nagios/nagios.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct settings {
	struct nagios_common common;
	struct nagios_limits age;
	const char *marker;
};

static const struct option_row rows[] = {
	NAGIOS_RANGE("warning", 'w', "5", age.warning,
		     "WARNING outside RANGE of its age, in s"),
	NAGIOS_RANGE("critical", 'c', "60", age.critical, "CRITICAL likewise"),
	{.name = "marker",
	 .argument = "FILE",
	 .standard = STATE_MARKER,
	 .help = "what to look at",
	 .parse = option_text,
	 .offset = offsetof(struct settings, marker)},
};

/* What the marker and the state file say at one moment. */
struct view {
	int error; /* of looking at the marker; -ENOENT: there is none */
	struct stat status;
	int64_t age_ms;
	int state_error;
	struct state state;
	struct problem problem; /* of the state */
};

static void view_take(struct view *view, const struct settings *settings,
		      const struct nagios_run *run)
{
	const struct timespec *since = &view->status.st_mtim;
	struct timespec now;

	view->state_error =
		nagios_read_state(run, &view->state, &view->problem);
	view->error = lstat(settings->marker, &view->status) ? -errno : 0;
	if (view->error)
		return;
	/* the daemon sets the time of the file to the first freeze */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	view->age_ms = (now.tv_sec - since->tv_sec) * 1000 +
		       (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* In a dry run there may be a marker or not. */
static bool view_disagrees(const struct view *view)
{
	return !view->state_error && !nagios_is_dry_run(&view->state) &&
	       (view->error == 0) != (view->state.frozen_processes > 0);
}

/*
 * What the daemon says is frozen: nothing, and there is no marker.  Then it
 * does not matter where we look for one, and the mount tables, which may be
 * long, need not be read.
 */
static bool view_is_calm(const struct view *view)
{
	return !view->state_error && view->error == -ENOENT &&
	       !view->state.frozen_processes;
}

/*
 * Says why what is there in place of a marker is not the daemon's; false when
 * it may be.  Whoever can write there can cause this WARNING, but hides
 * nothing by it: then the state file is judged.
 */
static bool is_foreign(const struct view *view, struct nagios_run *run)
{
	mode_t type = view->status.st_mode & S_IFMT;
	uid_t owner = view->status.st_uid;

	if (type != S_IFREG)
		nagios_add(&run->text, "the marker is %s",
			   type == S_IFLNK   ? "a symbolic link"
			   : type == S_IFDIR ? "a directory"
			   : type == S_IFIFO ? "a FIFO"
					     : "no plain file");
	else if (owner != 0 && owner != geteuid() &&
		 (view->state_error || owner != view->state.owner))
		nagios_add(&run->text, "the marker belongs to user %u",
			   (unsigned)owner);
	else if (view->age_ms < -1000)
		nagios_add(&run->text, "the marker has a time to come");
	else
		return false;
	nagios_say(run, NAGIOS_WARNING, " and is not the daemon's");
	return true;
}

/* Says why the marker does not count; false when it does. */
static bool is_doubted(const struct settings *settings, const struct view *view,
		       int is_private, struct nagios_run *run)
{
	bool is_present = view->error == 0;

	if (is_private < 0)
		nagios_say(run, NAGIOS_UNKNOWN, "directory of %s: %s",
			   settings->marker, strerror(-is_private));
	else if (is_private)
		nagios_say(run, view->state_error ? NAGIOS_UNKNOWN : NAGIOS_OK,
			   "this is a private /tmp, not the host's");
	else if (!is_present && view->error != -ENOENT)
		nagios_say(run, NAGIOS_UNKNOWN, "%s: %s", settings->marker,
			   strerror(-view->error));
	else if (is_present && is_foreign(view, run))
		return true;
	else if (view_disagrees(view))
		nagios_say(run, NAGIOS_WARNING,
			   is_present ? "the marker is left over"
				      : "there is no marker");
	else
		return false;
	return true;
}

static void judge_age(const struct settings *settings, struct nagios_run *run,
		      bool is_frozen, int64_t age_ms)
{
	uint64_t value = is_frozen && age_ms > 0 ? (uint64_t)age_ms : 0;
	char seconds[NAGIOS_NUMBER];

	nagios_number(value, seconds);
	if (is_frozen)
		nagios_add(&run->text, "frozen for %s s", seconds);
	else
		nagios_add(&run->text, "nothing is frozen");
	nagios_measure(run, "age", "s", value, &settings->age);
}

static void judge_state(const struct settings *settings,
			const struct view *view, struct nagios_run *run)
{
	const struct state *state = &view->state;

	if (view->state_error) {
		nagios_add(&run->text, "; %s", view->problem.text);
		return;
	}
	nagios_add(&run->text, "; by the state file ");
	judge_age(settings, run, state->frozen_processes > 0,
		  (int64_t)(state->longest_frozen_ms +
			    nagios_state_age_ms(run, state)));
}

static void look(const void *given, struct nagios_run *run)
{
	static const struct timespec moment = {.tv_nsec = 250000000};
	const struct settings *settings = given;
	struct view view;
	bool is_believed;

	view_take(&view, settings, run);
	/* the daemon changes one file a moment before the other */
	if (view_disagrees(&view) && nanosleep(&moment, NULL) == 0)
		view_take(&view, settings, run);

	int is_private =
		view_is_calm(&view) && !run->common->verbosity
			? 0
			: nagios_is_private(run->proc, settings->marker);

	is_believed = !is_doubted(settings, &view, is_private, run);
	if (is_believed)
		judge_age(settings, run, view.error == 0, view.age_ms);
	if (!is_believed || (view.error == 0 && view.state_error))
		judge_state(settings, &view, run);
	nagios_detail(run, 1, "marker: %s", settings->marker);
	nagios_detail(run, 1, "state: %s",
		      view.state_error ? view.problem.text : "up to date");
}

int main(int argc, char **argv)
{
	static const struct nagios_check check = {
		.program = "check_thrash_marker",
		.name = "MARKER",
		.summary = "the file that marks that something is frozen",
		.rows = rows,
		.row_count = sizeof(rows) / sizeof(*rows),
		.look = look,
	};
	struct settings settings = {.marker = NULL};

	return nagios_main(&check, argc, argv, &settings);
}

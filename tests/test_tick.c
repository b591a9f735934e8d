/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests whole turns over made-up hosts: a /proc tree in, the state file out.
 * Such a tree is no real /proc, so that nobody is ever frozen by them.
 */
#include "daemon/tick.h"

#include "tests/rules.h"
#include "tests/scratch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>

struct fixture {
	struct scratch scratch;
	char proc[300], run[300], marker[300];
	struct settings settings;
	struct log log;
	struct daemon daemon;
	struct ledger ledger;
	struct problem problem;
	uint64_t now_us, wait_ms;
};

/* Has the shell do something with our own files. */
__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[900];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	/* NOLINTNEXTLINE(cert-env33-c): our own directory's name */
	need(system(command) == 0 ? 0 : -1, command);
}

/* A copy of tests/proc/NAME to play with. */
static void begin(struct fixture *f, const char *name)
{
	memset(f, 0, sizeof(*f));
	f->ledger.doorbell = -1;
	scratch_open(&f->scratch);
	(void)snprintf(f->proc, sizeof(f->proc), "%s/proc", f->scratch.path);
	(void)snprintf(f->run, sizeof(f->run), "%s/run", f->scratch.path);
	(void)snprintf(f->marker, sizeof(f->marker), "%s/marker",
		       f->scratch.path);
	shell("cp -R tests/proc/%s '%s'", name, f->proc);
	settings_default(&f->settings);
	f->settings.proc = f->proc;
	f->settings.run_dir = f->run;
	f->settings.marker = f->marker;
	rules_set(&f->settings.rules, RULES_PROTECT, "giant");
	log_open_stderr(&f->log);
	f->log.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "null");
}

static void end(struct fixture *f)
{
	log_close(&f->log);
	scratch_close(&f->scratch);
}

static int start(struct fixture *f)
{
	int error = daemon_open(&f->daemon, &f->settings, NULL, &f->ledger,
				&f->log, &f->problem);

	f->now_us = error ? 0 : decide_sample(&f->daemon.decider)->time_us;
	return error;
}

static void turn(struct fixture *f)
{
	f->now_us += 50000;
	(void)tick(&f->daemon, f->now_us, TICK_TIMER, &f->wait_ms);
}

static const struct state *read_state(struct fixture *f)
{
	static struct state state;

	if (state_read(f->run, &state, &f->problem))
		memset(&state, 0, sizeof(state));
	return &state;
}

static void write_proc(struct fixture *f, const char *name, const char *text)
{
	int proc = need(open(f->proc, O_RDONLY | O_DIRECTORY), f->proc);

	scratch_write(proc, name, text, strlen(text), 0644);
	(void)close(proc);
}

static void test_modes(void)
{
	static const struct {
		const char *tree, *mode;
	} rows[] = {
		{"calm", "psi-poll"},    {"thrashing", "psi-poll"},
		{"no_pressure", "swap"}, {"dead_pressure", "swap"},
		{"linux_4_4", "swap"},   {"odd_names", "psi-poll"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;

		begin(&f, rows[i].tree);
		is_int(start(&f), 0, "%s: the daemon starts (%s)", rows[i].tree,
		       f.problem.text);
		is_text(read_state(&f)->mode, rows[i].mode,
			"%s: the mode is published", rows[i].tree);
		is_text(read_state(&f)->verdict, "calm", "%s: it is calm",
			rows[i].tree);
		ok(freezer_is_dry_run(&f.daemon.freezer),
		   "%s: which is no real /proc, so nobody is frozen",
		   rows[i].tree);
		(void)daemon_close(&f.daemon, "test", false);
		end(&f);
	}
}

/* The counters of a host that thrashes, after that many turns. */
static void set_counters(struct fixture *f, unsigned turns)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "pgmajfault %u\npswpin %u\npswpout %u\n"
		       "workingset_refault_anon %u\n"
		       "workingset_refault_file 0\n",
		       90 * turns, 90 * turns, 90 * turns, 90 * turns);
	write_proc(f, "vmstat", text);
	(void)snprintf(text, sizeof(text),
		       "some avg10=0.00 avg60=0.00 avg300=0.00 total=%u\n"
		       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		       45000 * turns);
	write_proc(f, "pressure/memory", text);
}

/* A process that holds that many pages and has taken faults. */
static void set_process(struct fixture *f, int pid, const char *command,
			unsigned pages, unsigned faults)
{
	char path[320], text[512];

	(void)snprintf(path, sizeof(path), "%s/%d", f->proc, pid);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	(void)snprintf(text, sizeof(text),
		       "%d (%s) S 1 %d %d 0 -1 4194304 0 0 %u 0 0 0 0 0 20 0 1 "
		       "0 777 0 %u 0 0\n",
		       pid, command, pid, pid, faults, pages);
	write_proc(f, path, text);
	(void)snprintf(path, sizeof(path), "%d/status", pid);
	write_proc(f, path, "Name:\tx\nVmSwap:\t    1024 kB\n");
}

static void begin_thrash(struct fixture *f)
{
	set_counters(f, 0);
	is_int(start(f), 0, "the daemon starts (%s)", f->problem.text);
}

/* Two hogs, a protected giant and a small one; four turns of thrashing. */
static void go_on_thrashing(struct fixture *f)
{
	for (unsigned i = 1; i <= 4; i++) {
		set_counters(f, i);
		set_process(f, 500, "hog) one", 50000, 10 * i);
		set_process(f, 501, "hog two", 60000, 10 * i);
		set_process(f, 502, "giant", 90000, 10 * i);
		set_process(f, 503, "small", 100, 10 * i);
		turn(f);
	}
}

static void thrash(struct fixture *f)
{
	begin_thrash(f);
	go_on_thrashing(f);
}

static void test_thrash(void)
{
	struct fixture f;
	const struct state *state;

	begin(&f, "calm");
	thrash(&f);
	state = read_state(&f);
	is_text(state->verdict, "thrashing", "thrashing is published");
	is_int((int64_t)state->frozen_processes, 1, "one is frozen");
	is_int(state->frozen[0].pid, 500, "of two alike the smaller");
	is_text(state->frozen[0].command, "hog) one", "with its name");
	is_int((int64_t)state->frozen[0].start_time, 777, "and its start time");
	is_int((int64_t)state->freezes_total, 1, "and counted");
	ok(access(f.marker, F_OK) != 0, "a dry run keeps no marker");

	for (int i = 0; i < 200; i++)
		turn(&f);
	state = read_state(&f);
	is_text(state->verdict, "calm", "calm is published");
	is_int((int64_t)state->frozen_processes, 0, "nobody is frozen");
	is_int((int64_t)state->thaws_total, (int64_t)state->freezes_total,
	       "there was a thaw for each freeze");
	is_int((int64_t)state->page_cost_us, 500,
	       "a page cost 45 ms / 90, and this is published");
	(void)daemon_close(&f.daemon, "test", false);
	ok(state_read(f.run, &(struct state){0}, &f.problem) == -ENOENT,
	   "at the end there is no state any more");
	end(&f);
}

/*
 * How many turns it takes until nobody is frozen any more, at most 100; of
 * those that are due in 2 s two have passed.
 */
static unsigned turns_until_thawed(struct fixture *f)
{
	unsigned turns = 0;

	while (turns < 100 &&
	       schedule_frozen_count(&f->daemon.decider.schedule))
		turn(f), turns++;
	return turns;
}

static void test_roles(void)
{
	static const char locks[] =
		"1: FLOCK  ADVISORY  WRITE 500 08:01:77 0 EOF\n"
		"1: -> FLOCK  ADVISORY  WRITE 1 08:01:77 0 EOF\n";
	struct fixture f;

	begin(&f, "calm");
	f.settings.calm_ms = 3600000;
	rules_set(&f.settings.rules, RULES_INTERACTIVE, "hog*");
	thrash(&f);
	is_text(read_state(&f)->frozen[0].class, "interactive",
		"the class is published");
	is_int(turns_until_thawed(&f), 38, "interactive waits for 2 s");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);

	begin(&f, "calm");
	f.settings.calm_ms = 3600000;
	thrash(&f);
	is_text(read_state(&f)->frozen[0].class, "batch", "and so is batch");
	write_proc(&f, "locks", locks);
	is_int(turns_until_thawed(&f), 38,
	       "who has a lock that others wait for waits for 2 s");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);

	begin(&f, "calm");
	f.settings.calm_ms = 3600000;
	thrash(&f);
	ok(turns_until_thawed(&f) > 38, "others for longer");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

/* sshd forks for somebody who comes when it thrashes already. */
static void test_login(void)
{
	struct fixture f;
	char text[512];

	if (geteuid() != 0) {
		skip("sshd is root's");
		return;
	}
	begin(&f, "calm");
	thrash(&f);
	set_process(&f, 504, "sshd", 2000, 0);
	ok(f.daemon.decider.trouble_us != 0, "there is trouble");
	for (unsigned i = 5; i < 20; i++) {
		set_counters(&f, i);
		turn(&f);
	}
	is_int((int64_t)f.daemon.decider.room_us, 0,
	       "an old sshd wants no more room than it has");
	(void)snprintf(text, sizeof(text),
		       "505 (sshd) S 504 505 505 0 -1 4194304 0 0 0 0 0 0 0 0 "
		       "20 0 1 0 %" PRIu64 " 0 2000 0 0\n",
		       f.now_us / f.daemon.decider.census.tick_us);
	set_process(&f, 505, "sshd", 2000, 0);
	write_proc(&f, "505/stat", text);
	for (unsigned i = 20; i < 40; i++) {
		set_counters(&f, i);
		turn(&f);
	}
	ok(f.daemon.decider.room_us > f.now_us, "who logs in now does");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

static void test_vanishing(void)
{
	struct fixture f;

	begin(&f, "calm");
	thrash(&f);
	shell("rm -r '%s/500'", f.proc);
	for (int i = 0; i < 8; i++)
		turn(&f);
	is_int((int64_t)read_state(&f)->frozen_processes, 0,
	       "who ends while frozen is not frozen any more");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

static void test_unreadable(void)
{
	struct fixture f;

	begin(&f, "calm");
	thrash(&f);
	write_proc(&f, "500/stat", "cannot be read now");
	for (int i = 0; i < 8; i++)
		turn(&f);
	is_int((int64_t)read_state(&f)->frozen_processes, 1,
	       "who cannot be looked at is not taken for gone");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

/* Who is stopped does nothing; how often it is looked at is what it costs. */
static void test_stopped(void)
{
	struct fixture f;
	uint64_t seen_kib = 0;
	unsigned seen = 0;
	char text[256];

	begin(&f, "calm");
	thrash(&f);
	for (unsigned i = 0; i < 4 + 4 * TICK_STOPPED_TURNS; i++) {
		const struct job *job = &f.daemon.decider.schedule.jobs[0];

		(void)snprintf(text, sizeof(text),
			       "500 (x) T 1 500 500 0 -1 4194304 0 0 40 0 0 0 "
			       "0 0 20 0 1 0 777 0 %u 0 0\n",
			       50000 + i);
		write_proc(&f, "500/stat", text);
		turn(&f);
		seen += i >= 4 && job->process.resident_kib != seen_kib;
		seen_kib = job->process.resident_kib;
	}
	is_int(seen, 4, "who is stopped is looked at in every %dth turn",
	       TICK_STOPPED_TURNS);
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

/* What a dead daemon has left frozen is known from its state file alone. */
static void test_ledger(void)
{
	struct fixture f;
	struct state state = {.format = 1, .pid = 4242, .frozen_processes = 1};

	begin(&f, "calm");
	(void)snprintf(state.version, sizeof(state.version), "1");
	(void)snprintf(state.mode, sizeof(state.mode), "swap");
	(void)snprintf(state.verdict, sizeof(state.verdict), "calm");
	state.frozen[0] = (struct state_frozen){
		.pid = 500, .method = "signal", .class = "batch"};
	need(mkdir(f.run, 0755), "mkdir");

	int run = need(open(f.run, O_RDONLY | O_DIRECTORY), f.run);

	is_int(state_write(run, &state), 0, "a dead daemon's state");
	is_int(start(&f), -EBUSY, "is not overwritten by a dry run");
	is_int((int64_t)read_state(&f)->frozen_processes, 1, "and stays");
	(void)close(run);
	end(&f);
}

static void test_lost_run_directory(void)
{
	struct fixture f;
	int error = 0;

	begin(&f, "calm");
	(void)start(&f);
	shell("rm -r '%s'", f.run);
	for (int i = 0; i < 61 * 20 && !error; i++) {
		f.now_us += 50000;
		error = tick(&f.daemon, f.now_us, TICK_TIMER, &f.wait_ms);
	}
	is_int(error, -ENOENT,
	       "without its run directory the daemon ends, to start anew");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

/* Nobody would know of it if the daemon were killed. */
static void test_not_written_down(void)
{
	struct fixture f;

	begin(&f, "calm");
	begin_thrash(&f);
	shell("rm -r '%s'", f.run);
	go_on_thrashing(&f);
	is_int(f.daemon.decider.detector.verdict, VERDICT_THRASHING,
	       "a host thrashes");
	is_int((int64_t)f.daemon.decider.schedule.freezes_total, 0,
	       "but nobody is frozen who could not be written down first");
	is_int((int64_t)freezer_count(&f.daemon.freezer), 0,
	       "nor stays in the table");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

static void test_freshness(void)
{
	struct fixture f;
	uint64_t written_ms;

	begin(&f, "calm");
	(void)start(&f);
	written_ms = read_state(&f)->boottime_ms;
	is_int((int64_t)read_state(&f)->fresh_for_ms, 60000,
	       "a calm daemon promises a state every minute");
	for (int i = 0; i < 59 * 20; i++)
		turn(&f);
	is_int((int64_t)read_state(&f)->boottime_ms, (int64_t)written_ms,
	       "and writes none before");
	for (int i = 0; i < 2 * 20; i++)
		turn(&f);
	ok(read_state(&f)->boottime_ms >= written_ms + 60000,
	   "but then it does");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

/* Without a trigger, which a made-up /proc cannot have. */
static void test_rest(void)
{
	struct fixture f;
	struct sample last;
	char text[256];
	unsigned counted = 0;

	begin(&f, "calm");
	(void)start(&f);
	turn(&f);
	is_int((int64_t)f.wait_ms,
	       (int64_t)f.settings.interval_ms * TICK_REST_INTERVALS,
	       "where nobody stalls the next turn has time");
	for (int i = 0; i < 100; i++) {
		turn(&f);
		counted += f.daemon.counted_us == f.now_us;
	}
	is_int(counted, 5, "and pages are counted once a second");

	last = *decide_sample(&f.daemon.decider);
	(void)snprintf(text, sizeof(text),
		       "some avg10=0.00 avg60=0.00 avg300=0.00 total=%" PRIu64
		       "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		       last.memory.some_us + 10000);
	write_proc(&f, "pressure/memory", text);
	f.now_us += 50000;
	turn(&f);
	ok(f.daemon.counted_us == f.now_us,
	   "when somebody stalls that is done at once");
	is_int((int64_t)f.daemon.decider.detector.stall_permille, 200,
	       "and counts as stall of the last interval, not of all the rest");
	is_int((int64_t)f.wait_ms,
	       (int64_t)f.settings.interval_ms / TICK_RUSH_PARTS,
	       "and the next turn follows soon");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);
}

static void test_broken_proc(void)
{
	struct fixture f;
	int error = 0, turns = 0;

	begin(&f, "calm");
	(void)start(&f);
	write_proc(&f, "vmstat", "pgmajfault none\n");
	f.now_us += UINT64_C(1000) * TICK_COUNTERS_MS;
	while (!error && turns < 100) {
		f.now_us += 50000;
		error = tick(&f.daemon, f.now_us, TICK_TIMER, &f.wait_ms);
		turns++;
	}
	is_int(error, -EINVAL, "counters that stay unreadable end the daemon");
	is_int(turns, TICK_FAILURES, "after a while");
	(void)daemon_close(&f.daemon, "test", false);
	end(&f);

	begin(&f, "calm");
	write_proc(&f, "vmstat", "nothing here\n");
	is_int(start(&f), -EINVAL, "without counters it does not start");
	ok(strstr(f.problem.text, "vmstat"), "and says which: %s",
	   f.problem.text);
	end(&f);
}

static void test_run_directory(void)
{
	struct fixture f, second;

	begin(&f, "calm");
	(void)start(&f);
	second = f;
	is_int(daemon_open(&second.daemon, &second.settings, NULL,
			   &second.ledger, &second.log, &second.problem),
	       -EWOULDBLOCK, "a second daemon does not start");
	is_text(second.problem.text, "another thrash-protect is running",
		"and says why");
	(void)daemon_close(&f.daemon, "test", false);

	need(chmod(f.run, 0777), "chmod");
	is_int(start(&f), -EPERM,
	       "a run directory that others can write is refused");
	end(&f);
}

int main(void)
{
	test_modes();
	test_thrash();
	test_roles();
	test_login();
	test_vanishing();
	test_unreadable();
	test_stopped();
	test_ledger();
	test_lost_run_directory();
	test_not_written_down();
	test_freshness();
	test_rest();
	test_broken_proc();
	test_run_directory();
	return done_testing();
}

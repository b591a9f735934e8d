/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the daemon's turns on hosts made of bytes. */
#include "tests/fuzz/host.h"

#include "core/clock.h"
#include "daemon/resident.h"
#include "daemon/tick.h"
#include "tests/rules.h"
#include "tests/scratch.h"

#include <inttypes.h>
#include <sys/stat.h>

enum {
	SELF = 50,
	KERNEL_THREAD = 0x00200000, /* PF_KTHREAD */
	TURNS_MAX = 48,
	/* Calm ones in the end, until nobody may be frozen any more. */
	CALM_TURNS = 25,
	CALM_STEP_MS = 5000,
	START_US = 100000000,
	TICK_US = 10000, /* of start times */
};

/* Who is there, by who must never be frozen. */
static const struct plan {
	pid_t pid, parent, group;
	const char *command;
	unsigned flags;
	bool is_never;
	bool is_never_of_root;
} plans[] = {
	{1, 0, 1, "init", 0, true, false},
	{2, 0, 0, "kthreadd", KERNEL_THREAD, true, false},
	{7, 2, 0, "kswapd0", KERNEL_THREAD, true, false},
	{30, 1, 30, "our service", 0, true, false},
	{SELF, 30, SELF, "thrash-protect", 0, true, false},
	{60, 1, 60, "giant", 0, true, false}, /* by a rule */
	{62, 1, 62, "bash", 0, false, false},
	{70, 62, 70, "make", 0, false, false},
	{71, 70, 70, "cc1", 0, false, false},
	{72, 70, 70, "cc1", 0, false, false},
	{80, 1, 80, "hog", 0, false, false},
	{81, 1, 81, "a) R 1 1\n", 0, false, false},
	{82, 1, 82, "preferred", 0, false, false},
	{83, 1, 83, "patient", 0, false, false},
	{90, 1, 90, "sshd", 0, false, true},
	{91, 90, 91, "guest", 0, false, false},
};

/* The directories of our /proc are ours. */
static bool is_never_frozen(const struct plan *plan)
{
	return plan->is_never || (plan->is_never_of_root && geteuid() == 0);
}

static const char *const names[] = {
	"hog", "giant", "bash", "sshd", "preferred", "patient", "", "\xff) Z",
};

struct slot {
	uint64_t start_time, faults, pages, swapped_kib, cpu_ticks;
	uint8_t fault_rate;
	int8_t growth; /* in MiB a turn */
	char state;
	pid_t parent;
	const char *command;
	bool is_there;
	bool is_odd; /* its files were once not what the rest says */
	bool is_changed;
};

struct host {
	struct scratch scratch;
	int proc; /* directory descriptor */
	char proc_path[300], run_path[300], root_path[300];
	uint64_t now_us;
	struct slot slots[COUNT(plans)];
	uint64_t memory_us, io_us, in, out, faults;
	uint8_t memory_share, io_share, in_rate, out_rate;
	struct span input; /* what is left of it */
	/* what the daemon is run with */
	struct settings settings;
	struct log log;
	struct ledger ledger;
	struct daemon daemon;
	/* to compare with */
	struct state state;
	bool is_open;
	uint64_t good_us[2]; /* the last turns that went well, newest first */
};

/* The one host there is: the functions below are called without argument. */
static struct host *the_host(void)
{
	static struct host host;

	return &host;
}

/*
 * What the linker puts in the place of the real ones, so that the same bytes
 * are always the same run, and the fuzzer gets no more priority or memory.
 */
#define IN_PLACE_OF(name) __asm__("__wrap_" #name)

uint64_t host_now_us(void) IN_PLACE_OF(clock_boottime_us);
pid_t host_self(void) IN_PLACE_OF(getpid);
void host_do_not_rise(struct log *log) IN_PLACE_OF(resident_begin);
int host_do_not_keep(const void *start, size_t bytes)
	IN_PLACE_OF(resident_keep);
void host_open_watchdogs(struct watchdogs *watchdogs, const char *root)
	IN_PLACE_OF(watchdogs_open);
void real_watchdogs_open(struct watchdogs *watchdogs,
			 const char *root) __asm__("__real_watchdogs_open");

uint64_t host_now_us(void)
{
	return the_host()->now_us;
}

pid_t host_self(void)
{
	return SELF;
}

void host_do_not_rise(struct log *log)
{
	(void)log;
}

int host_do_not_keep(const void *start, size_t bytes)
{
	(void)start, (void)bytes;
	return 0;
}

void host_open_watchdogs(struct watchdogs *watchdogs, const char *root)
{
	(void)root;
	real_watchdogs_open(watchdogs, the_host()->root_path);
}

/* Says what is wrong, and where; false. */
static bool wrong(const struct host *host, const char *what, int pid)
{
	(void)fprintf(stderr, "at %" PRIu64 " us: %s (%d)\n", host->now_us,
		      what, pid);
	return false;
}

/* The next byte of the input; 0 behind its end. */
static uint8_t take(struct host *host)
{
	if (!host->input.length)
		return 0;
	host->input.length--;
	return (uint8_t)*host->input.start++;
}

static struct span take_some(struct host *host)
{
	size_t length = take(host);
	struct span taken = {host->input.start, length};

	if (taken.length > host->input.length)
		taken.length = host->input.length;
	host->input.start += taken.length;
	host->input.length -= taken.length;
	return taken;
}

static void put(const struct host *host, const char *name, struct span text)
{
	scratch_write(host->proc, name, text.start, text.length, 0644);
}

static void remove_all(const char *path)
{
	(void)nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void clean_up(void)
{
	scratch_close(&the_host()->scratch);
}

static void make_directories(struct host *host)
{
	static const char *const paths[] = {"proc/pressure", "root/etc",
					    "root/etc/systemd",
					    "root/etc/systemd/system"};

	need(mkdirat(host->scratch.directory, "proc", 0755), "proc");
	need(mkdirat(host->scratch.directory, "root", 0755), "root");
	for (size_t i = 0; i < COUNT(paths); i++)
		need(mkdirat(host->scratch.directory, paths[i], 0755),
		     paths[i]);
	for (size_t i = 0; i < COUNT(plans); i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "proc/%d",
			       (int)plans[i].pid);
		need(mkdirat(host->scratch.directory, path, 0755), path);
	}
}

/* Once; the tree is used again, which takes half of the time. */
static void build(struct host *host)
{
	static const char unit[] = "[Service]\nWatchdogSec=4\n";

	scratch_open(&host->scratch);
	(void)atexit(clean_up);
	(void)snprintf(host->proc_path, sizeof(host->proc_path), "%s/proc",
		       host->scratch.path);
	(void)snprintf(host->run_path, sizeof(host->run_path), "%s/run",
		       host->scratch.path);
	(void)snprintf(host->root_path, sizeof(host->root_path), "%s/root",
		       host->scratch.path);
	make_directories(host);
	scratch_write(host->scratch.directory,
		      "root/etc/systemd/system/w.service", unit,
		      sizeof(unit) - 1, 0644);
	host->proc = need(open(host->proc_path, O_RDONLY | O_DIRECTORY),
			  host->proc_path);
	log_open_stderr(&host->log);
	host->log.is_debug = true;
	if (!getenv("FUZZ_LOG"))
		host->log.file = need(open("/dev/null", O_WRONLY), "/dev/null");
}

static void write_slot(const struct host *host, size_t index)
{
	const struct plan *plan = &plans[index];
	const struct slot *slot = &host->slots[index];
	char name[32], text[512];
	int length;

	(void)snprintf(name, sizeof(name), "%d/stat", (int)plan->pid);
	if (!slot->is_there) {
		(void)unlinkat(host->proc, name, 0);
		return;
	}
	length = snprintf(
		text, sizeof(text),
		"%d (%s) %c %d %d %d 0 -1 %u 0 0 %" PRIu64 " 0 %" PRIu64
		" 0 0 0 20 0 1 0 %" PRIu64 " 0 %" PRIu64 " 0 0\n",
		(int)plan->pid, slot->command, slot->state, (int)slot->parent,
		(int)plan->group, (int)plan->group, plan->flags, slot->faults,
		slot->cpu_ticks, slot->start_time, slot->pages);
	put(host, name, (struct span){text, (size_t)length});
	(void)snprintf(name, sizeof(name), "%d/status", (int)plan->pid);
	length = snprintf(text, sizeof(text),
			  "Name:\tx\nVmSwap:\t%8" PRIu64 " kB\n",
			  slot->swapped_kib);
	put(host, name, (struct span){text, (size_t)length});
}

static void write_pressure(const struct host *host, const char *name,
			   uint64_t total_us)
{
	char text[256];
	int length = snprintf(
		text, sizeof(text),
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=%" PRIu64 "\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=%" PRIu64 "\n",
		total_us, total_us / 2);

	put(host, name, (struct span){text, (size_t)length});
}

static void write_counters(const struct host *host)
{
	char text[512];
	int length = snprintf(
		text, sizeof(text),
		"nr_free_pages 5000\npgmajfault %" PRIu64 "\npswpin %" PRIu64
		"\npswpout %" PRIu64 "\nworkingset_refault_anon %" PRIu64
		"\nworkingset_refault_file 0\npgscan_anon %" PRIu64
		"\npgscan_file 0\npgscan_kswapd %" PRIu64
		"\npgscan_direct 0\npgscan_khugepaged 0\n",
		host->faults, host->in, host->out, host->in, host->out,
		host->out);

	put(host, "vmstat", (struct span){text, (size_t)length});
	write_pressure(host, "pressure/memory", host->memory_us);
	write_pressure(host, "pressure/io", host->io_us);
}

/* Time passes, and everybody does what it does. */
static void pass(struct host *host, uint64_t step_ms)
{
	uint64_t step_us = step_ms * 1000;

	host->now_us += step_us;
	host->memory_us += step_us * host->memory_share / 256;
	host->io_us += step_us * host->io_share / 256;
	host->in += step_ms * host->in_rate / 8;
	host->out += step_ms * host->out_rate / 8;
	for (size_t i = 0; i < COUNT(plans); i++) {
		struct slot *slot = &host->slots[i];
		uint64_t pages = slot->growth < 0
					 ? (uint64_t)-slot->growth * 256
					 : (uint64_t)slot->growth * 256;

		slot->is_changed |= slot->fault_rate || pages;
		slot->faults += slot->fault_rate;
		host->faults += slot->fault_rate;
		if (slot->growth < 0)
			slot->pages -=
				pages < slot->pages ? pages : slot->pages;
		else
			slot->pages += pages;
	}
}

static void write_host(struct host *host)
{
	write_counters(host);
	for (size_t i = 0; i < COUNT(plans); i++)
		if (host->slots[i].is_changed) {
			write_slot(host, i);
			host->slots[i].is_changed = false;
		}
}

/* Any bytes in the place of a file, until that is written again. */
static void write_odd(struct host *host)
{
	static const char *const files[] = {
		"stat",   "status", "cgroup",           "/vmstat",
		"/locks", "/stat",  "/pressure/memory", "/pressure/io"};
	const char *file = files[take(host) % COUNT(files)];
	size_t index = take(host) % COUNT(plans);
	struct span text = take_some(host);
	char name[32];

	if (file[0] == '/') {
		put(host, file + 1, text);
		return;
	}
	(void)snprintf(name, sizeof(name), "%d/%s", (int)plans[index].pid,
		       file);
	put(host, name, text);
	if (strcmp(file, "stat") == 0)
		host->slots[index].is_odd = true;
}

/* Something happens to a process. */
static void change_slot(struct host *host)
{
	static const char states[] = "RSDTtZXI";
	size_t index = take(host) % COUNT(plans);
	uint8_t what = take(host) % 9, value = take(host);
	struct slot *slot = &host->slots[index];
	bool is_never = is_never_frozen(&plans[index]);

	slot->is_changed = true;
	switch (what) {
	case 0:
		slot->fault_rate = value;
		break;
	case 1:
		slot->growth = (int8_t)value;
		break;
	case 2:
		slot->swapped_kib = value * UINT64_C(1024);
		break;
	case 3:
		slot->state = states[value % (sizeof(states) - 1)];
		break;
	case 4:
		slot->is_there = !slot->is_there;
		break;
	case 5:
		slot->start_time = value & 1 ? host->now_us / TICK_US
					     : slot->start_time + 2U + value;
		break;
	case 6:
		if (!is_never)
			slot->command = names[value % COUNT(names)];
		break;
	case 7:
		if (!is_never)
			slot->parent = plans[value % COUNT(plans)].pid;
		break;
	default:
		slot->cpu_ticks += value;
		break;
	}
}

static void set_rates(struct host *host)
{
	host->memory_share = take(host);
	host->io_share = take(host);
	host->in_rate = take(host);
	host->out_rate = take(host);
}

/* Enough to be worth freezing; bash has a little more than a shell may. */
static void reset(struct host *host)
{
	remove_all(host->run_path);
	host->now_us = START_US;
	host->memory_us = host->io_us = 0;
	host->in = host->out = host->faults = 0;
	host->memory_share = host->io_share = 0;
	host->in_rate = host->out_rate = 0;
	for (size_t i = 0; i < COUNT(plans); i++) {
		char name[32];

		host->slots[i] = (struct slot){
			.start_time = 1000 + i,
			.pages = 15000 + 500 * i,
			.state = 'S',
			.parent = plans[i].parent,
			.command = plans[i].command,
			.is_there = true,
			.is_changed = true,
		};
		(void)snprintf(name, sizeof(name), "%d/cgroup",
			       (int)plans[i].pid);
		(void)unlinkat(host->proc, name, 0);
	}
	(void)unlinkat(host->proc, "locks", 0);
	memset(&host->ledger, 0, sizeof(host->ledger));
	host->ledger.doorbell = -1;
}

static void configure(struct host *host)
{
	struct settings *settings = &host->settings;
	uint8_t choice = take(host);

	settings_default(settings);
	settings->is_dry_run = true;
	settings->proc = host->proc_path;
	settings->run_dir = host->run_path;
	settings->marker = "";
	settings->uses_psi = !(choice & 1);
	if (choice & 2)
		settings->max_frozen_ms = 1000;
	if (choice & 4)
		settings->quantum_ms = 100;
	if (choice & 8)
		settings->calm_ms = 100;
	if (choice & 16)
		settings->stall_threshold_permille = 10;
	rules_set(&settings->rules, RULES_PROTECT, "giant");
	rules_set(&settings->rules, RULES_PREFER, "preferred cgroup:/p*");
	rules_set(&settings->rules, RULES_INTERACTIVE, "patient");
}

static size_t find_slot(pid_t pid)
{
	size_t index = 0;

	while (index < COUNT(plans) && plans[index].pid != pid)
		index++;
	return index;
}

/* Whoever is frozen may be, and whoever has just been was there. */
static bool is_rightly_frozen(const struct host *host, const struct job *job)
{
	pid_t pid = job->process.pid;
	size_t index = find_slot(pid);
	const struct slot *slot = &host->slots[index];
	uint64_t most_us = host->settings.max_frozen_ms * 1000;

	if (index == COUNT(plans))
		return wrong(host, "nobody has that pid", pid);
	if (job->since_us + most_us < host->good_us[1])
		return wrong(host, "frozen for too long", pid);
	if (slot->is_odd)
		return pid != 1 && pid != SELF;
	if (is_never_frozen(&plans[index]))
		return wrong(host, "it is never to be frozen", pid);
	if (job->since_us != host->now_us)
		return true;
	if (!slot->is_there || slot->start_time != job->process.start_time)
		return wrong(host, "it was gone before it was frozen", pid);
	return strchr("RSDI", slot->state)
		       ? true
		       : wrong(host, "it was stopped, or dead, before", pid);
}

static bool has_gone_on(const struct state *before, const struct state *now)
{
	return now->boottime_ms >= before->boottime_ms &&
	       now->stall_us_total >= before->stall_us_total &&
	       now->thrash_us_total >= before->thrash_us_total &&
	       now->freezes_total >= before->freezes_total &&
	       now->thaws_total >= before->thaws_total &&
	       now->rotations_total >= before->rotations_total &&
	       now->freezes_unhelpful_total >=
		       before->freezes_unhelpful_total &&
	       now->frozen_us_total >= before->frozen_us_total &&
	       now->longest_gap_ms >= before->longest_gap_ms;
}

static bool publishes(const struct state *state, const struct process *process)
{
	for (size_t i = 0; i < state->frozen_processes; i++)
		if (state->frozen[i].pid == process->pid &&
		    state->frozen[i].start_time == process->start_time)
			return true;
	return false;
}

/* What is published are those who are frozen, and no total goes back. */
static bool is_published(struct host *host)
{
	const struct schedule *schedule = &host->daemon.decider.schedule;
	static struct state state;
	struct problem problem;
	size_t count = 0;

	if (state_read(host->run_path, &state, &problem))
		return wrong(host, problem.text, 0);
	for (size_t i = 0; i < schedule->count; i++) {
		const struct job *job = &schedule->jobs[i];

		if (!job_is_frozen(job))
			continue;
		count++;
		if (!publishes(&state, &job->process))
			return wrong(host, "frozen and not published",
				     job->process.pid);
	}
	if (count != state.frozen_processes)
		return wrong(host, "published and not frozen", 0);
	if (!has_gone_on(&host->state, &state))
		return wrong(host, "a total has gone back", 0);
	host->state = state;
	return true;
}

static size_t count_rows(const struct ledger *ledger)
{
	size_t count = 0;

	for (size_t i = 0; i < STATE_FROZEN; i++)
		count += ledger->rows[i].is_ordered;
	return count;
}

static bool is_sane(struct host *host)
{
	const struct schedule *schedule = &host->daemon.decider.schedule;

	if (!is_sane_schedule(schedule, host->now_us))
		return wrong(host, "the schedule is not sane", 0);
	if (count_rows(&host->ledger) != schedule_frozen_count(schedule))
		return wrong(host, "the ledger knows of others", 0);
	if (ledger_has_any(&host->ledger))
		return wrong(host, "a dry run holds somebody", 0);
	for (size_t i = 0; i < schedule->count; i++)
		if (job_is_frozen(&schedule->jobs[i]) &&
		    !is_rightly_frozen(host, &schedule->jobs[i]))
			return false;
	return is_published(host);
}

/* A turn that cannot read the counters does nothing, and is not judged. */
static bool turn(struct host *host, enum tick_cause cause, int *error)
{
	uint64_t wait_ms;

	*error = tick(&host->daemon, host->now_us, cause, &wait_ms);
	if (*error || host->daemon.failures)
		return true;
	host->good_us[1] = host->good_us[0];
	host->good_us[0] = host->now_us;
	return is_sane(host);
}

static bool end(struct host *host, bool is_reload)
{
	size_t left = 0;

	if (host->is_open)
		left = daemon_close(&host->daemon, "the end", is_reload);
	host->is_open = false;
	if (left || count_rows(&host->ledger))
		return wrong(host, "somebody is left frozen", (int)left);
	return is_reload || access(host->run_path, F_OK) != 0 ||
			       state_read(host->run_path, &(struct state){0},
					  &(struct problem){""}) == -ENOENT
		       ? true
		       : wrong(host, "the state is left", 0);
}

static bool begin(struct host *host, int *error)
{
	struct problem problem = {""};

	*error = daemon_open(&host->daemon, &host->settings, NULL,
			     &host->ledger, &host->log, &problem);
	host->is_open = !*error;
	host->good_us[0] = host->good_us[1] = host->now_us;
	return *error ? true : is_sane(host);
}

/* What seldom happens. */
static bool happen(struct host *host, enum tick_cause *cause, int *error)
{
	switch (take(host) % 4) {
	case 0:
		*cause = TICK_TRIGGER;
		break;
	case 1:
		pass(host, 3600000);
		break;
	case 2:
		return end(host, true) && begin(host, error);
	default:
		daemon_is_late(&host->daemon, take(host) * UINT64_C(1000));
		break;
	}
	return true;
}

/* One turn, of one byte or more: what changes, how long it takes. */
static bool live(struct host *host, int *error)
{
	static const uint16_t steps_ms[] = {50,  50,   12,   100,
					    300, 1000, 3000, 10000};
	enum tick_cause cause = TICK_TIMER;
	uint8_t flags = take(host);

	if (flags & 1)
		set_rates(host);
	for (int i = flags >> 1 & 3; i > 0; i--)
		change_slot(host);
	pass(host, steps_ms[flags >> 3 & 7]);
	write_host(host);
	if ((flags >> 6) == 2)
		write_odd(host);
	if ((flags >> 6) == 3 && !happen(host, &cause, error))
		return false;
	return *error || turn(host, cause, error);
}

/* Nobody does anything, for longer than anybody may be frozen. */
static bool calm_down(struct host *host, int *error)
{
	host->memory_share = host->io_share = 0;
	host->in_rate = host->out_rate = 0;
	for (size_t i = 0; i < COUNT(plans); i++)
		host->slots[i].fault_rate = 0, host->slots[i].growth = 0;
	for (int i = 0; i < CALM_TURNS && !*error; i++) {
		pass(host, CALM_STEP_MS);
		write_host(host);
		if (!turn(host, TICK_TIMER, error))
			return false;
	}
	return *error || !schedule_frozen_count(&host->daemon.decider.schedule)
		       ? true
		       : wrong(host, "it is calm, and somebody is frozen", 0);
}

static enum outcome try_ticks(struct span text)
{
	struct host *host = the_host();
	bool is_right;
	int error = 0;

	if (!host->scratch.path[0])
		build(host);
	host->input = text;
	reset(host);
	configure(host);
	write_host(host);
	memset(&host->state, 0, sizeof(host->state));
	memset(&host->daemon, 0, sizeof(host->daemon));
	is_right = begin(host, &error);
	for (int i = 0; i < TURNS_MAX && host->input.length; i++)
		if (is_right && !error)
			is_right = live(host, &error);
	if (is_right && !error)
		is_right = calm_down(host, &error);
	return is_right && end(host, false) ? ACCEPTED : BROKEN;
}

const struct parser hosts[] = {
	{"tick", try_ticks, {NULL}, {NULL}},
	{"cgroups_see_limit",
	 try_cgroups,
	 {"4:cpu,memory:/a\n0::/c\n", "0::/b/c\n", "0::/../a\n", "0::/a/b\n",
	  "7:memory:/link/a\n"},
	 {NULL}},
};

const size_t host_count = COUNT(hosts);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the verdict on hosts that are made up, one sample every 50 ms. */
#include "daemon/detect.h"

#include "tests/tap.h"

#include <string.h>

enum { STEP_MS = 50, SECOND = 1000 / STEP_MS };

/* What happens in each step of a host's life. */
struct life {
	unsigned memory_us, io_us; /* of stall */
	unsigned in, out;          /* pages from and to swap */
	unsigned advised;          /* to swap, by madvise(2) */
	unsigned file;             /* file pages that come back */
	unsigned faults;
	unsigned scanned, for_host; /* pages looked at to make room */
};

struct host {
	struct settings settings;
	struct detector detector;
	struct sample sample;
};

/* A kernel that has everything. */
static void host_begin(struct host *host)
{
	memset(host, 0, sizeof(*host));
	settings_default(&host->settings);
	host->sample = (struct sample){
		.time_us = 1000000,
		.has_memory = true,
		.has_io = true,
		.vmstat = {.has_swap = true,
			   .has_refaults_anon = true,
			   .has_refaults_file = true,
			   .has_scanned = true},
	};
	(void)detect_step(&host->detector, &host->settings, &host->sample);
}

static enum verdict host_step(struct host *host, const struct life *life)
{
	struct sample *sample = &host->sample;

	sample->time_us += STEP_MS * 1000;
	sample->memory.some_us += life->memory_us;
	sample->io.some_us += life->io_us;
	sample->vmstat.swapped_in += life->in;
	sample->vmstat.refaulted_anon += life->in;
	sample->vmstat.swapped_out += life->out + life->advised;
	sample->vmstat.refaulted_file += life->file;
	sample->vmstat.scanned += life->scanned ? life->scanned : life->out;
	sample->vmstat.scanned_for_host += life->for_host;
	sample->vmstat.major_faults += life->faults + life->in;
	return detect_step(&host->detector, &host->settings, sample);
}

/* How many steps until the verdict; steps + 1 if it does not come. */
static int steps_until(struct host *host, const struct life *life,
		       enum verdict verdict, int steps)
{
	for (int i = 1; i <= steps; i++)
		if (host_step(host, life) == verdict)
			return i;
	return steps + 1;
}

static enum verdict host_live(struct host *host, const struct life *life,
			      int steps)
{
	enum verdict verdict = host->detector.verdict;

	for (int i = 0; i < steps; i++)
		verdict = host_step(host, life);
	return verdict;
}

static bool stays_calm(struct host *host, const struct life *life, int seconds)
{
	for (int i = 0; i < seconds * SECOND; i++)
		if (host_step(host, life) != VERDICT_CALM)
			return false;
	return true;
}

static const struct life quiet = {0};
/* Two jobs on a network volume: 0.5 ms a page, always waiting. */
static const struct life thrash = {
	.memory_us = 48000, .io_us = 45000, .in = 90, .out = 90};

static void test_thrash(void)
{
	struct host host;

	host_begin(&host);
	ok(stays_calm(&host, &quiet, 3), "a host without paging is calm");
	is_int(steps_until(&host, &thrash, VERDICT_THRASHING, 20), 2,
	       "thrashing is seen within 100 ms");
	is_int(steps_until(&host, &quiet, VERDICT_CALM, 100), 20,
	       "it is calm a second after the last trouble");
	is_int((int64_t)host.detector.thrash_us_total, 50000,
	       "time spent thrashing is counted from the verdict on");
}

static void test_mild(void)
{
	/* 12 % of the time, for ever */
	static const struct life mild = {
		.memory_us = 6000, .in = 10, .out = 10};
	/* 8 % */
	static const struct life milder = {
		.memory_us = 4000, .in = 10, .out = 10};
	struct host host;

	host_begin(&host);
	(void)stays_calm(&host, &quiet, 2);
	is_int(steps_until(&host, &mild, VERDICT_THRASHING, 40), 17,
	       "a small share of stall must last for a second");
	host_begin(&host);
	ok(stays_calm(&host, &milder, 60),
	   "below the threshold it is calm for ever");
	host.settings.stall_threshold_permille = 50;
	is_int(steps_until(&host, &milder, VERDICT_THRASHING, 1), 1,
	       "the threshold is a setting");
}

/* One of many compilers ends, and the others get their pages back at ease. */
static void test_over(void)
{
	static const struct life relieved = {.io_us = 1000, .in = 60};
	struct host host;

	host_begin(&host);
	(void)host_live(&host, &thrash, SECOND);
	host.detector.page_cost_ns = 0; /* which would be of another disk */
	is_int(steps_until(&host, &relieved, VERDICT_UNSETTLED, 20), 6,
	       "who has not stalled for 300 ms does not thrash any more");
	is_int(host_live(&host, &thrash, 1), VERDICT_THRASHING,
	       "and does again, at the next stall of a tenth of that");
}

static void test_innocent(void)
{
	/* a program of 1 GB comes back from swap, with memory free */
	static const struct life giant = {
		.memory_us = 45000, .io_us = 45000, .in = 90};
	/* a copy of a huge file: waits for the disk, evicts nothing needed */
	static const struct life copy = {.io_us = 50000, .out = 100};
	/* a big program starts: major faults, none of them a refault */
	static const struct life start = {.io_us = 40000, .faults = 50};
	/* a backup keeps the disk busy while a page or two come from swap */
	static const struct life backup = {.io_us = 50000, .in = 0, .out = 9};
	/* memory is filled for the first time, the kernel reclaims */
	static const struct life fill = {.memory_us = 20000, .out = 500};
	struct host host;

	host_begin(&host);
	ok(stays_calm(&host, &giant, 20),
	   "an idle giant that comes back is not thrashing");
	host_begin(&host);
	ok(stays_calm(&host, &copy, 20), "the copy of a file is not thrashing");
	host_begin(&host);
	ok(stays_calm(&host, &start, 20),
	   "the start of a program is not thrashing");
	host_begin(&host);
	ok(stays_calm(&host, &backup, 20), "a busy disk is not thrashing");
	host_begin(&host);
	ok(stays_calm(&host, &fill, 20),
	   "the first filling of memory is not thrashing");
}

static void test_blind_memory_pressure(void)
{
	/* a saturated disk: memory pressure sees 5 %, io pressure 85 % */
	static const struct life blind = {
		.memory_us = 2500, .io_us = 42500, .in = 30, .out = 30};
	/* io stall that swap cannot explain: two pages a second */
	static const struct life other = {.io_us = 50000, .file = 0};
	struct host host;

	host_begin(&host);
	is_int(steps_until(&host, &blind, VERDICT_THRASHING, 20), 2,
	       "io pressure stands in while pages come from swap");
	host_begin(&host);
	(void)host_step(&host, &(struct life){.in = 100, .out = 100});
	(void)host_step(&host, &other);
	is_int((int64_t)host.detector.stall_permille, 0,
	       "io pressure without pages from swap is not ours");
}

static void test_page_cache(void)
{
	static const struct life cache = {.memory_us = 40000,
					  .io_us = 45000,
					  .file = 80,
					  .faults = 80,
					  .scanned = 100};
	/* kswapd frees 10 MB at a time, and sleeps for 1.5 s after it */
	static const struct life burst = {
		.memory_us = 40000, .file = 80, .scanned = 2500};
	/* a program that was used every day is back, and memory is free */
	static const struct life again = {
		.memory_us = 40000, .io_us = 45000, .file = 80, .scanned = 3};
	struct host host;

	host_begin(&host);
	is_int(steps_until(&host, &cache, VERDICT_THRASHING, 20), 2,
	       "file pages that come back thrash a host without swap");
	host_begin(&host);
	(void)host_step(&host, &burst);
	is_int(steps_until(&host, &again, VERDICT_CALM, 2 * SECOND),
	       2 * SECOND + 1, "also where room is made in bursts");
	host_begin(&host);
	ok(stays_calm(&host, &again, 20),
	   "file pages that come back to free memory thrash nothing");
	host.sample.vmstat.has_scanned = false;
	is_int(steps_until(&host, &again, VERDICT_THRASHING, 20), 1,
	       "but on a kernel that does not tell they must count");
}

static void test_page_cost(void)
{
	/* tasks wait for room, and a few pages come in from an SSD */
	static const struct life room = {
		.memory_us = 25000, .io_us = 1000, .in = 10, .out = 500};
	/* compressed memory: pages come at once, nobody waits for a disk */
	static const struct life zram = {
		.memory_us = 9000, .in = 900, .out = 900};
	struct host host;

	host_begin(&host);
	(void)host_live(&host, &thrash, 40);
	is_int((int64_t)host.detector.page_cost_ns, 500000,
	       "the cost of a page is learned: 45 ms for 90 pages");
	(void)host_step(&host, &(struct life){.in = 60, .out = 60});
	is_int((int64_t)host.detector.stall_permille, 600,
	       "and tells stall that no pressure shows: 60 pages, 30 of 50 ms");
	host_begin(&host);
	(void)host_live(&host, &room, 40);
	is_int((int64_t)host.detector.page_cost_ns, 100000,
	       "waiting for room is no cost of a page");
	(void)host_live(&host, &(struct life){.in = 300}, 40);
	is_int((int64_t)host.detector.stall_permille, 600,
	       "so pages that come in later do not seem to stall for long");
	host_begin(&host);
	(void)host_live(&host, &zram, 40);
	is_int((int64_t)host.detector.page_cost_ns, 10000,
	       "without a disk memory pressure alone tells the cost");
}

/* Ten steps of a life, and whose shortage it is then. */
static bool ends_confined(struct host *host, const struct life *life)
{
	(void)host_live(host, life, 10);
	return detect_is_confined(&host->detector);
}

static void test_confined(void)
{
	static const struct {
		struct life life;
		bool is_confined;
		const char *name;
	} rows[] = {
		{{.in = 90, .out = 90, .scanned = 400},
		 true,
		 "a cgroup thrashes at its limit: no concern of the host"},
		{{.in = 90, .out = 90, .scanned = 400, .for_host = 400},
		 false,
		 "the host thrashes: it is"},
		{{.file = 90, .scanned = 400},
		 true,
		 "a cgroup that thrashes its page cache is none either"},
		{{.out = 90, .scanned = 400},
		 true,
		 "nor is one that fills up to its limit"},
		{{.in = 90, .out = 90, .scanned = 400, .for_host = 22},
		 true,
		 "though the host reclaims a little: 220 of 4000 scanned"},
		{{.in = 90, .out = 90, .scanned = 400, .for_host = 45},
		 false,
		 "a quarter of what moves is not little: 450 of 1800"},
		{{.in = 90, .out = 90, .scanned = 90, .for_host = 30},
		 false,
		 "nor a quarter of what is scanned: 300 of 900"},
		{{.in = 90, .out = 90, .scanned = 9000, .for_host = 180},
		 false,
		 "a cgroup that reads files at its limit hides no thrashing"},
		{{.in = 900, .advised = 900},
		 false,
		 "pages moved by advice are nobody's shortage"},
		{{.scanned = 400}, false, "reclaim alone is no shortage"},
	};
	struct host host;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		host_begin(&host);
		ok(ends_confined(&host, &rows[i].life) == rows[i].is_confined,
		   "%s", rows[i].name);
	}
	host_begin(&host);
	host.sample.vmstat.has_scanned = false;
	ok(!ends_confined(&host, &rows[0].life),
	   "a kernel that does not count it tells nothing");
}

static void test_confined_window(void)
{
	static const struct life confined = {
		.in = 90, .out = 90, .scanned = 400};
	static const struct life host_wide = {
		.in = 90, .out = 90, .scanned = 400, .for_host = 400};
	struct host host;

	host_begin(&host);
	ok(!detect_is_confined(&host.detector),
	   "one sample is no shortage of anybody");
	(void)ends_confined(&host, &host_wide);
	is_int(ends_confined(&host, &confined), false,
	       "the host's shortage is not over in half a second");
	(void)host_live(&host, &confined, DETECT_ROOM_MS / STEP_MS - 10);
	ok(detect_is_confined(&host.detector), "but in three");

	/* an hour of quiet, with a trigger: the sample before is old */
	host_begin(&host);
	host.sample.time_us += UINT64_C(3600) * 1000000;
	host.sample.vmstat.scanned += 1000000;
	host.sample.vmstat.scanned_for_host += 1000000;
	(void)host_step(&host, &confined);
	(void)host_step(&host, &confined);
	ok(detect_is_confined(&host.detector),
	   "what the host did while nobody looked is history");
}

static void test_evicting(void)
{
	static const struct life advised = {.memory_us = 48000, .advised = 90};
	static const struct life evicting = {.memory_us = 48000, .out = 90};
	static const struct life reclaimed = {.memory_us = 48000,
					      .scanned = 90};
	static const struct life at_ease = {.out = 90};
	struct host host;

	host_begin(&host);
	(void)host_live(&host, &evicting, SECOND);
	ok(detect_is_evicting(&host.detector) &&
		   detect_is_filling(&host.detector, &host.settings),
	   "who stalls while pages go out fills memory");
	host_begin(&host);
	(void)host_live(&host, &at_ease, SECOND);
	ok(detect_is_evicting(&host.detector) &&
		   !detect_is_filling(&host.detector, &host.settings),
	   "without stall nobody does");
	host_begin(&host);
	(void)host_live(&host, &advised, SECOND);
	ok(!detect_is_evicting(&host.detector) &&
		   !detect_is_filling(&host.detector, &host.settings),
	   "nor by madvise(2), for which no page is looked at");
	host_begin(&host);
	(void)host_live(&host, &reclaimed, SECOND);
	ok(!detect_is_evicting(&host.detector),
	   "nor when pages are looked at, and none goes out");
	host_begin(&host);
	host.sample.vmstat.has_scanned = false;
	(void)host_live(&host, &advised, 2 * SECOND);
	ok(detect_is_evicting(&host.detector),
	   "a kernel that does not tell what it looks at is believed");
	host_begin(&host);
	host.sample.has_memory = false;
	(void)host_live(&host, &evicting, SECOND);
	ok(!detect_is_filling(&host.detector, &host.settings),
	   "and what does not tell stall cannot show who fills memory");
}

/* Pages from swap that the kernel does not count as refaults are new there. */
static void test_counted_refaults(void)
{
	static const struct life writing = {.memory_us = 48000, .out = 90};
	struct host host;

	host_begin(&host);
	for (int i = 0; i < SECOND; i++) {
		host.sample.vmstat.swapped_in += 90;
		(void)host_step(&host, &writing);
	}
	is_int(host.detector.verdict, VERDICT_CALM,
	       "what the kernel counts as coming back decides");
	host_begin(&host);
	host.sample.vmstat.has_refaults_anon = false;
	for (int i = 0; i < SECOND; i++) {
		host.sample.vmstat.swapped_in += 90;
		(void)host_step(&host, &writing);
	}
	is_int(host.detector.verdict, VERDICT_THRASHING,
	       "where it does not count, all that comes in does");
}

/* A kernel's trigger may wake the daemon at any time. */
static void test_many_samples(void)
{
	struct host host;

	host_begin(&host);
	(void)stays_calm(&host, &quiet, 20);
	for (int i = 0; i < 3 * DETECT_HISTORY; i++) {
		host.sample.time_us += 1000;
		host.sample.memory.some_us += 200;
		(void)detect_step(&host.detector, &host.settings, &host.sample);
	}
	is_int((int64_t)detect_stall_permille(&host.detector, 100), 200,
	       "of more samples than are kept the last are right");
	is_int((int64_t)detect_stall_permille(&host.detector, 10000), 2,
	       "and of a longer time, what is known is not too much");
}

/* The same lives on older kernels. */
static void test_without_pressure(void)
{
	struct host host;
	static const struct life in_only = {.in = 200};
	static const struct life few = {.in = 3, .out = 3};

	host_begin(&host);
	host.sample.has_memory = host.sample.has_io = false;
	is_int(steps_until(&host, &thrash, VERDICT_THRASHING, 20), 2,
	       "without pressure, pages in and out decide");
	is_int(host.detector.mode, MODE_SWAP, "that mode is named");
	(void)steps_until(&host, &quiet, VERDICT_CALM, 100);
	ok(stays_calm(&host, &in_only, 5), "pages that only come in do not");
	(void)host_live(&host, &quiet, SECOND);
	ok(stays_calm(&host, &few, 5), "nor do a few both ways");

	host_begin(&host);
	host.settings.uses_psi = false;
	(void)host_step(&host, &quiet);
	is_int(host.detector.mode, MODE_SWAP,
	       "pressure can be switched off by a setting");

	host_begin(&host);
	host.sample.has_memory = host.sample.vmstat.has_swap = false;
	(void)host_step(&host, &quiet);
	is_int(host.detector.mode, MODE_PGMAJFAULT,
	       "without swap counters, major faults are left");
	is_int(steps_until(&host, &(struct life){.faults = 60},
			   VERDICT_THRASHING, 20),
	       2, "and many of them decide");
}

static void test_odd_counters(void)
{
	struct host host;

	host_begin(&host);
	(void)host_live(&host, &thrash, 10);
	host.sample.vmstat.swapped_in = host.sample.memory.some_us = 0;
	host.sample.vmstat.swapped_out = host.sample.io.some_us = 0;
	(void)host_step(&host, &quiet);
	is_int((int64_t)host.detector.stall_permille, 0,
	       "counters that go back are no stall");
	host.sample.memory.some_us += 900000000;
	(void)host_step(&host, &quiet);
	is_int((int64_t)host.detector.stall_permille, 1000,
	       "nobody is stalled for more than all of the time");
	host.sample.time_us -= STEP_MS * 1000;
	(void)host_step(&host, &quiet);
	is_int((int64_t)host.detector.stall_permille, 0,
	       "two samples at the same time are no division by zero");
}

static void test_long_gap(void)
{
	struct host host;

	host_begin(&host);
	host.sample.time_us += UINT64_C(60) * 1000000;
	host.sample.memory.some_us += 3000000;
	host.sample.vmstat.swapped_out += 1000;
	host.sample.vmstat.refaulted_anon += 1000;
	is_int(host_step(&host, &quiet), VERDICT_CALM,
	       "stall in a long sleep is judged by its share of the sleep");
}

int main(void)
{
	test_thrash();
	test_mild();
	test_over();
	test_innocent();
	test_blind_memory_pressure();
	test_page_cache();
	test_page_cost();
	test_confined();
	test_confined_window();
	test_evicting();
	test_counted_refaults();
	test_many_samples();
	test_without_pressure();
	test_odd_counters();
	test_long_gap();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turns samples into a verdict. */
#include "daemon/detect.h"

#include "core/number.h"

/* A counter that went back (it was reset, or wrapped) counts as unmoved. */
static uint64_t grown(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

/* Index of the youngest sample that is at least ms old, or of the oldest. */
static size_t index_before(const struct detector *detector, uint64_t ms)
{
	size_t index = detector->newest;
	uint64_t now_us = detector->history[index].time_us;

	for (size_t i = 1; i < detector->count; i++) {
		index = (detector->newest + DETECT_HISTORY - i) %
			DETECT_HISTORY;
		if (now_us - detector->history[index].time_us >= ms * 1000)
			break;
	}
	return index;
}

/*
 * Stall between two samples, as the largest of three views of it: memory
 * pressure goes blind when the disk is saturated by swap-in (measured: 0-12 %
 * while io pressure is 81-92 %), so io pressure stands in for as much as the
 * pages from swap can explain; and the pages themselves times their learned
 * cost.
 */
static uint64_t stall_between(const struct detector *detector,
			      const struct sample *from,
			      const struct sample *to)
{
	uint64_t pages = grown(from->vmstat.swapped_in, to->vmstat.swapped_in);
	uint64_t memory_us = grown(from->memory.some_us, to->memory.some_us);
	uint64_t io_us = lesser(grown(from->io.some_us, to->io.some_us),
				pages * DETECT_PAGE_COST_MAX_US);
	uint64_t paging_us = pages * detector->page_cost_ns / 1000;

	return lesser(greater(greater(memory_us, io_us), paging_us),
		      grown(from->time_us, to->time_us));
}

/*
 * A moving average over the intervals in which memory pressure does see.  It
 * sees tasks that wait for room too, who wait for no disk (measured: 1.4 ms a
 * page on an SSD whose pages take 30 us); only swap without a disk has no io.
 */
static void learn_page_cost(struct detector *detector,
			    const struct settings *settings,
			    const struct sample *from, const struct sample *to)
{
	uint64_t pages = grown(from->vmstat.swapped_in, to->vmstat.swapped_in);
	uint64_t memory_us = grown(from->memory.some_us, to->memory.some_us);
	uint64_t io_us = grown(from->io.some_us, to->io.some_us);
	uint64_t time_us = grown(from->time_us, to->time_us);

	if (pages < DETECT_LEAST_PAGES ||
	    memory_us * 1000 < time_us * settings->stall_threshold_permille)
		return;

	uint64_t waited_us =
		lesser(lesser(memory_us, time_us), io_us ? io_us : time_us);
	uint64_t cost_ns = waited_us * 1000 / pages;

	detector->page_cost_ns =
		detector->page_cost_ns
			? (detector->page_cost_ns * 7 + cost_ns) / 8
			: cost_ns;
}

/* The oldest sample that is at most ms old; the newest without another. */
static const struct sample *sample_since(const struct detector *detector,
					 uint64_t ms)
{
	const struct sample *newest = &detector->history[detector->newest];
	const struct sample *since = newest;

	for (size_t i = 1; i < detector->count; i++) {
		const struct sample *sample =
			&detector->history[(detector->newest + DETECT_HISTORY -
					    i) %
					   DETECT_HISTORY];

		if (newest->time_us - sample->time_us > ms * 1000)
			break;
		since = sample;
	}
	return since;
}

uint64_t detect_stall_permille(const struct detector *detector, uint64_t ms)
{
	size_t from = index_before(detector, ms), to = detector->newest;
	uint64_t stalled_us =
		detector->stalled_us[to] - detector->stalled_us[from];
	uint64_t time_us = greater(grown(detector->history[from].time_us,
					 detector->history[to].time_us),
				   ms * 1000);

	return stalled_us * 1000 / time_us;
}

bool detect_is_evicting(const struct detector *detector)
{
	const struct vmstat *to = &detector->history[detector->newest].vmstat;
	const struct vmstat *from =
		&detector->history[index_before(detector, DETECT_WINDOW_MS)]
			 .vmstat;

	/* madvise(2), ours too, moves pages out without any shortage */
	return grown(from->swapped_out, to->swapped_out) >=
		       DETECT_LEAST_PAGES &&
	       (!from->has_scanned || !to->has_scanned ||
		grown(from->scanned, to->scanned) >= DETECT_LEAST_PAGES);
}

/*
 * The host's part is compared to both, as either alone may come from others:
 * a cgroup that reads files at its limit makes much room and moves nothing,
 * and madvise(2), the daemon's own too, moves pages without making room.
 */
bool detect_is_confined(const struct detector *detector)
{
	const struct vmstat *to = &detector->history[detector->newest].vmstat;
	const struct vmstat *from =
		&sample_since(detector, DETECT_ROOM_MS)->vmstat;
	uint64_t host = grown(from->scanned_for_host, to->scanned_for_host);
	uint64_t moved = grown(from->refaulted_anon, to->refaulted_anon) +
			 grown(from->refaulted_file, to->refaulted_file) +
			 grown(from->swapped_out, to->swapped_out);

	return from->has_scanned && to->has_scanned &&
	       host * DETECT_ROOM_SHARE <
		       lesser(moved, grown(from->scanned, to->scanned));
}

/* File pages that come back to memory that is free were evicted long ago. */
static bool is_room_made_for_files(const struct detector *detector)
{
	const struct vmstat *to = &detector->history[detector->newest].vmstat;
	const struct vmstat *from =
		&sample_since(detector, DETECT_ROOM_MS)->vmstat;

	return !from->has_scanned || !to->has_scanned ||
	       grown(from->scanned, to->scanned) * DETECT_ROOM_SHARE >=
		       grown(from->refaulted_file, to->refaulted_file);
}

/*
 * Whether evicted pages come back.  The kernel counts every page from swap as
 * a refault, also that of a big idle program that wakes up, so pages must go
 * out as well: then memory is short.  File pages are evicted without going
 * anywhere, so for them room must be made.
 */
static bool has_refaults(const struct detector *detector)
{
	const struct vmstat *to = &detector->history[detector->newest].vmstat;
	const struct vmstat *from =
		&detector->history[index_before(detector, DETECT_WINDOW_MS)]
			 .vmstat;
	uint64_t in = to->has_refaults_anon
			      ? grown(from->refaulted_anon, to->refaulted_anon)
			      : grown(from->swapped_in, to->swapped_in);

	if (in >= DETECT_LEAST_PAGES && detect_is_evicting(detector))
		return true;
	return to->has_refaults_file &&
	       grown(from->refaulted_file, to->refaulted_file) >=
		       DETECT_LEAST_FILE_PAGES &&
	       is_room_made_for_files(detector);
}

static bool is_over_swap_threshold(const struct detector *detector,
				   const struct settings *settings)
{
	const struct vmstat *to = &detector->history[detector->newest].vmstat;
	const struct vmstat *from =
		&detector->history[index_before(detector, DETECT_COUNT_MS)]
			 .vmstat;
	/* lesser(): the product must not overflow */
	uint64_t in =
		lesser(grown(from->swapped_in, to->swapped_in), UINT32_MAX);
	uint64_t out =
		lesser(grown(from->swapped_out, to->swapped_out), UINT32_MAX);

	return in * out >=
	       settings->swap_page_threshold * settings->swap_page_threshold;
}

static bool is_over_fault_threshold(const struct detector *detector,
				    const struct settings *settings)
{
	const struct sample *to = &detector->history[detector->newest];
	const struct sample *from =
		&detector->history[index_before(detector, DETECT_COUNT_MS)];

	return grown(from->vmstat.major_faults, to->vmstat.major_faults) >=
	       settings->major_fault_threshold;
}

static bool is_stalled(const struct detector *detector,
		       const struct settings *settings)
{
	uint64_t permille = settings->stall_threshold_permille;
	uint64_t acute_permille = lesser(permille * DETECT_ACUTE_FACTOR,
					 DETECT_ACUTE_MAX_PERMILLE);

	return (detect_stall_permille(detector, DETECT_WINDOW_MS) >= permille &&
		detect_stall_permille(detector, DETECT_STILL_MS) >= permille) ||
	       detect_stall_permille(detector, DETECT_ACUTE_MS) >=
		       acute_permille;
}

bool detect_is_filling(const struct detector *detector,
		       const struct settings *settings)
{
	return detector->mode == MODE_PSI && detect_is_evicting(detector) &&
	       is_stalled(detector, settings);
}

static bool is_thrashing(const struct detector *detector,
			 const struct settings *settings)
{
	switch (detector->mode) {
	case MODE_SWAP:
		return is_over_swap_threshold(detector, settings);
	case MODE_PGMAJFAULT:
		return is_over_fault_threshold(detector, settings);
	case MODE_PSI:
		break;
	}
	return is_stalled(detector, settings) && has_refaults(detector);
}

static enum verdict judge(struct detector *detector,
			  const struct settings *settings, uint64_t now_us)
{
	if (is_thrashing(detector, settings)) {
		detector->trouble_us = now_us;
		return VERDICT_THRASHING;
	}
	if (detector->verdict != VERDICT_CALM &&
	    now_us - detector->trouble_us < settings->calm_ms * 1000)
		return VERDICT_UNSETTLED;
	return VERDICT_CALM;
}

static enum detect_mode mode_of(const struct settings *settings,
				const struct sample *sample)
{
	if (settings->uses_psi && sample->has_memory)
		return MODE_PSI;
	return sample->vmstat.has_swap ? MODE_SWAP : MODE_PGMAJFAULT;
}

static void add_sample(struct detector *detector,
		       const struct settings *settings,
		       const struct sample *sample)
{
	size_t before = detector->newest;
	const struct sample *last = &detector->history[before];
	size_t slot = (before + 1) % DETECT_HISTORY;
	uint64_t stall_us = 0, time_us = grown(last->time_us, sample->time_us);

	if (detector->count) {
		stall_us = stall_between(detector, last, sample);
		learn_page_cost(detector, settings, last, sample);
		if (detector->verdict == VERDICT_THRASHING)
			detector->thrash_us_total += time_us;
	}
	detector->stall_permille = time_us ? stall_us * 1000 / time_us : 0;
	detector->stalled_us[slot] = detector->stalled_us[before] + stall_us;
	detector->history[slot] = *sample;
	detector->newest = slot;
	if (detector->count < DETECT_HISTORY)
		detector->count++;
}

enum verdict detect_step(struct detector *detector,
			 const struct settings *settings,
			 const struct sample *sample)
{
	enum detect_mode mode = mode_of(settings, sample);

	if (mode != detector->mode) {
		detector->count = 0; /* the sources cannot be compared */
		detector->mode = mode;
	}
	add_sample(detector, settings, sample);
	detector->verdict = judge(detector, settings, sample->time_us);
	return detector->verdict;
}

uint64_t detect_stall_us_total(const struct detector *detector)
{
	return detector->stalled_us[detector->newest];
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_CALM] = "calm",
		[VERDICT_UNSETTLED] = "unsettled",
		[VERDICT_THRASHING] = "thrashing",
	};

	return names[verdict];
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decision PROC: how long the daemon's decisions take, over the
 * processes in PROC, while the samples say that the host thrashes.  Prints
 * lines of "name value": times in us, of wall clock and of CPU; nobody is
 * frozen.
 */
#include "core/file.h"
#include "daemon/decide.h"
#include "daemon/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 100, TURN_US = 50000 };

struct cost {
	uint64_t wall_us, cpu_us;
};

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct cost cost_now(void)
{
	return (struct cost){clock_us(CLOCK_MONOTONIC),
			     clock_us(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Half of the time is stalled, and pages go out and come back. */
static struct sample thrashing_sample(uint64_t time_us, uint64_t turn)
{
	struct sample sample = {.time_us = time_us, .has_memory = true};

	sample.memory.some_us = turn * TURN_US / 2;
	sample.vmstat.has_swap = true;
	sample.vmstat.has_refaults_anon = true;
	sample.vmstat.swapped_in = turn * 100;
	sample.vmstat.swapped_out = turn * 100;
	sample.vmstat.refaulted_anon = turn * 100;
	return sample;
}

/* How many of whom nothing was known before. */
static unsigned judge(struct decider *decider, struct facts *facts)
{
	const struct process_table *now = &decider->census.now;

	facts_begin(facts);
	for (size_t i = now->count; i-- > 0;) {
		struct role_moment moment =
			decide_moment(decider, &now->rows[i]);
		bool is_new;

		if (decide_wants_judgement(decider, &now->rows[i]))
			facts_judge(facts, &now->rows[i], &moment, &is_new);
	}
	return FACTS_READS - facts->reads_left;
}

/* One turn as the daemon does it, but for its own jobs and what it writes. */
static bool decide(struct decider *decider, struct facts *facts,
		   struct orders *orders, const struct sample *sample,
		   unsigned *judged)
{
	bool has_looked = false;
	struct process *process;
	size_t at = 0;

	(void)decide_verdict(decider, sample);
	if (decide_wants_look(decider)) {
		has_looked = census_scan(decide_look(decider)) == 0;
		while ((process = decide_next_of_interest(decider, &at))) {
			(void)process_read_memory(facts->proc, process);
			decide_note_claim(decider, process);
		}
		*judged = judge(decider, facts);
	}
	decide_orders(decider, has_looked, orders);
	return has_looked;
}

static int by_wall(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;

	return (x->wall_us > y->wall_us) - (x->wall_us < y->wall_us);
}

static void print(const char *name, uint64_t value)
{
	printf("%s %" PRIu64 "\n", name, value);
}

static int report(struct cost *costs, size_t count)
{
	uint64_t most_cpu_us = 0, cpu_us = 0;

	if (!count)
		return EXIT_FAILURE;
	for (size_t i = 0; i < count; i++) {
		cpu_us += costs[i].cpu_us;
		if (costs[i].cpu_us > most_cpu_us)
			most_cpu_us = costs[i].cpu_us;
	}
	print("first_wall_us", costs[0].wall_us);
	print("first_cpu_us", costs[0].cpu_us);
	qsort(costs, count, sizeof(*costs), by_wall);
	print("median_wall_us", costs[count / 2].wall_us);
	print("p95_wall_us", costs[count * 95 / 100].wall_us);
	print("max_wall_us", costs[count - 1].wall_us);
	print("mean_cpu_us", cpu_us / count);
	print("max_cpu_us", most_cpu_us);
	print("looks", count);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct settings settings;
	static struct decider decider;
	static struct orders orders;
	static struct facts facts;
	static struct cost costs[TURNS];
	int proc = argc == 2 ? directory_open(argv[1]) : -1;
	size_t looks = 0, unread_looks = 0;
	unsigned judged = 0, all_judged = 0;

	if (proc < 0 || census_open(&decider.census, proc, getpid())) {
		fprintf(stderr, "usage: decision PROC\n");
		return EXIT_FAILURE;
	}
	(void)setpriority(PRIO_PROCESS, 0, -20); /* as the daemon does */
	settings_default(&settings);
	decider.settings = &settings;
	decider.self = getpid();
	facts_open(&facts, proc, &settings, getpid());
	for (uint64_t turn = 1; turn <= TURNS; turn++) {
		struct sample sample =
			thrashing_sample(clock_us(CLOCK_BOOTTIME), turn);
		struct cost before = cost_now(), after;

		if (decide(&decider, &facts, &orders, &sample, &judged)) {
			after = cost_now();
			costs[looks++] =
				(struct cost){after.wall_us - before.wall_us,
					      after.cpu_us - before.cpu_us};
			unread_looks += decider.census.unread != 0;
			all_judged += judged;
		}
		(void)usleep(TURN_US);
	}
	print("looks_until_all_seen", unread_looks + 1);
	print("processes", decider.census.count);
	print("judged_per_look", looks ? all_judged / looks : 0);
	facts_close(&facts);
	census_close(&decider.census);
	return report(costs, looks);
}

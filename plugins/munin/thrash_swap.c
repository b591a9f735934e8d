/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Munin plugin: traffic from and to swap. */
#include "plugins/munin/munin.h"

#include <errno.h>
#include <unistd.h>

#define INFO                                                                   \
	"Traffic in one direction puts memory to better use. Traffic in both " \
	"directions at the same time, for long, is thrashing."

#define FIELDS(FIELD)                                                  \
	FIELD(IN, "in", "Bytes read from swap.", .label = "in",        \
	      .type = "DERIVE", .is_hidden = true)                     \
	FIELD(OUT, "out", "Bytes written to swap.", .label = "in/out", \
	      .type = "DERIVE", .negative = "in")

MUNIN_PLUGIN("thrash_swap", "traffic from and to swap", "Linux.", INFO, FIELDS);

/* No field has a maximum: the peaks are what this graph is for. */
static void put(const struct vmstat *vmstat, struct munin_value *values)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

	munin_put(&values[IN], true, vmstat->swapped_in * page_bytes);
	munin_put(&values[OUT], true, vmstat->swapped_out * page_bytes);
}

static int fetch(const struct munin_host *host, struct munin_value *values,
		 struct problem *problem)
{
	struct vmstat vmstat;
	int error = munin_read_vmstat(host, &vmstat, problem);

	if (error)
		return error;
	if (!vmstat.has_swap)
		return problem_set(problem, -ENOENT,
				   "vmstat: this kernel has no swap");
	put(&vmstat, values);
	return 0;
}

static void recall(const struct history_record *record,
		   const struct sample *sample, struct munin_value *values)
{
	(void)record;
	if (sample->vmstat.has_swap)
		put(&sample->vmstat, values);
}

int main(int argc, char **argv)
{
	static const struct munin_graph graph = {
		.title = "Swap traffic",
		.args = "--base 1024",
		.vlabel = "bytes per ${graph_period} in (-) / out (+)",
		.category = "memory",
		.info = INFO,
		.fields = munin_fields,
		.count = MUNIN_COUNT,
		.fetch = fetch,
		.recall = recall,
	};

	return munin_main(argc, argv, &graph);
}

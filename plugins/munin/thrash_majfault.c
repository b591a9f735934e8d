/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Munin plugin: page faults that had to wait for a disk, and refaults. */
#include "plugins/munin/munin.h"

#define INFO                                                                  \
	"Major faults alone are also program starts; together with refaults " \
	"they mean that memory holds less than what is in use."

#define FIELDS(FIELD)                                                       \
	FIELD(MAJOR_FAULT, "pgmajfault",                                    \
	      "Page faults that had to wait for a disk.",                   \
	      .label = "major faults", .type = "DERIVE")                    \
	FIELD(REFAULT_ANON, "refault_anon",                                 \
	      "Pages of programs that were needed again soon after they "   \
	      "went to swap. Since Linux 5.9.",                             \
	      .label = "refaults, programs", .type = "DERIVE",              \
	      .is_optional = true)                                          \
	FIELD(REFAULT_FILE, "refault_file",                                 \
	      "Pages of files that were needed again soon after they were " \
	      "dropped. Before Linux 5.9 of programs, too.",                \
	      .label = "refaults, files", .type = "DERIVE",                 \
	      .is_optional = true)

MUNIN_PLUGIN("thrash_majfault", "major page faults and refaults",
	     "Linux. Refaults are there since Linux 3.15.", INFO, FIELDS);

static void put(const struct vmstat *vmstat, struct munin_value *values)
{
	munin_put(&values[MAJOR_FAULT], true, vmstat->major_faults);
	munin_put(&values[REFAULT_ANON], vmstat->has_refaults_anon,
		  vmstat->refaulted_anon);
	munin_put(&values[REFAULT_FILE], vmstat->has_refaults_file,
		  vmstat->refaulted_file);
}

static int fetch(const struct munin_host *host, struct munin_value *values,
		 struct problem *problem)
{
	struct vmstat vmstat;
	int error = munin_read_vmstat(host, &vmstat, problem);

	if (!error)
		put(&vmstat, values);
	return error;
}

static void recall(const struct history_record *record,
		   const struct sample *sample, struct munin_value *values)
{
	(void)record;
	put(&sample->vmstat, values);
}

int main(int argc, char **argv)
{
	static const struct munin_graph graph = {
		.title = "Major page faults",
		.args = "--base 1000 -l 0",
		.vlabel = "pages per ${graph_period}",
		.category = "memory",
		.info = INFO,
		.fields = munin_fields,
		.count = MUNIN_COUNT,
		.fetch = fetch,
		.recall = recall,
	};

	return munin_main(argc, argv, &graph);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Munin plugin: time lost to waiting for memory, and spent thrashing. */
#include "plugins/munin/munin.h"

#include "core/file.h"
#include "core/pressure.h"

#define INFO                                                                  \
	"The share of time in which tasks could not run because they waited " \
	"for memory or for a disk. In full thrash the disk has most of it."

#define FIELDS(FIELD)                                                          \
	FIELD(MEMORY_SOME, "memory_some", "Some task waited for memory.",      \
	      .label = "memory, some", .type = "DERIVE", .is_optional = true)  \
	FIELD(MEMORY_FULL, "memory_full", "All busy tasks waited for memory.", \
	      .label = "memory, full", .type = "DERIVE", .is_optional = true)  \
	FIELD(IO_SOME, "io_some", "Some task waited for a disk.",              \
	      .label = "io, some", .type = "DERIVE", .is_optional = true)      \
	FIELD(IO_FULL, "io_full", "All busy tasks waited for a disk.",         \
	      .label = "io, full", .type = "DERIVE", .is_optional = true)      \
	FIELD(THRASHING, "thrashing", "thrash-protect saw the host thrash.",   \
	      .label = "thrashing", .type = "DERIVE")

MUNIN_PLUGIN("thrash_stall", "time lost to waiting for memory",
	     "Linux with pressure stall information (since 4.20, and not "
	     "started with psi=0) or with thrash-protect. While that is not "
	     "running, the time spent thrashing is unknown.",
	     INFO, FIELDS);

/* One hundredth of a second per second is one percent. */
enum { PERCENT_US = 10000 };

/* values are those of "some" and "full". */
static void put(struct munin_value values[2], bool has,
		const struct pressure *pressure)
{
	munin_put(&values[0], has, pressure->some_us / PERCENT_US);
	munin_put(&values[1], has, pressure->full_us / PERCENT_US);
}

/* psi=0 lets the read fail. */
static int put_pressure(const struct munin_host *host, const char *name,
			struct munin_value values[2], struct problem *problem)
{
	char buffer[PRESSURE_SIZE];
	struct pressure pressure = {0};
	struct span text;
	bool has = file_read_at(host->proc, name, buffer, sizeof(buffer),
				&text) == 0;
	int error = has ? pressure_parse(text, &pressure) : 0;

	if (error)
		return problem_set(problem, error, "%s is malformed", name);
	put(values, has, &pressure);
	return 0;
}

static int fetch(const struct munin_host *host, struct munin_value *values,
		 struct problem *problem)
{
	struct state state;
	int error = put_pressure(host, "pressure/memory", &values[MEMORY_SOME],
				 problem);

	if (!error)
		error = put_pressure(host, "pressure/io", &values[IO_SOME],
				     problem);
	if (!error && munin_read_state(host, &state, problem) == 0)
		munin_put(&values[THRASHING], true,
			  state.thrash_us_total / PERCENT_US);
	return error;
}

static int find_use(const struct munin_host *host, struct problem *problem)
{
	struct munin_value memory[2] = {0};
	struct problem no_state;
	int error = put_pressure(host, "pressure/memory", memory, problem);

	if (error || memory[0].presence == MUNIN_KNOWN)
		return error;
	error = munin_find_state(host, &no_state);
	return error ? problem_set(problem, error,
				   "no pressure information, and %s",
				   no_state.text)
		     : 0;
}

static void recall(const struct history_record *record,
		   const struct sample *sample, struct munin_value *values)
{
	put(&values[MEMORY_SOME], sample->has_memory, &sample->memory);
	put(&values[IO_SOME], sample->has_io, &sample->io);
	munin_put(&values[THRASHING], true,
		  record->thrash_us_total / PERCENT_US);
}

int main(int argc, char **argv)
{
	static const struct munin_graph graph = {
		.title = "Time lost to waiting for memory",
		.args = "--base 1000 -l 0",
		.vlabel = "% of time",
		.category = "memory",
		.info = INFO,
		.is_unscaled = true,
		.fields = munin_fields,
		.count = MUNIN_COUNT,
		.fetch = fetch,
		.recall = recall,
		.autoconf = find_use,
	};

	return munin_main(argc, argv, &graph);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Munin plugin: what thrash-protect freezes, how often and for how long. */
#include "plugins/munin/munin.h"

#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define INFO                                                                 \
	"While the host thrashes, thrash-protect freezes some processes so " \
	"that the others get their work done, and lets them take turns."

#define FIELDS(FIELD)                                                      \
	FIELD(FREEZES, "freezes", "Processes frozen per second.",          \
	      .label = "freezes per second", .type = "DERIVE")             \
	FIELD(THAWS, "thaws", "Processes thawed per second.",              \
	      .label = "thaws per second", .type = "DERIVE")               \
	FIELD(FROZEN, "frozen", "Processes frozen now; alerts name them.", \
	      .label = "frozen now", .type = "GAUGE")                      \
	FIELD(LONGEST, "longest", "Seconds that one of them is frozen.",   \
	      .label = "longest, seconds", .type = "GAUGE",                \
	      .is_thousandths = true)                                      \
	FIELD(AVERAGE, "average", "Process-seconds frozen per second.",    \
	      .label = "frozen on average", .type = "DERIVE")

MUNIN_PLUGIN("thrash_freezes", "what thrash-protect freezes",
	     "Linux with thrash-protect. While it is not running all values "
	     "are unknown, and alerts say why.",
	     INFO, FIELDS);

/* "1234 make 1.5 s, 99 tmux:_server 0.3 s"; the last ones may be left out. */
static void name_frozen(struct state *state, uint64_t age_ms, char *text)
{
	/* for one entry, or for the last words */
	enum { ROOM = 64, FULL = MUNIN_EXTINFO - 2 * ROOM };
	size_t used = 0;

	for (uint64_t i = 0; i < state->frozen_processes; i++) {
		struct state_frozen *frozen = &state->frozen[i];
		uint64_t frozen_ms = frozen->frozen_ms + age_ms;

		if (used > FULL) {
			(void)snprintf(text + used, ROOM,
				       " and %" PRIu64 " more",
				       state->frozen_processes - i);
			return;
		}
		munin_make_word(frozen->command);
		used += (size_t)snprintf(
			text + used, ROOM, "%s%d %s %" PRIu64 ".%" PRIu64 " s",
			i ? ", " : "", (int)frozen->pid, frozen->command,
			frozen_ms / 1000, frozen_ms % 1000 / 100);
	}
}

static int fetch(const struct munin_host *host, struct munin_value *values,
		 struct problem *problem)
{
	struct state state;
	int error = munin_read_state(host, &state, problem);

	if (error)
		return munin_is_absence(error) ? 0 : error;

	/* a change is published at once: who was frozen then still is */
	uint64_t now_ms = clock_boottime_us() / 1000;
	uint64_t age_ms =
		now_ms > state.boottime_ms ? now_ms - state.boottime_ms : 0;

	munin_put(&values[FREEZES], true, state.freezes_total);
	munin_put(&values[THAWS], true, state.thaws_total);
	munin_put(&values[FROZEN], true, state.frozen_processes);
	munin_put(&values[LONGEST], true,
		  state.frozen_processes ? state.longest_frozen_ms + age_ms
					 : 0);
	munin_put(&values[AVERAGE], true, state.frozen_us_total / 1000000);
	name_frozen(&state, age_ms, values[FROZEN].extinfo);
	return 0;
}

static void recall(const struct history_record *record,
		   const struct sample *sample, struct munin_value *values)
{
	(void)sample;
	munin_put(&values[FREEZES], true, record->freezes_total);
	munin_put(&values[THAWS], true, record->thaws_total);
	munin_put(&values[FROZEN], true, record->frozen_processes);
	munin_put(&values[LONGEST], true, record->longest_frozen_ms);
	munin_put(&values[AVERAGE], true, record->frozen_us_total / 1000000);
}

int main(int argc, char **argv)
{
	static const struct munin_graph graph = {
		.title = "Processes frozen by thrash-protect",
		.args = "--base 1000 -l 0",
		.vlabel = "processes; per ${graph_period}; seconds",
		.category = "processes",
		.info = INFO,
		.is_unscaled = true,
		.fields = munin_fields,
		.count = MUNIN_COUNT,
		.fetch = fetch,
		.recall = recall,
		.autoconf = munin_find_state,
	};

	return munin_main(argc, argv, &graph);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a history as a daemon would have:
 *
 *	chronicler RUN_DIR PROC <<END
 *	record AGO_S VERDICT FROZEN LONGEST_MS LACKED_KIB LACKED_MS
 *STALL_PERMILLE FREEZES MAJOR_FAULTS SWAPPED_IN STALLED_US THRASH_US freeze
 *AGO_S PID FROZEN_MS COMMAND END
 *
 * each in one line, the oldest first.  FROZEN_MS is - for one that is frozen
 * still.  The daemon began to count with the first record, or with a line
 * "restart".
 */
#include "core/clock.h"
#include "core/history.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(struct span *line)
{
	uint64_t value = 0;

	(void)span_to_u64(span_word(line), &value);
	return value;
}

static struct history_record read_record(struct span line, uint64_t now_ms,
					 uint64_t *started_ms)
{
	struct history_record record = {
		.boottime_ms = now_ms - 1000 * number(&line),
		.flags = HISTORY_HAS_SWAP | HISTORY_HAS_MEMORY |
			 HISTORY_HAS_REFAULTS_FILE,
	};

	if (!*started_ms)
		*started_ms = record.boottime_ms;
	record.started_ms = *started_ms;
	record.verdict = (uint8_t)number(&line);
	record.frozen_processes = (uint16_t)number(&line);
	record.longest_frozen_ms = (uint32_t)number(&line);
	record.lacked_kib = (uint32_t)number(&line);
	record.lacked_ms = (uint32_t)number(&line);
	record.stall_permille = (uint16_t)number(&line);
	record.freezes_total = number(&line);
	record.major_faults = number(&line);
	record.swapped_in = number(&line);
	record.memory_some_us = number(&line);
	record.thrash_us_total = number(&line);
	return record;
}

static struct history_freeze read_freeze(struct span line, uint64_t now_ms)
{
	struct history_freeze freeze = {
		.boottime_ms = now_ms - 1000 * number(&line),
		.memory_kib = 262144,
		.class = "batch",
		.method = "signal",
		.reason = "there is no room for it",
	};
	struct span frozen;

	freeze.pid = (int32_t)number(&line);
	freeze.start_time = (uint64_t)freeze.pid;
	frozen = span_word(&line);
	freeze.is_over = !span_equals(frozen, "-");
	freeze.frozen_ms = (uint32_t)number(&frozen);
	(void)text_unescape(line, freeze.command, sizeof(freeze.command));
	return freeze;
}

/* Whether the line could be written. */
static bool write_line(const struct history *history, struct span line,
		       uint64_t now_ms, uint64_t *started_ms)
{
	struct span kind = span_word(&line);

	if (span_equals(kind, "record")) {
		const struct history_record record =
			read_record(line, now_ms, started_ms);

		return history_add(history, &record) == 0;
	}
	if (span_equals(kind, "freeze")) {
		struct history_freeze freeze = read_freeze(line, now_ms);

		freeze.sequence = history_last_freeze(history) + 1;
		return history_write_freeze(history, &freeze) == 0;
	}
	*started_ms = 0;
	return span_equals(kind, "restart");
}

int main(int argc, char **argv)
{
	uint64_t now_ms = clock_boottime_us() / 1000, started_ms = 0;
	struct history history;
	struct problem problem;
	char line[256];
	int directory, proc;

	if (argc != 3)
		return 2;
	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	proc = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || proc < 0 ||
	    history_open_own(&history, directory, proc, &problem) != 0)
		return EXIT_FAILURE;
	while (fgets(line, sizeof(line), stdin)) {
		struct span rest = span_of(line);

		if (!write_line(&history, span_line(&rest), now_ms,
				&started_ms))
			return EXIT_FAILURE;
	}
	history_close(&history);
	return EXIT_SUCCESS;
}

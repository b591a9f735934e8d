/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the history. */
#include "daemon/chronicle.h"

#include "core/clock.h"
#include "core/number.h"
#include "daemon/capacity.h"
#include "daemon/publish.h"

#include <stdio.h>
#include <string.h>

void chronicle_clear(struct chronicle *chronicle)
{
	chronicle->directory = chronicle->proc = -1;
	chronicle->history.file = -1;
}

/* Tells an error when it is new, and when it is over. */
static void tell(struct chronicle *chronicle, int error, const char *why,
		 struct log *log)
{
	if (error && error != chronicle->error)
		log_warning(log, "no history is kept: %s", why);
	if (!error && chronicle->error)
		log_info(log, "history: written again");
	chronicle->error = error;
}

static void open_file(struct chronicle *chronicle, struct log *log)
{
	struct problem problem;
	int error = history_open_own(&chronicle->history, chronicle->directory,
				     chronicle->proc, &problem);

	if (error) {
		tell(chronicle, error, problem.text, log);
		return;
	}
	if (problem.text[0])
		log_warning(log, "the history is begun anew: %s", problem.text);
	chronicle->last_freeze = history_last_freeze(&chronicle->history);
	/* whoever is frozen still is written down in this one as well */
	chronicle->count = 0;
}

void chronicle_open(struct chronicle *chronicle, int directory, int proc,
		    struct log *log)
{
	chronicle->directory = directory;
	chronicle->proc = proc;
	open_file(chronicle, log);
}

void chronicle_close(struct chronicle *chronicle)
{
	history_close(&chronicle->history);
	chronicle->directory = -1;
}

static struct chronicle_row *find_row(struct chronicle *chronicle,
				      const struct frozen *frozen)
{
	for (size_t i = 0; i < chronicle->count; i++)
		if (chronicle->rows[i].pid == frozen->pid &&
		    chronicle->rows[i].start_time == frozen->start_time)
			return &chronicle->rows[i];
	return NULL;
}

/* Who is frozen without an order is so for the sake of another. */
static const struct order *find_order(const struct orders *orders,
				      const struct frozen *frozen)
{
	for (size_t i = 0; i < orders->count; i++)
		if (order_freezes(&orders->items[i]) &&
		    orders->items[i].process.pid == frozen->pid)
			return &orders->items[i];
	return NULL;
}

static uint32_t clamp(uint64_t value)
{
	return (uint32_t)lesser(value, UINT32_MAX);
}

/* What does not fit is cut. */
static void put_text(char *field, size_t size, const char *text)
{
	(void)snprintf(field, size, "%s", text);
}

/* A freeze begins. */
static int note_freeze(struct chronicle *chronicle, const struct frozen *frozen,
		       const struct orders *orders)
{
	const struct order *order = find_order(orders, frozen);
	struct history_freeze freeze = {
		.pid = frozen->pid,
		.start_time = frozen->start_time,
		.boottime_ms = frozen->since_us / 1000,
		.sequence = chronicle->last_freeze + 1,
	};
	int error;

	if (order)
		freeze.memory_kib = clamp(process_memory_kib(&order->process));
	put_text(freeze.command, sizeof(freeze.command), frozen->command);
	put_text(freeze.class, sizeof(freeze.class),
		 publish_class_name(frozen));
	put_text(freeze.method, sizeof(freeze.method),
		 freeze_method_name((enum freeze_method)frozen->method));
	put_text(freeze.reason, sizeof(freeze.reason),
		 order                ? order->reason
		 : frozen->is_ordered ? ""
				      : "its child is frozen");
	error = history_write_freeze(&chronicle->history, &freeze);
	if (!error)
		chronicle->last_freeze++;
	chronicle->rows[chronicle->count++] = (struct chronicle_row){
		frozen->pid, frozen->start_time, error ? 0 : freeze.sequence};
	return error;
}

/* It is over. */
static int note_thaw(const struct chronicle *chronicle,
		     const struct chronicle_row *row, uint64_t now_us)
{
	struct history_freeze freeze;

	if (!history_find_freeze(&chronicle->history, row->sequence, &freeze))
		return 0; /* long ago */
	freeze.is_over = 1;
	freeze.frozen_ms = clamp(now_us / 1000 -
				 lesser(now_us / 1000, freeze.boottime_ms));
	return history_write_freeze(&chronicle->history, &freeze);
}

/* By what the freezer's table has now and did not have, and the contrary. */
static int note_freezes(struct chronicle *chronicle,
			const struct freezer *freezer,
			const struct orders *orders, uint64_t now_us)
{
	const struct frozen *frozen = NULL;
	int error = 0;

	for (size_t i = chronicle->count; i-- > 0;) {
		const struct chronicle_row *row = &chronicle->rows[i];

		if (freezer_find(freezer, row->pid, row->start_time))
			continue;

		int failed = note_thaw(chronicle, row, now_us);

		chronicle->rows[i] = chronicle->rows[--chronicle->count];
		error = error ? error : failed;
	}
	while ((frozen = freezer_next(freezer, frozen))) {
		if (find_row(chronicle, frozen) ||
		    chronicle->count == STATE_FROZEN)
			continue;

		int failed = note_freeze(chronicle, frozen, orders);

		error = error ? error : failed;
	}
	return error;
}

static uint64_t longest_ms(const struct freezer *freezer, uint64_t now_us)
{
	const struct frozen *frozen = NULL;
	uint64_t longest_us = 0;

	while ((frozen = freezer_next(freezer, frozen)))
		longest_us = greater(longest_us, now_us - frozen->since_us);
	return longest_us / 1000;
}

static uint8_t verdict_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_CALM:
		break;
	case VERDICT_UNSETTLED:
		return HISTORY_UNSETTLED;
	case VERDICT_THRASHING:
		return HISTORY_THRASHING;
	}
	return HISTORY_CALM;
}

/* This turn, as if nothing had been before. */
static struct history_record describe(const struct chronicle *chronicle,
				      const struct decider *decider,
				      const struct freezer *freezer,
				      uint64_t now_us)
{
	const struct detector *detector = &decider->detector;
	const struct schedule *schedule = &decider->schedule;
	size_t frozen = freezer_count(freezer);
	bool is_calm = detector->verdict == VERDICT_CALM && !frozen;
	uint64_t lacked_kib = is_calm ? 0 : capacity_lacked_kib(schedule);
	struct history_record record = {
		.lacked_kib = clamp(lacked_kib),
		.boottime_ms = now_us / 1000,
		.started_ms = chronicle->started_ms,
		.thrash_us_total = detector->thrash_us_total,
		.frozen_us_total = schedule_frozen_us_total(schedule, now_us),
		.freezes_total = schedule->freezes_total,
		.thaws_total = schedule->thaws_total,
		.longest_frozen_ms = clamp(longest_ms(freezer, now_us)),
		.frozen_processes = (uint16_t)frozen,
		.stall_permille =
			(uint16_t)lesser(detector->stall_permille, 1000),
		.verdict = verdict_of(detector->verdict),
	};

	if (lacked_kib) {
		record.lacked_ms = clamp((now_us - chronicle->turn_us) / 1000);
		if (schedule->is_confined)
			record.flags = HISTORY_IS_CONFINED;
	}
	history_set_sample(&record, decide_sample(decider));
	return record;
}

/* It may have been removed, renamed or cut: then there is a new one. */
static void keep_file(struct chronicle *chronicle, struct log *log)
{
	if (history_is_there(&chronicle->history, chronicle->directory))
		return;
	history_close(&chronicle->history);
	open_file(chronicle, log);
}

/* Trouble is written down in time, however seldom the state file is. */
static bool is_due(const struct chronicle *chronicle, uint64_t now_us)
{
	return chronicle->pending.verdict != HISTORY_CALM &&
	       has_passed(chronicle->written_us, HISTORY_FINE_MS, now_us);
}

void chronicle_turn(struct chronicle *chronicle, const struct decider *decider,
		    const struct freezer *freezer, const struct orders *orders,
		    uint64_t now_us, bool is_published, struct log *log)
{
	struct history_record record;
	int error, lost;

	if (chronicle->directory < 0 || !decider->detector.count)
		return;
	if (!chronicle->started_ms)
		chronicle->started_ms = now_us / 1000;
	if (!chronicle->turn_us)
		chronicle->turn_us = now_us;
	record = describe(chronicle, decider, freezer, now_us);
	history_merge(&chronicle->pending, &record);
	chronicle->turn_us = now_us;
	if (!is_published && !is_due(chronicle, now_us))
		return;
	keep_file(chronicle, log);
	chronicle->written_us = now_us;
	if (chronicle->history.file < 0)
		return;
	/* that somebody is frozen or thawed is always published */
	lost = note_freezes(chronicle, freezer, orders, now_us);
	error = history_add(&chronicle->history, &chronicle->pending);
	if (!error)
		chronicle->pending = (struct history_record){.boottime_ms = 0};
	else
		lost = error;
	tell(chronicle, lost, strerror(-lost), log);
}

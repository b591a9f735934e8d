/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One result of a check: as it waits in a file of the queue, and as each kind
 * of receiver wants it.
 */
#ifndef THRASH_NAGIOS_PUSH_RESULT_H
#define THRASH_NAGIOS_PUSH_RESULT_H

#include "plugins/nagios/push_settings.h"

enum {
	PUSH_DETAILS = 4096,
	PUSH_RESULT_SIZE = 8192, /* of its file, at most */
	PUSH_LATE_SECONDS = 10,  /* from then on the receiver is told when */
};

struct push_result {
	enum push_kind kind;
	enum nagios_status status;
	bool is_change;           /* of the status; else it is a heartbeat */
	uint64_t time_s;          /* since 1970, when it was seen */
	char output[NAGIOS_LINE]; /* "FROZEN OK: nothing is frozen" */
	char metrics[NAGIOS_METRICS];
	char details[PUSH_DETAILS]; /* lines */
};

/* Fits into PUSH_RESULT_SIZE bytes, always. */
struct span push_result_format(const struct push_result *result,
			       char buffer[PUSH_RESULT_SIZE]);

/* -EINVAL for anything else than what was written. */
int push_result_parse(struct span text, struct push_result *result);

/* The body of a request; now_s: since 1970. */
void push_result_print_icinga2(const struct push_result *result,
			       const struct push_settings *settings,
			       uint64_t now_s, FILE *stream);
void push_result_print_nrdp(const struct push_result *result,
			    const struct push_settings *settings,
			    uint64_t now_s, FILE *stream);

/* As in a URL or a form: all but letters, digits and -_.~ as %XX. */
void push_print_encoded(const char *text, FILE *stream);

enum push_verdict {
	PUSH_TAKEN,
	PUSH_REFUSED, /* this result will never be taken */
	PUSH_FAILED,  /* another time it may */
};

/*
 * Judges an answer by the code of HTTP and its own: who is asked by mistake,
 * such as a page where one has to log in, answers 200 as well.
 */
enum push_verdict push_answer_judge(enum push_receiver receiver, long http,
				    struct span answer);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests by HTTP, one at a time to each of two receivers, while the caller
 * goes on.  The only user of libcurl.
 */
#ifndef THRASH_NAGIOS_PUSH_WIRE_H
#define THRASH_NAGIOS_PUSH_WIRE_H

#include "plugins/nagios/push_settings.h"

enum push_line {
	PUSH_MONITORING,
	PUSH_GATEWAY,
	PUSH_LINES,
};

struct push_request {
	const char *url;
	const char *type; /* of the body */
	char *body;       /* from malloc(); becomes the wire's */
	size_t size;
	bool replaces; /* PUT, not POST */
};

struct push_answer {
	enum push_line line;
	long code;         /* of HTTP; 0: there was no answer */
	int error;         /* then what was wrong, as a number, and ... */
	struct span text;  /* the first 4 KiB of it, until the next request */
	char problem[256]; /* ... for a person */
};

struct push_wire;

/* NULL without memory; settings must outlive it. */
struct push_wire *push_wire_open(const struct push_settings *settings);
void push_wire_close(struct push_wire *wire);

bool push_wire_is_busy(const struct push_wire *wire, enum push_line line);

/* Begins a request on a line that is not busy. */
int push_wire_send(struct push_wire *wire, enum push_line line,
		   const struct push_request *request);

/* Until something happens, there or on a descriptor, or time is up. */
void push_wire_wait(struct push_wire *wire, const int *descriptors,
		    size_t count, int timeout_ms);

/* Takes the next answer; false: there is none yet. */
bool push_wire_next(struct push_wire *wire, struct push_answer *answer);

#endif

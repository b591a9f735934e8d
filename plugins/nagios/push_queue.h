/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waits to be sent, oldest first: a file for each result, in a directory
 * that is nobody else's.  It is bounded: to make room the oldest result of the
 * same service goes, never the newest of any.  A heartbeat takes the place of
 * one that still waits.  When the disk is full what waits is held in memory.
 */
#ifndef THRASH_NAGIOS_PUSH_QUEUE_H
#define THRASH_NAGIOS_PUSH_QUEUE_H

#include "plugins/nagios/push_result.h"

struct push_entry {
	uint64_t number; /* rises; the name of its file */
	uint16_t bytes;
	uint8_t kind; /* enum push_kind */
	bool is_change;
	char *text; /* owned; NULL: it is in its file */
};

struct push_queue {
	int directory;              /* owned */
	struct push_entry *entries; /* owned; by rising number */
	size_t count, count_max;
	uint64_t bytes, bytes_max;
	uint64_t next_number;
	uint64_t superseded; /* results that had to go */
};

/*
 * Makes the directory if it is not there, with mode 0700, and takes what
 * waits in it; -errno with *problem: -EPERM when others may look into it,
 * -EWOULDBLOCK when another process has it.
 */
int push_queue_open(struct push_queue *queue, const char *path,
		    size_t count_max, uint64_t bytes_max,
		    struct problem *problem);

/* What is held in memory is written, if the disk now takes it. */
void push_queue_close(struct push_queue *queue);

/* 0 also when it had to be held in memory: then -errno is in *disk. */
int push_queue_add(struct push_queue *queue, const struct push_result *result,
		   int *disk);

/* The number of the oldest; 0: nothing waits. */
uint64_t push_queue_first(const struct push_queue *queue);

/*
 * -ENOENT without it, -EINVAL when its file is not what was written, any other
 * -errno when it cannot be read at this time.
 */
int push_queue_read(const struct push_queue *queue, uint64_t number,
		    struct push_result *result);

/* Whether the newest that waits of its kind has the status of *result. */
bool push_queue_has_status(const struct push_queue *queue,
			   const struct push_result *result);

/* One that is not there any more is well. */
void push_queue_remove(struct push_queue *queue, uint64_t number);

#endif

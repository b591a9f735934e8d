/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel says about paging at one moment: the only input of
 * detection.  A recording is a file of samples and processes, one a line; it
 * replays a real host in a test.
 */
#ifndef THRASH_CORE_SAMPLE_H
#define THRASH_CORE_SAMPLE_H

#include "core/pressure.h"
#include "core/vmstat.h"

struct sample {
	uint64_t time_us; /* of the caller's clock */
	struct vmstat vmstat;
	struct pressure memory, io;
	bool has_memory, has_io; /* there is such pressure information */
};

/* The files stay open between samples: a sample is three reads. */
struct sampler {
	int vmstat, memory, io; /* descriptors, owned; -1: not on this host */
};

/* proc is a directory descriptor; -errno when there is no vmstat. */
int sampler_open(struct sampler *sampler, int proc);
void sampler_close(struct sampler *sampler);

/*
 * Reads the counters; 0, or -errno when vmstat cannot be read or any file is
 * malformed.  A pressure file that exists and cannot be read (EOPNOTSUPP: the
 * kernel was booted with psi=0) counts as absent.
 */
int sampler_read(const struct sampler *sampler, uint64_t now_us,
		 struct sample *sample);

/*
 * Whether no task has stalled for memory since the last sample: then the other
 * counters need not be read yet, which is most of a sample's cost (measured:
 * vmstat 27 us, a pressure file 3 us; after a sleep, with cold caches, 50 and
 * 20 us).  Memory comes first: in a thrash its stall can stand still for
 * seconds while that for the disk grows, but a thrash begins with reclaim.
 * False where the kernel does not tell.
 */
bool sampler_is_still(const struct sampler *sampler, const struct sample *last);

/* Opens, reads and closes, for programs that look once. */
int sample_read(int proc, uint64_t now_us, struct sample *sample);

enum { SAMPLE_LINE = 352 };

/*
 * One line without its newline:
 *   sample TIME_US IN OUT MAJOR ANON FILE MEMORY_SOME MEMORY_FULL IO_SOME
 *   IO_FULL SCANNED SCANNED_FOR_HOST FREE
 * with "-" for what the host does not have; older recordings lack the last, or
 * the last three.
 */
void sample_format(const struct sample *sample, char line[SAMPLE_LINE]);
int sample_parse(struct span line, struct sample *sample);

#endif

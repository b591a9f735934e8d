/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes samples from /proc, and reads and writes them as lines of text. */
#include "core/sample.h"

#include "core/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int sampler_open(struct sampler *sampler, int proc)
{
	sampler->vmstat = file_open_at(proc, "vmstat");
	if (sampler->vmstat < 0)
		return sampler->vmstat;
	sampler->memory = file_open_at(proc, "pressure/memory");
	sampler->io = file_open_at(proc, "pressure/io");
	return 0;
}

void sampler_close(struct sampler *sampler)
{
	const int files[] = {sampler->vmstat, sampler->memory, sampler->io};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i] >= 0)
			(void)close(files[i]);
}

static int read_pressure(int file, struct pressure *pressure, bool *has)
{
	char buffer[PRESSURE_SIZE];
	struct span text;

	*has = file >= 0 &&
	       file_read_piece(file, buffer, sizeof(buffer), &text) == 0;
	return *has ? pressure_parse(text, pressure) : 0;
}

int sampler_read(const struct sampler *sampler, uint64_t now_us,
		 struct sample *sample)
{
	char buffer[VMSTAT_SIZE];
	struct span text;
	int error = file_read(sampler->vmstat, buffer, sizeof(buffer), &text);

	*sample = (struct sample){.time_us = now_us};
	if (!error)
		error = vmstat_parse(text, &sample->vmstat);
	if (!error)
		error = read_pressure(sampler->memory, &sample->memory,
				      &sample->has_memory);
	if (!error)
		error = read_pressure(sampler->io, &sample->io,
				      &sample->has_io);
	return error;
}

bool sampler_is_still(const struct sampler *sampler, const struct sample *last)
{
	struct pressure now = {0};
	bool has;

	return last->has_memory &&
	       read_pressure(sampler->memory, &now, &has) == 0 && has &&
	       now.some_us == last->memory.some_us &&
	       now.full_us == last->memory.full_us;
}

int sample_read(int proc, uint64_t now_us, struct sample *sample)
{
	struct sampler sampler;
	int error = sampler_open(&sampler, proc);

	if (error)
		return error;
	error = sampler_read(&sampler, now_us, sample);
	sampler_close(&sampler);
	return error;
}

enum { COLUMNS = 15 };

void sample_format(const struct sample *sample, char line[SAMPLE_LINE])
{
	const struct vmstat *vm = &sample->vmstat;
	const struct {
		uint64_t value;
		bool known;
	} columns[COLUMNS] = {
		{sample->time_us, true},
		{vm->swapped_in, vm->has_swap},
		{vm->swapped_out, vm->has_swap},
		{vm->major_faults, true},
		{vm->refaulted_anon, vm->has_refaults_anon},
		{vm->refaulted_file, vm->has_refaults_file},
		{sample->memory.some_us, sample->has_memory},
		{sample->memory.full_us, sample->has_memory},
		{sample->io.some_us, sample->has_io},
		{sample->io.full_us, sample->has_io},
		{vm->scanned, vm->has_scanned},
		{vm->scanned_for_host, vm->has_scanned},
		{vm->free, vm->has_free},
		{vm->evicted, vm->has_evicted},
		{vm->usable, vm->has_usable},
	};
	size_t used = (size_t)snprintf(line, SAMPLE_LINE, "sample");

	for (size_t i = 0; i < COLUMNS; i++) {
		char *at = line + used;
		size_t room = SAMPLE_LINE - used;

		used += (size_t)(columns[i].known
					 ? snprintf(at, room, " %" PRIu64,
						    columns[i].value)
					 : snprintf(at, room, " -"));
	}
}

/* A column that this host may lack: "-", or a number. */
static int parse_column(struct span *line, uint64_t *value, bool *known)
{
	struct span word = span_word(line);

	*value = 0;
	*known = !span_equals(word, "-");
	return *known ? span_to_u64(word, value) : 0;
}

/* Two columns that a host has both, or neither. */
static int parse_pair(struct span *line, uint64_t *first, uint64_t *second,
		      bool *has)
{
	bool has_second = false;
	int error = parse_column(line, first, has);

	if (!error)
		error = parse_column(line, second, &has_second);
	return !error && *has != has_second ? -EINVAL : error;
}

int sample_parse(struct span line, struct sample *sample)
{
	struct sample parsed = {0};
	struct vmstat *vm = &parsed.vmstat;
	struct pressure *memory = &parsed.memory, *io = &parsed.io;

	if (!span_equals(span_word(&line), "sample") ||
	    span_to_u64(span_word(&line), &parsed.time_us) ||
	    parse_pair(&line, &vm->swapped_in, &vm->swapped_out,
		       &vm->has_swap) ||
	    span_to_u64(span_word(&line), &vm->major_faults) ||
	    parse_column(&line, &vm->refaulted_anon, &vm->has_refaults_anon) ||
	    parse_column(&line, &vm->refaulted_file, &vm->has_refaults_file) ||
	    parse_pair(&line, &memory->some_us, &memory->full_us,
		       &parsed.has_memory) ||
	    parse_pair(&line, &io->some_us, &io->full_us, &parsed.has_io))
		return -EINVAL;
	/* older recordings end here, or after the next two, or three */
	if (line.length && parse_pair(&line, &vm->scanned,
				      &vm->scanned_for_host, &vm->has_scanned))
		return -EINVAL;
	if (line.length && parse_column(&line, &vm->free, &vm->has_free))
		return -EINVAL;
	if (line.length &&
	    (parse_column(&line, &vm->evicted, &vm->has_evicted) ||
	     parse_column(&line, &vm->usable, &vm->has_usable)))
		return -EINVAL;
	if (line.length)
		return -EINVAL;
	*sample = parsed;
	return 0;
}

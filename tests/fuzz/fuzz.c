/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The entry of libFuzzer, for every target: FUZZ_TARGET in the environment is
 * the name of one; without it, all names are printed.  FUZZ_SEEDS is an empty
 * directory, where the texts that the target begins from are put.
 */
#include "tests/fuzz/host.h"
#include "tests/scratch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const struct parser *targets;
	const size_t *count;
} tables[] = {
	{parsers, &parser_count},
	{hosts, &host_count},
};

static void print_names(void)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (size_t j = 0; j < *tables[i].count; j++)
			printf("%s\n", tables[i].targets[j].name);
}

static const struct parser *find_target(const char *name)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (size_t j = 0; j < *tables[i].count; j++)
			if (strcmp(tables[i].targets[j].name, name) == 0)
				return &tables[i].targets[j];
	return NULL;
}

/* Looked up once: an input takes microseconds. */
static const struct parser *chosen(void)
{
	static const struct parser *target;
	const char *name = getenv("FUZZ_TARGET");

	if (!target && name)
		target = find_target(name);
	return target;
}

static void write_seeds(const struct parser *target, const char *path)
{
	static char room[PARSER_SEEDS][PARSER_TEXT];
	struct span seeds[PARSER_SEEDS];
	int directory = need(open(path, O_RDONLY | O_DIRECTORY), path);
	size_t count = parser_seeds(target, room, seeds);

	for (size_t i = 0; i < count; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "seed-%zu", i);
		scratch_write(directory, name, seeds[i].start, seeds[i].length,
			      0644);
	}
	(void)close(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *seeds = getenv("FUZZ_SEEDS");

	(void)argc, (void)argv;
	if (!chosen()) {
		print_names();
		exit(getenv("FUZZ_TARGET") ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	if (seeds)
		write_seeds(chosen(), seeds);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct parser *target = chosen();
	/* the bytes lie in memory that ends where they do */
	const struct span text = {(const char *)data, size};

	if (target && target->try(text) == BROKEN) {
		(void)fprintf(stderr, "a promise of %s is broken\n",
			      target->name);
		abort();
	}
	return 0;
}

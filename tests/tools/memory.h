/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that a small program fills and touches, to be short of it. */
#ifndef THRASH_TESTS_TOOLS_MEMORY_H
#define THRASH_TESTS_TOOLS_MEMORY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	MEMORY_PAGE = 4096,
	MEMORY_WORDS = MEMORY_PAGE / sizeof(uint64_t), /* of a page */
	MEMORY_PAGES_PER_MB = 256,
};

#define MEMORY_SEED UINT64_C(88172645463325252)

struct memory {
	uint64_t *words;
	size_t pages;
	uint64_t random; /* the last number; never 0 */
};

/* xorshift: cheap, and nothing compresses it */
static inline uint64_t memory_random(struct memory *memory)
{
	memory->random ^= memory->random << 13;
	memory->random ^= memory->random >> 7;
	memory->random ^= memory->random << 17;
	return memory->random;
}

/* Empty; or the program ends. */
static inline void memory_map(struct memory *memory, size_t megabytes)
{
	size_t bytes = megabytes * MEMORY_PAGES_PER_MB * MEMORY_PAGE;

	memory->pages = bytes / MEMORY_PAGE;
	memory->words = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory->words == MAP_FAILED) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	/* a huge page would come and go as one: nothing to thrash with */
	(void)madvise(memory->words, bytes, MADV_NOHUGEPAGE);
}

static inline void memory_fill(struct memory *memory, size_t from, size_t pages)
{
	for (size_t i = from * MEMORY_WORDS; i < (from + pages) * MEMORY_WORDS;
	     i++)
		memory->words[i] = memory_random(memory);
}

/* One page, with the random numbers of somebody's own. */
static inline uint64_t *memory_any(const struct memory *memory,
				   struct memory *own)
{
	return &memory->words[memory_random(own) % memory->pages *
			      MEMORY_WORDS];
}

#endif

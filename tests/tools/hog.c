/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hog MB SECONDS [PATTERN]
 *
 * Fills MB of private memory with what does not compress, touches its pages
 * for SECONDS (0: until it is killed; "5000t": as many times instead) and
 * prints "done N", N being how many pages it has touched.
 *
 * PATTERN is random (every page alike, the default) or grow (it lets go of
 * its memory again and again and fills it anew, a megabyte every 10 ms).
 */
#include "tests/tools/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

enum {
	MB_MAX = 1 << 20,
	/* Touches between two looks at the clock; one may take 10 ms. */
	TOUCHES = 16,
	GROW_PAUSE_NS = 10000000,
	EXIT_USAGE = 2,
};

struct hog {
	struct memory memory;
	uint64_t touched;
	uint64_t touches;  /* to do; 0: until the time is over */
	uint64_t until_ms; /* 0: for ever */
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_done(const struct hog *hog)
{
	if (hog->touches)
		return hog->touched >= hog->touches;
	return hog->until_ms && clock_ms() >= hog->until_ms;
}

static void touch_at_random(struct hog *hog)
{
	memory_fill(&hog->memory, 0, hog->memory.pages);
	while (!is_done(hog))
		for (int i = 0; i < TOUCHES; i++, hog->touched++)
			(*memory_any(&hog->memory, &hog->memory))++;
}

static void grow(struct hog *hog)
{
	const struct timespec pause = {.tv_nsec = GROW_PAUSE_NS};
	struct memory *memory = &hog->memory;

	for (size_t page = 0; !is_done(hog); page += MEMORY_PAGES_PER_MB) {
		if (page == memory->pages) {
			(void)madvise(memory->words,
				      memory->pages * MEMORY_PAGE,
				      MADV_DONTNEED);
			page = 0;
		}
		memory_fill(memory, page, MEMORY_PAGES_PER_MB);
		hog->touched += MEMORY_PAGES_PER_MB;
		(void)nanosleep(&pause, NULL);
	}
}

/* A whole number up to max, and what follows it. */
static bool parse_number(const char *text, uint64_t max, uint64_t *number,
			 char **rest)
{
	errno = 0;
	*number = strtoumax(text, rest, 10);
	return *rest != text && *text != '-' && !errno && *number <= max;
}

/* "30" seconds or "5000t" touches */
static bool parse_work(struct hog *hog, const char *text)
{
	uint64_t number;
	char *rest;

	if (!parse_number(text, UINT32_MAX, &number, &rest))
		return false;
	if (strcmp(rest, "t") == 0)
		hog->touches = number;
	else if (number)
		hog->until_ms = clock_ms() + number * 1000;
	return strcmp(rest, "t") == 0 ? number > 0 : *rest == '\0';
}

int main(int argc, char **argv)
{
	const char *pattern = argc > 3 ? argv[3] : "random";
	bool grows = strcmp(pattern, "grow") == 0;
	struct hog hog = {.memory = {.random = MEMORY_SEED}};
	uint64_t megabytes;
	char *rest;

	if (argc < 3 || argc > 4 ||
	    !(grows || strcmp(pattern, "random") == 0) ||
	    !parse_number(argv[1], MB_MAX, &megabytes, &rest) || *rest ||
	    !megabytes || !parse_work(&hog, argv[2])) {
		(void)fputs("usage: hog MB SECONDS|TOUCHESt [random|grow]\n",
			    stderr);
		return EXIT_USAGE;
	}
	memory_map(&hog.memory, megabytes);
	if (grows)
		grow(&hog);
	else
		touch_at_random(&hog);
	printf("done %" PRIu64 "\n", hog.touched);
	return EXIT_SUCCESS;
}

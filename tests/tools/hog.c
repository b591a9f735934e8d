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
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
	PAGE = 4096,
	WORDS = PAGE / sizeof(uint64_t),
	PAGES_PER_MB = 256,
	MB_MAX = 1 << 20,
	/* Touches between two looks at the clock; one may take 10 ms. */
	TOUCHES = 16,
	GROW_PAUSE_NS = 10000000,
	EXIT_USAGE = 2,
};

struct hog {
	uint64_t *memory;
	size_t pages;
	uint64_t random;
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

/* xorshift: cheap, and nothing compresses it */
static uint64_t next_random(struct hog *hog)
{
	hog->random ^= hog->random << 13;
	hog->random ^= hog->random >> 7;
	hog->random ^= hog->random << 17;
	return hog->random;
}

static void fill(struct hog *hog, size_t from, size_t pages)
{
	for (size_t word = from * WORDS; word < (from + pages) * WORDS; word++)
		hog->memory[word] = next_random(hog);
}

static bool is_done(const struct hog *hog)
{
	if (hog->touches)
		return hog->touched >= hog->touches;
	return hog->until_ms && clock_ms() >= hog->until_ms;
}

static void touch_at_random(struct hog *hog)
{
	fill(hog, 0, hog->pages);
	while (!is_done(hog))
		for (int i = 0; i < TOUCHES; i++, hog->touched++)
			hog->memory[next_random(hog) % hog->pages * WORDS]++;
}

static void grow(struct hog *hog)
{
	const struct timespec pause = {.tv_nsec = GROW_PAUSE_NS};

	for (size_t page = 0; !is_done(hog); page += PAGES_PER_MB) {
		if (page == hog->pages) {
			(void)madvise(hog->memory, hog->pages * PAGE,
				      MADV_DONTNEED);
			page = 0;
		}
		fill(hog, page, PAGES_PER_MB);
		hog->touched += PAGES_PER_MB;
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
	struct hog hog = {.random = 88172645463325252u};
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
	hog.pages = megabytes * PAGES_PER_MB;
	hog.memory = mmap(NULL, hog.pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hog.memory == MAP_FAILED) {
		perror("hog: mmap");
		return EXIT_FAILURE;
	}
	/* a huge page would come and go as one: nothing to thrash with */
	(void)madvise(hog.memory, hog.pages * PAGE, MADV_NOHUGEPAGE);
	if (grows)
		grow(&hog);
	else
		touch_at_random(&hog);
	printf("done %" PRIu64 "\n", hog.touched);
	return EXIT_SUCCESS;
}

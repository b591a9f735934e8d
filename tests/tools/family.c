/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * family CHILDREN MB SHARED_MB ROUNDS
 *
 * A process group of its own, as a shell makes one of each job: a parent that
 * fills SHARED_MB and forks CHILDREN, which share that and fill MB each.  Then
 * they work in ROUNDS: each child touches its pages, and nobody begins the next
 * round before all have ended the last, so that one that is frozen holds up
 * all.  Prints "done N", N being how many rounds its children have done.
 */
#include "tests/tools/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MB_MAX = 1 << 16,
	CHILDREN_MAX = 64,
	ROUNDS_MAX = 1 << 20,
	TOUCHES = 20000, /* of a child in a round */
	EXIT_USAGE = 2,
};

struct child {
	pid_t pid;
	int go, done; /* pipes, owned by the parent */
};

static struct memory memory_filled(size_t megabytes, uint64_t random)
{
	struct memory memory = {.random = random};

	if (megabytes) {
		memory_map(&memory, megabytes);
		memory_fill(&memory, 0, memory.pages);
	}
	return memory;
}

/* Writes what is its own, and reads what is shared. */
static uint64_t work(struct memory *own, const struct memory *shared)
{
	uint64_t sum = 0;

	for (int i = 0; i < TOUCHES; i++) {
		(*memory_any(own, own))++;
		if (shared->words)
			sum += *memory_any(shared, own);
	}
	return sum;
}

static bool pass(int file)
{
	return write(file, "", 1) == 1;
}

static bool await(int file)
{
	char byte;

	return read(file, &byte, 1) == 1;
}

static int be_child(size_t megabytes, const struct memory *shared,
		    uint64_t random, int go, int done)
{
	struct memory own = memory_filled(megabytes, random);
	uint64_t sum = 0;

	while (await(go)) {
		sum += work(&own, shared);
		if (!pass(done))
			break;
	}
	return sum == 1; /* never; but it must be worked out */
}

static bool fork_child(struct child *child, size_t megabytes,
		       const struct memory *shared, uint64_t random)
{
	int go[2], done[2];

	if (pipe(go) || pipe(done))
		return false;
	child->pid = fork();
	if (child->pid == 0) {
		(void)close(go[1]);
		(void)close(done[0]);
		_exit(be_child(megabytes, shared, random, go[0], done[1]));
	}
	(void)close(go[0]);
	(void)close(done[1]);
	child->go = go[1];
	child->done = done[0];
	return child->pid > 0;
}

static bool run_round(const struct child *children, size_t count)
{
	bool is_good = true;

	for (size_t i = 0; i < count; i++)
		is_good &= pass(children[i].go);
	for (size_t i = 0; i < count; i++)
		is_good &= await(children[i].done);
	return is_good;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *rest;

	*number = strtoumax(text, &rest, 10);
	return *text >= '0' && *text <= '9' && !*rest && *number <= max;
}

int main(int argc, char **argv)
{
	struct child children[CHILDREN_MAX];
	uint64_t count, megabytes, shared_megabytes, rounds, done = 0;

	if (argc != 5 || !parse_number(argv[1], CHILDREN_MAX, &count) ||
	    !parse_number(argv[2], MB_MAX, &megabytes) || !count ||
	    !megabytes || !parse_number(argv[3], MB_MAX, &shared_megabytes) ||
	    !parse_number(argv[4], ROUNDS_MAX, &rounds)) {
		(void)fputs("usage: family CHILDREN MB SHARED_MB ROUNDS\n",
			    stderr);
		return EXIT_USAGE;
	}
	(void)setpgid(0, 0);

	struct memory shared = memory_filled(shared_megabytes, MEMORY_SEED);

	for (size_t i = 0; i < count; i++)
		if (!fork_child(&children[i], megabytes, &shared,
				shared.random + i + 1)) {
			perror("family: fork");
			return EXIT_FAILURE;
		}
	while (done < rounds * count && run_round(children, count))
		done += count;
	for (size_t i = 0; i < count; i++)
		(void)close(children[i].go);
	while (wait(NULL) > 0)
		;
	printf("done %" PRIu64 "\n", done);
	return EXIT_SUCCESS;
}

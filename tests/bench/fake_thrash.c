/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_thrash make DIRECTORY COUNT: a /proc tree of a calm host with COUNT
 * quiet processes, and two that can thrash.
 *
 * fake_thrash run DIRECTORY STATE_FILE SECONDS: lets them thrash for so long,
 * while a daemon watches that tree.  Prints reaction_ms, the time until its
 * state file says that somebody is frozen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	HOGS = 2,
	FIRST_HOG = 30001, /* their pids: the youngest, as it mostly is */
	FIRST_QUIET = 2,
	HOG_PAGES = 50000,
	QUIET_PAGES = 1000,
	STEP_MS = 5,
	TEXT = 512,
};

struct tree {
	int directory;
	int vmstat, memory, io, hogs[HOGS]; /* files, written in place */
};

static void die(const char *what)
{
	fprintf(stderr, "fake_thrash: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A text is always as long as before: no reader ever sees half of it. */
__attribute__((format(printf, 2, 3))) static void put(int file,
						      const char *format, ...)
{
	char text[TEXT];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (pwrite(file, text, (size_t)length, 0) != length)
		die("write");
}

static int open_in(const struct tree *tree, const char *name)
{
	int file = openat(tree->directory, name, O_RDWR | O_CREAT, 0644);

	if (file < 0)
		die(name);
	return file;
}

static void put_stat(int file, int pid, unsigned faults, unsigned pages)
{
	put(file,
	    "%d (x) S 1 %d %d 0 -1 4194304 0 0 %08u 0 0 0 0 0 20 0 1 0 777 0 "
	    "%u 0 0\n",
	    pid, pid, pid, faults, pages);
}

/* What has happened after so many ms of thrashing. */
static void put_counters(const struct tree *tree, uint64_t ms)
{
	unsigned n = (unsigned)ms;

	put(tree->vmstat,
	    "pgmajfault %010u\npswpin %010u\npswpout %010u\n"
	    "workingset_refault_anon %010u\nworkingset_refault_file 0\n",
	    2 * n, 2 * n, 2 * n, 2 * n);
	put(tree->memory,
	    "some avg10=0.00 avg60=0.00 avg300=0.00 total=%012u\n"
	    "full avg10=0.00 avg60=0.00 avg300=0.00 total=%012u\n",
	    900 * n, 500 * n);
	put(tree->io,
	    "some avg10=0.00 avg60=0.00 avg300=0.00 total=%012u\n"
	    "full avg10=0.00 avg60=0.00 avg300=0.00 total=%012u\n",
	    900 * n, 500 * n);
	for (int i = 0; i < HOGS; i++)
		put_stat(tree->hogs[i], FIRST_HOG + i, 100 + n, HOG_PAGES);
}

static int open_stat(const struct tree *tree, int pid)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%d", pid);
	if (mkdirat(tree->directory, path, 0755) != 0 && errno != EEXIST)
		die(path);
	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	return open_in(tree, path);
}

static void open_tree(struct tree *tree, const char *path)
{
	(void)mkdir(path, 0755);
	tree->directory = open(path, O_RDONLY | O_DIRECTORY);
	if (tree->directory < 0)
		die(path);
	(void)mkdirat(tree->directory, "pressure", 0755);
	tree->vmstat = open_in(tree, "vmstat");
	tree->memory = open_in(tree, "pressure/memory");
	tree->io = open_in(tree, "pressure/io");
	for (int i = 0; i < HOGS; i++)
		tree->hogs[i] = open_stat(tree, FIRST_HOG + i);
}

static void put_status(const struct tree *tree, int pid)
{
	char path[32];
	int file;

	(void)snprintf(path, sizeof(path), "%d/status", pid);
	file = open_in(tree, path);
	put(file, "Name:\tx\nVmSwap:\t    1024 kB\n");
	(void)close(file);
}

static void make(const struct tree *tree, int count)
{
	put_counters(tree, 0);
	for (int i = 0; i < HOGS; i++)
		put_status(tree, FIRST_HOG + i);
	for (int i = 0; i < count; i++) {
		int pid = FIRST_QUIET + i;
		int file = open_stat(tree, pid);

		put_stat(file, pid, 5, QUIET_PAGES);
		(void)close(file);
		put_status(tree, pid);
	}
}

static bool is_anybody_frozen(const char *path)
{
	char text[8192];
	int file = open(path, O_RDONLY);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);

	if (file >= 0)
		(void)close(file);
	if (length < 0)
		return false;
	text[length] = '\0';
	return strstr(text, "\nfrozen_processes ") &&
	       !strstr(text, "\nfrozen_processes 0\n");
}

static int run(const struct tree *tree, const char *state, uint64_t seconds)
{
	uint64_t begin = clock_ms(), reaction = 0, passed = 0;

	while (passed < seconds * 1000) {
		const struct timespec step = {.tv_nsec = STEP_MS * 1000000};

		put_counters(tree, passed);
		if (!reaction && is_anybody_frozen(state))
			reaction = passed;
		(void)nanosleep(&step, NULL);
		passed = clock_ms() - begin;
	}
	if (!reaction)
		return EXIT_FAILURE;
	printf("reaction_ms %llu\n", (unsigned long long)reaction);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct tree tree;

	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		open_tree(&tree, argv[2]);
		make(&tree, (int)strtol(argv[3], NULL, 10));
		return EXIT_SUCCESS;
	}
	if (argc == 5 && strcmp(argv[1], "run") == 0) {
		open_tree(&tree, argv[2]);
		return run(&tree, argv[3], strtoull(argv[4], NULL, 10));
	}
	fprintf(stderr,
		"usage: fake_thrash make DIRECTORY COUNT\n"
		"       fake_thrash run DIRECTORY STATE_FILE SECONDS\n");
	return EXIT_FAILURE;
}

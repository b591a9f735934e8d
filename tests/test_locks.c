/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is known to hold a lock that others wait for. */
#include "core/locks.h"

#include "core/file.h"
#include "tests/scratch.h"

#include <signal.h>
#include <sys/file.h>

static void test_parsing(void)
{
	static const char text[] =
		"1: POSIX  ADVISORY  WRITE 812 08:01:1234 0 EOF\n"
		"2: FLOCK  ADVISORY  WRITE 900 08:01:77 0 EOF\n"
		"2: -> FLOCK  ADVISORY  WRITE 901 08:01:77 0 EOF\n"
		"2:  -> FLOCK  ADVISORY  WRITE 902 08:01:77 0 EOF\n"
		"3: OFDLCK ADVISORY  WRITE -1 08:01:78 0 EOF\n"
		"3: -> OFDLCK ADVISORY  WRITE -1 08:01:78 0 EOF\n"
		"4: POSIX  ADVISORY  WRITE 0 08:01:79 0 EOF\n"
		"4: -> POSIX  ADVISORY  WRITE 903 08:01:79 0 EOF\n"
		"5: LEASE  ACTIVE    READ  904 08:01:80 0 EOF\n"
		"garbage\n\n"
		"6: -> POSIX  ADVISORY  WRITE 905 08:01:79 0 EOF\n"
		"7: POSIX  ADVISORY  READ  906 08:01:81 0 EOF\n"
		"7: -> POSIX  ADVISORY  WRITE 907 08:01:81 0 EOF\n";
	struct locks locks = {.count = 0};

	locks_parse(&locks, SPAN(text));
	is_int((int64_t)locks.count, 2, "two are waited for");
	ok(locks_has(&locks, 900), "who has the lock is known");
	ok(locks_has(&locks, 906), "also if it only reads");
	ok(!locks_has(&locks, 901), "who waits is not waited for");
	ok(!locks_has(&locks, 812), "a lock that nobody wants does no harm");
	ok(!locks_has(&locks, 0) && !locks_has(&locks, -1),
	   "nobody is not somebody");
}

static void test_many(void)
{
	struct locks locks = {.count = 0};
	char text[128];

	for (int pid = 1; pid <= 100; pid++) {
		int length = snprintf(
			text, sizeof(text),
			"1: FLOCK  ADVISORY  WRITE %d 08:01:77 0 EOF\n"
			"1: -> FLOCK  ADVISORY  WRITE 7 08:01:77 0 EOF\n",
			pid);

		locks_parse(&locks, (struct span){text, (size_t)length});
	}
	is_int((int64_t)locks.count, LOCKS_HOLDERS,
	       "more than there is room for do no harm");
}

/* A file longer than what is read in one piece. */
static void test_reading(void)
{
	struct scratch scratch;
	struct locks locks;
	char text[8192] = "";
	size_t length = 0;

	scratch_open(&scratch);
	while (length < 5000)
		length += (size_t)sprintf(
			text + length,
			"1: FLOCK  ADVISORY  WRITE 812 08:01:77 0 EOF\n");
	length += (size_t)sprintf(text + length, "1: -> FLOCK\n");
	scratch_write(scratch.directory, "locks", text, length, 0600);
	is_int(locks_read(scratch.directory, &locks), 0, "a file is read");
	ok(locks_has(&locks, 812), "and all of its lines");
	(void)unlinkat(scratch.directory, "locks", 0);
	is_int(locks_read(scratch.directory, &locks), -ENOENT,
	       "without a file that is told");
	scratch_close(&scratch);
}

/* Of this host: a child waits for a lock that we have. */
static void test_live(void)
{
	int proc = directory_open("/proc"), seen = 0;
	struct scratch scratch;
	struct locks locks;
	char path[300];

	scratch_open(&scratch);
	(void)snprintf(path, sizeof(path), "%s/lock", scratch.path);

	int file = need(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path);
	pid_t child;

	need(flock(file, LOCK_EX), "flock");
	child = need(fork(), "fork");
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		_exit(flock(open(path, O_RDWR | O_CLOEXEC), LOCK_EX));
	}
	for (int i = 0; i < 20 && !seen; i++) {
		(void)usleep(10000);
		seen = locks_read(proc, &locks) == 0 &&
		       locks_has(&locks, getpid());
	}
	ok(seen, "this kernel tells that somebody waits for us");
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(file);
	(void)close(proc);
	scratch_close(&scratch);
}

int main(void)
{
	test_parsing();
	test_many();
	test_reading();
	test_live();
	return done_testing();
}

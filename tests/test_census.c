/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is read in which look, over made-up trees and this host's. */
#include "core/census.h"

#include "core/clock.h"
#include "core/file.h"
#include "tests/scratch.h"

#include <inttypes.h>
#include <sys/stat.h>

enum {
	KERNEL_THREAD = 0x00200000,
	START_TIME = 777,
	NOW_US = 1000000000, /* long after that */
	TURN_US = 50000,
	MANY = 10000,
	SMALL_PAGES = 100,
	BIG_PAGES = 20000,
};

struct fixture {
	struct scratch scratch;
	struct census census;
	uint64_t now_us;
};

/* A process as its stat file shows it; 0 in what does not matter. */
struct shown {
	int pid, parent;
	char state;
	unsigned flags, faults, pages;
	uint64_t start_time;
};

static void show(const struct fixture *f, struct shown shown)
{
	char path[64], text[256];
	size_t length;

	(void)snprintf(path, sizeof(path), "%d", shown.pid);
	if (mkdirat(f->scratch.directory, path, 0700) != 0 && errno != EEXIST)
		need(-1, path);
	(void)snprintf(path, sizeof(path), "%d/stat", shown.pid);
	length = (size_t)snprintf(
		text, sizeof(text),
		"%d (x) %c %d 1 1 0 -1 %u 0 0 %u 0 0 0 0 0 20 0 1 0 %" PRIu64
		" 0 %u 0\n",
		shown.pid, shown.state ? shown.state : 'S', shown.parent,
		shown.flags, shown.faults,
		shown.start_time ? shown.start_time : START_TIME,
		shown.pages ? shown.pages : SMALL_PAGES);
	scratch_write(f->scratch.directory, path, text, length, 0600);
}

static void hide(const struct fixture *f, const char *pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/stat", pid);
	need(unlinkat(f->scratch.directory, path, 0), path);
	need(unlinkat(f->scratch.directory, pid, AT_REMOVEDIR), pid);
}

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	scratch_open(&f->scratch);
	f->now_us = NOW_US;
	need(census_init(&f->census, 1), "census_init");
	census_close(&f->census);
}

static void start(struct fixture *f, pid_t self)
{
	is_int(census_open(&f->census, f->scratch.directory, self), 0,
	       "a tree is opened");
	f->census.page_kib = 4;
	f->census.tick_us = 10000;
}

static void end(struct fixture *f)
{
	census_close(&f->census);
	scratch_close(&f->scratch);
}

static void look(struct fixture *f)
{
	f->now_us += TURN_US;
	census_begin(&f->census, f->now_us);
	need(census_scan(&f->census), "census_scan");
}

static const struct process *find(const struct process_table *table, pid_t pid)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].pid == pid)
			return &table->rows[i];
	return NULL;
}

static bool is_seen(const struct fixture *f, pid_t pid)
{
	return find(&f->census.now, pid);
}

/* In how many of the next 16 looks it is read. */
static int count_seen(struct fixture *f, pid_t pid)
{
	int seen = 0;

	for (int i = 0; i < 16; i++) {
		look(f);
		seen += is_seen(f, pid);
	}
	return seen;
}

static void test_first_look(void)
{
	struct fixture f;
	const struct process_table *now = &f.census.now;

	begin(&f);
	show(&f, (struct shown){.pid = 9});
	show(&f, (struct shown){.pid = 2, .flags = KERNEL_THREAD});
	show(&f, (struct shown){.pid = 10, .state = 'Z'});
	show(&f, (struct shown){.pid = 1200});
	show(&f, (struct shown){.pid = 1});
	need(mkdirat(f.scratch.directory, "11", 0700), "11");
	need(mkdirat(f.scratch.directory, "sys", 0700), "sys");
	need(mkdirat(f.scratch.directory, "9x", 0700), "9x");
	scratch_write(f.scratch.directory, "12", "12 (a file)", 11, 0600);
	start(&f, 0);
	look(&f);
	is_int((int64_t)now->count, 3,
	       "kernel threads, zombies and what is "
	       "no process are not in a look");
	ok(now->count == 3 && now->rows[0].pid == 1 && now->rows[1].pid == 9 &&
		   now->rows[2].pid == 1200,
	   "the others are, by rising pid");
	is_int((int64_t)f.census.before.count, 0,
	       "at first nothing is known of them");
	is_int((int64_t)f.census.unread, 0, "all have been read");
	is_int(count_seen(&f, 2), 0, "a kernel thread never comes up");
	end(&f);
}

static void test_rest(void)
{
	struct fixture f;
	int small = 0, big = 0, kernel = 0;

	begin(&f);
	show(&f, (struct shown){.pid = 5});
	show(&f, (struct shown){.pid = 6, .pages = BIG_PAGES});
	show(&f, (struct shown){.pid = 7, .flags = KERNEL_THREAD});
	start(&f, 0);
	for (int i = 0; i < 8; i++)
		look(&f);
	for (int i = 0; i < 32; i++) {
		look(&f);
		small += is_seen(&f, 5);
		big += is_seen(&f, 6);
		kernel += (int)f.census.reads - is_seen(&f, 5) - is_seen(&f, 6);
	}
	is_int(small, 2, "who is small and quiet is read in each 16th look");
	is_int(big, 8, "who is big and quiet in each 4th");
	is_int(kernel, 2, "a kernel thread in each 16th");
	end(&f);
}

/* What makes somebody due in each look. */
static const struct {
	unsigned pages, grown, faults;
	char state;
	const char *name;
} lively[] = {
	{BIG_PAGES, 0, 1, 'S', "who is big and faults"},
	{SMALL_PAGES, CENSUS_GROWTH_KIB / 4, 0, 'S', "who is small and grows"},
	{SMALL_PAGES, 0, 0, 'D', "who waits for a disk"},
};

static void test_lively(void)
{
	for (size_t i = 0; i < COUNT(lively); i++) {
		struct fixture f;
		struct shown shown = {.pid = 5, .pages = lively[i].pages};

		begin(&f);
		show(&f, shown);
		start(&f, 0);
		(void)count_seen(&f, 5);
		shown.state = lively[i].state;
		for (int change = 0; change < 2; change++) {
			shown.pages += lively[i].grown;
			shown.faults += lively[i].faults;
			show(&f, shown);
			do
				look(&f);
			while (!change && !is_seen(&f, 5));
		}
		ok(is_seen(&f, 5), "%s is read in the next look again",
		   lively[i].name);
		end(&f);
	}
}

static void test_before(void)
{
	struct fixture f;
	const struct process *was, *is;

	begin(&f);
	show(&f, (struct shown){.pid = 5, .pages = BIG_PAGES, .faults = 7});
	start(&f, 0);
	look(&f);
	show(&f, (struct shown){.pid = 5, .pages = 30000, .faults = 9});
	look(&f);
	was = find(&f.census.before, 5);
	is = find(&f.census.now, 5);
	ok(was && was->major_faults == 7 &&
		   was->resident_kib == 4 * BIG_PAGES &&
		   was->start_time == START_TIME,
	   "a look has the figures of the one before");
	ok(is && is->major_faults == 9 && is->resident_kib == 120000,
	   "and those of now");

	show(&f, (struct shown){.pid = 6});
	(void)count_seen(&f, 6);
	f.now_us += UINT64_C(1000) * CENSUS_FRESH_MS;
	look(&f);
	ok(is_seen(&f, 6), "after a long time everybody is read again");
	ok(!find(&f.census.before, 6), "and what was before is history");
	end(&f);
}

static void test_birth(void)
{
	struct fixture f;
	const struct process *was;

	begin(&f);
	start(&f, 0);
	look(&f);
	show(&f, (struct shown){.pid = 5,
				.pages = BIG_PAGES,
				.faults = 7,
				.start_time = f.now_us / 10000});
	look(&f);
	was = find(&f.census.before, 5);
	ok(was && !was->major_faults && !was->resident_kib,
	   "of who was just born all has happened since");
	do
		look(&f);
	while (!is_seen(&f, 5));
	ok(find(&f.census.before, 5), "and it is known from then on");
	end(&f);
}

static void test_pids_used_again(void)
{
	struct fixture f;

	begin(&f);
	show(&f, (struct shown){.pid = 5, .pages = BIG_PAGES, .faults = 7});
	show(&f, (struct shown){.pid = 6, .flags = KERNEL_THREAD});
	start(&f, 0);
	look(&f);
	show(&f, (struct shown){.pid = 5,
				.pages = BIG_PAGES,
				.faults = 9,
				.start_time = START_TIME + 1});
	show(&f, (struct shown){.pid = 6, .pages = BIG_PAGES});
	look(&f);
	ok(is_seen(&f, 5) && !find(&f.census.before, 5),
	   "nothing is known of a new process with an old pid");
	ok(count_seen(&f, 6) > 0,
	   "a kernel thread's pid can become somebody else's");
	end(&f);
}

static void test_vanishing(void)
{
	struct fixture f;

	begin(&f);
	show(&f, (struct shown){.pid = 5, .pages = BIG_PAGES});
	show(&f, (struct shown){.pid = 6});
	show(&f, (struct shown){.pid = 7});
	start(&f, 0);
	look(&f);
	hide(&f, "6");
	(void)count_seen(&f, 6);
	is_int((int64_t)f.census.count, 2, "who is gone has no row any more");
	ok(f.census.rows[0].pid == 5 && f.census.rows[1].pid == 7,
	   "the others have");
	show(&f, (struct shown){.pid = 6});
	is_int(count_seen(&f, 6), 3, "a pid may come back");
	end(&f);
}

static void test_kin(void)
{
	struct fixture f;
	int count;

	begin(&f);
	show(&f, (struct shown){.pid = 1});
	show(&f, (struct shown){.pid = 5, .parent = 1});
	show(&f, (struct shown){.pid = 7, .parent = 9});
	show(&f, (struct shown){.pid = 9, .parent = 5});
	show(&f, (struct shown){.pid = 10, .parent = 7});
	start(&f, 7);
	is_int((int64_t)f.census.kin_count, 4, "we know our ancestors");
	(void)count_seen(&f, 1);
	count = count_seen(&f, 1) + count_seen(&f, 5) + count_seen(&f, 7) +
		count_seen(&f, 9);
	is_int(count, 4 * 16, "and read them in every look");
	is_int(count_seen(&f, 10), 1, "but not our children");
	end(&f);
}

/* Looks at a quiet host until each process was read as often as it must. */
static void test_many(void)
{
	struct fixture f;
	size_t most = 0, looks = 0, reads = 0;

	begin(&f);
	for (int pid = 1; pid <= MANY; pid++)
		show(&f, (struct shown){.pid = 4 * pid});
	start(&f, 0);
	do {
		look(&f);
		looks++;
		if (f.census.reads > most)
			most = f.census.reads;
	} while (f.census.count < MANY || f.census.unread);
	is_int((int64_t)f.census.count, MANY, "10,000 processes are found");
	ok(most <= CENSUS_READS, "no look reads more than %d of them: %zu",
	   CENSUS_READS, most);
	ok(looks <= MANY / CENSUS_READS + 10, "all are read in %zu looks",
	   looks);

	show(&f, (struct shown){.pid = 4 * 5000 + 1,
				.pages = BIG_PAGES,
				.start_time = f.now_us / 10000 + 10});
	for (looks = 0; !is_seen(&f, 4 * 5000 + 1) && looks < 100; looks++)
		look(&f);
	ok(looks <= 16, "one who is born now is seen in %zu looks", looks);
	for (unsigned i = 1; i <= 32; i++) {
		show(&f, (struct shown){.pid = 4 * 5000 + 1,
					.pages = BIG_PAGES,
					.faults = i,
					.start_time = f.now_us / 10000});
		look(&f);
		looks += is_seen(&f, 4 * 5000 + 1);
		reads += f.census.reads;
	}
	ok(looks >= 32, "and, as it faults, in each one that follows");
	ok(reads <= 32 * CENSUS_READS, "for which few are read: %zu", reads);
	end(&f);
}

/* A few hundred processes are what most hosts have. */
static void test_quiet(void)
{
	enum { USUAL = 200 };
	struct fixture f;
	size_t reads = 0;

	begin(&f);
	for (int pid = 1; pid <= USUAL; pid++)
		show(&f, (struct shown){.pid = pid,
					.flags = pid % 2 ? 0 : KERNEL_THREAD});
	start(&f, 0);
	look(&f);
	is_int((int64_t)f.census.reads, USUAL,
	       "the first look reads everybody");
	(void)count_seen(&f, 1);
	for (int i = 0; i < 32; i++) {
		look(&f);
		reads += f.census.reads;
	}
	ok(reads <= 2 * USUAL, "32 quiet looks read all only twice: %zu",
	   reads);
	end(&f);
}

/* What a recording holds makes the same of it. */
static void test_seeing(void)
{
	struct census census;
	struct process process = {.state = 'S', .start_time = START_TIME};
	int error = 0;

	is_int(census_init(&census, 3), 0, "a census needs no directory");
	census_begin(&census, NOW_US);
	for (pid_t pid = 3; pid > 0; pid--) {
		process.pid = 2 * pid;
		error |= census_see(&census, &process);
	}
	is_int(error, 0, "processes can be told in any order");
	is_int(census_see(&census, &process), -ENOSPC,
	       "more than a look can hold are refused");
	census_begin(&census, NOW_US + TURN_US);
	process.pid = 4;
	process.major_faults = 8;
	is_int(census_see(&census, &process), 0, "they are told again");
	ok(census.now.count == 1 && census.now.rows[0].major_faults == 8 &&
		   census.before.count == 1 &&
		   census.before.rows[0].major_faults == 0,
	   "and have the figures of before");
	census_close(&census);
	census_close(&census);
	ok(!census.rows && !census.count, "a census can be closed twice");
}

static void test_too_many(void)
{
	struct census census;
	struct process process = {.state = 'S'};
	int error = 0;

	need(census_init(&census, CENSUS_ROWS + 1), "census_init");
	census_begin(&census, NOW_US);
	for (pid_t pid = 1; pid <= CENSUS_ROWS; pid++) {
		process.pid = pid;
		error |= census_see(&census, &process);
	}
	is_int(error, 0, "there is room for %d processes", CENSUS_ROWS);
	process.pid = CENSUS_ROWS + 1;
	is_int(census_see(&census, &process), -ENOSPC, "and no more");
	is_int((int64_t)census.left_out, 1, "which is counted");
	census_close(&census);
}

static void test_this_host(void)
{
	struct fixture f = {.now_us = clock_boottime_us()};
	int proc = need(directory_open("/proc"), "/proc");
	unsigned wrong = 0;

	is_int(census_open(&f.census, proc, getpid()), 0, "/proc is opened");
	for (int i = 0; i < 20; i++) {
		look(&f);
		for (size_t at = 0; at < f.census.now.count; at++) {
			const struct process *row = &f.census.now.rows[at];

			wrong += process_is_kernel_thread(row) ||
				 process_is_dead(row) ||
				 (at && row[-1].pid >= row->pid);
		}
	}
	is_int(wrong, 0, "by rising pid, without kernel threads and zombies");
	ok(is_seen(&f, getpid()), "this process is seen");
	census_close(&f.census);
	ok(fcntl(proc, F_GETFD) >= 0, "the caller's directory stays open");
	(void)close(proc);
	is_int(census_open(&f.census, -1, 1), -EBADF,
	       "a census needs a directory");
}

int main(void)
{
	/* faster, for the tree of 10,000 */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0);
	test_first_look();
	test_rest();
	test_lively();
	test_before();
	test_birth();
	test_pids_used_again();
	test_vanishing();
	test_kin();
	test_quiet();
	test_many();
	test_seeing();
	test_too_many();
	test_this_host();
	return done_testing();
}

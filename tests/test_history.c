/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the history: what is kept, for how long, and what is not believed. */
#include "core/history.h"

#include "tests/scratch.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
	MINUTE = HISTORY_COARSE_MS,
	DAY = 24 * 60 * MINUTE,
	START = 1000 * MINUTE, /* of the made-up daemon, in boottime */
};

struct fixture {
	struct scratch scratch;
	int proc;
	struct history own, others;
	struct problem problem;
};

static void write_boot(struct fixture *f, const char *boot)
{
	scratch_write(f->proc, "sys/kernel/random/boot_id", boot, strlen(boot),
		      0644);
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){.own = {-1}, .others = {-1}};
	scratch_open(&f->scratch);
	need(mkdirat(f->scratch.directory, "proc", 0755), "proc");
	f->proc = need(openat(f->scratch.directory, "proc", O_RDONLY), "proc");
	need(mkdirat(f->proc, "sys", 0755), "sys");
	need(mkdirat(f->proc, "sys/kernel", 0755), "kernel");
	need(mkdirat(f->proc, "sys/kernel/random", 0755), "random");
	write_boot(f, "0b8a6b48-0001-4000-8000-000000000001\n");
}

static int open_own(struct fixture *f)
{
	return history_open_own(&f->own, f->scratch.directory, f->proc,
				&f->problem);
}

static int open_others(struct fixture *f)
{
	return history_open(&f->others, f->scratch.path, f->proc, &f->problem);
}

static void begin_open(struct fixture *f)
{
	begin(f);
	need(open_own(f), "history_open_own");
	need(open_others(f), "history_open");
}

static void end(struct fixture *f)
{
	history_close(&f->own);
	history_close(&f->others);
	(void)close(f->proc);
	scratch_close(&f->scratch);
}

static struct history_record record_at(uint64_t boottime_ms)
{
	return (struct history_record){
		.boottime_ms = boottime_ms,
		.started_ms = START,
		.major_faults = boottime_ms / 10,
		.flags = HISTORY_HAS_SWAP,
	};
}

static void add_calm(struct fixture *f, uint64_t boottime_ms)
{
	struct history_record record = record_at(boottime_ms);

	need(history_add(&f->own, &record), "history_add");
}

static void add_trouble(struct fixture *f, uint64_t boottime_ms,
			uint16_t frozen)
{
	struct history_record record = record_at(boottime_ms);

	record.verdict = HISTORY_THRASHING;
	record.frozen_processes = frozen;
	record.stall_permille = 500;
	record.longest_frozen_ms = 1000U * frozen;
	record.lacked_kib = 1024U * frozen;
	record.lacked_ms = HISTORY_FINE_MS;
	record.thrash_us_total = (boottime_ms - START) * 1000;
	need(history_add(&f->own, &record), "history_add");
}

static bool has(struct fixture *f, enum history_ring ring, uint64_t at_ms)
{
	struct history_record record;
	uint64_t ms =
		ring == HISTORY_FINE ? HISTORY_FINE_MS : HISTORY_COARSE_MS;

	return history_read(&f->others, ring, at_ms / ms, &record) &&
	       record.boottime_ms == at_ms;
}

static uint64_t count_records(struct fixture *f, uint64_t since_ms,
			      uint64_t until_ms)
{
	struct history_record record;
	struct history_walk walk;
	uint64_t count = 0;

	history_walk(&walk, &f->others, since_ms, until_ms);
	while (history_next(&walk, &record))
		count++;
	return count;
}

static void test_file(void)
{
	struct fixture f;
	struct stat status;

	begin(&f);
	is_int(open_others(&f), -ENOENT, "at first there is no history");
	is_int(open_own(&f), 0, "the daemon begins one");
	is_text(f.problem.text, "", "of which it has nothing to tell");
	need(fstat(f.own.file, &status), "fstat");
	is_int(status.st_mode & 07777, 0644, "all may read it, one may write");
	is_int(status.st_size, (int64_t)history_size(), "its size is fixed");
	ok(history_size() < 2500000, "which is less than 2.5 MB");
	ok(status.st_blocks * 512 <= 16384, "of which it does not take any");
	is_int(open_others(&f), 0, "others can open it then");
	is_int((int64_t)count_records(&f, 0, START), 0, "nothing is in it");
	is_int((int64_t)history_last_freeze(&f.others), 0, "and no freeze");
	history_close(&f.own);
	is_int(open_own(&f), 0, "a second daemon goes on with it");
	add_calm(&f, START);
	ok(has(&f, HISTORY_COARSE, START),
	   "so that who had it open sees what that one writes");
	end(&f);
}

static void test_rings(void)
{
	struct fixture f;
	uint64_t now = START;

	begin_open(&f);
	for (; now < START + 60 * MINUTE; now += MINUTE)
		add_calm(&f, now);
	is_int((int64_t)count_records(&f, START - 1, now), 60,
	       "of an hour at rest there are sixty records");
	ok(!has(&f, HISTORY_FINE, START), "none of them is a fine one");
	for (; now < START + 70 * MINUTE; now += HISTORY_FINE_MS)
		add_trouble(&f, now, 3);
	is_int((int64_t)count_records(&f, START + 60 * MINUTE - 1, now), 60,
	       "and of ten minutes of trouble sixty as well");
	/* thirty hours of it */
	for (; now < START + 1870 * MINUTE; now += HISTORY_FINE_MS)
		add_trouble(&f, now, 2);
	ok(!has(&f, HISTORY_FINE, START + 60 * MINUTE),
	   "long trouble pushes out what is fine and old");
	ok(has(&f, HISTORY_COARSE, START), "but no minute of rest before it");
	ok(has(&f, HISTORY_COARSE, START + 61 * MINUTE - HISTORY_FINE_MS),
	   "nor what its own minutes were");
	is_int((int64_t)count_records(&f, now - 6 * 60 * MINUTE, now - 1), 2159,
	       "of the last six hours of trouble everything is there");
	end(&f);
}

static void test_wrap(void)
{
	struct fixture f;
	uint64_t now = START;
	struct stat status;

	begin_open(&f);
	for (; now < START + 10 * (uint64_t)DAY; now += MINUTE)
		add_calm(&f, now);
	is_int((int64_t)count_records(&f, START - 1, now),
	       HISTORY_DAYS * 24 * 60,
	       "after ten days at rest the last seven are there");
	ok(has(&f, HISTORY_COARSE, now - HISTORY_DAYS * (uint64_t)DAY) &&
		   !has(&f, HISTORY_COARSE,
			now - HISTORY_DAYS * (uint64_t)DAY - MINUTE),
	   "to the minute");
	need(fstat(f.own.file, &status), "fstat");
	is_int(status.st_size, (int64_t)history_size(),
	       "and the file has not grown");
	end(&f);
}

static void test_merge(void)
{
	struct fixture f;
	struct history_record record;
	struct history_sum sum;

	begin_open(&f);
	add_trouble(&f, START, 5);
	add_trouble(&f, START + 4000, 2);
	add_calm(&f, START + 30000);
	ok(history_read(&f.others, HISTORY_COARSE, START / MINUTE, &record),
	   "a minute in which much happened is one record");
	is_int(record.frozen_processes, 5, "with the most that were frozen");
	is_int(record.longest_frozen_ms, 5000, "the longest time");
	is_int(record.lacked_kib, 5 * 1024, "what was lacking at worst");
	is_int(record.lacked_ms, 2 * HISTORY_FINE_MS,
	       "for how long in all something was");
	is_int(record.verdict, HISTORY_THRASHING, "the worst verdict");
	is_int((int64_t)record.major_faults, (START + 30000) / 10,
	       "and the last counters");
	is_int((int64_t)count_records(&f, START - 1, START + MINUTE - 1), 2,
	       "ten seconds of trouble are one of their own");
	history_add_up(&f.others, START + 20000, START + 40000, &sum);
	is_int(sum.worst.frozen_processes, 0,
	       "which the calm of the same minute is not taken for");
	end(&f);
}

static void test_sample(void)
{
	const struct sample sample = {
		.time_us = 5000,
		.vmstat = {.swapped_in = 1,
			   .swapped_out = 2,
			   .major_faults = 3,
			   .refaulted_anon = 4,
			   .refaulted_file = 5,
			   .has_swap = true,
			   .has_refaults_file = true},
		.memory = {.some_us = 6, .full_us = 7},
		.io = {.some_us = 8, .full_us = 9},
		.has_io = true,
	};
	struct history_record record = {.boottime_ms = 5,
					.flags = HISTORY_IS_CONFINED};
	char line[SAMPLE_LINE], wanted[SAMPLE_LINE];
	struct sample back;

	history_set_sample(&record, &sample);
	history_get_sample(&record, &back);
	sample_format(&sample, wanted);
	sample_format(&back, line);
	is_text(line, wanted, "a sample comes back as it was, gaps included");
	ok(record.flags & HISTORY_IS_CONFINED, "other flags stay");
}

static void test_sum(void)
{
	struct fixture f;
	struct history_sum sum;
	uint64_t now = START;

	begin_open(&f);
	for (; now < START + 10 * MINUTE; now += MINUTE)
		add_calm(&f, now);
	for (; now < START + 20 * MINUTE; now += HISTORY_FINE_MS)
		add_trouble(&f, now, 1);
	/* off for twenty minutes */
	for (now += 20 * MINUTE; now <= START + 60 * MINUTE; now += MINUTE)
		add_calm(&f, now);
	history_add_up(&f.others, START, START + 60 * MINUTE, &sum);
	is_int((int64_t)sum.covered_ms, 40 * MINUTE - HISTORY_FINE_MS,
	       "twenty minutes in which no daemon ran are not covered");
	is_int((int64_t)(sum.lacked_ms / MINUTE), 10,
	       "memory was lacking for ten minutes, each counted once");
	is_int((int64_t)(sum.thrash_us / 1000 / MINUTE), 19,
	       "a total that begins anew takes nothing back");
	is_int(sum.worst.frozen_processes, 1, "the worst of all is known");
	history_add_up(&f.others, START + 45 * MINUTE, START + 60 * MINUTE,
		       &sum);
	is_int(sum.worst.frozen_processes, 0, "also of the last minutes only");
	is_int((int64_t)sum.lacked_ms, 0, "in which nothing was lacking");
	is_int((int64_t)(sum.covered_ms / MINUTE), 15, "all of them covered");
	history_add_up(&f.others, START + 100 * MINUTE, START + 101 * MINUTE,
		       &sum);
	is_int((int64_t)sum.records, 0, "of the future nothing is known");
	is_int((int64_t)sum.covered_ms, 0, "and nothing is covered");
	history_add_up(&f.others, 0, 0, &sum);
	is_int((int64_t)sum.records, 0, "nor of no time at all");
	end(&f);
}

/* All bytes of one record, each changed: nobody takes it for one. */
static void test_torn(void)
{
	struct fixture f;
	struct history_record record;
	off_t at = 4096 + (off_t)sizeof(record) *
				  (HISTORY_FINE_SLOTS +
				   START / MINUTE % HISTORY_COARSE_SLOTS);
	char *bytes = (char *)&record;
	unsigned accepted = 0, written = 0;

	begin_open(&f);
	add_calm(&f, START);
	need(pread(f.own.file, &record, sizeof(record), at) ==
				     (ssize_t)sizeof(record) &&
			     record.boottime_ms == START
		     ? 0
		     : -1,
	     "its place");
	for (size_t i = 0; i < sizeof(record); i++) {
		bytes[i] ^= 0x40;
		need((int)pwrite(f.own.file, &record, sizeof(record), at), "");
		accepted += has(&f, HISTORY_COARSE, START);
		bytes[i] ^= 0x40;
	}
	is_int(accepted, 0, "no byte of a record can be another");
	/* as if the writer had been killed after i bytes of the next one */
	for (size_t i = 1; i < sizeof(record); i++) {
		struct history_record next = record_at(START + 50000), read;

		history_seal_record(&next);
		need((int)pwrite(f.own.file, &record, sizeof(record), at), "");
		need((int)pwrite(f.own.file, &next, i, at), "");
		/* what is missing of it may be the same in both */
		accepted += history_read(&f.others, HISTORY_COARSE,
					 START / MINUTE, &read) &&
			    memcmp(&read, &record, sizeof(read)) != 0 &&
			    memcmp(&read, &next, sizeof(read)) != 0;
		written++;
	}
	is_int(accepted, 0, "half of one over another is neither");
	is_int(written, sizeof(record) - 1, "wherever it breaks off");
	need(ftruncate(f.own.file, at + 10), "ftruncate");
	ok(!has(&f, HISTORY_COARSE, START), "nor is one that is cut");
	ok(!history_is_there(&f.own, f.scratch.directory),
	   "the writer sees that the file is cut");
	history_close(&f.own);
	is_int(open_own(&f), 0, "and begins it anew");
	is_text(f.problem.text, "it is not a history", "saying why");
	end(&f);
}

/* Writes one record after the other over the one before, for ever. */
static void write_on(const struct history *history)
{
	for (uint16_t i = 0;; i++) {
		struct history_record record = record_at(START);

		record.verdict = HISTORY_THRASHING;
		record.stall_permille = 7;
		record.swapped_in = record.frozen_processes = i;
		record.swapped_out = i;
		(void)history_add(history, &record);
	}
}

/* A child writes until it is killed; what others read is whole, always. */
static void test_killed(void)
{
	enum { CHILDREN = 10, CHANGES = 50, READS = 1000000 };
	struct fixture f;
	struct history_record record;
	unsigned torn = 0, changed = 0;

	begin_open(&f);
	(void)fflush(stdout);
	for (int i = 1; i <= CHILDREN; i++) {
		uint64_t last = UINT64_MAX;
		pid_t child = need(fork(), "fork");

		if (child == 0)
			write_on(&f.own);
		for (int j = 0; j < READS && changed < (unsigned)i * CHANGES;
		     j++) {
			if (!history_read(&f.others, HISTORY_FINE,
					  START / HISTORY_FINE_MS, &record))
				continue;
			changed += record.swapped_in != last;
			last = record.swapped_in;
			torn += record.swapped_out != last ||
				record.stall_permille != 7;
		}
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	ok(changed > CHANGES, "a record can be read while it is written");
	is_int(torn, 0, "and never half of it");
	add_calm(&f, START + MINUTE);
	ok(has(&f, HISTORY_COARSE, START + MINUTE),
	   "after a writer was killed the next one goes on");
	end(&f);
}

static struct history_freeze freeze_of(uint64_t sequence)
{
	return (struct history_freeze){
		.pid = 7,
		.start_time = 9,
		.boottime_ms = START,
		.sequence = sequence,
		.command = "a)\n b",
		.class = "batch",
		.method = "cgroup",
		.reason = "there is no room for it",
	};
}

/* Half of it is another's. */
static void damage_freeze(struct fixture *f, uint64_t sequence)
{
	off_t size = sizeof(struct history_freeze);
	off_t at =
		(off_t)history_size() +
		((off_t)(sequence % HISTORY_FREEZES) - HISTORY_FREEZES) * size;
	char bytes[sizeof(struct history_freeze) / 2];

	memset(bytes, 'x', sizeof(bytes));
	need((int)pwrite(f->own.file, bytes, sizeof(bytes), at), "write");
}

static void test_freezes(void)
{
	struct fixture f;
	const uint64_t last = HISTORY_FREEZES + 3000;
	struct history_freeze freeze;

	begin_open(&f);
	for (uint64_t i = 1; i <= last; i++) {
		freeze = freeze_of(i);
		need(history_write_freeze(&f.own, &freeze), "write");
	}
	is_int((int64_t)history_last_freeze(&f.others), (int64_t)last,
	       "the last freeze is found");
	ok(history_find_freeze(&f.others, last + 1 - HISTORY_FREEZES, &freeze),
	   "so is the oldest that is kept");
	is_text(freeze.command, "a)\n b", "with its name as it is");
	ok(!history_find_freeze(&f.others, last - HISTORY_FREEZES, &freeze),
	   "one that was pushed out is not");
	ok(!history_find_freeze(&f.others, 0, &freeze), "nor number 0");
	for (uint64_t at = 1; at < HISTORY_FREEZES; at *= 2) {
		damage_freeze(&f, at + 1);
		is_int((int64_t)history_last_freeze(&f.others), (int64_t)last,
		       "also when the one at %u is damaged", (unsigned)at);
		freeze = freeze_of(HISTORY_FREEZES + at + 1);
		need(history_write_freeze(&f.own, &freeze), "write");
	}
	end(&f);
}

/* Each of these has a checksum that fits. */
static void test_bad_freezes(void)
{
	struct history_freeze freeze = freeze_of(1);

	history_seal_freeze(&freeze);
	ok(history_is_freeze(&freeze), "a freeze is one");
#define REFUSES(change, name)                          \
	do {                                           \
		freeze = freeze_of(1);                 \
		change;                                \
		history_seal_freeze(&freeze);          \
		ok(!history_is_freeze(&freeze), name); \
	} while (0)
	REFUSES(freeze.pid = 0, "there is no pid 0");
	REFUSES(freeze.pid = -1, "nor any below");
	REFUSES(freeze.is_over = 2, "it is over or not");
	REFUSES(memset(freeze.command, 'x', sizeof(freeze.command)),
		"a name ends");
	REFUSES(memset(freeze.reason, 'x', sizeof(freeze.reason)),
		"a reason ends");
	REFUSES(freeze.reason[2] = '\n', "a reason is one line");
	REFUSES(freeze.reason[2] = '\033', "that no terminal obeys");
	REFUSES(freeze.reason[2] = '"', "and needs no care in JSON");
	REFUSES(freeze.class[2] = ' ', "a class is one word");
	REFUSES(freeze.method[2] = (char)0x80, "a method is ASCII");
	REFUSES(freeze.boottime_ms = UINT64_MAX, "a time can be added to");
}

static void test_bad_records(void)
{
	struct history_record record = record_at(START);

	history_seal_record(&record);
	ok(history_is_record(&record), "a record is one");
	record = (struct history_record){.checksum = 0};
	ok(!history_is_record(&record), "a hole is none");
#undef REFUSES
#define REFUSES(change, name)                          \
	do {                                           \
		record = record_at(START);             \
		change;                                \
		history_seal_record(&record);          \
		ok(!history_is_record(&record), name); \
	} while (0)
	REFUSES(record.verdict = HISTORY_VERDICTS, "a verdict is known");
	REFUSES(record.flags = HISTORY_FLAGS, "so is each flag");
	REFUSES(record.stall_permille = 1001, "more than all is not stalled");
	REFUSES(record.boottime_ms = UINT64_MAX, "a time can be added to");
	REFUSES(record.started_ms = START + 1, "it began before");
}

/* What lies there instead of a history, and what the daemon says of it. */
static void plant(struct fixture *f, int what)
{
	int directory = f->scratch.directory;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/history", f->scratch.path);
	scratch_write(directory, "victim", "untouched", 9, 0644);
	switch (what) {
	case 0:
		scratch_write(directory, "history", "short", 5, 0644);
		break;
	case 1:
		need(symlinkat("victim", directory, "history"), "symlink");
		break;
	case 2:
		need(linkat(directory, "victim", directory, "history", 0), "");
		break;
	case 3:
		need(mkfifoat(directory, "history", 0644), "fifo");
		break;
	case 4:
		scratch_write(directory, "history", "", 0, 0644);
		need(truncate(path, (off_t)history_size()), "truncate");
		break;
	case 5:
		need(open_own(f), "history_open_own");
		add_calm(f, START);
		history_close(&f->own);
		need(chmod(path, 0666), "chmod");
		break;
	case 6:
		scratch_write(directory, "history", "", 0, 0644);
		need(truncate(path, (off_t)1 << 40), "truncate");
		break;
	default:
		break;
	}
}

static void test_hostile(void)
{
	static const char *const why[] = {
		"it is not a history", "it is not a file",
		"it has other names",  "it is not a file",
		"it is not a history", "others than root can write it",
		"it is not a history",
	};
	struct fixture f;
	char text[32];

	for (int i = 0; i < (int)COUNT(why); i++) {
		begin(&f);
		plant(&f, i);
		ok(open_others(&f) != 0, "nobody reads it (%s)", why[i]);
		is_int(open_own(&f), 0, "the daemon replaces it");
		is_text(f.problem.text, why[i], "and says why");
		is_int(open_others(&f), 0, "then it is one to be read");
		is_int((int64_t)count_records(&f, 0, START), 0,
		       "in which nothing is");
		is_text(scratch_text(f.scratch.directory, "victim", text,
				     sizeof(text)),
			"untouched", "nothing was written through it");
		end(&f);
	}
}

static void test_directory(void)
{
	struct fixture f;

	begin(&f);
	need(mkdirat(f.scratch.directory, "history", 0755), "mkdir");
	ok(open_own(&f) < 0, "a directory of that name stays");
	ok(f.problem.text[0], "and it is told that there is no history");
	ok(!history_is_there(&f.own, f.scratch.directory), "it is not there");
	need(fchmod(f.scratch.directory, 0777), "chmod");
	is_int(open_others(&f), -EPERM,
	       "in a directory that others can write nothing is believed");
	end(&f);
}

/* A history, below there, that another boot has begun, or so it seems. */
static bool begin_with_another_boot(struct fixture *f, const char *place,
				    bool is_memory)
{
	const char *usual = getenv("TMPDIR");
	struct statfs status;

	if (statfs(place, &status) != 0 ||
	    (status.f_type == TMPFS_MAGIC) != is_memory)
		return false;
	need(setenv("TMPDIR", place, 1), "setenv");
	begin_open(f);
	need(usual ? setenv("TMPDIR", usual, 1) : unsetenv("TMPDIR"), "setenv");
	add_calm(f, START);
	history_close(&f->own);
	history_close(&f->others);
	write_boot(f, "0b8a6b48-0001-4000-8000-000000000002\n");
	return true;
}

static void test_boot(void)
{
	struct fixture f;

	if (!begin_with_another_boot(&f, "/var/tmp", false)) {
		skip("/var/tmp is not on a disk");
		return;
	}
	is_int(open_others(&f), -ENOENT,
	       "of an earlier boot nobody reads anything");
	is_int(open_own(&f), 0, "the daemon begins a new one");
	is_text(f.problem.text, "", "without a word");
	is_int(open_others(&f), 0, "which can be read");
	is_int((int64_t)count_records(&f, 0, START), 0, "and is empty");
	end(&f);
}

static void test_boot_in_memory(void)
{
	struct fixture f;

	if (!begin_with_another_boot(&f, "/dev/shm", true)) {
		skip("/dev/shm is not in memory");
		return;
	}
	is_int(open_others(&f), 0,
	       "what lies in memory is of this boot, whatever that is called");
	is_int(open_own(&f), 0, "the daemon goes on with it");
	is_int((int64_t)count_records(&f, 0, START), 1, "it is the same");
	end(&f);
}

int main(void)
{
	test_file();
	test_rings();
	test_wrap();
	test_merge();
	test_sample();
	test_sum();
	test_torn();
	test_killed();
	test_freezes();
	test_bad_freezes();
	test_bad_records();
	test_hostile();
	test_directory();
	test_boot();
	test_boot_in_memory();
	return done_testing();
}

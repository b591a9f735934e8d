/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes the history, one record at a time. */
#include "core/history.h"

#include "core/file.h"
#include "core/number.h"
#include "core/state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAME "history"

/* The file begins with this, padded with zeros. */
struct head {
	char format[32];
	char boot[40]; /* as the kernel calls it; empty if it does not tell */
};

enum {
	BLOCK = 4096,
	FINE_AT = BLOCK,
	COARSE_AT = FINE_AT +
		    HISTORY_FINE_SLOTS * (int)sizeof(struct history_record),
	FREEZES_AT = COARSE_AT +
		     HISTORY_COARSE_SLOTS * (int)sizeof(struct history_record),
	SIZE = FREEZES_AT +
	       HISTORY_FREEZES * (int)sizeof(struct history_freeze),
};

/* No padding, which would be whatever was in memory before. */
static_assert(sizeof(struct history_record) == 144, "a format of its own");
static_assert(sizeof(struct history_freeze) == 128, "a format of its own");

static_assert(HISTORY_FINE_SLOTS % HISTORY_RATIO == 0, "see read_minute()");

static const struct ring {
	uint64_t ms, slots;
	off_t at;
} rings[HISTORY_RINGS] = {
	[HISTORY_FINE] = {HISTORY_FINE_MS, HISTORY_FINE_SLOTS, FINE_AT},
	[HISTORY_COARSE] = {HISTORY_COARSE_MS, HISTORY_COARSE_SLOTS, COARSE_AT},
};

uint64_t history_size(void)
{
	return SIZE;
}

/* FNV-1a; zeros, as in a hole, do not give zero. */
static uint32_t sum_up(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint32_t sum = UINT32_C(2166136261);

	for (size_t i = sizeof(sum); i < size; i++)
		sum = (sum ^ at[i]) * UINT32_C(16777619);
	return sum;
}

void history_seal_record(struct history_record *record)
{
	record->checksum = sum_up(record, sizeof(*record));
}

void history_seal_freeze(struct history_freeze *freeze)
{
	freeze->checksum = sum_up(freeze, sizeof(*freeze));
}

bool history_is_record(const struct history_record *record)
{
	return record->checksum == sum_up(record, sizeof(*record)) &&
	       record->boottime_ms < UINT64_MAX / 1000 &&
	       record->started_ms <= record->boottime_ms &&
	       record->stall_permille <= 1000 &&
	       record->verdict < HISTORY_VERDICTS &&
	       record->flags < HISTORY_FLAGS;
}

/* It ends, and is printable; a word has no blanks either. */
static bool is_text(const char *text, size_t size, char least)
{
	size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
		if (text[i] < least || text[i] > '~' || text[i] == '"' ||
		    text[i] == '\\')
			return false;
	return length < size;
}

bool history_is_freeze(const struct history_freeze *freeze)
{
	return freeze->checksum == sum_up(freeze, sizeof(*freeze)) &&
	       freeze->pid > 0 && freeze->sequence &&
	       freeze->boottime_ms < UINT64_MAX / 1000 &&
	       freeze->is_over <= 1 &&
	       memchr(freeze->command, '\0', sizeof(freeze->command)) &&
	       is_text(freeze->class, sizeof(freeze->class), '!') &&
	       is_text(freeze->method, sizeof(freeze->method), '!') &&
	       is_text(freeze->reason, sizeof(freeze->reason), ' ');
}

/* What the head of a file of this boot is. */
static void make_head(int proc, struct head *head)
{
	static const char format[] = "thrash-protect history 1\n";
	char buffer[64];
	struct span text;

	*head = (struct head){.format = ""};
	memcpy(head->format, format, sizeof(format));
	if (file_read_at(proc, "sys/kernel/random/boot_id", buffer,
			 sizeof(buffer), &text) == 0)
		(void)span_copy(span_trim(span_line(&text)), head->boot,
				sizeof(head->boot));
}

static bool read_at(int file, void *bytes, size_t size, off_t at)
{
	ssize_t count;

	do
		count = pread(file, bytes, size, at);
	while (count < 0 && errno == EINTR);
	return count >= 0 && (size_t)count == size;
}

static int write_at(int file, const void *bytes, size_t size, off_t at)
{
	ssize_t count;

	do
		count = pwrite(file, bytes, size, at);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	return (size_t)count == size ? 0 : -ENOSPC;
}

/*
 * What lies in memory, as /run does, is of this boot.  In a container it may
 * have another name for whom systemd gives /proc/sys anew.
 */
static bool is_in_memory(int file)
{
	struct statfs status;

	return fstatfs(file, &status) == 0 && status.f_type == TMPFS_MAGIC;
}

/*
 * 0, or what is wrong with an open file; -ESTALE: nothing, but that it is of
 * an earlier boot.  owner may write it, besides root and us.
 */
static int examine(int file, uid_t owner, int proc, struct problem *problem)
{
	struct stat status;
	struct head wanted, head;

	make_head(proc, &wanted);
	if (fstat(file, &status) != 0)
		return problem_set(problem, -errno, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return problem_set(problem, -EINVAL, "it is not a file");
	if (!file_is_trusted(file, &owner))
		return problem_set(problem, -EPERM,
				   "others than root can write it");
	if (status.st_size == SIZE && !read_at(file, &head, sizeof(head), 0))
		return problem_set(problem, -EIO, "it cannot be read");
	if (status.st_size != SIZE ||
	    memcmp(head.format, wanted.format, sizeof(head.format)) != 0)
		return problem_set(problem, -EINVAL, "it is not a history");
	if (memcmp(head.boot, wanted.boot, sizeof(head.boot)) != 0 &&
	    !is_in_memory(file))
		return problem_set(problem, -ESTALE,
				   "it is of an earlier boot");
	return 0;
}

int history_open(struct history *history, const char *run_dir, int proc,
		 struct problem *problem)
{
	struct problem why;
	uid_t owner;
	int directory = state_open_directory(run_dir, &owner, problem);
	int error = 0;

	history->file = -1;
	if (directory < 0)
		return directory;
	history->file = file_open_at(directory, NAME);
	(void)close(directory);
	if (history->file < 0)
		error = problem_set(&why, history->file, "%s",
				    strerror(-history->file));
	else
		error = examine(history->file, owner, proc, &why);
	if (!error)
		return 0;
	history_close(history);
	return problem_set(problem, error == -ESTALE ? -ENOENT : error,
			   "%s/" NAME ": %s", run_dir, why.text);
}

/* Only what is a file is opened, because that alone can do things. */
static int open_for_writing(int directory, int proc, struct problem *problem)
{
	struct stat status;
	int file = -1, error = 0;

	problem->text[0] = '\0';
	if (fstatat(directory, NAME, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? -ENOENT
				       : problem_set(problem, -errno, "%s",
						     strerror(errno));
	if (!S_ISREG(status.st_mode))
		return problem_set(problem, -EINVAL, "it is not a file");
	if (status.st_nlink != 1)
		return problem_set(problem, -EMLINK, "it has other names");
	file = openat(directory, NAME,
		      O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return problem_set(problem, -errno, "%s", strerror(errno));
	error = examine(file, geteuid(), proc, problem);
	if (!error)
		return file;
	(void)close(file);
	return error;
}

static int create(int directory, int proc)
{
	struct file_replacement replacement;
	struct head head;
	int error = file_replacement_open(&replacement, directory, NAME);

	if (error)
		return error;
	make_head(proc, &head);
	if (ftruncate(replacement.file, SIZE) != 0)
		error = -errno;
	if (!error)
		error = write_at(replacement.file, &head, sizeof(head), 0);
	return file_replacement_close(&replacement, error, 0644, NULL);
}

/* What is there is none, or somebody else's; not that it cannot be looked at.
 */
static bool is_to_be_replaced(int error)
{
	switch (error) {
	case -ENOENT:
	case -ESTALE:
	case -EINVAL:
	case -EPERM:
	case -EACCES:
	case -ELOOP:
	case -EMLINK:
		return true;
	default:
		return false;
	}
}

int history_open_own(struct history *history, int directory, int proc,
		     struct problem *problem)
{
	struct problem again;
	int file = open_for_writing(directory, proc, problem);
	int error = file < 0 ? file : 0;

	history->file = -1;
	if (is_to_be_replaced(error)) {
		if (error == -ENOENT || error == -ESTALE)
			problem->text[0] = '\0';
		error = create(directory, proc);
		(void)problem_set(&again, 0, "%s", strerror(-error));
		if (!error)
			file = open_for_writing(directory, proc, &again);
		if (!error && file < 0)
			error = file;
		if (error)
			*problem = again;
	}
	if (!error)
		history->file = file;
	return error;
}

bool history_is_there(const struct history *history, int directory)
{
	struct stat status, found;

	return history->file >= 0 && fstat(history->file, &status) == 0 &&
	       status.st_nlink == 1 && status.st_size == SIZE &&
	       fstatat(directory, NAME, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       found.st_ino == status.st_ino && found.st_dev == status.st_dev;
}

void history_close(struct history *history)
{
	if (history->file >= 0)
		(void)close(history->file);
	history->file = -1;
}

static off_t place_of(const struct ring *ring, uint64_t number)
{
	return ring->at +
	       (off_t)(number % ring->slots * sizeof(struct history_record));
}

bool history_read(const struct history *history, enum history_ring which,
		  uint64_t number, struct history_record *record)
{
	const struct ring *ring = &rings[which];

	return read_at(history->file, record, sizeof(*record),
		       place_of(ring, number)) &&
	       history_is_record(record) &&
	       record->boottime_ms / ring->ms == number;
}

static bool has_trouble(const struct history_record *record)
{
	return record->verdict != HISTORY_CALM || record->frozen_processes;
}

/* The fine ones of a minute lie side by side; how many of them are read. */
static size_t read_minute(const struct history *history, uint64_t minute,
			  struct history_record records[HISTORY_RATIO + 1])
{
	const struct ring *ring = &rings[HISTORY_FINE];
	struct history_record coarse, fine[HISTORY_RATIO];
	bool has_coarse =
		history_read(history, HISTORY_COARSE, minute, &coarse);
	size_t count = 0;

	/* of a minute that was calm all the time there are none */
	if ((!has_coarse || has_trouble(&coarse)) &&
	    read_at(history->file, fine, sizeof(fine),
		    place_of(ring, minute * HISTORY_RATIO)))
		for (size_t i = 0; i < HISTORY_RATIO; i++)
			if (history_is_record(&fine[i]) &&
			    fine[i].boottime_ms / HISTORY_FINE_MS ==
				    minute * HISTORY_RATIO + i)
				records[count++] = fine[i];
	if (has_coarse &&
	    (!count || coarse.boottime_ms > records[count - 1].boottime_ms))
		records[count++] = coarse;
	return count;
}

void history_walk(struct history_walk *walk, const struct history *history,
		  uint64_t since_ms, uint64_t until_ms)
{
	walk->history = history;
	walk->at_ms = since_ms;
	walk->until_ms = until_ms;
	walk->minute = since_ms / HISTORY_COARSE_MS;
	walk->count = walk->next = 0;
}

bool history_next(struct history_walk *walk, struct history_record *record)
{
	for (;;) {
		while (walk->next < walk->count) {
			*record = walk->records[walk->next++];
			if (record->boottime_ms <= walk->at_ms)
				continue;
			walk->at_ms = record->boottime_ms;
			return walk->at_ms <= walk->until_ms;
		}
		if (walk->minute > walk->until_ms / HISTORY_COARSE_MS)
			return false;
		walk->count = read_minute(walk->history, walk->minute++,
					  walk->records);
		walk->next = 0;
	}
}

/* The worse of the two. */
#define WORSE(field) later->field > record->field ? later->field : record->field

void history_merge(struct history_record *record,
		   const struct history_record *later)
{
	struct history_record both = *later;

	both.lacked_kib = WORSE(lacked_kib);
	both.longest_frozen_ms = WORSE(longest_frozen_ms);
	both.frozen_processes = WORSE(frozen_processes);
	both.stall_permille = WORSE(stall_permille);
	both.verdict = WORSE(verdict);
	both.flags |= record->flags & HISTORY_IS_CONFINED;
	both.lacked_ms = (uint32_t)lesser(
		(uint64_t)record->lacked_ms + later->lacked_ms, UINT32_MAX);
	*record = both;
}

static int add_to(const struct history *history, enum history_ring which,
		  const struct history_record *record)
{
	uint64_t number = record->boottime_ms / rings[which].ms;
	struct history_record all;

	if (history_read(history, which, number, &all))
		history_merge(&all, record);
	else
		all = *record;
	history_seal_record(&all);
	return write_at(history->file, &all, sizeof(all),
			place_of(&rings[which], number));
}

int history_add(const struct history *history,
		const struct history_record *record)
{
	uint64_t minute = record->boottime_ms / HISTORY_COARSE_MS;
	int error = add_to(history, HISTORY_COARSE, record);
	struct history_record all;

	/* or the calm that follows would seem as bad as what was before it */
	if (!error && history_read(history, HISTORY_COARSE, minute, &all) &&
	    has_trouble(&all))
		error = add_to(history, HISTORY_FINE, record);
	return error;
}

/* What of a sample is always there, and what a flag stands for. */
void history_set_sample(struct history_record *record,
			const struct sample *sample)
{
	const struct vmstat *vmstat = &sample->vmstat;

	record->major_faults = vmstat->major_faults;
	record->swapped_in = vmstat->swapped_in;
	record->swapped_out = vmstat->swapped_out;
	record->refaulted_anon = vmstat->refaulted_anon;
	record->refaulted_file = vmstat->refaulted_file;
	record->memory_some_us = sample->memory.some_us;
	record->memory_full_us = sample->memory.full_us;
	record->io_some_us = sample->io.some_us;
	record->io_full_us = sample->io.full_us;
	record->flags &= HISTORY_IS_CONFINED;
	record->flags |=
		(uint8_t)((vmstat->has_swap ? HISTORY_HAS_SWAP : 0) |
			  (vmstat->has_refaults_anon ? HISTORY_HAS_REFAULTS_ANON
						     : 0) |
			  (vmstat->has_refaults_file ? HISTORY_HAS_REFAULTS_FILE
						     : 0) |
			  (sample->has_memory ? HISTORY_HAS_MEMORY : 0) |
			  (sample->has_io ? HISTORY_HAS_IO : 0));
}

void history_get_sample(const struct history_record *record,
			struct sample *sample)
{
	*sample = (struct sample){
		.time_us = record->boottime_ms * 1000,
		.vmstat = {.major_faults = record->major_faults,
			   .swapped_in = record->swapped_in,
			   .swapped_out = record->swapped_out,
			   .refaulted_anon = record->refaulted_anon,
			   .refaulted_file = record->refaulted_file,
			   .has_swap = record->flags & HISTORY_HAS_SWAP,
			   .has_refaults_anon =
				   record->flags & HISTORY_HAS_REFAULTS_ANON,
			   .has_refaults_file =
				   record->flags & HISTORY_HAS_REFAULTS_FILE},
		.memory = {.some_us = record->memory_some_us,
			   .full_us = record->memory_full_us},
		.io = {.some_us = record->io_some_us,
		       .full_us = record->io_full_us},
		.has_memory = record->flags & HISTORY_HAS_MEMORY,
		.has_io = record->flags & HISTORY_HAS_IO,
	};
}

/* How much a total of the daemon's, which may have begun anew, has grown. */
static uint64_t growth(uint64_t before, uint64_t after, bool is_same)
{
	if (!is_same)
		return after;
	return after > before ? after - before : 0;
}

/* The totals of a record against the one before; NULL: there is none. */
static void add_totals(struct history_sum *sum,
		       const struct history_record *before,
		       const struct history_record *record, uint64_t since_ms)
{
	static const struct history_record zero = {.checksum = 0};
	bool is_same = before && before->started_ms == record->started_ms;

	if (!is_same && record->started_ms < since_ms)
		return; /* how much of it is of that time, nobody knows */
	if (!before)
		before = &zero;
	sum->thrash_us += growth(before->thrash_us_total,
				 record->thrash_us_total, is_same);
	sum->frozen_us += growth(before->frozen_us_total,
				 record->frozen_us_total, is_same);
	sum->freezes +=
		growth(before->freezes_total, record->freezes_total, is_same);
}

/* As far as two moments are not so far apart that nobody watched. */
static uint64_t covered(uint64_t since_ms, uint64_t until_ms)
{
	uint64_t ms = until_ms - since_ms;

	return ms <= HISTORY_GAP_MS ? ms : 0;
}

/* From the coarse ring, in which each moment is only once. */
static uint64_t sum_lacked_ms(const struct history *history, uint64_t since_ms,
			      uint64_t until_ms)
{
	uint64_t sum = 0;

	for (uint64_t number = since_ms / HISTORY_COARSE_MS;
	     number <= until_ms / HISTORY_COARSE_MS; number++) {
		struct history_record record;

		if (history_read(history, HISTORY_COARSE, number, &record) &&
		    record.boottime_ms > since_ms &&
		    record.boottime_ms <= until_ms)
			sum += record.lacked_ms;
	}
	return lesser(sum, until_ms - since_ms);
}

void history_add_up(const struct history *history, uint64_t since_ms,
		    uint64_t until_ms, struct history_sum *sum)
{
	struct history_walk walk;
	uint64_t covered_ms = since_ms;
	struct history_record before, record;
	bool has_before = false;

	*sum = (struct history_sum){.records = 0};
	/* the totals are compared with those of the last record before */
	history_walk(&walk, history,
		     since_ms - lesser(since_ms, HISTORY_GAP_MS), until_ms);
	while (history_next(&walk, &record)) {
		if (record.boottime_ms > since_ms) {
			add_totals(sum, has_before ? &before : NULL, &record,
				   since_ms);
			sum->covered_ms +=
				covered(covered_ms, record.boottime_ms);
			covered_ms = record.boottime_ms;
			if (sum->records++)
				history_merge(&sum->worst, &record);
			else
				sum->worst = record;
		}
		before = record;
		has_before = true;
	}
	if (has_before)
		sum->covered_ms += covered(covered_ms, until_ms);
	sum->lacked_ms = sum_lacked_ms(history, since_ms, until_ms);
}

static off_t place_of_freeze(uint64_t sequence)
{
	return FREEZES_AT + (off_t)(sequence % HISTORY_FREEZES *
				    sizeof(struct history_freeze));
}

bool history_find_freeze(const struct history *history, uint64_t sequence,
			 struct history_freeze *freeze)
{
	return sequence &&
	       read_at(history->file, freeze, sizeof(*freeze),
		       place_of_freeze(sequence)) &&
	       freeze->sequence == sequence && history_is_freeze(freeze);
}

/* What lies at a place of the ring; 0: nothing that is one. */
static uint64_t sequence_at(const struct history *history, uint64_t place)
{
	struct history_freeze freeze;

	return read_at(history->file, &freeze, sizeof(freeze),
		       place_of_freeze(place)) &&
			       history_is_freeze(&freeze) &&
			       freeze.sequence % HISTORY_FREEZES == place
		       ? freeze.sequence
		       : 0;
}

/* Rising by one from place 1 on, as far as the last: where that is. */
static uint64_t guess_last(const struct history *history, uint64_t first)
{
	uint64_t low = 0, high = HISTORY_FREEZES;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (sequence_at(history, (middle + 1) % HISTORY_FREEZES) ==
		    first + middle)
			low = middle;
		else
			high = middle;
	}
	return first + low;
}

/* Whether what follows is older, and nothing that was damaged. */
static bool is_last(const struct history *history, uint64_t sequence)
{
	struct history_freeze next;
	uint64_t place = (sequence + 1) % HISTORY_FREEZES;

	if (!read_at(history->file, &next, sizeof(next),
		     place_of_freeze(place)))
		return false;
	return !next.sequence ||
	       sequence_at(history, place) + HISTORY_FREEZES == sequence + 1;
}

uint64_t history_last_freeze(const struct history *history)
{
	uint64_t last = sequence_at(history, 1);

	if (last)
		last = guess_last(history, last);
	if (last && is_last(history, last))
		return last;
	for (uint64_t place = 0; place < HISTORY_FREEZES; place++)
		last = greater(last, sequence_at(history, place));
	return last;
}

int history_write_freeze(const struct history *history,
			 struct history_freeze *freeze)
{
	history_seal_freeze(freeze);
	return write_at(history->file, freeze, sizeof(*freeze),
			place_of_freeze(freeze->sequence));
}

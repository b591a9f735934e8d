/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the rows of all processes and reads those that are due. */
#include "core/census.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LIST_BYTES = 16 * 1024, /* some 600 entries in one call */
	ROOM_STEP = 512,        /* rows; memory is locked, so not too many */
	/* How quiet one can get: due in 2^2 and in 2^4 looks. */
	QUIET_BIG = 2,
	QUIET_SMALL = 4,
};

/* What getdents64() gives. */
struct entry {
	uint64_t inode;
	uint64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

static void *map(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

static void unmap(void *start, size_t bytes)
{
	if (start)
		(void)munmap(start, bytes);
}

int census_init(struct census *census, size_t capacity)
{
	struct process_table *tables[] = {&census->now, &census->before};

	*census = (struct census){
		.directory = -1,
		.page_kib = (unsigned)(sysconf(_SC_PAGESIZE) / 1024),
		.tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK),
		.room = ROOM_STEP,
	};
	census->rows = map(census->room * sizeof(*census->rows));
	for (size_t i = 0; i < 2; i++) {
		tables[i]->rows = map(capacity * sizeof(*tables[i]->rows));
		tables[i]->capacity = capacity;
	}
	if (census->rows && census->now.rows && census->before.rows)
		return 0;
	census_close(census);
	return -ENOMEM;
}

int census_open(struct census *census, int proc, pid_t self)
{
	int error = census_init(census, CENSUS_READS);

	if (error)
		return error;
	census->directory =
		openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (census->directory < 0) {
		error = -errno;
		census_close(census);
		return error;
	}
	census->kin_count =
		process_read_kin(census->directory, self, census->page_kib,
				 census->kin, CENSUS_KIN);
	return 0;
}

void census_close(struct census *census)
{
	if (census->directory >= 0)
		(void)close(census->directory);
	unmap(census->rows, census->room * sizeof(*census->rows));
	unmap(census->now.rows,
	      census->now.capacity * sizeof(*census->now.rows));
	unmap(census->before.rows,
	      census->before.capacity * sizeof(*census->before.rows));
	*census = (struct census){.directory = -1};
}

static bool is_fresh(const struct census *census, uint64_t us)
{
	return us <= census->looked_us &&
	       census->looked_us - us <= UINT64_C(1000) * CENSUS_FRESH_MS;
}

void census_begin(struct census *census, uint64_t now_us)
{
	bool is_late =
		census->looked_us + UINT64_C(1000) * CENSUS_FRESH_MS < now_us;

	census->looked_us = now_us;
	census->now.count = census->before.count = census->reads = 0;
	for (size_t i = 0; i < census->count; i++) {
		struct census_row *row = &census->rows[i];

		if (is_late)
			row->due_in = 0; /* it may have changed since */
		else if (row->due_in)
			row->due_in--;
	}
}

/* Where pid is, or would be. */
static size_t find_index(const struct census *census, pid_t pid)
{
	size_t low = 0, high = census->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (census->rows[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct census_row *find_row(const struct census *census, pid_t pid)
{
	size_t index = find_index(census, pid);

	return index < census->count && census->rows[index].pid == pid
		       ? &census->rows[index]
		       : NULL;
}

/* How many of the wanted rows there is room for. */
static size_t make_room(struct census *census, size_t wanted)
{
	size_t steps = (census->count + wanted + ROOM_STEP - 1) / ROOM_STEP;
	size_t room = steps * ROOM_STEP;

	if (room > CENSUS_ROWS)
		room = CENSUS_ROWS;
	if (room > census->room) {
		void *rows = mremap(
			census->rows, census->room * sizeof(*census->rows),
			room * sizeof(*census->rows), MREMAP_MAYMOVE);

		if (rows != MAP_FAILED) {
			census->rows = rows;
			census->room = room;
		}
	}
	room = census->room - census->count;
	return wanted < room ? wanted : room;
}

/* Adds rows for new pids, in order, in one walk from behind. */
static void add_pids(struct census *census, const pid_t *pids, size_t count)
{
	struct census_row *rows;
	size_t fitting = make_room(census, count), from = census->count;
	size_t to = from + fitting;

	census->left_out += count - fitting;
	census->unread += fitting;
	census->count = to;
	rows = census->rows;
	while (to > from)
		if (from && rows[from - 1].pid > pids[fitting - 1])
			rows[--to] = rows[--from];
		else
			rows[--to] = (struct census_row){.pid = pids[--fitting],
							 .is_listed = true};
}

/* A real /proc is sorted; of another file system this mends the order. */
static void sort_pids(pid_t *pids, size_t count)
{
	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			pid_t pid = pids[i];
			size_t at = i;

			for (; at >= gap && pids[at - gap] > pid; at -= gap)
				pids[at] = pids[at - gap];
			pids[at] = pid;
		}
}

/* Marks who is listed, and adds who is new. */
static void note_entries(struct census *census, const char *buffer,
			 size_t length)
{
	pid_t added[LIST_BYTES / sizeof(struct entry)];
	size_t added_count = 0;

	for (size_t at = 0; at < length;) {
		const struct entry *entry = (const void *)(buffer + at);
		struct census_row *row;
		pid_t pid;

		at += entry->length;
		if (span_to_pid(span_of(entry->name), &pid) != 0)
			continue;
		row = find_row(census, pid);
		if (row)
			row->is_listed = true;
		else
			added[added_count++] = pid;
	}
	sort_pids(added, added_count);
	add_pids(census, added, added_count);
}

/* The whole listing was seen: drops who is not in it, and begins anew. */
static void end_pass(struct census *census)
{
	size_t kept = 0;

	for (size_t i = 0; i < census->count; i++) {
		struct census_row *row = &census->rows[i];

		if (!row->is_listed) {
			census->unread -= !row->seen_us;
			continue;
		}
		row->is_listed = false;
		census->rows[kept++] = *row;
	}
	census->count = kept;
	(void)lseek(census->directory, 0, SEEK_SET);
}

/* Goes on with the listing. */
static int list(struct census *census)
{
	_Alignas(struct entry) char buffer[LIST_BYTES];

	for (size_t bytes = 0; bytes < CENSUS_LIST_BYTES;) {
		long length = syscall(SYS_getdents64, census->directory, buffer,
				      sizeof(buffer));

		if (length < 0)
			return -errno;
		if (length == 0) {
			end_pass(census);
			return 0;
		}
		note_entries(census, buffer, (size_t)length);
		bytes += (size_t)length;
	}
	return 0;
}

static enum census_kind kind_of(const struct census_row *row)
{
	if (!row->seen_us)
		return CENSUS_UNREAD;
	return row->quiet ? CENSUS_QUIET : CENSUS_LIVELY;
}

/* Chooses those of a kind who are due; how many. */
static size_t choose(struct census *census, enum census_kind kind, size_t quota)
{
	size_t *next = &census->next[kind];
	size_t chosen = 0;

	for (size_t i = 0; i < census->count && chosen < quota; i++) {
		struct census_row *row;

		if (!*next || *next > census->count)
			*next = census->count;
		row = &census->rows[--*next];
		if (row->due_in || row->is_chosen || kind_of(row) != kind)
			continue;
		row->is_chosen = true;
		chosen++;
	}
	return chosen;
}

static size_t choose_kin(struct census *census)
{
	size_t chosen = 0;

	for (size_t i = 0; i < census->kin_count; i++) {
		struct census_row *row = find_row(census, census->kin[i]);

		if (!row || row->is_chosen)
			continue;
		row->is_chosen = true;
		chosen++;
	}
	return chosen;
}

static void choose_all(struct census *census)
{
	size_t chosen = choose_kin(census);

	chosen += choose(census, CENSUS_LIVELY, CENSUS_READS / 2 - chosen);
	chosen += choose(census, CENSUS_UNREAD, CENSUS_READS - chosen);
	(void)choose(census, CENSUS_QUIET, CENSUS_READS - chosen);
}

/* Remembers what was read; is_known: there is something to compare with. */
static void update_row(struct census *census, struct census_row *row,
		       const struct process *process, bool is_known,
		       const struct process *was)
{
	bool is_big = process->resident_kib >= CENSUS_BIG_KIB;
	bool has_grown =
		is_known &&
		process->resident_kib >= was->resident_kib + CENSUS_GROWTH_KIB;
	bool has_faulted =
		!is_known || process->major_faults > was->major_faults;
	uint8_t limit = is_big ? QUIET_BIG : QUIET_SMALL;

	if (has_grown || process->state == 'D' || (is_big && has_faulted))
		row->quiet = 0;
	else if (has_faulted)
		row->quiet = QUIET_BIG;
	else if (row->quiet < limit)
		row->quiet++;
	else
		row->quiet = limit;
	row->due_in = (uint8_t)(1U << row->quiet);
	row->start_time = process->start_time;
	row->major_faults = process->major_faults;
	row->resident_kib = process->resident_kib;
	census->unread -= !row->seen_us;
	row->seen_us = census->looked_us;
}

static void see(struct census *census, struct census_row *row,
		const struct process *process)
{
	bool is_same = row->seen_us && row->start_time == process->start_time;
	bool is_young = !is_same &&
			is_fresh(census, process->start_time * census->tick_us);
	struct process was = *process;

	if (is_same || is_young) {
		was.major_faults = is_same ? row->major_faults : 0;
		was.resident_kib = is_same ? row->resident_kib : 0;
	}
	census->now.rows[census->now.count++] = *process;
	if (is_young || (is_same && is_fresh(census, row->seen_us)))
		census->before.rows[census->before.count++] = was;
	update_row(census, row, process, is_same || is_young, &was);
}

int census_see(struct census *census, const struct process *process)
{
	struct census_row *row = find_row(census, process->pid);

	if (census->now.count == census->now.capacity)
		return -ENOSPC;
	if (!row) {
		add_pids(census, &process->pid, 1);
		row = find_row(census, process->pid);
	}
	if (!row)
		return -ENOSPC;
	see(census, row, process);
	return 0;
}

static void read_row(struct census *census, struct census_row *row)
{
	struct process process;

	census->reads++;
	row->is_chosen = false;
	if (process_read(census->directory, row->pid, census->page_kib,
			 &process) == 0 &&
	    !process_is_kernel_thread(&process) && !process_is_dead(&process)) {
		see(census, row, &process);
		return;
	}
	/* nobody to freeze; it may be another one's pid later */
	census->unread -= !row->seen_us;
	*row = (struct census_row){
		.pid = row->pid,
		.start_time = UINT64_MAX,
		.seen_us = census->looked_us,
		.quiet = QUIET_SMALL,
		.due_in = 1U << QUIET_SMALL,
		.is_listed = row->is_listed,
	};
}

int census_scan(struct census *census)
{
	int error = list(census);

	if (error)
		return error;
	choose_all(census);
	for (size_t i = 0; i < census->count; i++)
		if (census->rows[i].is_chosen)
			read_row(census, &census->rows[i]);
	return 0;
}

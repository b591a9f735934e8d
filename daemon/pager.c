/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread that moves memory. */
#include "daemon/pager.h"

#include "core/number.h"
#include "core/process.h"
#include "daemon/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Numbers and advice of Linux 5.10, for older headers. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* PAGEMAP_SCAN of Linux 6.7; Documentation/admin-guide/mm/pagemap.rst */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags;
	uint64_t start, end, walk_end;
	uint64_t regions, region_count, most_pages; /* regions: an address */
	uint64_t inverted, all_of, any_of, wanted;  /* bits of categories */
};

#define SCAN _IOWR('f', 16, struct scan)

enum {
	TEXT_PIECE = 4096,
	MAP_PIECE = 512, /* entries of pagemap: 2 MiB of addresses */
	PAGE = 4096,
	KIB = 1024,
	/* Of these, looked at in a step: a hole of TB takes many steps. */
	SEEK_PIECES = 256,
};

/* Of pagemap, and the same as a category of a scan. */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_CATEGORY(kind) ((kind) == PAGE_PRESENT ? 1U << 3 : 1U << 4)

/* A walk over the private writable memory of a process, in address order. */
struct walk {
	struct pager_target target;
	int pidfd, maps, pagemap; /* owned; -1: it is over */
	bool cannot_scan;         /* this kernel; until 6.7 */
	char text[TEXT_PIECE];
	size_t used, at;
	uint64_t next, end; /* what is left of the current mapping */
	uint64_t map[MAP_PIECE];
	uint64_t map_start; /* the address of its first entry */
	size_t map_count;
};

#define WALK_CLOSED                                    \
	{                                              \
		.pidfd = -1, .maps = -1, .pagemap = -1 \
	}

static void walk_close(struct walk *walk)
{
	const int files[] = {walk->pidfd, walk->maps, walk->pagemap};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i] >= 0)
			(void)close(files[i]);
	walk->pidfd = walk->maps = walk->pagemap = -1;
}

static int open_file(int proc, pid_t pid, const char *name)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	return openat(proc, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool walk_open(struct walk *walk, int proc,
		      const struct pager_target *target)
{
	*walk = (struct walk)WALK_CLOSED;
	walk->target = *target;
	if (!target->pid)
		return false;
	walk->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	walk->maps = open_file(proc, target->pid, "maps");
	walk->pagemap = open_file(proc, target->pid, "pagemap");
	/* looked at last: now all three are of this very process */
	if (walk->pidfd >= 0 && walk->maps >= 0 && walk->pagemap >= 0 &&
	    process_is_alive(proc, target->pid, target->start_time))
		return true;
	walk_close(walk);
	return false;
}

/* The next line of maps, without its newline; false at the end. */
static bool walk_line(struct walk *walk, struct span *line)
{
	for (;;) {
		struct span rest = {walk->text + walk->at,
				    walk->used - walk->at};

		if (span_split(&rest, '\n', line)) {
			walk->at = (size_t)(rest.start - walk->text);
			return true;
		}
		memmove(walk->text, rest.start, rest.length);
		walk->used = rest.length;
		walk->at = 0;

		ssize_t count = read(walk->maps, walk->text + walk->used,
				     sizeof(walk->text) - walk->used);

		if (count <= 0)
			return false;
		walk->used += (size_t)count;
	}
}

static int parse_hex(struct span span, uint64_t *value)
{
	*value = 0;
	if (!span.length || span.length > 16)
		return -EINVAL;
	for (size_t i = 0; i < span.length; i++) {
		char c = span.start[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			return -EINVAL;
		*value = *value * 16 + (uint64_t)digit;
	}
	return 0;
}

/* "7f12a000-7f12b000 rw-p 00000000 00:00 0 [heap]" */
static bool walk_mapping(struct walk *walk)
{
	struct span line;

	while (walk_line(walk, &line)) {
		struct span range = span_word(&line), low;
		struct span rights = span_word(&line);

		if (rights.length == 4 && rights.start[1] == 'w' &&
		    rights.start[3] == 'p' && span_split(&range, '-', &low) &&
		    parse_hex(low, &walk->next) == 0 &&
		    parse_hex(range, &walk->end) == 0)
			return true;
	}
	return false;
}

/* What pagemap says of the page at an address; 0 if it cannot be read. */
static uint64_t walk_page(struct walk *walk, uint64_t address)
{
	uint64_t index = (address - walk->map_start) / PAGE;

	if (address < walk->map_start || index >= walk->map_count) {
		ssize_t length =
			pread(walk->pagemap, walk->map, sizeof(walk->map),
			      (off_t)(address / PAGE * sizeof(*walk->map)));

		walk->map_start = address;
		walk->map_count =
			length > 0 ? (size_t)length / sizeof(*walk->map) : 0;
		index = 0;
	}
	return walk->map_count ? walk->map[index] : 0;
}

enum seek { SEEK_FOUND, SEEK_ON, SEEK_OVER };

/*
 * Moves on to the next page of a kind in the current mapping, or to its end.
 * The kernel passes over a hole of terabytes at once, where reading pagemap
 * takes seconds for each.  False where it cannot.
 */
static bool walk_scan(struct walk *walk, uint64_t kind)
{
	struct scan_region region;
	struct scan scan = {
		.size = sizeof(scan),
		.start = walk->next,
		.end = walk->end,
		.regions = (uintptr_t)&region,
		.region_count = 1,
		.most_pages = 1,
		.any_of = PAGE_CATEGORY(kind),
		.wanted = PAGE_CATEGORY(kind),
	};
	int found = walk->cannot_scan ? -1 : ioctl(walk->pagemap, SCAN, &scan);

	walk->cannot_scan = found < 0;
	if (found >= 0)
		walk->next = found ? region.start : walk->end;
	return found >= 0;
}

/*
 * Moves on to the next page of a kind, over the holes that programs with
 * terabytes of reserved addresses have; SEEK_ON: none so far.
 */
static enum seek walk_seek(struct walk *walk, uint64_t kind)
{
	if (walk->next >= walk->end && !walk_mapping(walk))
		return SEEK_OVER;
	if (walk_scan(walk, kind))
		return walk->next < walk->end ? SEEK_FOUND : SEEK_ON;
	for (int i = 0; i < SEEK_PIECES * MAP_PIECE && walk->next < walk->end;
	     i++) {
		if (walk_page(walk, walk->next) & kind)
			return SEEK_FOUND;
		if (!walk->map_count)
			return SEEK_OVER; /* the process has ended */
		walk->next += PAGE;
	}
	return SEEK_ON;
}

/* Advises the next step from where the walk is. */
static uint64_t walk_advise(struct walk *walk, uint64_t step, int advice)
{
	uint64_t length = walk->end - walk->next;

	if (length > step)
		length = step;

	struct iovec range = {
		/* an address in another process */
		.iov_base = (void *)(uintptr_t)walk->next,
		.iov_len = length,
	};

	/* what cannot be advised is passed over */
	(void)syscall(SYS_process_madvise, walk->pidfd, &range, 1, advice, 0);
	walk->next += length;
	return length;
}

/*
 * Maps the swapped pages before walk->next that were brought in just now, as
 * if the process had touched them: else they would be the first to be evicted
 * again.  One byte of each is read.  How many there are.
 */
static size_t touch(struct walk *walk, uint64_t length)
{
	enum { PAGES = PAGER_IN_STEP_KIB * KIB / PAGE };
	char bytes[PAGES];
	struct iovec local = {.iov_base = bytes}, remote[PAGES];

	for (uint64_t at = walk->next - length;
	     at < walk->next && local.iov_len < PAGES; at += PAGE)
		if (walk_page(walk, at) & PAGE_SWAPPED)
			remote[local.iov_len++] = (struct iovec){
				.iov_base = (void *)(uintptr_t)at,
				.iov_len = 1};
	if (local.iov_len)
		(void)process_vm_readv(walk->target.pid, &local, 1, remote,
				       local.iov_len, 0);
	return local.iov_len;
}

/* One plan as it is carried out. */
struct run {
	struct pager *pager;
	const struct pager_plan *plan;
	uint64_t number;
	struct walk out, in;
	size_t out_next, in_next; /* the targets after those of the walks */
	uint64_t out_left_kib, room_kib;
	bool has_written; /* since it last waited for that */
	int waits;        /* in all */
};

static bool is_current(const struct run *run)
{
	struct pager *pager = run->pager;

	(void)pthread_mutex_lock(&pager->lock);

	bool is_same = pager->plan_number == run->number && !pager->is_ending;

	(void)pthread_mutex_unlock(&pager->lock);
	return is_same;
}

static uint64_t swapped_kib(const struct run *run, const struct walk *walk)
{
	struct process process = {.pid = walk->target.pid};

	return process_read_memory(run->pager->proc, &process) == 0
		       ? process.swapped_kib
		       : 0;
}

static void mark_cold(struct run *run)
{
	const struct pager_targets *out = &run->plan->out;

	for (size_t i = 0; i < out->count; i++) {
		if (!walk_open(&run->out, run->pager->proc, &out->items[i]))
			continue;
		while (is_current(run) && walk_mapping(&run->out))
			while (is_current(run) && run->out.next < run->out.end)
				(void)walk_advise(&run->out,
						  PAGER_COLD_STEP_KIB * KIB,
						  MADV_COLD);
		walk_close(&run->out);
	}
}

/* What a step can do. */
enum step {
	STEP_MOVE, /* the walk is where there is something to move */
	STEP_ON,   /* not yet */
	STEP_OVER, /* there is nothing more */
};

/* Walks on to a page of a kind, through one target after the other. */
static enum step walk_on(const struct run *run, struct walk *walk,
			 const struct pager_targets *targets, size_t *next,
			 uint64_t kind)
{
	if (walk->pidfd < 0) {
		if (*next == targets->count)
			return STEP_OVER;
		(void)walk_open(walk, run->pager->proc,
				&targets->items[(*next)++]);
		return STEP_ON;
	}
	switch (walk_seek(walk, kind)) {
	case SEEK_OVER:
		walk_close(walk);
		break;
	case SEEK_FOUND:
		return STEP_MOVE;
	case SEEK_ON:
		break;
	}
	return STEP_ON;
}

/* 0 where the kernel does not say. */
struct traffic {
	uint64_t writing; /* pages, on their way to any disk */
	uint64_t read;    /* so far, from any, in KiB */
};

/* All this is near the beginning of vmstat. */
static struct traffic traffic_now(int proc)
{
	char text[TEXT_PIECE];
	int file = openat(proc, "vmstat", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, text, sizeof(text));
	struct span rest = {text, length > 0 ? (size_t)length : 0}, line;
	struct traffic traffic = {.writing = 0};

	if (file >= 0)
		(void)close(file);
	while (span_split(&rest, '\n', &line)) {
		struct span name = span_word(&line);

		if (span_equals(name, "nr_writeback"))
			(void)span_to_u64(line, &traffic.writing);
		else if (span_equals(name, "pgpgin"))
			(void)span_to_u64(line, &traffic.read);
	}
	return traffic;
}

static void wait_a_little(void)
{
	const struct timespec pause = {.tv_nsec = PAGER_WAIT_NS};

	(void)nanosleep(&pause, NULL);
}

/*
 * Between two steps out, those who wait for a page of their own come first: a
 * disk that always has a megabyte more to write lets them wait ten times as
 * long for each.
 */
static void give_way(const struct run *run)
{
	struct traffic last = traffic_now(run->pager->proc);

	for (int i = 0; i < PAGER_OUT_WAITS && is_current(run); i++) {
		wait_a_little();

		struct traffic now = traffic_now(run->pager->proc);

		if (now.writing <= PAGER_WRITING && now.read == last.read)
			return;
		last = now;
	}
}

/* A step to swap; false when there is nothing more to move. */
static bool step_out(struct run *run)
{
	struct pager *pager = run->pager;

	if (!run->out_left_kib)
		return false;

	enum step step = walk_on(run, &run->out, &run->plan->out,
				 &run->out_next, PAGE_PRESENT);

	if (step != STEP_MOVE)
		return step == STEP_ON;
	if (run->has_written)
		give_way(run);

	uint64_t before = swapped_kib(run, &run->out);

	for (uint64_t left = PAGER_OUT_STEP_KIB * KIB;
	     left && run->out.next < run->out.end;)
		left -= walk_advise(&run->out,
				    lesser(left, PAGER_OUT_PIECE_KIB * KIB),
				    MADV_PAGEOUT);

	uint64_t after = swapped_kib(run, &run->out);
	uint64_t moved = after > before ? after - before : 0;

	run->out_left_kib -= lesser(moved, run->out_left_kib);
	run->room_kib += moved;
	run->has_written = true;
	atomic_fetch_add(&pager->out_bytes, moved * KIB);
	return true;
}

/*
 * What was moved out only makes room once it is written.  A full cgroup of
 * which all is being written is where the kernel gives up, and kills.
 */
static void await_writing(struct run *run)
{
	while (run->has_written && run->waits++ < PAGER_IN_WAITS &&
	       is_current(run) &&
	       traffic_now(run->pager->proc).writing > PAGER_WRITING)
		wait_a_little();
	run->has_written = false;
}

/* A step from swap; false when all is there. */
static bool step_in(struct run *run)
{
	if (!run->room_kib)
		return false;
	await_writing(run);

	enum step step = walk_on(run, &run->in, &run->plan->in, &run->in_next,
				 PAGE_SWAPPED);

	if (step != STEP_MOVE)
		return step == STEP_ON;

	uint64_t length =
		walk_advise(&run->in, PAGER_IN_STEP_KIB * KIB, MADV_WILLNEED);
	size_t pages = touch(&run->in, length);
	uint64_t moved_kib = pages * PAGE / KIB;

	run->room_kib -= lesser(moved_kib, run->room_kib);
	atomic_fetch_add(&run->pager->in_bytes, pages * PAGE);
	return true;
}

static void carry_out(struct pager *pager, const struct pager_plan *plan,
		      uint64_t number)
{
	struct run run = {
		.pager = pager,
		.plan = plan,
		.number = number,
		.out = WALK_CLOSED,
		.in = WALK_CLOSED,
		.out_left_kib = plan->out_kib,
		.room_kib = plan->room_kib,
	};

	mark_cold(&run);
	walk_close(&run.out);
	while (is_current(&run) && (step_out(&run) || step_in(&run)))
		;
	walk_close(&run.out);
	walk_close(&run.in);
}

static void *work(void *argument)
{
	struct pager *pager = argument;
	uint64_t number = 0;

	(void)resident_keep_stack(PAGER_STACK_USED);
	(void)pthread_mutex_lock(&pager->lock);
	while (!pager->is_ending) {
		if (number == pager->plan_number) {
			(void)pthread_cond_wait(&pager->changed, &pager->lock);
			continue;
		}

		struct pager_plan plan = pager->plan;

		number = pager->plan_number;
		(void)pthread_mutex_unlock(&pager->lock);
		carry_out(pager, &plan, number);
		atomic_store(&pager->done_number, number);
		(void)pthread_mutex_lock(&pager->lock);
	}
	(void)pthread_mutex_unlock(&pager->lock);
	return NULL;
}

int pager_open(struct pager *pager, int proc)
{
	pthread_attr_t attributes;

	pager->proc = proc;
	(void)pthread_mutex_init(&pager->lock, NULL);
	(void)pthread_cond_init(&pager->changed, NULL);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, PAGER_STACK_BYTES);

	int error = pthread_create(&pager->thread, &attributes, work, pager);

	(void)pthread_attr_destroy(&attributes);
	pager->is_running = !error;
	return -error;
}

void pager_end(struct pager *pager)
{
	if (!pager->is_running)
		return;
	(void)pthread_mutex_lock(&pager->lock);
	pager->is_ending = true;
	(void)pthread_cond_signal(&pager->changed);
	(void)pthread_mutex_unlock(&pager->lock);
}

void pager_close(struct pager *pager)
{
	if (!pager->is_running)
		return;
	pager_end(pager);
	(void)pthread_join(pager->thread, NULL);
	pager->is_running = false;
}

uint64_t pager_order(struct pager *pager, const struct pager_plan *plan)
{
	(void)pthread_mutex_lock(&pager->lock);
	pager->plan = *plan;

	uint64_t number = ++pager->plan_number;

	(void)pthread_cond_signal(&pager->changed);
	(void)pthread_mutex_unlock(&pager->lock);
	return number;
}

uint64_t pager_done(const struct pager *pager)
{
	return atomic_load(&pager->done_number);
}

void pager_totals(const struct pager *pager, uint64_t *out_bytes,
		  uint64_t *in_bytes)
{
	*out_bytes = atomic_load(&pager->out_bytes);
	*in_bytes = atomic_load(&pager->in_bytes);
}

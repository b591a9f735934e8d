/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the thread that moves memory on children of our own.  What it moves
 * needs swap; tests/thrash.t sees to that.
 */
#include "daemon/pager.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/process.h"
#include "tests/scratch.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

enum { MEMORY = 4000000 };

/*
 * A child that holds some memory, and is stopped; it ends well if it has the
 * same afterwards.  A shell, because sanitizers reserve terabytes in ours.
 */
static pid_t start_child(int proc, uint64_t *start_time)
{
	static const char script[] =
		"x=$(head -c 4000000 /dev/zero | tr '\\0' a); kill -STOP $$; "
		"test ${#x} = 4000000";
	struct process process;
	int status;
	pid_t child = need(fork(), "fork");

	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	need(waitpid(child, &status, WUNTRACED), "a stopped child");
	need(process_read(proc, child, 4, &process), "stat of a child");
	*start_time = process.start_time;
	return child;
}

/* Waits up to half a minute: the disk may be slow. */
static bool gets_done(const struct pager *pager, uint64_t number)
{
	for (int i = 0; i < 30000; i++) {
		if (pager_done(pager) >= number)
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void test_moving(int proc)
{
	static struct pager pager;
	struct pager_plan plan = {.out_kib = MEMORY / 1024};
	uint64_t start_time;
	int status;
	pid_t child = start_child(proc, &start_time);

	is_int(pager_open(&pager, proc), 0, "the thread starts");
	is_int((int64_t)pager_done(&pager), 0, "nothing is done");
	plan.out.items[0] = (struct pager_target){child, start_time};
	plan.out.count = 1;
	plan.in = plan.out;
	is_int((int64_t)pager_order(&pager, &plan), 1, "plans are counted");
	ok(gets_done(&pager, 1), "a plan is carried out");
	is_int((int64_t)pager_order(&pager, &plan), 2, "so is the next");
	plan.out.items[0].start_time = start_time + 1;
	plan.in = plan.out;
	(void)pager_order(&pager, &plan);
	ok(gets_done(&pager, 3), "a plan for who is gone is soon done");
	plan = (struct pager_plan){.out_kib = 0};
	(void)pager_order(&pager, &plan);
	ok(gets_done(&pager, 4), "an empty plan too");
	pager_close(&pager);
	(void)kill(child, SIGCONT);
	(void)waitpid(child, &status, 0);
	is_int(status, 0, "the memory that was moved is what it was");
}

/*
 * A child that holds two pages, with 16 TB of nothing between them, and is
 * stopped; 0 where so much cannot be had.
 */
static pid_t start_giant(int proc, uint64_t *start_time)
{
	const size_t size = (size_t)16 << 40;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct process process;
	int status;
	pid_t child;

	if (memory == MAP_FAILED)
		return 0;
	child = need(fork(), "fork");
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		memory[0] = memory[size - 1] = 1;
		(void)raise(SIGSTOP);
		_exit(0);
	}
	(void)munmap(memory, size);
	need(waitpid(child, &status, WUNTRACED), "a stopped child");
	need(process_read(proc, child, 4, &process), "stat of a child");
	*start_time = process.start_time;
	return child;
}

static bool has_scan(void)
{
	struct utsname name;
	char *rest = name.release;

	if (uname(&name) != 0)
		return false;

	unsigned long major = strtoul(name.release, &rest, 10);

	return major > 6 ||
	       (major == 6 && *rest == '.' && strtoul(rest + 1, NULL, 10) >= 7);
}

static void test_hole(int proc)
{
	static struct pager pager;
	struct pager_plan plan = {.out_kib = MEMORY / 1024};
	uint64_t start_time, begin_us = clock_boottime_us();
	pid_t child = has_scan() ? start_giant(proc, &start_time) : 0;

	if (!child) {
		skip("Linux 6.7 passes over 16 TB, where they can be had");
		return;
	}
	plan.out.items[0] = (struct pager_target){child, start_time};
	plan.out.count = 1;
	plan.in = plan.out;
	(void)pager_open(&pager, proc);
	(void)pager_order(&pager, &plan);
	ok(gets_done(&pager, 1) && clock_boottime_us() - begin_us < 3000000,
	   "16 TB of reserved addresses are passed over at once");
	pager_close(&pager);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void test_closed(void)
{
	static struct pager pager;
	uint64_t out_bytes = 1, in_bytes = 1;

	pager_close(&pager);
	pager_totals(&pager, &out_bytes, &in_bytes);
	ok(!pager_done(&pager) && !out_bytes && !in_bytes,
	   "one that was never opened moves nothing");
}

/* The system calls of an old kernel: none of them. */
static void test_hopeless_proc(const struct scratch *scratch)
{
	static struct pager pager;
	struct pager_plan plan = {
		.out_kib = 1 << 20,
		.out = {.items = {{getpid(), 1}}, .count = 1},
		.in = {.items = {{getpid(), 1}}, .count = 1},
	};

	is_int(pager_open(&pager, scratch->directory), 0,
	       "a thread without any /proc starts");
	(void)pager_order(&pager, &plan);
	ok(gets_done(&pager, 1), "and gives up what it cannot do");
	pager_close(&pager);
}

/* A tree that says how much is being written, and shows one process. */
static void show_writing(const struct scratch *scratch, pid_t child,
			 const char *vmstat)
{
	char name[16], target[32];

	(void)snprintf(name, sizeof(name), "%d", (int)child);
	(void)snprintf(target, sizeof(target), "/proc/%d", (int)child);
	(void)unlinkat(scratch->directory, name, 0);
	need(symlinkat(target, scratch->directory, name), "symlink");
	scratch_write(scratch->directory, "vmstat", vmstat, strlen(vmstat),
		      0600);
}

/* How long a plan takes, in ms. */
static uint64_t time_plan(const struct scratch *scratch,
			  const struct pager_plan *plan)
{
	static struct pager pager;
	uint64_t begin_us = clock_boottime_us();

	memset(&pager, 0, sizeof(pager));
	(void)pager_open(&pager, scratch->directory);
	(void)pager_order(&pager, plan);
	(void)gets_done(&pager, 1);
	pager_close(&pager);
	return (clock_boottime_us() - begin_us) / 1000;
}

static void test_waiting(const struct scratch *scratch, int proc)
{
	static const char busy[] = "nr_writeback 100000\npgpgin 1\n";
	struct pager_plan plan = {.out_kib = MEMORY / 1024, .room_kib = 4096};
	uint64_t start_time;
	pid_t child = start_child(proc, &start_time);

	plan.out.items[0] = (struct pager_target){child, start_time};
	plan.out.count = 1;
	plan.in = plan.out;
	show_writing(scratch, child, busy);
	ok(time_plan(scratch, &plan) >= 900,
	   "what goes out is waited for, for a second, before more comes in");
	plan.in.count = 0;
	plan.out.items[1] = plan.out.items[0];
	plan.out.count = 2;
	plan.out_kib = 4 * MEMORY;
	ok(time_plan(scratch, &plan) >= 90,
	   "and between steps out, for a tenth of one, for others who read");
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

int main(void)
{
	struct scratch scratch;
	int proc = need(directory_open("/proc"), "/proc");

	scratch_open(&scratch);
	test_moving(proc);
	test_hole(proc);
	test_closed();
	test_hopeless_proc(&scratch);
	test_waiting(&scratch, proc);
	scratch_close(&scratch);
	return done_testing();
}

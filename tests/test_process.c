/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests processes: of other kernels, with odd names, and those of this host. */
#include "core/process.h"

#include "core/file.h"
#include "tests/scratch.h"

#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* What follows the command in PID/stat, up to field 24 and beyond. */
#define REST                                       \
	" 4194560 3147 5 640 6 107 419 0 0 20 0 4" \
	" 0 2040 4831838208 100 18446744073709551615 1 1 0\n"
#define TAIL " S 1 812 811 34816 812" REST

static int open_tree(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "tests/proc/%s", name);
	return need(directory_open(path),
		    "tests/proc (start this at the top of the tree)");
}

static void test_stat(void)
{
	struct process process;

	memset(&process, 0xff, sizeof(process));
	is_int(process_parse_stat(SPAN("812 (java)" TAIL), 4, &process), 0,
	       "a stat file is read");
	is_int(process.pid, 812, "field 1 is the pid");
	is_text(process.command, "java", "field 2 is the command");
	is_int(process.state, 'S', "field 3 is the state");
	is_int(process.parent, 1, "field 4 is the parent");
	is_int(process.group, 812, "field 5 is the group");
	is_int(process.session, 811, "field 6 is the session");
	ok(process.has_terminal && process.is_foreground,
	   "fields 7 and 8 are the terminal and its foreground");
	is_int(process.flags, 4194560, "field 9 are the flags");
	is_int((int64_t)process.major_faults, 640,
	       "field 12 are the major faults, without those of children");
	is_int(process.cpu_ticks, 526, "fields 14 and 15 are the CPU time");
	is_int((int64_t)process.start_time, 2040, "field 22 is the start");
	is_int((int64_t)process.resident_kib, 400,
	       "field 24 is memory, in pages of 4 KiB");
	is_int((int64_t)process.swapped_kib, 0, "what is in swap is unknown");
	(void)process_parse_stat(SPAN("812 (java) S 1 813 811 34816 812" REST),
				 4, &process);
	ok(process.has_terminal && !process.is_foreground,
	   "another group may be in the foreground");
	(void)process_parse_stat(SPAN("812 (java) S 1 812 811 0 -1" REST), 4,
				 &process);
	ok(!process.has_terminal && !process.is_foreground,
	   "there may be no terminal");
	(void)process_parse_stat(SPAN("812 (java)" TAIL), 64, &process);
	is_int((int64_t)process.resident_kib, 6400,
	       "pages may be of another size");
}

static const struct {
	struct span text;
	const char *command;
	const char *name;
} odd_commands[] = {
	{BYTES("7 ()" TAIL), "", "a command may be empty"},
	{BYTES("7 ())" TAIL), ")", "a command may be a parenthesis"},
	{BYTES("7 (()" TAIL), "(", "a command may be an open parenthesis"},
	{BYTES("7 (a) b)" TAIL), "a) b", "a command may hold a parenthesis"},
	{BYTES("7 () R 1 1)" TAIL), ") R 1 1",
	 "a command may look like what follows it"},
	{BYTES("7 (8 (x)" TAIL), "8 (x", "a command may look like a line"},
	{BYTES("7 (a\nb)" TAIL), "a\nb", "a command may hold a newline"},
	{BYTES("7 (\xc3\xa9\xff)" TAIL), "\xc3\xa9\xff",
	 "a command may hold any byte above 127"},
	{BYTES("7 (123456789012345)" TAIL), "123456789012345",
	 "a command of 15 bytes is whole"},
	{BYTES("7 (kworker/u8:1-ext4-rsv-conversion)" TAIL), "kworker/u8:1-ex",
	 "a longer one is cut after 15 bytes"},
	{BYTES("7 (12345678901234)x)" TAIL), "12345678901234)",
	 "a longer one with a parenthesis is cut there too"},
};

static void test_odd_commands(void)
{
	for (size_t i = 0; i < COUNT(odd_commands); i++) {
		struct process process = {.pid = 0};
		int error =
			process_parse_stat(odd_commands[i].text, 4, &process);

		if (!ok(error == 0 && process.pid == 7 &&
				process.state == 'S' &&
				process.start_time == 2040 &&
				strcmp(process.command,
				       odd_commands[i].command) == 0,
			"%s", odd_commands[i].name))
			diag("error %d, pid %d, state %d, '%s'", error,
			     process.pid, process.state, process.command);
	}
}

#define UP_TO_STATE "812 (java) "
#define FROM_PARENT " 1 812 811 0 -1 4194560 3147 5 640 6 107 419 0 0 20 0 4"
#define FROM_TIMER " 0 2040 4831838208 100 18446744073709551615\n"

static const struct {
	struct span text;
	int error;
	const char *name;
} stats[] = {
	{BYTES(UP_TO_STATE "S" FROM_PARENT " 0 2040 4831838208 100"), 0,
	 "fields behind the 24th may be missing"},
	{BYTES(UP_TO_STATE "x" FROM_PARENT FROM_TIMER), 0,
	 "the x of kernels before 3.14 is a state"},
	{BYTES(UP_TO_STATE "I" FROM_PARENT FROM_TIMER), 0,
	 "the I of kernels since 4.14 is a state"},
	{BYTES("7 (x) S 0 0 0 0 -1 4294967295 0 0 0 0 0 0 0 0 -100 -20 1 -1 "
	       "18446744073709551615 -1 4611686018427387903 0\n"),
	 0, "the largest and smallest numbers are taken"},
	{BYTES(""), -EINVAL, "an empty stat file is refused"},
	{BYTES("812 (java)"), -EINVAL, "a command alone is refused"},
	{BYTES("812 (java) S 1 812"), -EINVAL, "a stat file cut is refused"},
	{BYTES(UP_TO_STATE "S" FROM_PARENT " 0 2040 4831838208"), -EINVAL,
	 "a stat file without memory is refused"},
	{BYTES(UP_TO_STATE "S" FROM_PARENT " 0 2040 4831838208 "), -EINVAL,
	 "a stat file with nothing for memory is refused"},
	{BYTES("812 java S 1"), -EINVAL, "no parentheses are refused"},
	{BYTES("812 )java( S 1"), -EINVAL, "parentheses reversed are refused"},
	{BYTES("812 (java S 1"), -EINVAL, "no closing one is refused"},
	{BYTES("812 java) S 1"), -EINVAL, "no opening one is refused"},
	{BYTES("(java)" TAIL), -EINVAL, "a missing pid is refused"},
	{BYTES("x (java)" TAIL), -EINVAL, "a pid of letters is refused"},
	{BYTES("-1 (java)" TAIL), -EINVAL, "a negative pid is refused"},
	{BYTES("1 2 (java)" TAIL), -EINVAL, "two pids are refused"},
	{BYTES("0 (java)" TAIL), -ERANGE, "the pid 0 is refused"},
	{BYTES("2147483648 (java)" TAIL), -ERANGE,
	 "a pid above the largest is refused"},
	{BYTES("4294967297 (java)" TAIL), -ERANGE,
	 "a pid that would wrap to 1 is refused"},
	{BYTES("812 (ja\0va)" TAIL), -EINVAL,
	 "a NUL byte in a command is refused"},
	{BYTES(UP_TO_STATE "Q" FROM_PARENT FROM_TIMER), -EINVAL,
	 "a state that no kernel has is refused"},
	{BYTES(UP_TO_STATE "SS" FROM_PARENT FROM_TIMER), -EINVAL,
	 "a state of two letters is refused"},
	{BYTES(UP_TO_STATE "\0" FROM_PARENT FROM_TIMER), -EINVAL,
	 "a NUL byte as a state is refused"},
	{BYTES(UP_TO_STATE
	       "S 4294967297 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1" FROM_TIMER),
	 -ERANGE, "a parent that would wrap to 1 is refused"},
	{BYTES(UP_TO_STATE
	       "S 1 1 1 0 -1 4294967296 0 0 0 0 0 0 0 0 20 0 1" FROM_TIMER),
	 -ERANGE, "flags above 32 bits are refused"},
	{BYTES(UP_TO_STATE "S 1 1 1 0 -1 0 0 0 -1 0 0 0 0 0 20 0 1" FROM_TIMER),
	 -EINVAL, "negative major faults are refused"},
	{BYTES(UP_TO_STATE "S" FROM_PARENT " 0 18446744073709551616 0 1 0\n"),
	 -ERANGE, "a start time above the largest number is refused"},
	{BYTES(UP_TO_STATE "S" FROM_PARENT " 0 2040 0 4611686018427387904 0\n"),
	 -ERANGE, "memory whose KiB are above the largest number is refused"},
};

static void test_stats(void)
{
	for (size_t i = 0; i < COUNT(stats); i++) {
		struct process process;

		is_int(process_parse_stat(stats[i].text, 4, &process),
		       stats[i].error, "%s", stats[i].name);
	}
}

static const struct {
	struct span text;
	int error;
	uint64_t swapped_kib;
	const char *name;
} statuses[] = {
	{BYTES("Name:\tjava\nVmRSS:\t  327680 kB\nVmSwap:\t  122880 kB\n"
	       "Threads:\t42\n"),
	 0, 122880, "VmSwap is what is in swap"},
	{BYTES("VmSwap:\t12 kB"), 0, 12, "a last line needs no newline"},
	{BYTES("Name:\tkthreadd\nThreads:\t1\n"), 0, 0,
	 "without VmSwap nothing is in swap"},
	{BYTES(""), 0, 0, "nothing is in swap in an empty status"},
	{BYTES("Name:\tVmSwap: 9 kB\nVmSwap:\t12 kB\n"), 0, 12,
	 "a command that looks like VmSwap is not it"},
	{BYTES("Name:\ta\\nVmSwap:\t9 kB\nVmSwap:\t12 kB\n"), 0, 12,
	 "nor is a command with a newline before it"},
	{BYTES("VmSwap\nXVmSwap:\t1 kB\nVmSwapX:\t2 kB\nVmSwap:\t12 kB\n"), 0,
	 12, "nor is a longer name"},
	{BYTES("no colon\n:\n\nVmSwap:\t12 kB\n"), 0, 12,
	 "lines of any form may come before it"},
	{BYTES("VmSwap:\t18446744073709551615 kB\n"), 0, UINT64_MAX,
	 "the largest number can be in swap"},
	{BYTES("VmSwap:\t18446744073709551616 kB\n"), -ERANGE, 0,
	 "a larger number is refused"},
	{BYTES("VmSwap:\t-1 kB\n"), -EINVAL, 0, "a negative VmSwap is refused"},
	{BYTES("VmSwap:\n"), -EINVAL, 0, "an empty VmSwap is refused"},
	{BYTES("VmSwap:\t12\n"), -EINVAL, 0,
	 "a VmSwap without unit is refused"},
	{BYTES("VmSwap:\t12 MB\n"), -EINVAL, 0,
	 "a VmSwap of another unit is refused"},
	{BYTES("VmSwap:\t12 kB 3\n"), -EINVAL, 0,
	 "a VmSwap with more behind it is refused"},
	{BYTES("VmSwap:\t1 2 kB\n"), -EINVAL, 0,
	 "a VmSwap of two numbers is refused"},
};

static void test_statuses(void)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		uint64_t kib = statuses[i].error ? 0 : 77;
		int error = process_parse_status(statuses[i].text, &kib);

		if (!ok(error == statuses[i].error &&
				kib == statuses[i].swapped_kib,
			"%s", statuses[i].name))
			diag("error %d, %" PRIu64 " KiB", error, kib);
	}
}

static void test_questions(void)
{
	struct process process = {.resident_kib = 5, .swapped_kib = 7};
	const char stopped[] = "Tt", others[] = "RSDZXxIPWKN";
	unsigned wrong = 0;

	is_int((int64_t)process_memory_kib(&process), 12,
	       "memory is what is resident and what is in swap");
	process.flags = 0x208040;
	ok(process_is_kernel_thread(&process),
	   "the flags of kthreadd tell a kernel thread");
	process.flags = 0xffdfffff;
	ok(!process_is_kernel_thread(&process),
	   "no other flag tells a kernel thread");
	for (size_t i = 0; stopped[i]; i++) {
		process.state = stopped[i];
		wrong += !process_is_stopped(&process);
	}
	for (size_t i = 0; others[i]; i++) {
		process.state = others[i];
		wrong += process_is_stopped(&process);
	}
	is_int(wrong, 0, "stopped is who is T or t, and nobody else");
}

static void test_read_tree(void)
{
	int proc = open_tree("thrashing");
	struct process process;

	is_int(process_read(proc, 4001, 4, &process), 0,
	       "a process is read from a tree");
	is_text(process.command, "convert", "with its command");
	ok(process.state == 'D' && process.parent == 1 &&
		   process.group == 4001 && process.session == 3990 &&
		   process.start_time == 500100 &&
		   process.major_faults == 51234,
	   "with what stands in its stat file");
	is_int((int64_t)process.resident_kib, 917504, "with its memory");
	is_int((int64_t)process.swapped_kib, 0, "but not yet with its swap");
	is_int(process_read_memory(proc, &process), 0,
	       "what it has in swap is read from its status");
	is_int((int64_t)process.swapped_kib, 903168, "from VmSwap");

	ok(process_read(proc, 2, 4, &process) == 0 &&
		   process_is_kernel_thread(&process),
	   "kthreadd is a kernel thread");
	process.swapped_kib = 77;
	ok(process_read_memory(proc, &process) == 0 && process.swapped_kib == 0,
	   "which has nothing in swap");
	ok(process_read(proc, 4010, 4, &process) == 0 &&
		   process_is_stopped(&process),
	   "a stopped process is stopped");
	is_int(process_read(proc, 4999, 4, &process), -ENOENT,
	       "a process that is not there is told");
	process.pid = 4999;
	is_int(process_read_memory(proc, &process), -ENOENT,
	       "and has no memory to be read");
	(void)close(proc);
}

static void test_alive(void)
{
	int proc = open_tree("calm");

	ok(process_is_alive(proc, 700, 1530),
	   "a process with its start time is alive");
	ok(!process_is_alive(proc, 700, 1531),
	   "one that started later under this pid is another");
	ok(!process_is_alive(proc, 700, 0), "no start time is no joker");
	ok(!process_is_alive(proc, 701, 1530), "an unused pid is not alive");
	ok(!process_is_alive(proc, 1290, 90210), "a zombie is not alive");
	ok(!process_is_alive(proc, 0, 0), "nobody with pid 0 is alive");
	ok(!process_is_alive(proc, -700, 1530), "nobody below 0 is alive");
	(void)close(proc);
}

/* Puts PID/stat (and PID/status) below a scratch directory. */
static void put(int proc, const char *pid, const char *name, const char *text)
{
	char path[64];

	if (mkdirat(proc, pid, 0700) != 0 && errno != EEXIST)
		need(-1, pid);
	(void)snprintf(path, sizeof(path), "%s/%s", pid, name);
	scratch_write(proc, path, text, strlen(text), 0600);
}

static void test_untrue_files(int proc)
{
	char big[PROCESS_STAT_SIZE + 1];
	struct process process;
	int error;

	put(proc, "50", "stat", "51 (other)" TAIL);
	ok(process_read(proc, 50, 4, &process) < 0,
	   "a stat file of another pid is refused");
	put(proc, "52", "stat", "");
	ok(process_read(proc, 52, 4, &process) < 0,
	   "an empty stat file is refused");
	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "53 (x)" TAIL, sizeof("53 (x)" TAIL) - 1);
	put(proc, "53", "stat", big);
	is_int(process_read(proc, 53, 4, &process), -EFBIG,
	       "a stat file longer than any is refused");
	/* read on 6.18 while process 54 was being reaped */
	put(proc, "54", "stat",
	    "54 (race) X 0 -1 -1 0 -1 4227148 18 0 0 0 0 0 0 0 20 0 0 0 "
	    "171157 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 "
	    "0 0 0\n");
	error = process_read(proc, 54, 4, &process);
	if (!ok(error == -ESRCH || error == -ENOENT ||
			(error == 0 && process.state == 'X'),
		"a process that is just being reaped is gone, not malformed"))
		diag("error %d", error);
	ok(!process_is_alive(proc, 54, 171157), "and it is not alive");
	put(proc, "55", "stat",
	    "55 (x) x 0 55 55 0 -1 4227148 18 0 0 0 0 0 0 0 20 0 0 0 9 0 0 0 "
	    "\n");
	ok(!process_is_alive(proc, 55, 9),
	   "who is dead in the way of kernels before 3.14 is not alive");
}

/* The commands of tests/proc/odd_names, by rising pid. */
static const char *const odd_names[] = {
	"systemd",
	"a) b",
	") R 1 1",
	"a\nb",
	"\xc3\xa9t\xc3\xa9",
	"123456789012345",
	"",
	"a\\b\"c",
	"VmSwap: 9 kB",
	" (x",
	"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
};

static void test_odd_tree(void)
{
	int proc = open_tree("odd_names");
	struct process_table table;

	is_int(process_table_open(&table, proc, 64), 0, "a tree is opened");
	is_int(process_table_scan(&table), 0, "and scanned");
	is_int((int64_t)table.count, COUNT(odd_names),
	       "all but its kernel worker are listed");
	for (size_t i = 0; i < table.count && i < COUNT(odd_names); i++) {
		struct process *process = &table.rows[i];
		int pid = i ? 100 + (int)i : 1;
		char line[PROCESS_LINE];
		struct process back;

		is_int(process->pid, pid, "pid %d comes in its turn", pid);
		ok(strcmp(process->command, odd_names[i]) == 0,
		   "pid %d has its name", pid);
		ok(process_read_memory(proc, process) == 0 &&
			   process->swapped_kib == (i ? (uint64_t)pid : 0),
		   "pid %d has its own swap", pid);
		process_format(process, line);
		ok(!strchr(line, '\n') &&
			   process_parse(span_of(line), &back) == 0 &&
			   strcmp(back.command, odd_names[i]) == 0,
		   "pid %d can be recorded", pid);
	}
	process_table_close(&table);
	(void)close(proc);
}

static void test_scan_tree(void)
{
	int proc = open_tree("calm");
	struct process_table table;

	(void)process_table_open(&table, proc, 64);
	table.page_kib = 4;
	(void)process_table_scan(&table);
	is_int((int64_t)table.count, 4,
	       "kernel threads and zombies are not listed");
	is_int((int64_t)table.left_out, 0, "and not counted as left out");
	ok(table.rows[0].pid == 1 && table.rows[1].pid == 700 &&
		   table.rows[2].pid == 900 && table.rows[3].pid == 1200,
	   "the others are, by rising pid");
	is_int((int64_t)table.rows[2].resident_kib, 327680,
	       "with their memory");
	ok(process_table_find(&table, 900, 2040) == &table.rows[2],
	   "a process is found by pid and start time");
	ok(!process_table_find(&table, 900, 2041),
	   "it is not found with another start time");
	ok(!process_table_find(&table, 901, 2040),
	   "it is not found with another pid");
	ok(process_table_find(&table, 1, 7) == &table.rows[0] &&
		   process_table_find(&table, 1200, 88211) == &table.rows[3],
	   "the first and the last are found");
	(void)process_table_scan(&table);
	is_int((int64_t)table.count, 4, "a second scan lists them once");
	process_table_close(&table);

	(void)process_table_open(&table, proc, 3);
	is_int(process_table_scan(&table), 0, "a table may be too small");
	ok(table.count == 3 && table.left_out == 1,
	   "then it is filled and says how many are left out");
	(void)process_table_scan(&table);
	ok(table.count == 3 && table.left_out == 1,
	   "and counts them anew at every scan");
	process_table_close(&table);
	ok(!table.directory && !table.rows && !table.count,
	   "a closed table is empty");
	ok(!process_table_find(&table, 1, 7), "nobody is found in it");
	(void)close(proc);
}

/* Names in /proc that are no pids, and files where directories should be. */
static void test_scan_odd_entries(void)
{
	struct scratch scratch;
	struct process_table table;
	int proc;

	scratch_open(&scratch);
	proc = scratch.directory;
	put(proc, "9", "stat", "9 (nine)" TAIL);
	put(proc, "10", "stat", "10 (ten)" TAIL);
	put(proc, "self", "stat", "10 (self)" TAIL);
	put(proc, "-9", "stat", "9 (minus)" TAIL);
	put(proc, "0", "stat", "0 (zero)" TAIL);
	put(proc, "4294967305", "stat", "9 (wrapped)" TAIL);
	put(proc, "9x", "stat", "9 (letter)" TAIL);
	put(proc, "11", "status", "VmSwap:\t1 kB\n"); /* vanished */
	scratch_write(proc, "12", "12 (a file)" TAIL, 12, 0600);
	(void)process_table_open(&table, proc, 64);
	is_int(process_table_scan(&table), 0,
	       "whatever lies in a tree, it can be scanned");
	is_int((int64_t)table.count, 2, "only pids are listed");
	ok(table.count == 2 && table.rows[0].pid == 9 &&
		   table.rows[1].pid == 10,
	   "as numbers, not as texts, in their order");
	process_table_close(&table);
	test_untrue_files(proc);
	scratch_close(&scratch);
}

static void test_this_host(void)
{
	int proc = directory_open("/proc");
	struct process self;
	struct process_table table;
	unsigned bad = 0;

	(void)prctl(PR_SET_NAME, "a) R 1\n");
	is_int(process_read(proc, getpid(), 4, &self), 0,
	       "this process is read from /proc");
	is_text(self.command, "a) R 1\n", "with its odd name");
	ok(self.parent == getppid() && self.group == getpgrp() &&
		   self.session == getsid(0) && self.state == 'R' &&
		   self.start_time > 0 && self.resident_kib > 0,
	   "with what it knows of itself");
	ok(process_is_alive(proc, getpid(), self.start_time), "it is alive");
	is_int(process_read_memory(proc, &self), 0, "its swap is read");

	is_int(process_table_open(&table, proc, 65536), 0, "/proc is opened");
	is_int(process_table_scan(&table), 0, "/proc is scanned");
	for (size_t i = 0; i < table.count; i++)
		bad += process_is_kernel_thread(&table.rows[i]) ||
		       table.rows[i].state == 'Z' ||
		       (i && table.rows[i - 1].pid >= table.rows[i].pid);
	is_int(bad, 0, "by rising pid, without kernel threads and zombies");
	ok(process_table_find(&table, getpid(), self.start_time),
	   "this process is in the table");
	process_table_close(&table);
	ok(fcntl(proc, F_GETFD) >= 0, "the caller's directory stays open");
	is_int(process_table_open(&table, -1, 4), -EBADF,
	       "a table needs a directory");
	(void)close(proc);
}

/* A child that was killed: first a zombie, then gone. */
static void test_gone(void)
{
	int proc = directory_open("/proc"), status;
	struct process process = {.pid = 0};
	siginfo_t info;
	pid_t child = need(fork(), "fork");

	if (child == 0)
		for (;;)
			(void)pause();
	need(process_read(proc, child, 4, &process), "the child");
	(void)kill(child, SIGSTOP);
	(void)waitpid(child, &status, WUNTRACED);
	ok(process_read(proc, child, 4, &process) == 0 &&
		   process_is_stopped(&process),
	   "a process stopped by a signal is stopped");
	ok(process_is_alive(proc, child, process.start_time), "and alive");
	(void)kill(child, SIGKILL);
	(void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	ok(!process_is_alive(proc, child, process.start_time),
	   "a zombie of this host is not alive");
	(void)waitpid(child, &status, 0);
	is_int(process_read(proc, child, 4, &process), -ENOENT,
	       "who is reaped is gone");
	(void)close(proc);
}

/* The Groups line of a status file comes before its VmSwap line. */
static int read_many_groups(void *argument)
{
	gid_t groups[2000];
	struct process process = {.pid = getpid(), .swapped_kib = 77};

	(void)argument;
	for (size_t i = 0; i < COUNT(groups); i++)
		groups[i] = (gid_t)(100000 + i);
	if (setgroups(COUNT(groups), groups) != 0)
		return CHILD_SKIPS;
	return -process_read_memory(directory_open("/proc"), &process);
}

static void test_many_groups(void)
{
	int result = child_run(read_many_groups, NULL);

	if (result == CHILD_SKIPS)
		skip("a process in 2000 groups: only root can make one");
	else
		is_int(result, 0,
		       "what a process in 2000 groups has in swap is read");
}

static void test_terminal(void)
{
	struct process process;

	is_int(process_parse_stat(SPAN("7 (cron) S 5 7 5 0 -1 4194304 0 0 0 "
				       "0 0 0 0 0 20 0 1 0 9 0 1"),
				  4, &process),
	       0, "one without a terminal");
	ok(!process.has_terminal && !process.is_foreground,
	   "has none, and nobody is in front");
}

static void test_pending(void)
{
	const uint64_t term = UINT64_C(1) << (SIGTERM - 1),
		       user = UINT64_C(1) << (SIGUSR1 - 1);
	int proc = need(directory_open("/proc"), "/proc");
	uint64_t signals = 1;
	sigset_t set, before;

	is_int(process_read_pending(proc, getpid(), &signals), 0,
	       "what waits for a process is read");
	is_int((int64_t)(signals & (term | user)), 0, "nothing does");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	(void)kill(getpid(), SIGTERM);
	(void)raise(SIGUSR1);
	is_int(process_read_pending(proc, getpid(), &signals), 0, "again");
	is_int((int64_t)(signals & (term | user)), (int64_t)(term | user),
	       "a signal for the process, and one for its thread");
	while (sigtimedwait(&set, NULL, &(struct timespec){0}) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	is_int(process_read_pending(open_tree("thrashing"), 4001, &signals), 0,
	       "a status without such lines");
	is_int((int64_t)signals, 0, "has none that wait");
	(void)close(proc);
}

static void test_line(void)
{
	struct process process = {.pid = 4001,
				  .parent = 1,
				  .group = 4000,
				  .session = 3990,
				  .start_time = 500100,
				  .major_faults = 51234,
				  .resident_kib = 917504,
				  .swapped_kib = 903168,
				  .flags = 4194304,
				  .state = 'D',
				  .command = "a) b"};
	char line[PROCESS_LINE], again[PROCESS_LINE];

	process_format(&process, line);
	is_text(line,
		"process 4001 1 4000 3990 500100 51234 917504 903168 4194304 "
		"D a)\\040b",
		"a process is one line of a recording");
	memset(&process, 0xff, sizeof(process));
	is_int(process_parse(span_of(line), &process), 0, "it is read back");
	ok(process.pid == 4001 && process.parent == 1 &&
		   process.group == 4000 && process.session == 3990 &&
		   process.start_time == 500100 &&
		   process.major_faults == 51234 &&
		   process.resident_kib == 917504 &&
		   process.swapped_kib == 903168 && process.flags == 4194304 &&
		   process.state == 'D',
	   "with every number");
	is_text(process.command, "a) b", "and its command");

	process = (struct process){.pid = INT_MAX,
				   .parent = INT_MAX,
				   .group = INT_MAX,
				   .session = INT_MAX,
				   .start_time = UINT64_MAX,
				   .major_faults = UINT64_MAX,
				   .resident_kib = UINT64_MAX,
				   .swapped_kib = UINT64_MAX,
				   .flags = UINT_MAX,
				   .state = 'D'};
	memset(process.command, '\n', sizeof(process.command) - 1);
	process_format(&process, line);
	is_int((int64_t)strlen(line), 8 + 4 * 11 + 4 * 21 + 11 + 2 + 15 * 4,
	       "the longest line fits");
	is_int(process_parse(span_of(line), &process), 0, "it is read back");
	process_format(&process, again);
	is_text(again, line, "and is the same line again");
}

static const struct {
	struct span text;
	int error;
	const char *name;
} lines[] = {
	{BYTES("process 1 0 0 0 7 0 0 0 0 S a"), 0, "a short line is read"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 S "), 0,
	 "a line without a command is read"},
	{BYTES("process 1 0 0 0 7 0 0 0 4294967296 S a"), -EINVAL,
	 "flags above 32 bits are no line"},
	{BYTES("process 0 0 0 0 7 0 0 0 0 S a"), -EINVAL,
	 "the pid 0 is no line"},
	{BYTES("process -1 0 0 0 7 0 0 0 0 S a"), -EINVAL,
	 "the pid -1 is no line"},
	{BYTES("process 1 2147483648 0 0 7 0 0 0 0 S a"), -EINVAL,
	 "a parent above the largest is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 S a"), -EINVAL,
	 "a missing number is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 0 S a"), -EINVAL,
	 "a number too many is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 Q a"), -EINVAL,
	 "an unknown state is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 \0 a"), -EINVAL,
	 "a NUL byte as a state is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0"), -EINVAL,
	 "a missing state is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 S a\\9"), -EINVAL,
	 "a bad escape is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 S a\\000b"), -EINVAL,
	 "an escaped NUL in a command is no line"},
	{BYTES("process 1 0 0 0 7 0 0 0 0 S 1234567890123456"), -EINVAL,
	 "a command of 16 bytes is no line"},
	{BYTES("processes 1 0 0 0 7 0 0 0 0 S a"), -EINVAL,
	 "another kind of line is no process"},
	{BYTES(""), -EINVAL, "an empty line is no process"},
};

static void test_lines(void)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct process process;

		is_int(process_parse(lines[i].text, &process), lines[i].error,
		       "%s", lines[i].name);
	}
}

int main(void)
{
	test_stat();
	test_odd_commands();
	test_stats();
	test_statuses();
	test_questions();
	test_read_tree();
	test_alive();
	test_odd_tree();
	test_scan_tree();
	test_scan_odd_entries();
	test_this_host();
	test_gone();
	test_many_groups();
	test_terminal();
	test_pending();
	test_line();
	test_lines();
	return done_testing();
}

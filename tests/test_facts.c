/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what is read of processes, from a /proc of a test's own. */
#include "daemon/facts.h"

#include "core/file.h"
#include "tests/rules.h"
#include "tests/scratch.h"

#include <sys/stat.h>

enum { FIRST_US = 5000000 };

static struct settings settings;
static struct facts facts;

/* PID/stat of a process that holds 4000 KiB. */
static void make_process(const struct scratch *scratch, pid_t pid, pid_t parent,
			 const char *command, uint64_t start_time)
{
	char path[64], text[256];
	int length = snprintf(
		text, sizeof(text),
		"%d (%s) S %d %d %d 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 "
		"%llu 4096 1000 0\n",
		pid, command, parent, pid, pid, (unsigned long long)start_time);

	(void)snprintf(path, sizeof(path), "%d", pid);
	(void)mkdirat(scratch->directory, path, 0755);
	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	scratch_write(scratch->directory, path, text, (size_t)length, 0644);
}

static void make_link(const struct scratch *scratch, const char *path,
		      const char *target)
{
	(void)unlinkat(scratch->directory, path, 0);
	need(symlinkat(target, scratch->directory, path), path);
}

static struct process read_process(const struct scratch *scratch, pid_t pid)
{
	struct process process;

	need(process_read(scratch->directory, pid, 4, &process), "process");
	return process;
}

static struct role_facts *get(const struct scratch *scratch, pid_t pid,
			      uint64_t now_us, bool *is_new)
{
	struct process process = read_process(scratch, pid);
	struct role_facts *known = facts_get(&facts, &process, now_us, is_new);

	if (!known)
		abort();
	return known;
}

static void test_reading(const struct scratch *scratch)
{
	bool is_new;
	const struct role_facts *known;

	make_process(scratch, 10, 1, "sshd", 100);
	make_process(scratch, 11, 10, "bash", 200);
	make_process(scratch, 12, 11, "hog", 300);
	make_link(scratch, "12/exe", "/opt/hog (deleted)");
	(void)mkdirat(scratch->directory, "12/fd", 0755);
	make_link(scratch, "12/fd/0", "/dev/null");
	make_link(scratch, "12/fd/5", "/dev/fuse");
	scratch_write(scratch->directory, "12/cgroup", "0::/jobs/a\n", 11,
		      0644);
	facts_open(&facts, scratch->directory, &settings, 0);
	rules_set(&settings.rules, RULES_PROTECT, "x cgroup:/jobs/*");
	known = get(scratch, 12, FIRST_US, &is_new);
	ok(is_new, "a process is read");
	ok(known->has_user && known->user == geteuid(),
	   "whose it is says its directory");
	is_int((int64_t)known->login_start, geteuid() ? 0 : 200,
	       "it comes from the login whose shell began at 200");
	ok(known->has_fuse, "its files are looked at");
	is_int(known->rules[RULES_PROTECT], 2, "rules are compared");
	known = get(scratch, 11, FIRST_US, &is_new);
	is_int(known->named, ROLE_SHELL, "another one plays another part");
	ok(!known->has_fuse && !known->has_exe && !known->rules[RULES_PROTECT],
	   "and of it less is known");
	facts_close(&facts);
	facts_open(&facts, scratch->directory, &settings, 0);
	rules_set(&settings.rules, RULES_PROTECT, "exe:/opt/hog");
	known = get(scratch, 12, FIRST_US, &is_new);
	is_int(known->rules[RULES_PROTECT], 1,
	       "a program that was replaced has its path still");
	facts_close(&facts);
	rules_set(&settings.rules, RULES_PROTECT, "");
}

static void test_keeping(const struct scratch *scratch)
{
	const uint64_t fresh_us = FIRST_US + UINT64_C(1000) * FACTS_FRESH_MS;
	struct role_facts *known;
	bool is_new;

	make_process(scratch, 20, 1, "a", 400);
	facts_open(&facts, scratch->directory, &settings, 0);
	known = get(scratch, 20, FIRST_US, &is_new);
	known->was_busy = known->is_awaited = true;
	known->user = 4711;
	known = get(scratch, 20, fresh_us - 1, &is_new);
	ok(known->user == 4711 && !is_new, "what is known is not read again");
	known = get(scratch, 20, fresh_us, &is_new);
	ok(known->user != 4711 && !is_new, "until it is old");
	ok(known->was_busy && known->is_awaited,
	   "and what was seen of it stays");
	make_process(scratch, 20, 1, "sshd", 400);
	known = get(scratch, 20, fresh_us, &is_new);
	ok(known->named == ROLE_LOGIN && is_new,
	   "who changes its name is read again");
	make_process(scratch, 20, 1, "b", 401);
	known = get(scratch, 20, fresh_us, &is_new);
	ok(!known->was_busy && is_new, "another one with its pid is another");

	struct process gone = read_process(scratch, 20);

	gone.start_time = 1;
	ok(!facts_get(&facts, &gone, fresh_us, &is_new),
	   "of one that is gone nothing is known");
	facts_close(&facts);
}

static void test_bounds(const struct scratch *scratch)
{
	const struct role_moment moment = {.now_us = FIRST_US,
					   .tick_us = 10000};
	struct process process;
	bool is_new;
	unsigned judged = 0;

	facts_open(&facts, scratch->directory, &settings, 0);
	for (pid_t pid = 1000; pid < 1000 + FACTS_READS + 1; pid++) {
		make_process(scratch, pid, pid - 1, "hog", 500);
		process = read_process(scratch, pid);
		facts_judge(&facts, &process, &moment, &is_new);
		judged += process.judged.role != ROLE_PENDING;
	}
	is_int(judged, FACTS_READS, "only so many are read in a look");
	is_int(process.judged.class, CLASS_PROTECTED,
	       "who comes too late is not frozen");
	facts_begin(&facts);
	facts_judge(&facts, &process, &moment, &is_new);
	is_int(process.judged.class, CLASS_BATCH, "but in the next look");
	for (pid_t pid = 2000; pid < 2000 + FACTS_KEPT; pid++) {
		facts_begin(&facts);
		make_process(scratch, pid, 1, "hog", 500);
		(void)get(scratch, pid, FIRST_US, &is_new);
	}
	ok(!facts_find(&facts, &process),
	   "the oldest give way when there are many");
	facts_close(&facts);
	make_process(scratch, 3000, 3001, "loop", 500);
	make_process(scratch, 3001, 3000, "loop", 500);
	facts_open(&facts, scratch->directory, &settings, 3000);
	(void)get(scratch, 3000, FIRST_US, &is_new);
	ok(is_new, "a loop of parents ends");
	facts_close(&facts);
}

/* What is root's, and what is not, where we can make both. */
static void test_programs(const struct scratch *scratch)
{
	static const struct {
		const char *command, *program;
		mode_t mode;
		uid_t owner;
		bool is_genuine;
		const char *name;
	} rows[] = {
		{"sshd", "sshd", 0755, 0, true, "root's program is genuine"},
		{"sshd", "sshd-session", 0755, 0, true,
		 "also by another name for the same"},
		{"sshd", "perl", 0755, 0, false, "but not by any other"},
		{"sshd", "sshd", 0755, 1000, false, "nor a user's own"},
		{"sshd", "sshd", 0757, 0, false,
		 "nor what anybody can write to"},
		{"hog", "hog", 0755, 0, false, "and hogs play no part"},
	};

	if (geteuid() != 0) {
		skip("files of two users take root");
		return;
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t pid = (pid_t)(40 + i);
		const struct role_facts *known;
		char path[300], link[32];
		bool is_new;

		(void)snprintf(path, sizeof(path), "%s/%s", scratch->path,
			       rows[i].program);
		scratch_write(scratch->directory, rows[i].program, "", 0,
			      rows[i].mode);
		need(chown(path, rows[i].owner, 0), path);
		make_process(scratch, pid, 1, rows[i].command, 600);
		(void)snprintf(link, sizeof(link), "%d/exe", pid);
		make_link(scratch, link, path);
		facts_open(&facts, scratch->directory, &settings, 0);
		known = get(scratch, pid, FIRST_US, &is_new);
		ok(known->has_exe && known->is_genuine == rows[i].is_genuine,
		   "%s", rows[i].name);
		facts_close(&facts);
		(void)unlinkat(scratch->directory, rows[i].program, 0);
	}
}

static void test_ours(void)
{
	int proc = directory_open("/proc");
	struct process self, parent;
	bool is_new;
	char path[FACTS_PATH];
	const struct role_facts *known;

	need(process_read(proc, getpid(), 4, &self), "self");
	need(process_read(proc, getppid(), 4, &parent), "parent");
	facts_open(&facts, proc, &settings, getpid());
	known = facts_get(&facts, &self, FIRST_US, &is_new);
	ok(known && known->is_ours, "we know ourselves");
	known = facts_get(&facts, &parent, FIRST_US, &is_new);
	ok(known && known->is_ours, "and who started us");
	ok(facts_read_exe(proc, getpid(), path) && strstr(path, "test_facts.t"),
	   "a program is found");
	facts_close(&facts);
	facts_open(&facts, proc, &settings, 0);
	known = facts_get(&facts, &self, FIRST_US, &is_new);
	ok(known && !known->is_ours, "without a daemon nobody is of it");
	facts_close(&facts);
	facts_close(&facts);
	(void)close(proc);
}

int main(void)
{
	struct scratch scratch;

	settings_default(&settings);
	scratch_open(&scratch);
	test_reading(&scratch);
	test_keeping(&scratch);
	test_bounds(&scratch);
	test_programs(&scratch);
	test_ours();
	scratch_close(&scratch);
	return done_testing();
}

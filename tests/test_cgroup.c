/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests memory cgroups in made-up trees of both versions, and on this host. */
#include "core/cgroup.h"

#include "core/file.h"
#include "tests/scratch.h"

#include <limits.h>
#include <sys/stat.h>

enum { PID = 42, MIB = 1 << 20 };

static const char no_limit_v1[] = "9223372036854771712\n";

/* A new directory for one host: proc/42/cgroup and a mount point. */
struct host {
	struct scratch scratch;
	struct cgroups cgroups;
	int proc, root;
};

static int make_directory(int parent, const char *name)
{
	need(mkdirat(parent, name, 0700), name);
	return need(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		    name);
}

static void put(int directory, const char *name, const char *text)
{
	scratch_write(directory, name, text, strlen(text), 0600);
}

static void put_bytes(int directory, const char *name, uint64_t bytes)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)bytes);
	put(directory, name, text);
}

static void host_begin(struct host *host)
{
	scratch_open(&host->scratch);
	host->proc = make_directory(host->scratch.directory, "proc");
	host->root = make_directory(host->scratch.directory, "cgroup");
	(void)close(make_directory(host->proc, "42"));
	host->cgroups = (struct cgroups){-1, -1};
}

static void host_end(struct host *host)
{
	cgroups_close(&host->cgroups);
	(void)close(host->proc);
	(void)close(host->root);
	scratch_close(&host->scratch);
}

static enum process_limit limit_seen(const struct cgroups *cgroups, int proc,
				     pid_t pid)
{
	struct process process = {.pid = pid};

	cgroups_see_limit(cgroups, proc, &process);
	return process.limit;
}

/* What is said of PID when its cgroup file has this text. */
static enum process_limit limit_of(struct host *host, const char *text)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/cgroup", host->scratch.path);
	put(host->proc, "42/cgroup", text);
	cgroups_close(&host->cgroups);
	cgroups_open(&host->cgroups, path);
	return limit_seen(&host->cgroups, host->proc, PID);
}

static int make_v2(int parent, const char *name, const char *limit,
		   uint64_t usage)
{
	int directory = make_directory(parent, name);

	put(directory, "memory.max", limit);
	put(directory, "memory.high", "max\n");
	put_bytes(directory, "memory.current", usage);
	return directory;
}

static void test_v2(void)
{
	struct host host;

	host_begin(&host);
	put(host.root, "cgroup.controllers", "cpu memory\n");

	int slice = make_v2(host.root, "user.slice", "104857600\n", 50 * MIB);
	int scope = make_v2(slice, "a b (deleted)", "max\n", 40 * MIB);
	static const char inside[] = "0::/user.slice/a b (deleted)\n";

	is_int(limit_of(&host, inside), LIMIT_FAR,
	       "a cgroup with half of its memory left has room");
	is_int(limit_of(&host, "0::/\n"), LIMIT_FAR, "so has the root");
	put_bytes(slice, "memory.current", 94 * MIB);
	is_int(limit_of(&host, inside), LIMIT_REACHED,
	       "with less than a sixteenth left, the limit is reached by all "
	       "below");

	struct process process = {.pid = PID};

	cgroups_see_limit(&host.cgroups, host.proc, &process);
	is_int((int64_t)process.limit_kib, 102400, "and known");
	put_bytes(slice, "memory.current", 93 * MIB);
	is_int(limit_of(&host, inside), LIMIT_FAR, "with more it is not");
	put(scope, "memory.high", "41943040\n");
	is_int(limit_of(&host, inside), LIMIT_REACHED,
	       "memory.high is a limit too");
	is_int(limit_of(&host, "0::/user.slice\n"), LIMIT_FAR,
	       "which does not concern those above");
	need(unlinkat(scope, "memory.high", 0), "memory.high");
	need(unlinkat(scope, "memory.max", 0), "memory.max");
	is_int(limit_of(&host, inside), LIMIT_FAR,
	       "a cgroup without the controller has no limit of its own");
	put(slice, "memory.max", "0\n");
	is_int(limit_of(&host, inside), LIMIT_REACHED,
	       "a limit of nothing is reached");
	(void)close(slice);
	(void)close(scope);
	host_end(&host);
}

static int make_v1(int parent, const char *name, const char *limit,
		   uint64_t usage)
{
	int directory = make_directory(parent, name);

	put(directory, "memory.limit_in_bytes", limit);
	put_bytes(directory, "memory.usage_in_bytes", usage);
	return directory;
}

static void test_v1(void)
{
	struct host host;

	host_begin(&host);

	int memory = make_v1(host.root, "memory", no_limit_v1, 4096);
	int job = make_v1(memory, "job", "104857600\n", 50 * MIB);
	static const char inside[] = "5:cpu,cpuacct:/elsewhere\n"
				     "4:hugetlb,memory:/job\n"
				     "1:name=systemd:/memory\n";

	is_int(limit_of(&host, inside), LIMIT_FAR,
	       "version 1: a cgroup with half of its memory left has room");
	put_bytes(job, "memory.usage_in_bytes", 100 * MIB);
	is_int(limit_of(&host, inside), LIMIT_REACHED,
	       "version 1: with nothing left the limit is reached");
	is_int(limit_of(&host, "4:memory:/\n"), LIMIT_FAR,
	       "version 1: but not by who is in the root");
	is_int(limit_of(&host, "1:name=memory:/job\n"), LIMIT_UNKNOWN,
	       "a hierarchy may be named memory and be none");
	(void)close(job);
	(void)close(memory);
	host_end(&host);
}

/* Version 2 is mounted beside version 1, which has the memory. */
static void test_hybrid(void)
{
	struct host host;

	host_begin(&host);

	int memory = make_v1(host.root, "memory", no_limit_v1, 4096);
	int job = make_v1(memory, "job", "104857600\n", 100 * MIB);
	int unified = make_directory(host.root, "unified");
	int other = make_directory(unified, "job");

	put(unified, "cgroup.controllers", "pids\n");
	is_int(limit_of(&host, "4:memory:/job\n0::/\n"), LIMIT_REACHED,
	       "hybrid: memory counts in version 1 where it is");
	is_int(limit_of(&host, "0::/\n4:memory:/job\n"), LIMIT_REACHED,
	       "hybrid: in whatever order");
	put(other, "memory.max", "104857600\n");
	put_bytes(other, "memory.current", 100 * MIB);
	is_int(limit_of(&host, "9:pids:/job\n0::/job\n"), LIMIT_REACHED,
	       "hybrid: memory counts in version 2 where it is");
	(void)close(other);
	(void)close(unified);
	(void)close(job);
	(void)close(memory);
	host_end(&host);
}

/* 0::/d/d/d..., with a limit in the last of the levels. */
static void make_deep(struct host *host, int levels, char *text, size_t size)
{
	int at = dup(host->root);
	size_t used = (size_t)snprintf(text, size, "0::");

	for (int i = 0; i < levels; i++) {
		int next = make_directory(at, "d");

		used += (size_t)snprintf(text + used, size - used, "/d");
		(void)close(at);
		at = next;
	}
	(void)snprintf(text + used, size - used, "\n");
	put(at, "memory.max", "1048576\n");
	put(at, "memory.current", "1048576\n");
	(void)close(at);
}

static void test_depth(void)
{
	static const struct {
		int levels;
		enum process_limit limit;
		const char *name;
	} rows[] = {
		{CGROUP_LEVELS, LIMIT_REACHED, "cgroups may be nested"},
		{CGROUP_LEVELS + 1, LIMIT_UNKNOWN,
		 "but nobody makes us climb for ever"},
	};
	char text[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host host;

		host_begin(&host);
		put(host.root, "cgroup.controllers", "memory\n");
		make_deep(&host, rows[i].levels, text, sizeof(text));
		is_int(limit_of(&host, text), rows[i].limit, "%s",
		       rows[i].name);
		host_end(&host);
	}
}

static void test_hostile(void)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{"", "an empty file"},
		{"\n", "an empty line"},
		{"garbage\n", "garbage"},
		{"0:\n", "half a line"},
		{"0::\n", "no path"},
		{"0::full\n", "a path that does not begin at the root"},
		{"0::/gone (deleted)\n", "a cgroup that is gone"},
		{"0::/..\n", "a cgroup above the namespace"},
		{"0::/../full\n", "a cgroup beside the namespace"},
		{"0::/full/../full\n", "a path that goes up"},
		{"0::/link\n", "a link"},
		{"0::/file\n", "a file"},
		{"0::/odd\n", "a limit that is no number"},
		{"0::/half\n", "a limit without a usage"},
		{"0::/fifo\n", "a FIFO for a limit"},
		{"4:memory:/full\n", "a version that is not mounted"},
		{"0::/none\n4:memory:/full\n", "or not where the memory is"},
	};
	static char longest[CGROUP_SIZE + 2];
	struct host host;

	host_begin(&host);
	put(host.root, "cgroup.controllers", "memory\n");
	(void)close(make_v2(host.root, "full", "1048576\n", MIB));
	(void)close(make_v2(host.root, "odd", "-1\n", MIB));

	int half = make_directory(host.root, "half");
	int fifo = make_directory(host.root, "fifo");

	put(half, "memory.max", "1048576\n");
	need(mkfifoat(fifo, "memory.max", 0600), "memory.max");
	need(symlinkat("full", host.root, "link"), "link");
	put(host.root, "file", "");
	is_int(limit_of(&host, "0::/full\n"), LIMIT_REACHED,
	       "the host is as it should be");
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(limit_of(&host, rows[i].text), LIMIT_UNKNOWN,
		       "%s: unknown", rows[i].name);
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "0::/", 4);
	is_int(limit_of(&host, longest), LIMIT_UNKNOWN,
	       "a file longer than the buffer: unknown");
	longest[PATH_MAX + 3] = '\0';
	is_int(limit_of(&host, longest), LIMIT_UNKNOWN,
	       "a path longer than any: unknown");
	is_int(limit_seen(&host.cgroups, host.proc, PID + 1), LIMIT_UNKNOWN,
	       "a process that is gone: unknown");
	(void)close(half);
	(void)close(fifo);
	host_end(&host);
}

static void test_absent(void)
{
	struct host host;
	struct cgroups cgroups;

	host_begin(&host);
	is_int(limit_of(&host, "0::/\n"), LIMIT_UNKNOWN,
	       "without any hierarchy nothing is known");
	cgroups_open(&cgroups, "/nonexistent");
	ok(cgroups.v1 < 0 && cgroups.v2 < 0, "nor without a mount point");
	cgroups_close(&cgroups);
	host_end(&host);
}

static void test_no_leak(void)
{
	struct host host;

	host_begin(&host);
	put(host.root, "cgroup.controllers", "memory\n");
	(void)close(make_v2(host.root, "full", "1048576\n", MIB));

	int before = dup(host.root), after;

	(void)close(before);
	(void)limit_of(&host, "0::/full\n");
	(void)limit_of(&host, "0::/gone\n");
	cgroups_close(&host.cgroups);
	after = dup(host.root);
	(void)close(after);
	is_int(after, before, "no directory stays open");
	host_end(&host);
}

/* What PID/cgroup says, and the path that is read from it. */
static void test_path(void)
{
	static const struct {
		const char *text, *path; /* NULL: there is none */
		const char *name;
	} rows[] = {
		{"0::/\n", "/", "the root"},
		{"4:memory:/x\n0::/a b/c:d\n", "/a b/c:d", "a cgroup"},
		{"4:memory:/x\n1:name=systemd:/y\n", NULL,
		 "without version 2 there is none"},
		{"10::/x\n", NULL, "a number that ends in 0 is not 0"},
		{"0::/../x\n", NULL, "nor one outside of our namespace"},
		{"0::\n", NULL, "nor one without a name"},
		{"", NULL, "nor in an empty file"},
	};
	struct host host;
	char path[PATH_MAX];

	host_begin(&host);
	for (size_t i = 0; i < COUNT(rows); i++) {
		put(host.proc, "42/cgroup", rows[i].text);

		int error = cgroup_read_path(host.proc, PID, path);

		is_text(error ? "(none)" : path,
			rows[i].path ? rows[i].path : "(none)", "path: %s",
			rows[i].name);
	}
	ok(cgroup_read_path(host.proc, PID + 1, path) != 0,
	   "path: nor of a process that is gone");
	host_end(&host);
}

static void test_this_host(void)
{
	struct cgroups cgroups;
	int proc = need(directory_open("/proc"), "/proc");

	cgroups_open(&cgroups, CGROUP_ROOT);
	ok(limit_seen(&cgroups, proc, getpid()) <= LIMIT_REACHED,
	   "this process is looked up");
	if (cgroups.v1 < 0 && cgroups.v2 < 0)
		skip("no memory cgroups are to be seen here");
	else
		is_int(limit_seen(&cgroups, proc, 1) == LIMIT_REACHED, false,
		       "PID 1 has not reached its limit");
	cgroups_close(&cgroups);
	(void)close(proc);
}

int main(void)
{
	test_v2();
	test_v1();
	test_hybrid();
	test_depth();
	test_hostile();
	test_absent();
	test_no_leak();
	test_path();
	test_this_host();
	return done_testing();
}

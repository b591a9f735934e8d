/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks up what a process says of its cgroup, below a made-up mount point. */
#include "core/cgroup.h"
#include "tests/fuzz/host.h"
#include "tests/scratch.h"

#include <sys/stat.h>

enum { PID = 80, INSIDE_KIB = 1024, OUTSIDE_KIB = 7777 };

struct fixture {
	struct scratch scratch;
	struct cgroups cgroups;
	int proc;
};

static struct fixture *the_fixture(void)
{
	static struct fixture fixture;

	return &fixture;
}

static void clean_up(void)
{
	cgroups_close(&the_fixture()->cgroups);
	scratch_close(&the_fixture()->scratch);
}

static void make(const struct fixture *fixture, const char *path,
		 const char *name, const char *text)
{
	char file[128];

	(void)mkdirat(fixture->scratch.directory, path, 0755);
	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	scratch_write(fixture->scratch.directory, file, text, strlen(text),
		      0644);
}

/* A cgroup of both versions that has used up so much. */
static void make_full(const struct fixture *fixture, const char *path,
		      uint64_t kib)
{
	static const char *const names[] = {"memory.usage_in_bytes",
					    "memory.limit_in_bytes",
					    "memory.current", "memory.max"};
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu\n",
		       (unsigned long long)kib * 1024);
	for (size_t i = 0; i < COUNT(names); i++)
		make(fixture, path, names[i], text);
}

static void build(struct fixture *fixture)
{
	char root[300];

	scratch_open(&fixture->scratch);
	(void)atexit(clean_up);
	make_full(fixture, ".", OUTSIDE_KIB);
	make_full(fixture, "root", OUTSIDE_KIB);
	make(fixture, "root/memory", "memory.usage_in_bytes", "1\n");
	make_full(fixture, "root/memory/a", INSIDE_KIB);
	make(fixture, "root/unified", "cgroup.controllers", "memory\n");
	make(fixture, "root/unified/a", "memory.max", "max\n");
	make(fixture, "root/unified/b", "memory.high", "max\n");
	make_full(fixture, "root/unified/b/c", INSIDE_KIB);
	need(symlinkat("../..", fixture->scratch.directory, "root/memory/link"),
	     "link");
	make(fixture, "proc", "empty", "");
	make(fixture, "proc/80", "empty", "");
	fixture->proc = need(openat(fixture->scratch.directory, "proc",
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			     "proc");
	(void)snprintf(root, sizeof(root), "%s/root", fixture->scratch.path);
	cgroups_open(&fixture->cgroups, root);
}

enum outcome try_cgroups(struct span text)
{
	struct fixture *fixture = the_fixture();
	struct process process = {.pid = PID};

	if (!fixture->scratch.path[0])
		build(fixture);
	scratch_write(fixture->proc, "80/cgroup", text.start, text.length,
		      0644);
	cgroups_see_limit(&fixture->cgroups, fixture->proc, &process);
	if (process.limit == LIMIT_UNKNOWN)
		return process.limit_kib ? BROKEN : REFUSED;
	return process.limit_kib ==
			       (process.limit == LIMIT_REACHED ? INSIDE_KIB : 0)
		       ? ACCEPTED
		       : BROKEN;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests which services are known to have a watchdog. */
#include "daemon/watchdog.h"

#include "tests/scratch.h"

#include <sys/stat.h>

static void test_times(void)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} rows[] = {
		{"WatchdogSec=30", 30000},
		{"WatchdogSec=30s", 30000},
		{"WatchdogSec=3min", 180000},
		{"WatchdogSec=1min 30s", 90000},
		{"WatchdogSec = 2.5 s ", 2500},
		{"WatchdogSec=500ms", 500},
		{"WatchdogSec=1h", 3600000},
		{"WatchdogSec=2 minutes", 120000},
		{"WatchdogSec=100000h", UINT32_MAX},
		{"WatchdogSec=0", 0},
		{"WatchdogSec=", 0},
		{"WatchdogSec=infinity", 0},
		{"WatchdogSec=5 parsecs", 0},
		{"WatchdogSec=s", 0},
		{"WatchdogSec=-5", 0},
		{"#WatchdogSec=5", 0},
		{"RuntimeWatchdogSec=5", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(watchdog_parse(span_of(rows[i].text)), rows[i].ms,
		       "'%s' is %u ms", rows[i].text, rows[i].ms);
	is_int(watchdog_parse(SPAN("[Service]\nWatchdogSec=9\nWatchdogSec=7\n"
				   "WatchdogSec=8\n")),
	       7000, "of several the shortest counts");
}

static void test_units(void)
{
	static const struct {
		const char *cgroups, *unit, *name;
	} rows[] = {
		{"0::/system.slice/a.service\n", "a.service", "a service"},
		{"0::/system.slice/a.service", "a.service", "a cut line"},
		{"0::/system.slice/a.service/worker\n", "a.service",
		 "a cgroup in a service"},
		{"0::/user.slice/user-1.slice/user@1.service/app.slice/"
		 "b.service\n",
		 "b.service", "a service in a service"},
		{"9:memory:/x\n1:name=systemd:/system.slice/c@7.service\n"
		 "0::/\n",
		 "c@7.service", "a hierarchy of version 1"},
		{"0::/user.slice/user-0.slice/session-1.scope\n", "",
		 "a session"},
		{"0::/.service\n", "", "nothing but the suffix"},
		{"", "", "nothing"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ok(span_equals(watchdog_unit(span_of(rows[i].cgroups)),
			       rows[i].unit),
		   "of %s the unit is '%s'", rows[i].name, rows[i].unit);
}

static void make(const struct scratch *scratch, const char *path,
		 const char *text)
{
	char part[200];

	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path),
			       path);
		(void)mkdirat(scratch->directory, part, 0700);
	}
	scratch_write(scratch->directory, path, text, strlen(text), 0600);
}

static uint32_t find(const struct watchdogs *watchdogs, const char *unit)
{
	char cgroups[100];

	(void)snprintf(cgroups, sizeof(cgroups), "0::/system.slice/%s\n", unit);
	return watchdogs_find(watchdogs, span_of(cgroups));
}

static void test_tree(void)
{
	static const char five[] = "[Service]\nWatchdogSec=5\n";
	struct scratch scratch;
	struct watchdogs watchdogs;

	scratch_open(&scratch);
	make(&scratch, "usr/lib/systemd/system/a.service", five);
	make(&scratch, "usr/lib/systemd/system/b.service",
	     "WatchdogSec=1min\n");
	make(&scratch, "etc/systemd/system/b.service.d/x.conf",
	     "WatchdogSec=30\n");
	make(&scratch, "etc/systemd/system/b.service.d/x.disabled",
	     "WatchdogSec=1\n");
	make(&scratch, "etc/systemd/system/c@.service", five);
	make(&scratch, "etc/systemd/system/d.service", "[Service]\n");
	make(&scratch, "etc/systemd/system/e.timer", five);
	make(&scratch, "opt/f.service", five);
	need(symlinkat("/dev/zero", scratch.directory,
		       "etc/systemd/system/endless.service"),
	     "symlink");
	need(symlinkat("../../../opt/f.service", scratch.directory,
		       "etc/systemd/system/f.service"),
	     "symlink");
	need(mkfifoat(scratch.directory, "etc/systemd/system/g.service", 0600),
	     "mkfifo");
	watchdogs_open(&watchdogs, scratch.path);
	is_int(find(&watchdogs, "a.service"), 5000, "a unit is known");
	is_int(find(&watchdogs, "b.service"), 30000,
	       "what is dropped in counts as well");
	is_int(find(&watchdogs, "c@x.service"), 5000,
	       "an instance has its "
	       "template's");
	is_int(find(&watchdogs, "d.service"), 0, "most have none");
	is_int(find(&watchdogs, "e.timer"), 0, "a timer is no service");
	is_int(find(&watchdogs, "f.service"), 5000, "a unit may be a link");
	is_int(find(&watchdogs, "none.service"), 0, "an unknown one has none");
	make(&scratch, "run/systemd/transient/late.service", five);
	make(&scratch, "etc/systemd/system/late2.service", five);
	is_int(find(&watchdogs, "late.service"), 5000,
	       "what systemd-run has made since is found");
	is_int(find(&watchdogs, "late2.service"), 0,
	       "the disk is not asked again");
	watchdogs_close(&watchdogs);
	is_int(find(&watchdogs, "late.service"), 0, "closed, nothing is known");
	scratch_close(&scratch);
}

static void test_many(void)
{
	struct scratch scratch;
	struct watchdogs watchdogs;
	char path[100];

	scratch_open(&scratch);
	for (int i = 0; i < 2 * WATCHDOG_UNITS; i++) {
		(void)snprintf(path, sizeof(path),
			       "etc/systemd/system/with-a-long-name-%03d"
			       ".service",
			       i);
		make(&scratch, path, "WatchdogSec=5\n");
	}
	watchdogs_open(&watchdogs, scratch.path);
	is_int((int64_t)watchdogs.count, WATCHDOG_UNITS,
	       "more units than there is room for do no harm");
	watchdogs_close(&watchdogs);
	watchdogs_open(&watchdogs, "/no/such/directory");
	is_int((int64_t)watchdogs.count, 0, "nor does none at all");
	watchdogs_close(&watchdogs);
	scratch_close(&scratch);
}

int main(void)
{
	test_times();
	test_units();
	test_tree();
	test_many();
	return done_testing();
}

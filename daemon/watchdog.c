/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads systemd's unit files for the services that have a watchdog. */
#include "daemon/watchdog.h"

#include "core/file.h"
#include "core/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRANSIENT "run/systemd/transient"

static const char *const directories[] = {
	"etc/systemd/system",    "etc/systemd/user",
	"run/systemd/system",    "run/systemd/user",
	"run/systemd/generator", TRANSIENT,
	"usr/lib/systemd/user",  "usr/local/lib/systemd/system",
	"usr/lib/systemd/system"};

enum {
	UNIT_SIZE = 16 * 1024, /* of a file; larger ones are passed over */
	LIST_SIZE = 4096,
};

/* Takes the characters of a set off the front. */
static struct span take(struct span *rest, const char *set)
{
	struct span taken = {rest->start, 0};

	while (taken.length < rest->length &&
	       strchr(set, taken.start[taken.length]) &&
	       taken.start[taken.length])
		taken.length++;
	rest->start += taken.length;
	rest->length -= taken.length;
	*rest = span_trim(*rest);
	return taken;
}

static uint64_t unit_us(struct span name)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{"", 1000000},         {"s", 1000000},
		{"sec", 1000000},      {"second", 1000000},
		{"seconds", 1000000},  {"ms", 1000},
		{"msec", 1000},        {"us", 1},
		{"usec", 1},           {"m", 60000000},
		{"min", 60000000},     {"minute", 60000000},
		{"minutes", 60000000}, {"h", 3600000000U},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (span_equals(name, units[i].name))
			return units[i].us;
	return 0;
}

/* "30", "5s", "1min 30s", "2.5 s"; 0 for anything else. */
static uint64_t parse_time_ms(struct span text)
{
	uint64_t sum_ms = 0;

	text = span_trim(text);
	while (text.length) {
		struct span number = take(&text, "0123456789.");
		uint64_t us =
			unit_us(take(&text, "abcdefghijklmnopqrstuvwxyz"));
		uint64_t thousandths;

		if (!us || span_to_thousandths(number, &thousandths) ||
		    thousandths > UINT32_MAX)
			return 0;
		sum_ms += thousandths * us / 1000000;
	}
	return sum_ms;
}

uint32_t watchdog_parse(struct span text)
{
	uint64_t least_ms = 0;

	while (text.length) {
		struct span line = span_line(&text), name;
		uint64_t ms;

		if (!span_split(&line, '=', &name) ||
		    !span_equals(span_trim(name), "WatchdogSec"))
			continue;
		ms = parse_time_ms(line);
		if (ms && (!least_ms || ms < least_ms))
			least_ms = ms;
	}
	return (uint32_t)lesser(least_ms, UINT32_MAX);
}

static bool ends_in(struct span name, const char *suffix)
{
	size_t length = strlen(suffix);

	return name.length > length &&
	       memcmp(name.start + name.length - length, suffix, length) == 0;
}

struct span watchdog_unit(struct span cgroups)
{
	struct span unit = {NULL, 0};

	while (cgroups.length) {
		struct span line = span_line(&cgroups), part;

		while (span_split(&line, '/', &part))
			if (ends_in(part, ".service"))
				unit = part;
		if (ends_in(line, ".service"))
			unit = line;
	}
	return unit;
}

static uint32_t find_hash(const struct watchdogs *watchdogs, uint64_t name)
{
	for (size_t i = 0; i < watchdogs->count; i++)
		if (watchdogs->names[i] == name)
			return watchdogs->ms[i];
	return 0;
}

static void add(struct watchdogs *watchdogs, struct span name, uint32_t ms)
{
	uint64_t value = span_hash(name);
	size_t i = 0;

	while (i < watchdogs->count && watchdogs->names[i] != value)
		i++;
	if (!ms || i == WATCHDOG_UNITS)
		return;
	watchdogs->names[i] = value;
	if (i == watchdogs->count)
		watchdogs->ms[watchdogs->count++] = ms;
	else
		watchdogs->ms[i] = (uint32_t)lesser(watchdogs->ms[i], ms);
}

/* Unlike our own files a unit may well be a link. */
static uint32_t read_unit(int directory, const char *name)
{
	int file = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char buffer[UNIT_SIZE];
	struct span text;
	struct stat status;
	uint32_t ms = 0;

	if (file < 0)
		return 0;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
	    file_read(file, buffer, sizeof(buffer), &text) == 0)
		ms = watchdog_parse(text);
	(void)close(file);
	return ms;
}

/* What is listed of a directory. */
struct listing {
	int directory;
	long at, length; /* in buffer */
	_Alignas(struct dirent) char buffer[LIST_SIZE];
};

/* The next name; false at the end. */
static bool next_name(struct listing *listing, struct span *name)
{
	const struct dirent *entry;

	if (listing->at >= listing->length) {
		listing->at = 0;
		listing->length =
			syscall(SYS_getdents64, listing->directory,
				listing->buffer, sizeof(listing->buffer));
	}
	if (listing->length <= 0)
		return false;
	entry = (const void *)(listing->buffer + listing->at);
	listing->at += entry->d_reclen;
	*name = span_of(entry->d_name);
	return true;
}

static int open_listing(int top, const char *path)
{
	return openat(top, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* "x.service.d": each of its files may change what x.service says. */
static void read_drop_ins(struct watchdogs *watchdogs, int top,
			  const char *path, struct span unit)
{
	struct listing listing = {.directory = open_listing(top, path)};
	struct span name;

	while (listing.directory >= 0 && next_name(&listing, &name))
		if (ends_in(name, ".conf"))
			add(watchdogs, unit,
			    read_unit(listing.directory, name.start));
	if (listing.directory >= 0)
		(void)close(listing.directory);
}

static void read_units(struct watchdogs *watchdogs, const char *path)
{
	struct listing listing = {.directory =
					  open_listing(watchdogs->root, path)};
	struct span name;

	while (listing.directory >= 0 && next_name(&listing, &name))
		if (ends_in(name, ".service"))
			add(watchdogs, name,
			    read_unit(listing.directory, name.start));
		else if (ends_in(name, ".service.d"))
			read_drop_ins(
				watchdogs, listing.directory, name.start,
				(struct span){name.start, name.length - 2});
	if (listing.directory >= 0)
		(void)close(listing.directory);
}

void watchdogs_open(struct watchdogs *watchdogs, const char *root)
{
	*watchdogs = (struct watchdogs){
		.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		read_units(watchdogs, directories[i]);
}

void watchdogs_close(struct watchdogs *watchdogs)
{
	if (watchdogs->root >= 0)
		(void)close(watchdogs->root);
	*watchdogs = (struct watchdogs){.root = -1};
}

/* "/": nothing else may be hidden in it. */
static uint32_t read_transient(const struct watchdogs *watchdogs,
			       struct span unit)
{
	char path[NAME_MAX + sizeof(TRANSIENT) + 2];
	int length = snprintf(path, sizeof(path), TRANSIENT "/%.*s",
			      SPAN_FORMAT(unit));

	return length < (int)sizeof(path) ? read_unit(watchdogs->root, path)
					  : 0;
}

/* "a@b.service" is made from "a@.service" if it has no file of its own. */
uint32_t watchdogs_find(const struct watchdogs *watchdogs, struct span cgroups)
{
	struct span unit = watchdog_unit(cgroups), rest = unit, name;
	char template[NAME_MAX];
	uint32_t ms;

	if (!unit.length || watchdogs->root < 0)
		return 0;
	ms = find_hash(watchdogs, span_hash(unit));
	if (!ms && span_split(&rest, '@', &name) && name.length < 200) {
		(void)snprintf(template, sizeof(template), "%.*s@.service",
			       SPAN_FORMAT(name));
		ms = find_hash(watchdogs, span_hash(span_of(template)));
	}
	return ms ? ms : read_transient(watchdogs, unit);
}

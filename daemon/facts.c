/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and keeps what is to be known of processes. */
#include "daemon/facts.h"

#include "core/cgroup.h"
#include "core/file.h"
#include "daemon/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A kernel before 4.11 has no such call, and then nothing is known. */
static int look_at(int proc, const char *name, struct statx *status)
{
	return (int)syscall(SYS_statx, proc, name, AT_STATX_DONT_SYNC,
			    STATX_UID | STATX_MODE, status);
}

/* The directory of a process belongs to its effective user, always. */
static bool read_user(int proc, pid_t pid, uint32_t *user)
{
	char name[16];
	struct stat status;

	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	if (fstatat(proc, name, &status, 0) != 0)
		return false;
	*user = status.st_uid;
	return true;
}

bool facts_read_exe(int proc, pid_t pid, char path[FACTS_PATH])
{
	static const char deleted[] = " (deleted)";
	char name[32];
	ssize_t length;
	size_t end;

	(void)snprintf(name, sizeof(name), "%d/exe", (int)pid);
	length = readlinkat(proc, name, path, FACTS_PATH - 1);
	if (length < 0)
		return false;
	end = (size_t)length;
	path[end] = '\0';
	/* by an upgrade, which changes nothing here */
	if (end >= sizeof(deleted) &&
	    strcmp(path + end - (sizeof(deleted) - 1), deleted) == 0)
		path[end - (sizeof(deleted) - 1)] = '\0';
	return true;
}

static enum role_kind name_role(const struct facts *facts, const char *command)
{
	enum role_kind role = role_by_command(command);

	for (size_t i = 0; role == ROLE_NONE && i < facts->shell_count; i++)
		if (strcmp(facts->shells[i], command) == 0)
			role = ROLE_SHELL;
	return role;
}

/* "/usr/bin/fish", but for comments; only the name counts. */
static void read_shells(struct facts *facts)
{
	char buffer[4096];
	struct span text = {buffer, 0};

	if (file_read_at(AT_FDCWD, FACTS_SHELLS, buffer, sizeof(buffer),
			 &text) != 0)
		return;
	while (text.length && facts->shell_count < FACTS_SHELL_NAMES) {
		struct span line = span_line(&text), directory;
		char *name = facts->shells[facts->shell_count];

		if (!line.length || line.start[0] != '/')
			continue;
		while (span_split(&line, '/', &directory))
			;
		if (line.length >= PROCESS_COMMAND)
			line.length = PROCESS_COMMAND - 1; /* as the kernel */
		(void)span_copy(line, name, PROCESS_COMMAND);
		/* most of them are known anyway */
		if (name[0] && name_role(facts, name) == ROLE_NONE)
			facts->shell_count++;
	}
}

/* Upward, the process itself first; how many. */
static size_t read_kin(const struct facts *facts, pid_t pid,
		       struct role_kin *kin, size_t room)
{
	size_t count = 0;

	while (pid > 0 && count < room) {
		struct role_kin *one = &kin[count];

		if (process_read(facts->proc, pid, facts->page_kib,
				 &one->process) != 0)
			break;
		one->has_user = read_user(facts->proc, pid, &one->user);
		one->named = (uint8_t)name_role(facts, one->process.command);
		pid = one->process.parent;
		count++;
	}
	return count;
}

void facts_open(struct facts *facts, int proc, const struct settings *settings,
		pid_t self)
{
	resident_clear(facts, sizeof(*facts));
	facts->proc = proc;
	facts->settings = settings;
	facts->page_kib = (unsigned)(sysconf(_SC_PAGESIZE) / 1024);
	facts->reads_left = FACTS_READS;
	read_shells(facts);
	facts->kin_count = process_read_kin(proc, self, facts->page_kib,
					    facts->kin, FACTS_KIN);
	watchdogs_open(&facts->watchdogs, "/");
}

void facts_close(struct facts *facts)
{
	if (facts->settings)
		watchdogs_close(&facts->watchdogs);
	facts->settings = NULL;
}

void facts_begin(struct facts *facts)
{
	facts->reads_left = FACTS_READS;
}

struct role_facts *facts_find(struct facts *facts,
			      const struct process *process)
{
	for (size_t i = 0; i < FACTS_KEPT; i++)
		if (facts->kept[i].pid == process->pid &&
		    facts->kept[i].start_time == process->start_time)
			return &facts->kept[i];
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Nobody but root can make a file that is root's, or write to this one. */
static bool is_of_root(int proc, pid_t pid)
{
	char name[32];
	struct statx status;

	(void)snprintf(name, sizeof(name), "%d/exe", (int)pid);
	return look_at(proc, name, &status) == 0 && !status.stx_uid &&
	       !(status.stx_mode & S_IWOTH);
}

static void read_program(const struct facts *facts, struct role_facts *read,
			 char path[FACTS_PATH])
{
	char name[PROCESS_COMMAND];
	struct span base;

	read->has_exe = facts_read_exe(facts->proc, read->pid, path);
	if (!read->has_exe || !read->named)
		return;
	base = span_of(base_name(path));
	if (base.length >= sizeof(name))
		base.length = sizeof(name) - 1;
	(void)span_copy(base, name, sizeof(name));
	read->is_genuine = name_role(facts, name) == read->named &&
			   is_of_root(facts->proc, read->pid);
}

/* A file system server opens the device before much else. */
static bool has_fuse(int proc, pid_t pid)
{
	static const char device[] = "/dev/fuse";

	for (int file = 0; file < FACTS_FILES; file++) {
		char name[32], path[sizeof(device)];
		ssize_t length;

		(void)snprintf(name, sizeof(name), "%d/fd/%d", (int)pid, file);
		length = readlinkat(proc, name, path, sizeof(path));
		if (length == (ssize_t)sizeof(device) - 1 &&
		    memcmp(path, device, sizeof(device) - 1) == 0)
			return true;
		if (length < 0 && errno != ENOENT)
			break; /* they may not be looked at */
	}
	return false;
}

uint8_t facts_find_whole(const struct facts *facts, pid_t pid,
			 char path[PATH_MAX])
{
	const struct rules *rules = &facts->settings->rules;

	return rules_have_list(rules, RULES_WHOLE) &&
			       cgroup_read_path(facts->proc, pid, path) == 0
		       ? rules_find_whole(rules, path)
		       : 0;
}

/* A rule asks for it, or it may be a service with a watchdog. */
static void read_cgroups(const struct facts *facts,
			 const struct process *process, char *buffer,
			 struct span *text)
{
	char name[32];

	*text = (struct span){NULL, 0};
	if (!rules_have(&facts->settings->rules, RULE_CGROUP) &&
	    (facts->watchdogs.root < 0 || process->has_terminal))
		return;
	(void)snprintf(name, sizeof(name), "%d/cgroup", (int)process->pid);
	if (file_read_at(facts->proc, name, buffer, FACTS_CGROUPS, text) != 0)
		*text = (struct span){NULL, 0};
}

static void find_whole(const struct facts *facts, struct role_facts *read)
{
	char path[PATH_MAX];

	read->rules[RULES_WHOLE] = facts_find_whole(facts, read->pid, path);
	if (read->rules[RULES_WHOLE])
		read->whole = span_hash(span_of(path));
}

static void read_rest(const struct facts *facts, const struct process *process,
		      struct role_facts *read)
{
	char path[FACTS_PATH], buffer[FACTS_CGROUPS];
	struct rule_subject subject = {
		.command = process->command,
		.user = read->user,
		.has_user = read->has_user,
	};

	read_program(facts, read, path);
	if (read->has_exe)
		subject.exe = path;
	read_cgroups(facts, process, buffer, &subject.cgroups);
	read->watchdog_ms = watchdogs_find(&facts->watchdogs, subject.cgroups);
	read->has_fuse = has_fuse(facts->proc, process->pid);
	for (size_t i = 0; i < RULES_LISTS; i++)
		read->rules[i] = rules_match(&facts->settings->rules,
					     (enum rule_list)i, &subject);
	find_whole(facts, read);
}

static bool is_ours(const struct facts *facts, pid_t pid)
{
	for (size_t i = 0; i < facts->kin_count; i++)
		if (facts->kin[i] == pid)
			return true;
	return false;
}

/* False: it is gone, or its pid is another's. */
static bool read_facts(const struct facts *facts, const struct process *process,
		       uint64_t now_us, struct role_facts *read)
{
	struct role_kin kin[FACTS_ANCESTORS];
	size_t count = read_kin(facts, process->pid, kin, FACTS_ANCESTORS);

	if (!count || kin[0].process.start_time != process->start_time)
		return false;
	*read = (struct role_facts){
		.pid = process->pid,
		.parent = process->parent,
		.start_time = process->start_time,
		.read_us = now_us,
		.named = (uint8_t)name_role(facts, process->command),
		.user = kin[0].user,
		.has_user = kin[0].has_user,
		.is_ours = is_ours(facts, process->pid),
	};
	memcpy(read->command, process->command, sizeof(read->command));
	role_trace(kin, count, read);
	read_rest(facts, process, read);
	return true;
}

static bool is_fresh(const struct role_facts *kept, uint64_t now_us)
{
	return now_us - kept->read_us < UINT64_C(1000) * FACTS_FRESH_MS;
}

struct role_facts *facts_get(struct facts *facts, const struct process *process,
			     uint64_t now_us, bool *is_new)
{
	struct role_facts *kept = facts_find(facts, process);
	struct role_facts read;

	bool is_same = kept && kept->parent == process->parent &&
		       strcmp(kept->command, process->command) == 0;

	*is_new = false;
	if (is_same && is_fresh(kept, now_us))
		return kept;
	if (!facts->reads_left)
		return is_same ? kept : NULL;
	facts->reads_left--;
	if (!read_facts(facts, process, now_us, &read))
		return NULL;
	*is_new = !is_same;
	if (kept) {
		read.was_busy = kept->was_busy;
		read.is_awaited = kept->is_awaited;
	} else {
		kept = &facts->kept[facts->next];
		facts->next = (facts->next + 1) % FACTS_KEPT;
	}
	*kept = read;
	return kept;
}

void facts_judge(struct facts *facts, struct process *process,
		 const struct role_moment *moment, bool *is_new)
{
	struct role_facts *known =
		facts_get(facts, process, moment->now_us, is_new);

	process->judged = role_pending();
	if (!known)
		return;
	known->was_busy |= role_is_busy(process, moment);
	process->judged = role_judge(process, known, moment);
}

struct judgement facts_judge_once(const struct facts *facts,
				  const struct process *process,
				  const struct role_moment *moment)
{
	struct role_facts read;

	return read_facts(facts, process, moment->now_us, &read)
		       ? role_judge(process, &read, moment)
		       : role_pending();
}

void facts_see_whole(struct facts *facts, struct process *process)
{
	const struct role_facts *known = facts_find(facts, process);
	char path[PATH_MAX];

	if (known)
		process->judged.whole = known->whole;
	else if (facts_find_whole(facts, process->pid, path))
		process->judged.whole = span_hash(span_of(path));
}

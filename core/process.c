/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads processes from /proc, and reads and writes them as lines of text. */
#include "core/process.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PF_KTHREAD = 0x00200000 }; /* include/linux/sched.h, since 2.6.27 */

bool process_is_kernel_thread(const struct process *process)
{
	return process->flags & PF_KTHREAD;
}

bool process_is_stopped(const struct process *process)
{
	return process->state == 'T' || process->state == 't';
}

bool process_is_dead(const struct process *process)
{
	return process->state == 'Z' || process->state == 'X' ||
	       process->state == 'x';
}

/* Pids outside of a PID namespace are shown as 0, and init's is 1. */
bool process_is_together(const struct process *a, const struct process *b)
{
	if (a->judged.whole || b->judged.whole)
		return a->judged.whole == b->judged.whole;
	return a->group > 1 && a->group == b->group && a->session == b->session;
}

const char *process_class_name(enum process_class class)
{
	static const char *const names[CLASSES] = {
		[CLASS_UNKNOWN] = "unknown",
		[CLASS_BATCH] = "batch",
		[CLASS_INTERACTIVE] = "interactive",
		[CLASS_PROTECTED] = "protected",
	};

	return names[class];
}

uint64_t process_memory_kib(const struct process *process)
{
	return process->resident_kib + process->swapped_kib;
}

/* Like span_to_u64(), but nobody's parent, group or session is 0. */
static int parse_id(struct span word, pid_t *id)
{
	uint64_t value;
	int error = span_to_u64(word, &value);

	if (error)
		return error;
	if (value > INT_MAX)
		return -ERANGE;
	*id = (pid_t)value;
	return 0;
}

static bool is_state(struct span word)
{
	return word.length == 1 && word.start[0] &&
	       strchr("RSDTtZXxIPWKN", word.start[0]);
}

/* Position in proc(5), where the state is field 3. */
enum {
	FIELD_STATE = 3,
	FIELD_PARENT,
	FIELD_GROUP,
	FIELD_SESSION,
	FIELD_TERMINAL,
	FIELD_FOREGROUND,
	FIELD_FLAGS,
	FIELD_MAJOR_FAULTS = 12,
	FIELD_USER_TIME = 14,
	FIELD_SYSTEM_TIME,
	FIELD_START_TIME = 22,
	FIELD_RESIDENT = 24,
};

static int add_ticks(struct span word, uint32_t *ticks)
{
	uint64_t value;
	int error = span_to_u64(word, &value);

	if (!error)
		*ticks = value < UINT32_MAX - *ticks ? *ticks + (uint32_t)value
						     : UINT32_MAX;
	return error;
}

static int parse_field(int field, struct span word, unsigned page_kib,
		       struct process *process)
{
	uint64_t value = 0;
	int error;

	switch (field) {
	case FIELD_STATE:
		process->state = is_state(word) ? word.start[0] : '\0';
		return process->state ? 0 : -EINVAL;
	case FIELD_PARENT:
		return parse_id(word, &process->parent);
	case FIELD_GROUP:
		/* what the kernel shows while it reaps the process */
		if (span_equals(word, "-1"))
			return -ESRCH;
		return parse_id(word, &process->group);
	case FIELD_SESSION:
		return parse_id(word, &process->session);
	case FIELD_TERMINAL:
		process->has_terminal = !span_equals(word, "0");
		break;
	case FIELD_FOREGROUND: /* -1 without a terminal */
		process->is_foreground = process->group > 0 &&
					 span_to_u64(word, &value) == 0 &&
					 value == (uint64_t)process->group;
		break;
	case FIELD_USER_TIME:
	case FIELD_SYSTEM_TIME:
		return add_ticks(word, &process->cpu_ticks);
	case FIELD_FLAGS:
		error = span_to_u64(word, &value);
		process->flags = (unsigned)value;
		return error || value <= UINT_MAX ? error : -ERANGE;
	case FIELD_MAJOR_FAULTS:
		return span_to_u64(word, &process->major_faults);
	case FIELD_START_TIME:
		return span_to_u64(word, &process->start_time);
	case FIELD_RESIDENT:
		error = span_to_u64(word, &value);
		if (!error && value > UINT64_MAX / page_kib)
			error = -ERANGE;
		process->resident_kib = value * page_kib;
		return error;
	default:
		break;
	}
	return word.length ? 0 : -EINVAL;
}

/* "1234 (a name) S 1 1234 1234 0 -1 4194304 ..." */
int process_parse_stat(struct span text, unsigned page_kib,
		       struct process *process)
{
	struct process parsed = {0};
	struct span pid;
	const char *end =
		text.length ? memrchr(text.start, ')', text.length) : NULL;

	if (!end || !span_split(&text, '(', &pid) || text.start > end)
		return -EINVAL;

	struct span name = {text.start, (size_t)(end - text.start)};
	struct span rest = {end + 1, text.length - name.length - 1};
	int error = span_to_pid(span_trim(pid), &parsed.pid);

	if (error)
		return error;
	if (name.length >= sizeof(parsed.command))
		name.length = sizeof(parsed.command) - 1;
	if (memchr(name.start, '\0', name.length))
		return -EINVAL;
	error = span_copy(name, parsed.command, sizeof(parsed.command));
	for (int field = FIELD_STATE; !error && field <= FIELD_RESIDENT;
	     field++)
		error = parse_field(field, span_word(&rest), page_kib, &parsed);
	if (!error)
		*process = parsed;
	return error;
}

/* "VmSwap:\t    1234 kB" */
int process_parse_status(struct span text, uint64_t *swapped_kib)
{
	struct span name;

	while (text.length) {
		struct span line = span_line(&text);

		if (!span_split(&line, ':', &name) ||
		    !span_equals(name, "VmSwap"))
			continue;

		uint64_t value;
		int error = span_to_u64(span_word(&line), &value);

		if (!error && !span_equals(span_trim(line), "kB"))
			error = -EINVAL;
		if (!error)
			*swapped_kib = value;
		return error;
	}
	*swapped_kib = 0;
	return 0;
}

/* "1234/stat", made by hand: this is the daemon's innermost loop. */
static int open_of(int proc, pid_t pid, const char *name)
{
	char path[32], *start = path + 16;
	unsigned left = (unsigned)pid;

	if (pid <= 0)
		return -ENOENT;
	(void)span_copy(span_of(name), start, sizeof(path) - 16);
	for (; left; left /= 10)
		*--start = (char)('0' + left % 10);
	return file_open_at(proc, start);
}

int process_read(int proc, pid_t pid, unsigned page_kib,
		 struct process *process)
{
	char buffer[PROCESS_STAT_SIZE];
	struct span text;
	int file = open_of(proc, pid, "/stat");
	int error;

	if (file < 0)
		return file;
	error = file_read_piece(file, buffer, sizeof(buffer), &text);
	(void)close(file);
	if (!error)
		error = process_parse_stat(text, page_kib, process);
	if (!error && process->pid != pid)
		error = -EINVAL;
	return error;
}

static int find_swapped(struct span text, uint64_t *swapped_kib)
{
	int error = process_parse_status(text, swapped_kib);

	return error ? error : *swapped_kib != 0;
}

/* Sixteen digits, as a mask of signals has them. */
static int parse_mask(struct span word, uint64_t *mask)
{
	if (word.length != 16)
		return -EINVAL;
	*mask = 0;
	for (size_t i = 0; i < word.length; i++) {
		char c = word.start[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return -EINVAL;
		*mask = *mask << 4 |
			(uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return 0;
}

/* "SigPnd:\t0000000000000000", of the thread, then ShdPnd of the process */
static int find_pending(struct span text, uint64_t *signals)
{
	while (text.length) {
		struct span line = span_line(&text), name;
		uint64_t mask;

		if (!span_split(&line, ':', &name) ||
		    !(span_equals(name, "SigPnd") ||
		      span_equals(name, "ShdPnd")))
			continue;

		int error = parse_mask(span_trim(line), &mask);

		if (error)
			return error;
		*signals |= mask;
		if (span_equals(name, "ShdPnd"))
			return 1;
	}
	return 0;
}

/*
 * Reads a status in pieces, because its line of groups may have 700 kB and
 * comes before what is wanted; of a line longer than buffer only the end is
 * seen.  find returns 1 when it has found that.
 */
static int read_status(int file, int (*find)(struct span, uint64_t *),
		       uint64_t *value)
{
	char buffer[PROCESS_STATUS_SIZE];
	size_t length = 0;

	*value = 0;
	for (;;) {
		ssize_t count =
			read(file, buffer + length, sizeof(buffer) - length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		length += (size_t)count;

		const char *end = memrchr(buffer, '\n', length);
		size_t whole =
			end && count ? (size_t)(end + 1 - buffer) : length;
		int found = find((struct span){buffer, whole}, value);

		if (found || !count)
			return found < 0 ? found : 0;
		length -= whole;
		memmove(buffer, buffer + whole, length);
	}
}

static int find_in_status(int proc, pid_t pid,
			  int (*find)(struct span, uint64_t *), uint64_t *value)
{
	int file = open_of(proc, pid, "/status"), error;

	if (file < 0)
		return file;
	error = read_status(file, find, value);
	(void)close(file);
	return error;
}

int process_read_memory(int proc, struct process *process)
{
	return find_in_status(proc, process->pid, find_swapped,
			      &process->swapped_kib);
}

int process_read_pending(int proc, pid_t pid, uint64_t *signals)
{
	return find_in_status(proc, pid, find_pending, signals);
}

int process_find(int proc, pid_t pid, uint64_t start_time, unsigned page_kib,
		 struct process *process)
{
	int error = process_read(proc, pid, page_kib, process);

	if (error)
		return error == -ENOENT ? -ESRCH : error;
	return process->start_time != start_time || process_is_dead(process)
		       ? -ESRCH
		       : 0;
}

size_t process_read_kin(int proc, pid_t pid, unsigned page_kib, pid_t *kin,
			size_t most)
{
	struct process process = {.parent = pid};
	size_t count = 0;

	while (count < most && process.parent > 0 &&
	       process_read(proc, process.parent, page_kib, &process) == 0)
		kin[count++] = process.pid;
	return count;
}

bool process_is_alive(int proc, pid_t pid, uint64_t start_time)
{
	struct process process;

	return process_find(proc, pid, start_time, 1, &process) == 0;
}

bool process_is_own_proc(int proc)
{
	struct statfs status;
	char target[16];
	ssize_t length = readlinkat(proc, "self", target, sizeof(target));
	pid_t pid;

	return fstatfs(proc, &status) == 0 &&
	       status.f_type == PROC_SUPER_MAGIC && length > 0 &&
	       span_to_pid((struct span){target, (size_t)length}, &pid) == 0 &&
	       pid == getpid();
}

int process_table_open(struct process_table *table, int proc, size_t capacity)
{
	*table = (struct process_table){
		.capacity = capacity,
		.page_kib = (unsigned)(sysconf(_SC_PAGESIZE) / 1024),
	};

	int directory = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return -errno;
	table->directory = fdopendir(directory);
	if (!table->directory) {
		(void)close(directory);
		return -ENOMEM;
	}
	/* calloc of this size is a mapping: untouched rows cost nothing */
	table->rows = calloc(capacity, sizeof(*table->rows));
	if (table->rows)
		return 0;
	process_table_close(table);
	return -ENOMEM;
}

void process_table_close(struct process_table *table)
{
	if (table->directory)
		(void)closedir(table->directory);
	free(table->rows);
	*table = (struct process_table){0};
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Reads one process into the next free row, if it is one to keep. */
static void scan_one(struct process_table *table, pid_t pid)
{
	struct process process;

	if (process_read(dirfd(table->directory), pid, table->page_kib,
			 &process) != 0 ||
	    process_is_kernel_thread(&process) || process_is_dead(&process))
		return;
	if (table->count == table->capacity)
		table->left_out++;
	else
		table->rows[table->count++] = process;
}

int process_table_scan(struct process_table *table)
{
	const struct dirent *entry;
	bool is_sorted = true;

	table->count = table->left_out = 0;
	rewinddir(table->directory);
	errno = 0;
	while ((entry = readdir(table->directory))) {
		pid_t pid;

		if (span_to_pid(span_of(entry->d_name), &pid) == 0)
			scan_one(table, pid);
		errno = 0;
	}
	if (errno)
		return -errno;
	for (size_t i = 1; i < table->count; i++)
		is_sorted &= table->rows[i - 1].pid < table->rows[i].pid;
	if (!is_sorted) /* a real /proc always is */
		qsort(table->rows, table->count, sizeof(*table->rows), by_pid);
	return 0;
}

const struct process *process_table_find(const struct process_table *table,
					 pid_t pid, uint64_t start_time)
{
	const struct process key = {.pid = pid};
	const struct process *found =
		table->count ? bsearch(&key, table->rows, table->count,
				       sizeof(*table->rows), by_pid)
			     : NULL;

	return found && found->start_time == start_time ? found : NULL;
}

void process_format(const struct process *process, char line[PROCESS_LINE])
{
	char command[TEXT_ESCAPED_COMMAND];

	text_escape(process->command, command, sizeof(command));
	(void)snprintf(line, PROCESS_LINE,
		       "process %d %d %d %d %" PRIu64 " %" PRIu64 " %" PRIu64
		       " %" PRIu64 " %u %c %s",
		       (int)process->pid, (int)process->parent,
		       (int)process->group, (int)process->session,
		       process->start_time, process->major_faults,
		       process->resident_kib, process->swapped_kib,
		       process->flags, process->state, command);
}

int process_parse(struct span line, struct process *process)
{
	struct process parsed = {0};
	uint64_t flags = 0;
	uint64_t *const numbers[] = {&parsed.start_time, &parsed.major_faults,
				     &parsed.resident_kib, &parsed.swapped_kib,
				     &flags};

	if (!span_equals(span_word(&line), "process") ||
	    span_to_pid(span_word(&line), &parsed.pid) ||
	    parse_id(span_word(&line), &parsed.parent) ||
	    parse_id(span_word(&line), &parsed.group) ||
	    parse_id(span_word(&line), &parsed.session))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (span_to_u64(span_word(&line), numbers[i]))
			return -EINVAL;

	struct span state = span_word(&line);

	if (flags > UINT_MAX || !is_state(state) ||
	    text_unescape(line, parsed.command, sizeof(parsed.command)))
		return -EINVAL;
	parsed.flags = (unsigned)flags;
	parsed.state = state.start[0];
	*process = parsed;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue on disk, and its index in memory. */
#include "plugins/nagios/push_queue.h"

#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 24, DIGITS = 20 };

static void make_name(uint64_t number, char name[NAME])
{
	(void)snprintf(name, NAME, "%0*" PRIu64, DIGITS, number);
}

/* -ENOENT: not one of ours; as the first digit is 0, more may follow. */
static int parse_name(const char *name, uint64_t *number)
{
	struct span span = span_of(name);

	return span.length == DIGITS && *name == '0' &&
			       span_to_u64(span, number) == 0 && *number
		       ? 0
		       : -ENOENT;
}

/* Where number is or would be. */
static size_t find(const struct push_queue *queue, uint64_t number)
{
	size_t low = 0, high = queue->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (queue->entries[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct push_queue *queue, size_t place, uint64_t number)
{
	return place < queue->count && queue->entries[place].number == number;
}

static void remove_at(struct push_queue *queue, size_t place)
{
	struct push_entry *entry = &queue->entries[place];
	char name[NAME];

	make_name(entry->number, name);
	if (!entry->text)
		(void)unlinkat(queue->directory, name, 0);
	free(entry->text);
	queue->bytes -= entry->bytes;
	queue->count--;
	memmove(entry, entry + 1,
		(queue->count - place) * sizeof(*queue->entries));
}

void push_queue_remove(struct push_queue *queue, uint64_t number)
{
	size_t place = find(queue, number);

	if (is_at(queue, place, number))
		remove_at(queue, place);
}

/* The oldest of a kind that comes after place; count: there is none. */
static size_t next_of(const struct push_queue *queue, size_t place,
		      unsigned kind)
{
	while (place < queue->count && queue->entries[place].kind != kind)
		place++;
	return place;
}

/* The newest of a service says how it is: that one stays. */
static size_t find_superseded(const struct push_queue *queue, unsigned kind)
{
	size_t place = next_of(queue, 0, kind);

	if (place < queue->count)
		return place;
	for (place = 0; place < queue->count; place++)
		if (next_of(queue, place + 1, queue->entries[place].kind) <
		    queue->count)
			return place;
	return 0;
}

static void make_room(struct push_queue *queue, unsigned kind, size_t bytes)
{
	while (queue->count && (queue->count >= queue->count_max ||
				queue->bytes + bytes > queue->bytes_max)) {
		remove_at(queue, find_superseded(queue, kind));
		queue->superseded++;
	}
}

/* Numbers rise, and so do the names of a directory that is read in order. */
static void append(struct push_queue *queue, const struct push_entry *entry)
{
	queue->entries[queue->count++] = *entry;
	queue->bytes += entry->bytes;
}

/* The place behind the newest of a kind; 0: there is none. */
static size_t behind_newest(const struct push_queue *queue, unsigned kind)
{
	size_t place = queue->count;

	while (place > 0 && queue->entries[place - 1].kind != kind)
		place--;
	return place;
}

/* A heartbeat that waits behind all changes of its service. */
static void remove_heartbeat(struct push_queue *queue, unsigned kind)
{
	size_t place = behind_newest(queue, kind);

	if (place > 0 && !queue->entries[place - 1].is_change)
		remove_at(queue, place - 1);
}

int push_queue_add(struct push_queue *queue, const struct push_result *result,
		   int *disk)
{
	char buffer[PUSH_RESULT_SIZE], name[NAME];
	struct span text = push_result_format(result, buffer);
	struct push_entry entry = {
		.number = queue->next_number++,
		.bytes = (uint16_t)text.length,
		.kind = (uint8_t)result->kind,
		.is_change = result->is_change,
	};

	if (!result->is_change)
		remove_heartbeat(queue, entry.kind);
	make_room(queue, entry.kind, entry.bytes);
	make_name(entry.number, name);
	*disk = file_replace_at(queue->directory, name, text, 0600, NULL);
	if (*disk) {
		entry.text = strdup(buffer);
		if (!entry.text)
			return -ENOMEM;
	}
	append(queue, &entry);
	return 0;
}

uint64_t push_queue_first(const struct push_queue *queue)
{
	return queue->count ? queue->entries[0].number : 0;
}

/* What ails the host, and not the file. */
static bool is_passing(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static int read_file(const struct push_queue *queue, const char *name,
		     struct push_result *result, size_t *bytes)
{
	char buffer[PUSH_RESULT_SIZE];
	struct span text;
	int error = file_read_at(queue->directory, name, buffer, sizeof(buffer),
				 &text);

	if (error)
		return is_passing(error) ? error : -EINVAL;
	*bytes = text.length;
	return push_result_parse(text, result);
}

int push_queue_read(const struct push_queue *queue, uint64_t number,
		    struct push_result *result)
{
	size_t place = find(queue, number), bytes;
	char name[NAME];

	if (!is_at(queue, place, number))
		return -ENOENT;
	if (queue->entries[place].text)
		return push_result_parse(span_of(queue->entries[place].text),
					 result);
	make_name(number, name);
	return read_file(queue, name, result, &bytes);
}

bool push_queue_has_status(const struct push_queue *queue,
			   const struct push_result *result)
{
	size_t place = behind_newest(queue, result->kind);
	struct push_result newest;

	return place > 0 &&
	       push_queue_read(queue, queue->entries[place - 1].number,
			       &newest) == 0 &&
	       newest.status == result->status;
}

static int open_private(const char *path, struct problem *problem)
{
	struct stat status;
	int directory;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return problem_set(problem, -errno, "%s: %s", path,
				   strerror(errno));
	directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return problem_set(problem, -errno, "%s: %s", path,
				   strerror(errno));
	if (fstat(directory, &status) != 0 || status.st_uid != geteuid() ||
	    (status.st_mode & 0077))
		(void)problem_set(problem, -EPERM,
				  "%s: must belong to user %u and have mode "
				  "0700",
				  path, (unsigned)geteuid());
	else if (flock(directory, LOCK_EX | LOCK_NB) != 0)
		(void)problem_set(problem, -errno,
				  "%s: another process uses it", path);
	else
		return directory;
	(void)close(directory);
	return -EPERM;
}

/* What a crash has left half written, or somebody has put there. */
static bool is_left_over(const char *name)
{
	size_t length = strlen(name);

	return name[0] == '.' && length > 4 &&
	       strcmp(name + length - 4, ".new") == 0;
}

static int take_file(struct push_queue *queue, const char *name)
{
	struct push_result result;
	struct push_entry entry = {.text = NULL};
	size_t bytes;
	int error;

	if (is_left_over(name))
		(void)unlinkat(queue->directory, name, 0);
	if (parse_name(name, &entry.number))
		return 0;
	error = read_file(queue, name, &result, &bytes);
	if (is_passing(error))
		return error;
	if (error) {
		(void)unlinkat(queue->directory, name, 0);
		return 0;
	}
	entry.bytes = (uint16_t)bytes;
	entry.kind = (uint8_t)result.kind;
	entry.is_change = result.is_change;
	make_room(queue, entry.kind, entry.bytes);
	append(queue, &entry);
	if (entry.number >= queue->next_number)
		queue->next_number = entry.number + 1;
	return 0;
}

/* In the order of their numbers: then it is the oldest that must go. */
static int take_files(struct push_queue *queue)
{
	struct dirent **names;
	char path[32];
	int count, error = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
		       queue->directory);
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (!error)
			error = take_file(queue, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return error;
}

int push_queue_open(struct push_queue *queue, const char *path,
		    size_t count_max, uint64_t bytes_max,
		    struct problem *problem)
{
	int error;

	*queue = (struct push_queue){
		.directory = open_private(path, problem),
		.count_max = count_max,
		.bytes_max = bytes_max,
		.next_number = 1,
	};
	if (queue->directory < 0)
		return queue->directory;
	queue->entries = calloc(count_max, sizeof(*queue->entries));
	if (!queue->entries) {
		(void)close(queue->directory);
		return problem_set(problem, -ENOMEM, "no memory");
	}
	error = take_files(queue);
	if (error) {
		push_queue_close(queue);
		return problem_set(problem, error, "%s: %s", path,
				   strerror(-error));
	}
	return 0;
}

static void save(const struct push_queue *queue, const struct push_entry *entry)
{
	char name[NAME];

	make_name(entry->number, name);
	(void)file_replace_at(queue->directory, name, span_of(entry->text),
			      0600, NULL);
}

void push_queue_close(struct push_queue *queue)
{
	for (size_t i = 0; i < queue->count; i++) {
		if (queue->entries[i].text)
			save(queue, &queue->entries[i]);
		free(queue->entries[i].text);
	}
	free(queue->entries);
	(void)close(queue->directory);
}

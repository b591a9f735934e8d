/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the daemon in memory and on the processor. */
#include "daemon/resident.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	/* More than the deepest turn takes (measured: 24 kB). */
	STACK_USED = 32 * 1024,
	/* The same of the guardian's, until all are thawed (counted: 12 kB). */
	LITTLE_STACK_USED = 16 * 1024,
	PRIORITY = -20,
	PAGE = 4096,
};

/* Up to whole pages; the first and the last may be others' as well. */
static int lock(uintptr_t start, size_t bytes, bool is_lazy)
{
	uintptr_t first = start / PAGE * PAGE;

	bytes += start - first;
	/* Linux 4.4 can leave out what is never touched */
	if (is_lazy && mlock2((const void *)first, bytes, MLOCK_ONFAULT) == 0)
		return 0;
	return mlock((const void *)first, bytes) == 0 ? 0 : -errno;
}

int resident_keep(const void *start, size_t bytes)
{
	return lock((uintptr_t)start, bytes, true);
}

void resident_clear(void *start, size_t bytes)
{
	char *at = start;

	while (bytes) {
		size_t piece = PAGE - (uintptr_t)at % PAGE;

		if (piece > bytes)
			piece = bytes;
		if (at[0] || memcmp(at, at + 1, piece - 1) != 0)
			memset(at, 0, piece);
		at += piece;
		bytes -= piece;
	}
}

/* The kernel maps 128 KiB of stack below what a program begins with. */
int resident_keep_stack(size_t bytes)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	int error = lock(here - bytes, bytes, false);

	/* who called us, and in a thread what is its own */
	(void)lock(here, PAGE, false);
	return error;
}

/*
 * Locks what is loaded of one program or library, but for the tables at its
 * end that only exceptions need.  The pages of a program that have not been
 * used yet would come from the disk, so they are read now; libraries (there
 * are none in a static program) are large, and little of them is used.
 */
static int lock_object(struct dl_phdr_info *object, size_t size, void *result)
{
	bool is_library = object->dlpi_name && object->dlpi_name[0];
	uintptr_t unused = UINTPTR_MAX;
	int error = 0;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			unused = object->dlpi_addr +
				 object->dlpi_phdr[i].p_vaddr;
	for (int i = 0; !error && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + part->p_vaddr;
		size_t bytes = part->p_memsz;

		if (part->p_type != PT_LOAD)
			continue;
		if (unused > start && unused - start < bytes)
			bytes = unused - start;
		error = lock(start, bytes, is_library || part->p_flags & PF_W);
	}
	if (error)
		*(int *)result = error;
	return 0;
}

static int lock_memory(void)
{
	int error = 0, stack_error;

	(void)dl_iterate_phdr(lock_object, &error);
	stack_error = resident_keep_stack(STACK_USED);
	return error ? error : stack_error;
}

static int exempt_from_oom(void)
{
	static const char least[] = "-1000";
	int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (file < 0)
		return -errno;
	if (write(file, least, sizeof(least) - 1) < 0)
		error = -errno;
	(void)close(file);
	return error;
}

/*
 * What the program begins with of data.  Of that, what is constant after the
 * start is the worker's, too, and locked by it, as the code is.
 */
static int lock_data(struct dl_phdr_info *object, size_t size, void *result)
{
	uintptr_t constant = 0;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		if (part->p_type == PT_GNU_RELRO)
			constant = object->dlpi_addr + part->p_vaddr +
				   part->p_memsz;
	}
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + part->p_vaddr;
		uintptr_t end = start + part->p_filesz;

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_W))
			continue;
		if (constant > start && constant < end)
			start = constant;
		*(int *)result = lock(start, end - start, true);
	}
	return 1; /* of libraries nothing */
}

static void rise(struct log *log, int error)
{
	if (error)
		log_debug(log, "cannot lock memory: %s", strerror(-error));
	error = exempt_from_oom();
	if (error)
		log_debug(log, "cannot lower oom_score_adj: %s",
			  strerror(-error));
	if (setpriority(PRIO_PROCESS, 0, PRIORITY) != 0)
		log_debug(log, "cannot raise priority: %s", strerror(errno));
}

void resident_begin(struct log *log)
{
	rise(log, lock_memory());
}

void resident_begin_little(struct log *log)
{
	int error = 0, stack_error;

	(void)dl_iterate_phdr(lock_data, &error);
	(void)lock((uintptr_t)&errno, sizeof(errno), true);
	stack_error = resident_keep_stack(LITTLE_STACK_USED);
	rise(log, error ? error : stack_error);
}

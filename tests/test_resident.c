/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that clearing takes no memory. */
#include "daemon/resident.h"

#include "tests/scratch.h"

#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 64 };

/* KiB that are this process's own, of those between start and end. */
static unsigned anonymous_kib(const char *start)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned kib = 0;
	bool is_inside = false;

	while (maps && fgets(line, sizeof(line), maps)) {
		char *end;
		unsigned long first = strtoul(line, &end, 16);

		if (*end == '-')
			is_inside = first == (unsigned long)start;
		else if (is_inside && strncmp(line, "Anonymous:", 10) == 0)
			kib = (unsigned)strtoul(line + 10, NULL, 10);
	}
	if (maps)
		(void)fclose(maps);
	return kib;
}

int main(void)
{
	/* between two pages that keep it apart from what others map */
	const size_t bytes = (size_t)PAGE * (PAGES + 2);
	char *all = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *room = all + PAGE;
	bool is_zero = true;

	if (all == MAP_FAILED ||
	    mprotect(room, (size_t)PAGE * PAGES, PROT_READ | PROT_WRITE) != 0)
		skip_all("no memory");
	memset(room + 3 * PAGE - 1, 'x', 2); /* the ends of two pages */
	room[9 * PAGE + 7] = room[PAGES * PAGE - 1] = 'x';
	resident_clear(room + 1, PAGES * PAGE - 2);
	ok(room[PAGES * PAGE - 1] == 'x', "nothing behind it is cleared");
	room[PAGES * PAGE - 1] = '\0';
	for (size_t i = 0; i < (size_t)PAGE * PAGES; i++)
		is_zero &= !room[i];
	ok(is_zero, "all of it is");
	is_int(anonymous_kib(room), 16,
	       "of 64 pages the four take memory that were written to");
	(void)munmap(all, bytes);
	return done_testing();
}

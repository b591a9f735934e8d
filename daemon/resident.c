/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the daemon in memory and on the processor. */
#include "daemon/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	/* More than the deepest turn takes (measured: 190 kB, orders and a
	 * state with its text). */
	STACK_USED = 256 * 1024,
	PRIORITY = -20,
	PAGE = 4096,
};

/* Grows the stack now, one page after the other, so that it is locked too. */
static void touch_stack(void)
{
	volatile char room[STACK_USED];

	for (size_t i = 0; i < sizeof(room); i += PAGE)
		room[i] = 0;
}

/* ONFAULT (Linux 4.4) locks only what is touched, not whole libraries. */
static int lock_memory(void)
{
	int flags = MCL_CURRENT | MCL_FUTURE;

	if (mlockall(flags | MCL_ONFAULT) == 0)
		return 0;
	if (errno == EINVAL && mlockall(flags) == 0)
		return 0;
	return -errno;
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

void resident_begin(struct log *log)
{
	int error = lock_memory();

	touch_stack();
	if (error)
		log_debug(log, "cannot lock memory: %s", strerror(-error));
	error = exempt_from_oom();
	if (error)
		log_debug(log, "cannot lower oom_score_adj: %s",
			  strerror(-error));
	if (setpriority(PRIO_PROCESS, 0, PRIORITY) != 0)
		log_debug(log, "cannot raise priority: %s", strerror(errno));
}

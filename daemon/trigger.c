/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arms a pressure trigger. */
#include "daemon/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What is written to any other file would stay in it. */
static bool is_of_kernel(int file)
{
	struct statfs status;

	return fstatfs(file, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

static int arm(int file)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "some %d %d",
			      TRIGGER_STALL_US, TRIGGER_WINDOW_US);

	if (!is_of_kernel(file))
		return -EINVAL;
	/* with its NUL: the kernel overwrites the last byte it is given */
	return write(file, text, (size_t)length + 1) < 0 ? -errno : 0;
}

int trigger_open(int proc)
{
	int file = openat(proc, "pressure/memory",
			  O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return -errno;

	int error = arm(file);

	if (!error)
		return file;
	(void)close(file);
	return error;
}

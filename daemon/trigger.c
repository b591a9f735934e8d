/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arms a pressure trigger. */
#include "daemon/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int trigger_open(int proc)
{
	char text[64];
	int file = openat(proc, "pressure/memory",
			  O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return -errno;

	int length = snprintf(text, sizeof(text), "some %d %d",
			      TRIGGER_STALL_US, TRIGGER_WINDOW_US);

	/* with its NUL: the kernel overwrites the last byte it is given */
	if (write(file, text, (size_t)length + 1) < 0) {
		int error = -errno;

		(void)close(file);
		return error;
	}
	return file;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes to the service manager's socket. */
#include "daemon/notify.h"

#include "core/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	/* a path, or a name in the abstract namespace, written with "@" */
	if (!length || length >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	int file =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (file < 0)
		return;
	(void)sendto(
		file, state, strlen(state), MSG_NOSIGNAL,
		(struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(file);
}

void notify_reloading(uint64_t monotonic_us)
{
	char text[64];

	(void)snprintf(text, sizeof(text),
		       "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_us);
	notify(text);
}

uint64_t notify_watchdog_us(void)
{
	const char *interval = getenv("WATCHDOG_USEC");
	const char *of = getenv("WATCHDOG_PID");
	uint64_t interval_us;
	int pid;

	if (!interval || span_to_u64(span_of(interval), &interval_us))
		return 0;
	if (of && (span_to_pid(span_of(of), &pid) || pid != getpid()))
		return 0;
	return interval_us / 2;
}

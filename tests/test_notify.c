/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what a service manager hears, on a socket of our own. */
#include "daemon/notify.h"

#include "tests/scratch.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Listens at a path, or at a name of the abstract namespace ("@..."). */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	int file =
		need(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	need(bind(file, (struct sockaddr *)&address,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	     name);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	return file;
}

/* What has come; "" for nothing. */
static const char *hear(int file, char *text, size_t size)
{
	ssize_t length = recv(file, text, size - 1, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void test_socket(const char *name, const char *what)
{
	int file = listen_at(name);
	char text[128];

	notify("READY=1");
	is_text(hear(file, text, sizeof(text)), "READY=1", "%s: it is heard",
		what);
	notify_reloading(1234567);
	is_text(hear(file, text, sizeof(text)),
		"RELOADING=1\nMONOTONIC_USEC=1234567",
		"%s: so is a reload, with its time", what);
	is_text(hear(file, text, sizeof(text)), "", "%s: each once", what);
	for (int i = 0; i < 10000; i++)
		notify("WATCHDOG=1");
	ok(true, "%s: nobody reads: that blocks nobody", what);
	(void)close(file);
	notify("READY=1");
	ok(true, "%s: nobody is there: that harms nobody", what);
	(void)unsetenv("NOTIFY_SOCKET");
}

/* Names that are no socket's; what listens there must hear nothing. */
static void test_bad_names(void)
{
	static const char *const names[] = {"", "relative", "vsock:2:1234"};
	char text[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)setenv("NOTIFY_SOCKET", names[i], 1);
		notify("READY=1");
		ok(true, "'%s' is passed over", names[i]);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	(void)setenv("NOTIFY_SOCKET", text, 1);
	notify("READY=1");
	ok(true, "a name that is too long is passed over");
	(void)unsetenv("NOTIFY_SOCKET");
	notify("READY=1");
	ok(true, "no name: nothing is sent");
}

static void test_watchdog(void)
{
	static const struct {
		const char *interval, *pid; /* NULL: not set; "": our own */
		int64_t wanted;
	} rows[] = {
		{NULL, NULL, 0},
		{"3000000", NULL, 1500000},
		{"3000000", "", 1500000},
		{"3000000", "1", 0},
		{"3000000", "x", 0},
		{"soon", NULL, 0},
		{"", NULL, 0},
		{"0", NULL, 0},
	};
	char own[16];

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *pid = rows[i].pid;

		(void)unsetenv("WATCHDOG_USEC");
		(void)unsetenv("WATCHDOG_PID");
		if (rows[i].interval)
			(void)setenv("WATCHDOG_USEC", rows[i].interval, 1);
		if (pid)
			(void)setenv("WATCHDOG_PID", *pid ? pid : own, 1);
		is_int((int64_t)notify_watchdog_us(), rows[i].wanted,
		       "a watchdog of %s us for %s",
		       rows[i].interval ? rows[i].interval : "no",
		       !pid   ? "whom it may concern"
		       : *pid ? pid
			      : "us");
	}
}

int main(void)
{
	struct scratch scratch;
	char name[300];

	scratch_open(&scratch);
	(void)snprintf(name, sizeof(name), "%s/notify", scratch.path);
	test_socket(name, "a path");
	(void)snprintf(name, sizeof(name), "@thrash-test-%d", (int)getpid());
	test_socket(name, "an abstract name");
	test_bad_names();
	test_watchdog();
	scratch_close(&scratch);
	return done_testing();
}

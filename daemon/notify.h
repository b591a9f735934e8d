/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells a service manager how we are, as sd_notify(3) does. */
#ifndef THRASH_DAEMON_NOTIFY_H
#define THRASH_DAEMON_NOTIFY_H

/* Sends "READY=1" and the like to $NOTIFY_SOCKET; nothing without one. */
void notify(const char *state);

#endif

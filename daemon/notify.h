/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells a service manager how we are, as sd_notify(3) does.  It listens to
 * the process that it has started, which is the guardian, and to no other.
 */
#ifndef THRASH_DAEMON_NOTIFY_H
#define THRASH_DAEMON_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1" and the like to $NOTIFY_SOCKET; nothing without one. */
void notify(const char *state);

/*
 * That the settings are being read anew; another READY=1 is to follow.  The
 * time is of CLOCK_MONOTONIC: systemd 253 tells by it whether this answers
 * its own signal.
 */
void notify_reloading(uint64_t monotonic_us);

/*
 * How often it wants to hear WATCHDOG=1, with time to spare: half of
 * $WATCHDOG_USEC; 0 when it does not, or not from us ($WATCHDOG_PID).
 */
uint64_t notify_watchdog_us(void);

#endif

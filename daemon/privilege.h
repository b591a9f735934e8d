/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives up what the daemon will never need, so that whoever might take it over
 * gets little: all capabilities but a few, every way to new ones, writable
 * code, and system calls that it has no business with.
 */
#ifndef THRASH_DAEMON_PRIVILEGE_H
#define THRASH_DAEMON_PRIVILEGE_H

/*
 * For this process and all that it forks, for good.  What the kernel cannot do
 * is left out, since the daemon works without; 0, or -errno of the first such.
 * What was never there (no root) is not missed.
 */
int privilege_drop(void);

#endif

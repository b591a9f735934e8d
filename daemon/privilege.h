/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives up what the daemon will never need, so that whoever might take it over
 * gets little: all capabilities but a few, every way to new ones, writable
 * code, and system calls that it has no business with.  Who is not root may
 * have been given these few, or some of them; what is lacking can be told.
 */
#ifndef THRASH_DAEMON_PRIVILEGE_H
#define THRASH_DAEMON_PRIVILEGE_H

#include <stdbool.h>

/*
 * For this process and all that it forks, for good.  What the kernel cannot do
 * is left out, since the daemon works without; 0, or -errno of the first such.
 * What was never there (no root) is not missed.
 */
int privilege_drop(void);

enum { PRIVILEGE_TEXT = 512 };

/*
 * Says what the caller may not do, and what happens instead: "without
 * CAP_KILL: ..."; empty when nothing is lacking.
 */
void privilege_describe(char text[PRIVILEGE_TEXT]);

/* Whether it may signal everybody; change everybody's cgroups. */
bool privilege_may_signal(void);
bool privilege_may_move(void);

#endif

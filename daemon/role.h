/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What part a process plays on this host, and so how it may be treated.
 * Pure: what is known of it in, a judgement with its reason out.
 *
 * A name says what a process is for, but any process can take any name.  So
 * a name counts for as much as the facts behind it:
 *
 * - root's processes are believed: who is root needs no trick;
 * - so is what sshd made for a connection, by ancestry, whosever it is;
 * - a system user's (an id below 1000) is believed if its program belongs to
 *   root and is called like that: what breaks into a web server can rename
 *   itself, but has another program;
 * - a user's with such a program up to a size that is plenty for its role,
 *   because users can make root's programs do other things (LD_PRELOAD), or
 *   grow; and with any other up to ROLE_NAME_KIB: a hog that calls itself
 *   sshd is exempt until it is one;
 * - nobody's shell is protected beyond a size: scripts are run by shells.
 *
 * Where the program may not be looked at, it is taken for the right one.
 *
 * What is not protected is batch, and may wait, or interactive: frozen for
 * ROLE_PATIENCE_MS at most.  Interactive is who waits for a person: in the
 * foreground of a terminal, or drawn on a desktop, and idle for most of its
 * life.  A build in the foreground is batch: it is never idle.
 *
 * A login that began when there was trouble already is somebody who comes to
 * help.  What belongs to it is not frozen for ROLE_LOGIN_MS, except for what
 * is bigger than ROLE_GUEST_KIB: that is the next job, not help.
 */
#ifndef THRASH_DAEMON_ROLE_H
#define THRASH_DAEMON_ROLE_H

#include "core/process.h"
#include "daemon/rules.h"

enum {
	ROLE_FIRST_USER = 1000,
	ROLE_NAME_KIB = 32 * 1024,
	ROLE_GUEST_KIB = 128 * 1024,
	ROLE_PATIENCE_MS = 2000,
	ROLE_LOGIN_MS = 300000,
	/* From its start on a login is given room for so long. */
	ROLE_ROOM_MS = 30000,
	/* Who works for more than this share of its life is not interactive. */
	ROLE_BUSY_SHARE = 4,
	/* Waiting for a major fault is work too; a magnetic disk takes 5 ms. */
	ROLE_FAULT_US = 5000,
};

/* Why a process is treated as it is. */
enum role_kind {
	ROLE_NONE, /* nothing speaks for it */
	ROLE_PENDING,
	ROLE_INIT,
	ROLE_KERNEL,
	ROLE_OURS,
	ROLE_STOPPED,
	ROLE_PROTECT, /* by a rule of the administrator's; so are those below */
	ROLE_INTERACTIVE,
	ROLE_BATCH,
	ROLE_GUEST,
	ROLE_TERMINAL,
	ROLE_DESKTOP,
	/* these go by name */
	ROLE_MANAGER,
	ROLE_LOGIN,
	ROLE_SWITCH, /* to another user */
	ROLE_ACCESS,
	ROLE_SHELL,
	ROLE_MULTIPLEXER,
	ROLE_LOGGING,
	ROLE_SYSTEM,
	ROLE_CONTAINERS,
	ROLE_MONITORING,
	ROLE_DISPLAY,
	ROLES,
};

/* "a shell" */
const char *role_name(enum role_kind role);

/* What a process of that name is for; ROLE_NONE or one of those by name. */
enum role_kind role_by_command(const char *command);

/* Whether a login may begin with a process of that name. */
bool role_makes_login(enum role_kind role);

/* A process and what its ancestry needs of it. */
struct role_kin {
	struct process process;
	uint32_t user; /* effective */
	bool has_user; /* it is known */
	uint8_t named; /* enum role_kind */
};

/* What is known of a process beside its struct process. */
struct role_facts {
	pid_t pid, parent; /* whom they are about */
	uint64_t start_time;
	char command[PROCESS_COMMAND];
	uint64_t read_us;     /* when */
	uint64_t whole;       /* as in struct judgement */
	uint64_t login_start; /* of the last login it comes from; 0: none */
	uint32_t user;        /* effective */
	uint32_t watchdog_ms; /* how long it may be silent; 0: not watched */
	uint8_t named;        /* enum role_kind: what it calls itself */
	uint8_t rules[RULES_LISTS]; /* numbers of those that match; 0: none */
	bool has_user;
	bool has_exe;    /* its program could be looked at, */
	bool is_genuine; /* is root's, and called like the process */
	bool is_ours;    /* the daemon, or what it comes from */
	bool is_login;   /* part of what makes a login: a connection of sshd */
	bool is_drawn;   /* comes from a display server or a desktop */
	bool was_busy;   /* once seen so: it stays batch though it is frozen */
	bool has_fuse;   /* a file system may hang on it */
	bool is_awaited; /* others wait for a lock that it has */
};

/* When it is judged. */
struct role_moment {
	uint64_t now_us;     /* since boot */
	uint64_t trouble_us; /* since when there is trouble; 0: there is none */
	uint64_t tick_us;    /* of start times and CPU time */
	bool is_job;         /* if it is stopped, then by us */
};

/* kin[0] is the process, then its parent, and so on, for facts. */
void role_trace(const struct role_kin *kin, size_t count,
		struct role_facts *facts);

/* What can be known of a process by its name alone. */
void role_facts_by_name(const struct rules *rules,
			const struct process *process,
			struct role_facts *facts);

/* Whether it has worked for most of the time; of a newborn one, yes. */
bool role_is_busy(const struct process *process,
		  const struct role_moment *moment);

/* Whether it belongs to a login that began in this trouble, lately. */
bool role_is_new_login(const struct role_facts *facts,
		       const struct role_moment *moment);

/* Who was not looked at closely is not frozen. */
struct judgement role_pending(void);

struct judgement role_judge(const struct process *process,
			    const struct role_facts *facts,
			    const struct role_moment *moment);

#endif

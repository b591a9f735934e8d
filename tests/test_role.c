/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges the processes of a Debian host, and of those who try to fool it. */
#include "daemon/role.h"

#include "tests/processes.h"
#include "tests/rules.h"
#include "tests/scratch.h"

enum {
	GENUINE = 1,  /* root's program, called like the process */
	OTHER = 2,    /* some other program; 0: it may not be looked at */
	TERMINAL = 4, /* has one */
	FRONT = 8,    /* in the foreground of it */
	IDLE = 16,    /* has hardly worked; others have all the time */
	NOW = 1000,   /* seconds since the host was booted */
	TICKS = 100,  /* in a second */
};

/* In s since boot they began; parents come first. */
struct node {
	pid_t pid, parent;
	const char *command;
	uint32_t user;
	unsigned facts;
	uint64_t mib;
	uint64_t began_s;
	enum process_class class;
	enum role_kind role;
	const char *name;
};

static const struct role_moment quiet = {
	.now_us = UINT64_C(1000000) * NOW,
	.tick_us = 1000000 / TICKS,
};

static struct process process_of(const struct node *node)
{
	struct process process = {
		.pid = node->pid,
		.parent = node->parent,
		.start_time = node->began_s * TICKS,
		.resident_kib = node->mib * MIB,
		.cpu_ticks = node->facts & IDLE
				     ? 0
				     : (uint32_t)(NOW - node->began_s) * TICKS,
		.state = 'S',
		.has_terminal = node->facts & (TERMINAL | FRONT),
		.is_foreground = node->facts & FRONT,
	};

	(void)snprintf(process.command, sizeof(process.command), "%s",
		       node->command);
	return process;
}

static const struct node *find_node(const struct node *nodes, size_t count,
				    pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (nodes[i].pid == pid)
			return &nodes[i];
	return NULL;
}

static struct role_facts facts_of(const struct node *nodes, size_t count,
				  pid_t pid)
{
	struct role_facts facts = {.pid = pid, .has_user = true};
	const struct node *node = find_node(nodes, count, pid);
	struct role_kin kin[16] = {{.user = 0}};
	size_t generations = 0;

	for (; node; node = find_node(nodes, count, node->parent))
		kin[generations++] = (struct role_kin){
			.process = process_of(node),
			.user = node->user,
			.has_user = true,
			.named = (uint8_t)role_by_command(node->command),
		};
	role_trace(kin, generations, &facts);
	node = find_node(nodes, count, pid);
	if (!node)
		abort();
	facts.named = kin[0].named;
	facts.user = node->user;
	facts.has_exe = node->facts & (GENUINE | OTHER);
	facts.is_genuine = node->facts & GENUINE;
	return facts;
}

static void test_tree(const struct node *nodes, size_t count,
		      const struct role_moment *moment)
{
	for (size_t i = 0; i < count; i++) {
		const struct process process = process_of(&nodes[i]);
		struct role_facts facts = facts_of(nodes, count, nodes[i].pid);
		struct judgement judged = role_judge(&process, &facts, moment);

		if (!nodes[i].name)
			continue;
		ok(judged.class == nodes[i].class &&
			   judged.role == nodes[i].role,
		   "%s", nodes[i].name);
		if (judged.class != nodes[i].class ||
		    judged.role != nodes[i].role)
			diag("it is %s: %s", process_class_name(judged.class),
			     role_name(judged.role));
	}
}

#define PROTECTED(role) CLASS_PROTECTED, ROLE_##role
#define INTERACTIVE(role) CLASS_INTERACTIVE, ROLE_##role
#define BATCH CLASS_BATCH, ROLE_NONE

/* Debian 12, but for the hogs. */
static const struct node debian[] = {
	{1, 0, "systemd", 0, OTHER, 12, 0, PROTECTED(INIT),
	 "PID 1 is never frozen"},
	{200, 1, "systemd-journal", 0, GENUINE, 900, 1, PROTECTED(LOGGING),
	 "neither is the journal, however big"},
	{210, 1, "systemd-udevd", 0, GENUINE, 8, 1, PROTECTED(MANAGER),
	 "nor udev"},
	{300, 1, "dbus-daemon", 104, GENUINE, 5, 2, PROTECTED(ACCESS),
	 "nor the system's bus, a system user's"},
	{310, 1, "systemd-logind", 0, GENUINE, 8, 2, PROTECTED(ACCESS),
	 "nor logind"},
	{400, 1, "sshd", 0, GENUINE, 9, 3, PROTECTED(LOGIN),
	 "nor sshd, which listens"},
	{410, 400, "sshd", 0, GENUINE, 11, 10, PROTECTED(LOGIN),
	 "nor its privileged part of a connection"},
	{411, 410, "sshd", 1000, OTHER, 300, 11, PROTECTED(LOGIN),
	 "nor its part without privileges, by ancestry alone"},
	{412, 411, "bash", 1000, GENUINE | TERMINAL, 6, 12, PROTECTED(SHELL),
	 "nor the shell of the login"},
	{413, 412, "hog", 1000, OTHER | FRONT, 300, 13, BATCH,
	 "what is run from it may be frozen, though in the foreground"},
	{414, 412, "vim", 1000, OTHER | FRONT | IDLE, 300, 13,
	 INTERACTIVE(TERMINAL), "but not for long if it waits at the terminal"},
	{415, 412, "sshd", 1000, OTHER | TERMINAL, 300, 14, BATCH,
	 "a hog that calls itself sshd may be frozen"},
	{416, 411, "sshd", 1000, OTHER, 300, 14, BATCH,
	 "also where sshd runs it without a shell"},
	{417, 412, "sshd", 1000, OTHER, 31, 14, PROTECTED(LOGIN),
	 "a small one of that name is believed"},
	{418, 412, "bash", 1000, GENUINE | TERMINAL, 2048, 15, BATCH,
	 "a bash of 2 GB is a job"},
	{419, 412, "sway", 1000, OTHER, 300, 15, BATCH,
	 "so is who calls itself a display server"},
	{430, 400, "sshd-session", 0, GENUINE, 11, 20, PROTECTED(LOGIN), NULL},
	{431, 430, "sshd-session", 1000, OTHER, 200, 20, PROTECTED(LOGIN),
	 "newer sshds have other names"},
	{500, 1, "agetty", 0, GENUINE, 2, 3, PROTECTED(LOGIN),
	 "a getty is never frozen"},
	{510, 1, "login", 0, GENUINE, 5, 3, PROTECTED(LOGIN), "nor is login"},
	{511, 510, "sshd", 1000, OTHER | FRONT, 300, 20, BATCH,
	 "what login starts is not sshd, whatever its name"},
	{512, 510, "bash", 0, GENUINE | FRONT, 5, 20, PROTECTED(SHELL),
	 "the shell on the console is never frozen"},
	{513, 512, "bash", 0, GENUINE | TERMINAL, 2048, 20, BATCH,
	 "root's script of 2 GB is a job as well"},
	{520, 412, "sudo", 0, GENUINE | TERMINAL, 6, 30, PROTECTED(SWITCH),
	 "sudo is never frozen"},
	{521, 520, "bash", 0, GENUINE | TERMINAL, 5, 30, PROTECTED(SHELL),
	 "nor is the shell that it starts"},
	{600, 1, "systemd", 1000, GENUINE, 11, 11, PROTECTED(MANAGER),
	 "a user's systemd is never frozen"},
	{601, 600, "(sd-pam)", 1000, GENUINE, 5, 11, PROTECTED(MANAGER),
	 "nor is what it starts for PAM"},
	{602, 600, "syncthing", 1000, OTHER | IDLE, 300, 11, BATCH,
	 "a user's service is batch"},
	{603, 600, "systemd", 1000, OTHER, 300, 11, BATCH,
	 "also if it calls itself systemd"},
	{610, 600, "tmux: server", 1000, GENUINE, 200, 50,
	 PROTECTED(MULTIPLEXER), "a tmux with a long history is never frozen"},
	{611, 610, "bash", 1000, GENUINE | TERMINAL, 6, 50, PROTECTED(SHELL),
	 "nor is a shell in it"},
	{612, 611, "make", 1000, OTHER | FRONT, 20, 50, BATCH,
	 "a build in it is batch"},
	{613, 1, "tmux: server", 1000, GENUINE, 300, 50, BATCH,
	 "a tmux that has grown too big is a job"},
	{700, 1, "containerd", 0, GENUINE, 90, 5, PROTECTED(CONTAINERS),
	 "a container runtime is never frozen"},
	{701, 1, "containerd-shim", 0, GENUINE, 12, 60, PROTECTED(CONTAINERS),
	 "nor is its shim"},
	{702, 701, "java", 0, OTHER, 900, 60, BATCH,
	 "what runs in the container may be"},
	{703, 701, "sshd", 165536, OTHER, 90, 60, BATCH,
	 "also as sshd, if root there is nobody here"},
	{800, 1, "nrpe", 110, GENUINE, 5, 5, PROTECTED(MONITORING),
	 "nrpe is never frozen"},
	{801, 800, "check_procs", 110, GENUINE, 40, 900, PROTECTED(MONITORING),
	 "nor is a check"},
	{810, 1, "munin-node", 0, OTHER, 60, 5, PROTECTED(MONITORING),
	 "nor root's munin-node, though perl runs it"},
	{820, 1, "icinga2", 111, GENUINE, 700, 5, PROTECTED(MONITORING),
	 "nor icinga2, a system user's, however big"},
	{830, 1, "apache2", 33, OTHER, 60, 5, BATCH, "a web server may be"},
	{831, 830, "icinga2", 33, OTHER, 60, 5, BATCH,
	 "also if what broke into it calls itself icinga2"},
};

static const struct node desktop[] = {
	{1, 0, "systemd", 0, OTHER, 12, 0, PROTECTED(INIT), NULL},
	{90, 1, "gdm3", 0, GENUINE, 30, 5, PROTECTED(DISPLAY),
	 "a display manager is never frozen"},
	{100, 90, "gnome-shell", 1000, GENUINE, 700, 9, PROTECTED(DISPLAY),
	 "neither is a compositor, a user's, of 700 MB"},
	{101, 100, "firefox", 1000, OTHER | IDLE, 900, 20, INTERACTIVE(DESKTOP),
	 "what is drawn on it is frozen briefly"},
	{102, 100, "render", 1000, OTHER, 900, 20, BATCH,
	 "unless it works all the time"},
	{103, 100, "bash", 1000, GENUINE | FRONT, 6, 20, PROTECTED(SHELL),
	 NULL},
	{104, 103, "sort", 1000, OTHER | TERMINAL | IDLE, 900, 20, BATCH,
	 "or is in the background of a terminal on it"},
	{105, 1, "Xorg", 1000, 0, 300, 20, PROTECTED(DISPLAY),
	 "a program that may not be looked at is taken for the right one"},
	{106, 1, "Xorg", 1000, GENUINE, 3000, 20, BATCH,
	 "a user's Xorg of 3 GB is a job"},
};

/* Trouble began 900 s after boot, and it is 1000 s now. */
static const struct node helpers[] = {
	{1, 0, "systemd", 0, OTHER, 12, 0, PROTECTED(INIT), NULL},
	{400, 1, "sshd", 0, GENUINE, 9, 3, PROTECTED(LOGIN), NULL},
	{410, 400, "sshd", 0, GENUINE, 11, 899, PROTECTED(LOGIN), NULL},
	{411, 410, "sshd", 1000, OTHER, 11, 899, PROTECTED(LOGIN), NULL},
	{412, 411, "rsync", 1000, OTHER, 20, 899, BATCH,
	 "a login before the trouble is nothing special"},
	{420, 400, "sshd", 0, GENUINE, 11, 901, PROTECTED(LOGIN), NULL},
	{421, 420, "sshd", 1000, OTHER, 11, 901, PROTECTED(LOGIN), NULL},
	{422, 421, "bash", 1000, GENUINE | TERMINAL, 6, 902, PROTECTED(SHELL),
	 NULL},
	{423, 422, "htop", 1000, OTHER | FRONT, 20, 903, PROTECTED(GUEST),
	 "what somebody runs who came to help is not frozen"},
	{424, 423, "gdb", 1000, OTHER | FRONT, 128, 990, PROTECTED(GUEST),
	 "nor what that starts"},
	{425, 422, "build", 1000, OTHER | FRONT, 129, 903, BATCH,
	 "unless it is big"},
	{500, 1, "login", 0, GENUINE, 5, 3, PROTECTED(LOGIN), NULL},
	{501, 500, "fish", 0, GENUINE | FRONT, 5, 950, PROTECTED(SHELL), NULL},
	{502, 501, "htop", 0, OTHER | FRONT, 20, 951, PROTECTED(GUEST),
	 "a login at the console begins with its shell"},
	{510, 412, "sudo", 0, GENUINE | TERMINAL, 6, 960, PROTECTED(SWITCH),
	 NULL},
	{511, 510, "htop", 0, OTHER | FRONT, 20, 960, PROTECTED(GUEST),
	 "who becomes root at a terminal comes to help"},
	{520, 1, "sudo", 0, GENUINE, 6, 960, PROTECTED(SWITCH), NULL},
	{521, 520, "backup", 0, OTHER, 20, 960, BATCH,
	 "a script that does so does not"},
	{530, 422, "su", 1000, OTHER | TERMINAL, 5, 970, PROTECTED(SWITCH),
	 NULL},
	{531, 412, "su", 1000, OTHER | TERMINAL, 5, 970, PROTECTED(SWITCH),
	 NULL},
	{532, 531, "hog", 1000, OTHER | TERMINAL, 90, 970, BATCH,
	 "nor does a user's program that calls itself su"},
};

static void test_logins(void)
{
	struct role_moment moment = quiet;
	struct role_facts facts = facts_of(helpers, COUNT(helpers), 423);

	ok(!role_is_new_login(&facts, &moment),
	   "without trouble no login is special");
	moment.trouble_us = UINT64_C(900000000);
	test_tree(helpers, COUNT(helpers), &moment);
	ok(role_is_new_login(&facts, &moment),
	   "a login is new that began after the trouble");
	moment.now_us = UINT64_C(902000000) + 1000 * ROLE_LOGIN_MS;
	ok(!role_is_new_login(&facts, &moment), "but not for ever");
	moment.trouble_us = UINT64_C(903000000);
	moment.now_us = UINT64_C(1000000000);
	ok(!role_is_new_login(&facts, &moment), "nor in the next trouble");
	moment.now_us = UINT64_C(903000000);
	facts.is_login = true;
	ok(role_is_new_login(&facts, &moment),
	   "who was about to let somebody in when it began is new as well");
	moment.now_us = moment.trouble_us += UINT64_C(1000) * ROLE_ROOM_MS;
	ok(!role_is_new_login(&facts, &moment), "unless that was long ago");
}

static const struct judgement *judge(const struct process *process,
				     const struct role_facts *facts)
{
	static struct judgement judged;

	judged = role_judge(process, facts, &quiet);
	return &judged;
}

static void test_never(void)
{
	struct process process = {
		.pid = 77, .state = 'S', .resident_kib = 99 * MIB};
	struct role_facts facts = {.has_user = true, .user = 1000};
	struct role_moment as_job = quiet;

	as_job.is_job = true;
	is_int(judge(&process, &facts)->class, CLASS_BATCH,
	       "who has no part to play is batch");
	facts.is_ours = true;
	is_int(judge(&process, &facts)->role, ROLE_OURS,
	       "we are never frozen, nor who started us");
	facts.is_ours = false;
	process.state = 'T';
	is_int(judge(&process, &facts)->role, ROLE_STOPPED,
	       "what somebody else has stopped is left alone");
	is_int(role_judge(&process, &facts, &as_job).class, CLASS_BATCH,
	       "what we have stopped is not");
	process.state = 'S';
	process.flags = 0x00200000;
	is_int(judge(&process, &facts)->role, ROLE_KERNEL,
	       "kernel threads are never frozen");
	is_int(role_pending().class, CLASS_PROTECTED,
	       "who was not looked at is not frozen");
}

static void test_rules(void)
{
	struct process process = {
		.pid = 77, .state = 'S', .resident_kib = 99 * MIB};
	struct role_facts facts = {.has_user = true, .user = 1000};
	const struct judgement *judged;

	facts.rules[RULES_INTERACTIVE] = 2;
	judged = judge(&process, &facts);
	ok(judged->class == CLASS_INTERACTIVE && judged->rule == 2 &&
		   judged->budget_ms == 2000,
	   "a rule makes interactive, and is named");
	facts.rules[RULES_BATCH] = 3;
	judged = judge(&process, &facts);
	ok(judged->class == CLASS_BATCH && judged->rule == 3 &&
		   judged->budget_ms == 0,
	   "a rule makes batch, which wins");
	facts.rules[RULES_PREFER] = 4;
	ok(judge(&process, &facts)->is_preferred, "a rule prefers");
	facts.rules[RULES_PROTECT] = 1;
	judged = judge(&process, &facts);
	ok(judged->class == CLASS_PROTECTED && judged->rule == 1,
	   "a rule protects, which wins over all");
	facts.rules[RULES_PROTECT] = 0;
	facts.named = ROLE_SHELL;
	process.resident_kib = 5 * MIB;
	judged = judge(&process, &facts);
	ok(judged->role == ROLE_SHELL && judged->rule == 0,
	   "what is protected by its role no rule gives away");
}

static void test_budgets(void)
{
	static const struct {
		bool is_interactive, has_fuse, is_awaited;
		uint32_t watchdog_ms, budget_ms;
		const char *name;
	} rows[] = {
		{false, false, false, 0, 0, "batch may wait"},
		{true, false, false, 0, 2000, "interactive waits for 2 s"},
		{false, true, false, 0, 2000, "so does a file system"},
		{false, false, true, 0, 2000, "and who has a wanted lock"},
		{false, false, false, 180000, 90000,
		 "a service waits for half of its watchdog's time"},
		{false, false, false, 3000, 1500, "also if that is short"},
		{false, false, false, 1, 1, "or next to nothing"},
		{true, false, false, 180000, 2000, "but never for longer"},
		{true, false, false, 3000, 1500, "than anything allows"},
	};
	struct process process = {.pid = 77, .state = 'S'};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct role_facts facts = {
			.has_fuse = rows[i].has_fuse,
			.is_awaited = rows[i].is_awaited,
			.watchdog_ms = rows[i].watchdog_ms,
		};

		facts.rules[RULES_INTERACTIVE] = rows[i].is_interactive;
		is_int(judge(&process, &facts)->budget_ms, rows[i].budget_ms,
		       "%s", rows[i].name);
	}
}

/* 1000 s after boot; it began 900 s after. */
static void test_busy(void)
{
	static const struct {
		const char *name;
		uint64_t faults;
		uint32_t cpu_s;
		bool is_busy;
	} rows[] = {
		{"who works for a quarter of its time is idle", 0, 25, false},
		{"who works for more is busy", 0, 26, true},
		{"a fault takes as long as on a disk", 4000, 1, false},
		{"who faults all the time is busy", 5000, 1, true},
	};
	struct process young = {.start_time = (NOW - 1) * TICKS};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct process process = {
			.start_time = (NOW - 100) * TICKS,
			.cpu_ticks = rows[i].cpu_s * TICKS,
			.major_faults = rows[i].faults,
		};

		is_int(role_is_busy(&process, &quiet), rows[i].is_busy, "%s",
		       rows[i].name);
	}
	ok(role_is_busy(&young, &quiet), "nobody is born idle");

	struct process editor = {.pid = 77,
				 .state = 'S',
				 .is_foreground = true,
				 .start_time = (NOW - 100) * TICKS};
	struct role_facts facts = {.was_busy = true};

	is_int(judge(&editor, &facts)->class, CLASS_BATCH,
	       "who was busy once is batch, also when it was frozen since");
}

static void test_by_name(void)
{
	struct rules rules = {.count = 0};
	struct process process = {.pid = 77, .state = 'S', .command = "java"};
	struct role_facts facts;

	rules_set(&rules, RULES_PROTECT, "user:0 ja*");
	role_facts_by_name(&rules, &process, &facts);
	is_int(facts.rules[RULES_PROTECT], 2,
	       "of a name alone no user is known");
	process.resident_kib = 3000 * MIB;
	facts.rules[RULES_PROTECT] = 0;
	facts.named = ROLE_SHELL;
	is_int(judge(&process, &facts)->role, ROLE_SHELL,
	       "a name of which nothing else is known is believed");
}

int main(void)
{
	test_tree(debian, COUNT(debian), &quiet);
	test_tree(desktop, COUNT(desktop), &quiet);
	test_logins();
	test_never();
	test_rules();
	test_budgets();
	test_busy();
	test_by_name();
	return done_testing();
}

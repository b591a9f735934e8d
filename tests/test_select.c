/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests who is protected and who is to blame. */
#include "daemon/select.h"

#include "tests/processes.h"
#include "tests/rules.h"
#include "tests/scratch.h"

static struct settings settings;

static bool claims(const struct processes *host, const struct process *process)
{
	return select_has_claim(&host->before, process);
}

static void test_taking_part(void)
{
	struct processes host;

	processes_begin(&host);

	struct process *idle = processes_add(&host, 10, "idle", 900 * MIB, 0);
	struct process *faulting = processes_add(&host, 11, "a", 90 * MIB, 1);
	struct process *growing = processes_add(&host, 12, "b", 90 * MIB, 0);
	struct process *creeping = processes_add(&host, 13, "c", 90 * MIB, 0);
	struct process *reborn = processes_add(&host, 14, "d", 90 * MIB, 0);
	struct process *waiting = processes_add(&host, 15, "e", 90 * MIB, 0);

	struct process *robbed = processes_add(&host, 16, "f", 90 * MIB, 0);
	struct process *asleep = processes_add(&host, 17, "g", 90 * MIB, 0);

	waiting->state = 'D';
	robbed->state = 'R';
	robbed->resident_kib -= MIB;
	asleep->resident_kib -= MIB;
	growing->resident_kib += MIB;
	creeping->resident_kib += MIB - 1;
	reborn->start_time++;
	ok(!select_takes_part(&host.before, idle),
	   "a giant that sits still takes no part");
	ok(select_takes_part(&host.before, faulting),
	   "who takes a major fault takes part");
	ok(select_takes_part(&host.before, growing),
	   "who grows by a MiB takes part");
	ok(!select_takes_part(&host.before, creeping),
	   "who hardly grows takes no part");
	ok(!select_takes_part(&host.before, reborn),
	   "of a new process with an old pid nothing is known");
	ok(select_takes_part(&host.before, waiting),
	   "who waits in one long fault takes part");
	ok(select_takes_part(&host.before, robbed),
	   "who runs while it loses memory takes part");
	ok(!select_takes_part(&host.before, asleep),
	   "who loses memory asleep takes no part");
	ok(!select_takes_part(NULL, faulting),
	   "without an earlier look nobody is accused");
}

static void test_claims(void)
{
	struct processes host;

	processes_begin(&host);

	struct process *small =
		processes_add(&host, 10, "small", SELECT_LEAST_KIB - 1, 99);
	struct process *least =
		processes_add(&host, 11, "least", SELECT_LEAST_KIB, 1);
	struct process *swapped = processes_add(&host, 12, "swapped", MIB, 1);
	struct process *idle = processes_add(&host, 15, "idle", 500 * MIB, 0);

	swapped->swapped_kib = 150 * MIB;
	ok(!claims(&host, small), "who is small is never accused");
	ok(claims(&host, least), "who is not, and takes part, is");
	ok(claims(&host, swapped), "memory in swap is held too");
	ok(!claims(&host, idle), "who takes no part is never accused");
}

static void test_protected(void)
{
	static const char *const names[] = {
		"systemd",      "systemd-logind", "systemd-journal",
		"(sd-pam)",     "(systemd)",      "sshd",
		"sshd-session", "sshd-auth",      "login",
		"agetty",       "sudo",           "su",
		"dbus-daemon",  "bash",           "sh",
		"zsh",          "-bash",          "tmux: server",
		"nrpe",         "munin-node",     "icinga2",
		"Xorg",         "sway",           "rsyslogd",
		"containerd",   "dockerd",        "check_thrash_fr",
		"earlyoom",     "nohang",         "oomd",
	};
	static const char *const others[] = {
		"hog", "python3", "java", "bashful", "mysqld", "sshfs", "xsh"};
	struct processes host;
	struct process process = {.pid = 77, .parent = 1};

	processes_begin(&host);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(process.command, sizeof(process.command), "%s",
			       names[i]);
		ok(select_is_protected(&settings, &host.now, 50, &process),
		   "%s is never frozen", names[i]);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		(void)snprintf(process.command, sizeof(process.command), "%s",
			       others[i]);
		ok(!select_is_protected(&settings, &host.now, 50, &process),
		   "%s may be frozen", others[i]);
	}
	rules_set(&settings.rules, RULES_PROTECT, "mysq?d*");
	(void)snprintf(process.command, sizeof(process.command), "mysqld_safe");
	ok(select_is_protected(&settings, &host.now, 50, &process),
	   "what the administrator protects is never frozen");
	rules_set(&settings.rules, RULES_PROTECT, "");
}

static void test_ancestry(void)
{
	struct processes host;

	processes_begin(&host);

	struct process *init = processes_add(&host, 1, "any", 90 * MIB, 1);
	struct process *wrapper = processes_add(&host, 5, "wrap", 90 * MIB, 1);
	struct process *parent = processes_add(&host, 7, "make", 90 * MIB, 1);
	struct process *self = processes_add(&host, 9, "self", 90 * MIB, 1);
	struct process *child = processes_add(&host, 11, "x", 90 * MIB, 1);
	struct process kernel = *child;

	parent->parent = 5;
	self->parent = 7;
	child->parent = 9;
	ok(select_is_protected(&settings, &host.now, 9, init),
	   "PID 1 is never frozen");
	ok(select_is_protected(&settings, &host.now, 9, self),
	   "we do not freeze ourselves");
	ok(select_is_protected(&settings, &host.now, 9, parent) &&
		   select_is_protected(&settings, &host.now, 9, wrapper),
	   "nor those who started us");
	ok(!select_is_protected(&settings, &host.now, 9, child),
	   "what we started has no privilege");
	kernel.flags = 0x00200000;
	ok(select_is_protected(&settings, &host.now, 9, &kernel),
	   "kernel threads are never frozen");
	wrapper->parent = 9;
	ok(select_is_protected(&settings, &host.now, 9, wrapper),
	   "a loop of parents ends");
}

int main(void)
{
	settings_default(&settings);
	test_taking_part();
	test_claims();
	test_protected();
	test_ancestry();
	return done_testing();
}

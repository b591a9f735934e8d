/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Says who is protected, and how much each of the others is to blame. */
#include "daemon/select.h"

/*
 * Shell patterns for names without which nobody can log in, look or help.  A
 * name is a weak fact (any process can take one), but its misuse only exempts
 * the process; the size of SELECT_LEAST_KIB stands behind it.
 */
static const char *const protected_names[] = {
	/* service managers */
	"systemd*",
	"(sd-pam)",
	"(systemd)",
	"init",
	"upstart*",
	"openrc*",
	"runsv*",
	"s6-*",
	"supervise*",
	"monit",
	/* logins and what they pass through */
	"sshd*",
	"dropbear",
	"mosh-server",
	"login",
	"*getty",
	"sudo",
	"su",
	"doas",
	"polkitd",
	"elogind*",
	"dbus-*",
	"unix_chkpwd",
	"nscd",
	"sssd*",
	"nslcd",
	"winbindd",
	/* shells and terminal multiplexers */
	"sh",
	"bash",
	"dash",
	"ash",
	"zsh",
	"fish",
	"ksh*",
	"mksh",
	"csh",
	"tcsh",
	"-*sh",
	"tmux*",
	"screen",
	"SCREEN",
	"zellij",
	/* logging, devices, network, storage */
	"rsyslogd",
	"syslog*",
	"klogd",
	"udevd",
	"NetworkManager",
	"wpa_supplicant",
	"dhclient",
	"dhcpcd",
	"multipathd",
	"iscsid",
	"lvm*",
	"dmeventd",
	"mount.*",
	"rpc.*",
	"fusermount*",
	/* container runtimes */
	"containerd*",
	"dockerd",
	"docker-proxy",
	"crio",
	"conmon*",
	"runc",
	/* monitoring */
	"nrpe",
	"munin-*",
	"icinga2",
	"nagios*",
	"zabbix_agent*",
	"snmpd",
	"node_exporter",
	"check_*",
	"thrash*",
	/* what a desktop is drawn by */
	"Xorg",
	"X",
	"Xwayland",
	"gnome-shell",
	"kwin_*",
	"sway",
	"weston",
	"mutter*",
	"lightdm",
	"gdm*",
	"sddm*",
};

enum { GENERATIONS = 64 }; /* of ancestors, against a loop in a fake /proc */

static const struct process *find_pid(const struct process_table *table,
				      pid_t pid)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].pid == pid)
			return &table->rows[i];
	return NULL;
}

static bool is_self_or_ancestor(const struct process_table *now, pid_t self,
				pid_t pid)
{
	for (int i = 0; i < GENERATIONS && self > 0; i++) {
		if (self == pid)
			return true;

		const struct process *process = find_pid(now, self);

		self = process ? process->parent : 0;
	}
	return false;
}

static bool has_protected_name(const struct process *process)
{
	for (size_t i = 0;
	     i < sizeof(protected_names) / sizeof(*protected_names); i++)
		if (text_matches(protected_names[i], process->command))
			return true;
	return false;
}

bool select_is_protected(const struct settings *settings,
			 const struct process_table *now, pid_t self,
			 const struct process *process)
{
	return process->pid == 1 || process_is_kernel_thread(process) ||
	       has_protected_name(process) ||
	       patterns_match(&settings->protect, process->command) ||
	       is_self_or_ancestor(now, self, process->pid);
}

static uint64_t faults_since(const struct process *before,
			     const struct process *now)
{
	return now->major_faults > before->major_faults
		       ? now->major_faults - before->major_faults
		       : 0;
}

bool select_takes_part(const struct process_table *before,
		       const struct process *process)
{
	const struct process *then =
		before ? process_table_find(before, process->pid,
					    process->start_time)
		       : NULL;

	return then && (process->state == 'D' || faults_since(then, process) ||
			process->resident_kib >=
				then->resident_kib + SELECT_GROWTH_KIB ||
			(process->state == 'R' &&
			 process->resident_kib + SELECT_GROWTH_KIB <=
				 then->resident_kib));
}

uint64_t select_claim(const struct settings *settings,
		      const struct process_table *before,
		      const struct process *process)
{
	const uint64_t preferred = UINT64_C(1) << 40; /* 1 PiB in KiB */
	uint64_t held_kib = process_memory_kib(process);

	if (held_kib < SELECT_LEAST_KIB || !select_takes_part(before, process))
		return 0;

	const struct process *then =
		process_table_find(before, process->pid, process->start_time);
	uint64_t claim =
		held_kib + faults_since(then, process) * SELECT_FAULT_KIB;

	return patterns_match(&settings->prefer, process->command)
		       ? claim + preferred
		       : claim;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges processes by their names, and by the facts behind these. */
#include "daemon/role.h"

#include "core/number.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t most_mib; /* that a user's may hold; 0: not by name */
} roles[ROLES] = {
	[ROLE_NONE] = {"nothing speaks for it", 0},
	[ROLE_PENDING] = {"it was not looked at closely yet", 0},
	[ROLE_INIT] = {"the first process", 0},
	[ROLE_KERNEL] = {"a kernel thread", 0},
	[ROLE_OURS] = {"the daemon, or what it was started from", 0},
	[ROLE_STOPPED] = {"somebody else has stopped it", 0},
	[ROLE_PROTECT] = {"protect", 0},
	[ROLE_INTERACTIVE] = {"interactive", 0},
	[ROLE_BATCH] = {"batch", 0},
	[ROLE_GUEST] = {"a login that began in this trouble", 0},
	[ROLE_TERMINAL] = {"it waits for somebody at a terminal", 0},
	[ROLE_DESKTOP] = {"it waits for somebody at a desktop", 0},
	[ROLE_MANAGER] = {"a service manager", 128},
	[ROLE_LOGIN] = {"a login", 64},
	[ROLE_SWITCH] = {"a change of user", 64},
	[ROLE_ACCESS] = {"a service that logins need", 64},
	[ROLE_SHELL] = {"a shell", 64},
	[ROLE_MULTIPLEXER] = {"a terminal multiplexer", 256},
	[ROLE_LOGGING] = {"logging", 64},
	[ROLE_SYSTEM] = {"devices, network or storage", 64},
	[ROLE_CONTAINERS] = {"a container runtime", 256},
	[ROLE_MONITORING] = {"monitoring", 256},
	[ROLE_DISPLAY] = {"a display server or a desktop", 2048},
};

/* The first that matches; shells of other names come from /etc/shells. */
static const struct {
	char pattern[PROCESS_COMMAND];
	uint8_t role; /* enum role_kind */
} names[] = {
	{"systemd-journal", ROLE_LOGGING},
	{"systemd-logind", ROLE_ACCESS},
	{"systemd*", ROLE_MANAGER},
	{"(sd-pam)", ROLE_MANAGER},
	{"(systemd)", ROLE_MANAGER},
	{"init", ROLE_MANAGER},
	{"upstart*", ROLE_MANAGER},
	{"openrc*", ROLE_MANAGER},
	{"runsv*", ROLE_MANAGER},
	{"s6-*", ROLE_MANAGER},
	{"supervise*", ROLE_MANAGER},
	{"monit", ROLE_MANAGER},
	{"sshd*", ROLE_LOGIN},
	{"dropbear", ROLE_LOGIN},
	{"mosh-server", ROLE_LOGIN},
	{"login", ROLE_LOGIN},
	{"*getty", ROLE_LOGIN},
	{"sudo", ROLE_SWITCH},
	{"su", ROLE_SWITCH},
	{"doas", ROLE_SWITCH},
	{"pkexec", ROLE_SWITCH},
	{"run0", ROLE_SWITCH},
	{"polkitd", ROLE_ACCESS},
	{"elogind*", ROLE_ACCESS},
	{"dbus-*", ROLE_ACCESS},
	{"unix_chkpwd", ROLE_ACCESS},
	{"nscd", ROLE_ACCESS},
	{"sssd*", ROLE_ACCESS},
	{"nslcd", ROLE_ACCESS},
	{"winbindd", ROLE_ACCESS},
	{"sh", ROLE_SHELL},
	{"bash", ROLE_SHELL},
	{"dash", ROLE_SHELL},
	{"ash", ROLE_SHELL},
	{"zsh", ROLE_SHELL},
	{"fish", ROLE_SHELL},
	{"ksh*", ROLE_SHELL},
	{"mksh", ROLE_SHELL},
	{"csh", ROLE_SHELL},
	{"tcsh", ROLE_SHELL},
	{"-*sh", ROLE_SHELL},
	{"tmux*", ROLE_MULTIPLEXER},
	{"screen", ROLE_MULTIPLEXER},
	{"screen-*", ROLE_MULTIPLEXER},
	{"SCREEN", ROLE_MULTIPLEXER},
	{"zellij", ROLE_MULTIPLEXER},
	{"dtach", ROLE_MULTIPLEXER},
	{"rsyslogd", ROLE_LOGGING},
	{"syslog*", ROLE_LOGGING},
	{"klogd", ROLE_LOGGING},
	{"auditd", ROLE_LOGGING},
	{"udevd", ROLE_SYSTEM},
	{"NetworkManager", ROLE_SYSTEM},
	{"wpa_supplicant", ROLE_SYSTEM},
	{"dhclient", ROLE_SYSTEM},
	{"dhcpcd", ROLE_SYSTEM},
	{"multipathd", ROLE_SYSTEM},
	{"iscsid", ROLE_SYSTEM},
	{"lvm*", ROLE_SYSTEM},
	{"dmeventd", ROLE_SYSTEM},
	{"mount.*", ROLE_SYSTEM},
	{"rpc.*", ROLE_SYSTEM},
	{"fusermount*", ROLE_SYSTEM},
	{"containerd*", ROLE_CONTAINERS},
	{"dockerd", ROLE_CONTAINERS},
	{"docker-proxy", ROLE_CONTAINERS},
	{"crio", ROLE_CONTAINERS},
	{"conmon*", ROLE_CONTAINERS},
	{"runc", ROLE_CONTAINERS},
	{"crun", ROLE_CONTAINERS},
	{"kubelet", ROLE_CONTAINERS},
	{"lxc-*", ROLE_CONTAINERS},
	{"nrpe", ROLE_MONITORING},
	{"munin-*", ROLE_MONITORING},
	{"icinga2", ROLE_MONITORING},
	{"nagios*", ROLE_MONITORING},
	{"zabbix_agent*", ROLE_MONITORING},
	{"snmpd", ROLE_MONITORING},
	{"node_exporter", ROLE_MONITORING},
	{"prometheus-node", ROLE_MONITORING},
	{"check_*", ROLE_MONITORING},
	{"earlyoom", ROLE_MONITORING},
	{"nohang*", ROLE_MONITORING},
	{"oomd", ROLE_MONITORING},
	{"thrash*", ROLE_MONITORING},
	{"Xorg", ROLE_DISPLAY},
	{"X", ROLE_DISPLAY},
	{"Xwayland", ROLE_DISPLAY},
	{"gnome-shell", ROLE_DISPLAY},
	{"gnome-session*", ROLE_DISPLAY},
	{"kwin_*", ROLE_DISPLAY},
	{"plasmashell", ROLE_DISPLAY},
	{"ksmserver", ROLE_DISPLAY},
	{"xfce4-session", ROLE_DISPLAY},
	{"xfwm4", ROLE_DISPLAY},
	{"lxsession", ROLE_DISPLAY},
	{"openbox", ROLE_DISPLAY},
	{"i3", ROLE_DISPLAY},
	{"sway", ROLE_DISPLAY},
	{"labwc", ROLE_DISPLAY},
	{"Hyprland", ROLE_DISPLAY},
	{"weston", ROLE_DISPLAY},
	{"mutter*", ROLE_DISPLAY},
	{"lightdm", ROLE_DISPLAY},
	{"gdm*", ROLE_DISPLAY},
	{"sddm*", ROLE_DISPLAY},
};

const char *role_name(enum role_kind role)
{
	return roles[role].name;
}

enum role_kind role_by_command(const char *command)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_matches(names[i].pattern, command))
			return names[i].role;
	return ROLE_NONE;
}

bool role_makes_login(enum role_kind role)
{
	return role == ROLE_LOGIN || role == ROLE_SWITCH;
}

static bool is_root(const struct role_kin *kin)
{
	return kin->has_user && !kin->user;
}

/* "sshd" and "sshd-session" */
static bool is_alike(const struct role_kin *a, const struct role_kin *b)
{
	return strncmp(a->process.command, b->process.command, 4) == 0;
}

/*
 * Root's sshd, getty or login; and below root's sshd the part of it that has
 * given up its rights.  What follows that is the user's, whatever its name.  A
 * change of user without a terminal is a script's.
 */
static bool makes_login(const struct role_kin *kin,
			const struct role_kin *parent)
{
	if (kin->named == ROLE_LOGIN)
		return is_root(kin) ||
		       (parent && parent->named == ROLE_LOGIN &&
			is_root(parent) && is_alike(kin, parent));
	return kin->named == ROLE_SWITCH && is_root(kin) &&
	       kin->process.has_terminal;
}

/*
 * A listening sshd has run since the host was booted, and a getty since the
 * last logout; a login begins with what they start.
 */
void role_trace(const struct role_kin *kin, size_t count,
		struct role_facts *facts)
{
	bool is_login = false;

	facts->login_start = 0;
	facts->is_drawn = false;
	for (size_t i = count; i-- > 0;) {
		bool is_below_one = is_login;

		is_login = makes_login(&kin[i],
				       i + 1 < count ? &kin[i + 1] : NULL);
		if (is_login || is_below_one)
			facts->login_start = kin[i].process.start_time;
		if (i > 0)
			facts->is_drawn |= kin[i].named == ROLE_DISPLAY;
	}
	facts->is_login = is_login;
}

void role_facts_by_name(const struct rules *rules,
			const struct process *process, struct role_facts *facts)
{
	const struct rule_subject subject = {.command = process->command};

	*facts = (struct role_facts){
		.pid = process->pid,
		.parent = process->parent,
		.start_time = process->start_time,
		.named = (uint8_t)role_by_command(process->command),
	};
	memcpy(facts->command, process->command, sizeof(facts->command));
	for (size_t i = 0; i < RULES_LISTS; i++)
		facts->rules[i] =
			rules_match(rules, (enum rule_list)i, &subject);
}

bool role_is_busy(const struct process *process,
		  const struct role_moment *moment)
{
	uint64_t born_us = process->start_time * moment->tick_us;
	uint64_t age_us = moment->now_us - lesser(moment->now_us, born_us);
	uint64_t work_us = process->cpu_ticks * moment->tick_us +
			   process->major_faults * ROLE_FAULT_US;

	return age_us < UINT64_C(1000) * ROLE_PATIENCE_MS ||
	       work_us > age_us / ROLE_BUSY_SHARE;
}

bool role_is_new_login(const struct role_facts *facts,
		       const struct role_moment *moment)
{
	uint64_t began_us = facts->login_start * moment->tick_us;

	/* who had not got in yet when it began; what is let in came before */
	if (facts->is_login)
		began_us += UINT64_C(1000) * ROLE_ROOM_MS;
	return facts->login_start && moment->trouble_us &&
	       began_us + moment->tick_us > moment->trouble_us &&
	       moment->now_us < began_us + UINT64_C(1000) * ROLE_LOGIN_MS;
}

/* What a process of its name may hold and still be believed. */
static uint64_t most_kib(const struct role_facts *facts)
{
	uint64_t most = roles[facts->named].most_mib * UINT64_C(1024);

	if (!facts->has_user || facts->is_login)
		return UINT64_MAX;
	if (facts->named == ROLE_SHELL)
		return most;
	if (!facts->user)
		return UINT64_MAX;
	if (facts->has_exe && !facts->is_genuine)
		return ROLE_NAME_KIB;
	return facts->user < ROLE_FIRST_USER ? UINT64_MAX : most;
}

/* What protects it; ROLE_NONE if nothing does. */
static enum role_kind find_protection(const struct process *process,
				      const struct role_facts *facts,
				      const struct role_moment *moment)
{
	uint64_t held_kib = process_memory_kib(process);

	if (process->pid == 1)
		return ROLE_INIT;
	if (process_is_kernel_thread(process))
		return ROLE_KERNEL;
	if (facts->is_ours)
		return ROLE_OURS;
	if (process_is_stopped(process) && !moment->is_job)
		return ROLE_STOPPED;
	if (facts->rules[RULES_PROTECT])
		return ROLE_PROTECT;
	if (facts->named && held_kib <= most_kib(facts))
		return (enum role_kind)facts->named;
	if (role_is_new_login(facts, moment) &&
	    (facts->is_login || held_kib <= ROLE_GUEST_KIB))
		return ROLE_GUEST;
	return ROLE_NONE;
}

/* Whom it lets wait; ROLE_NONE: nobody. */
static enum role_kind find_patience(const struct process *process,
				    const struct role_facts *facts,
				    const struct role_moment *moment)
{
	if (facts->rules[RULES_BATCH])
		return ROLE_BATCH;
	if (facts->rules[RULES_INTERACTIVE])
		return ROLE_INTERACTIVE;
	if (facts->was_busy || role_is_busy(process, moment))
		return ROLE_NONE;
	if (process->is_foreground)
		return ROLE_TERMINAL;
	return facts->is_drawn && !process->has_terminal ? ROLE_DESKTOP
							 : ROLE_NONE;
}

static uint8_t rule_of(const struct role_facts *facts, enum role_kind role)
{
	switch ((unsigned)role) {
	case ROLE_PROTECT:
		return facts->rules[RULES_PROTECT];
	case ROLE_INTERACTIVE:
		return facts->rules[RULES_INTERACTIVE];
	case ROLE_BATCH:
		return facts->rules[RULES_BATCH];
	default:
		return 0;
	}
}

/* Who is watched may be silent for half of what its watchdog allows. */
static uint32_t find_budget(const struct role_facts *facts, bool is_interactive)
{
	bool is_brief = is_interactive || facts->has_fuse || facts->is_awaited;
	uint64_t budget_ms = is_brief ? ROLE_PATIENCE_MS : UINT32_MAX;

	if (facts->watchdog_ms)
		budget_ms =
			lesser(budget_ms, greater(facts->watchdog_ms / 2, 1));
	return budget_ms == UINT32_MAX ? 0 : (uint32_t)budget_ms;
}

struct judgement role_pending(void)
{
	return (struct judgement){.class = CLASS_PROTECTED,
				  .role = ROLE_PENDING};
}

struct judgement role_judge(const struct process *process,
			    const struct role_facts *facts,
			    const struct role_moment *moment)
{
	struct judgement judged = {
		.whole = facts->whole,
		.class = CLASS_PROTECTED,
		.is_preferred = facts->rules[RULES_PREFER],
		.is_new_login = role_is_new_login(facts, moment),
	};
	enum role_kind role = find_protection(process, facts, moment);

	if (role == ROLE_NONE) {
		bool is_interactive;

		role = find_patience(process, facts, moment);
		is_interactive = role != ROLE_NONE && role != ROLE_BATCH;
		judged.class = is_interactive ? CLASS_INTERACTIVE : CLASS_BATCH;
		judged.budget_ms = find_budget(facts, is_interactive);
	}
	judged.role = (uint8_t)role;
	judged.rule = rule_of(facts, role);
	return judged;
}

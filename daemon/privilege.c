/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drops capabilities, tells which are lacking, and forbids system calls. */
#include "daemon/privilege.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 6.3, for older headers; prctl(2). */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define BIT(capability) (UINT64_C(1) << (capability))

/* What is kept, what for, and what happens without. */
static const struct {
	int capability;
	const char *name, *instead; /* NULL: nothing worth a word */
} kept[] = {
	/* stop and continue everybody's processes */
	{CAP_KILL, "KILL", "freezing by cgroup only"},
	/* cgroups that belong to others */
	{CAP_DAC_OVERRIDE, "DAC_OVERRIDE", "freezing by signal"},
	/* see everybody's programs and maps, also where hidepid hides them */
	{CAP_SYS_PTRACE, "SYS_PTRACE", "no paging, programs not looked at"},
	/* move everybody's memory, stand in front */
	{CAP_SYS_NICE, "SYS_NICE", "no paging, usual priority"},
	/* the kernel's trigger, oom_score_adj */
	{CAP_SYS_RESOURCE, "SYS_RESOURCE", "polling"},
	/* stay in memory */
	{CAP_IPC_LOCK, "IPC_LOCK", "memory locked up to a limit"},
	/* whose files everybody has open; CAP_DAC_OVERRIDE does as well */
	{CAP_DAC_READ_SEARCH, NULL, NULL},
	/* replace somebody else's marker in a sticky /tmp */
	{CAP_FOWNER, NULL, NULL},
};

enum { KEPT = sizeof(kept) / sizeof(*kept) };

/*
 * What nobody expects of us.  A list of what we do need would depend on the
 * version of libc; these are all ways to become something else.
 */
static const unsigned forbidden[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_writev,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_sethostname,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_mknodat,
	SYS_quotactl,
	SYS_acct,
};

enum { FORBIDDEN = sizeof(forbidden) / sizeof(*forbidden) };

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

static int result_of(int result)
{
	return result < 0 ? -errno : 0;
}

static bool is_kept(int capability)
{
	for (int i = 0; i < KEPT; i++)
		if (kept[i].capability == capability)
			return true;
	return false;
}

/* What the thread may have, and what any program it could start might get. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3,
						  0};
	struct __user_cap_data_struct data[2];
	uint64_t kept_bits = 0;

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (is_kept(i))
			kept_bits |= BIT(i);
		else
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept_bits >> (32 * i));
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	return result_of((int)syscall(SYS_capset, &header, data));
}

#ifdef ARCHITECTURE
static int forbid_calls(void)
{
	enum { HEAD = 4, TAIL = 2 };
	struct sock_filter code[HEAD + FORBIDDEN + TAIL] = {
		/* another architecture's numbers mean other calls */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	const struct sock_fprog program = {
		.len = HEAD + FORBIDDEN + TAIL,
		.filter = code,
	};

	for (unsigned i = 0; i < FORBIDDEN; i++)
		code[HEAD + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, forbidden[i],
			(uint8_t)(FORBIDDEN - i), 0);
	code[HEAD + FORBIDDEN] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[HEAD + FORBIDDEN + 1] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return result_of(
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}
#else
static int forbid_calls(void)
{
	return -ENOSYS;
}
#endif

/* All that are in force; none if the kernel does not tell. */
static uint64_t effective_bits(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3,
						  0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

void privilege_describe(char text[PRIVILEGE_TEXT])
{
	uint64_t bits = effective_bits();
	const char *comma = "without ";
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < KEPT; i++) {
		if (!kept[i].name || bits & BIT(kept[i].capability))
			continue;
		used += (size_t)snprintf(text + used, PRIVILEGE_TEXT - used,
					 "%sCAP_%s (%s)", comma, kept[i].name,
					 kept[i].instead);
		comma = ", ";
	}
}

bool privilege_may_signal(void)
{
	return effective_bits() & BIT(CAP_KILL);
}

/* Most of them are root's. */
bool privilege_may_move(void)
{
	return geteuid() == 0 || effective_bits() & BIT(CAP_DAC_OVERRIDE);
}

/* 0 also before Linux 6.3, which does not know it. */
static int refuse_new_code(void)
{
	int error = result_of(
		prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));

	return error == -EINVAL ? 0 : error;
}

int privilege_drop(void)
{
	int errors[] = {
		drop_capabilities(),
		result_of(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
		refuse_new_code(),
		forbid_calls(),
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i])
			return errors[i];
	return 0;
}

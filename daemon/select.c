/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Says who is protected, and how much each of the others is to blame. */
#include "daemon/select.h"

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

static struct judgement judgement_of(const struct settings *settings,
				     const struct process *process)
{
	static const struct role_moment unknown = {.is_job = true};
	const struct rule_subject subject = {.command = process->command};
	struct role_facts facts;

	/* when it was judged there may have been other rules: in a recording */
	if (process->judged.class != CLASS_UNKNOWN &&
	    !rules_match(&settings->rules, RULES_PROTECT, &subject))
		return process->judged;
	role_facts_by_name(&settings->rules, process, &facts);
	return role_judge(process, &facts, &unknown);
}

bool select_is_protected(const struct settings *settings,
			 const struct process_table *now, pid_t self,
			 const struct process *process)
{
	return process->pid == 1 || process_is_kernel_thread(process) ||
	       judgement_of(settings, process).class == CLASS_PROTECTED ||
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

bool select_has_claim(const struct process_table *before,
		      const struct process *process)
{
	return process_memory_kib(process) >= SELECT_LEAST_KIB &&
	       select_takes_part(before, process);
}

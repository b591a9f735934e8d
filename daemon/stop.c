/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stops and continues processes by signals. */
#include "daemon/stop.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc has wrappers since 2.36 only; the numbers are the same everywhere. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum {
	GENERATIONS = 64, /* of our ancestors */
	AWAIT_STEP_US = 200,
};

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))
#define SIGNALS_STOP                                                       \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
	 SIGNAL_BIT(SIGTTOU))
#define SIGNALS_END                                                      \
	(SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | \
	 SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGTERM))

/* They stop themselves when their child is stopped. */
static const char *const followers[] = {
	"sudo", "su", "runuser", "doas", "pkexec", "script",
};

/* They continue their child when it is stopped. */
static const char *const continuers[] = {"tmux*", "screen", "SCREEN"};

static bool is_listed(const char *const names[], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (text_matches(names[i], name))
			return true;
	return false;
}

#define IS_LISTED(names, name) \
	is_listed(names, sizeof(names) / sizeof(*(names)), name)

static int result_of(long result)
{
	return result == 0 ? 0 : -errno;
}

/* May it be signalled, for what is known of it now? */
typedef int check(int proc, const struct process *process);

static int check_stop(int proc, const struct process *process)
{
	(void)proc;
	return process_is_stopped(process) ? -EALREADY : 0;
}

int stop_check(int proc, pid_t pid, uint64_t start_time)
{
	struct process process;
	int error = process_find(proc, pid, start_time, 1, &process);

	return error ? error : check_stop(proc, &process);
}

/* For who is not stopped yet, a SIGSTOP that waits is ours. */
static int check_release(int proc, const struct process *process)
{
	uint64_t signals;

	if (!process_is_stopped(process) ||
	    process_read_pending(proc, process->pid, &signals) != 0)
		return 0;
	return signals & SIGNALS_STOP ? -EALREADY : 0;
}

/* Of pidfd_open(); since Linux 6.16 ENOENT.  No process ever has that pid. */
static bool means_thread(int error)
{
	return error == EINVAL || error == ENOENT;
}

/* What pidfd_open() says of it, or before Linux 5.3 kill(): 0 or its errno. */
static int ask(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int error = pidfd < 0 ? errno : 0;

	if (pidfd >= 0)
		(void)close(pidfd);
	if (error == ENOSYS)
		error = kill(pid, 0) == 0 ? 0 : errno;
	return error;
}

bool stop_is_gone(int proc, pid_t pid, uint64_t start_time)
{
	struct process process;
	int answer = pid > 0 ? ask(pid) : EINVAL;
	int error = process_read(proc, pid, 1, &process);

	if (means_thread(answer))
		return true;
	if (!error)
		return process.start_time != start_time ||
		       process_is_dead(&process);
	return answer == ESRCH && (error == -ENOENT || error == -ESRCH);
}

static int send_signal(int proc, pid_t pid, uint64_t start_time, int number,
		       check *may)
{
	struct process process;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 && (errno == ESRCH || means_thread(errno)))
		return -ESRCH;

	/* looked at after it was opened: now the two mean the same process */
	int error = process_find(proc, pid, start_time, 1, &process);

	if (!error)
		error = may(proc, &process);
	if (!error)
		error = result_of(pidfd < 0 ? kill(pid, number)
					    : syscall(SYS_pidfd_send_signal,
						      pidfd, number, NULL, 0));
	if (pidfd >= 0)
		(void)close(pidfd);
	return error;
}

int stop_process(int proc, pid_t pid, uint64_t start_time)
{
	return send_signal(proc, pid, start_time, SIGSTOP, check_stop);
}

int stop_release(int proc, pid_t pid, uint64_t start_time)
{
	int error = send_signal(proc, pid, start_time, SIGCONT, check_release);

	if (error == -EALREADY)
		return 0; /* it is its user's now */
	return error == -ESRCH && !stop_is_gone(proc, pid, start_time) ? -EAGAIN
								       : error;
}

int stop_await(int proc, pid_t pid, uint64_t start_time)
{
	const struct timespec step = {.tv_nsec = AWAIT_STEP_US * 1000};
	struct process process;

	for (int i = 0; i < STOP_AWAIT_MS * 1000 / AWAIT_STEP_US; i++) {
		int error = process_find(proc, pid, start_time, 1, &process);

		if (error || process_is_stopped(&process))
			return error;
		(void)nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}

/* 1, 0 when it is gone, or -errno. */
static int read_if_there(int proc, pid_t pid, struct process *process)
{
	int error = process_read(proc, pid, 1, process);

	return error == -ENOENT || error == -ESRCH ? 0 : error ? error : 1;
}

int stop_is_followed(int proc, pid_t pid, struct process *parent)
{
	struct process process;
	int result = read_if_there(proc, pid, &process);

	if (result > 0)
		result = process.parent > 1
				 ? read_if_there(proc, process.parent, parent)
				 : 0;
	return result > 0 ? parent->state == 'T' : result;
}

static unsigned depth_of(int proc, pid_t pid)
{
	struct process process;
	unsigned depth = 0;

	while (pid > 1 && depth < GENERATIONS &&
	       process_read(proc, pid, 1, &process) == 0) {
		pid = process.parent;
		depth++;
	}
	return depth;
}

/* The deepest first; who is as deep as another stays behind it. */
static void sort(int proc, struct stopped *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct stopped item = items[i];
		size_t at = i;

		item.depth = depth_of(proc, item.pid);
		for (; at && items[at - 1].depth < item.depth; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* Those whose turn it is now. */
struct release {
	int proc;
	const struct stopped *items;
	size_t count;
	stop_filter *is_kept;
	const void *context;
};

static bool is_among(const struct release *all, const struct process *process)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == process->pid &&
		    all->items[i].start_time == process->start_time)
			return true;
	return all->is_kept &&
	       all->is_kept(all->context, process->pid, process->start_time);
}

/* Those that stopped themselves with it, other than by us. */
static int release_followers(const struct release *all, pid_t pid)
{
	struct process parent;
	int result = 0;

	for (int i = 0; i < STOP_WAITERS; i++) {
		result = stop_is_followed(all->proc, pid, &parent);
		if (result <= 0 || is_among(all, &parent))
			break;
		result = stop_release(all->proc, parent.pid, parent.start_time);
		if (result && result != -ESRCH)
			break;
		pid = parent.pid;
	}
	return result < 0 && result != -ESRCH ? result : 0;
}

/* Who was killed may have left behind a parent that stopped with it. */
static void release_one(const struct release *all, struct stopped *item)
{
	int error;

	item->error = stop_release(all->proc, item->pid, item->start_time);
	if (item->error && item->error != -ESRCH)
		return;
	error = release_followers(all, item->pid);
	if (error)
		item->error = error;
}

void stop_release_all(int proc, struct stopped *items, size_t count,
		      stop_filter *is_kept, const void *context)
{
	const struct release all = {proc, items, count, is_kept, context};

	if (count > 1)
		sort(proc, items, count);
	for (size_t i = 0; i < count; i++)
		release_one(&all, &items[i]);
}

bool stop_is_wanted(int proc, pid_t pid)
{
	uint64_t signals;

	return process_read_pending(proc, pid, &signals) == 0 &&
	       (signals & (SIGNALS_END | SIGNALS_STOP)) != 0;
}

static bool is_self_or_ancestor(int proc, pid_t pid)
{
	struct process process = {.parent = getpid()};

	for (int i = 0; i < GENERATIONS && process.parent > 0; i++) {
		if (process.parent == pid)
			return true;
		if (process_read(proc, process.parent, 1, &process) != 0)
			return true; /* better not */
	}
	return false;
}

static bool is_in_front(const struct process *process)
{
	return process->has_terminal && process->is_foreground;
}

enum reaction { REACTION_NONE, REACTION_WAITS, REACTION_CONTINUES };

/* What a parent does when its child, of a job in front or not, is stopped. */
static enum reaction react(const struct process *parent,
			   const struct process *child, bool is_front)
{
	if (IS_LISTED(continuers, parent->command))
		return REACTION_CONTINUES;
	if (IS_LISTED(followers, parent->command))
		return REACTION_WAITS;
	/* it has made a process group of it and given that the terminal */
	if (is_front && parent->session == child->session &&
	    parent->group != child->group)
		return REACTION_WAITS;
	return REACTION_NONE;
}

int stop_find_waiters(int proc, pid_t pid, uint64_t start_time,
		      struct process waiters[STOP_WAITERS], size_t *count)
{
	struct process child, parent;
	int error = process_find(proc, pid, start_time, 1, &child);
	bool is_front = !error && is_in_front(&child);

	*count = 0;
	while (!error && child.parent > 1 &&
	       process_read(proc, child.parent, 1, &parent) == 0) {
		enum reaction reaction = react(&parent, &child, is_front);

		if (reaction == REACTION_NONE)
			break;
		if (reaction == REACTION_CONTINUES || *count == STOP_WAITERS ||
		    is_self_or_ancestor(proc, parent.pid))
			return -EBUSY;
		waiters[(*count)++] = parent;
		if (parent.session != child.session)
			is_front = is_in_front(&parent);
		child = parent;
	}
	return error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is frozen, and whose turn it is.  Pure: a verdict and what was seen of
 * the processes in, orders out; the caller carries the orders out and says
 * what became of each.
 *
 * Those that take part in the thrashing are the jobs.  When memory is short,
 * what they hold between them is all there is for them: their capacity.  As
 * many as fit into it run, those first that are cheapest to load; the others
 * are frozen.  When the turn of one is over it makes room for the one that
 * has waited longest, whose memory is brought in before it goes on.  A turn
 * is long against what the change costs, so a slow disk gets long turns.
 *
 * What belongs together, the processes of one process group (a pipeline, make
 * and its compilers) or of a cgroup that an administrator names, is a unit:
 * frozen and thawed as one, for as long as all
 * of it would fit, memory that a parent shares with its children counted once.
 */
#ifndef THRASH_DAEMON_SCHEDULE_H
#define THRASH_DAEMON_SCHEDULE_H

#include "core/state.h"
#include "daemon/detect.h"
#include "daemon/select.h"

enum {
	SCHEDULE_JOBS = STATE_FROZEN,
	SCHEDULE_SPARED = 64,
	/*
	 * What a freeze or a thaw does to the host is seen after this time
	 * (measured: stall ends within 100 ms of the stop).
	 */
	SCHEDULE_SETTLE_MS = 300,
	/*
	 * A turn is this many times as long as the change of turn: four fifths
	 * of the time go into work.
	 */
	SCHEDULE_TURN_FACTOR = 4,
	/*
	 * Who has neither run nor waited for a disk for so long is no job, and
	 * its turn is another's.
	 */
	SCHEDULE_IDLE_MS = 2000,
	/* Who has not grown for so long has what it wants. */
	SCHEDULE_GROWN_MS = 500,
	/* Of the disk, before a change of turn has been timed. */
	SCHEDULE_KIB_PER_S = 50 * 1024,
	/* Of memory, this share is left free. */
	SCHEDULE_RESERVE_SHARE = 16,
	/* A job with less than this share of its memory in swap is loaded. */
	SCHEDULE_LOADED_SHARE = 64,
	/*
	 * Room is made ahead of a growing job for this share more; but not
	 * more of it than a disk writes in some seconds.
	 */
	SCHEDULE_GROWTH_SHARE = 2,
	SCHEDULE_GROWTH_MAX_KIB = 128 * 1024,
	/* A runner that lacks so much had better wait for it in one go. */
	SCHEDULE_PAUSE_KIB = 4096,
	/*
	 * Then the window that the verdict looks at holds nothing from before
	 * a change.
	 */
	SCHEDULE_TRIAL_MS = DETECT_WINDOW_MS + SCHEDULE_SETTLE_MS,
	/*
	 * A freeze is judged when the pager has been done for so long: small
	 * ones that were evicted meanwhile are back then.
	 */
	SCHEDULE_JUDGE_MS = 3000,
	/*
	 * A group that would fit into all the memory there is, and thrashes
	 * for so long with nobody beside it, does not get that.
	 */
	SCHEDULE_DIVIDE_MS = 10000,
	/* What did not help is not tried again for so long. */
	SCHEDULE_RETRY_MS = 30000,
	/*
	 * For somebody who logs in, besides what those who run lack (measured
	 * on Debian 12: sshd, systemd --user and bash take 23 MB).
	 */
	SCHEDULE_GUEST_KIB = 32 * 1024,
	/* Who is given room and stalls all the same is given as much again. */
	SCHEDULE_GUEST_MS = 1000,
	/* Less than this is not worth a plan for the pager. */
	SCHEDULE_PLAN_KIB = 1024,
};

enum job_state {
	JOB_RUNNING,
	JOB_FROZEN,
	JOB_LOADING, /* still frozen: its memory is being brought in */
};

struct job {
	struct process process; /* as it was last seen */
	enum job_state state;
	uint64_t shared_kib; /* with its parent, counted there */
	size_t unit;         /* index of the unit's first job */
	bool is_growing;
	bool is_paused; /* loading within its turn, which goes on */
	bool is_whole;  /* frozen, and so is the rest of its cgroup */
	bool is_due;    /* it has waited, and not had its turn since */

	bool was_seen_stopped; /* since it is frozen */
	bool is_gone;          /* it ended */
	bool is_undone;        /* somebody else let it go on */
	uint64_t since_us;     /* running, or frozen, since then */
	uint64_t given_us;     /* when it was last let run, pauses apart */
	uint64_t kept_us;      /* until when it is not frozen again */
	uint64_t loading_us;   /* when loading began */
	uint64_t unpaused_us;  /* until when it is not paused: that failed */
	uint64_t turn_us;      /* when it had its memory; 0: not yet */
	uint64_t grew_us;      /* when it last grew; 0: never */
	uint64_t active_us;    /* when it last ran, or waited for a disk */
};

/* The jobs of a unit, summed up. */
struct unit {
	unsigned running, frozen; /* jobs; those loading are neither */
	uint64_t need_kib;        /* of all */
	uint64_t frozen_need_kib; /* of the frozen */
	uint64_t swapped_kib;     /* of those that run */
	uint64_t since_us;        /* since when the first waits */
	uint64_t turn_us;         /* when all that run had their memory */
	uint64_t given_us;        /* when the last was let run */
	uint64_t kept_us;         /* until when one that runs is not frozen */
	bool is_growing, is_due;  /* one that runs */
	bool has_no_turn;         /* one that runs has not begun its turn */
	bool is_preferred;        /* one that runs is to be frozen first */
};

/* Not to be frozen for a while: that failed, or somebody else undid it. */
struct schedule_spared {
	pid_t pid;
	uint64_t start_time;
	uint64_t until_us;
};

struct schedule {
	struct job jobs[SCHEDULE_JOBS];
	size_t count;
	struct unit units[SCHEDULE_JOBS]; /* at the index of the first job */
	struct schedule_spared spared[SCHEDULE_SPARED]; /* a ring */
	size_t next_spared;
	uint64_t capacity_kib; /* for all jobs; 0: not measured */
	uint64_t spare_kib;    /* free on the host, as far as that matters */
	uint64_t evicted_kib;  /* free at the next need, of the host */
	uint64_t guest_kib;    /* kept free for somebody who logs in */
	bool is_confined;      /* the last trouble was a cgroup's own */
	uint64_t raised_us;    /* when it was last believed to grow */
	uint64_t limit_kib;    /* of the cgroup, if that is known; or 0 */
	/* of the host, or of the limit, but for a reserve; 0: not known */
	uint64_t usable_kib;
	uint64_t frozen_us, thawed_us;    /* when last; 0: never */
	uint64_t calm_us;                 /* when it was last calm */
	uint64_t changed_us;              /* when a change of turn began */
	uint64_t change_us;               /* how long the last one took */
	uint64_t plan;                    /* number of the pager's last plan */
	uint64_t planned_us, planned_kib; /* when, and what it was to bring */
	uint64_t trial_us;       /* when a freeze began that is to be judged */
	uint64_t paged_us;       /* when the pager was last at work */
	uint64_t trial_permille; /* stall before it */
	uint64_t freezes_total, thaws_total, rotations_total;
	uint64_t freezes_unhelpful_total;
	uint64_t frozen_us_total; /* of those that are not frozen any more */
};

/* All zero is a schedule that knows no jobs. */

struct situation {
	uint64_t now_us;
	enum verdict verdict;
	uint64_t stall_permille; /* of the last SCHEDULE_SETTLE_MS */
	bool is_filling;   /* memory is short, though nothing came back yet */
	bool is_evicting;  /* pages went out in the last second */
	bool is_confined;  /* it is short in a cgroup at its limit alone */
	uint64_t free_kib; /* of the host; 0: not known */
	uint64_t evicted_kib; /* free at the next need; of the host */
	uint64_t usable_kib;  /* by processes, of the host; 0: not known */
	uint64_t plan_done;   /* number of the last plan that was carried out */
	bool wants_room;      /* somebody logs in, who should find room */
	/* the last two looks at all processes; NULL if there was none now */
	const struct process_table *before, *now;
	pid_t self;
};

enum order_kind {
	ORDER_FREEZE,
	ORDER_PAUSE, /* frozen, for as long as its memory is brought in */
	ORDER_LOAD,  /* it is next: its memory is to be brought in */
	ORDER_THAW,
	ORDER_RELEASE, /* thawed, and not frozen again for a while */
	ORDER_FORGET,  /* it is gone, or runs without us */
};

struct order {
	enum order_kind kind;
	struct process process;
	uint64_t frozen_us; /* for how long, when it is not to be frozen */
	const char *reason; /* for the log */
};

/* Whether it stops the process. */
bool order_freezes(const struct order *order);

struct orders {
	struct order items[SCHEDULE_JOBS + 1];
	size_t count;
	bool has_plan; /* the pager gets a new one; see schedule_plan() */
};

/* What is to be moved between memory and swap. */
struct schedule_plan {
	const struct job *out[SCHEDULE_JOBS]; /* frozen, longest wait last */
	size_t out_count;
	uint64_t out_kib;  /* of all of them */
	uint64_t room_kib; /* for what comes in, besides what goes out */
	const struct job *in[SCHEDULE_JOBS];
	size_t in_count;
};

/* Frozen or loading. */
bool job_is_frozen(const struct job *job);

/* How many are. */
size_t schedule_frozen_count(const struct schedule *schedule);

/* A job by its process; NULL if it is none. */
const struct job *schedule_find(const struct schedule *schedule,
				const struct process *process);

/* What was seen of a job in this turn; now is NULL when it is gone. */
void schedule_see(struct schedule *schedule, size_t index,
		  const struct process *now, uint64_t now_us);

/* Whether the last freeze or thaw has had time to show what it does. */
bool schedule_may_freeze(const struct schedule *schedule, uint64_t now_us);

void schedule_step(struct schedule *schedule, const struct settings *settings,
		   const struct situation *situation, struct orders *orders);

/* Says that an order was carried out, or why not (-errno). */
void schedule_confirm(struct schedule *schedule,
		      const struct settings *settings,
		      const struct order *order, int error, uint64_t now_us);

/* After the orders: what they mean for the pager. */
void schedule_plan(const struct schedule *schedule, struct schedule_plan *plan);

/* The number that the pager gave it. */
void schedule_planned(struct schedule *schedule, uint64_t number);

/* Orders to thaw everybody, for the end. */
void schedule_thaw_all(const struct schedule *schedule, uint64_t now_us,
		       const char *reason, struct orders *orders);

/* Including those who are frozen now. */
uint64_t schedule_frozen_us_total(const struct schedule *schedule,
				  uint64_t now_us);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory, swap and processors in expected values. */
#include "tests/simulated_host.h"

#include <math.h>
#include <string.h>

static const double mb_page = 4.0 / 1024;
/* What the kernel writes to swap in one go (SWAP_CLUSTER_MAX pages). */
static const double mb_batch = 32 * 4.0 / 1024;
/* The pager's steps; see daemon/pager.h. */
static const double mb_out = 4, mb_in = 1;
/* In swap in no order, a set is read in runs of so much. */
static const double mb_run = 64.0 / 1024;
/* Of the frames: reclaim keeps these free, and is idle above the double. */
static const double low_share = 0.005;
/* Of what is evicted: from memory marked cold, while there is some. */
static const double cold_share = 0.95;
/* Touches on the hot tenth. */
static const double hot_size = 0.1, hot_touches = 0.9;

double host_random(struct host *host)
{
	/* splitmix64 */
	uint64_t z = host->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double)(z >> 11) / (double)(UINT64_C(1) << 53);
}

static double lesser(double a, double b)
{
	return a < b ? a : b;
}

static double greater(double a, double b)
{
	return a > b ? a : b;
}

double task_resident_mb(const struct task *task)
{
	return task->resident_mb[0] + task->resident_mb[1];
}

double task_swapped_mb(const struct task *task)
{
	return task->swapped_mb[0] + task->swapped_mb[1];
}

static double task_memory_mb(const struct task *task)
{
	return task_resident_mb(task) + task_swapped_mb(task);
}

bool task_is_there(const struct host *host, const struct task *task)
{
	return host->now_us >= task->role.start_us && !task->is_done;
}

bool task_is_awake(const struct host *host, const struct task *task)
{
	return task_is_there(host, task) &&
	       host->now_us >= task->asleep_until_us;
}

bool task_is_growing(const struct task *task)
{
	return task_memory_mb(task) < task->role.set_mb - mb_page;
}

static bool is_running(const struct host *host, const struct task *task)
{
	return task_is_awake(host, task) && !task->is_stopped;
}

double host_free_mb(const struct host *host)
{
	double used_mb = 0;

	for (size_t i = 0; i < host->count; i++)
		used_mb += task_resident_mb(&host->tasks[i]);
	return host->frames_mb - used_mb;
}

/* Before a step: what all of it is reckoned with. */
static void look_around(struct host *host)
{
	double low_mb = host->frames_mb * low_share;

	host->written = greater(0, lesser(1, 2 - host_free_mb(host) / low_mb));
	host->busy = host->pager_busy;
	host->queue_us = host->pager_busy * host->pager_service_us;
	for (size_t i = 0; i < host->count; i++) {
		const struct task *task = &host->tasks[i];

		host->busy += task->busy;
		host->queue_us += task->busy * task->service_us;
	}
}

/* What else a request of a client finds in the queue before it. */
static double queue_us(const struct host *host, double busy, double service_us)
{
	return greater(0, host->queue_us - busy * service_us);
}

/* How much of its time the device gives to others. */
static double others_busy(const struct host *host, double busy)
{
	return lesser(1, greater(0, host->busy - busy));
}

static double transfer_us(const struct host *host, double mb)
{
	return mb / host->disk.mb_per_s * 1e6;
}

/* What of a request of one page or more occupies the device. */
static double occupied_us(const struct host *host, double wait_us, double mb)
{
	return wait_us / host->disk.channels + transfer_us(host, mb);
}

/* The position of the head, and latency, for the writes that mb need. */
static double write_wait_us(const struct host *host, double mb)
{
	return (host->disk.latency_us + host->disk.seek_us) * mb / mb_batch;
}

/* The share of touches that fault in each part. */
static void find_misses(const struct task *task, double misses[HOST_PARTS])
{
	bool is_hot = task->role.pattern == PATTERN_HOT;

	for (size_t part = 0; part < HOST_PARTS; part++) {
		double touches = !is_hot     ? (double)part
				 : part == 0 ? hot_touches
					     : 1 - hot_touches;
		double size_mb =
			task->resident_mb[part] + task->swapped_mb[part];

		misses[part] =
			size_mb > 0 ? touches * task->swapped_mb[part] / size_mb
				    : 0;
	}
}

/* What one step does for a task, before the device is shared out. */
struct wish {
	double in_mb[HOST_PARTS], grow_mb, faults;
	double touches;
	double device_us; /* of the step, that it occupies the device */
	double stalled_us;
};

static double cluster_mb(const struct task *task)
{
	/* readahead soon learns that neighbours are of no use */
	return mb_page * (task->role.pattern == PATTERN_SEQUENTIAL ? 8 : 2);
}

/* Touches its pages: faults when they are in swap. */
static void wish_work(const struct host *host, struct task *task, double share,
		      double step_us, struct wish *wish)
{
	double misses[HOST_PARTS], mb = cluster_mb(task);
	double touch_us = task->role.touch_us / share;
	double written_mb = host->written * mb;
	double seek_us = host->disk.seek_us;

	find_misses(task, misses);

	double missed = misses[0] + misses[1];

	if (missed * task_memory_mb(task) < mb_page / 8) {
		wish->touches = step_us / touch_us;
		return;
	}
	if (task->role.pattern == PATTERN_SEQUENTIAL)
		seek_us *= greater(others_busy(host, task->busy),
				   task->scattered_mb / task_swapped_mb(task));

	double wait_us = host->disk.latency_us + seek_us +
			 write_wait_us(host, written_mb);

	double queued_us = task->service_us;

	task->service_us = occupied_us(host, wait_us, mb + written_mb);
	task->response_us = wait_us + transfer_us(host, mb + written_mb) +
			    queue_us(host, task->busy, queued_us);
	wish->faults = step_us / (touch_us / missed + task->response_us);
	wish->touches = wish->faults / missed;
	wish->stalled_us = wish->faults * task->response_us;
	wish->device_us = wish->faults * task->service_us;
	for (size_t part = 0; part < HOST_PARTS; part++)
		wish->in_mb[part] =
			lesser(wish->faults * mb * misses[part] / missed,
			       task->swapped_mb[part]);
}

/* Fills its memory; waits for the writes that make room. */
static void wish_grow(const struct host *host, struct task *task, double share,
		      double step_us, struct wish *wish)
{
	double written = host->written;
	double wait_us = write_wait_us(host, mb_batch);
	double us_per_mb = 1e6 / (task->role.fill_mb_per_s * share);
	double queued_us = task->service_us;

	task->service_us = occupied_us(host, wait_us, mb_batch);
	task->response_us = wait_us + transfer_us(host, mb_batch) +
			    queue_us(host, task->busy, queued_us);

	double wait_per_mb = written * task->response_us / mb_batch;

	wish->grow_mb = lesser(step_us / greater(us_per_mb, wait_per_mb),
			       task->role.set_mb - task_memory_mb(task));
	wish->stalled_us = wish->grow_mb * greater(0, wait_per_mb - us_per_mb);
	wish->device_us = wish->grow_mb / mb_batch * written * task->service_us;
}

static void scale(struct wish *wish, double by, double step_us)
{
	for (size_t part = 0; part < HOST_PARTS; part++)
		wish->in_mb[part] *= by;
	wish->grow_mb *= by;
	wish->faults *= by;
	wish->touches *= by;
	wish->device_us *= by;
	wish->stalled_us = step_us - (step_us - wish->stalled_us) * by;
}

/* Memory that becomes the task's, in the order of addresses. */
static void grow(struct task *task, double mb)
{
	double hot_mb = task->role.pattern == PATTERN_HOT
				? task->role.set_mb * hot_size -
					  task->resident_mb[0] -
					  task->swapped_mb[0]
				: 0;
	double first_mb = lesser(mb, greater(0, hot_mb));

	task->resident_mb[0] += first_mb;
	task->resident_mb[1] += mb - first_mb;
}

static void bring_in(struct host *host, struct task *task, size_t part,
		     double mb)
{
	double swapped_mb = task_swapped_mb(task);

	if (mb <= 0)
		return;
	task->scattered_mb *= 1 - lesser(1, mb / swapped_mb);
	task->swapped_mb[part] -= mb;
	task->resident_mb[part] += mb;
	host->swapped_in += mb / mb_page;
	host->refaulted += mb / mb_page;
}

static void end_task(struct host *host, struct task *task)
{
	task->is_done = true;
	task->ended_us = host->now_us;
	memset(task->resident_mb, 0, sizeof(task->resident_mb));
	memset(task->swapped_mb, 0, sizeof(task->swapped_mb));
	task->cold_mb = task->scattered_mb = 0;
	task->busy = task->stalled = 0;
}

static void work(struct host *host, struct task *task, double touches)
{
	double pages = task_memory_mb(task) / mb_page;

	task->progress_s = touches * task->role.touch_us / 1e6;
	task->work_left_s -= task->progress_s;
	if (task->cold_mb > 0)
		task->cold_mb *= exp(-touches / (pages + 1));
	if (task->role.is_job && task->work_left_s <= 0) {
		end_task(host, task);
		return;
	}
	if (task->role.phase_s <= 0)
		return;
	task->phase_left_s -= task->progress_s;
	if (task->phase_left_s <= 0) {
		task->phase_left_s = task->role.phase_s;
		task->asleep_until_us =
			host->now_us + (uint64_t)(task->role.sleep_s * 1e6);
	}
}

static void fulfil(struct host *host, struct task *task,
		   const struct wish *wish, double step_us)
{
	task->stalled = lesser(1, wish->stalled_us / step_us);
	task->busy = wish->device_us / step_us;
	task->major_faults += wish->faults;
	host->major_faults += wish->faults;
	task->active_us = host->now_us;
	for (size_t part = 0; part < HOST_PARTS; part++)
		bring_in(host, task, part, wish->in_mb[part]);
	if (wish->grow_mb > 0) {
		grow(task, wish->grow_mb);
		/* filling is work done, too */
		task->progress_s = wish->grow_mb / task->role.fill_mb_per_s;
	} else {
		work(host, task, wish->touches);
	}
}

/* How readily the kernel takes a page of a part: what was not used lately. */
static double weight(const struct host *host, const struct task *task,
		     size_t part)
{
	double idle_s = (double)(host->now_us - task->active_us) / 1e6;

	if (idle_s > 0.1)
		return 1 + lesser(3, idle_s);
	if (task_is_growing(task))
		return 2;
	if (task->role.pattern == PATTERN_HOT)
		return part == 0 ? 0.1 : 2;
	return 1;
}

/* To swap; share is that of the task in all that goes there now. */
static void evict(struct host *host, struct task *task, size_t part, double mb,
		  double share)
{
	if (mb <= 0)
		return;
	mb = lesser(mb, task->resident_mb[part]);
	task->resident_mb[part] -= mb;
	task->swapped_mb[part] += mb;
	task->scattered_mb += mb * (1 - share);
	task->cold_mb = lesser(task->cold_mb, task_resident_mb(task));
	host->swapped_out += mb / mb_page;
}

static double evict_cold(struct host *host, double mb)
{
	double cold_mb = 0, taken_mb;

	for (size_t i = 0; i < host->count; i++)
		cold_mb += host->tasks[i].cold_mb;
	taken_mb = lesser(cold_mb, mb * cold_share);
	if (taken_mb <= 0)
		return 0;
	for (size_t i = 0; i < host->count; i++) {
		struct task *task = &host->tasks[i];
		double share = task->cold_mb / cold_mb;
		double all_mb = task_resident_mb(task);

		if (share <= 0)
			continue;
		for (size_t part = 0; part < HOST_PARTS; part++)
			evict(host, task, part,
			      taken_mb * share * task->resident_mb[part] /
				      all_mb,
			      share);
		task->cold_mb = greater(0, task->cold_mb - taken_mb * share);
	}
	return taken_mb;
}

static void evict_used(struct host *host, double mb)
{
	double weights[HOST_TASKS][HOST_PARTS], sum = 0;

	for (size_t i = 0; i < host->count; i++)
		for (size_t part = 0; part < HOST_PARTS; part++)
			sum += weights[i][part] =
				weight(host, &host->tasks[i], part) *
				host->tasks[i].resident_mb[part];
	for (size_t i = 0; sum > 0 && i < host->count; i++) {
		double share = (weights[i][0] + weights[i][1]) / sum;

		for (size_t part = 0; part < HOST_PARTS; part++)
			evict(host, &host->tasks[i], part,
			      mb * weights[i][part] / sum, share);
	}
}

static void reclaim(struct host *host)
{
	double low_mb = host->frames_mb * low_share;
	double lack_mb = low_mb - host_free_mb(host);

	if (lack_mb <= 0)
		return;
	host->scanned += lack_mb / mb_page;
	host->scanned_for_host += lack_mb / mb_page;
	evict_used(host, lack_mb - evict_cold(host, lack_mb));
}

/* The idle lose memory although there is enough: a limit of their own. */
static void trim(struct host *host, double step_us)
{
	for (size_t i = 0; i < host->count; i++) {
		double mb = host->tasks[i].role.trim_mb_per_s * step_us / 1e6;

		host->scanned += mb / mb_page;
		evict(host, &host->tasks[i], 1, mb, 1);
	}
}

/* The pager ----------------------------------------------------------------*/

static void mark_cold(struct host *host)
{
	for (size_t i = 0; i < host->plan.out_count; i++) {
		struct task *task = &host->tasks[host->plan.out[i]];

		task->cold_mb = task_resident_mb(task);
	}
	host->is_begun = true;
}

/* Of one of those it moves out, what it has not passed yet. */
static double out_left_mb(const struct host *host, size_t i)
{
	return lesser(host->out_left_mb[i],
		      task_resident_mb(&host->tasks[host->plan.out[i]]));
}

static bool has_out(const struct host *host)
{
	if (host->plan.out_mb <= 0)
		return false;
	for (size_t i = 0; i < host->plan.out_count; i++)
		if (out_left_mb(host, i) > mb_page)
			return true;
	return false;
}

/* Of one of those it brings in. */
static double in_left_mb(const struct host *host, size_t i)
{
	return lesser(host->in_left_mb[i],
		      task_swapped_mb(&host->tasks[host->plan.in[i]]));
}

/* The place in the plan of the one that it is bringing in. */
static size_t find_in(const struct host *host)
{
	size_t i = 0;

	while (i < host->plan.in_count && in_left_mb(host, i) <= mb_page)
		i++;
	return i;
}

static bool has_in(const struct host *host)
{
	return find_in(host) < host->plan.in_count;
}

/* It goes through each memory once: what is evicted behind it stays out. */
static void begin_plan(struct host *host)
{
	const struct host_plan *plan = &host->plan;

	for (size_t i = 0; i < plan->out_count; i++)
		host->out_left_mb[i] =
			task_resident_mb(&host->tasks[plan->out[i]]);
	for (size_t i = 0; i < plan->in_count; i++)
		host->in_left_mb[i] =
			task_swapped_mb(&host->tasks[plan->in[i]]);
	mark_cold(host);
}

/* One request of the pager: what it waits for, and what it moves. */
static double pager_request(struct host *host, double *mb)
{
	const struct disk *disk = &host->disk;
	double wait_us = disk->latency_us;
	double moved_mb;

	if (has_out(host)) {
		*mb = moved_mb = mb_out;
		wait_us += disk->seek_us *
			   others_busy(host, host->pager_busy_before);
	} else {
		const struct task *task =
			&host->tasks[host->plan.in[find_in(host)]];
		double written = host->written;
		double scattered = task->scattered_mb / task_swapped_mb(task);

		*mb = mb_in;
		moved_mb = mb_in * (1 + written);
		wait_us += disk->seek_us *
				   greater(others_busy(host,
						       host->pager_busy_before),
					   written) +
			   scattered * mb_in / mb_run *
				   (disk->seek_us + disk->latency_us);
	}
	double queued_us = host->pager_service_us;

	host->pager_service_us = occupied_us(host, wait_us, moved_mb);
	return wait_us + transfer_us(host, moved_mb) +
	       queue_us(host, host->pager_busy_before, queued_us);
}

static void page_out(struct host *host, double mb)
{
	for (size_t i = 0; i < host->plan.out_count && mb > 0; i++) {
		struct task *task = &host->tasks[host->plan.out[i]];
		double all_mb = task_resident_mb(task);
		double part_mb = lesser(mb, out_left_mb(host, i));

		if (part_mb <= 0)
			continue;
		for (size_t part = 0; part < HOST_PARTS; part++)
			evict(host, task, part,
			      part_mb * task->resident_mb[part] / all_mb, 1);
		mb -= part_mb;
		host->out_left_mb[i] -= part_mb;
		host->plan.out_mb -= part_mb;
	}
}

static void page_in(struct host *host, double mb)
{
	for (size_t i = 0; i < host->plan.in_count && mb > 0; i++) {
		struct task *task = &host->tasks[host->plan.in[i]];
		double all_mb = task_swapped_mb(task);
		double part_mb = lesser(mb, in_left_mb(host, i));

		if (part_mb <= 0)
			continue;
		task->active_us = host->now_us; /* it touches what it brings */
		for (size_t part = 0; part < HOST_PARTS; part++)
			bring_in(host, task, part,
				 part_mb * task->swapped_mb[part] / all_mb);
		mb -= part_mb;
		host->in_left_mb[i] -= part_mb;
	}
}

/* How much the pager would move, in requests; 0 when its plan is done. */
static double wish_pager(struct host *host, double step_us, double *mb)
{
	host->pager_busy_before = host->pager_busy;
	host->pager_busy = 0;
	if (host->plan_done == host->plan_number)
		return 0;
	if (!host->is_begun)
		begin_plan(host);
	if (!has_out(host) && !has_in(host)) {
		host->plan_done = host->plan_number;
		return 0;
	}
	return step_us / pager_request(host, mb);
}

double host_load_s(const struct host *host, const struct task *task)
{
	double in_mb = task_swapped_mb(task);
	const struct disk *disk = &host->disk;
	double wait_us = disk->seek_us + disk->latency_us;

	return (2 * transfer_us(host, in_mb) + 2 * in_mb / mb_in * wait_us +
		task->scattered_mb / mb_run * wait_us) /
	       1e6;
}

/* Steps --------------------------------------------------------------------*/

static void wake_up(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		struct task *task = &host->tasks[i];

		if (task->stops_us && host->now_us >= task->stops_us) {
			task->stops_us = 0;
			task->is_stopped = true;
		}
		task->progress_s = 0;
	}
}

static double cpu_share(const struct host *host)
{
	double count = 0;

	for (size_t i = 0; i < host->count; i++)
		count += is_running(host, &host->tasks[i]) &&
			 !host->tasks[i].stops_us;
	return count > host->cpus ? host->cpus / count : 1;
}

/* What all wish; who does nothing leaves the device. */
static void wish_all(struct host *host, double step_us, struct wish *wishes)
{
	double share = cpu_share(host);

	for (size_t i = 0; i < host->count; i++) {
		struct task *task = &host->tasks[i];

		if (!is_running(host, task) || task->stops_us)
			continue;
		if (task_is_growing(task))
			wish_grow(host, task, share, step_us, &wishes[i]);
		else
			wish_work(host, task, share, step_us, &wishes[i]);
	}
}

/* The device cannot do more than it can, nor memory hold more. */
static void share_out(struct host *host, double step_us, struct wish *wishes,
		      double *requests)
{
	double device_us = *requests * host->pager_service_us, grow_mb = 0;
	double room_mb =
		host_free_mb(host) + host->disk.mb_per_s * step_us / 1e6;

	for (size_t i = 0; i < host->count; i++) {
		device_us += wishes[i].device_us;
		grow_mb += wishes[i].grow_mb;
	}
	for (size_t i = 0; i < host->count; i++) {
		if (device_us > step_us && wishes[i].device_us > 0)
			scale(&wishes[i], step_us / device_us, step_us);
		if (grow_mb > room_mb && wishes[i].grow_mb > 0)
			scale(&wishes[i], greater(0, room_mb) / grow_mb,
			      step_us);
	}
	if (device_us > step_us)
		*requests *= step_us / device_us;
}

static void press(struct host *host, double step_us, double pager_stalled)
{
	double nobody = 1 - pager_stalled;

	for (size_t i = 0; i < host->count; i++)
		nobody *= 1 - host->tasks[i].stalled;
	host->memory_us += (1 - nobody) * step_us * host->psi_share;
	host->io_us += (1 - nobody) * step_us;
}

void host_step(struct host *host, uint64_t step_us)
{
	struct wish wishes[HOST_TASKS] = {{.faults = 0}};
	double us = (double)step_us, mb = 0, requests;

	host->now_us += step_us;
	wake_up(host);
	look_around(host);
	wish_all(host, us, wishes);
	requests = wish_pager(host, us, &mb);
	share_out(host, us, wishes, &requests);
	for (size_t i = 0; i < host->count; i++) {
		struct task *task = &host->tasks[i];

		if (is_running(host, task) && !task->stops_us)
			fulfil(host, task, &wishes[i], us);
		else if (!task->stops_us)
			task->stalled = task->busy = 0;
	}

	bool is_in = requests > 0 && !has_out(host);

	host->pager_busy = requests * host->pager_service_us / us;
	if (is_in && has_in(host))
		page_in(host, requests * mb);
	else if (!is_in && requests > 0)
		page_out(host, requests * mb);
	trim(host, us);
	press(host, us, is_in ? lesser(1, host->pager_busy) : 0);
	reclaim(host);
}

/* What others see and do ----------------------------------------------------*/

void host_sample(const struct host *host, struct sample *sample)
{
	*sample = (struct sample){
		.time_us = HOST_BEGIN_US + host->now_us,
		.vmstat = {.swapped_in = (uint64_t)host->swapped_in,
			   .swapped_out = (uint64_t)host->swapped_out,
			   .major_faults = (uint64_t)host->major_faults,
			   .refaulted_anon = (uint64_t)host->refaulted,
			   .scanned = (uint64_t)host->scanned,
			   .scanned_for_host = (uint64_t)host->scanned_for_host,
			   .has_scanned = host->has_scanned,
			   .free = (uint64_t)(host_free_mb(host) / mb_page),
			   .has_free = true,
			   .has_swap = true,
			   .has_refaults_anon = true,
			   .has_refaults_file = true},
		.memory = {.some_us = (uint64_t)host->memory_us},
		.io = {.some_us = (uint64_t)host->io_us},
		.has_memory = true,
		.has_io = true,
	};
}

static char state_of(struct host *host, const struct task *task)
{
	if (task->is_stopped)
		return 'T';
	if (task->stops_us)
		return 'D';
	if (!task_is_awake(host, task))
		return 'S';
	return host_random(host) < task->stalled ? 'D' : 'R';
}

void host_process(struct host *host, size_t index, struct process *process)
{
	const struct task *task = &host->tasks[index];
	pid_t pid = (pid_t)index + HOST_FIRST_PID;

	uint64_t start_us =
		task->role.is_job ? HOST_BEGIN_US + task->role.start_us : 0;

	*process = (struct process){
		.pid = pid,
		.parent = 1,
		.group = pid,
		.session = pid,
		.start_time = start_us / 10000 + 1,
		.major_faults = (uint64_t)task->major_faults,
		.resident_kib = (uint64_t)(task_resident_mb(task) * 1024),
		.swapped_kib = (uint64_t)(task_swapped_mb(task) * 1024),
		.state = state_of(host, task),
	};
	memcpy(process->command, task->role.command, PROCESS_COMMAND);
}

void host_stop(struct host *host, size_t index)
{
	struct task *task = &host->tasks[index];

	if (host_random(host) < task->stalled)
		task->stops_us =
			host->now_us + 1 +
			(uint64_t)(host_random(host) * task->response_us);
	else
		task->is_stopped = true;
}

void host_continue(struct host *host, size_t index)
{
	host->tasks[index].is_stopped = false;
	host->tasks[index].stops_us = 0;
}

uint64_t host_order(struct host *host, const struct host_plan *plan)
{
	host->plan_done = host->plan_number;
	host->plan = *plan;
	host->is_begun = false;
	return ++host->plan_number;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What thrash-protect-push queues, sends and believes. */
#include "plugins/nagios/push_queue.h"
#include "plugins/nagios/push_retry.h"

#include "tests/scratch.h"
#include "tests/tap.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct push_result make_result(enum push_kind kind, int status,
				      bool is_change)
{
	struct push_result result = {
		.kind = kind,
		.status = (enum nagios_status)status,
		.is_change = is_change,
		.time_s = 1700000000,
		.output = "FROZEN OK: fine",
		.metrics = "a=1;2;3;0 b=4s;;;0",
		.details = "one\ntwo\n",
	};

	return result;
}

/* All of a result is in its file. */
static bool is_same(const struct push_result *a, const struct push_result *b)
{
	char first[PUSH_RESULT_SIZE], second[PUSH_RESULT_SIZE];

	(void)push_result_format(a, first);
	(void)push_result_format(b, second);
	return strcmp(first, second) == 0;
}

static void test_files(void)
{
	struct push_result result = make_result(PUSH_PRESSURE, 2, true), back;
	char buffer[PUSH_RESULT_SIZE];
	struct span text = push_result_format(&result, buffer);

	is_int(push_result_parse(text, &back), 0, "what is written is read");
	ok(is_same(&result, &back), "as it was");
	memset(result.output, 'o', sizeof(result.output) - 1);
	memset(result.metrics, 'm', sizeof(result.metrics) - 1);
	memset(result.details, 'd', sizeof(result.details) - 1);
	result.time_s = UINT64_MAX;
	text = push_result_format(&result, buffer);
	ok(text.length < sizeof(buffer), "the longest result fits");
	ok(push_result_parse(text, &back) == 0 && is_same(&result, &back),
	   "and is read as it was");
}

/* The body that a receiver gets, to be freed. */
static char *print(enum push_receiver receiver,
		   const struct push_result *result, uint64_t now_s)
{
	static struct push_settings settings;
	char *body;
	size_t size;
	FILE *stream = open_memstream(&body, &size);

	settings.host = "web\"1\\";
	settings.services[PUSH_FROZEN].name = "fr\xc3\xb6zen";
	settings.heartbeat_ms = 60000;
	settings.token = "a&b=\xc3\xb6 %";
	need(stream ? 0 : -1, "open_memstream");
	if (receiver == PUSH_ICINGA2)
		push_result_print_icinga2(result, &settings, now_s, stream);
	else
		push_result_print_nrdp(result, &settings, now_s, stream);
	need(fclose(stream), "open_memstream");
	return body;
}

static void test_bodies(void)
{
	struct push_result result = make_result(PUSH_FROZEN, 1, true);
	char *body = print(PUSH_ICINGA2, &result, result.time_s + 9);

	is_text(body,
		"{\"type\":\"Service\",\"service\":\"web\\\"1\\\\!"
		"fr\xc3\xb6zen\",\"exit_status\":1,\"ttl\":180,"
		"\"plugin_output\":\"FROZEN OK: fine\\none\\u000atwo\","
		"\"performance_data\":[\"a=1;2;3;0\",\"b=4s;;;0\"],"
		"\"check_source\":\"web\\\"1\\\\\"}",
		"Icinga gets one JSON object");
	free(body);
	result.details[0] = result.metrics[0] = '\0';
	(void)snprintf(result.output, sizeof(result.output),
		       "\x01\xff\xc0\x80\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82");
	body = print(PUSH_ICINGA2, &result, result.time_s + 10);
	ok(strstr(body, "\"plugin_output\":\"\\u0001??"
			"????\xf0\x9f\x98\x80?? (seen at "
			"2023-11-14T22:13:20Z)\",\"performance_data\":[],"),
	   "what is no UTF-8 does not get there; a late one says when (%s)",
	   body);
	free(body);
	(void)snprintf(result.output, sizeof(result.output), "x");
	body = print(PUSH_NRDP, &result, 0);
	ok(strncmp(body,
		   "token=a%26b%3D%C3%B6%20%25&cmd=submitcheck&json=%7B%22",
		   52) == 0 &&
		   !strpbrk(body, " {}\"|\n"),
	   "NRDP gets a form, all of it encoded");
	free(body);
}

static void test_answers(void)
{
	static const struct {
		enum push_receiver receiver;
		int http;
		const char *text;
		long verdict;
	} rows[] = {
		{PUSH_ICINGA2, 200,
		 "{\"results\":[{\"code\":200.0,\"status\":\"Successfully\"}]}",
		 PUSH_TAKEN},
		{PUSH_ICINGA2, 200, "{\"results\":[{\"code\": 200}]}",
		 PUSH_TAKEN},
		{PUSH_ICINGA2, 200, "{\"results\":[]}", PUSH_FAILED},
		{PUSH_ICINGA2, 200, "<html>log in</html>", PUSH_FAILED},
		{PUSH_ICINGA2, 200, "", PUSH_FAILED},
		{PUSH_ICINGA2, 404,
		 "{\"error\":404.0,\"status\":\"No objects found.\"}",
		 PUSH_REFUSED},
		{PUSH_ICINGA2, 404, "<html>no such page</html>", PUSH_FAILED},
		{PUSH_ICINGA2, 401, "{\"error\":401,\"status\":\"no\"}",
		 PUSH_FAILED},
		{PUSH_ICINGA2, 409,
		 "{\"results\":[{\"code\":409,\"status\":\"newer\"}]}",
		 PUSH_REFUSED},
		{PUSH_ICINGA2, 500,
		 "{\"results\":[{\"code\":500,\"status\":\"no\"}]}",
		 PUSH_FAILED},
		{PUSH_ICINGA2, 503, "{\"error\":503}", PUSH_FAILED},
		{PUSH_ICINGA2, 403, "{\"error\":403,\"status\":\"no\"}",
		 PUSH_FAILED},
		{PUSH_ICINGA2, 500,
		 "{\"results\":[{\"code\":403,\"status\":\"passive\"}]}",
		 PUSH_REFUSED},
		{PUSH_ICINGA2, 502, "{\"results\":[{\"code\":200}]}",
		 PUSH_FAILED},
		{PUSH_ICINGA2, 200, "{\"code\":99999999999999999999}",
		 PUSH_FAILED},
		{PUSH_ICINGA2, 200, "{\"code\"", PUSH_FAILED},
		{PUSH_ICINGA2, 200, "{\"code\":", PUSH_FAILED},
		{PUSH_NRDP, 200,
		 "{ \"result\" : {\n \"status\" : \"0\" ,\"message\":\"OK\"",
		 PUSH_TAKEN},
		{PUSH_NRDP, 200, "{\"result\":{\"status\":0}}", PUSH_TAKEN},
		{PUSH_NRDP, 200, "{\"result\":{\"status\":-1}}", PUSH_FAILED},
		{PUSH_NRDP, 200, "{\"result\":{\"status\":1}}", PUSH_FAILED},
		{PUSH_NRDP, 200, "", PUSH_FAILED},
		{PUSH_NRDP, 0, "{\"result\":{\"status\":0}}", PUSH_FAILED},
		{PUSH_NRDP, 500, "{\"result\":{\"status\":0}}", PUSH_FAILED},
		{PUSH_NRDP, 401, "", PUSH_FAILED},
		{PUSH_NRDP, 404, "", PUSH_FAILED},
		{PUSH_NRDP, 400, "", PUSH_FAILED},
		{PUSH_NRDP, 413, "", PUSH_REFUSED},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(push_answer_judge(rows[i].receiver, rows[i].http,
					 span_of(rows[i].text)),
		       rows[i].verdict, "answer no. %zu is understood", i);
}

static void test_urls(void)
{
	static const struct {
		const char *url;
		char result; /* s: safe, u: unsafe, -: refused */
	} rows[] = {
		{"https://a", 's'},
		{"https://a:5665/x", 's'},
		{"https://[2001:db8::1]:5665", 's'},
		{"http://localhost", 's'},
		{"http://localhost:80/nrdp/", 's'},
		{"http://127.0.0.1?x", 's'},
		{"http://localhost.evil", 'u'},
		{"http://127.0.0.1.evil/", 'u'},
		{"http://a:80", 'u'},
		{"http://[::1]", 'u'},
		{"http://localhost\\@evil/", '-'},
		{"https://user@a/", '-'},
		{"https://user:word@a", '-'},
		{"https://", '-'},
		{"https:///x", '-'},
		{"https:/a", '-'},
		{"ftp://a", '-'},
		{"HTTPS://a", '-'},
		{"a", '-'},
		{"", '-'},
		{"https://a b", '-'},
		{"https://a\nb", '-'},
		{"file:///etc/passwd", '-'},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool is_safe = false;
		int error = push_url_parse(span_of(rows[i].url), &is_safe);

		is_int(error     ? '-'
		       : is_safe ? 's'
				 : 'u',
		       rows[i].result, "URL no. %zu is judged as it should be",
		       i);
	}
}

static void test_retries(void)
{
	is_int((int64_t)push_retry_delay_ms(1, 1000, 300000, 0), 1000,
	       "the first try again comes after the time that is set");
	is_int((int64_t)push_retry_delay_ms(4, 1000, 300000, 0), 8000,
	       "after each failure it takes twice as long");
	is_int((int64_t)push_retry_delay_ms(4000000000u, 1000, 300000, 0),
	       300000, "but never longer than allowed");
	is_int((int64_t)push_retry_delay_ms(9, 1000, 300000, UINT32_MAX),
	       128000, "chance takes off half of it at most");
	is_int((int64_t)push_retry_delay_ms(1, 5000, 1000, 0), 1000,
	       "the limit wins over the first time");
}

/* What waits, a letter each: F and f are a change and a heartbeat of frozen. */
static const char *waiting(const struct push_queue *queue)
{
	static char text[64];
	size_t i;

	for (i = 0; i < queue->count && i < sizeof(text) - 1; i++)
		text[i] = queue->entries[i].is_change
				  ? "FPM"[queue->entries[i].kind]
				  : "fpm"[queue->entries[i].kind];
	text[i] = '\0';
	return text;
}

static void add(struct push_queue *queue, const char *letters)
{
	for (; *letters; letters++) {
		static const char all[] = "FPMfpm";
		int disk, which = (int)(strchr(all, *letters) - all);
		struct push_result result =
			make_result((enum push_kind)(which % 3), 1, which < 3);

		need(push_queue_add(queue, &result, &disk), "push_queue_add");
	}
}

static int count_files(const struct scratch *scratch, const char *name)
{
	char path[300];
	int count = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
	directory = opendir(path);
	need(directory ? 0 : -1, path);
	while (readdir(directory))
		count++;
	(void)closedir(directory);
	return count - 2; /* . and .. */
}

static void test_queue(const struct scratch *scratch)
{
	struct push_queue queue;
	struct push_result result;
	struct problem problem;
	char path[300];
	uint64_t first;

	(void)snprintf(path, sizeof(path), "%s/spool", scratch->path);
	need(push_queue_open(&queue, path, 6, 1000000, &problem), problem.text);
	is_int((int64_t)push_queue_first(&queue), 0, "a new queue is empty");
	add(&queue, "Ff");
	is_text(waiting(&queue), "Ff", "a heartbeat does not replace a change");
	add(&queue, "Pf");
	is_text(waiting(&queue), "FPf",
		"but a heartbeat that still waits, of the same service");
	add(&queue, "F");
	is_text(waiting(&queue), "FPfF",
		"what changes does not replace anything");
	add(&queue, "f");
	is_text(waiting(&queue), "FPfFf", "nor does a heartbeat after it");
	add(&queue, "FF");
	is_text(waiting(&queue), "PfFfFF",
		"when it is full the oldest of the service goes");
	add(&queue, "M");
	is_text(waiting(&queue), "PFfFFM",
		"or the oldest of another one, never the newest of any");
	is_int((int64_t)queue.superseded, 2, "what had to go is counted");
	is_int(count_files(scratch, "spool"), 6,
	       "each has one file, and nothing else is there");
	first = push_queue_first(&queue);
	is_int(push_queue_read(&queue, first, &result), 0, "the first is read");
	is_int(result.kind, PUSH_PRESSURE, "and is the oldest");
	push_queue_close(&queue);

	need(push_queue_open(&queue, path, 5, 1000000, &problem), problem.text);
	is_text(waiting(&queue), "PfFFM",
		"what waits survives a restart, within the bound");
	push_queue_remove(&queue, first);
	push_queue_remove(&queue, first);
	is_text(waiting(&queue), "fFFM",
		"to remove what is not there is nothing");
	is_int(push_queue_read(&queue, first, &result), -ENOENT,
	       "to read it is -ENOENT");
	add(&queue, "m");
	ok(queue.entries[4].number > queue.entries[3].number,
	   "numbers go on rising");
	push_queue_close(&queue);
}

static void test_bytes(const struct scratch *scratch)
{
	struct push_queue queue;
	struct problem problem;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/bytes", scratch->path);
	need(push_queue_open(&queue, path, 1000, 400, &problem), problem.text);
	add(&queue, "MFFFFFFFF");
	ok(queue.bytes <= 400 && queue.count >= 2,
	   "the bound of bytes holds (%" PRIu64 " of %zu results)", queue.bytes,
	   queue.count);
	is_int(waiting(&queue)[0], 'M', "and the newest of each is left");
	push_queue_close(&queue);
}

/* A disk that takes nothing: in a child, for the limit stays. */
static int fill_disk(const struct scratch *scratch)
{
	static const struct rlimit nothing = {0, 0};
	struct push_queue queue;
	struct push_result result = make_result(PUSH_FROZEN, 2, true), back;
	struct problem problem;
	char path[300];
	int disk = 0, error;

	(void)snprintf(path, sizeof(path), "%s/full", scratch->path);
	if (push_queue_open(&queue, path, 10, 1000000, &problem))
		return 1;
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &nothing);
	error = push_queue_add(&queue, &result, &disk);
	if (error || disk != -EFBIG || count_files(scratch, "full") != 0)
		return 2;
	if (push_queue_read(&queue, push_queue_first(&queue), &back) ||
	    !is_same(&result, &back))
		return 3;
	push_queue_remove(&queue, push_queue_first(&queue));
	error = push_queue_first(&queue) ? 4 : 0;
	push_queue_close(&queue);
	return error;
}

static void test_full_disk(const struct scratch *scratch)
{
	int status = 0;
	pid_t child = need(fork(), "fork");

	if (child == 0)
		_exit(fill_disk(scratch));
	need(waitpid(child, &status, 0), "waitpid");
	is_int(status, 0, "on a full disk results wait in memory");
}

static void test_foreign_spools(const struct scratch *scratch)
{
	struct push_queue queue, second;
	struct problem problem;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/mine", scratch->path);
	need(mkdir(path, 0750), path);
	is_int(push_queue_open(&queue, path, 10, 1000, &problem), -EPERM,
	       "a spool that others may look into is refused");
	need(chmod(path, 0700), path);
	need(push_queue_open(&queue, path, 10, 1000, &problem), problem.text);
	ok(push_queue_open(&second, path, 10, 1000, &problem) < 0 &&
		   strstr(problem.text, "another process uses it"),
	   "so is one that is in use (%s)", problem.text);
	push_queue_close(&queue);
	need(push_queue_open(&queue, path, 10, 1000, &problem), problem.text);
	push_queue_close(&queue);
	ok(true, "once it is not any more, it can be used");
}

/* With no descriptor left, for a while. */
static void test_no_descriptors(const struct scratch *scratch)
{
	struct rlimit few, many;
	struct push_queue queue;
	struct push_result result;
	struct problem problem;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/few", scratch->path);
	need(push_queue_open(&queue, path, 10, 1000000, &problem),
	     problem.text);
	add(&queue, "F");
	need(getrlimit(RLIMIT_NOFILE, &many), "getrlimit");
	few = (struct rlimit){3, many.rlim_max};
	need(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
	is_int(push_queue_read(&queue, push_queue_first(&queue), &result),
	       -EMFILE, "what cannot be read now is not called damaged");
	add(&queue, "M");
	need(setrlimit(RLIMIT_NOFILE, &many), "setrlimit");
	is_int(count_files(scratch, "few"), 1, "what cannot be written waits");
	push_queue_close(&queue);
	is_int(count_files(scratch, "few"), 2, "and is written at the end");
}

int main(void)
{
	struct scratch scratch;

	test_files();
	test_bodies();
	test_answers();
	test_urls();
	test_retries();
	scratch_open(&scratch);
	test_queue(&scratch);
	test_bytes(&scratch);
	test_full_disk(&scratch);
	test_foreign_spools(&scratch);
	test_no_descriptors(&scratch);
	scratch_close(&scratch);
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests by libcurl. */
#include "plugins/nagios/push_wire.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_SIZE = 4096, ANSWER_MOST = 1024 * 1024, DESCRIPTORS = 4 };

struct line {
	CURL *easy;
	struct curl_slist *headers; /* owned */
	char *body;                 /* owned */
	bool is_busy;
	char problem[CURL_ERROR_SIZE];
	char answer[ANSWER_SIZE];
	size_t used, received;
};

struct push_wire {
	CURLM *multi;
	struct line lines[PUSH_LINES];
};

/* Keeps the beginning; of one that does not end, enough is enough. */
static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct line *line = context;
	size_t length = size * count, room = ANSWER_SIZE - line->used;

	line->received += length;
	if (line->received > ANSWER_MOST)
		return 0;
	memcpy(line->answer + line->used, data, length < room ? length : room);
	line->used += length < room ? length : room;
	return length;
}

static void set_text(CURL *easy, CURLoption option, const char *text)
{
	if (text && *text)
		(void)curl_easy_setopt(easy, option, text);
}

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
			       CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

/* Whose authority is named is not to be vouched for by any other. */
static void set_authorities(CURL *easy, const char *file)
{
	if (!*file)
		return;
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

/*
 * A name that nobody looks up must not hold up the end of a request: its thread
 * is left behind.
 */
static void set_quick_exit(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
	(void)easy;
#endif
}

/* Redirects are not followed: what is sent is for this receiver only. */
static void set_common(CURL *easy, const struct push_settings *settings)
{
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			       (long)settings->connect_timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			       (long)settings->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			       (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT,
			       "thrash-protect-push/" VERSION);
	set_protocols(easy);
	set_quick_exit(easy);
	set_authorities(easy, settings->ca);
}

/* Secrets go to the monitoring alone. */
static void set_secrets(CURL *easy, const struct push_settings *settings)
{
	set_text(easy, CURLOPT_SSLCERT, settings->certificate);
	set_text(easy, CURLOPT_SSLKEY, settings->key);
	/* or a terminal would be asked for the one of an encrypted key */
	(void)curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
	if (settings->receiver != PUSH_ICINGA2 || !settings->user)
		return;
	(void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	set_text(easy, CURLOPT_USERNAME, settings->user);
	set_text(easy, CURLOPT_PASSWORD, settings->password);
}

static int open_line(struct line *line, const struct push_settings *settings)
{
	line->easy = curl_easy_init();
	if (!line->easy)
		return -ENOMEM;
	set_common(line->easy, settings);
	(void)curl_easy_setopt(line->easy, CURLOPT_PRIVATE, line);
	(void)curl_easy_setopt(line->easy, CURLOPT_ERRORBUFFER, line->problem);
	(void)curl_easy_setopt(line->easy, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(line->easy, CURLOPT_WRITEDATA, line);
	return 0;
}

struct push_wire *push_wire_open(const struct push_settings *settings)
{
	struct push_wire *wire = calloc(1, sizeof(*wire));

	if (!wire || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(wire);
		return NULL;
	}
	wire->multi = curl_multi_init();
	for (int i = 0; i < PUSH_LINES; i++)
		if (!wire->multi || open_line(&wire->lines[i], settings)) {
			push_wire_close(wire);
			return NULL;
		}
	set_secrets(wire->lines[PUSH_MONITORING].easy, settings);
	return wire;
}

/* What was asked for is no longer needed. */
static void clear_line(struct push_wire *wire, struct line *line)
{
	if (line->is_busy)
		(void)curl_multi_remove_handle(wire->multi, line->easy);
	curl_slist_free_all(line->headers);
	free(line->body);
	line->headers = NULL;
	line->body = NULL;
	line->is_busy = false;
}

void push_wire_close(struct push_wire *wire)
{
	for (int i = 0; i < PUSH_LINES; i++) {
		clear_line(wire, &wire->lines[i]);
		curl_easy_cleanup(wire->lines[i].easy);
	}
	(void)curl_multi_cleanup(wire->multi);
	curl_global_cleanup();
	free(wire);
}

bool push_wire_is_busy(const struct push_wire *wire, enum push_line line)
{
	return wire->lines[line].is_busy;
}

static void set_headers(struct line *line, const char *type)
{
	char header[80];

	(void)snprintf(header, sizeof(header), "Content-Type: %s", type);
	line->headers = curl_slist_append(NULL, header);
	line->headers =
		curl_slist_append(line->headers, "Accept: application/json");
	/* no question beforehand whether the body may come */
	line->headers = curl_slist_append(line->headers, "Expect:");
	(void)curl_easy_setopt(line->easy, CURLOPT_HTTPHEADER, line->headers);
}

int push_wire_send(struct push_wire *wire, enum push_line which,
		   const struct push_request *request)
{
	struct line *line = &wire->lines[which];
	CURL *easy = line->easy;

	line->body = request->body;
	line->used = line->received = 0;
	line->problem[0] = '\0';
	set_headers(line, request->type);
	(void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, line->body);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE,
			       (long)request->size);
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
			       request->replaces ? "PUT" : "POST");
	if (curl_multi_add_handle(wire->multi, easy) != CURLM_OK) {
		clear_line(wire, line);
		return -ENOMEM;
	}
	line->is_busy = true;
	return 0;
}

void push_wire_wait(struct push_wire *wire, const int *descriptors,
		    size_t count, int timeout_ms)
{
	struct curl_waitfd waits[DESCRIPTORS];
	int running;

	for (size_t i = 0; i < count && i < DESCRIPTORS; i++)
		waits[i] = (struct curl_waitfd){.fd = descriptors[i],
						.events = CURL_WAIT_POLLIN};
	(void)curl_multi_perform(wire->multi, &running);
	(void)curl_multi_wait(wire->multi, waits, (unsigned)count, timeout_ms,
			      NULL);
	(void)curl_multi_perform(wire->multi, &running);
}

static void fill_answer(struct line *line, CURLcode code,
			struct push_answer *answer)
{
	answer->code = 0;
	answer->error = (int)code;
	answer->text = (struct span){line->answer, line->used};
	answer->problem[0] = '\0';
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(line->easy, CURLINFO_RESPONSE_CODE,
					&answer->code);
	else
		(void)snprintf(answer->problem, sizeof(answer->problem), "%s",
			       line->problem[0] ? line->problem
						: curl_easy_strerror(code));
}

bool push_wire_next(struct push_wire *wire, struct push_answer *answer)
{
	CURLMsg *message;
	struct line *line;
	int left;

	while ((message = curl_multi_info_read(wire->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
					&line);
		fill_answer(line, message->data.result, answer);
		answer->line = (enum push_line)(line - wire->lines);
		clear_line(wire, line);
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes and reads results, in files and for receivers. */
#include "plugins/nagios/push_result.h"

#include "core/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "thrash-protect-push 1"

/* Lines of what is known, then the details as they are. */
struct span push_result_format(const struct push_result *result,
			       char buffer[PUSH_RESULT_SIZE])
{
	int length = snprintf(
		buffer, PUSH_RESULT_SIZE,
		FIRST_LINE "\n%s %d %s %" PRIu64 "\n%s\n%s\n%s",
		push_checks[result->kind].name, (int)result->status,
		result->is_change ? "change" : "heartbeat", result->time_s,
		result->output, result->metrics, result->details);

	return (struct span){buffer, (size_t)length};
}

static int parse_kind(struct span word, enum push_kind *kind)
{
	for (enum push_kind i = 0; i < PUSH_KINDS; i++)
		if (span_equals(word, push_checks[i].name)) {
			*kind = i;
			return 0;
		}
	return -EINVAL;
}

/* "frozen 2 change 1700000000" */
static int parse_head(struct span line, struct push_result *result)
{
	uint64_t status;
	struct span how;

	if (parse_kind(span_word(&line), &result->kind) ||
	    span_to_u64(span_word(&line), &status) || status > NAGIOS_UNKNOWN)
		return -EINVAL;
	how = span_word(&line);
	result->status = (enum nagios_status)status;
	result->is_change = span_equals(how, "change");
	if (!result->is_change && !span_equals(how, "heartbeat"))
		return -EINVAL;
	return span_to_u64(line, &result->time_s);
}

int push_result_parse(struct span text, struct push_result *result)
{
	memset(result, 0, sizeof(*result));
	if (memchr(text.start, '\0', text.length) ||
	    !span_equals(span_line(&text), FIRST_LINE) ||
	    parse_head(span_line(&text), result) ||
	    span_copy(span_line(&text), result->output,
		      sizeof(result->output)) ||
	    span_copy(span_line(&text), result->metrics,
		      sizeof(result->metrics)) ||
	    span_copy(text, result->details, sizeof(result->details)))
		return -EINVAL;
	return 0;
}

/* How many bytes the character of UTF-8 has that text begins with; 0: none. */
static size_t character_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length = c[0] < 0x80   ? 1
			: c[0] < 0xc2 ? 0
			: c[0] < 0xe0 ? 2
			: c[0] < 0xf0 ? 3
			: c[0] < 0xf5 ? 4
				      : 0;

	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* longer than needed, half of a pair, or too large */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

/* Inside of a JSON string. */
static void print_json(const char *text, FILE *stream)
{
	while (*text) {
		size_t length = character_length(text);

		if (!length)
			(void)fputc('?', stream);
		else if (*text == '"' || *text == '\\')
			(void)fprintf(stream, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			(void)fprintf(stream, "\\u%04x", (unsigned)*text);
		else
			(void)fwrite(text, 1, length, stream);
		text += length ? length : 1;
	}
}

static void print_json_member(const char *name, const char *text, FILE *stream)
{
	(void)fprintf(stream, "\"%s\":\"", name);
	print_json(text, stream);
	(void)fputc('"', stream);
}

/*
 * The receivers take their own time for that of the result, for theirs goes by
 * another clock, so one that is late says so itself.
 */
static void print_output(const struct push_result *result, uint64_t now_s,
			 FILE *stream)
{
	char time[CLOCK_UTC_TEXT];

	print_json(result->output, stream);
	if (now_s < result->time_s + PUSH_LATE_SECONDS)
		return;
	clock_format_utc(result->time_s, time);
	(void)fprintf(stream, " (seen at %s)", time);
}

/* Lines below the output; the last needs no end. */
static void print_details(const char *details, FILE *stream)
{
	char text[PUSH_DETAILS];
	size_t length = strlen(details);

	if (length && details[length - 1] == '\n')
		length--;
	(void)span_copy((struct span){details, length}, text, sizeof(text));
	if (length)
		(void)fprintf(stream, "\\n");
	print_json(text, stream);
}

/* Each metric is a string of its own. */
static void print_metrics(const char *metrics, FILE *stream)
{
	struct span rest = span_of(metrics), word;
	char metric[NAGIOS_METRICS];
	const char *comma = "";

	while ((word = span_word(&rest)).length) {
		(void)span_copy(word, metric, sizeof(metric));
		(void)fprintf(stream, "%s\"", comma);
		print_json(metric, stream);
		(void)fputc('"', stream);
		comma = ",";
	}
}

void push_result_print_icinga2(const struct push_result *result,
			       const struct push_settings *settings,
			       uint64_t now_s, FILE *stream)
{
	(void)fprintf(stream, "{\"type\":\"Service\",\"service\":\"");
	print_json(settings->host, stream);
	(void)fputc('!', stream);
	print_json(settings->services[result->kind].name, stream);
	(void)fprintf(stream,
		      "\",\"exit_status\":%d,\"ttl\":%" PRIu64
		      ",\"plugin_output\":\"",
		      (int)result->status, settings->heartbeat_ms * 3 / 1000);
	print_output(result, now_s, stream);
	print_details(result->details, stream);
	(void)fprintf(stream, "\",\"performance_data\":[");
	print_metrics(result->metrics, stream);
	(void)fprintf(stream, "],");
	print_json_member("check_source", settings->host, stream);
	(void)fputc('}', stream);
}

/* A time is not sent: then some versions do with the result nothing at all. */
static void print_nrdp_json(const struct push_result *result,
			    const struct push_settings *settings,
			    uint64_t now_s, FILE *stream)
{
	(void)fprintf(stream, "{\"checkresults\":[{\"checkresult\":{\"type\":"
			      "\"service\",\"checktype\":\"1\"},");
	print_json_member("hostname", settings->host, stream);
	(void)fputc(',', stream);
	print_json_member("servicename", settings->services[result->kind].name,
			  stream);
	(void)fprintf(stream, ",\"state\":\"%d\",\"output\":\"",
		      (int)result->status);
	print_output(result, now_s, stream);
	if (*result->metrics)
		(void)fprintf(stream, " | ");
	print_json(result->metrics, stream);
	print_details(result->details, stream);
	(void)fprintf(stream, "\"}]}");
}

void push_print_encoded(const char *text, FILE *stream)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.~";

	for (; *text; text++)
		(void)fprintf(stream, strchr(plain, *text) ? "%c" : "%%%02X",
			      (unsigned char)*text);
}

void push_result_print_nrdp(const struct push_result *result,
			    const struct push_settings *settings,
			    uint64_t now_s, FILE *stream)
{
	char *json = NULL;
	size_t size;
	FILE *inner = open_memstream(&json, &size);

	if (!inner)
		return;
	print_nrdp_json(result, settings, now_s, inner);
	(void)fprintf(stream, "token=");
	push_print_encoded(settings->token, stream);
	(void)fprintf(stream, "&cmd=submitcheck&json=");
	if (fclose(inner) == 0)
		push_print_encoded(json, stream);
	free(json);
}

static struct span skip(struct span text, const char *characters)
{
	while (text.length && *text.start && strchr(characters, *text.start))
		text = (struct span){text.start + 1, text.length - 1};
	return text;
}

/* The first '"key": 200', '"key":200.0' or '"key": "200"'. */
static int find_number(struct span text, const char *key, long *number)
{
	const char *found = memmem(text.start, text.length, key, strlen(key));
	struct span rest, digits;
	uint64_t value;

	if (!found)
		return -ENOENT;
	found += strlen(key);
	rest = skip((struct span){found,
				  text.length - (size_t)(found - text.start)},
		    " \t\r\n");
	if (!rest.length || *rest.start != ':')
		return -EINVAL;
	rest = skip(skip(rest, ": \t\r\n"), "\"");
	digits = rest;
	rest = skip(rest, "0123456789");
	digits.length -= rest.length;
	if (span_to_u64(digits, &value) || value > 999)
		return -EINVAL;
	*number = (long)value;
	return 0;
}

/* An error that is about the request: this one, whoever sends it. */
static bool is_refusal(long code)
{
	static const long refusals[] = {400, 404, 409, 410, 413, 422};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (code == refusals[i])
			return true;
	return false;
}

/*
 * One result was sent, so there is one code, which is about this result only
 * (403: its service takes no passive ones), or an error instead.
 */
static enum push_verdict judge_icinga2(long http, struct span answer)
{
	long code;

	if (find_number(answer, "\"code\"", &code) == 0)
		return code / 100 == 2 && http / 100 == 2 ? PUSH_TAKEN
		       : code / 100 == 4                  ? PUSH_REFUSED
							  : PUSH_FAILED;
	return find_number(answer, "\"error\"", &code) == 0 && is_refusal(code)
		       ? PUSH_REFUSED
		       : PUSH_FAILED;
}

/*
 * Whatever is wrong, its answer is 200 and has a status.  Other codes are from
 * the web server, which is perhaps not yet set up, but for 413: too large.
 */
static enum push_verdict judge_nrdp(long http, struct span answer)
{
	long code;

	if (http == 413)
		return PUSH_REFUSED;
	if (http / 100 != 2)
		return PUSH_FAILED;
	return find_number(answer, "\"status\"", &code) == 0 && code == 0
		       ? PUSH_TAKEN
		       : PUSH_FAILED;
}

enum push_verdict push_answer_judge(enum push_receiver receiver, long http,
				    struct span answer)
{
	return receiver == PUSH_ICINGA2 ? judge_icinga2(http, answer)
					: judge_nrdp(http, answer);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings of the push tool, and where their values come from. */
#include "plugins/nagios/push_settings.h"

#include "core/config.h"
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Pressure is a rate: it is looked at now and then, not at every change. */
const struct push_check push_checks[PUSH_KINDS] = {
	[PUSH_FROZEN] = {"frozen", &check_thrash_frozen, true},
	[PUSH_PRESSURE] = {"pressure", &check_thrash_pressure, false},
	[PUSH_MARKER] = {"marker", &check_thrash_marker, true},
};

/* int: enum push_receiver */
static int option_receiver(const struct option_row *row, const char *text,
			   void *field, struct problem *problem)
{
	(void)row;
	if (strcmp(text, "icinga2") == 0)
		*(int *)field = PUSH_ICINGA2;
	else if (strcmp(text, "nrdp") == 0)
		*(int *)field = PUSH_NRDP;
	else
		return problem_set(problem, -EINVAL,
				   "icinga2 or nrdp is expected");
	return 0;
}

/* What comes before any of these characters. */
static struct span before(struct span text, const char *characters)
{
	struct span part = {text.start, 0};

	while (part.length < text.length &&
	       !strchr(characters, text.start[part.length]))
		part.length++;
	return part;
}

int push_url_parse(struct span url, bool *is_safe)
{
	struct span rest = url, scheme, host;
	bool is_encrypted;

	for (size_t i = 0; i < url.length; i++)
		if (url.start[i] <= ' ' || url.start[i] > '~')
			return -EINVAL;
	if (url.length >= PUSH_URL || !span_split(&rest, ':', &scheme) ||
	    rest.length < 3 || memcmp(rest.start, "//", 2) != 0)
		return -EINVAL;
	is_encrypted = span_equals(scheme, "https");
	host = before((struct span){rest.start + 2, rest.length - 2}, "/?#");
	if ((!is_encrypted && !span_equals(scheme, "http")) || !host.length ||
	    memchr(host.start, '@', host.length) ||
	    memchr(host.start, '\\', host.length))
		return -EINVAL;
	host = before(host, ":");
	*is_safe = is_encrypted || span_equals(host, "localhost") ||
		   span_equals(host, "127.0.0.1");
	return 0;
}

static int option_url(const struct option_row *row, const char *text,
		      void *field, struct problem *problem)
{
	bool is_safe;

	if (*text && push_url_parse(span_of(text), &is_safe))
		return problem_set(problem, -EINVAL,
				   "https://HOST[:PORT][/PATH] is expected; "
				   "secrets belong into the credentials file");
	return option_text(row, text, field, problem);
}

#define FIELD(name) .offset = offsetof(struct push_settings, name)
#define ACTION(what)                                            \
	.parse = option_choose, FIELD(action), .value = (what), \
	.is_command = true
#define SECONDS(standard_text, field, least, most)          \
	.argument = "SECONDS", .standard = (standard_text), \
	.parse = option_seconds, FIELD(field), .min = (least), .max = (most)
#define TEXT(what, standard_text, field)                                       \
	.argument = (what), .standard = (standard_text), .parse = option_text, \
	FIELD(field)
#define URL(field) \
	.argument = "URL", .standard = "", .parse = option_url, FIELD(field)

static const struct option_row rows[] = {
	{.name = "help",
	 .letter = 'h',
	 .help = "print this text",
	 ACTION(PUSH_HELP)},
	{.name = "version",
	 .letter = 'V',
	 .help = "print the version",
	 ACTION(PUSH_VERSION)},
	{.name = "check-config",
	 .help = "read the settings, say what is wrong with them, and exit",
	 ACTION(PUSH_CHECK_CONFIG)},
	{.name = "once",
	 .help = "look, send what there is, and exit: with 0 if nothing waits",
	 ACTION(PUSH_ONCE)},
	{.name = "config",
	 .help = "read settings from FILE",
	 TEXT("FILE", PUSH_CONFIG, config),
	 .is_command = true},
	{.name = "run-dir",
	 .help = "of the state file",
	 TEXT("DIR", STATE_RUN_DIR, run_dir)},
	{.name = "receiver",
	 .argument = "KIND",
	 .standard = "icinga2",
	 .help = "icinga2 (its API) or nrdp (of Nagios)",
	 .parse = option_receiver,
	 FIELD(receiver)},
	{.name = "url",
	 .help = "of the receiver: https://HOST:5665 or https://HOST/nrdp/; "
		 "empty: none",
	 URL(url)},
	{.name = "pushgateway",
	 .help = "of a Prometheus Pushgateway; empty: none",
	 URL(pushgateway)},
	{.name = "host",
	 .help = "what the receiver calls this host; empty: its own name",
	 TEXT("NAME", "", host)},
	{.name = "frozen-service",
	 .help = "what the receiver calls the service; empty: not sent",
	 TEXT("NAME", "thrash-protect frozen", services[PUSH_FROZEN].name)},
	{.name = "frozen-options",
	 .help = "as of check_thrash_frozen",
	 TEXT("OPTIONS", "", services[PUSH_FROZEN].options)},
	{.name = "pressure-service",
	 .help = "likewise",
	 TEXT("NAME", "thrash-protect pressure", services[PUSH_PRESSURE].name)},
	{.name = "pressure-options",
	 .help = "as of check_thrash_pressure",
	 TEXT("OPTIONS", "", services[PUSH_PRESSURE].options)},
	{.name = "marker-service",
	 .help = "likewise",
	 TEXT("NAME", "", services[PUSH_MARKER].name)},
	{.name = "marker-options",
	 .help = "as of check_thrash_marker",
	 TEXT("OPTIONS", "", services[PUSH_MARKER].options)},
	{.name = "credentials",
	 .help = "a file of mode 0600 with user and password, or token",
	 TEXT("FILE", "", credentials)},
	{.name = "ca",
	 .help = "trust the authorities in FILE; empty: those of the system",
	 TEXT("FILE", "", ca)},
	{.name = "certificate",
	 .help = "to be known by, instead of user and password",
	 TEXT("FILE", "", certificate)},
	{.name = "key",
	 .help = "of the certificate, of mode 0600",
	 TEXT("FILE", "", key)},
	{.name = "proxy",
	 .help = "for all that is sent; empty: none, whatever the environment "
		 "says",
	 URL(proxy)},
	{.name = "heartbeat",
	 .help = "send at least this often",
	 SECONDS("60", heartbeat_ms, 1000, 86400000)},
	{.name = "poll",
	 .help = "look at least this often",
	 SECONDS("10", poll_ms, 100, 3600000)},
	{.name = "interval",
	 .help = "look at most this often, however often the state changes",
	 SECONDS("1", interval_ms, 0, 60000)},
	{.name = "connect-timeout",
	 .help = "for a connection",
	 SECONDS("5", connect_timeout_ms, 100, 60000)},
	{.name = "timeout",
	 .help = "for all of a request",
	 SECONDS("15", timeout_ms, 100, 600000)},
	{.name = "retry",
	 .help = "wait this long after a failure, twice as long after the "
		 "next, and so on",
	 SECONDS("1", retry_ms, 10, 3600000)},
	{.name = "retry-max",
	 .help = "but never longer than this",
	 SECONDS("300", retry_max_ms, 10, 86400000)},
	{.name = "spool",
	 .help = "keep what waits here",
	 TEXT("DIR", PUSH_SPOOL, spool)},
	{.name = "queue-results",
	 .argument = "NUMBER",
	 .standard = "1000",
	 .help = "of these at most; then the oldest of a service goes",
	 .parse = option_number,
	 FIELD(queue_results),
	 .min = 10,
	 .max = 100000},
	{.name = "queue-bytes",
	 .argument = "BYTES",
	 .standard = "4194304",
	 .help = "and this many bytes",
	 .parse = option_number,
	 FIELD(queue_bytes),
	 .min = 65536,
	 .max = 1073741824},
	{.name = "debug",
	 .help = "log more",
	 .parse = option_flag,
	 FIELD(is_debug)},
};

const struct option_table push_settings_table = {rows,
						 sizeof(rows) / sizeof(*rows)};

static int set_line(void *target, const struct config_line *line,
		    struct problem *problem)
{
	return options_set_named(&push_settings_table, line->name, line->value,
				 line->place, target, problem);
}

int push_settings_parse(struct push_settings *settings, char *text,
			size_t length, const char *name,
			struct problem *problem)
{
	static const struct config_form form = {"[thrash-protect-push]",
						set_line, NULL};

	return config_parse(text, length, name, &form, settings, problem);
}

/* Who can change where secrets are sent to can have them. */
static int load_file(struct push_settings *settings, const char *path,
		     bool must_exist, struct problem *problem)
{
	struct span text;
	int error = config_read(path, true, settings->file_text,
				sizeof(settings->file_text), &text, problem);

	if (error == -ENOENT && !must_exist)
		return 0;
	return error ? error
		     : push_settings_parse(settings, settings->file_text,
					   text.length, path, problem);
}

/* A secret that others may have read is none. */
static int check_private(int file, const char *path, struct problem *problem)
{
	struct stat status;

	if (fstat(file, &status) != 0)
		return problem_set(problem, -errno, "%s: %s", path,
				   strerror(errno));
	if (status.st_uid != geteuid() || (status.st_mode & 0177))
		return problem_set(problem, -EPERM,
				   "%s: must belong to user %u and have mode "
				   "0600, for it holds secrets",
				   path, (unsigned)geteuid());
	return 0;
}

static int read_private(const char *path, char *buffer, size_t size,
			struct span *text, struct problem *problem)
{
	int file = file_open_at(AT_FDCWD, path);
	int error;

	if (file < 0)
		return problem_set(problem, file, "%s: %s", path,
				   file == -EINVAL ? "it is not a file"
						   : strerror(-file));
	error = check_private(file, path, problem);
	if (!error && buffer) {
		error = file_read(file, buffer, size, text);
		if (error)
			(void)problem_set(problem, error, "%s: %s", path,
					  strerror(-error));
	}
	(void)close(file);
	return error;
}

#define SECRET(secret_name, field)                                           \
	{                                                                    \
		.name = (secret_name), .argument = "", .parse = option_text, \
		FIELD(field)                                                 \
	}

/* Unlike settings these have no options, so that no list of processes, no
 * environment and no --help shows them. */
static const struct option_row secret_rows[] = {
	SECRET("user", user),
	SECRET("password", password),
	SECRET("token", token),
};

/* What stands where a name should be may be a secret as well. */
static int set_secret(void *target, const struct config_line *line,
		      struct problem *problem)
{
	static const struct option_table table = {
		secret_rows, sizeof(secret_rows) / sizeof(*secret_rows)};

	if (!options_find(&table, line->name))
		return problem_set(problem, -EINVAL,
				   "%s: user, password or token is expected",
				   line->place);
	return options_set_named(&table, line->name, line->value, line->place,
				 target, problem);
}

int push_secrets_parse(struct push_settings *settings, char *text,
		       size_t length, const char *name, struct problem *problem)
{
	static const struct config_form form = {"[credentials]", set_secret,
						NULL};

	return config_parse(text, length, name, &form, settings, problem);
}

static int load_secrets(struct push_settings *settings, struct problem *problem)
{
	const char *path = settings->credentials;
	struct span text = {"", 0};
	int error;

	if (!*path)
		return 0;
	error = read_private(path, settings->secrets, sizeof(settings->secrets),
			     &text, problem);
	return error ? error
		     : push_secrets_parse(settings, settings->secrets,
					  text.length, path, problem);
}

/* Makes a command line of the options, after what all checks are told. */
static int load_service(struct push_settings *settings, enum push_kind kind,
			struct problem *problem)
{
	struct push_service *service = &settings->services[kind];
	const char *program = push_checks[kind].check->program;
	char *argv[PUSH_WORDS + 1] = {(char *)(uintptr_t)program, NULL};
	int argc = 1;
	struct problem why;
	char *word, *rest;

	if (strlen(service->options) >= sizeof(service->words))
		return problem_set(problem, -E2BIG, "%s-options are too long",
				   push_checks[kind].name);
	(void)snprintf(service->words, sizeof(service->words), "%s",
		       service->options);
	for (word = strtok_r(service->words, " \t", &rest);
	     word && argc < PUSH_WORDS; word = strtok_r(NULL, " \t", &rest))
		argv[argc++] = word;
	if (word || nagios_set(push_checks[kind].check, argc, argv,
			       &service->check, &why))
		return problem_set(problem, -EINVAL, "%s-options: %s",
				   push_checks[kind].name,
				   word ? "too many words" : why.text);
	if (service->check.common.command)
		return problem_set(problem, -EINVAL,
				   "%s-options: that makes no result",
				   push_checks[kind].name);
	service->check.common.run_dir = settings->run_dir;
	return 0;
}

static bool has_secret(const struct push_settings *settings)
{
	return settings->receiver == PUSH_NRDP
		       ? settings->token != NULL
		       : (settings->user && settings->password) ||
				 *settings->certificate;
}

static bool is_encrypted(const char *url)
{
	return strncmp(url, "https:", strlen("https:")) == 0;
}

/* What only all settings together can tell. */
static int check_whole(const struct push_settings *settings,
		       struct problem *problem)
{
	bool is_safe = true;

	if (!*settings->url && !*settings->pushgateway)
		return problem_set(problem, -EINVAL, "url is not set");
	if (settings->receiver == PUSH_ICINGA2 && strchr(settings->host, '!'))
		return problem_set(problem, -EINVAL,
				   "host: Icinga's names have no !");
	if (*settings->pushgateway && strchr(settings->host, '/'))
		return problem_set(problem, -EINVAL,
				   "host: a Pushgateway takes none with a /");
	if (!*settings->url)
		return 0;
	if (!has_secret(settings))
		return problem_set(
			problem, -EINVAL,
			settings->receiver == PUSH_NRDP
				? "nrdp needs credentials with a token"
				: "icinga2 needs credentials with user and "
				  "password, or a certificate");
	(void)push_url_parse(span_of(settings->url), &is_safe);
	/* what a proxy is sent leaves this host, and localhost is its own */
	if (!is_safe || (*settings->proxy && !is_encrypted(settings->url)))
		return problem_set(problem, -EINVAL,
				   "url: secrets are sent by https only");
	return *settings->key
		       ? read_private(settings->key, NULL, 0, NULL, problem)
		       : 0;
}

static int load_all(struct push_settings *settings, int argc, char **argv,
		    bool must_exist, struct problem *problem)
{
	const char *run_dir = getenv("THRASH_PROTECT_RUN_DIR");
	const char *config = settings->config;
	int error;

	options_default(&push_settings_table, settings);
	settings->action = PUSH_RUN;
	error = load_file(settings, config, must_exist, problem);
	if (run_dir && *run_dir)
		settings->run_dir = run_dir;
	if (!error)
		error = options_parse(&push_settings_table, argc, argv,
				      settings, problem);
	if (!error)
		error = load_secrets(settings, problem);
	for (enum push_kind kind = 0; !error && kind < PUSH_KINDS; kind++)
		error = load_service(settings, kind, problem);
	if (!error)
		error = check_whole(settings, problem);
	return error;
}

int push_settings_load(struct push_settings *settings, int argc, char **argv,
		       struct problem *problem)
{
	int error;
	bool has_config;

	memset(settings, 0, offsetof(struct push_settings, file_text));
	error = options_parse(&push_settings_table, argc, argv, settings,
			      problem);
	if (error || settings->action == PUSH_HELP ||
	    settings->action == PUSH_VERSION)
		return error; /* asked for when nothing else works */
	has_config = settings->config;
	if (!has_config)
		settings->config = PUSH_CONFIG;
	error = load_all(settings, argc, argv, has_config, problem);
	if (!error && !*settings->host) {
		(void)gethostname(settings->host_name,
				  sizeof(settings->host_name) - 1);
		settings->host = settings->host_name;
	}
	return error;
}

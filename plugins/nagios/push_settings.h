/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an administrator can set of the push tool, from one table, and the
 * secrets, which are in a file of their own.  The command line wins over the
 * configuration file, and that over the defaults.
 */
#ifndef THRASH_NAGIOS_PUSH_SETTINGS_H
#define THRASH_NAGIOS_PUSH_SETTINGS_H

#include "plugins/nagios/nagios.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define PUSH_CONFIG SYSCONFDIR "/thrash-protect-push.conf"
#define PUSH_SPOOL "/var/spool/thrash-protect-push"

enum push_action {
	PUSH_RUN,
	PUSH_HELP,
	PUSH_VERSION,
	PUSH_CHECK_CONFIG,
	PUSH_ONCE,
};

enum push_receiver {
	PUSH_ICINGA2,
	PUSH_NRDP,
};

/* What can be sent. */
enum push_kind {
	PUSH_FROZEN,
	PUSH_PRESSURE,
	PUSH_MARKER,
	PUSH_KINDS,
};

/* The check, and whether a new state alone is a reason to look. */
struct push_check {
	const char *name; /* in the queue */
	const struct nagios_check *check;
	bool is_by_event;
};

extern const struct push_check push_checks[PUSH_KINDS];

enum {
	PUSH_WORDS = 32,
	PUSH_WORDS_SIZE = 512,
	PUSH_FILE_SIZE = 16384,
	PUSH_SECRETS_SIZE = 4096,
	PUSH_URL = 512,
};

/* A check as it is to be made, and the service that it is for. */
struct push_service {
	const char *name;    /* at the receiver; empty: it is not sent */
	const char *options; /* as on the command line of the check */
	union nagios_settings check;
	char words[PUSH_WORDS_SIZE]; /* the options, cut */
};

struct push_settings {
	int action;   /* enum push_action */
	int receiver; /* enum push_receiver */
	bool is_debug;
	const char *config;
	const char *run_dir;
	const char *url; /* as given; empty: none */
	const char *pushgateway;
	const char *host;
	const char *credentials; /* files; empty: none */
	const char *ca;
	const char *certificate;
	const char *key;
	const char *proxy;
	const char *spool;
	uint64_t heartbeat_ms;
	uint64_t poll_ms;
	uint64_t interval_ms;
	uint64_t connect_timeout_ms;
	uint64_t timeout_ms;
	uint64_t retry_ms;
	uint64_t retry_max_ms;
	uint64_t queue_results;
	uint64_t queue_bytes;
	struct push_service services[PUSH_KINDS];

	/* from the file of credentials; NULL: not given */
	const char *user, *password, *token;
	char host_name[256];
	char file_text[PUSH_FILE_SIZE]; /* cut into values in place */
	char secrets[PUSH_SECRETS_SIZE];
};

extern const struct option_table push_settings_table;

/*
 * Fills *settings; argv must outlive it.  -EINVAL, or what opening a file
 * gave, with one line in *problem.
 */
int push_settings_load(struct push_settings *settings, int argc, char **argv,
		       struct problem *problem);

/* Reads the text of a configuration file, which is cut into values. */
int push_settings_parse(struct push_settings *settings, char *text,
			size_t length, const char *name,
			struct problem *problem);

/* Likewise of the file of credentials; no message repeats what is in there. */
int push_secrets_parse(struct push_settings *settings, char *text,
		       size_t length, const char *name,
		       struct problem *problem);

/*
 * -EINVAL for anything but http:// and https:// with a host, and without
 * white space or a user in it.  *is_safe: what is sent there is encrypted, or
 * does not leave this host.
 */
int push_url_parse(struct span url, bool *is_safe);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the Munin plugins have in common.  A plugin is one list of fields, one
 * graph and one function that fetches the values; munin_main() speaks the
 * protocol.  Nothing is kept between two runs: Munin works out the rates.
 *
 * What the daemon's history has of the time before is sent along, one value
 * for each five minutes, as EPOCH:VALUE.  The master takes what is younger than
 * what it has and passes over the rest, so that there are no holes where it
 * could not ask.  Where no daemon was, there is nothing to be sent.
 *
 * Munin compares limits with the values as they are sent, whatever is done to
 * them for drawing.  So they are sent in the unit that the graph shows.
 */
#ifndef THRASH_MUNIN_MUNIN_H
#define THRASH_MUNIN_MUNIN_H

#include "core/history.h"
#include "core/problem.h"
#include "core/state.h"
#include "core/vmstat.h"

enum { MUNIN_FIELDS = 8, MUNIN_EXTINFO = 512 };

struct munin_field {
	const char *name; /* [A-Za-z_][A-Za-z0-9_]* */
	const char *info;
	const char *label;
	const char *type;     /* "DERIVE" of a counter, or "GAUGE" */
	const char *negative; /* the field that is drawn below this one */
	bool is_hidden;       /* drawn only as the negative of another */
	bool is_optional;     /* left out where the host does not have it */
	bool is_thousandths;  /* fetched in ms, sent in seconds */
};

enum munin_presence { MUNIN_UNKNOWN, MUNIN_KNOWN, MUNIN_ABSENT };

struct munin_value {
	enum munin_presence presence;
	uint64_t number;
	char extinfo[MUNIN_EXTINFO]; /* alerts show it; "" for nothing */
};

struct munin_host {
	const char *run_dir;
	int proc; /* directory descriptor, owned by munin_main() */
};

struct munin_graph {
	const char *title, *args, *vlabel, *category, *info;
	bool is_unscaled; /* 0.05, not 50m */
	const struct munin_field *fields;
	size_t count;
	/*
	 * All values are unknown before.  If some stay so, *problem may say
	 * why.  -errno, with *problem, when there is nothing to be had.
	 */
	int (*fetch)(const struct munin_host *host, struct munin_value *values,
		     struct problem *problem);
	/* What the history knows of these values; as fetch.  NULL: nothing. */
	void (*recall)(const struct history_record *record,
		       const struct sample *sample, struct munin_value *values);
	/* 0 if the plugin is of use on this host; NULL: if it can fetch */
	int (*autoconf)(const struct munin_host *host, struct problem *problem);
};

/* The whole plugin; returns its exit code. */
int munin_main(int argc, char **argv, const struct munin_graph *graph);

/* A number, or that the host does not have it. */
void munin_put(struct munin_value *value, bool has, uint64_t number);

/*
 * Replaces, in place, what is more than a plain word: names of processes are
 * chosen by anybody, and go through Munin's files, pages and mails.
 */
void munin_make_word(char *text);

int munin_read_vmstat(const struct munin_host *host, struct vmstat *vmstat,
		      struct problem *problem);

/* The state of a daemon that is there: no number of a dead one gets out. */
int munin_read_state(const struct munin_host *host, struct state *state,
		     struct problem *problem);

/* Whether that error only means that no daemon is running. */
bool munin_is_absence(int error);

/* 0 where a daemon publishes its state, or could. */
int munin_find_state(const struct munin_host *host, struct problem *problem);

/*
 * A plugin lists its fields once,
 *
 *	#define FIELDS(FIELD) FIELD(INDEX, "name", "meaning", .label = ...) ...
 *
 * and MUNIN_PLUGIN() makes of it the indexes, the table munin_fields and the
 * documentation in the program file, which munindoc shows and where
 * munin-node-configure finds the magic markers.
 *
 * Linkers put notes first and never drop them.  Anywhere behind code, chance
 * bytes would pass for documentation, too (seen in each of eight builds).
 */
#define MUNIN_PLUGIN(plugin, graphs, systems, meaning, FIELDS)                \
	enum { FIELDS(MUNIN_INDEX) MUNIN_COUNT };                             \
	_Static_assert((int)MUNIN_COUNT <= (int)MUNIN_FIELDS, "too many");    \
	static const struct munin_field munin_fields[] = {FIELDS(MUNIN_ROW)}; \
	MUNIN_NOTE(MUNIN_DOCUMENT(plugin, graphs, systems, meaning, FIELDS))

/* As elf(5) has it: sizes, a type, who wrote it, what. */
#define MUNIN_NOTE(document)                                                \
	__attribute__((used, section(".note.munin"))) static const struct { \
		uint32_t author_bytes, text_bytes, type;                    \
		char author[16];                                            \
		char text[sizeof(document)];                                \
	} munin_note = {16, sizeof(document), 1, "thrash-protect", document}

/* clang-format off */
#define MUNIN_INDEX(index, ...) index,
#define MUNIN_ROW(index, field, meaning, ...) \
	[index] = {.name = field, .info = meaning, __VA_ARGS__},
#define MUNIN_ITEM(index, field, meaning, ...) \
	"=item C<" field ">\n\n" meaning "\n\n"
#define MUNIN_TEXT(head, text) head "\n\n" text "\n\n"

#define MUNIN_DOCUMENT(plugin, graphs, systems, meaning, FIELDS)	\
	MUNIN_TEXT("\n\n=encoding utf8\n\n=head1 NAME",			\
		plugin " - graphs " graphs)				\
	MUNIN_TEXT("=head1 APPLICABLE SYSTEMS", systems)		\
	MUNIN_TEXT("=head1 CONFIGURATION",				\
		"None is needed. A file of plugin-conf.d may have, "	\
		"under [" plugin "]:\n\n=over")				\
	MUNIN_TEXT("=item C<env.FIELD_warning>, C<env.FIELD_critical>",	\
		"The limits of one field, in the unit of the graph: "	\
		"C<MAX>, C<MIN:>, C<:MAX> or C<MIN:MAX>.")		\
	MUNIN_TEXT("=item C<env.warning>, C<env.critical>",		\
		"The limits of all fields that have none of their own.")\
	MUNIN_TEXT("=item C<env.THRASH_PROTECT_RUN_DIR>",		\
		"Where thrash-protect publishes its state, by default "	\
		STATE_RUN_DIR ".")					\
	MUNIN_TEXT("=item C<env.THRASH_PROTECT_PROC>",			\
		"Where the proc file system is, by default /proc.")	\
	MUNIN_TEXT("=item C<env.backfill>",				\
		"For how many seconds before this one values are sent "	\
		"again, for a master that could not ask for them: up "	\
		"to 604800, by default 3600. With 0 there are none. "	\
		"They carry the time of this host's clock, which the "	\
		"master must share. thrash-protect has them while it "	\
		"runs.")						\
	MUNIN_TEXT("=back\n\n=head1 INTERPRETATION", meaning)		\
	MUNIN_TEXT("=over", FIELDS(MUNIN_ITEM) "=back")			\
	MUNIN_TEXT("=head1 MAGIC MARKERS",				\
		" #%# family=auto\n #%# capabilities=autoconf")		\
	MUNIN_TEXT("=head1 BUGS", "None known.")			\
	MUNIN_TEXT("=head1 AUTHOR", "The thrash-protect developers")	\
	MUNIN_TEXT("=head1 LICENSE",					\
		"GPLv3+: the GNU General Public License, version 3 or "	\
		"any later version.\n\n=cut")
/* clang-format on */

#endif

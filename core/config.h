/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration files: one section, and in it lines of "name = value" or
 * "name: value".  Lines that begin with # or ; are comments.
 */
#ifndef THRASH_CORE_CONFIG_H
#define THRASH_CORE_CONFIG_H

#include "core/problem.h"
#include "core/text.h"

struct config_line {
	struct span name;
	const char *value; /* terminated; it lies in the text of the file */
	unsigned number;
	const char *place; /* "/etc/thrash-protect.conf:3", for messages */
};

/* Takes one setting; 0, or -EINVAL with *problem saying what is wrong. */
typedef int config_setter(void *target, const struct config_line *line,
			  struct problem *problem);

/* Looks at an error of a line: 0 to go on with the next one, or the error. */
typedef int config_forgiver(void *target, int error,
			    const struct problem *problem);

/* What is in a file, and who takes it. */
struct config_form {
	const char *section; /* "[thrash-protect]" */
	config_setter *set;
	config_forgiver *forgive; /* NULL: nothing is forgiven */
};

/*
 * Hands every line of the section to form->set.  text must end in a NUL and is
 * cut into values; file is its name, for messages.
 */
int config_parse(char *text, size_t length, const char *file,
		 const struct config_form *form, void *target,
		 struct problem *problem);

/*
 * Reads a file, which, unlike our own, may be a link; -errno with *problem
 * saying which file: -EPERM for one that must be trusted and that others than
 * root and we can write.
 */
int config_read(const char *path, bool must_be_trusted, char *buffer,
		size_t size, struct span *text, struct problem *problem);

#endif

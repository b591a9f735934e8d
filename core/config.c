/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads configuration files line by line. */
#include "core/config.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* text is where line lies: a NUL is put behind the value. */
static int split_line(char *text, struct span rest, struct config_line *line,
		      struct problem *problem)
{
	const char *equals = memchr(rest.start, '=', rest.length);
	const char *colon = memchr(rest.start, ':', rest.length);
	char sign = colon && (!equals || colon < equals) ? ':' : '=';

	if (!span_split(&rest, sign, &line->name))
		return problem_set(problem, -EINVAL,
				   "%s: 'name = value' is expected",
				   line->place);
	line->name = span_trim(line->name);
	rest = span_trim(rest);
	text[rest.start - text + (ptrdiff_t)rest.length] = '\0';
	line->value = rest.start;
	return 0;
}

int config_parse(char *text, size_t length, const char *file,
		 const struct config_form *form, void *target,
		 struct problem *problem)
{
	struct span rest = {text, length};
	bool is_inside = false;
	unsigned number = 0;

	while (rest.length) {
		struct span span = span_line(&rest);
		char place[128];
		struct config_line line = {.place = place};
		int error = 0;

		line.number = ++number;
		(void)snprintf(place, sizeof(place), "%s:%u", file, number);
		if (span.length && span.start[span.length - 1] == '\r')
			span.length--;
		span = span_trim(span);
		if (!span.length || span.start[0] == '#' ||
		    span.start[0] == ';')
			continue;
		if (memchr(span.start, '\0', span.length))
			error = problem_set(problem, -EINVAL,
					    "%s: there is a NUL", place);
		else if (span.start[0] == '[')
			is_inside = span_equals(span, form->section);
		else if (is_inside)
			error = split_line(text, span, &line, problem);
		if (!is_inside && !error)
			error = problem_set(problem, -EINVAL,
					    "%s: section %s is expected", place,
					    form->section);
		if (line.value && !error)
			error = form->set(target, &line, problem);
		if (error && form->forgive)
			error = form->forgive(target, error, problem);
		if (error)
			return error;
	}
	return 0;
}

/* Only what is a file can be written in advance. */
static bool is_doubtful(int file)
{
	struct stat status;
	uid_t owner = 0;

	return fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
	       !file_is_trusted(file, &owner);
}

int config_read(const char *path, bool must_be_trusted, char *buffer,
		size_t size, struct span *text, struct problem *problem)
{
	int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int error = 0;

	if (file < 0)
		return problem_set(problem, -errno, "%s: %s", path,
				   strerror(errno));
	if (must_be_trusted && is_doubtful(file))
		error = problem_set(problem, -EPERM,
				    "%s: others than root and user %u can "
				    "write it",
				    path, (unsigned)geteuid());
	else if ((error = file_read(file, buffer, size, text)) != 0)
		(void)problem_set(problem, error, "%s: %s", path,
				  strerror(-error));
	(void)close(file);
	return error;
}

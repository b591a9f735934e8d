/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps one line about what is wrong. */
#include "core/problem.h"

#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>

int problem_set(struct problem *problem, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	text_make_line(problem->text);
	return error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the reading of "name value" lines. */
#include "core/counters.h"

#include "tests/scratch.h"

struct target {
	uint64_t first, second;
};

static const struct counter_row two_rows[] = {
	{"first", offsetof(struct target, first)},
	{"second", offsetof(struct target, second)},
};

static int parse(struct span text, struct target *target, uint32_t *found)
{
	return counters_parse(text, two_rows, COUNT(two_rows), target, found);
}

static void test_wanted(void)
{
	struct target target = {77, 88};
	uint32_t found = 99;

	is_int(parse(SPAN("other 5\nsecond 2\n\nfirst_too 9\nfirst 1"), &target,
		     &found),
	       0, "wanted counters are found among others");
	is_int((int64_t)target.first, 1, "one at the end without a newline");
	is_int((int64_t)target.second, 2, "one between the others");
	is_int(found, 3, "a bit says which rows were there");

	is_int(parse(SPAN("second 18446744073709551615\n"), &target, &found), 0,
	       "one counter may be missing");
	is_int(found, 2, "and has no bit");
	ok(target.second == UINT64_MAX, "the largest counter is taken");
	is_int((int64_t)target.first, 1, "what is missing is left alone");

	is_int(parse((struct span){NULL, 0}, &target, &found), 0,
	       "nothing holds no counter");
	is_int(found, 0, "and nothing was found in it");
}

static const struct {
	struct span text;
	int error;
	const char *name;
} texts[] = {
	{BYTES("first x\n"), -EINVAL, "a value must be a number"},
	{BYTES("first -1\n"), -EINVAL, "a negative value is refused"},
	{BYTES("first\n"), -EINVAL, "a value that is missing is refused"},
	{BYTES("first "), -EINVAL, "an empty value is refused"},
	{BYTES("first 1 2\n"), -EINVAL, "a second value is refused"},
	{BYTES("first 1\r\n"), -EINVAL, "a carriage return is refused"},
	{BYTES("first 1\0\n"), -EINVAL, "a NUL byte in a value is refused"},
	{BYTES("first 1\nfirst 1\n"), -EINVAL,
	 "a name that comes twice is refused"},
	{BYTES("first 0\nfirst 0\n"), -EINVAL,
	 "a name that comes twice is refused even for nothing"},
	{BYTES("first 18446744073709551616\n"), -ERANGE,
	 "a value above the largest is out of range"},
	{BYTES("other x\nother\n-1\nother x\n"), 0,
	 "other lines may be of any form and come twice"},
	{BYTES("firs 1\nfirst\0 x\nFIRST x\nfirst: x\n"), 0,
	 "a name that is only like a wanted one is another"},
	{BYTES("\n\n\n"), 0, "empty lines do no harm"},
};

/* A row has one bit of 32. */
static void test_many_rows(void)
{
	struct counter_row rows[32];
	struct target target = {0, 0};
	uint32_t found;

	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = (struct counter_row){"other", 0};
	rows[31] = two_rows[1];
	is_int(counters_parse(SPAN("second 5\n"), rows, COUNT(rows), &target,
			      &found),
	       0, "32 rows can be wanted");
	ok(found == UINT32_C(1) << 31, "the last of them has the last bit");
	is_int((int64_t)target.second, 5, "and its value is taken");
}

int main(void)
{
	test_wanted();
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct target target;
		uint32_t found;

		is_int(parse(texts[i].text, &target, &found), texts[i].error,
		       "%s", texts[i].name);
	}
	test_many_rows();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests pressure stall information. */
#include "core/pressure.h"

#include "tests/scratch.h"

#define SOME "some avg10=0.13 avg60=0.34 avg300=0.22 total=8823736\n"
#define FULL "full avg10=0.00 avg60=99.99 avg300=100.00 total=42\n"

static const struct {
	struct span text;
	const char *name;
} refused[] = {
	{BYTES(""), "nothing is refused"},
	{BYTES(SOME), "a text without a full line is refused"},
	{BYTES(FULL SOME), "the lines in another order are refused"},
	{BYTES(SOME SOME), "two some lines are refused"},
	{BYTES(SOME FULL "\n"), "an empty line after them is refused"},
	{BYTES(SOME FULL FULL), "a third line is refused"},
	{BYTES("\n" SOME FULL), "an empty line before them is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22\n" FULL),
	 "a missing total is not taken from the next line"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 total=\n" FULL),
	 "an empty total is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 total=-1\n" FULL),
	 "a negative total is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 total=1.5\n" FULL),
	 "a total with a fraction is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 "
	       "total=18446744073709551616\n" FULL),
	 "a total above the largest number is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 total=1 total=1\n" FULL),
	 "a second total is refused"},
	{BYTES("some avg10=0.13 avg60=0.34 avg300=0.22 total=1\0\n" FULL),
	 "a NUL byte is refused"},
	{BYTES("some avg10= avg60=0.34 avg300=0.22 total=1\n" FULL),
	 "an empty average is refused"},
	{BYTES("some avg10=0,13 avg60=0.34 avg300=0.22 total=1\n" FULL),
	 "an average with a comma is refused"},
	{BYTES("some avg10=nan avg60=0.34 avg300=0.22 total=1\n" FULL),
	 "an average that is no number is refused"},
	{BYTES("some avg60=0.34 avg10=0.13 avg300=0.22 total=1\n" FULL),
	 "averages in another order are refused"},
	{BYTES("some avg10 avg60=0.34 avg300=0.22 total=1\n" FULL),
	 "an average without a value is refused"},
	{BYTES("somewhat avg10=0.13 avg60=0.34 avg300=0.22 total=1\n" FULL),
	 "a longer word than some is refused"},
};

static void test_accepted(void)
{
	struct pressure pressure = {0, 0};

	is_int(pressure_parse(SPAN(SOME FULL), &pressure), 0,
	       "a pressure file is read");
	is_int((int64_t)pressure.some_us, 8823736, "with the total of some");
	is_int((int64_t)pressure.full_us, 42, "with the total of full");

	is_int(pressure_parse(SPAN("some avg10=0.00 avg60=0.00 avg300=0.00 "
				   "total=18446744073709551615\n"
				   "full avg10=0.00 avg60=0.00 avg300=0.00 "
				   "total=0"),
			      &pressure),
	       0, "the last line needs no newline");
	ok(pressure.some_us == UINT64_MAX && pressure.full_us == 0,
	   "totals may be the largest number and 0");
}

int main(void)
{
	struct pressure pressure;

	test_accepted();
	for (size_t i = 0; i < COUNT(refused); i++)
		is_int(pressure_parse(refused[i].text, &pressure), -EINVAL,
		       "%s", refused[i].name);
	is_int(pressure_parse((struct span){NULL, 0}, &pressure), -EINVAL,
	       "a span without memory is refused");
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests samples: taken from trees of several kernels, written and read. */
#include "core/sample.h"

#include "core/file.h"
#include "tests/scratch.h"

/* What each tree says, as a line of a recording. */
static const struct {
	const char *tree, *line, *name;
} trees[] = {
	{"calm",
	 "sample 5 1200 5400 1888 950 233139 1834924 1623410 9536068 8694612 "
	 "0 0 1194196 0 1261045",
	 "a host at rest is sampled"},
	{"thrashing",
	 "sample 5 20715301 24310977 5310442 19904417 3233139 988341870 "
	 "511203374 1512667012 1299034511 88123004 88123004 8312 0 75161",
	 "a host that thrashes is sampled"},
	{"no_pressure",
	 "sample 5 1200 5400 1888 950 233139 - - - - - - 1193028 - 1259877",
	 "a kernel without pressure information is sampled"},
	{"dead_pressure",
	 "sample 5 1300 5500 1999 951 233140 - - - - - - 1193028 - 1259877",
	 "pressure files that cannot be read count as absent"},
	{"linux_4_4",
	 "sample 5 30411 42113 61230 - 71013 - - - - - - 412211 - 771385",
	 "a 4.4 kernel is sampled"},
	{"odd_names",
	 "sample 5 1200 5400 1888 950 233139 1834924 1623410 9536068 8694612 "
	 "- - 1193028 - 1259877",
	 "names of processes do not matter to a sample"},
};

static void test_trees(void)
{
	for (size_t i = 0; i < COUNT(trees); i++) {
		struct sample sample;
		char path[64], line[SAMPLE_LINE];
		int proc, error;

		(void)snprintf(path, sizeof(path), "tests/proc/%s",
			       trees[i].tree);
		proc = need(directory_open(path),
			    "tests/proc (start this at the top of the tree)");
		memset(&sample, 0xff, sizeof(sample));
		error = sample_read(proc, 5, &sample);
		sample_format(&sample, line);
		is_text(error ? strerror(-error) : line, trees[i].line, "%s",
			trees[i].name);
		(void)close(proc);
	}
}

static const char vmstat_text[] = "pswpin 1\npswpout 2\npgmajfault 3\n";
static const char pressure_text[] =
	"some avg10=0.00 avg60=0.00 avg300=0.00 total=44\n"
	"full avg10=0.00 avg60=0.00 avg300=0.00 total=33\n";

static void put(int proc, const char *name, const char *text)
{
	scratch_write(proc, name, text, strlen(text), 0600);
}

static void test_errors(int proc)
{
	struct sampler sampler;
	struct sample sample;

	is_int(sampler_open(&sampler, proc), -ENOENT,
	       "nothing is sampled without a vmstat");
	is_int(sample_read(proc, 5, &sample), -ENOENT, "at one look neither");
	put(proc, "vmstat", "pswpin 1\n");
	is_int(sample_read(proc, 5, &sample), -EINVAL,
	       "a malformed vmstat is an error");
	put(proc, "vmstat", vmstat_text);
	is_int(sample_read(proc, 5, &sample), 0, "a vmstat is enough");
	ok(!sample.has_memory && !sample.has_io,
	   "and then there is no pressure information");

	need(mkdirat(proc, "pressure", 0700), "pressure");
	put(proc, "pressure/io", pressure_text);
	is_int(sample_read(proc, 5, &sample), 0,
	       "one pressure file may be missing");
	ok(!sample.has_memory && sample.has_io && sample.io.some_us == 44 &&
		   sample.io.full_us == 33,
	   "and the other one is taken");
	put(proc, "pressure/memory", "");
	is_int(sample_read(proc, 5, &sample), -EINVAL,
	       "an empty pressure file is malformed");
	put(proc, "pressure/memory", "some 1\nfull 2\n");
	is_int(sample_read(proc, 5, &sample), -EINVAL,
	       "a malformed memory pressure is an error");
	put(proc, "pressure/memory", pressure_text);
	put(proc, "pressure/io", "some 1\nfull 2\n");
	is_int(sample_read(proc, 5, &sample), -EINVAL,
	       "a malformed io pressure is an error");
	put(proc, "pressure/io", pressure_text);
	is_int(sample_read(proc, 5, &sample), 0, "with all three it is well");
}

/* What is not a file, or hidden, is as good as absent. */
static void test_not_files(int proc)
{
	struct sample sample;

	(void)unlinkat(proc, "pressure/memory", 0);
	(void)unlinkat(proc, "pressure/io", 0);
	need(mkdirat(proc, "pressure/memory", 0700), "pressure/memory");
	need(mkfifoat(proc, "pressure/io", 0600), "pressure/io");
	is_int(sample_read(proc, 5, &sample), 0,
	       "a directory and a FIFO for pressure do no harm");
	ok(!sample.has_memory && !sample.has_io, "and count as absent");
	(void)unlinkat(proc, "pressure/memory", AT_REMOVEDIR);
	(void)unlinkat(proc, "pressure/io", 0);
	put(proc, "pressure/memory", pressure_text);
	put(proc, "pressure/io", pressure_text);
}

/*
 * With psi=0 some kernels have the files, and reading them fails with
 * EOPNOTSUPP.  /proc/self/mem can be opened, and reading its beginning, where
 * nothing is mapped, fails with EIO.
 */
static void test_read_fails(int proc)
{
	struct sampler sampler;
	struct sample sample;

	(void)sampler_open(&sampler, proc);
	(void)close(sampler.memory);
	sampler.memory = need(open("/proc/self/mem", O_RDONLY | O_CLOEXEC),
			      "/proc/self/mem");
	is_int(sampler_read(&sampler, 5, &sample), 0,
	       "a read of memory pressure that fails is no error");
	ok(!sample.has_memory && sample.memory.some_us == 0,
	   "it counts as absent");
	ok(sample.has_io && sample.io.some_us == 44,
	   "and the other one is taken");
	(void)close(sampler.vmstat);
	sampler.vmstat = need(open("/proc/self/mem", O_RDONLY | O_CLOEXEC),
			      "/proc/self/mem");
	is_int(sampler_read(&sampler, 5, &sample), -EIO,
	       "a read of vmstat that fails is an error");
	sampler_close(&sampler);
}

static void test_open_files(int proc)
{
	struct sampler sampler;
	struct sample sample;
	int files[3];

	is_int(sampler_open(&sampler, proc), 0, "a sampler is opened");
	(void)sampler_read(&sampler, 5, &sample);
	put(proc, "vmstat", "pswpin 10\npswpout 20\npgmajfault 30\n");
	is_int(sampler_read(&sampler, 6, &sample), 0, "it samples again");
	is_int((int64_t)sample.vmstat.swapped_in, 10,
	       "and sees what has changed");
	is_int((int64_t)sample.time_us, 6, "at the time it is told");
	files[0] = sampler.vmstat;
	files[1] = sampler.memory;
	files[2] = sampler.io;
	sampler_close(&sampler);
	for (size_t i = 0; i < COUNT(files); i++)
		ok(fcntl(files[i], F_GETFD) < 0, "file %zu is closed", i);
}

static void test_still(int proc)
{
	static const char *const grown =
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=45\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=33\n";
	struct sampler sampler;
	struct sample sample;

	put(proc, "vmstat", vmstat_text);
	(void)sampler_open(&sampler, proc);
	(void)sampler_read(&sampler, 5, &sample);
	put(proc, "pressure/io", grown);
	ok(sampler_is_still(&sampler, &sample),
	   "nobody stalls for memory as long as its pressure does not grow");
	put(proc, "pressure/memory", grown);
	ok(!sampler_is_still(&sampler, &sample), "somebody does when it grows");
	put(proc, "pressure/memory", "malformed\n");
	ok(!sampler_is_still(&sampler, &sample),
	   "and may do when it cannot be read");
	put(proc, "pressure/memory", pressure_text);
	put(proc, "pressure/io", pressure_text);
	sample.has_memory = false;
	ok(!sampler_is_still(&sampler, &sample),
	   "nor is it known where it is missing");
	sampler_close(&sampler);
}

/* No descriptor may be left behind by a program that looks once. */
static void test_no_leak(int proc)
{
	struct sample sample;
	int before = dup(proc), after;

	(void)close(before);
	(void)sample_read(proc, 5, &sample);
	(void)unlinkat(proc, "vmstat", 0);
	(void)sample_read(proc, 5, &sample);
	put(proc, "vmstat", "malformed\n");
	(void)sample_read(proc, 5, &sample);
	after = dup(proc);
	(void)close(after);
	is_int(after, before, "no file stays open after one look");
}

static void test_this_host(void)
{
	int proc = need(directory_open("/proc"), "/proc");
	struct sample sample;

	is_int(sample_read(proc, 5, &sample), 0, "this host is sampled");
	ok(sample.vmstat.major_faults > 0, "it has had major faults");
	(void)close(proc);
}

static void test_longest_line(void)
{
	struct sample sample;
	char line[SAMPLE_LINE], again[SAMPLE_LINE];

	is_int(sample_parse(SPAN("sample 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"
				 " 18446744073709551615 18446744073709551615"),
			    &sample),
	       0, "a line of the largest numbers is read");
	sample_format(&sample, line);
	is_int((int64_t)strlen(line), 6 + 15 * 21, "and written whole");
	(void)sample_parse(span_of(line), &sample);
	sample_format(&sample, again);
	is_text(again, line, "and is the same line again");
}

static const struct {
	struct span text;
	int error;
	const char *name;
} lines[] = {
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"), 0,
	 "a line with all is read"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11 12 13"), 0,
	 "an older one, without what could be free, is read"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11 12"), 0,
	 "and one without free memory"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10"), 0, "and one without reclaim"},
	{BYTES("sample 1 - - 4 - - - - - - - - - - -"), 0,
	 "a line of a host that lacks all it can is read"},
	{BYTES("sample 1 2 3 4 - 6 - - 9 10"), 0,
	 "a line of a host that lacks some is read"},
	{BYTES("sample 1 2 3 4 5 6 7 - 9 10"), -EINVAL,
	 "half a pressure file is no sample"},
	{BYTES("sample 1 2 3 4 5 6 7 8 - 10"), -EINVAL,
	 "the other half is none either"},
	{BYTES("sample 1 - 3 4 5 6 7 8 9 10"), -EINVAL,
	 "half of the swap counters is no sample"},
	{BYTES("sample 1 2 - 4 5 6 7 8 9 10"), -EINVAL,
	 "the other half of them is none either"},
	{BYTES("sample 1 2 3 - 5 6 7 8 9 10"), -EINVAL,
	 "major faults cannot be lacking"},
	{BYTES("sample - 2 3 4 5 6 7 8 9 10"), -EINVAL,
	 "the time cannot be lacking"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9"), -EINVAL,
	 "a column too few is no sample"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11"), -EINVAL,
	 "half of the reclaim is no sample"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 - 12"), -EINVAL,
	 "the other half of it is none either"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11 12 13 14"), -EINVAL,
	 "half of what could be free is no sample"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), -EINVAL,
	 "a column too many is no sample"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 -1"), -EINVAL,
	 "a negative number is no column"},
	{BYTES("sample 1 2 3 4 -- - 7 8 9 10"), -EINVAL,
	 "two hyphens are no column"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 18446744073709551616"), -EINVAL,
	 "a number above the largest is no column"},
	{BYTES("sample 1 2 3 4 5 6 7 8 9 10\0"), -EINVAL,
	 "a NUL byte is no column"},
	{BYTES("samples 1 2 3 4 5 6 7 8 9 10"), -EINVAL,
	 "another kind of line is no sample"},
	{BYTES(""), -EINVAL, "an empty line is no sample"},
};

static void test_lines(void)
{
	struct sample sample;
	char line[SAMPLE_LINE];

	for (size_t i = 0; i < COUNT(lines); i++) {
		is_int(sample_parse(lines[i].text, &sample), lines[i].error,
		       "%s", lines[i].name);
		if (lines[i].error)
			continue;
		sample_format(&sample, line);
		ok(strncmp(line, lines[i].text.start, lines[i].text.length) ==
			   0,
		   "and written so again");
	}
	is_int(sample_parse((struct span){NULL, 0}, &sample), -EINVAL,
	       "a span without memory is no sample");
	memset(&sample, 0xff, sizeof(sample));
	(void)sample_parse(SPAN("sample 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
			   &sample);
	ok(sample.time_us == 1 && sample.vmstat.swapped_in == 2 &&
		   sample.vmstat.swapped_out == 3 &&
		   sample.vmstat.major_faults == 4 &&
		   sample.vmstat.refaulted_anon == 5 &&
		   sample.vmstat.refaulted_file == 6 &&
		   sample.memory.some_us == 7 && sample.memory.full_us == 8 &&
		   sample.io.some_us == 9 && sample.io.full_us == 10 &&
		   sample.vmstat.scanned == 11 &&
		   sample.vmstat.scanned_for_host == 12 &&
		   sample.vmstat.free == 13 && sample.vmstat.evicted == 14 &&
		   sample.vmstat.usable == 15,
	   "each column has its place");
	ok(sample.has_memory && sample.has_io && sample.vmstat.has_swap &&
		   sample.vmstat.has_refaults_anon &&
		   sample.vmstat.has_refaults_file &&
		   sample.vmstat.has_scanned && sample.vmstat.has_free &&
		   sample.vmstat.has_evicted && sample.vmstat.has_usable,
	   "and is known to be there");
	(void)sample_parse(SPAN("sample 1 - - 4 - 6 - - 9 10"), &sample);
	ok(!sample.has_memory && sample.has_io && !sample.vmstat.has_swap &&
		   !sample.vmstat.has_refaults_anon &&
		   sample.vmstat.has_refaults_file &&
		   !sample.vmstat.has_scanned && !sample.vmstat.has_free &&
		   !sample.vmstat.has_evicted && !sample.vmstat.has_usable,
	   "what is lacking is known to be");
}

int main(void)
{
	struct scratch scratch;

	test_trees();
	scratch_open(&scratch);
	test_errors(scratch.directory);
	test_not_files(scratch.directory);
	test_read_fails(scratch.directory);
	test_open_files(scratch.directory);
	test_still(scratch.directory);
	test_no_leak(scratch.directory);
	scratch_close(&scratch);
	test_this_host();
	test_longest_line();
	test_lines();
	return done_testing();
}

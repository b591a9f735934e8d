/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ranges, performance data and output of the Nagios checks. */
#include "plugins/nagios/nagios.h"

#include "tests/scratch.h"
#include "tests/tap.h"

#include <limits.h>
#include <sys/stat.h>

/* -1 0 0.5 1 9.999 10 10.5 15 20 20.1 1000 */
static const int64_t values[] = {-1000, 0,     500,   1000,  9999,   10000,
				 10500, 15000, 20000, 20100, 1000000};

/* A for a value that alerts, worked out by hand. */
static const struct {
	const char *range, *alerts;
} ranges[] = {
	{"10", "A.....AAAAA"},
	{":10", "A.....AAAAA"},
	{"0:10", "A.....AAAAA"},
	{"10:", "AAAAA......"},
	{"~:10", "......AAAAA"},
	{"10:20", "AAAAA....AA"},
	{"@10:20", ".....AAAA.."},
	{"@10", ".AAAAA....."},
	{"@:10", ".AAAAA....."},
	{"@10:", ".....AAAAAA"},
	{"@~:0", "AA........."},
	{"0", "A.AAAAAAAAA"},
	{"0:0", "A.AAAAAAAAA"},
	{"~:", "..........."},
	{"@~:", "AAAAAAAAAAA"},
	{"-5:0.5", "...AAAAAAAA"},
	{"-1:-1", ".AAAAAAAAAA"},
	{"~:-1", ".AAAAAAAAAA"},
	{"-0.999:", "A.........."},
	{"9.999:10.5", "AAAA...AAAA"},
	{"10.001:10.499", "AAAAAAAAAAA"},
	{"000010", "A.....AAAAA"},
	{"-0:10.000", "A.....AAAAA"},
	{"0:9223372036854774", "A.........."},
};

static const char *const no_ranges[] = {
	"",
	"@",
	":",
	"@:",
	"abc",
	"10x",
	"10%",
	"0x10",
	"~10",
	"~",
	"1e1:2e1",
	"1e1",
	"5:4",
	"-5",
	"-4:-5",
	"inf",
	"nan",
	"INF:",
	"-inf:",
	":nan",
	" 10",
	"10 ",
	"1 0",
	"10\n",
	"+10",
	"--1",
	"-",
	"-:",
	"1:2:3",
	"1::2",
	"@@1",
	"1@2",
	"5:~",
	"~:~",
	"1,5",
	"1.",
	".5",
	"1.2345",
	"1..2",
	".",
	"1;2",
	"10:-",
	"~:abc",
	"0x0:1",
	"@5:4",
	"\xef\xbc\x91",
	"9223372036854775807",
	"18446744073709551616",
};

static void test_ranges(void)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct nagios_range range = {.is_set = false};
		char alerts[COUNT(values) + 1] = "";
		int error =
			nagios_range_parse(span_of(ranges[i].range), &range);

		for (size_t j = 0; j < COUNT(values); j++)
			alerts[j] = nagios_range_alerts(&range, values[j])
					    ? 'A'
					    : '.';
		is_text(error ? "(refused)" : alerts, ranges[i].alerts,
			"the range %s alerts where it should", ranges[i].range);
	}
}

static void test_no_ranges(void)
{
	for (size_t i = 0; i < COUNT(no_ranges); i++) {
		struct nagios_range range = {.end = 42};
		int error = nagios_range_parse(span_of(no_ranges[i]), &range);

		ok(error == -EINVAL && range.end == 42,
		   "no. %zu of what is no range is refused, with nothing "
		   "changed",
		   i);
	}
	ok(nagios_range_parse(SPAN("1\0"), &(struct nagios_range){0}) != 0,
	   "a NUL does not end a range");
}

static struct nagios_range range_of(const char *text)
{
	struct nagios_range range = {.is_set = false};

	need(nagios_range_parse(span_of(text), &range), text);
	return range;
}

static void test_judging(void)
{
	const struct nagios_limits none = {.warning = {.is_set = false}};
	const struct nagios_limits both = {range_of("5"), range_of("60")};
	const struct nagios_limits low = {range_of("10:"), range_of("5:")};

	is_int(nagios_limits_judge(&none, 7), NAGIOS_OK,
	       "what has no limits is OK");
	is_int(nagios_limits_judge(&none, -7), NAGIOS_OK,
	       "also when it is negative");
	is_int(nagios_limits_judge(&both, 5000), NAGIOS_OK,
	       "the limit itself is OK");
	is_int(nagios_limits_judge(&both, 5001), NAGIOS_WARNING,
	       "a thousandth above is a WARNING");
	is_int(nagios_limits_judge(&both, 60001), NAGIOS_CRITICAL,
	       "above both limits the CRITICAL one counts");
	is_int(nagios_limits_judge(&low, 7000), NAGIOS_WARNING,
	       "too little is a WARNING where the limit says so");
	is_int(nagios_limits_judge(&low, 4999), NAGIOS_CRITICAL,
	       "and far too little is CRITICAL");
}

/* A run that writes into arrays of the test. */
struct scene {
	struct nagios_common common;
	struct nagios_run run;
	char text[128], metrics[256], details[80];
};

static struct nagios_run *scene_open(struct scene *scene, unsigned verbosity)
{
	*scene = (struct scene){.common = {.verbosity = verbosity}};
	scene->run = (struct nagios_run){
		.common = &scene->common,
		.text = {scene->text, sizeof(scene->text), 0},
		.metrics = {scene->metrics, sizeof(scene->metrics), 0},
		.details = {scene->details, sizeof(scene->details), 0},
	};
	return &scene->run;
}

static const struct {
	const char *unit;
	uint64_t value;
	const char *warning, *critical, *wanted;
} metrics[] = {
	{"", 2000, "0", "5", "a=2;0;5;0"},
	{"s", 12345, "5", "60", "a=12.345s;5;60;0"},
	{"s", 500, "0.5", "1.25", "a=0.5s;0.5;1.25;0"},
	{"%", 100000, "10", "40", "a=100%;10;40;0;100"},
	{"B", 4096000, NULL, NULL, "a=4096B;;;0"},
	{"c", 12000, NULL, NULL, "a=12c;;;0"},
	{"", 0, "~:5", ":7", "a=0;5;7;0"},
	{"", 1000, "-3:5", "0:7", "a=1;5;7;0"},
	/* what is more than "not above" is left out */
	{"", 6000, "5:", "@1:2", "a=6;;;0"},
	{"", 6000, "5:7", "9", "a=6;;9;0"},
	{"", 6000, "@5", "@~:3", "a=6;;;0"},
	{"", 6000, "~:", "~:-1", "a=6;;;0"},
	{"", 1234567890123000, NULL, NULL, "a=1234567890123;;;0"},
};

static void test_metrics(void)
{
	struct scene scene;
	struct nagios_run *run;

	for (size_t i = 0; i < COUNT(metrics); i++) {
		struct nagios_limits limits = {.warning = {.is_set = false}};

		if (metrics[i].warning)
			limits.warning = range_of(metrics[i].warning);
		if (metrics[i].critical)
			limits.critical = range_of(metrics[i].critical);
		run = scene_open(&scene, 0);
		(void)nagios_measure(run, "a", metrics[i].unit,
				     metrics[i].value, &limits);
		is_text(scene.metrics, metrics[i].wanted,
			"a metric with the limits %s and %s is written as "
			"Icinga reads it",
			metrics[i].warning ? metrics[i].warning : "none",
			metrics[i].critical ? metrics[i].critical : "none");
	}

	const struct nagios_limits limits = {range_of("1"), range_of("3")};

	run = scene_open(&scene, 0);
	is_int(nagios_measure(run, "a", "", 2000, &limits), NAGIOS_WARNING,
	       "a metric is judged by its limits");
	is_int(nagios_measure(run, "b", "", 1000, NULL), NAGIOS_OK,
	       "and without limits it is OK");
	is_int(run->status, NAGIOS_WARNING, "the worst of a run counts");
	is_text(scene.metrics, "a=2;1;3;0 b=1;;;0",
		"metrics stand in one line, with a blank between");
}

static void test_status(void)
{
	static const enum nagios_status worse[] = {
		NAGIOS_OK, NAGIOS_WARNING, NAGIOS_UNKNOWN, NAGIOS_CRITICAL};

	for (size_t i = 0; i < COUNT(worse); i++)
		for (size_t j = 0; j < COUNT(worse); j++) {
			struct nagios_run run = {.status = worse[i]};

			nagios_raise(&run, worse[j]);
			is_int(run.status, worse[i > j ? i : j],
			       "of two statuses the worse one stays (%d, %d)",
			       (int)worse[i], (int)worse[j]);
		}
}

static void test_status_option(void)
{
	struct problem problem;
	int status = -1;

	is_int(nagios_option_status(NULL, "Critical", &status, &problem), 0,
	       "a status may be written in capitals or not");
	is_int(status, NAGIOS_CRITICAL, "and means its exit code");
	is_int(nagios_option_status(NULL, "2", &status, &problem), -EINVAL,
	       "a number is no status");
}

static void test_numbers(void)
{
	static const struct {
		uint64_t value;
		const char *wanted;
	} numbers[] = {
		{0, "0"},           {1, "0.001"},
		{10, "0.01"},       {100, "0.1"},
		{1000, "1"},        {1500, "1.5"},
		{10000, "10"},      {1234567, "1234.567"},
		{100010, "100.01"}, {UINT64_MAX, "18446744073709551.615"},
	};
	char text[NAGIOS_NUMBER];

	for (size_t i = 0; i < COUNT(numbers); i++) {
		nagios_number(numbers[i].value, text);
		is_text(text, numbers[i].wanted,
			"%s is written without needless digits",
			numbers[i].wanted);
	}
}

static bool is_harmless(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f ||
		    strchr("|$`'\"<>&;~", *text))
			return false;
	return true;
}

static void test_escape(void)
{
	char escaped[TEXT_ESCAPED_COMMAND], command[PROCESS_COMMAND];
	bool all_harmless = true;

	nagios_escape("(sd-pam)", escaped);
	is_text(escaped, "(sd-pam)", "a usual command is shown as it is");
	nagios_escape("a|b=1\n$(x)\\", escaped);
	is_text(escaped, "a\\174b=1\\012\\044(x)\\134",
		"what begins performance data or ends a line is escaped");
	nagios_escape("", escaped);
	is_text(escaped, "", "an empty command stays empty");
	for (int c = 1; c < 256; c++) {
		memset(command, c, sizeof(command) - 1);
		command[sizeof(command) - 1] = '\0';
		nagios_escape(command, escaped);
		all_harmless &= is_harmless(escaped) &&
				strlen(escaped) % (sizeof(command) - 1) == 0;
	}
	ok(all_harmless, "a longest command of any byte is harmless and whole");
}

static void test_details(void)
{
	struct scene scene;
	struct nagios_run *run = scene_open(&scene, 0);

	nagios_detail(run, 1, "a");
	is_text(scene.details, "", "without -v there are no details");
	run = scene_open(&scene, 2);
	nagios_detail(run, 2, "a|b\tc\nd\x7f");
	nagios_detail(run, 3, "e");
	is_text(scene.details, "a?b?c?d?\n",
		"a detail is one line without control characters or \"|\"");
	nagios_detail(run, 1, "%070d", 0);
	is_text(scene.details, "a?b?c?d?\n", "half a line is not written");
	nagios_detail(run, 1, "%069d", 0);
	is_int((int64_t)strlen(scene.details), 79, "a whole one still is");
}

static void test_names(void)
{
	struct scene scene;
	struct nagios_run *run = scene_open(&scene, 1);

	nagios_add(&run->text, "2 frozen:");
	nagios_name(run, "a|b", 12, "for %d s", 3);
	is_text(scene.text, "2 frozen: a\\174b[12]",
		"a process is named in the text");
	is_text(scene.details, "a\\174b[12]: for 3 s\n",
		"and told more of in the details");
	for (int i = 0; i < 5; i++)
		nagios_name(run, "abcdefghijklmno", 4194304, "x");
	is_text(scene.text,
		"2 frozen: a\\174b[12] abcdefghijklmno[4194304] "
		"abcdefghijklmno[4194304] ...",
		"those that would make the text too long are left out");
	nagios_add(&run->text, "%0100d", 0);
	is_int((int64_t)strlen(scene.text), sizeof(scene.text) - 1,
	       "and what does not fit at all is cut");
}

/* Where the marker of the tests is said to be; %s is its directory. */
static const struct {
	const char *name, *ours, *hosts;
	int wanted;
} mounts[] = {
	{"without a mount table nothing is private", NULL, NULL, 0},
	{"the host's own view is not private", "1 0 8:1 / / rw - ext4 a rw\n",
	 "1 0 8:1 / / rw - ext4 a rw\n", 0},
	{"systemd's private directory is one",
	 "1 0 8:1 / / rw - ext4 a rw\n"
	 "2 1 8:1 /tmp/systemd-private-0123-nrpe.service-x/tmp %s rw - x\n",
	 "1 0 8:1 / / rw - ext4 a rw\n", 1},
	{"systemd's private directory is told by its name alone",
	 "2 1 8:1 /systemd-private-0123-nrpe.service-x/tmp %s rw - x\n", NULL,
	 1},
	{"another file system is private",
	 "1 0 8:1 / / rw - ext4 a rw\n2 1 0:77 / %s rw - tmpfs a rw\n",
	 "1 0 8:1 / / rw - ext4 a rw\n", 1},
	{"a file system that the host sees too is not",
	 "9 8 0:77 / %s rw - tmpfs a rw\n", "2 1 0:77 / %s rw - tmpfs a rw\n",
	 0},
	{"a directory mounted on itself is not private",
	 "1 0 8:1 / / ro - ext4 a rw\n2 1 8:1 %s %s rw - ext4 a rw\n",
	 "1 0 8:1 / / rw - ext4 a rw\n", 0},
	{"the host's subvolume is the same under another root",
	 "1 0 0:30 /@ / rw - btrfs a rw\n", "1 0 0:30 /@ / rw - btrfs a rw\n",
	 0},
	{"of two mounts on each other the last is seen",
	 "2 1 0:77 / %s rw - tmpfs a rw\n3 2 0:78 / %s rw - tmpfs a rw\n",
	 "2 1 0:77 / %s rw - tmpfs a rw\n", 1},
	{"a mount on a longer name is another directory",
	 "1 0 8:1 / / rw - ext4 a rw\n2 1 0:77 / %s2 rw - tmpfs a rw\n",
	 "1 0 8:1 / / rw - ext4 a rw\n", 0},
	{"a mount table of nonsense tells nothing", "x\n\n\\ \\9 \\ \\\n1 2\n",
	 "\377\n", 0},
};

static void write_mounts(int proc, const char *process, const char *format,
			 const char *directory)
{
	char table[2 * PATH_MAX + 256] = "", name[32];
	struct span rest = span_of(format ? format : "");
	struct span part;

	(void)snprintf(name, sizeof(name), "%s/mountinfo", process);
	if (!format) {
		(void)unlinkat(proc, name, 0);
		return;
	}
	while (span_split(&rest, '%', &part)) {
		(void)snprintf(table + strlen(table),
			       sizeof(table) - strlen(table), "%.*s%s",
			       SPAN_FORMAT(part), directory);
		rest = (struct span){rest.start + 1, rest.length - 1};
	}
	(void)snprintf(table + strlen(table), sizeof(table) - strlen(table),
		       "%.*s", SPAN_FORMAT(rest));
	scratch_write(proc, name, table, strlen(table), 0644);
}

static void test_private(void)
{
	struct scratch proc;
	char directory[PATH_MAX], marker[PATH_MAX + 32];

	scratch_open(&proc);
	need(mkdirat(proc.directory, "self", 0755), "self");
	need(mkdirat(proc.directory, "1", 0755), "1");
	need(realpath(proc.path, directory) ? 0 : -1, proc.path);
	(void)snprintf(marker, sizeof(marker), "%s/marker", directory);
	for (size_t i = 0; i < COUNT(mounts); i++) {
		write_mounts(proc.directory, "self", mounts[i].ours, directory);
		write_mounts(proc.directory, "1", mounts[i].hosts, directory);
		is_int(nagios_is_private(proc.directory, marker),
		       mounts[i].wanted, "%s", mounts[i].name);
	}
	is_int(nagios_is_private(proc.directory, "/nonexistent/x/marker"),
	       -ENOENT, "a marker in no directory is an error");
	is_int(nagios_is_private(proc.directory, ""), -EINVAL,
	       "and so is no marker");
	scratch_close(&proc);
}

int main(void)
{
	test_ranges();
	test_no_ranges();
	test_judging();
	test_metrics();
	test_status();
	test_status_option();
	test_numbers();
	test_escape();
	test_details();
	test_names();
	test_private();
	return done_testing();
}

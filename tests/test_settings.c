/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests where settings come from, and what is said of bad ones. */
#include "core/state.h"
#include "daemon/settings.h"

#include "tests/scratch.h"

static struct settings settings;
static struct problem problem;

/* Reads text as the file "conf". */
static int parse(const char *text)
{
	settings_default(&settings);
	(void)snprintf(settings.file_text, sizeof(settings.file_text), "%s",
		       text);
	problem.text[0] = '\0';
	return settings_parse_file(&settings, settings.file_text, strlen(text),
				   "conf", &problem);
}

static bool is_protected(const char *command)
{
	const struct rule_subject subject = {.command = command};

	return rules_match(&settings.rules, RULES_PROTECT, &subject);
}

static void test_defaults(void)
{
	settings_default(&settings);
	is_int((int64_t)settings.interval_ms, 50, "it looks every 50 ms");
	is_int((int64_t)settings.stall_threshold_permille, 100,
	       "a tenth of the time is too much stall");
	is_int((int64_t)settings.max_frozen_ms, 60000,
	       "nobody is frozen for more than a minute");
	ok(settings.uses_psi && !settings.is_dry_run,
	   "pressure is used and processes are frozen");
	is_text(settings.run_dir, STATE_RUN_DIR, "the state is below /run");
	is_text(settings.marker, STATE_MARKER, "there is a marker");
}

static void test_file(void)
{
	is_int(parse("# comment\n; another\n\n[thrash-protect]\n"
		     "max_frozen = 2.5\nstall-threshold: 12.5\n"
		     "use_psi = No\r\n  protect =  a* , b\tc  \n"
		     "marker ="),
	       0, "a configuration file is read (%s)", problem.text);
	is_int((int64_t)settings.max_frozen_ms, 2500, "seconds have decimals");
	is_int((int64_t)settings.stall_threshold_permille, 125,
	       "a colon and hyphens do as well, and so do tenths of a percent");
	ok(!settings.uses_psi, "No, with a carriage return, is no");
	is_int((int64_t)settings.rules.count, 3,
	       "rules are separated by blanks and commas");
	ok(is_protected("abc") && is_protected("c") && !is_protected("bc"),
	   "a rule is a shell pattern for the whole name");
	is_text(settings.marker, "", "an empty marker is none");
}

static void test_bad_files(void)
{
	static const struct {
		const char *text, *problem, *name;
	} rows[] = {
		{"interval = 1\n",
		 "conf:1: section [thrash-protect] is expected",
		 "a setting outside of the section"},
		{"[other]\n", "conf:1: section [thrash-protect] is expected",
		 "another section"},
		{"[thrash-protect]\n\nnonsense = 1\n",
		 "conf:3: nonsense is not a setting", "an unknown name"},
		{"[thrash-protect]\nnonsense\n",
		 "conf:2: 'name = value' is expected",
		 "a line without a value"},
		{"[thrash-protect]\ninterval = fast\n",
		 "conf:2: interval: a number of seconds is expected",
		 "a word for a number"},
		{"[thrash-protect]\ninterval = 0\n",
		 "conf:2: interval: a number from 0.01 to 10 is expected",
		 "a number out of range"},
		{"[thrash-protect]\ninterval = 1 ; second\n",
		 "conf:2: interval: a number of seconds is expected",
		 "something behind the value"},
		{"[thrash-protect]\nuse_psi = maybe\n",
		 "conf:2: use_psi: yes or no is expected",
		 "maybe for yes or no"},
		{"[thrash-protect]\nrun_dir = here\n",
		 "conf:2: run_dir: an absolute path is expected",
		 "a relative path"},
		{"[thrash-protect]\nversion = 1\n",
		 "conf:2: version is not a setting",
		 "what only the command line has"},
		{"[thrash-protect]\nswap_page_threshold = "
		 "99999999999999999999999\n",
		 "conf:2: swap_page_threshold: a whole number is expected",
		 "a number that no integer holds"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		is_int(parse(rows[i].text), -EINVAL, "%s is refused",
		       rows[i].name);
		is_text(problem.text, rows[i].problem, "%s: told with its line",
			rows[i].name);
	}

	char text[] = "[thrash-protect]\ndebug = \0yes\n";

	is_int(settings_parse_file(&settings, text, sizeof(text) - 1, "conf",
				   &problem),
	       -EINVAL, "a NUL is refused");
}

/* Names of the Python program; a warning where .warns. */
static void test_former_names(void)
{
	static const struct {
		const char *line;
		bool warns;
	} rows[] = {
		{"interval = 0.5", false},
		{"swap_page_threshold = 4", false},
		{"pgmajfault_scan_threshold = 16", false},
		{"cmd_whitelist = sshd bash", false},
		{"cmd_blacklist = firefox", false},
		{"use_psi = True", false},
		{"psi_threshold = 5.0", false},
		{"debug_logging = False", false},
		{"cmd_jobctrllist = bash sudo", true},
		{"whitelist_score_divider = 64", true},
		{"blacklist_score_multiplier = 16", true},
		{"unfreeze_pop_ratio = 5", true},
		{"log_user_data_on_freeze = False", true},
		{"log_user_data_on_unfreeze = True", true},
		{"date_human_readable = True", true},
		{"diagnostic = False", true},
		{"test_mode = 0", true},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "[thrash-protect]\n%s\n",
			       rows[i].line);
		is_int(parse(text), 0, "'%s' is accepted (%s)", rows[i].line,
		       problem.text);
		is_int((int64_t)settings.warning_count, rows[i].warns,
		       "'%s' %s", rows[i].line,
		       rows[i].warns ? "warns what took its place"
				     : "means what it meant");
	}
	(void)parse("[thrash-protect]\ncmd_whitelist = a\npsi_threshold = 7");
	ok(is_protected("a"), "cmd_whitelist is protect now");
	is_int((int64_t)settings.stall_threshold_permille, 70,
	       "psi_threshold is stall_threshold now");
}

static void test_priorities(const struct scratch *scratch)
{
	static const char text[] = "[thrash-protect]\nquantum = 1\ncalm = 1.5\n"
				   "max_frozen = 30\n";
	char path[300], config[310], variable[340];

	scratch_write(scratch->directory, "conf", text, sizeof(text) - 1, 0600);
	(void)snprintf(path, sizeof(path), "%s/conf", scratch->path);
	(void)snprintf(config, sizeof(config), "--config=%s", path);
	(void)snprintf(variable, sizeof(variable), "THRASH_PROTECT_CONFIG=%s",
		       path);

	char *argv[] = {(char[]){"thrash-protect"}, config,
			(char[]){"--quantum=3"}, NULL};
	char *environment[] = {(char[]){"THRASH_PROTECT_QUANTUM=2"},
			       (char[]){"THRASH_PROTECT_CALM=2.5"}, NULL};
	char *by_variable[] = {variable, NULL};

	is_int(settings_load(&settings, 3, argv, environment, &problem), 0,
	       "command line, environment and file are read (%s)",
	       problem.text);
	is_int((int64_t)settings.quantum_ms, 3000,
	       "the command line wins over all");
	is_int((int64_t)settings.calm_ms, 2500,
	       "the environment wins over the file");
	is_int((int64_t)settings.max_frozen_ms, 30000,
	       "the file wins over the defaults");
	is_int(settings_load(&settings, 1, argv, by_variable, &problem), 0,
	       "the environment names the file");
	is_int((int64_t)settings.quantum_ms, 1000, "and the file is read");
}

static void test_load_errors(const struct scratch *scratch)
{
	char config[300];
	char *environment[] = {(char[]){"THRASH_PROTECT_QUANTUM=x"}, NULL};
	char *unknown[] = {(char[]){"THRASH_PROTECT_FROBNICATE=1"}, NULL};
	char *empty[] = {NULL};

	(void)snprintf(config, sizeof(config), "--config=%s/none",
		       scratch->path);

	char *argv[] = {(char[]){"thrash-protect"}, config, NULL};
	char *wrong[] = {(char[]){"thrash-protect"}, (char[]){"extra"}, NULL};
	char *twice[] = {(char[]){"thrash-protect"}, (char[]){"--status"},
			 (char[]){"--thaw-all"}, NULL};
	char *thaw[] = {twice[0], twice[2], config, NULL};
	static const char bad[] = "one\n[thrash-protect]\ntwo\n[three]\n"
				  "[thrash-protect]\nrun_dir = /x\n";

	is_int(settings_load(&settings, 2, argv, empty, &problem), -ENOENT,
	       "a file that is named must be there");
	is_int(settings_load(&settings, 1, argv, environment, &problem),
	       -EINVAL, "a bad value in the environment is refused");
	is_text(problem.text,
		"THRASH_PROTECT_QUANTUM: quantum: a number of seconds is "
		"expected",
		"and told with the variable's name");
	is_int(settings_load(&settings, 1, argv, unknown, &problem), -EINVAL,
	       "an unknown variable is refused");
	is_int(settings_load(&settings, 2, thaw, environment, &problem), 0,
	       "but not by who thaws all");
	is_int((int64_t)settings.warning_count, 1, "who warns of it");
	(void)snprintf(config, sizeof(config), "--config=%s/bad",
		       scratch->path);
	scratch_write(scratch->directory, "bad", bad, strlen(bad), 0600);
	is_int(settings_load(&settings, 3, thaw, empty, &problem), 0,
	       "lines that are no settings are none for it");
	is_int((int64_t)settings.warning_count, 3, "each has a warning");
	is_text(settings.run_dir, "/x", "and those behind them count");
	is_int(settings_load(&settings, 2, argv, empty, &problem), -EINVAL,
	       "but for others");
	is_int(settings_load(&settings, 2, wrong, empty, &problem), -EINVAL,
	       "an argument that is no option is refused");
	is_int(settings_load(&settings, 3, twice, empty, &problem), -EINVAL,
	       "two things at a time are refused");
}

int main(void)
{
	struct scratch scratch;

	scratch_open(&scratch);
	test_defaults();
	test_file();
	test_bad_files();
	test_former_names();
	test_priorities(&scratch);
	test_load_errors(&scratch);
	scratch_close(&scratch);
	return done_testing();
}

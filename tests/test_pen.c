/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests freezing a cgroup of our own with our children in it. */
#include "daemon/pen.h"

#include "core/cgroup.h"
#include "core/file.h"
#include "daemon/cage.h"
#include "daemon/freezer.h"
#include "tests/scratch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { CHILDREN = 3, CROWD = PEN_MEMBERS + 1 };

static struct ledger ledger = {.doorbell = -1};
static struct settings settings;
static struct facts facts;
static struct freezer freezer;
static struct log quiet;
static int proc;

/* A cgroup with children, of whom the last is in a cgroup below it. */
struct ground {
	int top, cgroup, below;
	char name[64], mark[96];
	struct process children[CHILDREN];
};

static void handle(int number)
{
	(void)number;
}

/* It waits for ever, survives SIGTERM, and dies with us. */
static pid_t start_child(const char *name)
{
	char comm[32], text[32];

	(void)signal(SIGTERM, handle);

	pid_t child = need(fork(), "fork");

	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, name);
		for (;;)
			(void)pause();
	}
	(void)signal(SIGTERM, SIG_DFL);
	(void)snprintf(comm, sizeof(comm), "%d/comm", (int)child);
	/* it may not be frozen before it will die with us */
	while (strncmp(scratch_text(proc, comm, text, sizeof(text)), name,
		       strlen(name)) != 0)
		(void)usleep(100);
	return child;
}

static void end_child(pid_t child)
{
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

static void write_to(int directory, const char *name, const char *text)
{
	int file = need(openat(directory, name, O_WRONLY | O_CLOEXEC), name);

	need(write(file, text, strlen(text)) < 0 ? -1 : 0, name);
	(void)close(file);
}

static void put(int directory, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	write_to(directory, "cgroup.procs", text);
}

static int make(int directory, const char *name)
{
	need(mkdirat(directory, name, 0755), name);
	return need(openat(directory, name, O_DIRECTORY | O_CLOEXEC), name);
}

static int open_top(void)
{
	struct cgroups cgroups;

	cgroups_open(&cgroups, CGROUP_ROOT);
	if (cgroups.v1 >= 0)
		(void)close(cgroups.v1);
	return cgroups.v2;
}

static void ground_begin(struct ground *g)
{
	static char pattern[80];
	struct problem problem;

	g->top = open_top();
	(void)snprintf(g->name, sizeof(g->name), "thrash-protect-test.%d",
		       (int)getpid());
	(void)snprintf(pattern, sizeof(pattern), "/*%s", g->name);
	need(rules_parse(&settings.rules, RULES_WHOLE, pattern, &problem),
	     pattern);
	g->cgroup = make(g->top, g->name);
	g->below = make(g->cgroup, "below");
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = start_child("child");

		put(i == CHILDREN - 1 ? g->below : g->cgroup, child);
		need(process_read(proc, child, 4, &g->children[i]), "stat");
		facts_see_whole(&facts, &g->children[i]);
	}
	(void)snprintf(g->mark, sizeof(g->mark), PEN_MARK ".%d.%llu",
		       (int)g->children[0].pid,
		       (unsigned long long)g->children[0].start_time);
	need(freezer_open(&freezer, &ledger, FREEZER_CGROUP, proc, g->top),
	     "freezer");
	freezer.facts = &facts;
}

static void ground_end(struct ground *g)
{
	write_to(g->cgroup, "cgroup.freeze", "0");
	freezer_close(&freezer);
	for (int i = 0; i < CHILDREN; i++)
		end_child(g->children[i].pid);
	(void)close(g->below);
	(void)unlinkat(g->cgroup, g->mark, AT_REMOVEDIR); /* if a test failed */
	ok(unlinkat(g->cgroup, "below", AT_REMOVEDIR) == 0 &&
		   unlinkat(g->top, g->name, AT_REMOVEDIR) == 0,
	   "nothing is left in the cgroup");
	(void)close(g->cgroup);
	(void)close(g->top);
}

static int open_pen(const struct ground *g)
{
	return need(pen_open(g->top, &facts, &g->children[0]), "a pen");
}

static bool has_mark(const struct ground *g)
{
	return faccessat(g->cgroup, g->mark, F_OK, 0) == 0;
}

/* Whether the cgroup comes to stand still, or to go on. */
static bool becomes_still(int cgroup, bool is_still)
{
	for (int i = 0; i < 500; i++) {
		if (pen_is_still(cgroup) == is_still)
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void test_open(void)
{
	struct ground g;
	struct process process;
	pid_t members[PEN_MEMBERS], crowd[CROWD];
	int pen;

	ground_begin(&g);
	pen = open_pen(&g);
	is_int(pen_list(pen, members), CHILDREN,
	       "those in it and below it are listed");
	need(process_read(proc, getpid(), 4, &process), "stat");
	facts_see_whole(&facts, &process);
	is_int((int64_t)process.judged.whole, 0,
	       "who is elsewhere is frozen with nobody");
	is_int(pen_open(g.top, &facts, &process), -ENOENT, "and has no pen");
	process = g.children[0];
	process.judged.whole++;
	is_int(pen_open(g.top, &facts, &process), -ENOENT,
	       "nor has who was in another one when it was judged");
	is_int(pen_open(-1, &facts, &g.children[0]), -ENOENT,
	       "nor anybody where there are no cgroups");
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = start_child("child");
		put(g.below, crowd[i]);
	}
	is_int(pen_list(pen, members), -E2BIG, "a crowd is too many");
	for (int i = 0; i < CROWD; i++)
		end_child(crowd[i]);
	(void)close(pen);
	ground_end(&g);
}

static int check(const struct ground *g, struct process *member)
{
	static const struct role_moment moment = {.now_us = 1, .is_job = true};
	int pen = open_pen(g);
	int error = pen_check(pen, &facts, &g->children[0], &moment, member);

	(void)close(pen);
	return error;
}

/* One more, further down. */
static pid_t add(const struct ground *g, const char *name)
{
	pid_t child = start_child(name);

	put(g->below, child);
	return child;
}

static void test_check(void)
{
	struct ground g;
	struct process member;
	struct problem problem;
	pid_t other;

	ground_begin(&g);
	is_int(check(&g, &member), 0, "anybody may be frozen with others");
	other = add(&g, "sshd");
	is_int(check(&g, &member), -EPERM, "but not with an sshd further down");
	is_int(member.pid, other, "which is told");
	is_int(member.judged.role, ROLE_LOGIN, "with the reason");
	end_child(other);
	other = add(&g, "worker");
	need(rules_parse(&settings.rules, RULES_PROTECT, "work*", &problem),
	     "rules");
	is_int(check(&g, &member), -EPERM,
	       "nor with who is protected by a rule");
	need(rules_parse(&settings.rules, RULES_PROTECT, "", &problem), "none");
	need(rules_parse(&settings.rules, RULES_INTERACTIVE, "work*", &problem),
	     "rules");
	is_int(check(&g, &member), -EPERM,
	       "nor with who may not be frozen for as long");
	g.children[0].judged.budget_ms = ROLE_PATIENCE_MS;
	is_int(check(&g, &member), 0, "but with who may for as long");
	need(rules_parse(&settings.rules, RULES_INTERACTIVE, "", &problem),
	     "none");
	end_child(other);
	put(g.below, getpid());
	is_int(check(&g, &member), 0, "a stranger is no obstacle");
	facts_close(&facts);
	facts_open(&facts, proc, &settings, getpid());
	is_int(check(&g, &member), -EPERM, "but the daemon itself is");
	is_int(member.judged.role, ROLE_OURS, "whoever else is in there");
	put(g.top, getpid());
	facts_close(&facts);
	facts_open(&facts, proc, &settings, 0);
	ground_end(&g);
}

static void test_pen(void)
{
	struct ground g;
	const struct process *first;
	int pen, other;

	ground_begin(&g);
	first = &g.children[0];
	pen = open_pen(&g);
	other = open_pen(&g);
	is_int(pen_freeze(pen, first->pid, first->start_time), 0,
	       "a pen is frozen");
	ok(becomes_still(pen, true) && becomes_still(g.below, true),
	   "all in it stand still");
	ok(has_mark(&g), "it has a mark");
	is_int(pen_freeze(other, first->pid, first->start_time), -EWOULDBLOCK,
	       "nobody else can freeze it as well");
	is_int(pen_thaw(pen, first->pid, first->start_time), 0, "it is thawed");
	ok(becomes_still(pen, false) && !has_mark(&g),
	   "they go on, and the mark is gone");
	(void)close(other);
	write_to(g.cgroup, "cgroup.freeze", "1");
	is_int(pen_freeze(pen, first->pid, first->start_time), -EALREADY,
	       "what somebody else has frozen is not ours");
	ok(becomes_still(pen, true) && !has_mark(&g), "and stays as it is");
	write_to(g.cgroup, "cgroup.freeze", "0");
	write_to(g.below, "cgroup.freeze", "1");
	need(pen_freeze(pen, first->pid, first->start_time), "freeze");
	need(pen_thaw(pen, first->pid, first->start_time), "thaw");
	ok(becomes_still(pen, false) && becomes_still(g.below, true),
	   "what is frozen further down stays frozen");
	write_to(g.below, "cgroup.freeze", "0");
	need(mkdirat(g.cgroup, "gone", 0755), "gone");
	other = need(openat(g.cgroup, "gone", O_RDONLY | O_DIRECTORY), "gone");
	need(unlinkat(g.cgroup, "gone", AT_REMOVEDIR), "gone");
	is_int(pen_thaw(other, 1, 1), 0, "a pen that was removed is thawed");
	(void)close(other);
	(void)close(pen);
	ground_end(&g);
}

static void test_left_behind(void)
{
	struct ground g;
	const struct process *first;
	int pen;

	ground_begin(&g);
	first = &g.children[0];
	pen = open_pen(&g);
	need(pen_freeze(pen, first->pid, first->start_time), "freeze");
	is_int(cages_empty(g.cgroup, NULL, NULL, &quiet), 0,
	       "what is left behind is looked for");
	ok(becomes_still(g.cgroup, true) && has_mark(&g),
	   "what a living daemon holds is none of that");
	(void)close(pen); /* it is dead */
	is_int(cages_empty(g.cgroup, NULL, NULL, &quiet), 0, "again");
	ok(becomes_still(g.cgroup, false) && !has_mark(&g),
	   "what a dead one has frozen is thawed");
	write_to(g.cgroup, "cgroup.freeze", "1");
	need(mkdirat(g.cgroup, g.mark, 0755), "mark");
	need(fchownat(g.cgroup, "", 1000, 1000, AT_EMPTY_PATH), "chown");
	need(fchownat(g.cgroup, g.mark, 1000, 1000, 0), "chown");
	(void)cages_empty(g.top, NULL, NULL, &quiet);
	ok(becomes_still(g.cgroup, true),
	   "a mark that the owner has made does not count");
	need(fchownat(g.cgroup, g.mark, 0, 0, 0), "chown");
	(void)cages_empty(g.top, NULL, NULL, &quiet);
	ok(becomes_still(g.cgroup, false), "one that is root's does");
	ground_end(&g);
}

/* What is seen of a child, after some time. */
static char seen_state(const struct process *child, char wanted)
{
	struct process now;

	for (int i = 0; i < 200; i++) {
		need(process_read(proc, child->pid, 4, &now), "stat");
		freezer_see(&freezer, &now);
		if (now.state == wanted)
			break;
		(void)usleep(1000);
	}
	return now.state;
}

/* Two of the three are jobs. */
static void prepare(const struct ground *g)
{
	is_int(freezer_prepare_whole(&freezer, &g->children[0], open_pen(g),
				     1000),
	       0, "one is prepared, with its cgroup");
	is_int(freezer_prepare_whole(&freezer, &g->children[2], -1, 1000), 0,
	       "and another one of it");
}

static const char *methods(void)
{
	static char text[256];
	const struct frozen *row = NULL;
	size_t used = 0;

	text[0] = '\0';
	while ((row = freezer_next(&freezer, row)) && used < sizeof(text))
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s%s",
			used ? " " : "",
			freeze_method_name((enum freeze_method)row->method),
			row->is_ordered ? "" : "-member");
	return text;
}

static void test_freezer(void)
{
	struct ground g;
	pid_t born;

	ground_begin(&g);
	prepare(&g);
	ok(freezer_has_whole(&freezer, g.children[0].judged.whole) &&
		   !freezer_has_whole(&freezer, 0),
	   "it is known that the cgroup is in the table");
	is_text(methods(), "whole-cgroup whole-cgroup-member whole-cgroup",
		"all in there are in the table, with the method");
	ok(!ledger_has_any(&ledger) && !pen_is_still(g.cgroup),
	   "before they are frozen");
	born = start_child("child");
	put(g.cgroup, born);
	is_int(freezer_freeze(&freezer, &g.children[0]), 0, "one is frozen");
	is_int(freezer_freeze(&freezer, &g.children[2]), 0, "so is the other");
	ok(becomes_still(g.cgroup, true) && has_mark(&g) &&
		   ledger_has_any(&ledger),
	   "all of them are, and held");
	is_int(freezer_prepare(&freezer, &g.children[2], 2000), -EBUSY,
	       "and none can be frozen by himself as well");
	is_int((int64_t)freezer_count(&freezer), CHILDREN + 1,
	       "who was born since is in the table too");
	is_int(seen_state(&g.children[2], 'T'), 'T', "each is seen as stopped");
	is_int(seen_state(&g.children[0], 'T'), 'T', "the first one, too");
	put(g.top, g.children[2].pid);
	is_int(seen_state(&g.children[2], 'S'), 'S',
	       "who was moved out of it is not");
	put(g.below, g.children[2].pid);
	(void)kill(born, SIGTERM);
	is_int(seen_state(&g.children[0], 'S'), 'S',
	       "anybody who is asked to end is seen to be");
	is_int(freezer_thaw(&freezer, &g.children[2]), 0, "one is thawed");
	ok(becomes_still(g.cgroup, false) && !has_mark(&g) &&
		   !ledger_has_any(&ledger) && !freezer_count(&freezer),
	   "then all are, and nobody is in the table");
	is_int(freezer_thaw(&freezer, &g.children[0]), 0,
	       "the other is thawed already");
	end_child(born);
	ground_end(&g);
}

static void test_refused(void)
{
	struct ground g;
	int pen;

	ground_begin(&g);
	prepare(&g);
	write_to(g.cgroup, "cgroup.freeze", "1");
	is_int(freezer_freeze(&freezer, &g.children[0]), -EALREADY,
	       "what somebody else has frozen since is not ours");
	ok(!freezer_count(&freezer) && !ledger_has_any(&ledger) &&
		   becomes_still(g.cgroup, true),
	   "nobody is in the table, or thawed");
	write_to(g.cgroup, "cgroup.freeze", "0");

	prepare(&g);
	need(mkdirat(g.cgroup, g.mark, 0755), "mark");
	is_int(freezer_freeze(&freezer, &g.children[0]), -EAGAIN,
	       "where it cannot be marked there is another method");
	is_text(methods(), "cgroup cgroup", "for those who are to be frozen");
	ok(!pen_is_still(g.cgroup), "nobody is frozen yet");
	is_int(freezer_freeze(&freezer, &g.children[0]), 0, "by himself: one");
	is_int(freezer_freeze(&freezer, &g.children[2]), 0, "and the other");
	is_int(seen_state(&g.children[0], 'T'), 'T', "he is frozen");
	ok(!pen_is_still(g.cgroup), "the cgroup is not");
	pen = open_pen(&g);
	is_int(freezer_prepare_whole(&freezer, &g.children[1], pen, 1000),
	       -EBUSY, "then it cannot be frozen as a whole");
	(void)close(pen);
	is_int((int64_t)freezer_count(&freezer), 2, "and nobody else is");
	need(freezer_thaw(&freezer, &g.children[0]), "thaw");
	need(freezer_thaw(&freezer, &g.children[2]), "thaw");
	need(unlinkat(g.cgroup, g.mark, AT_REMOVEDIR), "mark");
	put(g.top, g.children[1].pid);
	pen = open_pen(&g);
	is_int(freezer_prepare_whole(&freezer, &g.children[1], pen, 1000),
	       -ESRCH, "who is not in there any more is not frozen with it");
	(void)close(pen);
	ok(!freezer_count(&freezer), "nor is anybody else");
	ground_end(&g);
}

/* A guardian finds it by the ledger, though the worker holds it. */
static void test_ledger(void)
{
	struct ground g;
	size_t left;

	ground_begin(&g);
	prepare(&g);
	need(freezer_freeze(&freezer, &g.children[0]), "freeze");
	is_int((int64_t)ledger_thaw_all(&ledger, proc, g.top, &quiet, &left), 3,
	       "a guardian thaws all in there");
	ok(becomes_still(g.cgroup, false) && !has_mark(&g) && !left,
	   "and they go on");
	end_child(g.children[0].pid);
	is_int(freezer_thaw(&freezer, &g.children[0]), 0,
	       "the worker has nothing left to do, whoever is gone");
	ground_end(&g);
}

int main(void)
{
	int top = open_top(), error;

	proc = need(directory_open("/proc"), "/proc");
	error = cages_check(top, proc);
	(void)close(top);
	if (error || geteuid() != 0)
		skip_all("no cgroup can be made here");
	settings_default(&settings);
	facts_open(&facts, proc, &settings, 0);
	log_open_stderr(&quiet);
	quiet.file = need(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
	test_open();
	test_check();
	test_pen();
	test_left_behind();
	test_freezer();
	test_refused();
	test_ledger();
	return done_testing();
}

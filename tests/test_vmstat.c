/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the counters of /proc/vmstat. */
#include "core/vmstat.h"

#include "core/file.h"
#include "tests/scratch.h"

static void test_since_5_9(void)
{
	struct vmstat vmstat;

	is_int(vmstat_parse(SPAN("nr_free_pages 11\n"
				 "workingset_refault_anon 22\n"
				 "workingset_refault_file 33\n"
				 "workingset_activate_anon 44\n"
				 "pswpin 55\npswpout 66\npgfault 77\n"
				 "pgmajfault 88\n"),
			    &vmstat),
	       0, "a vmstat since 5.9 is read");
	ok(vmstat.has_swap, "it tells of swap");
	is_int((int64_t)vmstat.swapped_in, 55, "pswpin is pages swapped in");
	is_int((int64_t)vmstat.swapped_out, 66, "pswpout is pages swapped out");
	is_int((int64_t)vmstat.major_faults, 88,
	       "pgmajfault, not pgfault, is major faults");
	ok(vmstat.has_refaults_anon && vmstat.refaulted_anon == 22,
	   "refaults of anonymous pages are told apart");
	ok(vmstat.has_refaults_file && vmstat.refaulted_file == 33,
	   "refaults of file pages are told apart");
}

static void test_before_5_9(void)
{
	struct vmstat vmstat;

	memset(&vmstat, 0xff, sizeof(vmstat));
	is_int(vmstat_parse(SPAN("workingset_refault 5\npswpin 6\npswpout 7\n"
				 "pgmajfault 8\n"),
			    &vmstat),
	       0, "a vmstat before 5.9 is read");
	ok(vmstat.has_refaults_file && vmstat.refaulted_file == 5,
	   "its refaults are those of file pages");
	ok(!vmstat.has_refaults_anon && vmstat.refaulted_anon == 0,
	   "it does not tell refaults of anonymous pages");
}

static void test_before_3_15(void)
{
	struct vmstat vmstat;

	memset(&vmstat, 0xff, sizeof(vmstat));
	is_int(vmstat_parse(SPAN("pgmajfault 8"), &vmstat), 0,
	       "a vmstat of a kernel without swap and refaults is read");
	ok(!vmstat.has_swap, "a kernel without swap does not tell of it");
	ok(!vmstat.has_refaults_anon && !vmstat.has_refaults_file,
	   "without any refault counter none is claimed");
}

static void test_half_a_swap(void)
{
	struct vmstat vmstat;

	is_int(vmstat_parse(SPAN("pswpin 1\npgmajfault 8\n"), &vmstat), 0,
	       "a vmstat with one counter of swap is read");
	ok(!vmstat.has_swap, "but one of the two does not tell of swap");
	(void)vmstat_parse(SPAN("pswpout 1\npgmajfault 8\n"), &vmstat);
	ok(!vmstat.has_swap, "whichever it is");
}

static void test_reclaim(void)
{
	struct vmstat vmstat;

	is_int(vmstat_parse(SPAN("pgmajfault 8\npgsteal_kswapd 900\n"
				 "pgscan_kswapd 1\npgscan_direct 20\n"
				 "pgscan_khugepaged 300\npgscan_proactive 900\n"
				 "pgscan_direct_throttle 900\n"
				 "pgscan_anon 4000\npgscan_file 50000\n"
				 "nr_free_pages 8312\n"),
			    &vmstat),
	       0, "a vmstat since 5.8 is read");
	ok(vmstat.has_free && vmstat.free == 8312, "it tells what is free");
	ok(vmstat.has_scanned, "it tells of reclaim");
	is_int((int64_t)vmstat.scanned, 54000,
	       "pages that were scanned are anonymous or of files");
	is_int((int64_t)vmstat.scanned_for_host, 321,
	       "for the host do so kswapd, who allocates, and khugepaged");
	(void)vmstat_parse(SPAN("pgmajfault 8\npgscan_kswapd 1\n"
				"pgscan_direct 20\npgscan_anon 4000\n"
				"pgscan_file 50000\n"),
			   &vmstat);
	ok(vmstat.has_scanned && vmstat.scanned_for_host == 21,
	   "before 6.2 khugepaged has no counter of its own");
	(void)vmstat_parse(SPAN("pgmajfault 8\npgscan_kswapd 1\n"
				"pgscan_direct 20\n"),
			   &vmstat);
	ok(!vmstat.has_scanned && vmstat.scanned_for_host == 0,
	   "before 5.8 the host's part alone tells nothing");
}

static void test_lists(void)
{
	struct vmstat vmstat;

	(void)vmstat_parse(SPAN("pgmajfault 8\nnr_free_pages 1\n"
				"nr_inactive_anon 700\nnr_active_anon 500\n"
				"nr_inactive_file 20\nnr_active_file 30\n"
				"nr_unevictable 100\nnr_anon_pages 900\n"
				"nr_shmem 50\nnr_swapcached 4000\n"),
			   &vmstat);
	ok(vmstat.has_usable && vmstat.usable == 1251,
	   "what is free, or listed to be evicted, is of use");
	ok(vmstat.has_evicted && vmstat.evicted == 350,
	   "anonymous pages that nobody maps or shares are evicted");
	(void)vmstat_parse(SPAN("pgmajfault 8\nnr_free_pages 1\n"
				"nr_inactive_anon 700\nnr_active_anon 500\n"
				"nr_unevictable 100\nnr_anon_pages 900\n"
				"nr_shmem 50\nnr_swapcached 300\n"),
			   &vmstat);
	ok(vmstat.has_evicted && vmstat.evicted == 300,
	   "but no more than the swap cache holds");
	ok(!vmstat.has_usable, "without the lists of files nothing is known");
	(void)vmstat_parse(SPAN("pgmajfault 8\n"
				"nr_inactive_anon 700\nnr_active_anon 50\n"
				"nr_unevictable 100\nnr_anon_pages 900\n"
				"nr_shmem 50\nnr_swapcached 300\n"),
			   &vmstat);
	ok(vmstat.has_evicted && !vmstat.evicted,
	   "counters that do not agree make nothing of it");
	(void)vmstat_parse(SPAN("pgmajfault 8\n"
				"nr_inactive_anon 700\nnr_active_anon 500\n"
				"nr_unevictable 100\nnr_anon_pages 900\n"
				"nr_shmem 50\n"),
			   &vmstat);
	ok(!vmstat.has_evicted, "before 5.12 it is not known");
}

static void test_refused(void)
{
	struct vmstat vmstat;

	is_int(vmstat_parse(SPAN("pswpin 1\npswpout 2\npgfault 3\n"), &vmstat),
	       -EINVAL, "a text without pgmajfault is refused");
	is_int(vmstat_parse((struct span){NULL, 0}, &vmstat), -EINVAL,
	       "nothing is refused");
	is_int(vmstat_parse(SPAN("pgmajfault 1\npgmajfault 1\n"), &vmstat),
	       -EINVAL, "a counter that comes twice is refused");
	ok(vmstat_parse(SPAN("pgmajfault 1\npswpin -1\n"), &vmstat) < 0,
	   "a negative counter is refused");
	ok(vmstat_parse(SPAN("pgmajfault 18446744073709551616\n"), &vmstat) < 0,
	   "a counter above the largest is refused");
}

/* The files of two kernels, as they are. */
static void test_files(void)
{
	char buffer[VMSTAT_SIZE];
	struct vmstat vmstat = {0};
	struct span text;

	ok(file_read_at(AT_FDCWD, "tests/proc/calm/vmstat", buffer,
			sizeof(buffer), &text) == 0 &&
		   vmstat_parse(text, &vmstat) == 0,
	   "the vmstat of a 6.18 kernel is read");
	ok(vmstat.swapped_in == 1200 && vmstat.swapped_out == 5400 &&
		   vmstat.major_faults == 1888 &&
		   vmstat.refaulted_anon == 950 &&
		   vmstat.refaulted_file == 233139,
	   "with the numbers that stand in it");
	ok(file_read_at(AT_FDCWD, "tests/proc/linux_4_4/vmstat", buffer,
			sizeof(buffer), &text) == 0 &&
		   vmstat_parse(text, &vmstat) == 0,
	   "the vmstat of a 4.4 kernel is read");
	ok(vmstat.swapped_in == 30411 && vmstat.swapped_out == 42113 &&
		   vmstat.major_faults == 61230 &&
		   vmstat.refaulted_file == 71013 && !vmstat.has_refaults_anon,
	   "with the numbers that stand in it, too");
}

int main(void)
{
	test_since_5_9();
	test_before_5_9();
	test_before_3_15();
	test_half_a_swap();
	test_reclaim();
	test_lists();
	test_refused();
	test_files();
	return done_testing();
}

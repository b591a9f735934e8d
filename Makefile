# thrash-protect: one Makefile for everything; objects go below build/.

VERSION = 0.1.0

CC = gcc
CFLAGS = -O2 -g
BUILD = build

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual \
	-Wpointer-arith -Wundef -Wswitch-enum -Wnull-dereference
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SECTIONS = -ffunction-sections -fdata-sections
OUR_CFLAGS = -std=c11 -D_GNU_SOURCE -MMD -MP -I. -DVERSION='"$(VERSION)"' \
	-pthread $(WARNINGS) $(HARDENING) $(SECTIONS)
OUR_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now
# What runs best when it touches few pages, checks, or locks those that it has
# into memory, the daemon, is static where libc.a is there.
STATIC := $(shell echo 'int main(void){return 0;}' | \
	$(CC) -static -x c -o /dev/null - 2>/dev/null && echo -static)
# The header says where .eh_frame begins, which need not be locked.
STATIC_LDFLAGS = $(STATIC) -pthread -Wl,--eh-frame-hdr
SMALL_LDFLAGS = $(if $(STATIC),$(STATIC_LDFLAGS),$(OUR_LDFLAGS)) \
	-Wl,--gc-sections

DAEMON = thrash-protect
CHECKS = check_thrash_frozen check_thrash_marker check_thrash_pressure
GRAPHS = thrash_majfault thrash_swap thrash_freezes thrash_stall
PROGRAMS = $(DAEMON) $(CHECKS) $(GRAPHS)
PUSH = thrash-protect-push

comma := ,
object = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_O := $(call object,$(wildcard core/*.c))
DAEMON_O := $(call object,$(filter-out daemon/main.c,$(wildcard daemon/*.c)))
NAGIOS_O := $(call object,plugins/nagios/nagios.c)
# All of the push tool but main() and libcurl, with the checks that it makes.
PUSH_O := $(call object,$(filter-out plugins/nagios/push.c \
	plugins/nagios/push_wire.c plugins/nagios/main.c,\
	$(wildcard plugins/nagios/*.c)))
MUNIN_O := $(call object,plugins/munin/munin.c)
TEST_O := $(call object,tests/tap.c tests/parsers.c)
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%.t,$(wildcard tests/test_*.c))
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,\
	$(wildcard tests/tools/*.c))
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,\
	$(wildcard tests/bench/*.c))

SOURCES := $(wildcard core/*.c daemon/*.c plugins/*/*.c tests/*.c \
	tests/tools/*.c tests/bench/*.c tests/fuzz/*.c)
HEADERS := $(wildcard core/*.h daemon/*.h plugins/*/*.h tests/*.h \
	tests/tools/*.h tests/fuzz/*.h)
SCRIPTS = $(wildcard tests/*.t tests/*.sh tests/*/*.t tests/*/*.sh) .ci/run
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all
MUTATIONS =
PROVE_FLAGS =
# The shell tests of what parses, and one that does all that a daemon does; the
# others that freeze things add nothing here.
SANITIZED_TESTS = tests/cli.t tests/nagios.t tests/munin.t tests/push.t \
	tests/push-hostile.t tests/leaks.t

all: $(addprefix $(BUILD)/bin/,$(PROGRAMS))

$(BUILD)/%.o: %.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) -c -o $@ $<

# Another compiler or other flags build everything anew.
FLAGS = $(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) $(LDFLAGS)
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' "$(subst ",',$(FLAGS))" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
force:

$(BUILD)/libcore.a: $(CORE_O)
	$(AR) rcs $@ $^

# Everything of the daemon but main(), so that tests link the real thing.
$(BUILD)/libdaemon.a: $(DAEMON_O)
	$(AR) rcs $@ $^

# What several tests share; each links what it uses of it.
$(BUILD)/libtests.a: $(TEST_O)
	$(AR) rcs $@ $^

$(BUILD)/bin/$(DAEMON): $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a \
		$(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SMALL_LDFLAGS) $(LDFLAGS) -o $@ $^

# One main() for all: the linker puts the check of the program's name there.
$(addprefix $(BUILD)/bin/,$(CHECKS)): $(BUILD)/bin/%: \
		$(BUILD)/plugins/nagios/main.o $(BUILD)/plugins/nagios/%.o \
		$(NAGIOS_O) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SMALL_LDFLAGS) $(LDFLAGS) \
		-Wl,--defsym=nagios_check=$* -o $@ $^

# The one program that needs more than libc: libcurl, with its headers.
CURL_CONFIG = curl-config
CAN_PUSH := $(if $(shell command -v $(CURL_CONFIG)),push)
push: $(BUILD)/bin/$(PUSH)

$(BUILD)/bin/$(PUSH): $(BUILD)/plugins/nagios/push.o \
		$(BUILD)/plugins/nagios/push_wire.o $(BUILD)/libpush.a \
		$(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$$($(CURL_CONFIG) --libs)

$(BUILD)/libpush.a: $(PUSH_O)
	$(AR) rcs $@ $^

$(addprefix $(BUILD)/bin/,$(GRAPHS)): $(BUILD)/bin/%: \
		$(BUILD)/plugins/munin/%.o $(MUNIN_O) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SMALL_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/%.t: $(BUILD)/tests/%.o $(BUILD)/libtests.a $(BUILD)/libpush.a \
		$(MUNIN_O) $(BUILD)/libdaemon.a $(BUILD)/libcore.a
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^

# A thousand hosts that exist in arithmetic only; SIMULATE_HOSTS=100 for fewer;
# with a seed as argument, the story of one.
SIMULATE = $(BUILD)/tests/simulate.t
$(SIMULATE): $(call object,tests/simulate.c tests/simulated_host.c) \
		$(BUILD)/libtests.a $(BUILD)/libdaemon.a $(BUILD)/libcore.a
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^ -lm

# Small programs that tests run: hogs, terminals, the daemon's freezer by hand.
$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(NAGIOS_O) \
		$(BUILD)/libdaemon.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SMALL_LDFLAGS) $(LDFLAGS) -o $@ $^

# What measures: one of them with the decisions of the daemon inside.
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libdaemon.a \
		$(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SMALL_LDFLAGS) $(LDFLAGS) -o $@ $^

# The daemon for what makes code as it looks into it, and finds no functions in
# a static program: dynamic, and without giving up the right to make code.
WATCHED = $(BUILD)/tests/thrash-protect-watched
$(WATCHED): $(call object,daemon/main.c tests/unconfined.c) \
		$(BUILD)/libdaemon.a $(BUILD)/libcore.a
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -Wl,--wrap=privilege_drop \
		-o $@ $^

# The daemon and the plugins in a later time, see tests/later.c.
LATER := $(addprefix $(BUILD)/tests/later/,$(DAEMON) $(GRAPHS))
LATER_O := $(call object,tests/later.c)
LATER_LDFLAGS = $(SMALL_LDFLAGS) -Wl,--wrap=clock_gettime

$(BUILD)/tests/later/$(DAEMON): $(call object,daemon/main.c tests/unconfined.c) \
		$(LATER_O) $(BUILD)/libdaemon.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LATER_LDFLAGS) $(LDFLAGS) -Wl,--wrap=privilege_drop \
		-o $@ $^

$(BUILD)/tests/later/%: $(BUILD)/plugins/munin/%.o $(MUNIN_O) $(LATER_O) \
		$(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LATER_LDFLAGS) $(LDFLAGS) -o $@ $^

# Tests -----------------------------------------------------------------------

check: all $(CAN_PUSH) $(TESTS) $(SIMULATE) $(TOOLS) $(WATCHED)
	BUILD=$(BUILD) prove $(PROVE_FLAGS) $(BUILD)/tests tests

# Real Nagios, Icinga, NRPE and Munin, in namespaces; as root.  What Munin drew
# is kept in $(BUILD)/artifacts.  Each has a host of its own, and mostly waits.
SERVER_JOBS = 3
check-servers: all $(TOOLS) $(LATER)
	BUILD=$(BUILD) prove -j $(SERVER_JOBS) $(PROVE_FLAGS) tests/servers

sanitize:
	$(MAKE) BUILD=$(BUILD)/sanitize STATIC= HARDENING= \
		CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZERS)' \
		LDFLAGS='$(SANITIZERS)' MUTATIONS=100000 sanitize-run

sanitize-run: all $(CAN_PUSH) $(TESTS) $(SIMULATE) $(TOOLS) $(WATCHED)
	BUILD=$(BUILD) MUTATIONS=$(MUTATIONS) SIMULATE_HOSTS=100 SANITIZED=yes prove $(PROVE_FLAGS) \
		$(BUILD)/tests $(SANITIZED_TESTS)

# Every parser, and the whole daemon on made-up hosts, with what libFuzzer makes
# of the seeds and tests/fuzz/corpus; FUZZ_TARGETS for some of them only.
FUZZ_SECONDS = 10
FUZZ_TARGETS =
FUZZER = $(BUILD)/tests/fuzz/fuzz
# What would make runs differ, or raise the fuzzer's priority.
FUZZ_WRAPPED = clock_boottime_us getpid resident_begin resident_keep \
	watchdogs_open

fuzz:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang STATIC= HARDENING=-fPIE \
		CFLAGS='-O1 -g $(SANITIZERS) -fsanitize=fuzzer-no-link' \
		LDFLAGS='$(SANITIZERS)' fuzz-run

$(FUZZER): $(call object,$(wildcard tests/fuzz/*.c)) $(BUILD)/libtests.a \
		$(BUILD)/libpush.a $(BUILD)/libdaemon.a $(BUILD)/libcore.a
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -fsanitize=fuzzer \
		$(addprefix -Wl$(comma)--wrap=,$(FUZZ_WRAPPED)) -o $@ $^

fuzz-run: $(FUZZER)
	tests/fuzz/fuzz.sh $(FUZZER) $(BUILD) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Static checks; each line is one, and none may find anything.
# each FILES,COMMAND: the command for each of the files, {}, on all cores
each = printf '%s\n' $(1) | xargs -P $(shell nproc) -I{} $(2)
LINT_CFLAGS = $(filter-out -MMD -MP,$(OUR_CFLAGS))

lint: lint-arrows
	clang-format --dry-run -Werror $(SOURCES) $(HEADERS)
	$(call each,$(SOURCES),clang-tidy --quiet {} -- $(LINT_CFLAGS)) \
		2>/dev/null # it counts what it does not show there
	cppcheck --quiet -j $(shell nproc) --std=c11 \
		--enable=warning,performance,portability \
		--suppress=ctuuninitvar --inline-suppr --error-exitcode=1 -I. $(SOURCES)
	$(call each,$(SOURCES),gcc $(LINT_CFLAGS) -O2 -fanalyzer -Werror -c \
		-o /dev/null {})
	$(call each,$(HEADERS),gcc $(LINT_CFLAGS) -Werror -fsyntax-only -x c {})
	$(call each,$(SCRIPTS),shellcheck -x {})

# libc <- core <- daemon, and libc <- core <- plugins; nothing else.
lint-arrows:
	! grep -n '#include "' core/*.[ch] | grep -v '"core/'
	! grep -n '#include "' daemon/*.[ch] | grep -Ev '"(core|daemon)/'
	! grep -n '#include "' plugins/nagios/*.[ch] | \
		grep -Ev '"(core|plugins/nagios)/'
	! grep -n '#include "' plugins/munin/*.[ch] | \
		grep -Ev '"(core|plugins/munin)/'
	! grep -n '<curl/' */*.[ch] plugins/*/*.[ch] | \
		grep -v '^plugins/nagios/push_wire.c:'
	! grep -nE '\<(exit|kill|sleep|usleep|nanosleep)\(' core/*.c

# A fresh Debian or Ubuntu needs these for check, check-servers, fuzz, lint and
# demo; as root.
DEPS = clang clang-format clang-tidy cppcheck curl e2fsprogs faketime \
	groff-base icinga2-bin icinga2-common iproute2 libclang-rt-dev \
	libcurl4-openssl-dev libmonitoring-plugin-perl mandoc mmdebstrap mount \
	munin munin-async munin-node nagios-nrpe-plugin nagios-nrpe-server \
	nagios4-core netcat-openbsd openssl perl perl-doc procps prometheus \
	python3 python3-nagiosplugin rrdtool shellcheck strace sudo \
	systemd-container tmux util-linux valgrind
# It cannot be installed beside the other munin-node: only unpacked.
MUNIN_NODE_C = /var/cache/thrash-protect-tests/munin-node-c

deps:
	@command -v apt-get >/dev/null || { \
		echo "make deps: no apt-get here; please install: $(DEPS)"; \
		exit 1; }
	@test "$$(id -u)" = 0 || { \
		echo "make deps: needs root, to install: $(DEPS)"; exit 1; }
	tests/deps.sh $(DEPS)
	tests/servers/unpack.sh munin-node-c $(MUNIN_NODE_C)

# PEER=path of another daemon to compare with; some rows need root.
bench: all $(BENCH) $(TOOLS)
	@BUILD=$(BUILD) PEER=$(PEER) tests/bench/bench.sh

# A small system to boot for tests, kept outside; as root, 200 MB from Debian's
# mirror in half a minute, by mmdebstrap.  One that lacks a package is replaced.
NSPAWN_TREE = /var/cache/thrash-protect-tests/bookworm
NSPAWN_PACKAGES = systemd systemd-sysv dbus procps libpam-systemd \
	openssh-server sudo tmux

nspawn:
	mkdir -p $(dir $(NSPAWN_TREE))
	dpkg-query --admindir=$(NSPAWN_TREE)/var/lib/dpkg --show \
		$(NSPAWN_PACKAGES) >/dev/null 2>&1 || { \
		rm -rf $(NSPAWN_TREE).new && \
		mmdebstrap --variant=apt \
			--include=$(subst $() $(),$(comma),$(NSPAWN_PACKAGES)) \
			bookworm $(NSPAWN_TREE).new && \
		rm -rf $(NSPAWN_TREE) && mv $(NSPAWN_TREE).new $(NSPAWN_TREE); }

demo: all $(TOOLS)
	@BUILD=$(BUILD) tests/demo.sh

clean:
	rm -rf $(BUILD)

.PHONY: all bench check check-servers clean demo deps force fuzz fuzz-run \
	lint lint-arrows nspawn push sanitize sanitize-run
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# thrash-protect: one Makefile for everything; objects go below build/.

VERSION = 0.1.0

# Where "make install" puts things, below DESTDIR; each can be given, the same
# to make and to make install.
DESTDIR =
prefix = /usr/local
sbindir = $(prefix)/sbin
libdir = $(prefix)/lib
datadir = $(prefix)/share
mandir = $(datadir)/man
docdir = $(datadir)/doc/$(DAEMON)
sysconfdir = /etc
nagiosdir = $(libdir)/nagios/plugins
pkglibdir = $(libdir)/$(DAEMON)
munindir = $(datadir)/munin/plugins
puppetdir = $(datadir)/puppet/modules
unitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
# What starts the daemon there: systemd, debian or redhat (as SysV has it),
# upstart, openrc; some of them, or none.
INIT = systemd

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
SCRIPTS = $(wildcard tests/*.t tests/*.sh tests/*/*.t tests/*/*.sh) .ci/*
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
	$(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(PLACES) $(CFLAGS) -c -o $@ $<

# Those that know where the settings are.
$(call object,daemon/settings.c plugins/nagios/push_settings.c): \
		PLACES = -DSYSCONFDIR='"$(sysconfdir)"'
$(call object,daemon/settings.c plugins/nagios/push_settings.c): \
		$(BUILD)/sysconfdir

# $(call changed,TEXT): the target is new when the text is
changed = printf '%s\n' "$(subst ",',$(1))" >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(BUILD)/sysconfdir: force
	@mkdir -p $(@D)
	@$(call changed,$(sysconfdir))

# Another compiler or other flags build everything anew.
FLAGS = $(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) $(LDFLAGS)
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@$(call changed,$(FLAGS))
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

# each WORDS,COMMAND: the command for each of the words, {}, on all cores
each = printf '%s\n' $(1) | xargs -P $(shell nproc) -I{} $(2)

check: all $(CAN_PUSH) $(TESTS) $(SIMULATE) $(TOOLS) $(WATCHED)
	BUILD=$(BUILD) prove $(PROVE_FLAGS) $(BUILD)/tests tests

# Those that are functions only.
check-units: $(TESTS)
	prove $(PROVE_FLAGS) $(BUILD)/tests

# Real Nagios, Icinga, NRPE and Munin, in namespaces; as root.  What Munin drew
# is kept in $(BUILD)/artifacts.  Each has a host of its own, and mostly waits.
SERVER_JOBS = 3
check-servers: all $(CAN_PUSH) $(TOOLS) $(LATER)
	BUILD=$(BUILD) prove -j $(SERVER_JOBS) $(PROVE_FLAGS) tests/servers

sanitize:
	$(MAKE) BUILD=$(BUILD)/sanitize STATIC= HARDENING= \
		CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZERS)' \
		LDFLAGS='$(SANITIZERS)' MUTATIONS=100000 sanitize-run

sanitize-run: all $(CAN_PUSH) $(TESTS) $(SIMULATE) $(TOOLS) $(WATCHED)
	BUILD=$(BUILD) MUTATIONS=$(MUTATIONS) SIMULATE_HOSTS=100 SANITIZED=yes \
		prove -j $(shell nproc) $(PROVE_FLAGS) $(BUILD)/tests $(SANITIZED_TESTS)

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
	$(call each,$(or $(FUZZ_TARGETS),$$($(FUZZER))),\
		tests/fuzz/fuzz.sh $(FUZZER) $(BUILD) $(FUZZ_SECONDS) {})

# Static checks; each line is one, and none may find anything.
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
# For check-packages.
PACKAGE_DEPS = apt-utils debhelper devscripts fakeroot libarchive-tools \
	libcurl4-openssl-dev lintian makepkg mmdebstrap \
	pacman-package-manager piuparts rpm rpmlint shellcheck systemd \
	systemd-container zstd
# For check-puppet.
PUPPET_DEPS = apt-utils bc createrepo-c dnf icinga2-bin libarchive-tools \
	makepkg metadata-json-lint mmdebstrap nagios4-core \
	pacman-package-manager puppet-agent puppet-lint \
	puppet-module-puppetlabs-stdlib puppet-strings rpm \
	ruby-puppetlabs-spec-helper ruby-rspec-puppet systemd-container yamllint
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

# A small system to boot for tests, kept outside; as root, 250 MB from Debian's
# mirror in half a minute, by mmdebstrap.  One that lacks a package is replaced.
NSPAWN_TREE = /var/cache/thrash-protect-tests/bookworm
NSPAWN_PACKAGES = systemd systemd-sysv dbus libcurl4 procps libpam-systemd \
	munin-node nagios-nrpe-plugin nagios-nrpe-server openssh-server sudo \
	tmux

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

# Installation ----------------------------------------------------------------

# What has paths in it: *.in with @names@, and files that are used here as they
# are and name the usual places.  All of it goes through here.
SUBSTITUTE = sed -e 's|@VERSION@|$(VERSION)|g' \
	-e 's|@DATE@|$(shell LC_ALL=C date -Ru -d @$(EPOCH))|g' \
	-e 's|@RPM_DATE@|$(shell LC_ALL=C date -u -d @$(EPOCH) '+%a %b %d %Y')|g' \
	-e 's|@sbindir@|$(sbindir)|g' \
	-e 's|/usr/lib/nagios/plugins|$(nagiosdir)|g' \
	-e 's|/etc/\(thrash-protect\)|$(sysconfdir)/\1|g' \
	-e 's|plugins/[a-z]*/examples|$(docdir)/examples|g'
READY = $(BUILD)/ready

$(READY)/%: %.in $(BUILD)/places
	@mkdir -p $(@D)
	$(SUBSTITUTE) $< >$@

$(READY)/%: % $(BUILD)/places
	@mkdir -p $(@D)
	$(SUBSTITUTE) $< >$@

# The settings with their defaults, from the page that tests hold to --help.
$(READY)/packaging/thrash-protect.conf: packaging/conf.awk \
		$(READY)/daemon/thrash-protect.conf.5
	@mkdir -p $(@D)
	awk -f $^ >$@

# Other places put them everywhere anew.
$(BUILD)/places: force
	@mkdir -p $(@D)
	@$(call changed,$(SUBSTITUTE))

# $(call put,MODE,DIRECTORY,FILES): makes the directory, too
put = install -d "$(DESTDIR)$(2)" && install -m $(1) $(3) "$(DESTDIR)$(2)"
# $(call put_as,MODE,FILE,NAME)
put_as = install -D -m $(1) $(2) "$(DESTDIR)$(3)"

DAEMON_PAGES = $(addprefix $(READY)/daemon/,thrash-protect.8 \
	thrash-protect.conf.5)
CHECK_PAGES = $(patsubst %,$(READY)/plugins/nagios/%.1,$(CHECKS))
NAGIOS_EXAMPLES = $(addprefix $(READY)/plugins/nagios/examples/,nrpe.cfg \
	nagios.cfg icinga2.conf)
PUSH_EXAMPLES = $(addprefix $(READY)/plugins/nagios/examples/,\
	thrash-protect-push.conf icinga2-push.conf nagios-push.cfg)
PUSH_PAGE = $(READY)/plugins/nagios/thrash-protect-push.8
CONFIG = $(READY)/packaging/thrash-protect.conf
STARTUP = $(addprefix $(READY)/packaging/,thrash-protect.service \
	thrash-protect.sysusers thrash-protect.tmpfiles \
	thrash-protect-push.service thrash-protect-push.sysusers \
	thrash-protect-push.tmpfiles init.debian init.redhat init.openrc \
	upstart.conf)

startup: $(STARTUP)

install: install-daemon install-checks install-graphs \
	$(if $(CAN_PUSH),install-push)

# Settings that are there already stay.
install-daemon: $(BUILD)/bin/$(DAEMON) $(DAEMON_PAGES) $(CONFIG) \
		$(addprefix install-init-,$(filter-out none,$(INIT)))
	$(call put,755,$(sbindir),$<)
	$(call put,644,$(mandir)/man8,$(filter %.8,$^))
	$(call put,644,$(mandir)/man5,$(filter %.5,$^))
	test -e "$(DESTDIR)$(sysconfdir)/$(DAEMON).conf" || \
		{ $(call put,644,$(sysconfdir),$(CONFIG)); }

install-checks: $(addprefix $(BUILD)/bin/,$(CHECKS)) $(CHECK_PAGES) \
		$(NAGIOS_EXAMPLES)
	$(call put,755,$(nagiosdir),$(filter $(BUILD)/bin/%,$^))
	$(call put,644,$(mandir)/man1,$(CHECK_PAGES))
	$(call put,644,$(docdir)/examples,$(NAGIOS_EXAMPLES))

# Munin's own directory is for what is the same on all machines.
install-graphs: $(addprefix $(BUILD)/bin/,$(GRAPHS)) \
		$(READY)/plugins/munin/examples/plugin-conf
	$(call put,755,$(pkglibdir),$(filter $(BUILD)/bin/%,$^))
	install -d "$(DESTDIR)$(munindir)"
	for graph in $(GRAPHS); do \
		ln -sfr "$(DESTDIR)$(pkglibdir)/$$graph" \
			"$(DESTDIR)$(munindir)" || exit; \
	done
	$(call put,644,$(docdir)/examples,$(filter %/plugin-conf,$^))

install-push: $(BUILD)/bin/$(PUSH) $(PUSH_PAGE) $(PUSH_EXAMPLES) \
		$(addprefix install-push-,$(filter systemd,$(INIT)))
	$(call put,755,$(sbindir),$<)
	$(call put,644,$(mandir)/man8,$(PUSH_PAGE))
	$(call put,644,$(docdir)/examples,$(PUSH_EXAMPLES))

# The daemon, and the push tool, as a user of their own.
install-init-systemd: NAME = $(DAEMON)
install-push-systemd: NAME = $(PUSH)
install-init-systemd install-push-systemd: $(STARTUP)
	$(call put,644,$(unitdir),$(READY)/packaging/$(NAME).service)
	$(call put_as,644,$(READY)/packaging/$(NAME).sysusers,$(sysusersdir)/$(NAME).conf)
	$(call put_as,644,$(READY)/packaging/$(NAME).tmpfiles,$(tmpfilesdir)/$(NAME).conf)

install-init-debian install-init-redhat install-init-openrc: \
		install-init-%: $(READY)/packaging/init.%
	$(call put_as,755,$<,$(sysconfdir)/init.d/$(DAEMON))

install-init-upstart: $(READY)/packaging/upstart.conf
	$(call put_as,644,$<,$(sysconfdir)/init/$(DAEMON).conf)

# A module for Puppet, without its tests.
MODULE = $(puppetdir)/thrash_protect
MODULE_TESTS = $(addprefix puppet/,Gemfile Rakefile spec tests)
install-puppet:
	install -d "$(DESTDIR)$(MODULE)"
	for part in $(filter-out $(MODULE_TESTS),$(wildcard puppet/*)); do \
		cp -R --no-preserve=ownership $$part "$(DESTDIR)$(MODULE)" || exit; \
	done
	chmod -R u=rwX,go=rX "$(DESTDIR)$(MODULE)"

# Whatever these would put there; changed settings stay.
uninstall:
	rm -rf $(BUILD)/installed
	$(MAKE) --no-print-directory DESTDIR=$(abspath $(BUILD))/installed \
		install install-puppet
	find $(BUILD)/installed ! -type d -printf '%P\n' | while read -r file; do \
		case $$file in *.conf) \
			cmp -s "$(BUILD)/installed/$$file" \
				"$(DESTDIR)/$$file" || continue ;; \
		esac; \
		rm -f "$(DESTDIR)/$$file"; \
	done
	find $(BUILD)/installed -depth -type d -printf '%P\n' | grep thrash | \
		while read -r directory; do \
			rmdir "$(DESTDIR)/$$directory" 2>/dev/null; \
		done; true
	rm -rf $(BUILD)/installed

# Packages --------------------------------------------------------------------

# All of these work offline, as anybody, in a clone and in what dist makes, and
# give the same bytes there.
NAME_VERSION = $(DAEMON)-$(VERSION)
TARBALL = $(BUILD)/$(NAME_VERSION).tar.gz
# When the last change was made: the date of all that is packed.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell \
	{ test -e .git && git log -1 --format=%ct; } || stat -c %Y Makefile))
# A package says by itself where things are: nothing that make was told here.
CLEAN_ENV = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u DESTDIR \
	SOURCE_DATE_EPOCH=$(EPOCH)
DEB_FLAGS = --unsigned-source --unsigned-changes
# Where these are not how programs are installed, they do not know what is there.
RPM_FLAGS = $(shell rpm --query rpm >/dev/null 2>&1 || echo --nodeps)
RPM_REPRODUCIBLE = --define 'use_source_date_epoch_as_buildtime 1' \
	--define 'clamp_mtime_to_source_date_epoch 1' \
	--define '_buildhost localhost'
MAKEPKG_FLAGS = --nosign \
	$(shell pacman --query pacman >/dev/null 2>&1 || echo --nodeps)

dist: $(TARBALL)

$(TARBALL): force
	@mkdir -p $(@D)
	{ test -e .git && git ls-files || \
		find . \( -path './$(BUILD)' -o -path ./.git \) -prune -o \
			! -type d -printf '%P\n'; } | \
		LC_ALL=C sort >$@.list
	tar --create --no-recursion --format=ustar --files-from=$@.list \
		--transform='s,^,$(NAME_VERSION)/,S' --owner=0 --group=0 \
		--numeric-owner --mtime=@$(EPOCH) --mode=u=rwX,go=rX | \
		gzip -9n >$@
	@rm $@.list

deb: $(TARBALL) $(READY)/packaging/debian/changelog
	rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb
	cp $(TARBALL) $(BUILD)/deb/$(DAEMON)_$(VERSION).orig.tar.gz
	tar -xzf $(TARBALL) -C $(BUILD)/deb
	cp -R packaging/debian $(BUILD)/deb/$(NAME_VERSION)
	rm $(BUILD)/deb/$(NAME_VERSION)/debian/*.in
	cp $(READY)/packaging/debian/changelog $(BUILD)/deb/$(NAME_VERSION)/debian
	cd $(BUILD)/deb/$(NAME_VERSION) && $(CLEAN_ENV) dpkg-buildpackage $(DEB_FLAGS)

# Binary packages would name the sum of a source package that was made with them,
# and that names the directory which it was made in.
rpm: $(TARBALL) $(READY)/packaging/rpm/thrash-protect.spec
	rm -rf $(BUILD)/rpm && mkdir -p $(BUILD)/rpm/SOURCES
	cp $(TARBALL) $(BUILD)/rpm/SOURCES
	for kind in -bb -bs; do \
		$(CLEAN_ENV) rpmbuild $$kind $(RPM_REPRODUCIBLE) $(RPM_FLAGS) \
			--define '_topdir $(abspath $(BUILD))/rpm' \
			$(READY)/packaging/rpm/thrash-protect.spec || exit; \
	done

# What goes to the AUR, and with makepkg, which does not run as root, the
# package itself.
PKGBUILD: $(TARBALL) $(READY)/packaging/arch/PKGBUILD
	rm -rf $(BUILD)/arch && mkdir -p $(BUILD)/arch
	cp $(TARBALL) packaging/arch/thrash-protect.install $(BUILD)/arch
	sed "s/@SHA256@/$$(sha256sum $(TARBALL) | cut -d ' ' -f 1)/" \
		$(READY)/packaging/arch/PKGBUILD >$(BUILD)/arch/PKGBUILD

arch: PKGBUILD
	cd $(BUILD)/arch && $(CLEAN_ENV) makepkg --force $(MAKEPKG_FLAGS) && \
		$(CLEAN_ENV) makepkg --printsrcinfo >.SRCINFO

# Builds all of them, installs, upgrades and removes them, and starts what they
# bring, in small systems that "make package-trees" and "make nspawn" make.
check-packages: all $(TOOLS)
	BUILD=$(BUILD) prove $(PROVE_FLAGS) tests/packages/build.t
	BUILD=$(BUILD) prove $(PROVE_FLAGS) -j2 \
		$(filter-out %/build.t,$(wildcard tests/packages/*.t))

# What that needs; as root, once: 100 MB in a minute.  One that lacks a package is
# replaced.
PLAIN_TREE = $(dir $(NSPAWN_TREE))plain
PLAIN_PACKAGES = openrc sysvinit-core procps libcurl4 passwd \
	systemd-standalone-sysusers puppet-module-puppetlabs-stdlib

package-trees:
	tests/deps.sh $(PACKAGE_DEPS)
	mkdir -p $(dir $(PLAIN_TREE))
	test "$$(cat $(PLAIN_TREE).list 2>&1)" = '$(PLAIN_PACKAGES)' || { \
		mmdebstrap --variant=minbase \
			--include=$(subst $() $(),$(comma),$(PLAIN_PACKAGES)) \
			--customize-hook='rm -f "$$1/etc/apt/sources.list"' \
			bookworm $(PLAIN_TREE).new.tar.gz && \
		mv $(PLAIN_TREE).new.tar.gz $(PLAIN_TREE).tar.gz && \
		echo '$(PLAIN_PACKAGES)' >$(PLAIN_TREE).list; }

# The Puppet module, in the system that "make puppet-tree" makes, and with
# packages, which are made first where there are none.
check-puppet: all push $(TOOLS)
	test -d $(BUILD)/packages || \
		BUILD=$(BUILD) prove $(PROVE_FLAGS) tests/packages/build.t
	BUILD=$(BUILD) prove $(PROVE_FLAGS) -j2 tests/puppet

# What that needs; as root, once.
puppet-tree:
	tests/deps.sh $(PUPPET_DEPS)
	tests/puppet/tree.sh $(dir $(NSPAWN_TREE))puppet

puppet-reference:
	cd puppet && RUBYOPT=-W0 puppet strings generate --format markdown \
		--out REFERENCE.md && rm -r .yardoc

clean:
	rm -rf $(BUILD)

.PHONY: all arch bench check check-packages check-puppet check-servers \
	check-units clean deb demo deps dist force fuzz fuzz-run install \
	install-checks install-daemon install-graphs install-init-debian install-init-openrc \
	install-init-redhat install-init-systemd install-init-upstart \
	install-puppet install-push install-push-systemd lint lint-arrows \
	nspawn package-trees PKGBUILD puppet-reference puppet-tree push rpm \
	sanitize sanitize-run startup uninstall
.SECONDARY:
# What is packed has directories of such names.
-include $(shell find $(BUILD) -type d \( -name deb -o -name rpm -o -name arch \) \
	-prune -o -type f -name '*.d' -print 2>/dev/null)

# thrash-protect: one Makefile for everything; objects go below build/.

VERSION = 0.1.0

CC = gcc
CFLAGS = -O2 -g
BUILD = build

DESTDIR =
PREFIX = /usr
SBINDIR = $(PREFIX)/sbin
SYSCONFDIR = /etc
MANDIR = $(PREFIX)/share/man
NAGIOSPLUGINDIR = $(PREFIX)/lib/nagios/plugins
MUNINPLUGINDIR = $(PREFIX)/share/munin/plugins

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual \
	-Wpointer-arith -Wundef -Wswitch-enum -Wnull-dereference
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OUR_CFLAGS = -std=c11 -D_GNU_SOURCE -MMD -MP -I. -DVERSION='"$(VERSION)"' \
	$(WARNINGS) $(HARDENING)
OUR_LDFLAGS = -pie -Wl,-z,relro,-z,now
# A check runs best when it touches few pages: static where libc.a is there.
PLUGIN_LDFLAGS := $(shell echo 'int main(void){return 0;}' | \
	$(CC) -static -x c -o /dev/null - 2>/dev/null && echo -static)
PLUGIN_LDFLAGS_ = $(if $(PLUGIN_LDFLAGS),$(PLUGIN_LDFLAGS),$(OUR_LDFLAGS))

DAEMON = thrash-protect
CHECKS = check_thrash_frozen check_thrash_marker check_thrash_pressure
GRAPHS = thrash_majfault thrash_swap thrash_freezes thrash_stall
PROGRAMS = $(DAEMON) $(CHECKS) $(GRAPHS)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_O := $(call object,$(wildcard core/*.c))
DAEMON_O := $(call object,$(filter-out daemon/main.c,$(wildcard daemon/*.c)))
NAGIOS_O := $(call object,plugins/nagios/nagios.c)
MUNIN_O := $(call object,plugins/munin/munin.c)
TEST_O := $(call object,tests/tap.c)
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%.t,$(wildcard tests/test_*.c))
TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,\
	$(wildcard tests/tools/*.c))

all: $(addprefix $(BUILD)/bin/,$(PROGRAMS))

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/libcore.a: $(CORE_O)
	$(AR) rcs $@ $^

# Everything of the daemon but main(), so that tests link the real thing.
$(BUILD)/libdaemon.a: $(DAEMON_O)
	$(AR) rcs $@ $^

$(BUILD)/bin/$(DAEMON): $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a \
		$(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^

$(addprefix $(BUILD)/bin/,$(CHECKS)): $(BUILD)/bin/%: \
		$(BUILD)/plugins/nagios/%.o $(NAGIOS_O) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PLUGIN_LDFLAGS_) $(LDFLAGS) -o $@ $^

$(addprefix $(BUILD)/bin/,$(GRAPHS)): $(BUILD)/bin/%: \
		$(BUILD)/plugins/munin/%.o $(MUNIN_O) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PLUGIN_LDFLAGS_) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/%.t: $(BUILD)/tests/%.o $(TEST_O) $(NAGIOS_O) $(MUNIN_O) \
		$(BUILD)/libdaemon.a $(BUILD)/libcore.a
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^

# Small programs that tests run: hogs, probes.
$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $^

clean:
	rm -rf $(BUILD)

.PHONY: all clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

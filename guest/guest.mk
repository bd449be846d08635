# SPDX-License-Identifier: MIT
#
# The guests: each guest/NAME.c is a program of its own, statically linked with guest/lib.
# They know nothing of Pagoda; the same files run on any riscv64 Linux and under qemu-riscv64.

GUEST_CC ?= $(CROSS)gcc
GUEST_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Iguest -ffunction-sections -fdata-sections -MMD -MP
GUEST_LDFLAGS := -static -s -Wl,--gc-sections

GUESTS := $(patsubst guest/%.c,build/guest/%,$(wildcard guest/*.c))
GUEST_LIB := $(patsubst guest/%.c,build/guest/%.o,$(wildcard guest/lib/*.c))
GUEST_ROWS := $(patsubst guest/%.c,build/guest/%.o,$(wildcard guest/rows/*.c))
GUEST_MALLOC := $(patsubst guest/%.c,build/guest/%.o,$(wildcard guest/malloc/*.c guest/replay/*.c))

.PHONY: guests
.SECONDARY: $(GUEST_LIB) $(GUEST_ROWS) $(GUEST_MALLOC)
guests: $(GUESTS)

build/guest/%.o: guest/%.c guest/guest.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(GUEST_CC) $(GUEST_CFLAGS) -c -o $@ $<

# A program may have objects of its own.
build/guest/bench: $(GUEST_ROWS)
build/guest/traces: $(GUEST_MALLOC)

build/guest/%: guest/%.c $(GUEST_LIB) guest/guest.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(GUEST_CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -MF $@.d -o $@ $< $(filter %.o,$^)

# What scripts/linux boots a real Linux with.
.PHONY: linux-init
linux-init: build/guest/linux/init

-include $(GUESTS:=.d) build/guest/linux/init.d $(GUEST_LIB:.o=.d) $(GUEST_ROWS:.o=.d)
-include $(GUEST_MALLOC:.o=.d)

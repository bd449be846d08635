# SPDX-License-Identifier: MIT
#
# Pagoda: the image, its guests, its tests. `make help` lists the targets.
#
#   MODE=debug|release   with or without the checks that cost time   (debug)
#   CC_KIND=gcc|clang    the compiler                                 (gcc)
#   B=DIR                where the image is built                     (build/MODE-CC_KIND)
#   V=1                  show each command
#
# The floors are listed in the order in which they boot; a file may use lower floors only.

MODE ?= debug
CC_KIND ?= gcc
B ?= build/$(MODE)-$(CC_KIND)
FLOORS := base arch kern phys slab virt fault pressure file task view console boot

# --- tools -------------------------------------------------------------------------------------
CROSS ?= riscv64-linux-gnu-
TRIED_gcc := 12
TRIED_clang := 14
CC_gcc := $(CROSS)gcc
CC_clang := clang --target=riscv64-linux-gnu
CC := $(CC_$(CC_KIND))
CC_MAJOR := $(firstword $(subst ., ,$(shell $(CC) -dumpversion)))
# Clang 14 knows CSRs and fence.i as part of I, and not by their newer names.
ISA := rv64imac$(if $(filter clang14,$(CC_KIND)$(CC_MAJOR)),,_zicsr_zifencei)
LD := $(CROSS)ld
OBJCOPY := $(CROSS)objcopy

WARN := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wshadow
# A compiler that we have not tried may warn of what ours do not know; that stops nobody.
WERROR ?= $(if $(filter $(TRIED_$(CC_KIND)),$(CC_MAJOR)),-Werror)
CFLAGS := -std=gnu11 -O2 -g -march=$(ISA) -mabi=lp64 -mcmodel=medany -ffreestanding -fno-common \
          -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing -ffunction-sections \
          -fdata-sections -Iinclude $(WARN) $(WERROR) -MMD -MP
ASFLAGS := -march=rv64gc -mabi=lp64 -mcmodel=medany -Iinclude -MMD -MP
ifeq ($(MODE),debug)
CFLAGS += -DCONFIG_DEBUG=1 -fno-omit-frame-pointer -fno-optimize-sibling-calls
else
CFLAGS += -DCONFIG_DEBUG=0
endif
VDSO_SIGRETURN := 0x800 # where in it rt_sigreturn lies
CFLAGS += -DVDSO_SIGRETURN=$(VDSO_SIGRETURN)
LDFLAGS := -nostdlib -static --gc-sections --no-warn-mismatch -z max-page-size=4096

# $(call say,CC,file): one short line a command instead of the command, unless V=1.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))

# --- the image ---------------------------------------------------------------------------------
SRCS := $(wildcard sbi/*.S sbi/*.c) $(foreach f,$(FLOORS),$(wildcard src/$f/*.S src/$f/*.c)) \
        src/main.c
OBJS := $(patsubst %,$B/%.o,$(SRCS))

.DEFAULT_GOAL := image
.PHONY: image
image: $B/pagoda.elf ## build the monitor (the default)

# Linked twice: the second time with the names of its functions, see arch/symbols.h.
$B/pagoda.elf: $(OBJS) sbi/pagoda.lds scripts/symbols
	$(call say,LD,$@)
	$Q$(LD) $(LDFLAGS) -T sbi/pagoda.lds -o $@.unnamed $(OBJS)
	$Qscripts/symbols $@.unnamed > $B/symbols.S
	$Q$(CC) $(ASFLAGS) -c -o $B/symbols.o $B/symbols.S
	$Q$(LD) $(LDFLAGS) -T sbi/pagoda.lds -o $@ $(OBJS) $B/symbols.o

$B/%.c.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS) -c -o $@ $<

$B/%.S.o: %.S Makefile
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$Q$(CC) $(ASFLAGS) -c -o $@ $<

# A graded run is signed with a key of its own (src/console/batch.c).
BATCH_KEY ?=
$B/src/console/batch.c.o: CFLAGS += $(if $(BATCH_KEY),-DCONFIG_BATCH_KEY='$(BATCH_KEY)')

-include $(OBJS:.o=.d)

# --- the vdso: code for guests, linked alone and put into the image as bytes --------------------
VDSO_CFLAGS := -std=gnu11 -O2 -fPIC -march=rv64gc -mabi=lp64d -ffreestanding -fno-stack-protector \
               -fvisibility=hidden -fasynchronous-unwind-tables -Iinclude $(WARN) $(WERROR)
VDSO_LDFLAGS := -shared -soname linux-vdso.so.1 --hash-style=both --eh-frame-hdr \
                --no-warn-mismatch -z max-page-size=4096 \
                --defsym=VDSO_SIGRETURN=$(VDSO_SIGRETURN) -T

$B/vdso/%.o: src/task/vdso/% include/kern/clock_params.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(VDSO_CFLAGS) -c -o $@ $<

$B/vdso.so: src/task/vdso/vdso.lds $B/vdso/vdso.c.o $B/vdso/sigreturn.S.o
	$(call say,LD,$@)
	$Q$(LD) -s $(VDSO_LDFLAGS) $^ -o $@

$B/src/task/vdso_image.S.o: $B/vdso.so
$B/src/task/vdso_image.S.o: ASFLAGS += -Wa,-I$B

# --- the guests, the host tests ----------------------------------------------------------------
include guest/guest.mk
-include tests/host/host.mk tests/fuzz/fuzz.mk

# --- running -----------------------------------------------------------------------------------
PYTHON := /usr/bin/python3
ARGS ?=

.PHONY: setup run debug
setup:
	@scripts/setup

run: setup ## boot the two-node machine, its console here; ARGS='--nodes 4 ...' for another
	@scripts/run $(ARGS)

debug: setup ## the same under gdb: stopped before its first instruction; ARGS as for run
	@scripts/debug $(ARGS)

# --- testing -----------------------------------------------------------------------------------
.PHONY: test boot bench soak check-style check-floors images
test: setup ## everything that CI runs; ends with `N passed, N failed, N skipped`
	@$(PYTHON) scripts/test $(SUITES)

boot: setup image guests ## the boot suites alone; ARGS='-k memoryless' for some
	@$(PYTHON) -m pytest -q -c tests/pytest.ini -n auto tests/boot $(ARGS)

bench: setup ## what the mechanisms cost; PEER=linux: beside Linux; ARGS=--write keeps it in docs
	@$(PYTHON) scripts/bench $(if $(PEER),--peer $(PEER)) $(ARGS)

soak: setup image guests ## ten million random calls, random machines (ARGS='--minutes N'), all labs
	@scripts/soak --calls 10000000 $(ARGS)
	@$(MAKE) --no-print-directory soak-labs

check-style: ## format, licence lines, sizes of files and functions
	@scripts/check_style

check-floors: image ## no floor calls up: by includes and by symbols
	@scripts/check_floors $B

images: ## the image by both compilers, with and without debug checks
	@for mode in debug release; do for cc in gcc clang; do \
	    $(MAKE) --no-print-directory MODE=$$mode CC_KIND=$$cc B=build/$$mode-$$cc image || exit 1; \
	done; done

# --- labs --------------------------------------------------------------------------------------
LAB ?= all

.PHONY: todo grade labs soak-labs
todo: ## what is still to be written in the labs of this tree
	@scripts/lab todo

grade: setup ## grade this tree; LAB=buddy for one lab, ARGS='--only TEST --seed N --verbose'
	@scripts/lab grade $(LAB) $(ARGS)

labs: setup ## the labs themselves: editions, and a sample of the graders' faults
	@$(PYTHON) -m pytest -q -c tests/pytest.ini -n auto tests/labs/teacher $(ARGS)

soak-labs: setup ## each step, each fault, each reference on 50 seeds, a class graded twice
	@tests/labs/teacher/steps.py
	@scripts/lab faults all
	@scripts/lab grade all --repeat 50
	@tests/labs/teacher/synthetic.py

.PHONY: clean help
clean: ## remove all that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | sort -u | expand -t 16
	@echo
	@sed -n 's/^#   \([A-Z_]*=\)/\1/p' Makefile

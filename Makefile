# Pagoda - one image, its guests, its tests. `make help` lists the targets.
#
# The floors are listed in the order in which they boot; a file may use lower floors only.

MODE ?= debug
CC_KIND ?= gcc
B ?= build/$(MODE)-$(CC_KIND)
FLOORS := base arch kern phys slab virt fault pressure file task view console

# --- tools -------------------------------------------------------------------------------------
CROSS ?= riscv64-linux-gnu-
ifeq ($(CC_KIND),clang)
CC := clang --target=riscv64-linux-gnu
ISA := rv64imac
else
CC := $(CROSS)gcc
ISA := rv64imac_zicsr_zifencei
endif
LD := $(CROSS)ld
OBJCOPY := $(CROSS)objcopy

WARN := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wshadow
WERROR ?= -Werror
CFLAGS := -std=gnu11 -O2 -g -march=$(ISA) -mabi=lp64 -mcmodel=medany -ffreestanding -fno-common \
          -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing -ffunction-sections \
          -fdata-sections -Iinclude $(WARN) $(WERROR) -MMD -MP
ASFLAGS := -march=rv64gc -mabi=lp64 -mcmodel=medany -Iinclude -MMD -MP
ifeq ($(MODE),debug)
CFLAGS += -DCONFIG_DEBUG=1 -fno-omit-frame-pointer -fno-optimize-sibling-calls
else
CFLAGS += -DCONFIG_DEBUG=0
endif
LDFLAGS := -nostdlib -static --gc-sections --no-warn-mismatch -z max-page-size=4096

# --- the image ---------------------------------------------------------------------------------
SRCS := $(wildcard sbi/*.S sbi/*.c) $(foreach f,$(FLOORS),$(wildcard src/$f/*.S src/$f/*.c)) src/main.c
OBJS := $(patsubst %,$B/%.o,$(SRCS))

.DEFAULT_GOAL := image
.PHONY: image
image: $B/pagoda.elf

$B/pagoda.elf: $(OBJS) sbi/pagoda.lds
	$(LD) $(LDFLAGS) -T sbi/pagoda.lds -o $@ $(OBJS)

$B/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$B/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) $(ASFLAGS) -c -o $@ $<

-include $(OBJS:.o=.d)

# SPDX-License-Identifier: MIT
#
# The fuzzers: sources of the monitor, built natively with clang under libFuzzer, ASan and UBSan.
#
#      make fuzz-short     a fixed number of runs with a fixed seed, part of `make test`
#      make fuzz           until stopped, or FUZZ_SECONDS; findings and new inputs in $(FUZZ_DIR)
#
# A finding is worth a file in tests/fuzz/corpus/, so that it stays found.

FUZZ_CC ?= clang
FUZZ_DIR ?= build/fuzz
FUZZ_RUNS ?= 6000
FUZZ_SECONDS ?= 0
FUZZ_MAX_LEN := 32768

# Our printf stays ours and libFuzzer's the C library's. Of string.c only what the C library lacks
# is taken: its other functions are the sanitizers' own.
FUZZ_RENAME := -Dsnprintf=pagoda_snprintf -Dvsnprintf=pagoda_vsnprintf
FUZZ_HIDDEN := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr \
               strstr
FUZZ_CFLAGS := -std=gnu11 -O1 -g -Iinclude -DCONFIG_DEBUG=1 $(FUZZ_RENAME) \
               -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
               -Wall -Wextra -MMD -MP

FDT_FUZZ_SRCS := tests/fuzz/fuzz_fdt.c tests/fuzz/mutate_fdt.c $(wildcard src/phys/fdt*.c) \
                 $(wildcard src/phys/machine*.c src/phys/memblock*.c) src/phys/bootargs.c \
                 src/base/format.c src/base/parse.c src/base/bitmap.c src/base/string.c
FDT_FUZZ_OBJS := $(FDT_FUZZ_SRCS:%.c=$(FUZZ_DIR)/%.o)

$(FUZZ_DIR)/src/base/string.o: FUZZ_CFLAGS += \
    $(foreach f,$(FUZZ_HIDDEN),-D$f=pagoda_$f) -fno-builtin

$(FUZZ_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -c -o $@ $<

$(FUZZ_DIR)/fuzz_fdt: $(FDT_FUZZ_OBJS)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^

FUZZ_FDT := $(FUZZ_DIR)/fuzz_fdt -dict=tests/fuzz/fdt.dict -max_len=$(FUZZ_MAX_LEN) -timeout=5 \
            -artifact_prefix=$(FUZZ_DIR)/finding-

.PHONY: fuzz fuzz-short
fuzz-short: $(FUZZ_DIR)/fuzz_fdt
	@rm -rf $(FUZZ_DIR)/short && mkdir -p $(FUZZ_DIR)/short
	@$(FUZZ_FDT) -seed=1 -runs=$(FUZZ_RUNS) $(FUZZ_DIR)/short tests/fuzz/corpus/fdt \
		> $(FUZZ_DIR)/short.log 2>&1 || { tail -n 60 $(FUZZ_DIR)/short.log; exit 1; }
	@echo "fuzz_fdt: $$(grep '^Done' $(FUZZ_DIR)/short.log), nothing found"

fuzz: $(FUZZ_DIR)/fuzz_fdt
	@mkdir -p $(FUZZ_DIR)/corpus/fdt
	$(FUZZ_FDT) -max_total_time=$(FUZZ_SECONDS) $(FUZZ_DIR)/corpus/fdt tests/fuzz/corpus/fdt

-include $(FDT_FUZZ_OBJS:.o=.d)

# SPDX-License-Identifier: MIT
#
# The floors that run on this host, each under sanitizers.
#
#      make host                all: ASan and UBSan; those named *_threads.c under TSan
#      make host-NAME           one: tests/host/FLOOR/test_NAME.c
#      make coverage            lines of src/{base,phys,slab} that the tests reach
#
# A test is one file with a main() of cmocka. It is linked against an archive of the floors and of
# tests/host/support, so it gets what it uses. tests/host/include shadows arch.

HOST_CC ?= gcc
HOST_DIR ?= build/host
HOST_SRCS := $(wildcard src/base/*.c src/phys/*.c src/slab/*.c) src/kern/lock.c \
             src/kern/rwsem.c src/kern/mutex.c $(wildcard src/fault/*.c) \
             $(addprefix src/pressure/,migrate.c migrate_scanner.c free_scanner.c compaction.c \
             defer.c oom.c oom_report.c reaper.c) \
             $(filter-out src/virt/kernel_map%,$(wildcard src/virt/*.c)) \
             $(wildcard tests/host/support/*.c) $(wildcard guest/malloc/*.c) $(HOST_MORE)
HOST_TESTS := $(wildcard tests/host/*/test_*.c)
HOST_LABS := $(wildcard tests/labs/*/host/*.c)
HOST_THREADS := $(filter %_threads.c,$(HOST_TESTS))
HOST_SERIAL := $(filter-out %_threads.c,$(HOST_TESTS))

# Our printf stays ours and the C library's its own; the same for memcpy and its like, which the
# sanitizers watch.
HOST_OURS := snprintf vsnprintf memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp \
             strchr strrchr strstr
HOST_RENAME_OURS := $(foreach f,$(HOST_OURS),-D$f=pagoda_$f) -fno-builtin
HOST_RENAME := -Dsnprintf=pagoda_snprintf -Dvsnprintf=pagoda_vsnprintf
HOST_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -Itests/host/include -Iinclude \
               -Itests/host -Itests -Iguest -DCONFIG_DEBUG=1 -Wall -Wextra -MMD -MP
HOST_ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_TSAN := -fsanitize=thread
# A graded program runs its tests one by one, each in a process of its own, and signs the outcome.
HOST_KEY ?=
HOST_WRAP := -Wl,--wrap=_cmocka_run_group_tests
HOST_SIGNED = $(if $(HOST_KEY),$(HOST_WRAP))
HOST_RUNNER := tests/labs/wire/runner

# $(call host_kind,name,flags): how to build into $(HOST_DIR)/name.
define host_kind
$(HOST_DIR)/$1/src/base/string.o: HOST_OWN := $(HOST_RENAME_OURS)
$(HOST_DIR)/$1/src/%.o: src/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$Q$(HOST_CC) $(HOST_CFLAGS) $(HOST_RENAME) $$(HOST_OWN) $2 -c -o $$@ $$<

$(HOST_DIR)/$1/guest/%.o: guest/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$Q$(HOST_CC) $(HOST_CFLAGS) $2 -c -o $$@ $$<

$(HOST_DIR)/$1/tests/%.o: tests/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$Q$(HOST_CC) $(HOST_CFLAGS) $$(HOST_OWN) $2 -c -o $$@ $$<

$(HOST_DIR)/$1/floors.a: $(HOST_SRCS:%.c=$(HOST_DIR)/$1/%.o)
	@rm -f $$@
	$$Qar rcs $$@ $$^

define HOST_LINK_$1
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$Q$(HOST_CC) $2 $$(HOST_SIGNED) -o $$@ $$< $(HOST_DIR)/$1/tests/host/support/ram.o \
		$$(if $$(HOST_KEY),$(HOST_DIR)/$1/$(HOST_RUNNER).o) \
		$(HOST_DIR)/$1/floors.a -lcmocka -lpthread
endef

$(HOST_DIR)/$1/$(HOST_RUNNER).o: HOST_OWN = $$(if $$(HOST_KEY),-DHOST_KEY='$$(HOST_KEY)')

$(HOST_DIR)/$1/%: $(HOST_DIR)/$1/tests/host/%.o $(HOST_DIR)/$1/floors.a
	$$(HOST_LINK_$1)

$(HOST_DIR)/$1/labs/%: $(HOST_DIR)/$1/tests/labs/%.o $(HOST_DIR)/$1/floors.a
	$$(HOST_LINK_$1)

-include $(HOST_SRCS:%.c=$(HOST_DIR)/$1/%.d) $(HOST_TESTS:%.c=$(HOST_DIR)/$1/%.d)
-include $(HOST_LABS:%.c=$(HOST_DIR)/$1/%.d)
endef
$(eval $(call host_kind,asan,$(HOST_ASAN)))
$(eval $(call host_kind,tsan,$(HOST_TSAN)))
$(eval $(call host_kind,coverage,--coverage))

HOST_ASAN_BINS := $(HOST_SERIAL:tests/host/%.c=$(HOST_DIR)/asan/%)
HOST_TSAN_BINS := $(HOST_THREADS:tests/host/%.c=$(HOST_DIR)/tsan/%)
HOST_COVERAGE_BINS := $(HOST_SERIAL:tests/host/%.c=$(HOST_DIR)/coverage/%)
.SECONDARY: $(foreach k,asan tsan coverage,$(HOST_TESTS:%.c=$(HOST_DIR)/$k/%.o))

.PHONY: host coverage
host: $(HOST_ASAN_BINS) $(HOST_TSAN_BINS) ## the floors on this host, under sanitizers
	@scripts/host_tests $^

host-%:
	@$(MAKE) --no-print-directory $(HOST_DIR)/asan/$(patsubst tests/host/%.c,%,$(wildcard \
		tests/host/*/test_$*.c))
	@scripts/host_tests -v $(HOST_DIR)/asan/$(patsubst tests/host/%.c,%,$(wildcard \
		tests/host/*/test_$*.c))

coverage: $(HOST_COVERAGE_BINS) ## how much of src/{base,phys,slab} the host tests reach
	@scripts/host_coverage $(HOST_DIR)/coverage $^

/* SPDX-License-Identifier: MIT */
/*
 * sysctl_kernel.c - /proc/sys/kernel and /proc/sys/fs: limits and identities to be read.
 *
 *      tainted     512 (TAINT_WARN) once something surprised the monitor, as the audit says too
 *      random/     boot_id is the same until the next boot, uuid another at each look
 *
 * Locks: none. Linux's counterpart: kernel/sysctl.c, fs/file_table.c, drivers/char/random.c.
 */
#include "file/registry.h"
#include "kern/panic.h"
#include "task/cred.h"
#include "task/exec.h"
#include "task/files.h"
#include "view/view.h"

#define KERNEL "/proc/sys/kernel"
#define FS "/proc/sys/fs"
#define TAINT_WARN 512u
#define OVERFLOW_ID 65534u
#define POOL_BITS 256u

/* A view of one number. */
#define NUMBER(name, value)                                                \
    static int show_##name(struct sink *out, const struct view_args *args) \
    {                                                                      \
        (void)args;                                                        \
        print(out, "%lu\n", (uint64_t)(value));                            \
        return 0;                                                          \
    }

NUMBER(tainted, warn_count() ? TAINT_WARN : 0)
NUMBER(cap_last_cap, NR_CAPS - 1)
NUMBER(ngroups_max, GROUPS_MAX)
NUMBER(overflow_id, OVERFLOW_ID)
NUMBER(pool_bits, POOL_BITS)
NUMBER(nr_open, FILES_MAX)

static uint64_t boot_id[2];

/* RFC 4122, version 4: all random but for six bits. */
static void print_uuid(struct sink *out, const uint64_t id[2])
{
    uint64_t high = (id[0] & ~0xf000UL) | 0x4000, low = (id[1] & ~(3UL << 62)) | 2UL << 62;
    print(out, "%08lx-%04lx-%04lx-%04lx-%012lx\n", high >> 32, high >> 16 & 0xffff, high & 0xffff,
          low >> 48, low & 0xffffffffffff);
}

static int show_boot_id(struct sink *out, const struct view_args *args)
{
    (void)args;
    print_uuid(out, boot_id);
    return 0;
}

static int show_uuid(struct sink *out, const struct view_args *args)
{
    uint64_t id[2] = {guest_random(), guest_random()};
    (void)args;
    print_uuid(out, id);
    return 0;
}

static const struct view views[] = {
    {.path = KERNEL "/tainted", .show = show_tainted},
    {.path = KERNEL "/cap_last_cap", .show = show_cap_last_cap},
    {.path = KERNEL "/ngroups_max", .show = show_ngroups_max},
    {.path = KERNEL "/overflowuid", .show = show_overflow_id},
    {.path = KERNEL "/overflowgid", .show = show_overflow_id},
    {.path = KERNEL "/random/boot_id", .show = show_boot_id},
    {.path = KERNEL "/random/uuid", .show = show_uuid},
    {.path = KERNEL "/random/entropy_avail", .show = show_pool_bits},
    {.path = KERNEL "/random/poolsize", .show = show_pool_bits},
    {.path = FS "/nr_open", .show = show_nr_open},
    {.path = FS "/overflowuid", .show = show_overflow_id},
    {.path = FS "/overflowgid", .show = show_overflow_id},
};

void view_sysctl_kernel_init(void)
{
    boot_id[0] = guest_random();
    boot_id[1] = guest_random();
    view_register(views, ARRAY_SIZE(views));
}

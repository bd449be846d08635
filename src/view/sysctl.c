/* SPDX-License-Identifier: MIT */
/*
 * sysctl.c - /proc/sys: the settings, each a number with bounds.
 *
 *      /proc/sys/vm/min_free_kbytes --> min_free_kbytes, 128..1048576, then new watermarks
 *
 * Locks: none; a setting is one word. Linux's counterpart: sysctl tables; sysctl/vm.rst.
 */
#include "base/parse.h"
#include "base/string.h"
#include "phys/zone_init.h"
#include "slab/cache.h"
#include "task/exec.h"
#include "task/userfaultfd.h"
#include "view/sysctl.h"
#include "view/view.h"
#include "virt/commit.h"
#include "virt/vma.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

int sysctl_number(const char *text, size_t n, uint64_t min, uint64_t max, uint64_t *out)
{
    char buf[24];
    uint64_t v;
    while (n && is_blank(*text)) {
        text++;
        n--;
    }
    while (n && is_blank(text[n - 1]))
        n--;
    if (!n || n >= sizeof(buf))
        return -EINVAL;
    memcpy(buf, text, n);
    buf[n] = '\0';
    if (parse_u64(buf, 0, &v) || v < min || v > max)
        return -EINVAL;
    *out = v;
    return 0;
}

SETTING(min_free_kbytes, min_free_kbytes, 0, 1 << 20, setup_per_zone_wmarks())
SETTING(watermark_scale_factor, watermark_scale_factor, 1, 3000, setup_per_zone_wmarks())
SETTING(randomize_va_space, sysctl_randomize_va_space, 0, 2, (void)0)
SETTING(legacy_va_layout, sysctl_legacy_va_layout, 0, 1, (void)0)
SETTING(overcommit_memory, sysctl_overcommit_memory, 0, 2, (void)0)
SETTING(overcommit_ratio, sysctl_overcommit_ratio, 0, 10000, sysctl_overcommit_kbytes = 0)
SETTING(overcommit_kbytes, sysctl_overcommit_kbytes, 0, UINT64_MAX, (void)0)
SETTING(max_map_count, sysctl_max_map_count, 1, 1 << 24, (void)0)
SETTING(unprivileged_userfaultfd, sysctl_unprivileged_userfaultfd, 0, 1, (void)0)

static int show_ratio(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%lu\t%lu\t%lu\n", lowmem_reserve_ratio[0], lowmem_reserve_ratio[1],
          lowmem_reserve_ratio[2]);
    return 0;
}

static int show_mmap_min_addr(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%lu\n", MMAP_MIN_ADDR);
    return 0;
}

static int show_nothing(struct sink *out, const struct view_args *args)
{
    (void)out;
    (void)args;
    return -EACCES;
}

/* 2 and 3 drop slabs; 1 would drop clean pages of files, but an archive's have no other home. */
static int store_drop_caches(const char *text, size_t n, const struct view_args *args)
{
    uint64_t v;
    int err = sysctl_number(text, n, 1, 3, &v);
    (void)args;
    if (err)
        return err;
    if (v & 2)
        slab_shrink_all();
    return 0;
}

#define VM "/proc/sys/vm"
static const struct view views[] = {
    SETTING_ROW(VM, min_free_kbytes),
    SETTING_ROW(VM, watermark_scale_factor),
    {.path = VM "/lowmem_reserve_ratio", .show = show_ratio},
    SETTING_ROW(VM, legacy_va_layout),
    SETTING_ROW(VM, max_map_count),
    SETTING_ROW(VM, unprivileged_userfaultfd),
    {.path = VM "/mmap_min_addr", .show = show_mmap_min_addr},
    SETTING_ROW(VM, overcommit_memory),
    SETTING_ROW(VM, overcommit_ratio),
    SETTING_ROW(VM, overcommit_kbytes),
    SETTING_ROW("/proc/sys/kernel", randomize_va_space),
    {.path = VM "/drop_caches", .mode = 0200, .show = show_nothing, .store = store_drop_caches},
};

void view_sysctl_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}

/* SPDX-License-Identifier: MIT */
/*
 * sysctl.h - settings that are one number with bounds.
 */
#ifndef PAGODA_VIEW_SYSCTL_H
#define PAGODA_VIEW_SYSCTL_H

#include "base/errno.h"
#include "base/types.h"
#include "file/registry.h"

/** The whole of what was written, as one number within bounds. 0 or -EINVAL. */
int sysctl_number(const char *text, size_t n, uint64_t min, uint64_t max, uint64_t *out) must_check;

/* One setting: a show and a store function for the variable @var. */
#define SETTING(name, var, min, max, then)                                            \
    static int show_##name(struct sink *out, const struct view_args *args)            \
    {                                                                                 \
        (void)args;                                                                   \
        print(out, "%lu\n", (uint64_t)(var));                                         \
        return 0;                                                                     \
    }                                                                                 \
    static int store_##name(const char *text, size_t n, const struct view_args *args) \
    {                                                                                 \
        uint64_t v;                                                                   \
        int err = sysctl_number(text, n, min, max, &v);                               \
        (void)args;                                                                   \
        if (err)                                                                      \
            return err;                                                               \
        (var) = (__typeof__(var))v;                                                   \
        then;                                                                         \
        return 0;                                                                     \
    }

#define SETTING_ROW(dir, name)                                            \
    {                                                                     \
        .path = dir "/" #name, .show = show_##name, .store = store_##name \
    }

#endif

/* SPDX-License-Identifier: MIT */
/*
 * uts.c - what the machine is called, under /proc/sys/kernel.
 *
 * Linux's counterpart: kernel/utsname_sysctl.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "file/registry.h"
#include "task/uts.h"
#include "view/view.h"

static int show(struct sink *out, enum uts_word which)
{
    struct utsname now;
    uts_get(&now);
    print(out, "%s\n", now.words[which]);
    return 0;
}

/* One line; what is too long is cut. */
static int store(const char *text, size_t n, enum uts_word which)
{
    const char *end = memchr(text, '\n', n);
    n = end ? (size_t)(end - text) : n;
    uts_set(which, text, MIN(n, (size_t)UTS_LEN - 1));
    return 0;
}

#define SHOW(name, which)                                                  \
    static int show_##name(struct sink *out, const struct view_args *args) \
    {                                                                      \
        (void)args;                                                        \
        return show(out, which);                                           \
    }
#define STORE(name, which)                                                            \
    static int store_##name(const char *text, size_t n, const struct view_args *args) \
    {                                                                                 \
        (void)args;                                                                   \
        return store(text, n, which);                                                 \
    }

SHOW(ostype, UTS_SYSNAME)
SHOW(osrelease, UTS_RELEASE)
SHOW(version, UTS_VERSION)
SHOW(hostname, UTS_NODENAME)
STORE(hostname, UTS_NODENAME)
SHOW(domainname, UTS_DOMAINNAME)
STORE(domainname, UTS_DOMAINNAME)

#define KERNEL "/proc/sys/kernel"

static const struct view views[] = {
    {.path = KERNEL "/ostype", .show = show_ostype},
    {.path = KERNEL "/osrelease", .show = show_osrelease},
    {.path = KERNEL "/version", .show = show_version},
    {.path = KERNEL "/hostname", .show = show_hostname, .store = store_hostname},
    {.path = KERNEL "/domainname", .show = show_domainname, .store = store_domainname},
};

void view_uts_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}

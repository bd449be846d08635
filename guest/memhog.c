/* SPDX-License-Identifier: MIT */
/*
 * memhog - takes memory, page by page, and keeps it.
 *
 *      map SIZE  ->  stamp each page (first touch)  ->  hold  ->  check each stamp
 *
 * Mapping costs nothing; each first touch is one fault and one frame. The stamps prove that what
 * was written is still there after the pages were moved about by compaction.
 */
#include "lib/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct guest_help help = {
    "memhog SIZE [--node N] [--hold SECONDS] [--verbose]",
    "Maps SIZE bytes, touches every page, holds them (1 second unless told otherwise),\n"
    "checks that each page still has its content, and ends.\n"
    "  --node N        take the pages from node N only (mbind, MPOL_BIND)\n"
    "  --hold SECONDS  hold that long; 'forever' until killed\n"
    "  --verbose       say how far it is\n",
};

#define MPOL_BIND 2

static void bind_to_node(char *p, size_t size, unsigned long node)
{
    unsigned long mask = 1UL << node;
    if (syscall(SYS_mbind, p, size, MPOL_BIND, &mask, sizeof(mask) * 8, 0)) {
        fprintf(stderr, "memhog: cannot bind to node %lu: %s\n", node, strerror(errno));
        exit(1);
    }
}

static void hold(const char *how)
{
    if (how && !strcmp(how, "forever")) {
        for (;;)
            pause();
    }
    struct timespec ts = {how ? (time_t)guest_number(&help, how, 1000000) : 1, 0};
    nanosleep(&ts, NULL);
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *node = guest_option(argc, argv, "--node");
    const char *how = guest_option(argc, argv, "--hold");
    bool verbose = guest_flag(argc, argv, "--verbose");
    const char *operand = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    if (!operand)
        guest_usage(&help, "memhog: how much?");
    size_t size = guest_size(&help, operand);
    char *p = guest_map("memhog", size);
    if (node)
        bind_to_node(p, size, guest_number(&help, node, 63));

    for (size_t at = 0; at + GUEST_PAGE <= size; at += GUEST_PAGE) {
        guest_stamp(p + at, at);
        if (verbose && at % (16UL << 20) == 0)
            printf("memhog: %zu MiB touched\n", at >> 20);
    }
    hold(how);
    for (size_t at = 0; at + GUEST_PAGE <= size; at += GUEST_PAGE) {
        if (!guest_stamp_ok(p + at, at)) {
            fprintf(stderr, "memhog: the page at offset %zu lost its content\n", at);
            return 1;
        }
    }
    printf("memhog: %zu KiB held and intact\n", size >> 10);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * fragment - leaves every other page: plenty of memory free, and no big block in it.
 *
 *      touched:   ####################        then every other page is given back:
 *      left:      # # # # # # # # # #         half the memory is free, in single pages
 *
 * It then stops itself (SIGSTOP), so that the console has the machine back while the pages that
 * are left stay where they are. `compact` moves them together; `resume PID` lets the guest check
 * that each page still has its content, and end.
 */
#include "lib/guest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct guest_help help = {
    "fragment SIZE [--keep N] [--no-stop]",
    "Touches SIZE bytes, gives back all but every N-th page, stops itself, and when resumed\n"
    "checks what is left and ends.\n"
    "  --keep N    keep one page in N (default 2)\n"
    "  --no-stop   check and end at once\n",
};

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *keep_arg = guest_option(argc, argv, "--keep");
    bool no_stop = guest_flag(argc, argv, "--no-stop");
    const char *operand = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    if (!operand)
        guest_usage(&help, "fragment: how much?");
    size_t pages = guest_size(&help, operand) / GUEST_PAGE;
    unsigned long keep = keep_arg ? guest_number(&help, keep_arg, 1UL << 20) : 2;
    if (!keep)
        guest_usage(&help, "fragment: --keep must be at least 1");

    char *p = guest_map("fragment", pages * GUEST_PAGE);
    for (size_t i = 0; i < pages; i++)
        guest_stamp(p + i * GUEST_PAGE, i);
    size_t kept = 0;
    for (size_t i = 0; i < pages; i++) {
        if (i % keep == 0)
            kept++;
        else if (madvise(p + i * GUEST_PAGE, GUEST_PAGE, MADV_DONTNEED)) {
            perror("fragment: madvise");
            return 1;
        }
    }
    printf("fragment: touched %zu pages, kept %zu\n", pages, kept);
    fflush(stdout);
    if (!no_stop)
        raise(SIGSTOP);
    for (size_t i = 0; i < pages; i += keep) {
        if (!guest_stamp_ok(p + i * GUEST_PAGE, i)) {
            fprintf(stderr, "fragment: page %zu lost its content\n", i);
            return 1;
        }
    }
    printf("fragment: %zu pages intact\n", kept);
    return 0;
}

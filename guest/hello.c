/* SPDX-License-Identifier: MIT */
/*
 * hello - the smallest guest: says who it is and what it was given.
 *
 * Shows: the ELF loader, the start-up stack (argc, argv, the auxiliary vector), write(2), and
 * printf of a double, which needs the hart's floating-point registers to be ours.
 */
#include "lib/guest.h"

#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

static const struct guest_help help = {
    "hello [ARG]...",
    "Says hello, its pid, its page size and its arguments.\n",
};

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    printf("hello from pid %d: pages of %lu bytes, pi is about %.6f\n", (int)getpid(),
           getauxval(AT_PAGESZ), 355.0 / 113.0);
    for (int i = 1; i < argc; i++)
        printf("argv[%d] = %s\n", i, argv[i]);
    return 0;
}

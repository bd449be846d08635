/* SPDX-License-Identifier: MIT */
/*
 * bench - what the machine's mechanisms cost, as a program sees it.
 *
 * Under `-icount shift=0` QEMU's clock advances one nanosecond an instruction, so a difference of
 * rdtime is a count of instructions: 100 a tick at 10 MHz. Each row repeats its step often enough
 * that the ticks' coarseness does not matter. The same binary runs on any Linux riscv64. The rows
 * are in guest/rows, by theme.
 */
#include "lib/guest.h"
#include "rows/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct guest_help help = {
    "bench [NAME]",
    "Prints nanoseconds a step, which under -icount shift=0 are instructions: of all rows, or of\n"
    "the row with that name.\n",
};

static const struct row *const themes[] = {rows_of_tasks, rows_of_memory, rows_of_ranges,
                                           rows_of_threads};

static void measure(const struct row *row)
{
    double ns = row->run();
    if (ns < 0)
        printf("%-18s not possible here: %s\n", row->name, strerror(errno));
    else
        printf("%-18s %10.1f\n", row->name, ns);
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *name = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    bool found = false;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
        for (const struct row *row = themes[i]; row->name; row++) {
            if (name && strcmp(name, row->name))
                continue;
            found = true;
            measure(row);
        }
    }
    if (!found)
        guest_usage(&help, "bench: no such row");
    return 0;
}

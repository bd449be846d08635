/* SPDX-License-Identifier: MIT */
/*
 * extable.c - the instructions of the monitor that are allowed to fault.
 *
 *      ex_table_start  { insn, fixup } { insn, fixup } ...  ex_table_end      ascending by insn
 *
 * Locks: none; constant. Linux's counterpart: lib/extable.c, arch/riscv/mm/extable.c.
 */
#include "arch/extable.h"

struct ex_entry {
    uint64_t insn, fixup;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

uint64_t extable_fixup(uint64_t pc)
{
    const struct ex_entry *low = ex_table_start, *high = ex_table_end;
    while (low < high) {
        const struct ex_entry *mid = low + (high - low) / 2;
        if (mid->insn == pc)
            return mid->fixup;
        if (mid->insn < pc)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

bool extable_check(void)
{
    for (const struct ex_entry *e = ex_table_start; e + 1 < ex_table_end; e++)
        if (e[0].insn >= e[1].insn)
            return false;
    return true;
}

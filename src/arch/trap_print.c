/* SPDX-License-Identifier: MIT */
/*
 * trap_print.c - traps in words.
 *
 * Locks: none. Linux's counterpart: __show_regs().
 */
#include "arch/trap.h"

const char *trap_cause_name(uint64_t scause)
{
    static const char *const exceptions[] = {
        [CAUSE_FETCH_MISALIGNED] = "misaligned instruction fetch",
        [CAUSE_FETCH_ACCESS] = "instruction access fault",
        [CAUSE_ILLEGAL] = "illegal instruction",
        [CAUSE_BREAKPOINT] = "breakpoint",
        [CAUSE_LOAD_MISALIGNED] = "misaligned load",
        [CAUSE_LOAD_ACCESS] = "load access fault",
        [CAUSE_STORE_MISALIGNED] = "misaligned store",
        [CAUSE_STORE_ACCESS] = "store access fault",
        [CAUSE_ECALL_USER] = "system call",
        [CAUSE_ECALL_SUPERVISOR] = "call to firmware",
        [CAUSE_FETCH_PAGE] = "instruction page fault",
        [CAUSE_LOAD_PAGE] = "load page fault",
        [CAUSE_STORE_PAGE] = "store page fault",
    };
    uint64_t number = scause & ~CAUSE_INTERRUPT;
    if (scause & CAUSE_INTERRUPT)
        return number == IRQ_TIMER      ? "timer interrupt"
               : number == IRQ_SOFT     ? "software interrupt"
               : number == IRQ_EXTERNAL ? "external interrupt"
                                        : "unknown interrupt";
    if (number < ARRAY_SIZE(exceptions) && exceptions[number])
        return exceptions[number];
    return "unknown exception";
}

void trap_frame_print(struct sink *out, const struct trap_frame *frame)
{
    static const char names[32][4] = {"",   "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                      "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                      "a6", "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                      "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    print(out, "sepc %016lx  sstatus %016lx  stval %016lx\n", frame->sepc, frame->sstatus,
          frame->stval);
    print(out, "scause %lx, %s, from %s\n", frame->scause, trap_cause_name(frame->scause),
          trap_from_user(frame) ? "a guest" : "the monitor");
    for (unsigned i = 1; i < ARRAY_SIZE(names); i++) {
        bool last = i % 4 == 0 || i == ARRAY_SIZE(names) - 1;
        print(out, "%3s %016lx%s", names[i], frame->regs[i], last ? "\n" : "  ");
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * interleave.c - one instruction at a time. interleave.h has the picture.
 *
 * With the trap flag set each instruction ends in SIGTRAP. The handler runs without the flag, and
 * so does the rest once the other one has run. Processors without one know the first place only.
 */
#define _GNU_SOURCE
#include "support/interleave.h"

#ifdef __x86_64__
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

static void (*other_hart)(void *);
static void *its_arg;
static volatile unsigned left; /* instructions until it comes; 0: it has been there */

static void on_trap(int signal, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    (void)signal, (void)info;
    if (left && --left)
        return;
    interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    if (other_hart)
        other_hart(its_arg);
    other_hart = NULL;
}

/* Below the stack pointer the compiler may keep something. */
#define CHANGE_FLAGS(instruction)                                                               \
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; " instruction "; popfq; lea 128(%%rsp), " \
                     "%%rsp" ::                                                                 \
                         : "memory", "cc")

bool interleave(void (*mine)(void *), void (*other)(void *), void *arg, unsigned n)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    if (!n) {
        other(arg);
        mine(arg);
        return true;
    }
    other_hart = other;
    its_arg = arg;
    left = n;
    sigaction(SIGTRAP, &action, NULL);
    CHANGE_FLAGS("orq $0x100, (%%rsp)");
    mine(arg);
    CHANGE_FLAGS("andq $~0x100, (%%rsp)");
    bool came = !other_hart;
    other_hart = NULL;
    return came;
}
#else
bool interleave(void (*mine)(void *), void (*other)(void *), void *arg, unsigned n)
{
    if (!n)
        other(arg);
    mine(arg);
    return !n;
}
#endif

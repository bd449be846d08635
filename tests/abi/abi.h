/* SPDX-License-Identifier: MIT */
/*
 * abi.h - programs that check what Linux promises. The same binary must print the same lines on
 * Linux, under qemu-riscv64, and as a guest.
 */
#ifndef ABI_H
#define ABI_H

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static int checks, failures;

#define CHECK(x)                                                   \
    do {                                                           \
        checks++;                                                  \
        if (!(x)) {                                                \
            failures++;                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x); \
        }                                                          \
    } while (0)

static sigjmp_buf on_fault;

static inline void caught(int sig)
{
    (void)sig;
    siglongjmp(on_fault, 1);
}

/* Does reading, or writing back what is there, end in a signal? */
static inline int faults(volatile char *p, int write)
{
    struct sigaction act = {.sa_handler = caught}, segv, bus;
    int fault = 1;
    sigaction(SIGSEGV, &act, &segv);
    sigaction(SIGBUS, &act, &bus);
    if (!sigsetjmp(on_fault, 1)) {
        if (write)
            *p = 9;
        else
            (void)*p;
        fault = 0;
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
    return fault;
}

static inline int report(const char *name)
{
    printf("%s: %d checks, %d failed\n", name, checks, failures);
    return failures != 0;
}

#endif

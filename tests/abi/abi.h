/* SPDX-License-Identifier: MIT */
/*
 * abi.h - programs that check what Linux promises. The same binary must print the same lines on
 * Linux, under qemu-riscv64, and as a guest.
 */
#ifndef ABI_H
#define ABI_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks, failures;

#define CHECK(x)                                                   \
    do {                                                           \
        checks++;                                                  \
        if (!(x)) {                                                \
            failures++;                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x); \
        }                                                          \
    } while (0)

/* Did the call fail, and for that reason? */
static inline int fails(long result, int with)
{
    return result == -1 && errno == with;
}

/* The number behind "NAME:" in a file like /proc/meminfo; -1: there is none (an emulator). */
static inline long file_kib(const char *path, const char *name)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            kib = strtol(line + strlen(name) + 1, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib;
}

static sigjmp_buf on_fault;

static inline void caught(int sig)
{
    (void)sig;
    siglongjmp(on_fault, 1);
}

/* Does reading, or writing back what is there, end in a signal? */
static inline int faults(volatile char *p, int write)
{
    struct sigaction act, segv, bus;
    int fault = 1;
    memset(&act, 0, sizeof(act));
    act.sa_handler = caught;
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

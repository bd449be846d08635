/* SPDX-License-Identifier: MIT */
/*
 * segv - one of each bad access a program can make.
 *
 * Each kind must end or fail this guest alone: the machine goes on, and its log names the signal
 * and the address. `segv all` tries every kind in a child of its own and judges the outcome.
 */
#include "lib/guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct guest_help help = {
    "segv KIND | segv all | segv list",
    "Makes one bad access of the KIND given; `list` names them, `all` tries each in a child.\n",
};

static void read_null(void)
{
    (void)*(volatile char *)NULL;
}

static void write_wild(void)
{
    *(volatile char *)0x123456789000UL = 1;
}

static void jump_null(void)
{
    ((void (*)(void))NULL)();
}

static void write_text(void)
{
    *(volatile char *)(uintptr_t)&write_text = 0;
}

static void run_data(void)
{
    static unsigned code[] = {0x00008067}; /* ret */
    ((void (*)(void))(uintptr_t)code)();
}

static void read_monitor(void)
{
    (void)*(volatile char *)0xffffffff80200000UL;
}

static void read_non_canonical(void)
{
    (void)*(volatile char *)0x8000000000000000UL;
}

static void jump_misaligned(void)
{
    ((void (*)(void))((uintptr_t)&jump_misaligned | 1))();
    read_null(); /* the hart drops bit 0 of a jump, so make sure that this kind ends */
}

static void privileged(void)
{
    __asm__ volatile("csrw sscratch, zero");
}

static void supervisor_return(void)
{
    __asm__ volatile("sret");
}

static void illegal(void)
{
    __asm__ volatile(".4byte 0xffffffff");
}

static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}

static volatile bool deeper = true; /* volatile: the compiler must not see that it never ends */

/* Grow the stack until its limit: each call takes a page. */
static int deep(volatile char *outer)
{
    volatile char frame[GUEST_PAGE];
    frame[0] = outer ? outer[0] : 1;
    return deeper ? deep(frame) + frame[0] : 0;
}

static void overflow_stack(void)
{
    deep(NULL);
}

static void write_readonly(void)
{
    volatile char *p = mmap(NULL, GUEST_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
}

static void read_unmapped(void)
{
    char *p = guest_map("segv", GUEST_PAGE);
    p[0] = 1;
    munmap(p, GUEST_PAGE);
    (void)*(volatile char *)p;
}

/* These two must fail with an error and let the guest live. */
static void unknown_syscall(void)
{
    long r = syscall(4095, 1, 2, 3);
    printf("segv: syscall 4095 gives %s\n", r == -1 ? strerror(errno) : "no error");
    exit(r == -1 && errno == ENOSYS ? 0 : 1);
}

static void bad_pointer_argument(void)
{
    long r = syscall(SYS_write, 1, 0xffffffc080200000UL, 64);
    printf("segv: write from the monitor's memory gives %s\n",
           r == -1 ? strerror(errno) : "no error");
    exit(r == -1 && errno == EFAULT ? 0 : 1);
}

static const struct kind {
    const char *name;
    void (*make)(void);
    int expected; /* the signal that ends it; 0: it ends well by itself */
} kinds[] = {
    {"null", read_null, SIGSEGV},
    {"wild", write_wild, SIGSEGV},
    {"jump", jump_null, SIGSEGV},
    {"text", write_text, SIGSEGV},
    {"data", run_data, SIGSEGV},
    {"monitor", read_monitor, SIGSEGV},
    {"canonical", read_non_canonical, SIGSEGV},
    {"misaligned", jump_misaligned, SIGSEGV},
    {"privileged", privileged, SIGILL},
    {"sret", supervisor_return, SIGILL},
    {"illegal", illegal, SIGILL},
    {"ebreak", breakpoint, SIGTRAP},
    {"stack", overflow_stack, SIGSEGV},
    {"readonly", write_readonly, SIGSEGV},
    {"unmapped", read_unmapped, SIGSEGV},
    {"syscall", unknown_syscall, 0},
    {"pointer", bad_pointer_argument, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool ends_as_expected(const struct kind *kind)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        kind->make();
        _exit(99);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        printf("segv: %s: cannot start a child: %s\n", kind->name, strerror(errno));
        return false;
    }
    bool good = kind->expected ? WIFSIGNALED(status) && WTERMSIG(status) == kind->expected
                               : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("segv: %-10s %s\n", kind->name, good ? "ok" : "NOT as expected");
    return good;
}

static int try_all(void)
{
    int bad = 0;
    for (size_t i = 0; i < KINDS; i++) {
        fflush(stdout);
        bad += !ends_as_expected(&kinds[i]);
    }
    printf("segv: %zu kinds, %d not as expected\n", KINDS, bad);
    return bad != 0;
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *name = guest_operand(argc, argv);
    guest_no_more(&help, argc, argv);
    if (name && !strcmp(name, "all"))
        return try_all();
    if (name && !strcmp(name, "list")) {
        for (size_t i = 0; i < KINDS; i++)
            printf("%s\n", kinds[i].name);
        return 0;
    }
    for (size_t i = 0; name && i < KINDS; i++) {
        if (!strcmp(name, kinds[i].name)) {
            kinds[i].make();
            fprintf(stderr, "segv: %s: still here\n", name);
            return 1;
        }
    }
    guest_usage(&help, name ? "segv: no such kind; `segv list` names them" : "segv: which kind?");
}

/* SPDX-License-Identifier: MIT */
/*
 * heap.c - what glibc's malloc makes of brk, mmap and faults; one experiment a word.
 *
 *      heap lazy        memory is virtual until it is touched
 *      heap threshold   brk below 128 KiB, mmap above, and how the threshold moves
 *      heap hole        why a freed block of the heap does not go back
 *      heap trim        but at the top it does
 *      heap storm       2 MiB a request: a fault for each page, each time; and how to end that
 *      heap info I      mallinfo before and after freeing every other of 200 blocks of I KiB
 *      heap cow         a fork, and what each page that is written costs
 */
#include "lib/guest.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB 1024UL
#define MIB (1024 * KIB)

/* A line of /proc/self/status, in KiB. */
static long status_kib(const char *name)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            kib = strtol(line + strlen(name) + 1, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib;
}

static long faults(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

/* Where a block lies: the heap is what follows the program's own data, up to the break. */
static void where(const char *what, const char *p)
{
    extern char end[];
    if (p >= end && p < (char *)sbrk(0))
        printf("%-28s in the heap (brk)\n", what);
    else
        printf("%-28s outside of it (mmap)\n", what);
}

/* So that the compiler does not leave out a block that nobody looks at. */
static void use(char *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void lazy(void)
{
    printf("%-28s %8s %8s %8s\n", "", "VmSize", "VmRSS", "faults");
    printf("%-28s %8ld %8ld %8ld\n", "at the start", status_kib("VmSize"), status_kib("VmRSS"),
           faults());
    char *p = malloc(64 * MIB);
    printf("%-28s %8ld %8ld %8ld\n", "after malloc(64 MiB)", status_kib("VmSize"),
           status_kib("VmRSS"), faults());
    for (size_t i = 0; i < 16 * MIB; i += 4 * KIB)
        p[i] = 1;
    printf("%-28s %8ld %8ld %8ld\n", "after touching 16 MiB of it", status_kib("VmSize"),
           status_kib("VmRSS"), faults());
    free(p);
    printf("%-28s %8ld %8ld %8ld\n", "after free()", status_kib("VmSize"), status_kib("VmRSS"),
           faults());
}

static void threshold(void)
{
    char *small = malloc(127 * KIB), *big = malloc(129 * KIB);
    where("malloc(127 KiB)", small);
    where("malloc(129 KiB)", big);
    free(big);
    printf("free() of the 129 KiB moves the threshold to what was freed\n");
    char *again = malloc(129 * KIB);
    where("malloc(129 KiB) once more", again);
    char *bigger = malloc(1 * MIB);
    where("malloc(1 MiB)", bigger);
    free(bigger);
    bigger = malloc(1 * MIB);
    where("malloc(1 MiB) once more", bigger);
    free(bigger);
    free(again);
    free(small);
}

static void report_heap(const char *what)
{
    struct mallinfo2 m = mallinfo2();
    printf("%-34s heap %6zu KiB, of it free %6zu KiB, resident %6ld KiB\n", what, m.arena / KIB,
           m.fordblks / KIB, status_kib("VmRSS"));
}

static void hole(void)
{
    char *lower[64];
    report_heap("at the start");
    for (int i = 0; i < 64; i++)
        memset(lower[i] = malloc(100 * KIB), 1, 100 * KIB);
    char *last = malloc(16 * KIB);
    use(last);
    report_heap("64 blocks of 100 KiB, a small one");
    for (int i = 0; i < 64; i++)
        free(lower[i]);
    report_heap("all but the small one are freed");
    free(last);
    report_heap("the small one too");
}

static void trim(void)
{
    char *p[8];
    report_heap("at the start");
    for (int i = 0; i < 8; i++)
        memset(p[i] = malloc(100 * KIB), 1, 100 * KIB);
    report_heap("8 blocks of 100 KiB");
    for (int i = 7; i >= 0; i--) {
        char text[40];
        free(p[i]);
        snprintf(text, sizeof(text), "block %d is freed", i);
        report_heap(text);
    }
}

static void requests(const char *how)
{
    long before = faults();
    for (int i = 0; i < 100; i++) {
        char *p = malloc(2 * MIB);
        memset(p, i, 2 * MIB);
        use(p);
        free(p);
    }
    printf("%-46s %7.1f faults a request\n", how, (double)(faults() - before) / 100);
}

static void storm(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 * KIB); /* fixed: it would adapt itself after the first */
    requests("each request maps and unmaps its 2 MiB");
    mallopt(M_MMAP_MAX, 0);
    requests("M_MMAP_MAX 0: from the heap, trimmed each time");
    mallopt(M_TRIM_THRESHOLD, -1);
    requests("and M_TRIM_THRESHOLD -1: the heap stays");
}

/* The one with ints, which is deprecated because they overflow. */
static struct mallinfo old_mallinfo(void)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return mallinfo();
#pragma GCC diagnostic pop
}

static void print_info(const char *what)
{
    struct mallinfo2 m = mallinfo2();
    struct mallinfo old = old_mallinfo();
    printf("%s\n  arena %zu ordblks %zu smblks %zu hblks %zu hblkhd %zu\n", what, m.arena,
           m.ordblks, m.smblks, m.hblks, m.hblkhd);
    printf("  usmblks %zu fsmblks %zu uordblks %zu fordblks %zu keepcost %zu\n", m.usmblks,
           m.fsmblks, m.uordblks, m.fordblks, m.keepcost);
    printf("  mallinfo(): arena %d uordblks %d fordblks %d\n", old.arena, old.uordblks,
           old.fordblks);
}

static void info(size_t kib)
{
    static char *p[200];
    char out[BUFSIZ];
    setvbuf(stdout, out, _IOLBF, sizeof(out)); /* so that printf allocates nothing */
    for (int i = 0; i < 200; i++)
        p[i] = malloc(kib * KIB);
    print_info("200 blocks");
    for (int i = 0; i < 200; i += 2)
        free(p[i]);
    print_info("every other one freed");
    fflush(stdout);
    dup2(1, 2);
    malloc_stats();
}

static void cow(void)
{
    enum { PAGES = 1024 };
    char *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long before = faults();
    memset(p, 1, PAGES * 4096);
    printf("parent: touches %d pages               %5ld faults\n", PAGES, faults() - before);
    if (!fork()) {
        before = faults();
        long sum = 0;
        for (int i = 0; i < PAGES; i++)
            sum += p[i * 4096];
        printf("child:  reads all of them, sum %ld    %5ld faults\n", sum, faults() - before);
        before = faults();
        for (int i = 0; i < PAGES / 4; i++)
            p[i * 4096] = 2;
        printf("child:  writes to %d of them           %5ld faults, each a copy\n", PAGES / 4,
               faults() - before);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    before = faults();
    for (int i = 0; i < PAGES; i++)
        p[i * 4096] = 3;
    printf("parent: writes to all, alone again       %5ld faults, no copy\n", faults() - before);
}

static const struct guest_help help = {
    "heap lazy | threshold | hole | trim | storm | info KIB | cow",
    "What malloc makes of brk, mmap and page faults; each word is one of docs/experiments.\n",
};

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"lazy", lazy}, {"threshold", threshold}, {"hole", hole},
                 {"trim", trim}, {"storm", storm},         {"cow", cow}};
    const char *what = argc > 1 ? argv[1] : "";
    guest_help_wanted(argc, argv, &help);
    if (!strcmp(what, "info")) {
        info(argc > 2 ? strtoul(argv[2], NULL, 0) : 1);
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!strcmp(what, parts[i].name)) {
            parts[i].run();
            return 0;
        }
    }
    fprintf(stderr, "heap: there is no '%s'; see heap --help\n", what);
    return 2;
}

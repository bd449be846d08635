/* SPDX-License-Identifier: MIT */
/*
 * patchwork - runs of pages come, go and change their rights, and /proc/self/maps must say so.
 *
 *      page     0   1   2   3   4   5   6   7
 *      rights   rw  rw  .   r   r   r   r   -        maps:   0-2 rw-p     3-5 r--p
 *      file                 7   8   12  13                   5-7 r--p     7-8 ---p
 *
 * What is mapped where is remembered page by page. In the first half of the steps nothing is
 * written, so neighbours that go on must be one line of the maps; in the second half each page that
 * may be written is, and must keep what it holds for as long as it is mapped.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "lib/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct guest_help help = {
    "patchwork [--steps N] [--pages N] [--seed N]",
    "Maps, unmaps and protects random runs of pages, and compares /proc/self/maps and what the\n"
    "pages hold with what should be there.\n"
    "  --steps N  how many calls (default 1000)\n"
    "  --pages N  how many pages they are about (default 64)\n"
    "  --seed N   another sequence (default 1)\n",
};

#define MOST_PAGES 4096
#define LONGEST 12 /* run of pages */
#define FILE_PAGES 32

static struct patch {
    bool mapped;
    int prot;
    unsigned file;  /* 1 + page of the file; 0: anonymous */
    uint64_t value; /* anonymous: its first word */
} model[MOST_PAGES];

static char *arena;
static unsigned long pages;
static int file;
static uint64_t state, next_value, file_words[FILE_PAGES];

static char *page_at(unsigned long i)
{
    return arena + i * GUEST_PAGE;
}

static void wrong(const char *what, unsigned long page)
{
    fprintf(stderr, "patchwork: page %lu: %s\n", page, what);
    exit(1);
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool goes_on(unsigned long i)
{
    const struct patch *p = &model[i], *before = &model[i ? i - 1 : 0];
    return i && p->mapped && before->mapped && p->prot == before->prot &&
           !p->file == !before->file && (!p->file || p->file == before->file + 1);
}

/* A line of the maps: all of its pages are mapped like that, and go on. */
static unsigned long check_line(unsigned long first, unsigned long end, const char *rights,
                                unsigned long offset)
{
    unsigned long i = first;
    for (; i < end; i++) {
        const struct patch *p = &model[i];
        if (!p->mapped)
            wrong("is in the maps and should not", i);
        if ((rights[0] == 'r') != !!(p->prot & PROT_READ) ||
            (rights[1] == 'w') != !!(p->prot & PROT_WRITE))
            wrong("has other rights in the maps", i);
        if (p->file && offset / GUEST_PAGE + (i - first) != p->file - 1)
            wrong("has another offset in the maps", i);
        if (i > first && !goes_on(i))
            wrong("does not go on with the one before, and is one line with it", i);
    }
    return i - first;
}

static void check_maps(bool joined)
{
    unsigned long start, end, offset, seen = 0, lines = 0, mapped = 0, runs = 0;
    char line[256], rights[8];
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, rights, &offset) != 4)
            continue;
        if (end <= (uintptr_t)arena || start >= (uintptr_t)page_at(pages))
            continue;
        seen += check_line((start - (uintptr_t)arena) / GUEST_PAGE,
                           (end - (uintptr_t)arena) / GUEST_PAGE, rights, offset);
        lines++;
    }
    if (f)
        fclose(f);
    for (unsigned long i = 0; i < pages; i++) {
        mapped += model[i].mapped;
        runs += model[i].mapped && !goes_on(i);
    }
    if (seen != mapped || lines < runs || (joined && lines != runs)) {
        fprintf(stderr, "patchwork: %lu pages in %lu lines; should be %lu in %lu\n", seen, lines,
                mapped, runs);
        exit(1);
    }
}

static void check_contents(unsigned long first, unsigned long n)
{
    for (unsigned long i = first; i < first + n; i++) {
        const struct patch *p = &model[i];
        if (!p->mapped || !(p->prot & PROT_READ))
            continue;
        uint64_t word = *(volatile uint64_t *)page_at(i);
        if (word != (p->file ? file_words[p->file - 1] : p->value))
            wrong("holds something else", i);
    }
}

/* --- steps ------------------------------------------------------------------------------------ */

static void note(unsigned long first, unsigned long n, struct patch patch)
{
    for (unsigned long i = first; i < first + n; i++) {
        model[i] = patch;
        patch.file += !!patch.file;
    }
}

static void step_map(unsigned long first, unsigned long n, int prot)
{
    unsigned long offset = first % (FILE_PAGES - LONGEST);
    bool of_file = guest_random(&state) & 1;
    int flags = MAP_PRIVATE | MAP_NORESERVE | (of_file ? 0 : MAP_ANONYMOUS);
    bool anywhere = guest_random(&state) % 4 == 0;
    char *got = mmap(anywhere ? NULL : page_at(first), n * GUEST_PAGE, prot,
                     flags | (anywhere ? 0 : MAP_FIXED), of_file ? file : -1,
                     of_file ? (off_t)(offset * GUEST_PAGE) : 0);
    if (got == MAP_FAILED)
        wrong(strerror(errno), first);
    if (got < arena || got >= page_at(pages)) {
        munmap(got, n * GUEST_PAGE);
        return;
    }
    first = (unsigned long)(got - arena) / GUEST_PAGE;
    for (unsigned long i = first; anywhere && i < first + n; i++)
        if (model[i].mapped)
            wrong("was mapped already, and given to another range", i);
    note(first, n, (struct patch){true, prot, of_file ? (unsigned)offset + 1 : 0, 0});
}

static void step_unmap(unsigned long first, unsigned long n)
{
    if (munmap(page_at(first), n * GUEST_PAGE))
        wrong(strerror(errno), first);
    note(first, n, (struct patch){0});
}

/* Only where all is mapped: what is done up to a hole differs from system to system. */
static void step_protect(unsigned long first, unsigned long n, int prot)
{
    for (unsigned long i = first; i < first + n; i++)
        if (!model[i].mapped)
            return;
    if (mprotect(page_at(first), n * GUEST_PAGE, prot))
        wrong(strerror(errno), first);
    for (unsigned long i = first; i < first + n; i++)
        model[i].prot = prot;
}

static void write_to(unsigned long first, unsigned long n)
{
    for (unsigned long i = first; i < first + n; i++) {
        if (!model[i].mapped || model[i].file || !(model[i].prot & PROT_WRITE))
            continue;
        model[i].value = ++next_value;
        *(volatile uint64_t *)page_at(i) = next_value;
    }
}

static void run(unsigned long steps, bool writing)
{
    static const int rights[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                 PROT_READ | PROT_WRITE};
    for (unsigned long i = 0; i < steps; i++) {
        unsigned long n = 1 + guest_random(&state) % LONGEST;
        unsigned long first = guest_random(&state) % (pages - n + 1);
        int prot = rights[guest_random(&state) % 4];
        switch (guest_random(&state) % 4) {
        case 0:
            step_unmap(first, n);
            break;
        case 1:
            step_protect(first, n, prot);
            break;
        default:
            step_map(first, n, prot);
        }
        check_contents(first, n);
        if (writing)
            write_to(first, n);
        if (i % 8 == 0 || i + 1 == steps)
            check_maps(!writing);
    }
    check_contents(0, pages);
}

/* Where runs come and go, and a file of which each page is known. */
static void set_up(void)
{
    arena = mmap(NULL, pages * GUEST_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file = open("/proc/self/exe", O_RDONLY);
    if (arena == MAP_FAILED || file < 0) {
        fprintf(stderr, "patchwork: %s\n", strerror(errno));
        exit(1);
    }
    for (unsigned i = 0; i < FILE_PAGES; i++)
        if (pread(file, &file_words[i], sizeof(uint64_t), (off_t)(i * GUEST_PAGE)) !=
            sizeof(uint64_t))
            wrong("is not in the file", i);
    step_unmap(0, pages);
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *steps_arg = guest_option(argc, argv, "--steps");
    const char *pages_arg = guest_option(argc, argv, "--pages");
    const char *seed_arg = guest_option(argc, argv, "--seed");
    guest_no_more(&help, argc, argv);
    unsigned long steps = steps_arg ? guest_number(&help, steps_arg, 1UL << 40) : 1000;
    pages = pages_arg ? guest_number(&help, pages_arg, MOST_PAGES) : 64;
    state = seed_arg ? guest_number(&help, seed_arg, ~0UL) : 1;
    if (pages < LONGEST)
        guest_usage(&help, "patchwork: --pages must be at least 12");
    set_up();
    run(steps / 2, false);
    step_unmap(0, pages);
    run(steps - steps / 2, true);
    printf("patchwork: %lu steps, all as it should be\n", steps);
    return 0;
}

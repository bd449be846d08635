/* SPDX-License-Identifier: MIT */
/*
 * stress - workers of mixed behaviour, all at once.
 *
 *      behaviour:   touch      holes      malloc     map        fork       touch      ...
 *                   worker 0   worker 1   worker 2   worker 3   worker 4   worker 5   ...
 *
 * Each worker repeats one behaviour until its rounds are done, checking content all the time.
 * The parent waits for them and counts: a worker that the OOM killer took is no failure of
 * stress, a worker that found wrong content is.
 */
#include "lib/guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct guest_help help = {
    "stress [--workers N] [--memory SIZE] [--rounds N] [--seed N]",
    "Starts workers that touch, punch holes, use malloc, map and unmap, and fork, in turn.\n"
    "  --workers N    how many (default 4)\n"
    "  --memory SIZE  how much each may use (default 8M)\n"
    "  --rounds N     how long each works (default 20)\n"
    "  --seed N       another sequence (default 1)\n",
};

struct work {
    size_t size;
    unsigned long rounds;
    uint64_t state;
};

/* Touch everything, check everything, give everything back. */
static bool work_touch(struct work *w)
{
    size_t pages = w->size / GUEST_PAGE;
    for (unsigned long r = 0; r < w->rounds; r++) {
        char *p = guest_map("stress", w->size);
        for (size_t i = 0; i < pages; i++)
            guest_stamp(p + i * GUEST_PAGE, i ^ r);
        for (size_t i = 0; i < pages; i++)
            if (!guest_stamp_ok(p + i * GUEST_PAGE, i ^ r))
                return false;
        munmap(p, w->size);
    }
    return true;
}

/* Punch holes at random and see that they read as zeros and the rest as written. */
static bool work_holes(struct work *w)
{
    size_t pages = w->size / GUEST_PAGE;
    char *p = guest_map("stress", w->size);
    bool *full = calloc(pages, sizeof(*full));
    bool good = full != NULL;
    for (unsigned long r = 0; good && r < w->rounds * pages; r++) {
        size_t i = guest_random(&w->state) % pages;
        char *page = p + i * GUEST_PAGE;
        if (full[i]) {
            good = guest_stamp_ok(page, i);
            madvise(page, GUEST_PAGE, MADV_DONTNEED);
        } else {
            good = page[GUEST_PAGE / 2] == 0;
            guest_stamp(page, i);
        }
        full[i] = !full[i];
    }
    free(full);
    munmap(p, w->size);
    return good;
}

/* Blocks of random sizes through malloc. */
static bool work_malloc(struct work *w)
{
    enum { SLOTS = 64 };
    unsigned char *slot[SLOTS] = {NULL};
    size_t size[SLOTS] = {0};
    bool good = true;
    for (unsigned long r = 0; good && r < w->rounds * 500; r++) {
        size_t i = guest_random(&w->state) % SLOTS;
        if (slot[i]) {
            good = slot[i][0] == i && slot[i][size[i] - 1] == i;
            free(slot[i]);
            slot[i] = NULL;
            continue;
        }
        size[i] = 1 + guest_random(&w->state) % (w->size / SLOTS);
        slot[i] = malloc(size[i]);
        good = slot[i] != NULL;
        if (good)
            memset(slot[i], (int)i, size[i]);
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(slot[i]);
    return good;
}

/* Map, touch a little, change the protection back and forth, unmap in pieces. */
static bool work_map(struct work *w)
{
    for (unsigned long r = 0; r < w->rounds * 20; r++) {
        size_t size = (1 + guest_random(&w->state) % 64) * GUEST_PAGE;
        char *p = guest_map("stress", size);
        guest_stamp(p, r);
        if (mprotect(p, size, PROT_READ) || !guest_stamp_ok(p, r) ||
            mprotect(p, size, PROT_READ | PROT_WRITE))
            return false;
        p[size - 1] = 1;
        if (size > GUEST_PAGE && munmap(p, GUEST_PAGE))
            return false;
        if (munmap(size > GUEST_PAGE ? p + GUEST_PAGE : p,
                   size > GUEST_PAGE ? size - GUEST_PAGE : size))
            return false;
    }
    return true;
}

/* Stamp about half of the pages anew, then look whether each has the stamp that it should have. */
static bool rewrite(struct work *w, char *p, uint64_t *tags, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        if (guest_random(&w->state) & 1)
            guest_stamp(p + i * GUEST_PAGE, ++tags[i]);
    for (size_t i = 0; i < pages; i++)
        if (!guest_stamp_ok(p + i * GUEST_PAGE, tags[i]))
            return false;
    return true;
}

/* A child, its child and so on: each writes while the others do, and sees its own writes alone. */
static bool descend(struct work *w, char *p, uint64_t *tags, size_t pages, unsigned generations)
{
    int status = 0;
    pid_t child = generations ? fork() : 0;
    if (generations && child == 0) {
        w->state += generations;
        _exit(rewrite(w, p, tags, pages) && descend(w, p, tags, pages, generations - 1) ? 0 : 1);
    }
    bool good = rewrite(w, p, tags, pages);
    if (child > 0 && waitpid(child, &status, 0) == child)
        good = good && (WIFSIGNALED(status) || WEXITSTATUS(status) == 0); /* killed: no failure */
    return good && rewrite(w, p, tags, pages);
}

static bool work_fork(struct work *w)
{
    enum { GENERATIONS = 3 };
    size_t pages = w->size / GUEST_PAGE / (GENERATIONS + 1);
    char *p = guest_map("stress", pages * GUEST_PAGE);
    uint64_t *tags = calloc(pages, sizeof(*tags));
    bool good = tags != NULL;
    for (size_t i = 0; good && i < pages; i++)
        guest_stamp(p + i * GUEST_PAGE, tags[i]);
    for (unsigned long r = 0; good && r < w->rounds; r++)
        good = descend(w, p, tags, pages, GENERATIONS);
    free(tags);
    munmap(p, pages * GUEST_PAGE);
    return good;
}

static bool (*const behaviours[])(struct work *) = {work_touch, work_holes, work_malloc, work_map,
                                                    work_fork};
#define BEHAVIOURS (sizeof(behaviours) / sizeof(behaviours[0]))

static int reap(unsigned long workers)
{
    unsigned long well = 0, killed = 0, wrong = 0;
    for (unsigned long i = 0; i < workers; i++) {
        int status;
        if (wait(&status) < 0)
            break;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            killed++;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            well++;
        else
            wrong++;
    }
    printf("stress: %lu workers ended well, %lu were killed, %lu found something wrong\n", well,
           killed, wrong);
    return wrong || well + killed != workers;
}

int main(int argc, char **argv)
{
    guest_help_wanted(argc, argv, &help);
    const char *workers_arg = guest_option(argc, argv, "--workers");
    const char *memory_arg = guest_option(argc, argv, "--memory");
    const char *rounds_arg = guest_option(argc, argv, "--rounds");
    const char *seed_arg = guest_option(argc, argv, "--seed");
    guest_no_more(&help, argc, argv);
    unsigned long workers = workers_arg ? guest_number(&help, workers_arg, 1000) : 4;
    struct work work = {
        .size = (memory_arg ? guest_size(&help, memory_arg) : 8UL << 20) & ~(GUEST_PAGE - 1),
        .rounds = rounds_arg ? guest_number(&help, rounds_arg, 1UL << 32) : 20,
        .state = seed_arg ? guest_number(&help, seed_arg, ~0UL) : 1,
    };
    if (!workers || work.size < 64 * GUEST_PAGE)
        guest_usage(&help, "stress: at least one worker and 256K are needed");

    for (unsigned long i = 0; i < workers; i++) {
        pid_t child = fork();
        if (child < 0) {
            fprintf(stderr, "stress: cannot start worker %lu: %s\n", i, strerror(errno));
            return 1;
        }
        if (child == 0) {
            work.state += i;
            _exit(behaviours[i % BEHAVIOURS](&work) ? 0 : 1);
        }
    }
    return reap(workers);
}

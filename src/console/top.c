/* SPDX-License-Identifier: MIT */
/*
 * top.c - who uses the harts just now: the guests once a second, the busiest first.
 *
 *      samples[0..n)       one of each guest, by what it ran since the last look
 *      before[0..n)        the last look, by pid: what each had run by then
 *
 * Keys are read as they are typed, so `q` ends it; a `top` in the background reads none.
 *
 * Locks: none here; each guest is looked at with a reference.
 */
#include "console/ps.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/sort.h"
#include "file/tty.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "phys/node.h"
#include "phys/vmstat.h"
#include "slab/kmalloc.h"
#include "task/guest.h"

#define MOST 256  /* guests looked at; the oldest */
#define SHOWN 20U /* lines of the table */
#define PAGE_KIB (PAGE_SIZE >> 10)

struct sample {
    struct guest *guest; /* our reference */
    uint32_t pid;
    uint64_t run_ns, since; /* in all, and since the last look */
};

struct top {
    struct sample samples[MOST];
    struct sample before[MOST];
    uint32_t n, nr_before;
    uint64_t at, period; /* ns */
};

static uint64_t ran_before(const struct top *t, uint32_t pid)
{
    for (uint32_t i = 0; i < t->nr_before; i++)
        if (t->before[i].pid == pid)
            return t->before[i].run_ns;
    return 0;
}

static int by_use(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->since != y->since)
        return x->since < y->since ? 1 : -1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void look(struct top *t)
{
    uint64_t now = now_ns();
    struct guest *g;
    t->period = MAX(now - t->at, 1UL);
    t->at = now;
    t->n = 0;
    for (uint32_t from = 1; t->n < MOST && (g = guest_next(from)) != NULL; from = g->pid + 1) {
        uint64_t run = guest_run_ns(g), last = ran_before(t, g->pid);
        t->samples[t->n++] = (struct sample){
            .guest = g, .pid = g->pid, .run_ns = run, .since = run - MIN(last, run)};
    }
    sort(t->samples, t->n, sizeof(t->samples[0]), by_use, NULL);
}

static void forget(struct top *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        t->before[i] = t->samples[i];
        guest_put(t->samples[i].guest);
    }
    t->nr_before = t->n;
}

static void print_memory(struct sink *out)
{
    print(out, "KiB Mem: %lu total, %lu free, %lu anonymous, %lu of files\n",
          nr_managed_pages() * PAGE_KIB, nr_free_pages() * PAGE_KIB,
          global_node_state(NR_ANON_MAPPED) * PAGE_KIB,
          global_node_state(NR_FILE_MAPPED) * PAGE_KIB);
}

static void print_line(struct sink *out, const struct top *t, const struct sample *s)
{
    struct mm_struct *mm = guest_mm(s->guest);
    uint64_t rss = mm ? mm_rss(mm) * PAGE_KIB : 0, permille = s->since * 1000 / t->period;
    if (mm)
        mmput(mm);
    print(out, "%5u %c %4u %3lu.%lu %8lu ", s->pid, guest_state_letter(s->guest),
          guest_hart(s->guest), permille / 10, permille % 10, rss);
    guest_print_cmdline(s->guest, out, ' ');
    print(out, "\n");
}

static void show(struct sink *out, const struct top *t)
{
    uint64_t up = t->at / NSEC_PER_SEC;
    print(out, "\x1b[H\x1b[2Jtop - up %lu:%02lu:%02lu, guests: %u, want a hart: %u; q ends\n",
          up / 3600, up / 60 % 60, up % 60, guest_count(), threads_runnable());
    print_memory(out);
    print(out, "\n  PID S HART  %%CPU      RSS COMMAND\n");
    for (uint32_t i = 0; i < MIN(t->n, SHOWN); i++)
        print_line(out, t, &t->samples[i]);
    if (t->n > SHOWN)
        print(out, "and %u more\n", t->n - SHOWN);
}

/* A second goes by, or a key is typed. True when that ends it. */
static bool wait_or_quit(const struct console *con)
{
    if (!con->foreground)
        return sleep_ns(NSEC_PER_SEC) != 0;
    int c = tty_getc_timeout(NSEC_PER_SEC);
    return c == 'q' || c == 'Q' || c == TTY_CTRL_C || c == -EINTR;
}

int cmd_top(struct console *con, int argc, char **argv)
{
    uint64_t rounds = UINT64_MAX;
    if (argc > 2 || (argc == 2 && parse_u64(argv[1], 10, &rounds)))
        return command_usage(con, argv[0]);
    struct top *t = kmalloc(sizeof(*t), GFP_KERNEL | __GFP_ZERO);
    if (!t)
        return command_fail(con, argv[0], "no memory for its table; see 'ps'");
    if (con->foreground)
        tty_set_mode(TTY_RAW);
    for (uint64_t i = 0; i < rounds; i++) {
        look(t);
        show(con->out, t);
        forget(t);
        if (wait_or_quit(con))
            break;
    }
    if (con->foreground)
        tty_set_mode(TTY_COOKED);
    kfree(t);
    return 0;
}

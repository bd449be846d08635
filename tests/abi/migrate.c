/* SPDX-License-Identifier: MIT */
/*
 * migrate.c - two processes share memory while a third sends it from node to node.
 *
 *      worker 0, worker 1                               mover
 *      wait until it is one's turn at the page          every page to another node (move_pages)
 *      check what the other wrote                       is it there?
 *      write one's own, then count up                   a node's pages to the next (migrate_pages)
 *
 *      pages:  | System V segment | file in /dev/shm | private, forked |
 *                one for all three, written by turns   each writes its copy, forks again
 *
 * A page says who wrote it when, and has a checksum; its other words follow from those. Whatever
 * was lost, written twice or written to a page that is no longer mapped shows at the next turn.
 * The workers go on until the mover has made its passes and they their rounds: worker 0 says
 * which round is the last before it writes the pages of that round, so worker 1 knows in time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"
#include "nodes.h"

enum {
    PAGE = 4096,
    PART = 8,          /* pages of each kind */
    SHARED = 2 * PART, /* those before the private ones */
    PAGES = 3 * PART,
    ROUNDS = 24,
    PASSES = 16,
    TRIES = 100,
    NOBODY = 2, /* the writer before the first worker */
};
#define BODY ((PAGE - 4 * sizeof(uint64_t)) / sizeof(uint64_t))

struct page {
    uint64_t turn; /* even: worker 0's; written last */
    uint64_t writer, number, sum;
    uint64_t body[BODY];
};

/* What the three say to each other. */
struct talk {
    uint64_t stop;  /* the mover: enough */
    uint64_t round; /* worker 0: where it is */
    uint64_t last;  /* worker 0: the last round, once it is known */
};

static struct page *pages[PAGES];
static struct talk *talk;
static pid_t workers[2];

static uint64_t get(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void set(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* --- Pages ------------------------------------------------------------------------------------ */

static uint64_t word_of(uint64_t writer, uint64_t number, uint64_t turn, uint64_t i)
{
    return (writer << 56 | number << 40 | turn << 16 | i) * 0x9e3779b97f4a7c15UL;
}

static void fill(int k, uint64_t writer, uint64_t turn)
{
    struct page *p = pages[k];
    uint64_t sum = 0;
    p->writer = writer;
    p->number = (uint64_t)k;
    for (uint64_t i = 0; i < BODY; i++)
        sum += p->body[i] = word_of(writer, (uint64_t)k, turn, i);
    p->sum = sum;
    set(&p->turn, turn);
}

static int intact(int k, uint64_t writer, uint64_t turn)
{
    const struct page *p = pages[k];
    uint64_t sum = 0;
    int same = get(&p->turn) == turn && p->writer == writer && p->number == (uint64_t)k;
    for (uint64_t i = 0; i < BODY; i++) {
        same &= p->body[i] == word_of(writer, (uint64_t)k, turn, i);
        sum += p->body[i];
    }
    return same && p->sum == sum;
}

/* --- The workers ------------------------------------------------------------------------------ */

static void must(int so)
{
    if (!so)
        _exit(1);
}

/* Who wrote a shared page last, when it is at this turn. */
static uint64_t writer_before(uint64_t turn)
{
    return turn ? (turn - 1) % 2 : NOBODY;
}

static void take_turns(uint64_t me, uint64_t round)
{
    uint64_t turn = 2 * round + me;
    for (int k = 0; k < SHARED; k++) {
        uint64_t now;
        while ((now = get(&pages[k]->turn)) < turn) {
            must(now + 1 >= turn); /* what one wrote oneself is not lost again */
            sched_yield();
        }
        must(intact(k, writer_before(turn), turn));
        fill(k, me, turn + 1);
    }
}

/* A child has the same, and what it writes nobody else sees. */
static void fork_again(uint64_t me, uint64_t round)
{
    int status;
    pid_t child = fork();
    must(child >= 0);
    for (int k = SHARED; k < PAGES; k++) {
        must(intact(k, me, round));
        if (!child)
            fill(k, NOBODY, round);
    }
    for (int k = SHARED; k < PAGES && !child; k++)
        must(intact(k, NOBODY, round));
    if (!child)
        _exit(0);
    must(waitpid(child, &status, 0) == child && status == 0);
}

/* The private pages are written one a round; after each PART rounds, others share them anew. */
static void keep_own(uint64_t me, uint64_t round)
{
    int now = (int)(round % PART);
    for (int i = 0; i < PART; i++) {
        uint64_t cycle = round / PART + (i < now);
        must(intact(SHARED + i, cycle ? me : NOBODY, cycle));
    }
    fill(SHARED + now, me, round / PART + 1);
    if (now == PART - 1)
        fork_again(me, round / PART + 1);
}

static void work(uint64_t me)
{
    for (uint64_t round = 0; round <= get(&talk->last); round++) {
        if (!me) {
            set(&talk->round, round);
            if (get(&talk->stop))
                set(&talk->last, round);
        }
        take_turns(me, round);
        keep_own(me, round);
    }
    _exit(0);
}

/* --- The mover -------------------------------------------------------------------------------- */

/* Send the pages that a process sees there, or ask where they are. */
static long send(pid_t whose, const int *targets, int *status)
{
    for (int k = 0; k < PAGES; k++)
        status[k] = -1;
    return syscall(SYS_move_pages, (long)whose, (long)PAGES, pages, targets, status,
                   targets ? (long)MPOL_MF_MOVE_ALL : 0L);
}

static int same(const int *a, const int *b, int n)
{
    int count = 0;
    for (int k = 0; k < n; k++)
        count += a[k] == b[k];
    return count;
}

/* One pass over one worker's pages; returns how many of the shared ones are not where they went. */
static int send_on(int pass, long *sent)
{
    int targets[PAGES], told[PAGES], found[PAGES];
    for (int k = 0; k < PAGES; k++)
        targets[k] = nodes[(pass + k) % node_count];
    if (send(workers[pass % 2], targets, told) < 0 || send(workers[pass % 2], NULL, found) < 0)
        return PAGES;
    *sent += same(targets, told, PAGES);
    int strays = 0;
    for (int k = 0; k < SHARED; k++)
        strays += told[k] == targets[k] && found[k] != targets[k];
    return strays;
}

/* All pages of a node, shared ones too, go to the next; some may be in use just now. */
static int empty_node(pid_t whose, int pass)
{
    unsigned long from = 1UL << nodes[pass % node_count];
    unsigned long to = 1UL << nodes[(pass + 1) % node_count];
    return syscall(SYS_migrate_pages, (long)whose, 65L, &from, &to) >= 0;
}

/* Has a worker ended that should not have? Then the other would wait for ever. */
static int one_failed(void)
{
    siginfo_t info = {0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

static void move_about(void)
{
    int strays = 0, refused = 0, failed = 0, pass = 0, status;
    long sent = 0;
    while (!failed && (pass < PASSES || get(&talk->round) < ROUNDS)) {
        strays += send_on(pass, &sent);
        refused += !empty_node(workers[pass / 2 % 2], pass);
        failed = one_failed();
        pass++;
    }
    CHECK(!failed && strays == 0 && refused == 0);
    CHECK(sent > (long)pass * PAGES / 4);
    set(&talk->stop, 1);
    for (int i = 0; i < 2; i++) {
        CHECK(wait(&status) > 0 && status == 0);
        if (status) { /* the other would wait for it */
            kill(workers[0], SIGKILL);
            kill(workers[1], SIGKILL);
        }
    }
}

/* --- Before and after ------------------------------------------------------------------------- */

static long moved_so_far(void)
{
    char line[256];
    long count = -1;
    FILE *f = fopen("/proc/vmstat", "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "pgmigrate_success %ld", &count);
    if (f)
        fclose(f);
    return count;
}

static void map_all(void)
{
    const int rw = PROT_READ | PROT_WRITE;
    int id = shmget(IPC_PRIVATE, PART * PAGE, IPC_CREAT | 0600);
    char *parts[3] = {shmat(id, NULL, 0)};
    CHECK(id >= 0 && parts[0] != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
    char name[64];
    snprintf(name, sizeof(name), "/dev/shm/migrate-%d", getpid());
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && ftruncate(fd, PART * PAGE) == 0 && unlink(name) == 0);
    parts[1] = mmap(NULL, PART * PAGE, rw, MAP_SHARED, fd, 0);
    parts[2] = mmap(NULL, PART * PAGE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    talk = mmap(NULL, PAGE, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(parts[1] != MAP_FAILED && parts[2] != MAP_FAILED && talk != MAP_FAILED);
    if (failures)
        exit(report("migrate"));
    close(fd);
    for (int k = 0; k < PAGES; k++) {
        pages[k] = (struct page *)(parts[k / PART] + k % PART * PAGE);
        fill(k, NOBODY, 0);
    }
    talk->last = UINT64_MAX - 1;
}

static void all_intact(void)
{
    uint64_t turn = 2 * (talk->last + 1);
    int whole = 0;
    for (int k = 0; k < PAGES; k++)
        whole += k < SHARED ? intact(k, 1, turn) : intact(k, NOBODY, 0);
    CHECK(whole == PAGES);
}

/* How many pages are on that node. */
static int on_node(int node)
{
    int found[PAGES], count = 0;
    if (send(0, NULL, found) != 0)
        return -1;
    for (int k = 0; k < PAGES; k++)
        count += found[k] == node;
    return count;
}

/* Now that nobody writes to the pages, all go where they are sent, and on from there. */
static void each_node(void)
{
    for (int i = 0; i < node_count; i++) {
        int targets[PAGES], status[PAGES];
        for (int k = 0; k < PAGES; k++)
            targets[k] = nodes[i];
        for (int n = 0; n < TRIES && on_node(nodes[i]) < PAGES; n++)
            send(0, targets, status);
        CHECK(on_node(nodes[i]) == PAGES);
        all_intact();
        for (int n = 0; n < TRIES && on_node(nodes[(i + 1) % node_count]) < PAGES; n++)
            empty_node(0, i);
        CHECK(on_node(nodes[(i + 1) % node_count]) == PAGES);
        all_intact();
    }
}

int main(void)
{
    long before = moved_so_far();
    find_nodes();
    map_all();
    /* Linux's balancing would move pages as well, but not those of who has a policy. */
    CHECK(syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, &all_nodes, 65L) == 0);
    for (int i = 0; i < 2; i++) {
        fflush(stdout);
        workers[i] = fork();
        CHECK(workers[i] >= 0);
        if (!workers[i])
            work((uint64_t)i);
    }
    move_about();
    all_intact();
    each_node();
    CHECK(node_count == 1 || moved_so_far() - before > PASSES);
    return report("migrate");
}

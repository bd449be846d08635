/* SPDX-License-Identifier: MIT */
/*
 * sysv.c - /proc/sysvipc and its limits; what is mounted; /proc/sys/kernel for guests.
 *
 * Locks: those of what is looked at. Linux's counterpart: ipc/util.c, fs/proc_namespace.c.
 */
#include "base/errno.h"
#include "file/path.h"
#include "file/registry.h"
#include "task/guest_table.h"
#include "task/run.h"
#include "task/sysv_msg.h"
#include "task/sysv_sem.h"
#include "task/sysv_shm.h"
#include "view/sysctl.h"
#include "view/view.h"

static void print_segment(const struct ipc_perm *p, void *arg)
{
    const struct shm_segment *s = container_of(p, struct shm_segment, perm);
    print(arg, "%10d %10d  %4o %21lu %5u %5u  ", (int32_t)p->key, p->id, p->mode, s->mapping.size,
          s->cpid, s->lpid);
    print(arg, "%5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21u\n", s->nattch, p->uid, p->gid,
          p->cuid, p->cgid, s->atime, s->dtime, s->ctime, s->mapping.pages.count * PAGE_SIZE, 0);
}

static int show_shm(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out,
          "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
          "  cgid      atime      dtime      ctime                   rss                  swap\n");
    ipc_each(&shm_ids, print_segment, out);
    return 0;
}

static void print_set(const struct ipc_perm *p, void *arg)
{
    const struct sem_set *set = container_of(p, struct sem_set, perm);
    print(arg, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", (int32_t)p->key, p->id, p->mode,
          set->nr, p->uid, p->gid, p->cuid, p->cgid, set->otime, set->ctime);
}

static int show_sem(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out,
          "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    ipc_each(&sem_ids, print_set, out);
    return 0;
}

static void print_queue(const struct ipc_perm *p, void *arg)
{
    const struct msg_queue *q = container_of(p, struct msg_queue, perm);
    print(arg, "%10d %10d  %4o  %10lu %10lu %5u %5u ", (int32_t)p->key, p->id, p->mode, q->bytes,
          q->nr, q->lspid, q->lrpid);
    print(arg, "%5u %5u %5u %5u %10lu %10lu %10lu\n", p->uid, p->gid, p->cuid, p->cgid, q->stime,
          q->rtime, q->ctime);
}

static int show_msg(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out,
          "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
          "      stime      rtime      ctime\n");
    ipc_each(&msg_ids, print_queue, out);
    return 0;
}

/* In a set, in all, operations at once, sets: four numbers in one line. */
static int show_sem_limits(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%lu\t%lu\t%lu\t%lu\n", sysctl_semmsl, sysctl_semmns, sysctl_semopm, sysctl_semmni);
    return 0;
}

static int store_sem_limits(const char *text, size_t n, const struct view_args *args)
{
    uint64_t v[4], max[4] = {INT32_MAX, INT32_MAX, UINT16_MAX, IPC_MNI};
    (void)args;
    for (int i = 0; i < 4; i++) {
        while (n && (*text == ' ' || *text == '\t'))
            text++, n--;
        size_t len = 0;
        while (len < n && text[len] != ' ' && text[len] != '\t')
            len++;
        int err = sysctl_number(text, len, 0, max[i], &v[i]);
        if (err)
            return err;
        text += len;
        n -= len;
    }
    sysctl_semmsl = v[0];
    sysctl_semmns = v[1];
    sysctl_semopm = v[2];
    sysctl_semmni = v[3];
    return 0;
}

static int show_pid_max(struct sink *out, const struct view_args *args)
{
    (void)args;
    print(out, "%u\n", PID_MAX);
    return 0;
}

SETTING(msgmni, sysctl_msgmni, 0, IPC_MNI, (void)0)
SETTING(msgmax, sysctl_msgmax, 0, MSGMAX_MOST, (void)0)
SETTING(msgmnb, sysctl_msgmnb, 0, INT32_MAX, (void)0)
SETTING(shmmni, sysctl_shmmni, 0, IPC_MNI, (void)0)
SETTING(shmmax, sysctl_shmmax, 0, UINT64_MAX, (void)0)
SETTING(threads_max, sysctl_threads_max, THREADS_MIN, PID_MAX / 2, (void)0)
SETTING(shmall, sysctl_shmall, 0, UINT64_MAX, (void)0)

#define KERNEL "/proc/sys/kernel"

static const struct view views[] = {
    {.path = "/proc/sysvipc/shm", .show = show_shm},
    {.path = "/proc/sysvipc/sem", .show = show_sem},
    {.path = "/proc/sysvipc/msg", .show = show_msg},
    {.path = KERNEL "/pid_max", .show = show_pid_max},
    {.path = KERNEL "/threads-max", .show = show_threads_max, .store = store_threads_max},
    {.path = KERNEL "/sem", .show = show_sem_limits, .store = store_sem_limits},
    SETTING_ROW(KERNEL, msgmni),
    SETTING_ROW(KERNEL, msgmax),
    SETTING_ROW(KERNEL, msgmnb),
    SETTING_ROW(KERNEL, shmmni),
    SETTING_ROW(KERNEL, shmmax),
    SETTING_ROW(KERNEL, shmall),
};

void view_sysv_init(void)
{
    view_register(views, ARRAY_SIZE(views));
}

/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - the console starts a program.
 *
 *      caller                                    new thread
 *      guest, table of files, task  --start-->   exec_program: address space, segments, stack
 *      wait ...................................  ok? -> U-mode
 *      pid, or the reason           <--tell---   no? -> the guest ends, as if it had not been
 *
 * The program is loaded by the thread that will run it, because loading writes to its memory.
 *
 * Locks: none held while waiting. Linux's counterpart: kernel_execve(), call_usermodehelper().
 */
#include "base/errno.h"
#include "base/string.h"
#include "file/root.h"
#include "file/tmpfs.h"
#include "file/viewfs.h"
#include "kern/completion.h"
#include "kern/log.h"
#include "task/exec.h"
#include "task/files.h"
#include "task/futex.h"
#include "task/guest_table.h"
#include "task/run.h"
#include "task/sigqueue.h"
#include "task/user.h"
#include "task/vdso.h"

#define BIN "/bin/"
#define SPAWN_PATH_MAX 128
#define DEFAULT_STACK MIB(8)

static const char *const default_env[] = {"PATH=/bin", "HOME=/", "TERM=vt100", NULL};

/* On the caller's stack, until `done`. */
struct spawn {
    struct exec_request request;
    struct mempolicy *policy;
    struct completion done;
    int err;
};

/* What the guest's first thread does. */
static void first_run(void *arg)
{
    struct task *t = arg;
    struct spawn *s = t->guest->spawn;
    bool lost;
    int err = exec_program(t, &s->request, &lost);
    if (!err && s->policy) {
        t->mm->policy = s->policy;
        s->policy = NULL;
    }
    t->guest->spawn = NULL;
    t->guest->detached |= err != 0; /* nobody learns its pid */
    s->err = err;
    complete(&s->done);
    if (err)
        task_exit(0);
    trap_enter_user(task_frame(t));
}

#define MSGQUEUE_BYTES 819200u

static void set_limits(struct guest *g)
{
    for (int i = 0; i < NR_RLIMITS; i++)
        g->limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    g->limits[RLIMIT_STACK].cur = DEFAULT_STACK;
    g->limits[RLIMIT_NOFILE] = (struct rlimit){FILES_SOFT, FILES_MAX};
    g->limits[RLIMIT_MEMLOCK] = (struct rlimit){MIB(8), MIB(8)};
    g->limits[RLIMIT_CORE].cur = 0;
    g->limits[RLIMIT_NPROC].cur = g->limits[RLIMIT_NPROC].max = sysctl_threads_max / 2;
    g->limits[RLIMIT_SIGPENDING] = g->limits[RLIMIT_NPROC];
    g->limits[RLIMIT_MSGQUEUE] = (struct rlimit){MSGQUEUE_BYTES, MSGQUEUE_BYTES};
    g->limits[RLIMIT_NICE] = g->limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
    g->umask = 022;
    g->coredump_filter = 0x33; /* Linux's default */
    g->cred.cap_effective = g->cred.cap_permitted = g->cred.cap_bounding = CAP_ALL;
}

static void take_options(struct guest *g, const struct guest_options *o)
{
    g->of_console = true;
    g->detached = o->detached;
    g->oom_score_adj = o->oom_score_adj;
    g->affinity = o->affinity;
    g->out = o->out;
    if (o->has_nid)
        g->nid = (int8_t)o->nid;
}

static int take_words(struct exec_words *w, const char *const *argv, const char *const *envp)
{
    int err = 0;
    if (w->argc && *argv) /* a script: its own words stand for argv[0] */
        argv++;
    for (; !err && *argv; argv++, w->argc++)
        err = w->argc < GUEST_ARGS_MAX ? exec_words_add(w, *argv) : -E2BIG;
    for (envp = envp ? envp : default_env; !err && *envp; envp++, w->envc++)
        err = w->envc < GUEST_ARGS_MAX ? exec_words_add(w, *envp) : -E2BIG;
    return err;
}

static struct inode *find_program(const char *path, char *full, const char **reason, int *err)
{
    const char *prefix = strchr(path, '/') ? "" : BIN;
    *err = -ENOENT;
    *reason = "there is no such program in the archive";
    if ((size_t)snprintf(full, SPAWN_PATH_MAX, "%s%s", prefix, path) >= SPAWN_PATH_MAX)
        return NULL;
    struct inode *file = file_find(full, err);
    if (!file)
        return NULL;
    *err = -EACCES;
    *reason = "it is no regular file";
    if (!inode_is(file, S_IFREG) || viewfs_owns(file)) {
        inode_put(file);
        return NULL;
    }
    *err = 0;
    *reason = NULL;
    return file;
}

/* Memory near the node, or only from the nodes that were named. */
static int make_policy(struct spawn *s, const struct guest_options *o)
{
    nodemask_t node = {0};
    int err = 0;
    if (!mask_empty(&o->bind)) {
        s->policy = mpol_new(MPOL_BIND, o->bind, &err);
    } else if (o->has_nid) {
        mask_set(&node, o->nid);
        s->policy = mpol_new(MPOL_PREFERRED, node, &err);
        err = err == -EINVAL ? 0 : err; /* a node without memory: as near as can be */
    }
    if (err == -EINVAL)
        s->request.reason = "none of the nodes has memory";
    return err;
}

/* A guest with one task, not yet started. NULL when out of memory or pids. */
static struct task *make_guest(struct spawn *s, const struct guest_options *o, int *err)
{
    struct guest *g = guest_alloc();
    *err = -ENOMEM;
    if (!g)
        return NULL;
    g->user = user_find(0);
    if (!g->user) {
        guest_put(g);
        return NULL;
    }
    set_limits(g);
    take_options(g, o);
    g->spawn = s;
    strlcpy(g->name, "spawn", sizeof(g->name));
    *err = guest_enter_table(g, NULL);
    struct task *t = NULL;
    if (!*err) {
        *err = -ENOMEM;
        g->cwd = inode_get(root_fs->root);
        g->root = inode_get(root_fs->root);
        g->files = file_table_create(o->out, o->no_input);
        t = g->files ? task_create(g, 0, first_run) : NULL;
        if (!t)
            guest_reap(g);
    }
    if (!t)
        guest_drop_inodes(g);
    if (!t && g->files)
        file_table_put(g->files);
    if (!t)
        g->files = NULL;
    guest_put(g); /* the table and the task have theirs */
    return t;
}

static int spawn(const char *path, char *full, const char *const *argv, const char *const *envp,
                 const struct guest_options *o, struct spawn *s)
{
    int err;
    s->request.path = full;
    s->request.file = find_program(path, full, &s->request.reason, &err);
    if (!err)
        err = exec_script(&s->request, NULL);
    if (!err)
        err = take_words(&s->request.words, argv, envp);
    if (!err)
        err = make_policy(s, o);
    if (err)
        return err;
    struct task *t = make_guest(s, o, &err);
    if (!t)
        return err;
    uint32_t pid = t->guest->pid;
    thread_start(t->thread);
    wait_for_completion(&s->done);
    return s->err ? s->err : (int)pid;
}

static const char *errno_text(int err)
{
    switch (err) {
    case -ENOMEM:
        return "there is not enough memory";
    case -E2BIG:
        return "its arguments are too long";
    case -EAGAIN:
        return "there are too many guests";
    default:
        return "it cannot be loaded";
    }
}

int guest_spawn(const char *path, const char *const *argv, const char *const *envp,
                const struct guest_options *options)
{
    static const struct guest_options defaults;
    const struct guest_options *o = options ? options : &defaults;
    char full[SPAWN_PATH_MAX];
    struct spawn s = {.err = 0};
    completion_init(&s.done);
    int pid = spawn(path, full, argv, envp, o, &s);
    if (pid < 0 && o->reason)
        strlcpy(o->reason, s.request.reason ? s.request.reason : errno_text(pid), o->reason_size);
    exec_words_free(&s.request.words);
    inode_put(s.request.file);
    if (s.policy)
        mpol_put(s.policy);
    return pid;
}

void guest_start_init(void)
{
    static const char *const argv[] = {"init", NULL};
    struct guest_options o = {.detached = true, .no_input = true, .oom_score_adj = -1000};
    int pid = guest_spawn("init", argv, NULL, &o);
    if (pid < 0 && pid != -ENOENT)
        pr_warn("init cannot be started: %d\n", pid);
}

void guest_init(void)
{
    guest_table_init();
    task_cache_init();
    user_init();
    sigqueue_init();
    files_init();
    futex_init();
    vdso_init();
    task_trap_init();
}

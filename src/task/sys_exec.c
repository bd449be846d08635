/* SPDX-License-Identifier: MIT */
/*
 * sys_exec.c - execve and execveat: from the guest's words to exec.c.
 *
 * Linux's counterpart: fs/exec.c.
 */
#include "arch/uaccess.h"
#include "base/errno.h"
#include "slab/kmalloc.h"
#include "task/clone.h"
#include "task/files.h"
#include "task/exec.h"
#include "task/guest.h"
#include "task/path_arg.h"
#include "task/run.h"
#include "task/syscall.h"
#include "task/syscalls.h"

/* argv and envp out of the guest's memory; a script has put words there already. */
static int take_words(uint64_t argv, uint64_t envp, struct exec_request *req)
{
    struct exec_words *w = &req->words;
    uint64_t first = 0;
    if (w->argc && argv && (get_user_u64(&first, mk_vaddr(argv)) || first))
        argv += sizeof(first); /* instead of argv[0] */
    int err = exec_words_add_user(w, mk_vaddr(argv), &w->argc);
    if (!err && !w->argc) { /* as Linux since 5.18: there is always an argv[0] */
        err = exec_words_add(w, "");
        w->argc = 1;
    }
    return err ? err : exec_words_add_user(w, mk_vaddr(envp), &w->envc);
}

static int find_program(struct path_arg *p, uint64_t flags, struct exec_request *req)
{
    int err;
    req->path = p->path;
    req->file = path_arg_inode(p, flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : PATH_FOLLOW, &err);
    if (!req->file)
        return err;
    if (inode_is(req->file, S_IFLNK))
        return -ELOOP;
    err = exec_permission(req->file, &p->hold.cred);
    return err ? err : exec_script(req, &p->hold.base);
}

static void give_up(struct path_arg *p, struct exec_request *req)
{
    exec_words_free(&req->words);
    inode_put(req->file);
    path_arg_drop(p);
}

static int64_t execute(struct task *t, uint64_t dirfd, const uint64_t *a, uint64_t flags)
{
    struct exec_request req = {.file = NULL};
    struct path_arg p;
    bool lost = false;
    int err = path_arg_take(&p, t, dirfd, a[0], flags);
    if (err)
        return err;
    err = find_program(&p, flags, &req);
    if (!err)
        err = take_words(a[1], a[2], &req);
    if (!err) /* they would lose their memory under their feet */
        err = task_end_others(t);
    if (!err)
        err = guest_unshare_files(t->guest);
    if (!err)
        err = exec_program(t, &req, &lost);
    give_up(&p, &req);
    if (err && lost)
        task_exit_group(SIGKILL);
    if (err)
        return err;
    clone_vfork_done(t->guest);
    trap_frame_rewritten();
    return 0;
}

int64_t sys_execve(struct task *t, const uint64_t *a)
{
    return execute(t, (uint64_t)AT_FDCWD, a, 0);
}

int64_t sys_execveat(struct task *t, const uint64_t *a)
{
    if (a[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return execute(t, a[0], a + 1, a[4]);
}

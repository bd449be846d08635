/* SPDX-License-Identifier: MIT */
/*
 * prctl.c - prctl; process groups, clone's rarer flags, unshare, and the limit on processes.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

/* Run it in a child: what the child says with its exit status, 0 when all was well. */
static int in_child(int (*what)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid)
        _exit(what());
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static int sleeping_child(void)
{
    pid_t pid = fork();
    if (!pid)
        for (;;)
            pause();
    return pid;
}

static void names(void)
{
    char name[16] = "", line[32] = "";
    CHECK(prctl(PR_SET_NAME, "a name of more than sixteen") == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "a name of more "));
    FILE *f = fopen("/proc/self/comm", "r");
    CHECK(f && fgets(line, sizeof(line), f) && !strcmp(line, "a name of more \n"));
    fclose(f);
    CHECK(fails(prctl(PR_SET_NAME, 8), EFAULT));
}

static void small_settings(void)
{
    CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0);
    CHECK(prctl(PR_GET_DUMPABLE) == 0 && fails(prctl(PR_SET_DUMPABLE, 2), EINVAL));
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK(prctl(PR_GET_KEEPCAPS) == 0 && fails(prctl(PR_SET_KEEPCAPS, 2), EINVAL));
    CHECK(prctl(PR_GET_TIMING) == 0 && fails(prctl(PR_SET_TIMING, 1), EINVAL));
    CHECK(prctl(PR_GET_TIMERSLACK) == 50000 && prctl(PR_SET_TIMERSLACK, 70000) == 0);
    CHECK(prctl(PR_GET_TIMERSLACK) == 70000 && prctl(PR_SET_TIMERSLACK, 0) == 0);
    CHECK(prctl(PR_GET_TIMERSLACK) == 50000);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(fails(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL));
    CHECK(fails(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL));
    CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_CAPBSET_READ, 0) == 1 && fails(prctl(PR_CAPBSET_READ, 64), EINVAL));
    CHECK(fails(prctl(-1, 0, 0, 0, 0), EINVAL));
}

static int rights(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 1;
    if (prctl(PR_CAPBSET_DROP, 20) || prctl(PR_CAPBSET_READ, 20))
        return 2;
    if (prctl(PR_SET_KEEPCAPS, 1) || setuid(1000))
        return 3;
    return !fails(prctl(PR_CAPBSET_DROP, 21), EPERM); /* permitted still, not effective */
}

/* The grandchild of one that ends belongs to us; and gets what it asked for. */
static void orphans(void)
{
    int to_us[2], status;
    pid_t grandchild;
    CHECK(pipe(to_us) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t pid = fork();
    if (!pid) {
        int ready[2];
        char c = 0;
        if (pipe(ready))
            _exit(1);
        grandchild = fork();
        if (!grandchild) {
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            if (write(ready[1], &c, 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
        int told = read(ready[0], &c, 1) == 1 &&
                   write(to_us[1], &grandchild, sizeof(grandchild)) == sizeof(grandchild);
        _exit(!told);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(read(to_us[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
    CHECK(waitpid(grandchild, &status, 0) == grandchild && WTERMSIG(status) == SIGUSR1);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    close(to_us[0]);
    close(to_us[1]);
}

static int never_executable(void)
{
    int all = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, flags, -1, 0);
    char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (!fails(prctl(PR_SET_MDWE, 2, 0, 0, 0), EINVAL) || prctl(PR_SET_MDWE, 1, 0, 0, 0))
        return 1;
    if (prctl(PR_GET_MDWE, 0, 0, 0, 0) != 1 || !fails(prctl(PR_SET_MDWE, 0, 0, 0, 0), EPERM))
        return 2;
    if (!fails((long)mmap(NULL, 4096, all, flags, -1, 0), EACCES))
        return 3;
    if (!fails(mprotect(data, 4096, PROT_READ | PROT_EXEC), EACCES))
        return 4;
    return mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0;
}

static int never_executable_either(void)
{
    int status;
    if (prctl(PR_SET_MDWE, 1, 0, 0, 0))
        return 1;
    pid_t pid = fork();
    if (!pid)
        _exit(prctl(PR_GET_MDWE, 0, 0, 0, 0) != 1);
    return waitpid(pid, &status, 0) != pid || status;
}

static int groups(void)
{
    pid_t pid = sleeping_child();
    if (setpgid(0, 0) || getpgid(0) != getpid() || setpgid(pid, getpid()))
        return 1;
    if (!fails(setpgid(-1, 0), EINVAL) || !fails(setpgid(0, -1), EINVAL))
        return 2;
    if (!fails(setpgid(0, 999999), EPERM) || !fails(setpgid(getppid(), 0), ESRCH))
        return 3;
    kill(pid, SIGKILL);
    return waitpid(pid, NULL, 0) != pid;
}

static int leader(void)
{
    return setsid() != getpid() || !fails(setpgid(0, 0), EPERM);
}

static char stack[65536] __attribute__((aligned(16)));

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

static void cloning(void)
{
    int status, pidfd = -1;
    char *top = stack + sizeof(stack);
    pid_t pid = clone(seven, top, CLONE_PIDFD | SIGCHLD, NULL, &pidfd);
    CHECK(pid > 0 && pidfd >= 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    close(pidfd);
    CHECK(fails(clone(seven, top, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &pidfd),
                EINVAL));
    CHECK(fails(clone(seven, top, CLONE_PIDFD | SIGCHLD, NULL, (void *)8), EFAULT));
    CHECK(fails(clone(seven, top, CLONE_SIGHAND | SIGCHLD, NULL), EINVAL));
    CHECK(fails(clone(seven, top, CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL), EINVAL));
    CHECK(unshare(0) == 0 && unshare(CLONE_FILES | CLONE_FS) == 0);
    CHECK(fails(unshare(CLONE_VFORK), EINVAL) && fails(unshare(-1), EINVAL));
    CHECK(fails(syscall(SYS_setns, -1, 0), EBADF) && fails(syscall(SYS_setns, 0, 0), EINVAL));
}

/* A sibling: our parent's child, and no child of ours. */
static int sibling(void)
{
    int status;
    pid_t pid = clone(seven, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, NULL);
    return pid < 0 || !fails(waitpid(pid, &status, __WALL), ECHILD);
}

static int one_task(void)
{
    struct rlimit one = {1, 1};
    if (setrlimit(RLIMIT_NPROC, &one) || setuid(4242))
        return 1;
    if (!fails(unshare(CLONE_NEWUTS), EPERM))
        return 2;
    return !fails(fork(), EAGAIN);
}

int main(void)
{
    int status;
    names();
    small_settings();
    CHECK(in_child(rights) == 0);
    orphans();
    CHECK(in_child(never_executable) == 0);
    CHECK(in_child(never_executable_either) == 0);
    CHECK(in_child(groups) == 0 && in_child(leader) == 0);
    cloning();
    CHECK(in_child(sibling) == 0);
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7); /* the sibling, which is ours */
    CHECK(in_child(one_task) == 0);
    return report("prctl");
}

/* SPDX-License-Identifier: MIT */
/*
 * process.c - fork and copy-on-write, wait, signals, exec, threads.
 */
#define _GNU_SOURCE
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define PAGE 4096UL

static void copies_on_write(void)
{
    char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    memset(p, 1, 64 * PAGE);
    pid_t child = fork();
    if (child == 0) {
        int same = 1;
        for (size_t i = 0; i < 64; i++)
            same &= p[i * PAGE] == 1;
        memset(p, 2, 32 * PAGE);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            same &= p[0] == 2 && p[63 * PAGE] == 1;
            p[0] = p[63 * PAGE] = 3;
            _exit(same && p[0] == 3 && p[63 * PAGE] == 3 ? 4 : 5);
        }
        waitpid(grandchild, &status, 0);
        _exit(same && WEXITSTATUS(status) == 4 && p[0] == 2 && p[63 * PAGE] == 1 ? 6 : 7);
    }
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    int same = 1;
    for (size_t i = 0; i < 64; i++)
        same &= p[i * PAGE] == 1;
    CHECK(same);
    memset(p, 8, 64 * PAGE);
    CHECK(p[64 * PAGE - 1] == 8);
    munmap(p, 64 * PAGE);
}

static void shared_memory(void)
{
    int status;
    char *p = mmap(NULL, 1024 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && p[5] == 0);
    p[0] = 1;
    pid_t child = fork();
    if (child == 0) {
        int right = p[0] == 1;
        p[0] = 2;
        memset(p + 600 * PAGE, 3, 100 * PAGE);
        _exit(right ? 7 : 8);
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    CHECK(p[0] == 2 && p[600 * PAGE] == 3 && p[700 * PAGE - 1] == 3 && p[700 * PAGE] == 0);
    CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && p[0] == 2);
    CHECK(munmap(p, 512 * PAGE) == 0 && p[650 * PAGE] == 3);
    CHECK(munmap(p + 512 * PAGE, 512 * PAGE) == 0);
}

static void waiting(void)
{
    int status;
    errno = 0;
    CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    CHECK(kill(child, SIGTERM) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    errno = 0;
    CHECK(kill(child, 0) == -1 && errno == ESRCH);
}

static volatile sig_atomic_t seen;
static volatile uintptr_t seen_addr;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    seen = sig;
    seen_addr = (uintptr_t)info->si_addr;
    if (sig == SIGSEGV)
        siglongjmp(on_fault, 1);
}

static void signals(void)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t set, old;
    double before = 1.25, after;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && seen == SIGUSR1);
    after = before * 2;
    CHECK(after == 2.5);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    seen = 0;
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    raise(SIGUSR1);
    CHECK(seen == 0);
    CHECK(sigpending(&set) == 0 && sigismember(&set, SIGUSR1));
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(seen == SIGUSR1);
    sigaction(SIGSEGV, &act, NULL);
    if (!sigsetjmp(on_fault, 1))
        *(volatile char *)0x1234 = 1;
    CHECK(seen == SIGSEGV && seen_addr == 0x1234);
    signal(SIGSEGV, SIG_DFL);
    errno = 0;
    CHECK(sigaction(SIGKILL, &act, NULL) == -1 && errno == EINVAL);
}

static void handler_on_other_stack(int sig)
{
    char here;
    (void)sig;
    seen_addr = (uintptr_t)&here;
}

static void other_stack(void)
{
    static char room[16384];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};
    struct sigaction act = {.sa_handler = handler_on_other_stack, .sa_flags = SA_ONSTACK};
    CHECK(sigaltstack(&stack, NULL) == 0);
    sigaction(SIGUSR2, &act, NULL);
    raise(SIGUSR2);
    CHECK(seen_addr >= (uintptr_t)room && seen_addr < (uintptr_t)room + sizeof(room));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int counter, ready;
static __thread int own = 5;

static void *count(void *arg)
{
    pthread_mutex_lock(&mutex);
    while (!ready)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        free(malloc((size_t)i + 1));
    }
    own += (int)(intptr_t)arg;
    return (void *)(intptr_t)own;
}

static void threads(void)
{
    pthread_t t[4];
    void *result;
    for (intptr_t i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, count, (void *)i) == 0);
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    for (intptr_t i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], &result) == 0);
        CHECK((intptr_t)result == 5 + i);
    }
    CHECK(counter == 4000 && own == 5);
}

static void execution(const char *self)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"again", "child", NULL}, *envp[] = {"A=b", NULL};
        execve(self, argv, envp);
        _exit(99);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    char *argv[] = {"x", NULL};
    errno = 0;
    CHECK(execve("/no/such/program", argv, argv) == -1 && errno == ENOENT);
}

static volatile int told;
static char clone_stack[16384];

static int tell(void *arg)
{
    told = (int)(intptr_t)arg;
    close(0);
    return 5;
}

/* Processes that share memory: told is set by the child. */
static void sharing(const char *self)
{
    char *top = clone_stack + sizeof(clone_stack), *child[] = {"again", "child", NULL};
    char *env[] = {"A=b", NULL};
    int status;
    pid_t pid = clone(tell, top, CLONE_VM | SIGCHLD, (void *)42);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5 && told == 42);
    CHECK(fcntl(0, F_GETFD) == 0); /* its files were a copy */
    pid = clone(tell, top, CLONE_VM | CLONE_FILES | SIGCHLD, (void *)43);
    CHECK(waitpid(pid, &status, 0) == pid && told == 43 && fails(fcntl(0, F_GETFD), EBADF));
    CHECK(open("/dev/null", O_RDONLY) == 0);
    pid = vfork();
    if (!pid) {
        told = 7;
        _exit(3);
    }
    CHECK(told == 7 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
    CHECK(posix_spawn(&pid, "/no/such/program", NULL, NULL, child, env) == ENOENT);
    CHECK(posix_spawn(&pid, self, NULL, NULL, child, env) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42);
}

int main(int argc, char **argv)
{
    char self[256];
    if (argc == 2 && !strcmp(argv[1], "child"))
        return getenv("A") && !strcmp(getenv("A"), "b") && !strcmp(argv[0], "again") ? 42 : 43;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    setvbuf(stdout, NULL, _IOLBF, 0);
    copies_on_write();
    shared_memory();
    waiting();
    signals();
    other_stack();
    threads();
    execution(self);
    sharing(self);
    return report("process");
}

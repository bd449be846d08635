/* SPDX-License-Identifier: MIT */
/*
 * signals.c - queues of signals, what they carry, and on which stack they are taken.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static volatile int order[64], value[64], taken;
static siginfo_t last;

static void note(int sig, siginfo_t *info, void *ctx)
{
    (void)ctx;
    last = *info;
    if (taken < 64) {
        order[taken] = sig;
        value[taken] = info->si_value.sival_int;
    }
    taken++;
}

static void handle(int sig, int flags)
{
    struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigfillset(&act.sa_mask);
    CHECK(sigaction(sig, &act, NULL) == 0);
    taken = 0;
    memset(&last, 0, sizeof(last));
}

static int send_value(int sig, int v)
{
    return sigqueue(getpid(), sig, (union sigval){.sival_int = v});
}

static sigset_t block(int a, int b)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    sigprocmask(SIG_BLOCK, &set, &old);
    return old;
}

static void queues(void)
{
    int low = SIGRTMIN, high = SIGRTMIN + 1;
    handle(low, 0);
    handle(high, 0);
    handle(SIGUSR1, 0);
    sigset_t old = block(low, high);
    block(SIGUSR1, SIGUSR1);
    for (int i = 0; i < 3; i++) {
        CHECK(send_value(high, 10 + i) == 0);
        CHECK(send_value(low, i) == 0);
        CHECK(send_value(SIGUSR1, 100 + i) == 0);
    }
    CHECK(taken == 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(taken == 7);
    static const int values[7] = {100, 0, 1, 2, 10, 11, 12};
    for (int i = 0; i < 7; i++) /* handlers of later frames run first: each blocks all others */
        CHECK(value[i] == values[i]);
    CHECK(order[0] == SIGUSR1 && order[1] == low && order[6] == high);
    CHECK(last.si_code == SI_QUEUE && last.si_pid == getpid() && last.si_uid == getuid());
}

static void limit(void)
{
    struct rlimit few = {4, 4}, was;
    int status, sig = SIGRTMIN + 2;
    CHECK(getrlimit(RLIMIT_SIGPENDING, &was) == 0);
    if (!fork()) {
        block(sig, SIGUSR1);
        setrlimit(RLIMIT_SIGPENDING, &few);
        int n = 0;
        while (n < 100 && !send_value(sig, n))
            n++;
        int full = n <= 4 && errno == EAGAIN;
        int classic = !kill(getpid(), SIGUSR1) && !kill(getpid(), sig);
        _exit(full && classic ? 0 : 1);
    }
    CHECK(wait(&status) > 0 && status == 0);
    if (!fork()) { /* what waits when it ends is given back */
        block(sig, SIGUSR1);
        for (int i = 0; i < 200; i++)
            send_value(sig, i);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

static void timed_wait(void)
{
    siginfo_t info;
    sigset_t set, old = block(SIGUSR1, SIGRTMIN);
    struct timespec none = {0, 0}, some = {0, 20 * MS}, bad = {0, -1};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CHECK(fails(sigtimedwait(&set, &info, &none), EAGAIN));
    CHECK(fails(sigtimedwait(&set, &info, &some), EAGAIN));
    CHECK(fails(sigtimedwait(&set, &info, &bad), EINVAL));
    CHECK(send_value(SIGRTMIN, 5) == 0 && send_value(SIGRTMIN, 6) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(sigtimedwait(&set, &info, &some) == SIGUSR1 && info.si_code == SI_USER);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 5);
    CHECK(sigtimedwait(&set, &info, &none) == SIGRTMIN && info.si_value.sival_int == 6);
    int status;
    pid_t me = getpid(), child = fork();
    if (!child) {
        usleep(20000);
        _exit(kill(me, SIGUSR1) != 0);
    }
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == child);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* ignored by default, but waited for */
    old = block(SIGCHLD, SIGCHLD);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    child = fork();
    if (!child)
        _exit(3);
    CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == child);
    CHECK(info.si_code == CLD_EXITED && info.si_status == 3 && info.si_uid == getuid());
    CHECK(waitpid(child, &status, 0) == child);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void own_details(void)
{
    siginfo_t info = {.si_code = SI_QUEUE};
    handle(SIGUSR2, 0);
    info.si_value.sival_int = 77;
    info.si_pid = 4321;
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &info) == 0);
    CHECK(last.si_value.sival_int == 77 && last.si_pid == 4321);
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR2, &info) == 0 && taken == 2);
    CHECK(fails(syscall(SYS_rt_sigqueueinfo, getpid(), 99, &info), EINVAL));
    CHECK(fails(syscall(SYS_rt_tgsigqueueinfo, 0, gettid(), SIGUSR2, &info), EINVAL));
    info.si_code = SI_USER;
    CHECK(fails(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info), EPERM));
    CHECK(tgkill(getpid(), gettid(), SIGUSR2) == 0 && last.si_code == SI_TKILL);
    CHECK(fails(tgkill(getpid(), 32000, SIGUSR2), ESRCH));
    CHECK(fails(kill(32001, 999), ESRCH) && fails(kill(getpid(), 999), EINVAL));
}

static volatile char *touched;
static sigjmp_buf back;

static void on_touch(int sig, siginfo_t *info, void *ctx)
{
    note(sig, info, ctx);
    siglongjmp(back, 1);
}

static void touch(volatile char *p, int write)
{
    touched = p;
    if (sigsetjmp(back, 1))
        return;
    if (write)
        *p = 1;
    else
        (void)*p;
}

static void faults_say_where(void)
{
    struct sigaction act = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO};
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    touch(page + 5, 1);
    CHECK(last.si_signo == SIGSEGV && last.si_code == SEGV_ACCERR && last.si_addr == page + 5);
    munmap(page, 8192);
    touch(page + 6, 0);
    CHECK(last.si_signo == SIGSEGV && last.si_code == SEGV_MAPERR && last.si_addr == page + 6);
    int fd = memfd_create("short", 0);
    page = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    touch(page + 4097, 0);
    CHECK(last.si_signo == SIGBUS && last.si_code == BUS_ADRERR && last.si_addr == page + 4097);
    munmap(page, 8192);
    close(fd);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    int status;
    if (!fork()) { /* a fault that is blocked kills all the same */
        sigaction(SIGSEGV, &act, NULL);
        block(SIGSEGV, SIGSEGV);
        *(volatile char *)8 = 1;
        _exit(0);
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK(!WCOREDUMP(status));
}

static volatile int nested, deepest; /* raise() is said to call nobody back */

static void nest(int sig)
{
    nested++;
    if (nested < 3)
        raise(sig);
    deepest = nested > deepest ? nested : deepest;
    nested--;
}

static void flags(void)
{
    struct sigaction act = {.sa_handler = nest, .sa_flags = SA_NODEFER}, now;
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    CHECK(deepest == 3);
    act.sa_flags = SA_RESETHAND;
    nested = 5;
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &now);
    CHECK(now.sa_handler == SIG_DFL);
    act.sa_flags = (int)0x7fffffff & ~(SA_RESETHAND | 0x04000000);
    act.sa_handler = SIG_IGN;
    sigaction(SIGUSR1, &act, NULL);
    sigaction(SIGUSR1, NULL, &now);
    CHECK(!(now.sa_flags & 0x10) && (now.sa_flags & SA_RESTART)); /* unknown ones are told apart */
    signal(SIGUSR1, SIG_DFL);
    nested = 0;
}

static char *stack_low;
static volatile int on_it;
static stack_t inside;

static void where(int sig)
{
    char here;
    (void)sig;
    on_it = &here > stack_low && &here < stack_low + 65536;
    sigaltstack(NULL, &inside);
}

static void other_stack(void)
{
    struct sigaction act = {.sa_handler = where, .sa_flags = SA_ONSTACK};
    stack_t ss = {.ss_size = 65536}, now;
    ss.ss_sp = stack_low = malloc(65536);
    CHECK(sigaltstack(&ss, NULL) == 0);
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    CHECK(on_it && inside.ss_flags == SS_ONSTACK);
    ss.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
    CHECK(sigaltstack(&ss, NULL) == 0);
    raise(SIGUSR1);
    CHECK(on_it && inside.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == stack_low);
    ss.ss_flags = 0;
    ss.ss_size = 100;
    CHECK(fails(sigaltstack(&ss, NULL), ENOMEM));
    ss.ss_flags = 77;
    CHECK(fails(sigaltstack(&ss, NULL), EINVAL));
    ss.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE && !now.ss_sp);
    free(stack_low);
    signal(SIGUSR1, SIG_DFL);
}

static pthread_t other;
static volatile int by_other, go_on;

static void who(int sig)
{
    (void)sig;
    by_other = pthread_self() == other;
}

static void *wait_here(void *arg)
{
    while (!go_on)
        usleep(1000);
    return arg;
}

/* A signal to the whole goes to a thread that does not block it; one to a thread only to that. */
static void threads(void)
{
    siginfo_t info;
    sigset_t set, pending;
    signal(SIGUSR1, who);
    CHECK(pthread_create(&other, NULL, wait_here, NULL) == 0);
    sigset_t old = block(SIGUSR1, SIGUSR2);
    kill(getpid(), SIGUSR1);
    while (!by_other)
        usleep(1000);
    CHECK(by_other);
    CHECK(tgkill(getpid(), gettid(), SIGUSR1) == 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == getpid());
    go_on = 1;
    pthread_join(other, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGUSR1, SIG_DFL);
}

/* A timer whose signal is not taken counts how often it would have been sent. */
static void overruns(void)
{
    timer_t id;
    siginfo_t info;
    sigset_t set, old = block(SIGUSR1, SIGUSR1);
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec its = {{0, 2 * MS}, {0, 2 * MS}};
    struct timespec none = {0, 0};
    ev.sigev_value.sival_int = 42;
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &id) == 0 && timer_settime(id, 0, &its, NULL) == 0);
    usleep(50000);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_TIMER);
    CHECK(info.si_value.sival_int == 42 && info.si_overrun >= 5);
    CHECK(timer_getoverrun(id) == info.si_overrun);
    CHECK(timer_delete(id) == 0);
    sigtimedwait(&set, &info, &none);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
    queues();
    limit();
    timed_wait();
    own_details();
    faults_say_where();
    flags();
    other_stack();
    threads();
    overruns();
    return report("signals");
}

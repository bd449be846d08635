/* SPDX-License-Identifier: MIT */
/* Threads seen from outside: their harts, their classes, their clocks; and the machine's name. */
#define _GNU_SOURCE
#include "abi.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int go_on = 1;
static volatile pid_t busy_tid;

static void *busy(void *arg)
{
    busy_tid = (pid_t)syscall(SYS_gettid);
    while (go_on)
        sched_yield();
    return arg;
}

static void other_threads(void)
{
    pthread_t thread;
    cpu_set_t set, got;
    struct sched_param param = {0};
    struct timespec before, after;
    clockid_t clock;
    int policy;
    CHECK(!pthread_create(&thread, NULL, busy, NULL));
    while (!busy_tid)
        sched_yield();
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    CHECK(!pthread_setaffinity_np(thread, sizeof(set), &set));
    CHECK(!pthread_getaffinity_np(thread, sizeof(got), &got) && CPU_EQUAL(&set, &got));
    CHECK(!sched_getaffinity(0, sizeof(got), &got));
    CHECK(CPU_COUNT(&got) == sysconf(_SC_NPROCESSORS_ONLN)); /* ours is as it was */
    CHECK(!pthread_getschedparam(thread, &policy, &param) && policy == SCHED_OTHER);
    CHECK(sched_getscheduler(busy_tid) == SCHED_OTHER);
    CHECK(!pthread_getcpuclockid(thread, &clock));
    CHECK(!clock_gettime(clock, &before));
    do { /* it runs, so its time goes on */
        sched_yield();
        clock_gettime(clock, &after);
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
    go_on = 0;
    CHECK(!pthread_join(thread, NULL));
    while (sched_getscheduler(busy_tid) >= 0) /* it is joined a moment before it is gone */
        sched_yield();
    CHECK(fails(sched_setaffinity(busy_tid, sizeof(set), &set), ESRCH));
    CHECK(fails(clock_gettime(clock, &after), EINVAL));
}

static void other_processes(void)
{
    struct timespec ts;
    clockid_t clock;
    cpu_set_t set;
    pid_t child = fork();
    if (!child)
        pause();
    CHECK(!clock_getcpuclockid(child, &clock) && !clock_gettime(clock, &ts));
    CHECK(!clock_getcpuclockid(0, &clock) && !clock_gettime(clock, &ts) && ts.tv_sec < 60);
    CPU_ZERO(&set);
    CHECK(fails(sched_setaffinity(child, sizeof(set), &set), EINVAL));
    CPU_SET(0, &set);
    CHECK(!sched_setaffinity(child, sizeof(set), &set));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(fails(sched_setaffinity(child, sizeof(set), &set), ESRCH));
    CHECK(clock_getcpuclockid(child, &clock) == ESRCH);
}

static void names(void)
{
    struct utsname was, is;
    char longer[80] = {0};
    CHECK(!uname(&was) && !strcmp(was.sysname, "Linux") && !strcmp(was.machine, "riscv64"));
    CHECK(!sethostname("elsewhere", 9) && !uname(&is) && !strcmp(is.nodename, "elsewhere"));
    CHECK(!setdomainname("x", 1) && !uname(&is) && !strcmp(is.domainname, "x"));
    CHECK(fails(sethostname(longer, 65), EINVAL));
    CHECK(fails(syscall(SYS_sethostname, "x", -1), EINVAL));
    CHECK(fails(syscall(SYS_sethostname, 8L, 4), EFAULT));
    CHECK(!sethostname(was.nodename, strlen(was.nodename)));
    CHECK(!setdomainname(was.domainname, strlen(was.domainname)));
    if (!fork()) {
        CHECK(!setuid(65534));
        CHECK(fails(sethostname("x", 1), EPERM));
        _exit(failures != 0);
    }
    int status = 1;
    wait(&status);
    CHECK(status == 0);
}

int main(void)
{
    other_threads();
    other_processes();
    names();
    return report("sched");
}

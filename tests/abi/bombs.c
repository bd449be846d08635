/* SPDX-License-Identifier: MIT */
/*
 * bombs.c - as many processes and threads as there may be: then EAGAIN, and nothing is left behind.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 300

static pid_t children[MANY];

/* Fork until it fails; how many there were. All have ended after. */
static int fork_all(int *why)
{
    int n = 0, status;
    while (n < MANY && (children[n] = fork()) > 0)
        n++;
    if (n < MANY && !children[n]) {
        for (;;)
            pause();
    }
    *why = errno;
    for (int i = 0; i < n; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < n; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && WTERMSIG(status) == SIGKILL);
    return n;
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *wait_a_while(void *arg)
{
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
    return arg;
}

static int thread_all(int *why)
{
    static pthread_t threads[MANY];
    int n = 0;
    pthread_mutex_lock(&held);
    while (n < MANY && !(*why = pthread_create(&threads[n], NULL, wait_a_while, NULL)))
        n++;
    pthread_mutex_unlock(&held);
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return n;
}

/* As a user who may have 20. */
static int limited(void)
{
    struct rlimit few = {20, 20};
    int why;
    CHECK(setrlimit(RLIMIT_NPROC, &few) == 0);
    CHECK(setgid(1234) == 0 && setuid(1234) == 0);
    CHECK(fork_all(&why) == 19 && why == EAGAIN);
    CHECK(thread_all(&why) == 19 && why == EAGAIN);
    CHECK(fork_all(&why) == 19 && why == EAGAIN); /* as many again: nothing is left */
    return failures != 0;
}

/* As root: as many as the machine lets be. */
static void machine(void)
{
    char was[32] = "";
    int fd = open("/proc/sys/kernel/threads-max", O_RDWR), why = 0;
    if (fd < 0 || read(fd, was, sizeof(was) - 1) <= 0)
        return; /* an emulator's user */
    CHECK(pwrite(fd, "60", 2, 0) == 2);
    CHECK(fork_all(&why) < 60 && why == EAGAIN);
    CHECK(thread_all(&why) < 60 && why == EAGAIN);
    CHECK(pwrite(fd, was, strlen(was), 0) == (ssize_t)strlen(was));
    close(fd);
}

int main(void)
{
    int status;
    pid_t child = fork();
    if (!child)
        _exit(limited());
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    machine();
    return report("bombs");
}

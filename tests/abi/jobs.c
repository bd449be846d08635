/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - stopping and going on, who is told of it, and calls that are interrupted.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static volatile int taken;
static siginfo_t last;

static void note(int sig, siginfo_t *info, void *ctx)
{
    (void)sig;
    (void)ctx;
    last = *info;
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

/* A child that sends sig to us after a while. */
static pid_t later(int sig)
{
    pid_t me = getpid(), child = fork();
    if (!child) {
        usleep(30000);
        kill(me, sig);
        _exit(0);
    }
    return child;
}

static void interrupted(void)
{
    struct timespec half = {0, 500 * MS}, left = {0, 0};
    int p[2], status;
    char c = 0;
    CHECK(pipe(p) == 0);
    handle(SIGUSR1, SA_RESTART);
    pid_t child = later(SIGUSR1); /* also a sleep that says SA_RESTART ends */
    CHECK(fails(nanosleep(&half, &left), EINTR) && left.tv_nsec > 100 * MS && taken == 1);
    waitpid(child, &status, 0);
    child = later(SIGUSR1);
    CHECK(fails(poll(NULL, 0, 500), EINTR));
    waitpid(child, &status, 0);
    if (!(child = fork())) { /* a read is made again */
        kill(getppid(), SIGUSR1);
        usleep(30000);
        _exit(write(p[1], "x", 1) != 1);
    }
    CHECK(read(p[0], &c, 1) == 1 && c == 'x' && taken == 3);
    waitpid(child, &status, 0);
    handle(SIGUSR1, 0);
    child = later(SIGUSR1);
    CHECK(fails(read(p[0], &c, 1), EINTR) && taken == 1);
    waitpid(child, &status, 0);
    close(p[0]);
    close(p[1]);
    signal(SIGUSR1, SIG_DFL);
}

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / MS;
}

/* A sleep that is stopped and continued ends when it would have. */
static void stopped_sleep(void)
{
    int status, p[2];
    struct timespec begin, sleep = {0, 200 * MS};
    CHECK(pipe(p) == 0);
    pid_t child = fork();
    if (!child) {
        clock_gettime(CLOCK_MONOTONIC, &begin);
        int whole = write(p[1], "x", 1) == 1 && nanosleep(&sleep, NULL) == 0;
        long ms = elapsed_ms(&begin);
        _exit(whole && ms >= 200 && ms < 100000 ? 0 : 1);
    }
    char c;
    CHECK(read(p[0], &c, 1) == 1);
    usleep(20000);
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(WSTOPSIG(status) == SIGSTOP && waitpid(child, &status, WUNTRACED | WNOHANG) == 0);
    kill(child, SIGCONT);
    CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(p[0]);
    close(p[1]);
}

static void job_control(void)
{
    int status;
    siginfo_t info;
    handle(SIGCHLD, SA_RESTART);
    pid_t child = fork();
    if (!child) {
        setpgid(0, 0);
        raise(SIGTSTP);
        _exit(9);
    }
    CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT) == 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGTSTP && info.si_pid == child);
    CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED) == 0 && info.si_code == CLD_STOPPED);
    CHECK(last.si_code == CLD_STOPPED && last.si_pid == child && last.si_status == SIGTSTP);
    kill(child, SIGCONT);
    CHECK(waitid(P_PID, (id_t)child, &info, WCONTINUED | WEXITED) == 0);
    CHECK(info.si_code == CLD_CONTINUED ? info.si_status == SIGCONT : info.si_code == CLD_EXITED);
    if (info.si_code == CLD_CONTINUED)
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9);
    handle(SIGCHLD, SA_NOCLDSTOP | SA_RESTART);
    child = fork();
    if (!child) {
        raise(SIGSTOP);
        _exit(0);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && taken == 0);
    kill(child, SIGKILL); /* stopped or not */
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    CHECK(last.si_code == CLD_KILLED && last.si_status == SIGKILL);
    handle(SIGCHLD, SA_NOCLDWAIT);
    child = fork();
    if (!child)
        _exit(0);
    CHECK(fails(waitpid(child, &status, 0), ECHILD));
    signal(SIGCHLD, SIG_DFL);
}

/* A group that nobody could continue does not stop by SIGTSTP, and is hung up if it is stopped. */
static void orphans(void)
{
    int status, p[2];
    char c = 0;
    CHECK(pipe(p) == 0);
    pid_t child = fork();
    if (!child) {
        setsid(); /* the one group of a new session is orphaned */
        raise(SIGTSTP);
        _exit(5);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child && WEXITSTATUS(status) == 5);
    child = fork();
    if (!child) {
        pid_t grandchild = fork();
        if (!grandchild) {
            setpgid(0, 0);
            signal(SIGHUP, SIG_IGN);
            raise(SIGSTOP);
            _exit(write(p[1], "c", 1) != 1); /* only once somebody continued it */
        }
        waitpid(grandchild, &status, WUNTRACED);
        _exit(WIFSTOPPED(status) ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(p[0], &c, 1) == 1 && c == 'c');
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    interrupted();
    stopped_sleep();
    job_control();
    orphans();
    return report("jobs");
}

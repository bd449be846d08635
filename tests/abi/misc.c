/* SPDX-License-Identifier: MIT */
/*
 * misc.c - waitid, pidfds, priorities, close_range, clone3, and scripts that name who reads them.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void waiting(void)
{
    siginfo_t info;
    pid_t pid = fork();
    if (!pid)
        _exit(42);
    CHECK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 42);
    CHECK(info.si_signo == SIGCHLD);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_status == 42);
    CHECK(fails(waitid(P_ALL, 0, &info, WEXITED), ECHILD));
    CHECK(fails(waitid(P_ALL, 0, &info, 0), EINVAL) &&
          fails(waitid(99, 0, &info, WEXITED), EINVAL));
    pid = fork();
    if (!pid) {
        pause();
        _exit(0);
    }
    info.si_pid = 7;
    CHECK(waitid(P_PID, pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(kill(pid, SIGSTOP) == 0 && waitid(P_PID, pid, &info, WSTOPPED) == 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_pid == pid);
    int fd = (int)syscall(434, pid, 0); /* pidfd_open */
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    struct pollfd p = {fd, POLLIN, 0};
    CHECK(poll(&p, 1, 0) == 0);
    CHECK(syscall(424, fd, SIGKILL, NULL, 0) == 0 && poll(&p, 1, 5000) == 1);
    CHECK(waitid(3 /* P_PIDFD */, (id_t)fd, &info, WEXITED) == 0);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    CHECK(fails(syscall(424, fd, 0, NULL, 0), ESRCH));
    close(fd);
    CHECK(fails(syscall(434, 999999, 0), ESRCH) && fails(syscall(434, -1, 0), EINVAL));
    int status;
    CHECK(fails(wait4(-1, &status, 0, NULL), ECHILD));
}

static void priorities(void)
{
    struct sched_param param = {.sched_priority = 10};
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(fails(getpriority(9, 0), EINVAL));
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_FIFO) == 1);
    CHECK(fails(sched_get_priority_max(77), EINVAL) && sched_getscheduler(0) == SCHED_OTHER);
    CHECK(fails(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL));
    CHECK(sched_getparam(0, &param) == 0 && param.sched_priority == 0);
    struct timespec ts;
    CHECK(sched_rr_get_interval(0, &ts) == 0);
}

static void descriptors(void)
{
    int fds[6];
    for (int i = 0; i < 6; i++)
        fds[i] = dup(1);
    CHECK(syscall(436, fds[1], fds[3], 0) == 0); /* close_range */
    CHECK(fcntl(fds[0], F_GETFD) == 0 && fails(fcntl(fds[2], F_GETFD), EBADF));
    CHECK(syscall(436, fds[4], ~0U, 4) == 0 && fcntl(fds[5], F_GETFD) == FD_CLOEXEC);
    CHECK(fails(syscall(436, 9, 3, 0), EINVAL));
    close(fds[0]);
    close(fds[4]);
    close(fds[5]);
}

static void cloning(void)
{
    uint64_t args[8] = {0};
    int status;
    args[4] = SIGCHLD;
    long pid = syscall(435, args, sizeof(args)); /* clone3 */
    if (pid == 0)
        _exit(9);
    if (pid < 0 && errno == ENOSYS)
        return;
    CHECK(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 9);
    CHECK(fails(syscall(435, args, 8), EINVAL));
    CHECK(fails(syscall(435, NULL, sizeof(args)), EFAULT));
    args[5] = 4096; /* a stack without a size */
    CHECK(fails(syscall(435, args, sizeof(args)), EINVAL));
}

static void executing(const char *self)
{
    static const char script[] = "#! %s  with words \nanything\n";
    char text[256], *argv[] = {"given", "last", NULL}, *none[] = {NULL};
    int status, n = snprintf(text, sizeof(text), script, self);
    int fd = open("/tmp/abi-script", O_CREAT | O_WRONLY | O_TRUNC, 0755);
    CHECK(write(fd, text, (size_t)n) == n);
    close(fd);
    if (!fork()) {
        execve("/tmp/abi-script", argv, none);
        _exit(1);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 77);
    CHECK(chmod("/tmp/abi-script", 0644) == 0);
    CHECK(fails(execve("/tmp/abi-script", argv, none), EACCES));
    CHECK(fails(execve("/tmp", argv, none), EACCES) && fails(execve("/none", argv, none), ENOENT));
    CHECK(truncate("/tmp/abi-script", 10) == 0 && chmod("/tmp/abi-script", 0755) == 0);
    fd = open("/tmp/abi-script", O_WRONLY | O_TRUNC);
    CHECK(write(fd, "no program", 10) == 10);
    close(fd);
    CHECK(fails(execve("/tmp/abi-script", argv, none), ENOEXEC));
    CHECK(unlink("/tmp/abi-script") == 0);
}

static const char *own_path;

static void *execute(void *arg)
{
    char *argv[] = {"misc", "from-a-thread", NULL}, *none[] = {NULL};
    (void)arg;
    execve(own_path, argv, none);
    _exit(1);
}

static void *spin(void *arg)
{
    (void)arg;
    for (;;)
        ;
    return NULL;
}

/* The threads that do not execute end, and the pid stays. */
static void executing_from_a_thread(const char *self)
{
    int status;
    own_path = self;
    if (!fork()) {
        pthread_t t;
        pthread_create(&t, NULL, spin, NULL);
        pthread_create(&t, NULL, execute, NULL);
        pause();
        _exit(2);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 66);
}

int main(int argc, char **argv)
{
    char self[128];
    if (argc == 2 && !strcmp(argv[1], "from-a-thread"))
        return getpid() == syscall(SYS_gettid) ? 66 : 3;
    if (argc == 4) /* as the reader of the script */
        return strcmp(argv[1], "with words") || strcmp(argv[2], "/tmp/abi-script") ||
                       strcmp(argv[3], "last")
                   ? 1
                   : 77;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    CHECK(n > 0);
    self[n > 0 ? n : 0] = '\0';
    waiting();
    priorities();
    descriptors();
    cloning();
    if (strlen(self) < 100)
        executing(self);
    executing_from_a_thread(self);
    return report("misc");
}

/* SPDX-License-Identifier: MIT */
/*
 * filelock.c - flock, locks of bytes that belong to a process, and those that belong to an open
 * file.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH "/tmp/locked"

static struct flock range(short type, off_t start, off_t len)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static int set(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = range(type, start, len);
    return fcntl(fd, cmd, &l);
}

/* What keeps a write lock of the whole file out, as another process sees it: "R 0-9" and so on. */
static int others_see(int fd, short type, off_t start, off_t len)
{
    pid_t owner = getpid(), child = fork();
    int status;
    if (!child) {
        struct flock l = range(F_WRLCK, 0, 0);
        int asked = fcntl(fd, F_GETLK, &l);
        _exit(asked == 0 && l.l_type == type &&
              (type == F_UNLCK || (l.l_start == start && l.l_len == len && l.l_pid == owner)));
    }
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1;
}

static int child_fails(int fd, short type, off_t start, off_t len)
{
    int status;
    pid_t child = fork();
    if (!child)
        _exit(set(fd, F_SETLK, type, start, len) == 0 ? 0 : errno);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void of_open_files(int a)
{
    int b = open(PATH, O_RDWR), c = dup(a);
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH) == 0);
    CHECK(fails(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK));
    CHECK(flock(b, LOCK_UN) == 0 && flock(a, LOCK_EX) == 0 && flock(c, LOCK_EX) == 0);
    CHECK(fails(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK));
    CHECK(child_fails(a, F_WRLCK, 0, 0) == 0); /* they do not see each other */
    close(a);
    CHECK(fails(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK));
    close(c);
    CHECK(flock(b, LOCK_EX | LOCK_NB) == 0);
    CHECK(fails(flock(b, 3), EINVAL) && fails(flock(99, LOCK_SH), EBADF));
    close(b);
}

static void pieces(int fd)
{
    CHECK(set(fd, F_SETLK, F_WRLCK, 0, 30) == 0 && others_see(fd, F_WRLCK, 0, 30));
    CHECK(set(fd, F_SETLK, F_UNLCK, 10, 10) == 0 && others_see(fd, F_WRLCK, 0, 10));
    CHECK(child_fails(fd, F_WRLCK, 10, 10) == 0 && child_fails(fd, F_RDLCK, 25, 1) == EAGAIN);
    CHECK(set(fd, F_SETLK, F_RDLCK, 0, 5) == 0 && child_fails(fd, F_RDLCK, 0, 5) == 0);
    CHECK(child_fails(fd, F_RDLCK, 5, 1) == EAGAIN);
    CHECK(set(fd, F_SETLK, F_WRLCK, 0, 20) == 0 && others_see(fd, F_WRLCK, 0, 30));
    CHECK(set(fd, F_SETLK, F_WRLCK, 25, 0) == 0 && others_see(fd, F_WRLCK, 0, 0));
    close(dup(fd)); /* any close of the file gives all of them up */
    CHECK(others_see(fd, F_UNLCK, 0, 0));
}

static void wrong(int fd)
{
    int reader = open(PATH, O_RDONLY);
    struct flock l = range(7, 0, 0);
    CHECK(fails(set(reader, F_SETLK, F_WRLCK, 0, 1), EBADF));
    CHECK(set(reader, F_SETLK, F_RDLCK, 0, 1) == 0);
    CHECK(fails(fcntl(fd, F_SETLK, &l), EINVAL) && fails(fcntl(fd, F_GETLK, &l), EINVAL));
    CHECK(fails(set(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL));
    CHECK(fails(set(fd, F_SETLK, F_WRLCK, 5, -6), EINVAL) && !set(fd, F_SETLK, F_WRLCK, 5, -5));
    CHECK(fails(set(fd, F_SETLK, F_WRLCK, 2, 0x7fffffffffffffff), EOVERFLOW));
    close(reader);
}

/* The child waits for the lock until the parent gives it up; then each would wait for the other. */
static void waiting(int fd)
{
    int status, p[2];
    char c;
    CHECK(pipe(p) == 0 && set(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
    pid_t child = fork();
    if (!child) {
        int first = set(fd, F_SETLK, F_WRLCK, 1, 1);
        write(p[1], "x", 1);
        _exit(first || set(fd, F_SETLKW, F_WRLCK, 0, 1));
    }
    CHECK(read(p[0], &c, 1) == 1);
    usleep(100000);
    CHECK(fails(set(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK));
    CHECK(set(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(p[0]);
    close(p[1]);
}

static void ended_by_a_signal(int fd)
{
    int status;
    CHECK(set(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    pid_t child = fork();
    if (!child) {
        struct sigaction act = {.sa_handler = caught}; /* no SA_RESTART; longjmp ends the wait */
        sigaction(SIGALRM, &act, NULL);
        alarm(1);
        if (!sigsetjmp(on_fault, 1))
            _exit(flock(fd, LOCK_EX) || set(fd, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 2);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(set(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
}

static void of_descriptions(void)
{
    int a = open(PATH, O_RDWR), b = open(PATH, O_RDWR);
    struct flock l = range(F_WRLCK, 0, 0);
    CHECK(set(a, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
    CHECK(fails(set(b, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN) &&
          !set(b, F_OFD_SETLK, F_RDLCK, 10, 1));
    CHECK(fcntl(b, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_len == 10 && l.l_pid == -1);
    CHECK(fails(set(b, F_SETLK, F_WRLCK, 0, 1), EAGAIN)); /* against those of processes too */
    l = range(F_WRLCK, 0, 0);
    l.l_pid = 1;
    CHECK(fails(fcntl(a, F_OFD_SETLK, &l), EINVAL));
    close(dup(a));
    CHECK(fails(set(b, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN));
    close(a);
    CHECK(set(b, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
    close(b);
}

int main(void)
{
    of_open_files(open(PATH, O_RDWR | O_CREAT | O_TRUNC, 0600));
    int fd = open(PATH, O_RDWR);
    pieces(fd);
    wrong(fd);
    waiting(fd);
    ended_by_a_signal(fd);
    of_descriptions();
    unlink(PATH);
    return report("filelock");
}

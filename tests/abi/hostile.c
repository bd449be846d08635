/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - what a program may try against the others: each try ends in an error, or with the
 * program, and all of it is given back.
 *
 *      too many     processes, threads, mappings, descriptors: EAGAIN, ENOMEM, EMFILE
 *      pointers     into the kernel, past the top, to where a mapping ends: for every call there is
 *      lengths      that wrap around an address, or an offset
 *      the dead     pipes whose other end was killed, children of the killed
 *
 * The boot suite compares the free memory before and after.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

enum { PAGE = 4096, CROWD = 40, SOMEBODY = 12345, MOST = 100000 };

/* Run @f in a child; its status. */
static int in_child(int (*f)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(f());
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

/* --- too many --------------------------------------------------------------------------------- */

/* All processes of one user, each of which forks as often as it can. */
static int fork_bomb(void)
{
    struct rlimit most = {CROWD, CROWD};
    int refused = 0;
    if (setpgid(0, 0) || setrlimit(RLIMIT_NPROC, &most) || setuid(SOMEBODY))
        return 1;
    for (int generation = 0; generation < 8; generation++) {
        if (fork() < 0)
            refused += errno == EAGAIN;
    }
    if (getpid() != getpgrp())
        pause();
    while (refused == 0) /* the crowd is ours, so there is a limit to it */
        refused += fork() < 0 && errno == EAGAIN;
    kill(0, SIGKILL);
    return 2;
}

static void *stay(void *arg)
{
    pause();
    return arg;
}

static int thread_bomb(void)
{
    struct rlimit most = {CROWD, CROWD};
    pthread_attr_t attr;
    pthread_t thread;
    int err = 0, n = 0;
    if (setrlimit(RLIMIT_NPROC, &most) || setuid(SOMEBODY + 1))
        return 1;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    for (; !err && n < 2 * CROWD; n++)
        err = pthread_create(&thread, &attr, stay, NULL);
    return err != EAGAIN || n != CROWD;
}

/* Neighbours that cannot be joined, until there are too many. */
static int map_bomb(void)
{
    char *last = NULL, *p = NULL;
    int n = 0;
    for (; n < MOST && p != MAP_FAILED; n++) {
        last = p;
        p = mmap(NULL, PAGE, n % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (p != MAP_FAILED || errno != ENOMEM || n < 65000 || n > 65531)
        return 1;
    if (munmap(last, PAGE))
        return 2;
    return mmap(NULL, PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int descriptor_bomb(void)
{
    struct rlimit most = {500, 500};
    int fd, last = 2, p[2];
    if (setrlimit(RLIMIT_NOFILE, &most))
        return 1;
    while ((fd = dup(0)) >= 0)
        last = fd;
    if (errno != EMFILE || last != 499 || !fails(pipe(p), EMFILE))
        return 2;
    if (!fails(dup2(0, 500), EBADF) || !fails(fcntl(0, F_DUPFD, 500), EINVAL))
        return 3;
    close(last);
    return !fails(pipe(p), EMFILE) || dup(0) != last; /* one is not enough, and was not lost */
}

static void too_many(void)
{
    int status = in_child(fork_bomb);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(in_child(thread_bomb) == 0);
    CHECK(in_child(map_bomb) == 0);
    CHECK(in_child(descriptor_bomb) == 0);
}

/* --- pointers --------------------------------------------------------------------------------- */

static char *edge; /* behind it nothing is mapped */

static int is_unwanted(long nr)
{
    static const short unwanted[] = {SYS_exit,
                                     SYS_exit_group,
                                     SYS_clone,
                                     SYS_kill,
                                     SYS_tkill,
                                     SYS_tgkill,
                                     58,
                                     SYS_reboot,
                                     SYS_munmap,
                                     SYS_close,
                                     SYS_rt_sigreturn,
                                     SYS_brk,
                                     435,
                                     436,
                                     SYS_syncfs,
                                     SYS_sync,
                                     SYS_setpgid,
                                     SYS_setsid,
                                     SYS_ptrace,
                                     SYS_setpriority,
                                     SYS_swapoff,
                                     SYS_sched_setaffinity,
                                     SYS_mlockall};
    for (unsigned i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
        if (unwanted[i] == nr)
            return 1;
    }
    return 0;
}

static long call_nr;

/* Each call with each pointer; what it may not do is to succeed in writing there. */
static int call_with_pointers(void)
{
    const uintptr_t pointers[] = {0xffffffff80200000UL, 0xffffffc000000000UL,  0x4000000000UL,
                                  0x8000000000000000UL, (uintptr_t)-1,         (uintptr_t)-4096,
                                  (uintptr_t)edge - 1,  (uintptr_t)edge - 4095};
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    alarm(5);
    for (unsigned i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        uintptr_t p = pointers[i];
        syscall(call_nr, p, p, p, p, p, p);
        syscall(call_nr, 0, p, p, p, p, p);
        syscall(call_nr, 0, 0, p, 0, 0, 0);
        syscall(call_nr, 0, p, 1, p, 0, p);
        syscall(call_nr, -100, p, 0, 0, 0, 0);
    }
    return 0;
}

static void bad_pointers(void)
{
    long ended = 0, tried = 0;
    for (call_nr = 0; call_nr < 470; call_nr++) {
        if (is_unwanted(call_nr))
            continue;
        int status = in_child(call_with_pointers);
        tried++;
        ended += WIFEXITED(status) || WIFSIGNALED(status);
    }
    CHECK(ended == tried && tried > 400);
    int fd = open("/dev/zero", O_RDONLY);
    const char *const kernel = (const char *)0xffffffff80200000UL;
    CHECK(fails(read(fd, (char *)kernel, 8), EFAULT));
    CHECK(fails(open(kernel, O_RDONLY), EFAULT));
    CHECK(fails(syscall(SYS_execve, kernel, NULL, NULL), EFAULT));
    CHECK(fails(syscall(SYS_newfstatat, AT_FDCWD, "/", kernel, 0), EFAULT));
    memcpy(edge - 3, "/a/", 3); /* a path that does not end */
    CHECK(fails(open(edge - 3, O_RDONLY), EFAULT));
    CHECK(fails(syscall(SYS_newfstatat, AT_FDCWD, "/", edge - 8, 0), EFAULT));
    CHECK(fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, edge - 8), EFAULT));
    CHECK(read(fd, edge - 8, 8) == 8);
    close(fd);
}

/* --- lengths ---------------------------------------------------------------------------------- */

static void lengths(void)
{
    char *p = edge - PAGE;
    volatile size_t most = SIZE_MAX, half = SIZE_MAX / 2 + 1;
    struct iovec iov[2] = {{p, 1}, {p, most}};
    int fd = open("/tmp/abi-hostile", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fails(syscall(SYS_readv, fd, iov, 2), EINVAL));
    CHECK(fails(syscall(SYS_writev, fd, iov, 1025), EINVAL));
    CHECK(fails(syscall(SYS_readv, fd, iov, -1), EINVAL));
    CHECK(mmap(NULL, most, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == ENOMEM);
    CHECK(mmap(NULL, half, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)(0 - (size_t)PAGE)) == MAP_FAILED);
    CHECK(errno == EOVERFLOW);
    CHECK(fails(munmap(p, most - 2 * PAGE), EINVAL));
    CHECK(fails(mprotect(p, most - 2 * PAGE, PROT_READ), ENOMEM));
    CHECK(fails(madvise(p, most - 2 * PAGE, MADV_DONTNEED), EINVAL));
    CHECK(fails(msync(p, most - 2 * PAGE, MS_ASYNC), ENOMEM));
    CHECK(mremap(p, PAGE, most - 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK(fails(ftruncate(fd, (off_t)half), EINVAL));
    CHECK(fails(lseek(fd, (off_t)half, SEEK_SET), EINVAL));
    CHECK(fails(pread(fd, p, 1, -1), EINVAL) && fails(pwrite(fd, p, 1, -1), EINVAL));
    CHECK(fails(syscall(SYS_fallocate, fd, 0, 0, INT64_MIN), EINVAL));
    CHECK(lseek(fd, 0, SEEK_END) == 0);
    close(fd);
    unlink("/tmp/abi-hostile");
}

/* --- the dead --------------------------------------------------------------------------------- */

static void pipes_to_the_dead(void)
{
    static char page[PAGE];
    int p[2], status;
    char c;
    CHECK(pipe(p) == 0);
    pid_t reader = fork();
    if (reader == 0) {
        close(p[1]);
        pause();
    }
    close(p[0]);
    for (int i = 0; i < 16; i++)
        CHECK(write(p[1], page, PAGE) == PAGE); /* full: nobody reads */
    pid_t writer = fork();
    if (writer == 0)
        _exit(write(p[1], page, PAGE) > 0); /* waits for room, and will never get any */
    usleep(20000);
    CHECK(kill(reader, SIGKILL) == 0 && waitpid(reader, &status, 0) == reader);
    CHECK(waitpid(writer, &status, 0) == writer);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    close(p[1]);
    CHECK(pipe(p) == 0);
    writer = fork();
    if (writer == 0)
        pause();
    close(p[1]);
    CHECK(kill(writer, SIGKILL) == 0 && read(p[0], &c, 1) == 0);
    CHECK(waitpid(writer, &status, 0) == writer);
    close(p[0]);
}

int main(void)
{
    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    edge += PAGE;
    CHECK(munmap(edge, PAGE) == 0);
    too_many();
    bad_pointers();
    lengths();
    pipes_to_the_dead();
    return report("hostile");
}

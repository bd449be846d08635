/* SPDX-License-Identifier: MIT */
/*
 * splice.c - bytes that go from file to file without a program's buffer.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define BIG (200 * 1024)

static char buf[BIG], again[BIG];

static int file_of(const char *text)
{
    int fd = memfd_create("file", 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static int holds(int fd, const char *text)
{
    ssize_t n = pread(fd, again, sizeof(again), 0);
    return n == (ssize_t)strlen(text) && !memcmp(again, text, (size_t)n);
}

static void *drain(void *arg)
{
    long sum = 0;
    for (ssize_t n; (n = read(*(int *)arg, again, sizeof(again))) > 0;)
        sum += n;
    return (void *)sum;
}

static void sending(void)
{
    int in = file_of("hello, world"), out = memfd_create("out", 0), p[2], q[2];
    off_t at = 7;
    void *got;
    pthread_t thread;
    CHECK(sendfile(out, in, NULL, 5) == 5 && lseek(in, 0, SEEK_CUR) == 5 && holds(out, "hello"));
    CHECK(sendfile(out, in, &at, 100) == 5 && at == 12 && lseek(in, 0, SEEK_CUR) == 5);
    CHECK(holds(out, "helloworld") && sendfile(out, in, &at, 100) == 0);
    CHECK(pipe(p) == 0 && pipe(q) == 0);
    CHECK(sendfile(p[1], in, NULL, 3) == 3 && read(p[0], buf, 9) == 3 && !memcmp(buf, ", w", 3));
    CHECK(fails(sendfile(out, p[0], NULL, 3), EINVAL) && fails(sendfile(out, 99, NULL, 1), EBADF));
    CHECK(fails(sendfile(p[0], in, NULL, 1), EBADF) && fails(sendfile(out, p[1], NULL, 1), EBADF));
    CHECK(fails(sendfile(out, p[0], &at, 3), ESPIPE));
    at = -1;
    CHECK(fails(sendfile(out, in, &at, 3), EINVAL));
    for (int i = 0; i < BIG; i++)
        buf[i] = (char)(i * 7);
    CHECK(pwrite(in, buf, BIG, 0) == BIG);
    CHECK(lseek(in, 0, SEEK_SET) == 0 && pthread_create(&thread, NULL, drain, &q[0]) == 0);
    long sent = 0; /* more than the pipe holds: a part at a time */
    for (ssize_t n; sent < BIG && (n = sendfile(q[1], in, NULL, (size_t)(BIG - sent))) > 0;)
        sent += n;
    CHECK(sent == BIG && close(q[1]) == 0);
    CHECK(pthread_join(thread, &got) == 0 && (long)got == BIG && close(q[0]) == 0);
    int null = open("/dev/null", O_WRONLY),
        append = open("/tmp/a", O_RDWR | O_CREAT | O_APPEND, 0600);
    CHECK(lseek(in, 0, SEEK_SET) == 0 && sendfile(null, in, NULL, BIG) == BIG);
    CHECK(fails(sendfile(append, in, NULL, 1), EINVAL));
    CHECK(!close(null) && !close(append) && !close(in) && !close(out) && !close(p[0]) &&
          !close(p[1]) && !unlink("/tmp/a"));
}

static void splicing(void)
{
    int in = file_of("0123456789"), out = memfd_create("out", 0), p[2], q[2], n;
    loff_t at = 3, to = 100;
    CHECK(pipe(p) == 0 && pipe(q) == 0);
    CHECK(splice(in, NULL, p[1], NULL, 4, 0) == 4 && splice(in, &at, p[1], NULL, 4, 0) == 4);
    CHECK(at == 7 && lseek(in, 0, SEEK_CUR) == 4 && ioctl(p[0], FIONREAD, &n) == 0 && n == 8);
    CHECK(tee(p[0], q[1], 6, 0) == 6 && ioctl(p[0], FIONREAD, &n) == 0 && n == 8);
    CHECK(read(q[0], buf, 99) == 6 && !memcmp(buf, "012334", 6));
    CHECK(splice(p[0], NULL, q[1], NULL, 5, 0) == 5 && splice(p[0], NULL, out, NULL, 9, 0) == 3);
    CHECK(holds(out, "456") && lseek(out, 0, SEEK_CUR) == 3);
    to = 1;
    CHECK(splice(q[0], NULL, out, &to, 2, 0) == 2 && to == 3 && holds(out, "401"));
    CHECK(read(q[0], buf, 99) == 3 && !memcmp(buf, "233", 3));
    CHECK(fails(splice(p[0], NULL, out, NULL, 5, SPLICE_F_NONBLOCK), EAGAIN));
    CHECK(fails(tee(p[0], q[1], 5, SPLICE_F_NONBLOCK), EAGAIN));
    CHECK(splice(in, NULL, p[1], NULL, 0, 0) == 0 && fails(splice(in, 0, p[1], 0, 1, 64), EINVAL));
    CHECK(fails(splice(in, NULL, out, NULL, 1, 0), EINVAL));
    CHECK(fails(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL) &&
          fails(tee(p[0], p[1], 1, 0), EINVAL));
    CHECK(fails(tee(in, p[1], 1, 0), EINVAL));
    CHECK(fails(splice(in, NULL, p[1], &to, 1, 0), ESPIPE));
    CHECK(fails(splice(p[0], &to, out, NULL, 1, 0), ESPIPE));
    CHECK(fails(splice(p[1], NULL, out, NULL, 1, 0), EBADF));
    CHECK(lseek(in, 0, SEEK_END) == 10 && splice(in, NULL, p[1], NULL, 5, 0) == 0);
    CHECK(close(p[1]) == 0 && splice(p[0], NULL, out, NULL, 5, 0) == 0); /* its end */
    struct iovec iov[2] = {{"abc", 3}, {"de", 2}}, back = {buf, 5};
    CHECK(vmsplice(q[1], iov, 2, 0) == 5 && vmsplice(q[0], &back, 1, 0) == 5);
    CHECK(!memcmp(buf, "abcde", 5) && fails(vmsplice(in, iov, 1, 0), EBADF));
    CHECK(fails(vmsplice(q[0], &back, 1, SPLICE_F_NONBLOCK), EAGAIN));
    CHECK(!close(in) && !close(out) && !close(p[0]) && !close(q[0]) && !close(q[1]));
}

static void copying(void)
{
    int in = file_of("0123456789"), out = file_of("abcdefghij"), p[2];
    loff_t from = 2, to = 5;
    CHECK(copy_file_range(in, NULL, out, NULL, 3, 0) == 3 && holds(out, "012defghij"));
    CHECK(lseek(in, 0, SEEK_CUR) == 3 && lseek(out, 0, SEEK_CUR) == 3);
    CHECK(copy_file_range(in, &from, out, &to, 99, 0) == 8 && from == 10 && to == 13);
    CHECK(holds(out, "012de23456789") && copy_file_range(in, &from, out, &to, 9, 0) == 0);
    from = 0;
    to = 5;
    CHECK(copy_file_range(in, &from, in, &to, 5, 0) == 5 && holds(in, "0123401234"));
    from = 0;
    to = 3;
    CHECK(fails(copy_file_range(in, &from, in, &to, 5, 0), EINVAL));
    CHECK(fails(copy_file_range(in, NULL, out, NULL, 5, 1), EINVAL) && pipe(p) == 0);
    CHECK(fails(copy_file_range(in, NULL, p[1], NULL, 5, 0), EINVAL));
    CHECK(fails(copy_file_range(in, NULL, 99, NULL, 5, 0), EBADF));
    int dir = open("/", O_RDONLY);
    CHECK(fails(copy_file_range(dir, NULL, out, NULL, 5, 0), EISDIR));
    CHECK(!close(in) && !close(out) && !close(p[0]) && !close(p[1]) && !close(dir));
}

/* Views are files, too. */
static void views(void)
{
    int in = open("/proc/meminfo", O_RDONLY), out = memfd_create("out", 0);
    CHECK(sendfile(out, in, NULL, PAGE) > 100 && pread(out, buf, 5, 0) == 5);
    CHECK(!memcmp(buf, "MemTo", 5) && !close(in) && !close(out));
}

/* What ioctl() knows of every file. */
static void controls(void)
{
    int file = file_of("0123456789"), p[2], n = -1;
    CHECK(pipe(p) == 0 && lseek(file, 4, SEEK_SET) == 4);
    CHECK(ioctl(file, FIONREAD, &n) == 0 && n == 6 && fails(ioctl(file, FIONREAD, 1), EFAULT));
    n = 1;
    CHECK(ioctl(p[0], FIONBIO, &n) == 0 && fails(read(p[0], buf, 1), EAGAIN));
    n = 0;
    CHECK(ioctl(p[0], FIONBIO, &n) == 0 && !(fcntl(p[0], F_GETFL) & O_NONBLOCK));
    CHECK(ioctl(file, FIOCLEX) == 0 && fcntl(file, F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(file, FIONCLEX) == 0 && fcntl(file, F_GETFD) == 0);
    CHECK(fails(ioctl(file, 0x1234), ENOTTY) && fails(ioctl(99, FIOCLEX), EBADF));
    CHECK(!close(file) && !close(p[0]) && !close(p[1]));
}

int main(void)
{
    sending();
    splicing();
    copying();
    views();
    controls();
    return report("splice");
}

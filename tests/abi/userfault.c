/* SPDX-License-Identifier: MIT */
/*
 * userfault.c - a program that handles its own page faults, by userfaultfd.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)
#define UFFD_USER_MODE_ONLY_ 1

static char content[8 * 4096] __attribute__((aligned(4096)));

static int create(int flags, unsigned long features)
{
    struct uffdio_api api = {.api = UFFD_API, .features = features};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | flags);
    CHECK(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && api.api == UFFD_API);
    CHECK((api.ioctls & 0x8000000000000003UL) == 0x8000000000000003UL);
    return fd;
}

static char *map(size_t pages, int how)
{
    return mmap(NULL, pages * PAGE, RW, MAP_ANONYMOUS | how, -1, 0);
}

static int enlist(int fd, char *p, size_t pages)
{
    struct uffdio_register r = {{(unsigned long)p, pages * PAGE}, UFFDIO_REGISTER_MODE_MISSING, 0};
    return ioctl(fd, UFFDIO_REGISTER, &r) || (r.ioctls & 0x1c) != 0x1c ? -1 : 0;
}

static int range(int fd, unsigned long what, char *p, size_t pages)
{
    struct uffdio_range r = {(unsigned long)p, pages * PAGE};
    return ioctl(fd, what, &r);
}

static long copy(int fd, char *p, const char *from, size_t pages, unsigned long mode)
{
    struct uffdio_copy c = {(unsigned long)p, (unsigned long)from, pages * PAGE, mode, 0};
    int err = ioctl(fd, UFFDIO_COPY, &c);
    return err ? -1 : c.copy;
}

static long zero(int fd, char *p, size_t pages)
{
    struct uffdio_zeropage z = {{(unsigned long)p, pages * PAGE}, 0, 0};
    return ioctl(fd, UFFDIO_ZEROPAGE, &z) ? -1 : z.zeropage;
}

/* --- a handler in a thread of its own --------------------------------------------------------- */

static struct {
    int fd;
    char *base;
    unsigned seen, writes;
} handled;

/* Page i is filled with 'a' + i; the third with zeros. Ends with the page numbered 7. */
static void *handler(void *arg)
{
    struct uffd_msg msg;
    (void)arg;
    for (;;) {
        struct pollfd p = {.fd = handled.fd, .events = POLLIN};
        if (poll(&p, 1, 5000) != 1 || read(handled.fd, &msg, sizeof(msg)) != sizeof(msg))
            return NULL;
        char *at = (char *)(unsigned long)msg.arg.pagefault.address;
        long i = (at - handled.base) / (long)PAGE;
        handled.seen++;
        handled.writes += (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE) != 0;
        if (msg.event != UFFD_EVENT_PAGEFAULT || i < 0 || i > 7)
            return (void *)1;
        usleep(1000);
        if (i == 3 ? zero(handled.fd, at, 1) != (long)PAGE
                   : copy(handled.fd, at, content + i * (long)PAGE, 1, 0) != (long)PAGE)
            return (void *)2;
        if (i == 7)
            return NULL;
    }
}

static void missing(int how)
{
    pthread_t thread;
    void *result;
    int p[2];
    handled.fd = create(O_NONBLOCK, 0);
    handled.base = map(8, how);
    handled.seen = handled.writes = 0;
    CHECK(enlist(handled.fd, handled.base, 8) == 0);
    CHECK(pthread_create(&thread, NULL, handler, NULL) == 0 && pipe(p) == 0);
    char *b = handled.base;
    CHECK(b[5] == 'a' && b[PAGE] == 'b' && handled.seen == 2 && handled.writes == 0);
    b[2 * PAGE + 1] = '!';
    CHECK(b[2 * PAGE] == 'c' && b[2 * PAGE + 1] == '!' && handled.writes == 1);
    CHECK(b[3 * PAGE + 9] == 0 && b[4 * PAGE] == 'e');
    CHECK(write(p[1], b + 5 * PAGE, 3) == 3); /* the call waits for the page, too */
    CHECK(read(p[0], b + 6 * PAGE, 3) == 3 && b[6 * PAGE] == 'f' && b[6 * PAGE + 3] == 'g');
    CHECK(b[7 * PAGE] == 'h' && handled.seen == 8);
    CHECK(pthread_join(thread, &result) == 0 && result == NULL);
    CHECK(close(handled.fd) == 0 && munmap(b, 8 * PAGE) == 0 && close(p[0]) == 0 && !close(p[1]));
}

/* --- the calls, one by one -------------------------------------------------------------------- */

static void filling(void)
{
    int fd = create(O_NONBLOCK, 0);
    char *p = map(8, MAP_PRIVATE), *q = map(2, MAP_PRIVATE);
    CHECK(fails(copy(fd, p, content, 1, 0), ENOENT) && fails(zero(fd, p, 1), ENOENT));
    CHECK(enlist(fd, p, 6) == 0 && copy(fd, p, content, 2, 0) == 2 * (long)PAGE);
    CHECK(p[0] == 'a' && p[PAGE] == 'b' && fails(copy(fd, p, content, 1, 0), EEXIST));
    CHECK(fails(zero(fd, p, 1), EEXIST) && zero(fd, p + 2 * PAGE, 1) == (long)PAGE);
    CHECK(p[2 * PAGE] == 0 && (p[2 * PAGE] = 1, p[2 * PAGE] == 1));
    CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && copy(fd, p, content + PAGE, 1, 0) == (long)PAGE);
    CHECK(p[0] == 'b' && p[6 * PAGE] == 0); /* past the range it is as ever */
    struct uffdio_copy part = {(unsigned long)p + 3 * PAGE, (unsigned long)content, 2 * PAGE, 0, 0};
    CHECK(copy(fd, p + 4 * PAGE, content, 1, 0) == (long)PAGE);
    CHECK(fails(ioctl(fd, UFFDIO_COPY, &part), EAGAIN) && part.copy == (long)PAGE);
    CHECK(fails(copy(fd, p + 5 * PAGE, content, 2, 0), ENOENT));
    CHECK(fails(copy(fd, p + 5 * PAGE, (char *)PAGE, 1, 0), EFAULT));
    CHECK(fails(copy(fd, p + 1, content, 1, 0), EINVAL) &&
          fails(copy(fd, p, content, 0, 0), EINVAL));
    CHECK(fails(copy(fd, p, content, 1, 64), EINVAL));
    CHECK(range(fd, UFFDIO_UNREGISTER, p, 6) == 0 && p[5 * PAGE] == 0);
    CHECK(fails(copy(fd, p, content, 1, 0), ENOENT) && range(fd, UFFDIO_WAKE, p, 6) == 0);
    CHECK(fails(range(fd, UFFDIO_WAKE, p + 1, 6), EINVAL));
    int other = create(0, 0);
    CHECK(enlist(fd, q, 1) == 0 && enlist(other, q, 2) == -1 && errno == EBUSY);
    CHECK(close(fd) == 0 && enlist(other, q, 2) == 0 && close(other) == 0);
    CHECK(q[0] == 0 && q[PAGE] == 0);
    CHECK(munmap(p, 8 * PAGE) == 0 && munmap(q, 2 * PAGE) == 0);
}

static void wrong(void)
{
    struct uffdio_api api = {.api = 1};
    struct uffd_msg msg;
    char *p = map(1, MAP_PRIVATE), *hole = map(1, MAP_PRIVATE);
    struct uffdio_register r = {{(unsigned long)hole, PAGE}, 0, 0};
    CHECK(munmap(hole, PAGE) == 0);
    int fd = (int)syscall(SYS_userfaultfd, O_NONBLOCK);
    CHECK(fails(syscall(SYS_userfaultfd, 64), EINVAL));
    CHECK(fails(read(fd, &msg, sizeof(msg)), EINVAL) && enlist(fd, p, 1) == -1 && errno == EINVAL);
    CHECK(fails(ioctl(fd, UFFDIO_API, &api), EINVAL));
    api = (struct uffdio_api){.api = UFFD_API, .features = 1UL << 62};
    CHECK(fails(ioctl(fd, UFFDIO_API, &api), EINVAL));
    api = (struct uffdio_api){.api = UFFD_API};
    CHECK(ioctl(fd, UFFDIO_API, &api) == 0 && fails(ioctl(fd, UFFDIO_API, &api), EINVAL));
    CHECK(fails(read(fd, &msg, 8), EINVAL) && fails(read(fd, &msg, sizeof(msg)), EAGAIN));
    CHECK(fails(ioctl(fd, UFFDIO_REGISTER, &r), EINVAL) && fails(ioctl(fd, 0x1234, &r), EINVAL));
    r.mode = UFFDIO_REGISTER_MODE_MISSING;
    CHECK(fails(ioctl(fd, UFFDIO_REGISTER, &r), EINVAL)); /* nothing is mapped there */
    r = (struct uffdio_register){{(unsigned long)p, PAGE}, 64, 0};
    CHECK(fails(ioctl(fd, UFFDIO_REGISTER, &r), EINVAL));
    CHECK(close(fd) == 0 && munmap(p, PAGE) == 0);
    int status;
    if (!fork()) {
        failures = 0;
        CHECK(setuid(1000) == 0 && fails(syscall(SYS_userfaultfd, 0), EPERM));
        CHECK(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY_) >= 0);
        _exit(failures != 0);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

/* --- who waits, and what ends it -------------------------------------------------------------- */

static void *touch(void *arg)
{
    return (void *)(long)*(volatile char *)arg;
}

static void sigbus(void)
{
    int fd = create(0, UFFD_FEATURE_SIGBUS), p[2];
    char *q = map(2, MAP_PRIVATE);
    CHECK(enlist(fd, q, 2) == 0 && faults(q, 0) && faults(q, 1) && pipe(p) == 0);
    CHECK(fails(write(p[1], q, 1), EFAULT) && copy(fd, q, content, 1, 0) == (long)PAGE &&
          q[0] == 'a');
    CHECK(close(fd) == 0 && !faults(q + PAGE, 0) && munmap(q, 2 * PAGE) == 0);
    fd = create(UFFD_USER_MODE_ONLY_, 0);
    q = map(1, MAP_PRIVATE);
    CHECK(enlist(fd, q, 1) == 0 && fails(write(p[1], q, 1), EFAULT));
    CHECK(close(fd) == 0 && munmap(q, PAGE) == 0 && close(p[0]) == 0 && close(p[1]) == 0);
}

static void ends_of_waits(void)
{
    struct uffd_msg msg;
    pthread_t thread;
    void *got;
    int fd = create(0, UFFD_FEATURE_EXACT_ADDRESS), status;
    char *p = map(4, MAP_PRIVATE);
    CHECK(enlist(fd, p, 4) == 0);
    pthread_create(&thread, NULL, touch, p + 5); /* filled without waking, then woken */
    CHECK(read(fd, &msg, sizeof(msg)) == sizeof(msg));
    CHECK(msg.arg.pagefault.address == (unsigned long)p + 5);
    CHECK(copy(fd, p, content, 1, UFFDIO_COPY_MODE_DONTWAKE) == (long)PAGE);
    CHECK(range(fd, UFFDIO_WAKE, p, 1) == 0 && pthread_join(thread, &got) == 0 &&
          got == (void *)'a');
    pthread_create(&thread, NULL, touch, p + PAGE); /* the range is given up */
    CHECK(read(fd, &msg, sizeof(msg)) == sizeof(msg));
    CHECK(range(fd, UFFDIO_UNREGISTER, p + PAGE, 1) == 0);
    CHECK(pthread_join(thread, &got) == 0 && got == NULL);
    if (!fork()) /* the child's memory is not registered */
        _exit(p[3 * PAGE]);
    CHECK(wait(&status) > 0 && status == 0);
    pid_t pid = fork();
    if (!pid) { /* its own is, and it waits for nobody */
        fd = create(0, 0);
        _exit(enlist(fd, p + 2 * PAGE, 1) || p[2 * PAGE]);
    }
    usleep(20000);
    CHECK(waitpid(pid, &status, WNOHANG) == 0 && kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    pthread_create(&thread, NULL, touch, p + 2 * PAGE); /* and closing ends them all */
    CHECK(read(fd, &msg, sizeof(msg)) == sizeof(msg) && close(fd) == 0);
    CHECK(pthread_join(thread, &got) == 0 && got == NULL && munmap(p, 4 * PAGE) == 0);
}

/* What is filled where nothing may be touched is there when it may. */
static void without_access(void)
{
    int fd = create(0, 0);
    char *p = map(3, MAP_PRIVATE);
    CHECK(mprotect(p, 3 * PAGE, PROT_NONE) == 0 && enlist(fd, p, 3) == 0);
    CHECK(copy(fd, p, content, 2, 0) == 2 * (long)PAGE && zero(fd, p + 2 * PAGE, 1) == (long)PAGE);
    CHECK(copy(fd, p, content, 1, 0) == -1 && errno == EEXIST);
    CHECK(close(fd) == 0 && mprotect(p, 3 * PAGE, PROT_READ) == 0);
    CHECK(memcmp(p, content, 2 * PAGE) == 0 && p[2 * PAGE] == 0);
    CHECK(mprotect(p, 3 * PAGE, RW) == 0);
    p[0] = p[2 * PAGE] = 'x';
    CHECK(p[0] == 'x' && p[1] == 'a' && p[2 * PAGE] == 'x' && munmap(p, 3 * PAGE) == 0);
}

int main(void)
{
    for (int i = 0; i < 8; i++)
        memset(content + i * (long)PAGE, 'a' + i, PAGE);
    missing(MAP_PRIVATE);
    missing(MAP_SHARED);
    filling();
    wrong();
    sigbus();
    without_access();
    ends_of_waits();
    return report("userfault");
}

/* SPDX-License-Identifier: MIT */
/*
 * newmem.c - the younger memory calls: sealed, secret and advised memory, windows that are turned,
 * moves that leave something behind.
 *
 * The emulator has few of them; this one is compared with Linux itself.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

#define NR_REMAP_FILE_PAGES 234
#define NR_PIDFD_OPEN 434
#define NR_PROCESS_MADVISE 440
#define NR_MEMFD_SECRET 447
#define NR_PROCESS_MRELEASE 448
#define NR_SET_MEMPOLICY_HOME_NODE 450
#define NR_CACHESTAT 451
#define NR_MSEAL 462

#define MADV_COLD_ 20
#define MADV_POPULATE_READ_ 22
#define MADV_POPULATE_WRITE_ 23
#define MPOL_BIND_ 2
#define MPOL_PREFERRED_ 1

static char *map(size_t pages, int prot, int flags)
{
    return mmap(NULL, pages * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
}

/* Has the VMA at p this one of the VmFlags of smaps? */
static int vm_flag(const void *p, const char *flag)
{
    char line[512];
    int inside = 0, found = -1;
    FILE *f = fopen("/proc/self/smaps", "r");
    while (f && found < 0 && fgets(line, sizeof(line), f)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = start <= (unsigned long)p && (unsigned long)p < end;
        else if (inside && !strncmp(line, "VmFlags:", 8))
            found = strstr(line, flag) != NULL;
    }
    if (f)
        fclose(f);
    return found;
}

/* --- mseal ------------------------------------------------------------------------------------ */

static void sealing(void)
{
    char *p = map(6, RW, MAP_PRIVATE);
    memset(p, 3, 6 * PAGE);
    CHECK(fails(syscall(NR_MSEAL, p, PAGE, 1), EINVAL));
    CHECK(fails(syscall(NR_MSEAL, p + 1, PAGE, 0), EINVAL));
    CHECK(fails(syscall(NR_MSEAL, p, -1UL, 0), EINVAL));
    CHECK(syscall(NR_MSEAL, p, 0, 0) == 0);
    CHECK(munmap(p + 5 * PAGE, PAGE) == 0);
    CHECK(fails(syscall(NR_MSEAL, p, 6 * PAGE, 0), ENOMEM) && !vm_flag(p, " sl"));
    CHECK(mprotect(p + 3 * PAGE, PAGE, PROT_READ) == 0);
    CHECK(syscall(NR_MSEAL, p + PAGE, 3 * PAGE, 0) == 0);
    CHECK(syscall(NR_MSEAL, p + PAGE, 3 * PAGE, 0) == 0);
    CHECK(vm_flag(p + PAGE, " sl") == 1 && vm_flag(p, " sl") == 0);
    CHECK(fails(munmap(p, 2 * PAGE), EPERM) && p[0] == 3);
    CHECK(fails(mprotect(p + PAGE, PAGE, PROT_READ), EPERM));
    CHECK(mmap(p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED &&
          errno == EPERM);
    CHECK(mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EPERM);
    CHECK(mremap(p + PAGE, 2 * PAGE, PAGE, 0) == MAP_FAILED && errno == EPERM);
    CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PAGE) == MAP_FAILED &&
          errno == EPERM);
    CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == 0 && p[PAGE] == 0);
    CHECK(fails(madvise(p + 3 * PAGE, PAGE, MADV_DONTNEED), EPERM) && p[3 * PAGE] == 3);
    CHECK(madvise(p + 3 * PAGE, PAGE, MADV_RANDOM) == 0);
    p[PAGE] = 4;
    CHECK(p[PAGE] == 4 && munmap(p, PAGE) == 0);
}

/* --- memfd_secret ----------------------------------------------------------------------------- */

static void secrets(void)
{
    char buf[8];
    int fd = (int)syscall(NR_MEMFD_SECRET, O_CLOEXEC);
    CHECK(fd >= 0 && fails(syscall(NR_MEMFD_SECRET, 1), EINVAL));
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(ftruncate(fd, 3 * PAGE) == 0 && fails(ftruncate(fd, 4 * PAGE), EINVAL));
    CHECK(fails(read(fd, buf, 8), EINVAL) && fails(write(fd, buf, 8), EINVAL));
    CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
    char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED && p[0] == 0 && faults(p + 3 * PAGE, 0));
    strcpy(p, "hush");
    CHECK(vm_flag(p, " dd") == 1);
    struct iovec own = {buf, 8}, other = {p, 8};
    CHECK(fails(process_vm_readv(getpid(), &own, 1, &other, 1, 0), EFAULT));
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(!strcmp(q, "hush") && munmap(q, PAGE) == 0);
    CHECK(munmap(p, 4 * PAGE) == 0 && close(fd) == 0);
}

/* --- remap_file_pages, cachestat -------------------------------------------------------------- */

static void windows(void)
{
    int fd = memfd_create("windows", 0);
    CHECK(ftruncate(fd, 4 * PAGE) == 0);
    char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    for (int i = 0; i < 4; i++)
        p[i * PAGE] = (char)('a' + i);
    CHECK(syscall(NR_REMAP_FILE_PAGES, p + PAGE, PAGE, 0, 3, 0) == 0);
    CHECK(p[0] == 'a' && p[PAGE] == 'd' && p[2 * PAGE] == 'c' && p[3 * PAGE] == 'd');
    p[PAGE] = 'x';
    CHECK(p[3 * PAGE] == 'x');
    CHECK(fails(syscall(NR_REMAP_FILE_PAGES, p, PAGE, PROT_READ, 0, 0), EINVAL));
    CHECK(fails(syscall(NR_REMAP_FILE_PAGES, p, 0, 0, 0, 0), EINVAL));
    CHECK(syscall(NR_REMAP_FILE_PAGES, p, 4 * PAGE, 0, 0, 0) == 0 && p[PAGE] == 'b');
    CHECK(fails(syscall(NR_REMAP_FILE_PAGES, p, 5 * PAGE, 0, 0, 0), EINVAL));
    char *q = map(1, RW, MAP_PRIVATE);
    CHECK(fails(syscall(NR_REMAP_FILE_PAGES, q, PAGE, 0, 0, 0), EINVAL));
    CHECK(munmap(p, 4 * PAGE) == 0 && munmap(q, PAGE) == 0 && close(fd) == 0);
}

static void cached(void)
{
    struct {
        unsigned long off, len;
    } all = {0, 0}, two = {PAGE, 2 * PAGE};
    unsigned long stat[5];
    int fd = memfd_create("cached", 0);
    CHECK(ftruncate(fd, 8 * PAGE) == 0 && pwrite(fd, "x", 1, 2 * PAGE) == 1);
    CHECK(pwrite(fd, "x", 1, 7 * PAGE) == 1);
    CHECK(syscall(NR_CACHESTAT, fd, &all, stat, 0) == 0 && stat[0] == 2 && !stat[3] && !stat[4]);
    CHECK(syscall(NR_CACHESTAT, fd, &two, stat, 0) == 0 && stat[0] == 1);
    CHECK(fails(syscall(NR_CACHESTAT, fd, &all, stat, 1), EINVAL));
    CHECK(fails(syscall(NR_CACHESTAT, fd, NULL, stat, 0), EFAULT));
    CHECK(fails(syscall(NR_CACHESTAT, fd, &all, NULL, 0), EFAULT));
    CHECK(fails(syscall(NR_CACHESTAT, -1, &all, stat, 0), EBADF) && close(fd) == 0);
}

/* --- madvise ---------------------------------------------------------------------------------- */

static void flags_of_advice(void)
{
    char *p = map(4, RW, MAP_PRIVATE), *s = map(2, RW, MAP_SHARED);
    CHECK(madvise(p, PAGE, MADV_RANDOM) == 0 && vm_flag(p, " rr") == 1 &&
          !vm_flag(p + PAGE, " rr"));
    CHECK(madvise(p, PAGE, MADV_SEQUENTIAL) == 0 && vm_flag(p, " sr") == 1 && !vm_flag(p, " rr"));
    CHECK(madvise(p, PAGE, MADV_NORMAL) == 0 && !vm_flag(p, " sr"));
    CHECK(madvise(p, PAGE, MADV_DONTFORK) == 0 && vm_flag(p, " dc") == 1);
    CHECK(madvise(p, PAGE, MADV_DOFORK) == 0 && !vm_flag(p, " dc"));
    CHECK(madvise(p, PAGE, MADV_DONTDUMP) == 0 && vm_flag(p, " dd") == 1);
    CHECK(madvise(p, PAGE, MADV_DODUMP) == 0 && !vm_flag(p, " dd"));
    CHECK(madvise(p, PAGE, MADV_WIPEONFORK) == 0 && vm_flag(p, " wf") == 1);
    CHECK(madvise(p, PAGE, MADV_KEEPONFORK) == 0 && !vm_flag(p, " wf"));
    CHECK(madvise(p, PAGE, MADV_MERGEABLE) == 0 && vm_flag(p, " mg"));
    CHECK(madvise(p, PAGE, MADV_UNMERGEABLE) == 0 && !vm_flag(p, " mg"));
    CHECK(fails(madvise(s, PAGE, MADV_WIPEONFORK), EINVAL));
    CHECK(fails(madvise(s, PAGE, MADV_FREE), EINVAL) && madvise(p, PAGE, MADV_FREE) == 0);
    CHECK(mlock2(p, PAGE, MLOCK_ONFAULT) == 0 && vm_flag(p, " lf") == 1 && vm_flag(p, " lo") == 1);
    CHECK(fails(madvise(p, PAGE, MADV_COLD_), EINVAL) && madvise(s, PAGE, MADV_COLD_) == 0);
    CHECK(munlock(p, PAGE) == 0 && madvise(p, PAGE, MADV_WILLNEED) == 0);
    CHECK(fails(madvise(p, -PAGE, MADV_NORMAL), EINVAL) && fails(madvise(p, -1UL, 0), EINVAL));
    CHECK(munmap(p, 4 * PAGE) == 0 && munmap(s, 2 * PAGE) == 0);
}

static int resident(char *p, size_t pages)
{
    unsigned char vec[64];
    int n = 0;
    CHECK(mincore(p, pages * PAGE, vec) == 0);
    for (size_t i = 0; i < pages; i++)
        n += vec[i] & 1;
    return n;
}

static void populating(void)
{
    char *p = map(8, PROT_READ, MAP_PRIVATE);
    CHECK(fails(madvise(p, PAGE, MADV_POPULATE_WRITE_), EINVAL));
    CHECK(madvise(p, 2 * PAGE, MADV_POPULATE_READ_) == 0 && resident(p, 8) == 2);
    CHECK(munmap(p + 4 * PAGE, PAGE) == 0);
    CHECK(fails(madvise(p, 8 * PAGE, MADV_POPULATE_READ_), ENOMEM));
    CHECK(resident(p, 4) == 4 && resident(p + 5 * PAGE, 3) == 0);
    CHECK(munmap(p, 8 * PAGE) == 0);
    int fd = memfd_create("short", 0);
    CHECK(ftruncate(fd, PAGE) == 0 && pwrite(fd, "x", 1, 0) == 1);
    p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(resident(p, 2) == 1);
    CHECK(fails(madvise(p, 2 * PAGE, MADV_POPULATE_WRITE_), EFAULT));
    CHECK(munmap(p, 2 * PAGE) == 0 && close(fd) == 0);
}

/* --- mmap's flags ----------------------------------------------------------------------------- */

static void mapping_flags(void)
{
    int fd = memfd_create("flags", 0);
    CHECK(ftruncate(fd, 4 * PAGE) == 0);
    CHECK(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0) == MAP_FAILED &&
          errno == EOPNOTSUPP);
    CHECK(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x400000, fd, 0) == MAP_FAILED &&
          errno == EOPNOTSUPP);
    char *p = mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0);
    CHECK(p != MAP_FAILED && vm_flag(p, " sh") == 1 && munmap(p, PAGE) == 0);
    CHECK(map(1, RW, MAP_SHARED_VALIDATE) == MAP_FAILED && errno == EINVAL);
    CHECK(map(1, RW, MAP_SHARED | MAP_GROWSDOWN) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0) == MAP_FAILED &&
          errno == EINVAL);
    p = map(4, RW, MAP_PRIVATE | MAP_POPULATE);
    CHECK(resident(p, 4) == 4 && munmap(p, 4 * PAGE) == 0);
    p = map(4, RW, MAP_PRIVATE | MAP_POPULATE | MAP_NONBLOCK);
    CHECK(resident(p, 4) == 0 && munmap(p, 4 * PAGE) == 0);
    p = map(4, RW, MAP_PRIVATE | MAP_STACK);
    CHECK(p != MAP_FAILED && munmap(p, 4 * PAGE) == 0);
    p = map(4, RW, MAP_PRIVATE | MAP_LOCKED);
    CHECK(vm_flag(p, " lo") == 1 && resident(p, 4) == 4 && munmap(p, 4 * PAGE) == 0);
    close(fd);
    fd = open("/tmp/write-only", O_WRONLY | O_CREAT, 0600);
    CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EACCES);
    close(fd);
    unlink("/tmp/write-only");
}

static void growing_down(void)
{
    char *room = map(600, PROT_NONE, MAP_PRIVATE);
    CHECK(munmap(room, 600 * PAGE) == 0);
    char *p = mmap(room + 590 * PAGE, PAGE, RW,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    CHECK(p == room + 590 * PAGE && vm_flag(p, " gd") == 1);
    CHECK(!faults(p - 1, 1) && !faults(p - 3 * PAGE, 1));
    CHECK(munmap(p - 3 * PAGE, 4 * PAGE) == 0);
}

/* --- mremap ----------------------------------------------------------------------------------- */

static void moving(void)
{
    char *s = map(2, RW, MAP_SHARED), *t;
    strcpy(s, "twice");
    t = mremap(s, 0, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(t != MAP_FAILED && t != s && !strcmp(t, "twice"));
    t[PAGE] = 7;
    CHECK(s[PAGE] == 7 && munmap(t, 2 * PAGE) == 0 && s[PAGE] == 7);
    CHECK(mremap(s, 0, PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    char *p = map(4, RW, MAP_PRIVATE);
    CHECK(mremap(p, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    memset(p, 5, 4 * PAGE);
    t = mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    CHECK(t != MAP_FAILED && t != p && t[0] == 5 && t[3 * PAGE] == 5);
    CHECK(p[0] == 0 && p[3 * PAGE] == 0);
    p[0] = 6;
    CHECK(t[0] == 5 && munmap(t, 4 * PAGE) == 0 && p[0] == 6);
    CHECK(mremap(p, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mremap(p, PAGE, PAGE, MREMAP_FIXED, s) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, s + 1) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
    CHECK(mremap(p, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(p, 4 * PAGE, PAGE, 0) == p && faults(p + PAGE, 0)); /* over several VMAs */
    CHECK(mremap(p, PAGE, 1UL << 60, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
    CHECK(mremap(p, PAGE, 0, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mremap(p, PAGE, PAGE, 64) == MAP_FAILED && errno == EINVAL);
    CHECK(munmap(p, PAGE) == 0 && munmap(s, 2 * PAGE) == 0);
    p = map(4, RW, MAP_PRIVATE | MAP_LOCKED);
    CHECK(munmap(p + 2 * PAGE, 2 * PAGE) == 0);
    t = mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(resident(t, 4) == 4 && munmap(t, 4 * PAGE) == 0);
}

/* --- calls on others -------------------------------------------------------------------------- */

static void of_others(void)
{
    int status, wake[2];
    char *p = map(4, RW, MAP_PRIVATE);
    memset(p, 1, 4 * PAGE);
    CHECK(pipe(wake) == 0);
    pid_t pid = fork();
    if (!pid) {
        char c;
        close(wake[1]);
        _exit(read(wake[0], &c, 1) != 0);
    }
    int fd = (int)syscall(NR_PIDFD_OPEN, pid, 0);
    struct iovec iov[2] = {{p, PAGE}, {p + 2 * PAGE, 2 * PAGE}}, wrong = {p + 1, PAGE};
    CHECK(syscall(NR_PROCESS_MADVISE, fd, iov, 2, MADV_COLD_, 0) == 3 * (long)PAGE);
    CHECK(fails(syscall(NR_PROCESS_MADVISE, fd, iov, 2, MADV_DONTNEED, 0), EINVAL));
    CHECK(fails(syscall(NR_PROCESS_MADVISE, fd, iov, 2, MADV_COLD_, 1), EINVAL));
    CHECK(fails(syscall(NR_PROCESS_MADVISE, fd, &wrong, 1, MADV_COLD_, 0), EINVAL));
    CHECK(fails(syscall(NR_PROCESS_MADVISE, wake[0], iov, 2, MADV_COLD_, 0), EBADF));
    CHECK(fails(syscall(NR_PROCESS_MADVISE, fd, (void *)1, 1, MADV_COLD_, 0), EFAULT));
    CHECK(fails(syscall(NR_PROCESS_MRELEASE, fd, 0), EINVAL));
    CHECK(fails(syscall(NR_PROCESS_MRELEASE, fd, 1), EINVAL));
    CHECK(fails(syscall(NR_PROCESS_MRELEASE, wake[0], 0), EBADF));
    CHECK(kill(pid, SIGKILL) == 0);
    long released = syscall(NR_PROCESS_MRELEASE, fd, 0);
    CHECK(released == 0 || errno == ESRCH);
    CHECK(wait(&status) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(fails(syscall(NR_PROCESS_MRELEASE, fd, 0), ESRCH));
    CHECK(close(fd) == 0 && close(wake[0]) == 0 && close(wake[1]) == 0);
    CHECK(p[0] == 1 && munmap(p, 4 * PAGE) == 0);
}

static void homes(void)
{
    unsigned long node0 = 1;
    char *p = map(4, RW, MAP_PRIVATE);
    CHECK(fails(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, PAGE, 0, 0), ENOENT));
    CHECK(syscall(SYS_mbind, p, 2 * PAGE, MPOL_BIND_, &node0, 64, 0) == 0);
    CHECK(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, PAGE, 0, 0) == 0);
    CHECK(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, 4 * PAGE, 0, 0) == 0);
    CHECK(syscall(SYS_mbind, p, PAGE, MPOL_PREFERRED_, &node0, 64, 0) == 0);
    CHECK(fails(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, PAGE, 0, 0), EOPNOTSUPP));
    CHECK(fails(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, PAGE, 0, 1), EINVAL));
    CHECK(fails(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, PAGE, 9999, 0), EINVAL));
    CHECK(fails(syscall(NR_SET_MEMPOLICY_HOME_NODE, p + 1, PAGE, 0, 0), EINVAL));
    CHECK(syscall(NR_SET_MEMPOLICY_HOME_NODE, p, 0, 0, 0) == 0);
    memset(p, 1, 4 * PAGE);
    CHECK(munmap(p, 4 * PAGE) == 0);
}

/* --- reading and writing with flags ----------------------------------------------------------- */

static void with_flags(void)
{
    char buf[16] = "";
    struct iovec out = {"end", 3}, in = {buf, 16};
    int fd = memfd_create("flags", 0);
    CHECK(write(fd, "begin", 5) == 5 && lseek(fd, 1, SEEK_SET) == 1);
    CHECK(pwritev2(fd, &out, 1, 0, RWF_APPEND) == 3 && lseek(fd, 0, SEEK_CUR) == 1);
    CHECK(preadv2(fd, &in, 1, 0, 0) == 8 && !memcmp(buf, "beginend", 8));
    CHECK(preadv2(fd, &in, 1, -1, RWF_HIPRI) == 7 && !memcmp(buf, "eginend", 7));
    CHECK(fails(preadv2(fd, &in, 1, 0, 0x4000), EOPNOTSUPP));
    CHECK(fails(preadv2(fd, &in, 1, -2, 0), EINVAL) && close(fd) == 0);
}

int main(void)
{
    sealing();
    secrets();
    windows();
    cached();
    flags_of_advice();
    populating();
    mapping_flags();
    growing_down();
    moving();
    of_others();
    homes();
    with_flags();
    return report("newmem");
}

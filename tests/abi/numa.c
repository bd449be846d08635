/* SPDX-License-Identifier: MIT */
/*
 * numa.c - where pages are, moving them, and the memory of other processes.
 *
 * Works with one node too, as most machines that run it on Linux have but one.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define N 8

static int is_absent(void)
{
    return syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0) < 0 && errno == ENOSYS;
}

static void where(char *p)
{
    void *pages[N];
    int status[N], nodes[N];
    for (int i = 0; i < N; i++) {
        pages[i] = p + i * PAGE;
        nodes[i] = 0;
    }
    p[0] = 1;
    p[PAGE] = 2;
    CHECK(p[2 * PAGE] == 0); /* the page of zeros */
    CHECK(syscall(SYS_move_pages, 0, 4, pages, NULL, status, 0) == 0);
    CHECK(status[0] >= 0 && status[1] >= 0 && status[2] == -EFAULT && status[3] == -ENOENT);
    memset(p, 7, N * PAGE);
    CHECK(syscall(SYS_move_pages, 0, N, pages, nodes, status, MPOL_MF_MOVE) == 0);
    int moved = 0;
    for (int i = 0; i < N; i++)
        moved += status[i] == 0 && p[i * PAGE] == 7;
    CHECK(moved == N);
    nodes[0] = 99;
    CHECK(fails(syscall(SYS_move_pages, 0, 1, pages, nodes, status, MPOL_MF_MOVE), ENODEV));
    pages[0] = (void *)16;
    CHECK(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 0) == 0 && status[0] == -EFAULT);
    CHECK(fails(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 99), EINVAL));
    CHECK(fails(syscall(SYS_move_pages, 999999, 1, pages, NULL, status, 0), ESRCH));
    unsigned long one = 1;
    CHECK(syscall(SYS_migrate_pages, 0, 65, &one, &one) == 0);
    CHECK(fails(syscall(SYS_migrate_pages, 999999, 65, &one, &one), ESRCH));
}

static void policies(char *p)
{
    unsigned long mask[17] = {1};
    int mode;
    mask[1] = 5;
    CHECK(syscall(SYS_get_mempolicy, NULL, mask, 65, NULL, 0) == 0 && mask[0] == 0 && mask[1] == 5);
    CHECK(fails(syscall(SYS_get_mempolicy, NULL, mask, 0, NULL, 0), EINVAL));
    mask[0] = 1;
    mask[1] = 0;
    CHECK(syscall(SYS_mbind, p, N * PAGE, MPOL_BIND, mask, 65, 0) == 0);
    CHECK(syscall(SYS_get_mempolicy, &mode, mask, 1025, p, MPOL_F_ADDR) == 0);
    CHECK(mode == MPOL_BIND && mask[0] == 1);
    CHECK(syscall(SYS_mbind, p, N * PAGE, MPOL_DEFAULT, NULL, 0, 0) == 0);
    CHECK(syscall(SYS_get_mempolicy, &mode, NULL, 0, p, MPOL_F_ADDR) == 0 && mode == 0);
    CHECK(syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, mask, 65) == 0);
    CHECK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) == 0 && mode == MPOL_INTERLEAVE);
    CHECK(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0) == 0);
    CHECK(fails(syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 0), EINVAL));
    CHECK(fails(syscall(SYS_set_mempolicy, 77, NULL, 0), EINVAL));
    CHECK(fails(syscall(SYS_mbind, p + 1, PAGE, MPOL_DEFAULT, NULL, 0, 0), EINVAL));
}

static void other_memory(char *p)
{
    int in[2], out[2], status;
    char c = 0, buf[3 * PAGE];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    memset(p, 'p', N * PAGE);
    pid_t pid = fork();
    if (!pid) {
        memset(p, 'c', 3 * PAGE);
        munmap(p + 4 * PAGE, PAGE);
        write(out[1], &c, 1);
        read(in[0], &c, 1);
        _exit(strcmp(p + PAGE - 3, "crossing") != 0);
    }
    read(out[0], &c, 1);
    struct iovec own[2] = {{buf, PAGE}, {buf + PAGE, 2 * PAGE}}, other = {p + 1, 3 * PAGE - 1};
    CHECK(process_vm_readv(pid, own, 2, &other, 1, 0) == 3 * PAGE - 1);
    CHECK(buf[0] == 'c' && buf[3 * PAGE - 2] == 'c' && p[0] == 'p');
    other = (struct iovec){p + 3 * PAGE, 2 * PAGE};
    CHECK(process_vm_readv(pid, own, 2, &other, 1, 0) == PAGE && buf[0] == 'p');
    other = (struct iovec){p + 4 * PAGE, PAGE};
    CHECK(fails(process_vm_readv(pid, own, 1, &other, 1, 0), EFAULT));
    strcpy(buf, "crossing");
    own[0].iov_len = 9;
    other = (struct iovec){p + PAGE - 3, 9};
    CHECK(process_vm_writev(pid, own, 1, &other, 1, 0) == 9 && p[PAGE] == 'p');
    CHECK(fails(process_vm_readv(pid, own, 1, &other, 1, 5), EINVAL));
    CHECK(fails(process_vm_readv(999999, own, 1, &other, 1, 0), ESRCH));
    CHECK(process_vm_readv(pid, own, 0, &other, 1, 0) == 0);
    write(in[1], &c, 1);
    CHECK(wait(&status) == pid && status == 0);
}

int main(void)
{
    char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!is_absent()) { /* an emulator may not have these */
        where(p);
        policies(p);
        other_memory(p);
    }
    CHECK(syscall(SYS_membarrier, 0, 0, 0) >= 0 || errno == ENOSYS);
    return report("numa");
}

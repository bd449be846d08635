/* SPDX-License-Identifier: MIT */
/*
 * fuzz_calls.h - the calls that the purposeful children of fuzz.c make, with the kind of each
 * argument; of_kind() there says what the letters mean.
 */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include <sys/syscall.h>

static const struct call {
    int nr;
    const char *kinds;
} calls[] = {
    {SYS_openat, "dpxx"},
    {SYS_openat, "dpxn"},
    {SYS_close, "f"},
    {SYS_read, "f*n"},
    {SYS_write, "f*n"},
    {SYS_pread64, "f*nn"},
    {SYS_pwrite64, "f*##"},
    {SYS_readv, "f*n"},
    {SYS_writev, "f*n"},
    {SYS_lseek, "fnn"},
    {SYS_fstat, "f*"},
    {SYS_newfstatat, "dp*-"},
    {SYS_statx, "dp-x*"},
    {SYS_mkdirat, "dpx"},
    {SYS_mknodat, "dpx-"},
    {SYS_unlinkat, "dp-"},
    {SYS_unlinkat, "dpx"},
    {SYS_renameat2, "dpdp-"},
    {SYS_linkat, "dpdp-"},
    {SYS_symlinkat, "pdp"},
    {SYS_readlinkat, "dp*n"},
    {SYS_getdents64, "f*#"},
    {SYS_ftruncate, "f#"},
    {SYS_truncate, "p#"},
    {SYS_fallocate, "fn##"},
    {SYS_chdir, "p"},
    {SYS_fchdir, "f"},
    {SYS_getcwd, "*n"},
    {SYS_dup, "f"},
    {SYS_dup3, "ffx"},
    {SYS_fcntl, "fnn"},
    {SYS_ioctl, "fx*"},
    {SYS_pipe2, "*x"},
    {SYS_pipe2, "*-"},
    {SYS_eventfd2, "nx"},
    {SYS_memfd_create, "px"},
    {SYS_ppoll, "*n*-"},
    {SYS_pselect6, "n***-"},
    {SYS_faccessat, "dpr"},
    {SYS_fchmodat, "dpn"},
    {SYS_utimensat, "dp*-"},
    {SYS_statfs, "p*"},
    {SYS_mmap, "@#rxf#"},
    {SYS_mmap, "-#rxf-"},
    {SYS_munmap, "@#"},
    {SYS_mprotect, "@#r"},
    {SYS_mremap, "@##n@"},
    {SYS_madvise, "@#n"},
    {SYS_mincore, "@#*"},
    {SYS_msync, "@#n"},
    {SYS_mlock, "@#"},
    {SYS_mlock2, "@#r"},
    {SYS_munlock, "@#"},
    {SYS_mlockall, "r"},
    {SYS_munlockall, ""},
    {SYS_mbind, "@#r*nr"},
    {SYS_set_mempolicy, "r*n"},
    {SYS_get_mempolicy, "**n@r"},
    {SYS_move_pages, "wn***r"},
    {SYS_migrate_pages, "wn**"},
    {SYS_process_vm_readv, "w*n*n-"},
    {SYS_process_vm_writev, "w*n*n-"},
    {SYS_shmget, "n#x"},
    {SYS_shmat, "n@x"},
    {SYS_shmdt, "@"},
    {SYS_shmctl, "nn*"},
    {SYS_semget, "nnx"},
    {SYS_semctl, "nnn*"},
    {SYS_semtimedop, "n*n*"},
    {SYS_msgget, "nx"},
    {SYS_msgctl, "nn*"},
    {SYS_msgsnd, "n*nx"},
    {SYS_msgrcv, "n*nnx"},
    {SYS_futex, "*nn-*n"},
    {SYS_timer_create, "n**"},
    {SYS_timer_delete, "n"},
    {SYS_timer_gettime, "n*"},
    {SYS_membarrier, "x-"},
    {SYS_getgroups, "n*"},
    {SYS_capget, "**"},
    {SYS_sched_setaffinity, "wn*"},
    {SYS_sched_getaffinity, "wn*"},
    {SYS_prlimit64, "wr-*"},
    {SYS_getrusage, "n*"},
    {SYS_sysinfo, "*"},
    {SYS_uname, "*"},
    {SYS_getrandom, "*nr"},
    {SYS_wait4, "w*n*"},
    {SYS_execve, "p**"},
    {SYS_remap_file_pages, "@#-nx"},
    {440, "f*nnr"}, /* process_madvise */
    {447, "x"},     /* memfd_secret */
    {448, "f-"},    /* process_mrelease */
    {450, "@#r-"},  /* set_mempolicy_home_node */
    {451, "f**-"},  /* cachestat */
    {SYS_preadv2, "f*nn-x"},
    {SYS_pwritev2, "f*nn-x"},
};

#endif

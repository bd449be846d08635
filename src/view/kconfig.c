/* SPDX-License-Identifier: MIT */
/*
 * kconfig.c - /proc/config.gz: which of Linux's options are built in here, and which are not.
 *
 *      [gzip header][deflate: one stored block][the text .....................][crc32][length]
 *
 * Test programs look here before they begin (with zcat), so an option stands here as set only if
 * what it brings is there. The text is not packed: deflate has blocks for bytes as they are.
 *
 * Locks: none. Linux's counterpart: kernel/configs.c; RFC 1951 and 1952.
 */
#include "base/crc32.h"
#include "base/string.h"
#include "file/registry.h"
#include "view/view.h"

#define YES(name) "CONFIG_" #name "=y\n"
#define NO(name) "# CONFIG_" #name " is not set\n"

static const char text[] = "#\n# Pagoda, in the words of Linux 6.12\n#\n"
    /* the machine */
    YES(RISCV) YES(64BIT) YES(MMU) YES(ARCH_RV64I) YES(RISCV_SBI) YES(FPU) YES(SMP) YES(NUMA)
        YES(PRINTK) YES(HIGH_RES_TIMERS)
    /* memory */
    YES(COMPACTION) YES(MIGRATION) YES(SHMEM) YES(TMPFS) YES(ADVISE_SYSCALLS) YES(SLUB)
        YES(PROC_PAGE_MONITOR) YES(CROSS_MEMORY_ATTACH) YES(USERFAULTFD) YES(SECRETMEM)
            YES(VMAP_STACK) NO(SWAP) NO(KSM) NO(TRANSPARENT_HUGEPAGE) NO(HUGETLBFS) NO(HUGETLB_PAGE)
                NO(MEMCG) NO(MEMORY_HOTPLUG) NO(MEMORY_FAILURE) NO(NUMA_BALANCING) NO(ZSWAP) NO(CMA)
                    NO(ANON_VMA_NAME) NO(MEM_SOFT_DIRTY) NO(IDLE_PAGE_TRACKING)
    /* programs */
    YES(MULTIUSER) YES(BINFMT_ELF) YES(BINFMT_SCRIPT) YES(FUTEX) YES(FUTEX_PI) YES(MEMBARRIER)
        YES(EVENTFD) YES(POSIX_TIMERS) YES(SYSVIPC) YES(SYSVIPC_SYSCTL) YES(FILE_LOCKING)
            NO(NAMESPACES) NO(UTS_NS) NO(IPC_NS) NO(USER_NS) NO(PID_NS) NO(NET_NS) NO(TIME_NS)
                NO(CGROUPS) NO(CPUSETS) NO(SECCOMP) NO(CHECKPOINT_RESTORE) NO(AUDIT) NO(BPF_SYSCALL)
                    NO(IO_URING) NO(AIO) NO(KEYS) NO(FANOTIFY) NO(BSD_PROCESS_ACCT) NO(PERF_EVENTS)
                        NO(COREDUMP)
    /* files and devices */
    YES(PROC_FS) YES(PROC_SYSCTL) YES(SYSFS) YES(IKCONFIG) YES(IKCONFIG_PROC) NO(BLOCK) NO(MODULES)
        NO(EXT4_FS) NO(XFS_FS) NO(BTRFS_FS) NO(FUSE_FS) NO(OVERLAY_FS) NO(QUOTA) NO(TMPFS_XATTR)
            NO(TMPFS_POSIX_ACL)
    /* what makes a kernel slow to test */
    NO(PROVE_LOCKING) NO(LOCKDEP) NO(DEBUG_SPINLOCK) NO(DEBUG_MUTEXES) NO(KASAN) NO(UBSAN)
        NO(FAULT_INJECTION) NO(DEBUG_OBJECTS);

#define TEXT_LEN (sizeof(text) - 1)
_Static_assert(TEXT_LEN <= UINT16_MAX, "a stored block holds 64 KiB");

#define LOW(v) (uint8_t)((v)&0xff)
#define HIGH(v) (uint8_t)(((v) >> 8) & 0xff)

/* gzip: magic, deflate, no flags, no time, Unix. Deflate: the last block, stored, its length */
static const uint8_t head[] = {
    0x1f,           0x8b,           8, 0, 0, 0, 0, 0, 0, 3, 1, LOW(TEXT_LEN), HIGH(TEXT_LEN),
    LOW(~TEXT_LEN), HIGH(~TEXT_LEN)};

static struct {
    uint32_t crc, len;
} tail;

/* Copy what part of the piece lies at or behind *at. How many bytes; *at counts within the next. */
static size_t take(char *buf, size_t n, uint64_t *at, const void *piece, size_t len)
{
    if (*at >= len) {
        *at -= len;
        return 0;
    }
    size_t part = MIN(n, len - *at);
    memcpy(buf, (const char *)piece + *at, part);
    *at = 0;
    return part;
}

static pagoda_ssize_t read_config(char *buf, size_t n, uint64_t at, const struct view_args *args)
{
    size_t done = take(buf, n, &at, head, sizeof(head));
    (void)args;
    done += take(buf + done, n - done, &at, text, TEXT_LEN);
    done += take(buf + done, n - done, &at, &tail, sizeof(tail));
    return (pagoda_ssize_t)done;
}

static const struct view views[] = {{.path = "/proc/config.gz", .read_at = read_config}};

void view_kconfig_init(void)
{
    tail.crc = crc32(0, text, TEXT_LEN);
    tail.len = TEXT_LEN;
    view_register(views, ARRAY_SIZE(views));
}

/* SPDX-License-Identifier: MIT */
/*
 * views.c - files of /proc and /sys that test programs look into before they begin; mounts.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[65536];

/* The file's bytes, up to what fits. How many, or -1. */
static long take(const char *path)
{
    int fd = open(path, O_RDONLY);
    long n = 0, got = fd < 0 ? -1 : 1;
    while (got > 0 && (got = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
        n += got;
    if (fd >= 0)
        close(fd);
    text[got < 0 ? 0 : n] = '\0';
    return got < 0 ? -1 : n;
}

static int give(const char *path, const char *what)
{
    int fd = open(path, O_WRONLY);
    int ok = fd >= 0 && write(fd, what, strlen(what)) == (long)strlen(what);
    if (fd >= 0)
        close(fd);
    return ok;
}

static int says(const char *path, const char *what)
{
    return take(path) >= 0 && !strcmp(text, what);
}

static uint32_t crc32(const char *p, size_t n)
{
    uint32_t crc = ~0u;
    while (n--) {
        crc ^= (unsigned char)*p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* gzip, one stored block: what zcat would say of it. A Linux may have no such file. */
static void config(void)
{
    long n = take("/proc/config.gz");
    if (n < 0)
        return;
    const unsigned char *b = (unsigned char *)text;
    CHECK(b[0] == 0x1f && b[1] == 0x8b && b[2] == 8);
    if (b[3] || (b[10] & 7) != 1)
        return; /* packed: not ours */
    uint32_t len = b[11] | (uint32_t)b[12] << 8, tail[2];
    CHECK((b[13] | b[14] << 8) == (int)(len ^ 0xffff) && n == 15 + (long)len + 8);
    memcpy(tail, text + 15 + len, 8);
    CHECK(tail[0] == crc32(text + 15, len) && tail[1] == len);
    CHECK(strstr(text + 15, "\nCONFIG_NUMA=y\n") != NULL);
}

static void own_memory(void)
{
    static char word[] = "hello";
    char got[6] = "";
    int fd = open("/proc/self/mem", O_RDWR);
    CHECK(fd >= 0 && pread(fd, got, 5, (off_t)(uintptr_t)word) == 5 && !strcmp(got, "hello"));
    CHECK(pwrite(fd, "J", 1, (off_t)(uintptr_t)word) == 1 && !strcmp(word, "Jello"));
    CHECK(fails(pread(fd, got, 5, 0), EIO));
    close(fd);
    extern char **environ;
    CHECK(take("/proc/self/environ") > 0 && !strcmp(text, environ[0]));
    long n = take("/proc/self/auxv"), at = 0;
    const unsigned long *pair = (unsigned long *)(void *)text;
    while (at < n / 16 && pair[2 * at] != AT_PAGESZ)
        at++;
    CHECK(at < n / 16 && pair[2 * at + 1] == 4096);
}

static void own_state(void)
{
    char path[64], link[64] = "";
    CHECK(give("/proc/self/comm", "renamed") && says("/proc/self/comm", "renamed\n"));
    CHECK(prctl(PR_GET_NAME, path) == 0 && !strcmp(path, "renamed"));
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
    CHECK(says(path, "renamed\n"));
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
    CHECK(take(path) > 0 && strstr(text, "(renamed) R "));
    CHECK(readlink("/proc/thread-self", link, sizeof(link) - 1) > 0 && strstr(link, "/task/"));
    struct rlimit files = {7, 9};
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0 && take("/proc/self/limits") > 0);
    CHECK(
        strstr(text, "Max open files            7                    9                    files"));
    CHECK(says("/proc/self/personality", "00000000\n"));
}

static void settings(void)
{
    const char *path = "/proc/sys/vm/overcommit_memory";
    CHECK(give(path, " 1 \n") && says(path, "1\n") && give(path, "0x0") && says(path, "0\n"));
    CHECK(!give(path, "3") && !give(path, "-1") && !give(path, "x"));
    CHECK(!give("/proc/sys/vm/compact_memory", "2") && give("/proc/sys/vm/drop_caches", "3"));
    struct stat st;
    CHECK(stat("/proc/sys/vm/drop_caches", &st) == 0 && (st.st_mode & 0777) == 0200);
    CHECK(says("/proc/sys/kernel/cap_last_cap", "40\n"));
    CHECK(says("/proc/sys/kernel/tainted", "0\n") && says("/proc/sys/fs/overflowuid", "65534\n"));
    CHECK(take("/proc/sys/kernel/random/uuid") == 37 && text[14] == '4');
    char boot[64];
    CHECK(take("/proc/sys/kernel/random/boot_id") == 37);
    strcpy(boot, text);
    CHECK(says("/proc/sys/kernel/random/boot_id", boot));
}

static void harts(void)
{
    char link[64] = "";
#define CPU0 "/sys/devices/system/cpu/cpu0/"
    CHECK(says(CPU0 "topology/core_id", "0\n"));
    CHECK(says(CPU0 "topology/thread_siblings_list", "0\n"));
    CHECK(says(CPU0 "topology/thread_siblings", "1\n"));
    char path[128];
    int found = 0;
    for (int nid = 0; nid < 8; nid++) {
        snprintf(path, sizeof(path), CPU0 "node%d", nid);
        found += readlink(path, link, sizeof(link) - 1) > 0;
    }
    CHECK(found == 1 && !strncmp(link, "../../node/node", 15));
    snprintf(path, sizeof(path), CPU0 "%s/cpu0/topology/core_id", link);
    CHECK(says(path, "0\n"));
}

static int mounted(const char *what)
{
    return take("/proc/mounts") > 0 && strstr(text, what) != NULL;
}

static void mounts(void)
{
    struct stat st;
    CHECK(mkdir("views.mnt", 0755) == 0);
    CHECK(mount("some", "views.mnt", "tmpfs", 0, "size=1m,mode=700,uid=5") == 0);
    CHECK(stat("views.mnt", &st) == 0 && (st.st_mode & 07777) == 0700 && st.st_uid == 5);
    CHECK(mounted("some /tmp/views.mnt tmpfs rw,"));
    CHECK(mkdir("views.mnt/d", 0755) == 0);
    CHECK(mount("some", "views.mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK(mounted("some /tmp/views.mnt tmpfs ro,"));
    CHECK(fails(open("views.mnt/f", O_CREAT | O_RDWR, 0600), EROFS));
    CHECK(fails(rmdir("views.mnt/d"), EROFS) && fails(chmod("views.mnt/d", 0700), EROFS));
    CHECK(fails(access("views.mnt/d", W_OK), EROFS) && access("views.mnt/d", R_OK) == 0);
    CHECK(take("/proc/self/mountinfo") > 0 && strstr(text, " /tmp/views.mnt ro,"));
    CHECK(umount("views.mnt") == 0 && fails(umount("views.mnt"), EINVAL));
    CHECK(fails(mount("x", "views.mnt", "tmpfs", 0, "no=1"), EINVAL));
    CHECK(fails(mount("x", "views.mnt", "tmpfs", 0, "size=x"), EINVAL));
    CHECK(fails(mount("x", "views.mnt", "nofs", 0, NULL), ENODEV));
    CHECK(fails(mount((void *)8, "views.mnt", "tmpfs", 0, NULL), EFAULT));
    CHECK(fails(mount("x", "views.none", "tmpfs", 0, NULL), ENOENT));
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(rmdir("views.mnt") == 0);
}

int main(void)
{
    CHECK(chdir("/tmp") == 0);
    config();
    own_memory();
    settings();
    harts();
    mounts();
    own_state();
    return report("views");
}

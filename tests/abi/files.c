/* SPDX-License-Identifier: MIT */
/*
 * files.c - names, bytes, times, mappings of files: what Linux promises of a file system in memory.
 *
 * All happens below a directory of its own in /tmp.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static char *volatile nowhere = (char *)8;

static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text);
}

static const char *get(const char *path)
{
    static char buf[256];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    buf[n < 0 ? 0 : n] = '\0';
    return buf;
}

static void opening(void)
{
    struct stat st;
    CHECK(fails(open("none", O_RDONLY), ENOENT));
    CHECK(fails(open("", O_RDONLY), ENOENT));
    CHECK(put("a", "hello"));
    CHECK(!strcmp(get("a"), "hello"));
    CHECK(fails(open("a", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST));
    CHECK(fails(open("a/b", O_RDONLY), ENOTDIR));
    CHECK(fails(open("a/", O_RDONLY), ENOTDIR));
    CHECK(fails(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR));
    CHECK(fails(open(".", O_WRONLY), EISDIR));
    CHECK(fails(open(".", O_RDWR | O_CREAT, 0600), EISDIR));
    CHECK(fails(open("none/b", O_RDWR | O_CREAT, 0600), ENOENT));
    CHECK(stat("a", &st) == 0 && st.st_size == 5 && S_ISREG(st.st_mode));
    CHECK((st.st_mode & 07777) == 0644 && st.st_nlink == 1);
    umask(077);
    int fd = open("masked", O_CREAT | O_RDWR, 0666);
    CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
    umask(022);
    close(fd);
    char name[300];
    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    CHECK(fails(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG));
    name[255] = '\0';
    fd = open(name, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK(unlink(name) == 0);
    CHECK(fails(open(nowhere, O_RDONLY), EFAULT));
}

static void reading_and_writing(void)
{
    char buf[64];
    struct iovec iov[2] = {{buf, 3}, {buf + 8, 4}};
    int fd = open("rw", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(write(fd, "0123456789", 10) == 10);
    CHECK(lseek(fd, 0, SEEK_CUR) == 10);
    CHECK(lseek(fd, -3, SEEK_END) == 7);
    CHECK(read(fd, buf, 10) == 3 && !memcmp(buf, "789", 3));
    CHECK(read(fd, buf, 10) == 0);
    CHECK(pread(fd, buf, 4, 2) == 4 && !memcmp(buf, "2345", 4));
    CHECK(pwrite(fd, "AB", 2, 4) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == 10);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(readv(fd, iov, 2) == 7 && !memcmp(buf, "012", 3) && !memcmp(buf + 8, "3AB6", 4));
    CHECK(fails(lseek(fd, -1, SEEK_SET), EINVAL));
    CHECK(fails(lseek(fd, 0, 99), EINVAL));
    CHECK(fails(pread(fd, buf, 1, -1), EINVAL));
    CHECK(pwrite(fd, "Z", 1, 9000) == 1);
    CHECK(lseek(fd, 0, SEEK_END) == 9001);
    CHECK(pread(fd, buf, 4, 5000) == 4 && !memcmp(buf, "\0\0\0\0", 4));
    CHECK(pread(fd, buf, 4, 8999) == 2 && !memcmp(buf, "\0Z", 2));
    CHECK(pread(fd, buf, 4, 9001) == 0);
    CHECK(fails(write(fd, nowhere, 4), EFAULT));
    close(fd);
    CHECK(fails(read(fd, buf, 1), EBADF));
    fd = open("rw", O_WRONLY | O_APPEND);
    CHECK(write(fd, "end", 3) == 3);
    CHECK(fails(read(fd, buf, 1), EBADF));
    close(fd);
    fd = open("rw", O_RDONLY);
    CHECK(lseek(fd, -3, SEEK_END) == 9001 && read(fd, buf, 9) == 3 && !memcmp(buf, "end", 3));
    CHECK(fails(write(fd, "x", 1), EBADF));
    close(fd);
    CHECK(truncate("rw", 3) == 0 && !strcmp(get("rw"), "012"));
    CHECK(truncate("rw", 6) == 0);
    fd = open("rw", O_RDONLY);
    CHECK(read(fd, buf, 9) == 6 && !memcmp(buf, "012\0\0\0", 6));
    CHECK(fails(ftruncate(fd, 1), EINVAL));
    close(fd);
    CHECK(fails(truncate("rw", -1), EINVAL));
    CHECK(fails(truncate(".", 1), EISDIR));
    CHECK(fails(truncate("none", 1), ENOENT));
}

static void directories(void)
{
    struct stat st;
    char cwd[PATH_MAX], other[PATH_MAX];
    CHECK(stat(".", &st) == 0);
    nlink_t links = st.st_nlink;
    CHECK(mkdir("d", 0755) == 0);
    CHECK(fails(mkdir("d", 0755), EEXIST));
    CHECK(fails(mkdir("none/d", 0755), ENOENT));
    CHECK(stat(".", &st) == 0 && st.st_nlink == links + 1);
    CHECK(stat("d", &st) == 0 && st.st_nlink == 2 && S_ISDIR(st.st_mode));
    CHECK(put("d/f", "x"));
    CHECK(fails(rmdir("d"), ENOTEMPTY));
    CHECK(fails(unlink("d"), EISDIR));
    CHECK(fails(rmdir("d/f"), ENOTDIR));
    CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, dir));
    CHECK(fails(getcwd(other, 3) ? 0 : -1, ERANGE));
    CHECK(chdir("d") == 0 && getcwd(other, sizeof(other)));
    CHECK(!strncmp(other, dir, strlen(dir)) && !strcmp(other + strlen(dir), "/d"));
    CHECK(!strcmp(get("f"), "x") && !strcmp(get("../d/./f"), "x"));
    CHECK(unlink("f") == 0 && rmdir("../d") == 0);
    CHECK(fails(getcwd(other, sizeof(other)) ? 0 : -1, ENOENT));
    CHECK(fails(open("new", O_CREAT | O_RDWR, 0600), ENOENT));
    CHECK(chdir(dir) == 0);
    CHECK(fails(rmdir("."), EINVAL));
    CHECK(fails(chdir("none"), ENOENT) && fails(chdir("a"), ENOTDIR));
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    int in = openat(fd, "a", O_RDONLY);
    CHECK(in >= 0);
    CHECK(fails(openat(in, "a", O_RDONLY), ENOTDIR));
    CHECK(fails(openat(99, "a", O_RDONLY), EBADF));
    CHECK(fails(read(fd, cwd, 1), EISDIR));
    CHECK(fchdir(fd) == 0 && fails(fchdir(in), ENOTDIR));
    close(in);
    close(fd);
}

static void listing(void)
{
    char name[16];
    int seen = 0, dots = 0, types = 0;
    CHECK(mkdir("many", 0755) == 0);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "many/%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    DIR *d = opendir("many");
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        dots += !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
        types += e->d_type == DT_REG;
        seen++;
    }
    CHECK(seen == 302 && dots == 2 && types == 300);
    rewinddir(d);
    int removed = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        removed += unlinkat(dirfd(d), e->d_name, 0) == 0;
    CHECK(removed == 300);
    closedir(d);
    CHECK(rmdir("many") == 0);
    char buf[8];
    int fd = open(".", O_RDONLY);
    CHECK(fails(syscall(SYS_getdents64, fd, buf, sizeof(buf)), EINVAL));
    close(fd);
    fd = open("a", O_RDONLY);
    CHECK(fails(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOTDIR));
    close(fd);
}

static void links(void)
{
    struct stat st, st2;
    char buf[64];
    CHECK(link("a", "a2") == 0);
    CHECK(stat("a", &st) == 0 && stat("a2", &st2) == 0);
    CHECK(st.st_ino == st2.st_ino && st.st_nlink == 2);
    CHECK(fails(link("a", "a2"), EEXIST) && fails(link("none", "n2"), ENOENT));
    CHECK(fails(link(".", "dot"), EPERM));
    CHECK(unlink("a2") == 0 && stat("a", &st) == 0 && st.st_nlink == 1);
    CHECK(symlink("a", "l") == 0);
    CHECK(readlink("l", buf, sizeof(buf)) == 1 && buf[0] == 'a');
    CHECK(fails(readlink("a", buf, sizeof(buf)), EINVAL));
    CHECK(lstat("l", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 1);
    CHECK(stat("l", &st) == 0 && S_ISREG(st.st_mode));
    CHECK(!strcmp(get("l"), "hello"));
    CHECK(fails(open("l", O_RDONLY | O_NOFOLLOW), ELOOP));
    CHECK(symlink("loop", "loop") == 0 && fails(open("loop", O_RDONLY), ELOOP));
    CHECK(symlink("gone", "dangling") == 0 && fails(stat("dangling", &st), ENOENT));
    CHECK(put("dangling", "made") && !strcmp(get("gone"), "made"));
    CHECK(fails(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST));
    CHECK(symlink("..", "up") == 0 && stat("up", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(unlink("up") == 0 && unlink("loop") == 0 && unlink("dangling") == 0);
    CHECK(fails(symlink("", "e"), ENOENT));
    CHECK(readlink("/proc/self/exe", buf, sizeof(buf)) > 0);
    CHECK(readlink("l", buf, 0) == -1);
    CHECK(unlink("l") == 0 && unlink("gone") == 0);
}

static void renaming(void)
{
    struct stat st;
    CHECK(put("x", "x") && put("y", "y"));
    CHECK(rename("x", "y") == 0 && !strcmp(get("y"), "x"));
    CHECK(fails(rename("x", "y"), ENOENT));
    CHECK(put("x", "x2"));
    CHECK(fails(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_NOREPLACE), EEXIST));
    CHECK(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE) == 0);
    CHECK(!strcmp(get("y"), "x2") && !strcmp(get("x"), "x"));
    CHECK(mkdir("p", 0755) == 0 && mkdir("p/q", 0755) == 0 && mkdir("r", 0755) == 0);
    CHECK(fails(rename("p", "p/q/p"), EINVAL));
    CHECK(fails(rename("p", "x"), ENOTDIR) && fails(rename("x", "p"), EISDIR));
    CHECK(fails(rename("r", "p"), ENOTEMPTY));
    CHECK(rename("p", "r") == 0 && stat("r/q", &st) == 0 && fails(stat("p", &st), ENOENT));
    CHECK(rename("x", "r/q/x") == 0 && !strcmp(get("r/q/x"), "x"));
    CHECK(link("y", "y2") == 0 && rename("y", "y2") == 0 && stat("y", &st) == 0);
    CHECK(unlink("r/q/x") == 0 && rmdir("r/q") == 0 && rmdir("r") == 0);
    CHECK(unlink("y") == 0 && unlink("y2") == 0);
}

static void attributes(void)
{
    struct stat st;
    struct timespec ts[2] = {{1000, 5}, {2000, UTIME_OMIT}};
    CHECK(chmod("a", 0600) == 0 && stat("a", &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(access("a", R_OK | W_OK) == 0 && fails(access("none", F_OK), ENOENT));
    CHECK(fails(access("a", 99), EINVAL));
    time_t mtime = st.st_mtime;
    CHECK(utimensat(AT_FDCWD, "a", ts, 0) == 0 && stat("a", &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 5 && st.st_mtime == mtime);
    ts[1].tv_nsec = 2000000000;
    CHECK(fails(utimensat(AT_FDCWD, "a", ts, 0), EINVAL));
    CHECK(fails(chmod("none", 0600), ENOENT));
    struct statfs fs;
    CHECK(statfs(".", &fs) == 0 && fs.f_bsize == 4096 && fs.f_blocks > 0);
    CHECK(fs.f_bfree <= fs.f_blocks && fs.f_namelen == 255);
    CHECK(fails(statfs("none", &fs), ENOENT));
    struct statx sx;
    CHECK(statx(AT_FDCWD, "a", 0, STATX_BASIC_STATS, &sx) == 0 && sx.stx_size == 5);
}

static void mapping(void)
{
    char buf[8];
    int fd = open("m", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(ftruncate(fd, 3 * 4096 + 100) == 0);
    char *s = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(s != MAP_FAILED && p != MAP_FAILED);
    strcpy(s + 10, "shared");
    CHECK(!strcmp(p + 10, "shared"));
    CHECK(pread(fd, buf, 6, 10) == 6 && !memcmp(buf, "shared", 6));
    strcpy(p + 10, "privat");
    CHECK(!strcmp(s + 10, "shared"));
    CHECK(pwrite(fd, "SHA", 3, 10) == 3 && !strncmp(s + 10, "SHA", 3) &&
          !strncmp(p + 10, "pri", 3));
    CHECK(!faults(s + 3 * 4096 + 4000, 1)); /* in the last page, behind the end */
    CHECK(ftruncate(fd, 4096) == 0);
    CHECK(faults(s + 2 * 4096, 0) && faults(p + 2 * 4096, 0));
    CHECK(!faults(s, 1));
    CHECK(ftruncate(fd, 3 * 4096) == 0 && s[2 * 4096] == 0);
    s[4096] = 7;
    CHECK(msync(s, 4096 * 3, MS_SYNC) == 0);
    CHECK(pread(fd, buf, 1, 4096) == 1 && buf[0] == 7);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) == 0);
    CHECK(s[4096] == 0 && lseek(fd, 0, SEEK_END) == 3 * 4096);

    CHECK(fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096), EOPNOTSUPP));
    CHECK(fallocate(fd, 0, 0, 5 * 4096) == 0 && lseek(fd, 0, SEEK_END) == 5 * 4096);
    CHECK(munmap(s, 4 * 4096) == 0 && munmap(p, 4 * 4096) == 0);
    int ro = open("m", O_RDONLY);
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
    CHECK(p != MAP_FAILED && munmap(p, 4096) == 0);
    s = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
    CHECK(s != MAP_FAILED && fails(mprotect(s, 4096, PROT_READ | PROT_WRITE), EACCES));
    CHECK(munmap(s, 4096) == 0);
    close(ro);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 100) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, 99, 0) == MAP_FAILED && errno == EBADF);
    s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    CHECK(unlink("m") == 0);
    strcpy(s, "still");
    if (!fork())
        _exit(strcmp(s, "still") ? 1 : (strcpy(s, "child"), 0));
    int status;
    CHECK(wait(&status) > 0 && status == 0 && !strcmp(s, "child"));
    CHECK(munmap(s, 4096) == 0);
}

static void without_names(void)
{
    struct stat st;
    char buf[8];
    int fd = memfd_create("test", MFD_ALLOW_SEALING);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0 && st.st_nlink == 0);
    CHECK(write(fd, "abc", 3) == 3 && fcntl(fd, F_GET_SEALS) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    CHECK(fails(ftruncate(fd, 1), EPERM) && fails(ftruncate(fd, 9), EPERM));
    CHECK(pwrite(fd, "x", 1, 0) == 1 && fails(pwrite(fd, "xxxx", 4, 2), EPERM));
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY));
    CHECK(munmap(p, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0);
    CHECK(fails(write(fd, "x", 1), EPERM));
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
    CHECK(fails(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM));
    close(fd);
    fd = memfd_create("plain", 0);
    CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL && fails(fcntl(fd, F_ADD_SEALS, 1), EPERM));
    close(fd);
    CHECK(fails(memfd_create("x", 0x8000), EINVAL));
    fd = open("gone", O_RDWR | O_CREAT, 0600);
    CHECK(unlink("gone") == 0 && write(fd, "here", 4) == 4);
    CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 4);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, dir + 40, 4) == 4 &&
          !memcmp(dir + 40, "here", 4));
    close(fd);
    fd = open("a", O_PATH);
    CHECK(fd >= 0 && fails(read(fd, buf, 1), EBADF) && fstat(fd, &st) == 0);
    close(fd);
}

static void devices(void)
{
    char buf[16] = "xxxxxxxx";
    int fd = open("/dev/zero", O_RDWR);
    CHECK(read(fd, buf, 8) == 8 && !memcmp(buf, "\0\0\0\0\0\0\0\0", 8) && write(fd, buf, 8) == 8);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && !*p && !faults(p, 1) && munmap(p, 4096) == 0);
    close(fd);
    fd = open("/dev/null", O_RDWR);
    CHECK(read(fd, buf, 8) == 0 && write(fd, buf, 8) == 8);
    CHECK(lseek(fd, 5, SEEK_SET) == 0);
    close(fd);
    fd = open("/dev/full", O_WRONLY);
    CHECK(fails(write(fd, buf, 1), ENOSPC));
    close(fd);
    fd = open("/dev/urandom", O_RDONLY);
    CHECK(read(fd, buf, 16) == 16);
    close(fd);
    struct stat st;
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
}

/* Only root may, and not in an emulator that would do it on the host. */
static void mounting(void)
{
    struct statfs fs;
    char name[64] = "";
    gethostname(name, sizeof(name));
    if (strcmp(name, "pagoda"))
        return;
    CHECK(mkdir("m", 0755) == 0 && put("m/below", "below"));
    CHECK(fails(mount("x", "m", "nosuchfs", 0, NULL), ENODEV));
    CHECK(fails(mount("x", "none", "tmpfs", 0, NULL), ENOENT));
    CHECK(mount("x", "m", "tmpfs", 0, "size=64k") == 0);
    CHECK(fails(open("m/below", O_RDONLY), ENOENT) && statfs("m", &fs) == 0 && fs.f_blocks == 16);
    int fd = open("m/full", O_CREAT | O_RDWR, 0600);
    static char big[100000];
    CHECK(write(fd, big, sizeof(big)) == 65536 && fails(write(fd, big, 1), ENOSPC));
    CHECK(fails(umount("m"), EBUSY) && fails(rmdir("m"), EBUSY));
    CHECK(fails(link("m/full", "elsewhere"), EXDEV) && fails(rename("m/full", "x"), EXDEV));
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    CHECK(chdir("m/..") == 0 && !strcmp(get("m/full"), ""));
    CHECK(umount("m") == 0 && !strcmp(get("m/below"), "below"));
    CHECK(*p == 0 && munmap(p, 4096) == 0 && fails(umount("m"), EINVAL));
    CHECK(unlink("m/below") == 0 && rmdir("m") == 0);
}

int main(void)
{
    strcpy(dir, "/tmp/abi-XXXXXX");
    CHECK(mkdtemp(dir) && chdir(dir) == 0);
    opening();
    reading_and_writing();
    directories();
    listing();
    links();
    renaming();
    attributes();
    mapping();
    without_names();
    devices();
    mounting();
    CHECK(unlink("a") == 0 && unlink("masked") == 0 && unlink("rw") == 0);
    CHECK(chdir("/") == 0 && rmdir(dir) == 0);
    return report("files");
}

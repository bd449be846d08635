/* SPDX-License-Identifier: MIT */
/*
 * openat2.c - paths that may not go everywhere, modes of links, attributes that hang on files,
 * files taken over from another process.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DIR "/tmp/below"

static char *volatile nowhere = (char *)8;
static volatile size_t too_long = 65537;

static int open2(int dir, const char *path, unsigned long flags, unsigned long resolve)
{
    struct open_how how = {.flags = flags, .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int opens(int fd)
{
    return fd >= 0 && close(fd) == 0;
}

static void walks(void)
{
    int dir = open(DIR, O_RDONLY | O_DIRECTORY);
    CHECK(opens(open2(dir, "file", O_RDONLY, 0)) && opens(open2(dir, "link", O_RDONLY, 0)));
    CHECK(fails(open2(dir, "link", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP));
    CHECK(opens(open2(dir, "sub/../file", O_RDONLY, RESOLVE_BENEATH)));
    CHECK(fails(open2(dir, "../below/file", O_RDONLY, RESOLVE_BENEATH), EXDEV));
    CHECK(fails(open2(dir, DIR "/file", O_RDONLY, RESOLVE_BENEATH), EXDEV));
    CHECK(fails(open2(dir, "away", O_RDONLY, RESOLVE_BENEATH), EXDEV));
    CHECK(opens(open2(dir, "/file", O_RDONLY, RESOLVE_IN_ROOT)));
    CHECK(opens(open2(dir, "../../file", O_RDONLY, RESOLVE_IN_ROOT)));
    CHECK(fails(open2(dir, "away", O_RDONLY, RESOLVE_IN_ROOT), ENOENT));
    CHECK(fails(open2(dir, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV), EXDEV));
    CHECK(fails(open2(dir, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP));
    CHECK(opens(open2(dir, "file", O_RDONLY, RESOLVE_CACHED)));
    close(dir);
}

static void arguments(void)
{
    struct open_how how[2] = {{.flags = O_RDONLY}};
    CHECK(fails(open2(AT_FDCWD, DIR "/file", O_RDONLY | 1UL << 40, 0), EINVAL));
    CHECK(fails(open2(AT_FDCWD, DIR "/file", O_RDONLY, 64), EINVAL));
    CHECK(fails(syscall(SYS_openat2, AT_FDCWD, DIR "/file", how, 20), EINVAL));
    CHECK(opens((int)syscall(SYS_openat2, AT_FDCWD, DIR "/file", how, sizeof(how))));
    how[1].flags = 1;
    CHECK(fails(syscall(SYS_openat2, AT_FDCWD, DIR "/file", how, sizeof(how)), E2BIG));
    how[0].mode = 0600;
    CHECK(fails(syscall(SYS_openat2, AT_FDCWD, DIR "/file", how, sizeof(*how)), EINVAL));
    CHECK(fails(syscall(SYS_openat2, AT_FDCWD, DIR "/file", NULL, sizeof(*how)), EFAULT));
}

static void modes(void)
{
    struct stat st;
    int fd = open(DIR "/file", O_RDONLY | O_PATH);
    if (syscall(452, AT_FDCWD, DIR "/file", 0640, 0) < 0 && errno == ENOSYS)
        return; /* an emulator that does not know it */
    CHECK(stat(DIR "/file", &st) == 0 && (st.st_mode & 07777) == 0640);
    CHECK(syscall(452, fd, "", 0600, AT_EMPTY_PATH) == 0);
    CHECK(stat(DIR "/file", &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(fails(syscall(452, AT_FDCWD, DIR "/link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP));
    CHECK(fails(syscall(452, AT_FDCWD, DIR "/file", 0600, 1), EINVAL));
    close(fd);
}

static void attributes(void)
{
    char buf[64];
    int fd = open(DIR "/file", O_RDWR);
    if (setxattr(DIR "/file", "user.colour", "red", 3, 0) && errno == EOPNOTSUPP)
        return; /* a file system without */
    CHECK(getxattr(DIR "/file", "user.colour", buf, sizeof(buf)) == 3 && !memcmp(buf, "red", 3));
    CHECK(fgetxattr(fd, "user.colour", NULL, 0) == 3);
    CHECK(fails(getxattr(DIR "/file", "user.colour", buf, 2), ERANGE));
    CHECK(fails(getxattr(DIR "/file", "user.shape", buf, 2), ENODATA));
    CHECK(fails(fsetxattr(fd, "user.colour", "", 0, XATTR_CREATE), EEXIST));
    CHECK(fails(fsetxattr(fd, "user.shape", "", 0, XATTR_REPLACE), ENODATA));
    CHECK(fsetxattr(fd, "user.shape", "", 0, XATTR_CREATE) == 0);
    CHECK(listxattr(DIR "/link", NULL, 0) == 23 && flistxattr(fd, buf, sizeof(buf)) == 23);
    CHECK(fails(flistxattr(fd, buf, 15), ERANGE) && llistxattr(DIR "/link", buf, 64) == 0);
    CHECK(fails(lsetxattr(DIR "/link", "user.x", "", 0, 0), EPERM));
    CHECK(fails(fsetxattr(fd, "colour", "", 0, 0), EOPNOTSUPP));
    CHECK(fails(fsetxattr(fd, "user.", "", 0, 0), EINVAL) &&
          fails(fgetxattr(fd, "", 0, 0), ERANGE));
    CHECK(fails(fsetxattr(fd, "user.x", nowhere, too_long, 0), E2BIG));
    CHECK(fails(fsetxattr(fd, "user.x", "", 0, 9), EINVAL));
    CHECK(fails(fsetxattr(fd, "user.x", nowhere, 9, 0), EFAULT));
    CHECK(fremovexattr(fd, "user.colour") == 0 && fails(fremovexattr(fd, "user.colour"), ENODATA));
    CHECK(fails(fsetxattr(99, "user.x", "", 0, 0), EBADF));
    close(fd);
}

static void taken_over(void)
{
    char c = 0;
    int p[2], status, pidfd, fd;
    CHECK(pipe(p) == 0);
    pid_t pid = fork();
    if (!pid) {
        int own =
            open(DIR "/file", O_RDWR | O_TRUNC); /* a number that is free in the parent, too */
        write(own, "abc", 3);
        write(p[1], &own, sizeof(own));
        pause();
    }
    CHECK(read(p[0], &fd, sizeof(fd)) == sizeof(fd));
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int mine = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    CHECK(mine >= 0 && fcntl(mine, F_GETFD) == FD_CLOEXEC);
    CHECK(pread(mine, &c, 1, 2) == 1 && c == 'c' && lseek(mine, 0, SEEK_CUR) == 3);
    CHECK(fails(syscall(SYS_pidfd_getfd, pidfd, 500, 0), EBADF));
    CHECK(fails(syscall(SYS_pidfd_getfd, pidfd, fd, 1), EINVAL));
    CHECK(fails(syscall(SYS_pidfd_getfd, p[0], fd, 0), EBADF));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(fails(syscall(SYS_pidfd_getfd, pidfd, fd, 0), ESRCH));
    close(mine);
    close(pidfd);
}

int main(void)
{
    mkdir(DIR, 0755);
    mkdir(DIR "/sub", 0755);
    close(open(DIR "/file", O_RDWR | O_CREAT, 0600));
    symlink("file", DIR "/link");
    symlink("/nowhere/at/all", DIR "/away");
    if (open2(AT_FDCWD, DIR "/file", O_RDONLY, 0) >= 0 || errno != ENOSYS) {
        walks();
        arguments();
    }
    modes();
    attributes();
    taken_over();
    return report("openat2");
}

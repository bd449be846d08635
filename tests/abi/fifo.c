/* SPDX-License-Identifier: MIT */
/*
 * fifo.c - pipes with names: who opens one end waits for the other.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void making(void)
{
    struct stat st;
    CHECK(mkfifo(path, 0640) == 0 && fails(mkfifo(path, 0640), EEXIST));
    CHECK(stat(path, &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(st.st_size == 0 && st.st_nlink == 1);
    CHECK(fails(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR) && fails(truncate(path, 0), EINVAL));
}

static void without_waiting(void)
{
    char buf[16];
    int n;
    CHECK(fails(open(path, O_WRONLY | O_NONBLOCK), ENXIO));
    int in = open(path, O_RDONLY | O_NONBLOCK);
    struct pollfd fd = {in, POLLIN, 0};
    CHECK(in >= 0 && read(in, buf, 1) == 0 && poll(&fd, 1, 0) == 0);
    int out = open(path, O_WRONLY | O_NONBLOCK);
    CHECK(out >= 0 && fails(read(in, buf, 1), EAGAIN) && poll(&fd, 1, 0) == 0);
    CHECK(write(out, "hello", 5) == 5 && poll(&fd, 1, 0) == 1 && fd.revents == POLLIN);
    CHECK(ioctl(in, FIONREAD, &n) == 0 && n == 5 && read(in, buf, 16) == 5);
    CHECK(fails(lseek(in, 0, SEEK_SET), ESPIPE) && fails(pread(in, buf, 1, 0), ESPIPE));
    CHECK(fails(write(in, "x", 1), EBADF) && fails(ftruncate(out, 0), EINVAL));
    CHECK(fails((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, in, 0), ENODEV));
    write(out, "rest", 4);
    close(out);
    CHECK(poll(&fd, 1, 0) == 1 && fd.revents == (POLLIN | POLLHUP));
    CHECK(read(in, buf, 16) == 4 && read(in, buf, 16) == 0);
    CHECK(poll(&fd, 1, 0) == 1 && fd.revents == POLLHUP);
    close(in);
}

static void both_ends(void)
{
    char buf[16];
    int both = open(path, O_RDWR);
    CHECK(both >= 0 && write(both, "me", 2) == 2 && read(both, buf, 16) == 2);
    write(both, "gone", 4);
    close(both);
    both = open(path, O_RDWR | O_NONBLOCK);
    CHECK(fails(read(both, buf, 16), EAGAIN)); /* with its last user went what was in it */
    close(both);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void waiting(void)
{
    char buf[16];
    if (!fork()) {
        int out = open(path, O_WRONLY);
        _exit(write(out, "from child", 10) != 10);
    }
    usleep(20000);
    int in = open(path, O_RDONLY);
    CHECK(in >= 0 && read(in, buf, 16) == 10 && read(in, buf, 16) == 0 && ended() == 0);
    close(in);
    if (!fork()) {
        in = open(path, O_RDONLY);
        _exit(read(in, buf, 16) != 2);
    }
    usleep(20000);
    int out = open(path, O_WRONLY);
    CHECK(out >= 0 && write(out, "ok", 2) == 2 && ended() == 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK(fails(write(out, "x", 1), EPIPE));
    close(out);
    struct sigaction act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 0);
    CHECK(fails(open(path, O_RDONLY), EINTR));
    CHECK(fails(open(path, O_WRONLY | O_NONBLOCK), ENXIO)); /* and it left its end */
}

/* A writer that comes and goes at once is not missed by who waits for one. */
static void short_visits(void)
{
    int missed = 0;
    for (int i = 0; i < 50; i++) {
        if (!fork()) {
            close(open(path, O_WRONLY));
            _exit(0);
        }
        int in = open(path, O_RDONLY);
        missed += in < 0;
        close(in);
        missed += ended() != 0;
    }
    CHECK(missed == 0);
}

/* A pipe of pipe2() is found below /proc/self/fd and can be opened once more. */
static void opened_again(void)
{
    char path[64], text[64] = {0};
    struct stat st, again;
    int fds[2];
    CHECK(!pipe(fds));
    CHECK(!fstat(fds[0], &st) && S_ISFIFO(st.st_mode) && st.st_nlink == 1);
    CHECK(!fstat(fds[1], &again) && st.st_ino == again.st_ino && st.st_dev == again.st_dev);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
    CHECK(readlink(path, text, sizeof(text) - 1) > 0 && !strncmp(text, "pipe:[", 6));
    int more = open(path, O_WRONLY);
    CHECK(more >= 0 && write(more, "abc", 3) == 3);
    CHECK(!close(fds[1]));
    CHECK(read(fds[0], text, sizeof(text)) == 3);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", more);
    CHECK(!close(more) && read(fds[0], text, sizeof(text)) == 0);
    CHECK(fails(open(path, O_WRONLY), ENOENT));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    more = open(path, O_RDONLY); /* no writer, and nobody waits for one */
    CHECK(more >= 0 && read(more, text, sizeof(text)) == 0);
    CHECK(!close(more) && !close(fds[0]));
}

int main(void)
{
    sprintf(path, "/tmp/fifo-%d", getpid());
    making();
    without_waiting();
    both_ends();
    waiting();
    short_visits();
    CHECK(unlink(path) == 0);
    opened_again();
    return report("fifo");
}

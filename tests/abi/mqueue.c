/* SPDX-License-Identifier: MIT */
/*
 * mqueue.c - POSIX message queues: names, priorities, waiting, being told, limits.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FLAGS (O_RDWR | O_CREAT | O_EXCL)

static char name[64];
static struct mq_attr small = {.mq_maxmsg = 3, .mq_msgsize = 16};

/* A new queue of three messages of 16 bytes, that has no name any more. */
static mqd_t fresh(int flags)
{
    mqd_t q = mq_open(name, FLAGS | flags, 0600, &small);
    if (q < 0 || mq_unlink(name))
        printf("mqueue: no queue: %s\n", strerror(errno));
    return q;
}

static int put(mqd_t q, const char *text, unsigned priority)
{
    return mq_send(q, text, strlen(text), priority);
}

/* The text of the message that is received, or "" */
static const char *get(mqd_t q, unsigned *priority)
{
    static char text[17];
    ssize_t n = mq_receive(q, text, 16, priority);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static int is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

static long in_it(mqd_t q)
{
    struct mq_attr attr;
    return mq_getattr(q, &attr) ? -1 : attr.mq_curmsgs;
}

static struct timespec soon(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static long raw_open(const char *as, int flags)
{
    return syscall(SYS_mq_open, as, flags, 0600, NULL);
}

static void names(void)
{
    char longer[300] = "";
    memset(longer, 'a', sizeof(longer) - 1);
    CHECK(fails(mq_open(name, O_RDWR), ENOENT) && fails(mq_unlink(name), ENOENT));
    CHECK(fails(mq_open("noslash", O_RDWR), EINVAL));
    CHECK(fails(raw_open("", FLAGS), ENOENT) && fails(raw_open("a/b", FLAGS), EACCES));
    CHECK(fails(raw_open(".", FLAGS), EACCES) && fails(raw_open("..", FLAGS), EACCES));
    CHECK(fails(raw_open(longer, FLAGS), ENAMETOOLONG) && fails(raw_open(NULL, FLAGS), EFAULT));
    mqd_t q = mq_open(name, FLAGS, 0600, &small), same;
    CHECK(q >= 0 && fails(mq_open(name, FLAGS, 0600, &small), EEXIST));
    CHECK(fails(mq_open(name, O_WRONLY | O_RDWR), EINVAL));
    same = mq_open(name, O_CREAT | O_RDONLY, 0600, NULL);
    CHECK(same >= 0 && put(q, "seen", 0) == 0 && is(get(same, NULL), "seen"));
    CHECK(fails(put(same, "x", 0), EBADF) && mq_close(same) == 0);
    CHECK(fcntl(q, F_GETFD) == FD_CLOEXEC);
    CHECK(mq_unlink(name) == 0 && fails(mq_open(name, O_RDWR), ENOENT));
    CHECK(put(q, "still", 0) == 0 && is(get(q, NULL), "still")); /* without its name */
    CHECK(mq_close(q) == 0 && fails(put(q, "x", 0), EBADF) && fails(mq_close(q), EBADF));
    int fd = open("/", O_RDONLY);
    CHECK(fails(put(fd, "x", 0), EBADF) && fails(mq_notify(fd, NULL), EBADF));
    close(fd);
}

static void attributes(void)
{
    struct mq_attr attr = {.mq_flags = O_NONBLOCK}, old, none = {0}, huge = small;
    huge.mq_maxmsg = 1000000;
    CHECK(fails(mq_open(name, FLAGS, 0600, &none), EINVAL));
    CHECK(fails(mq_open(name, FLAGS, 0600, &huge), EINVAL));
    CHECK(fails(mq_open(name, FLAGS, 0600, (struct mq_attr *)16), EFAULT));
    mqd_t q = mq_open(name, FLAGS, 0600, NULL);
    CHECK(mq_getattr(q, &old) == 0 && old.mq_maxmsg == 10 && old.mq_msgsize == 8192);
    CHECK(mq_close(q) == 0 && mq_unlink(name) == 0);
    q = fresh(0);
    CHECK(mq_setattr(q, &attr, &old) == 0 && old.mq_flags == 0 && old.mq_maxmsg == 3);
    CHECK(mq_getattr(q, &old) == 0 && old.mq_flags == O_NONBLOCK && old.mq_msgsize == 16);
    CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
    attr.mq_flags = O_APPEND;
    CHECK(fails(mq_setattr(q, &attr, NULL), EINVAL));
    struct stat st;
    CHECK(fstat(q, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
    CHECK(put(q, "twelve bytes", 1) == 0 && in_it(q) == 1);
    char line[128] = "";
    CHECK(read(q, line, sizeof(line) - 1) > 0 && !strncmp(line, "QSIZE:12 ", 9));
    CHECK(fails(write(q, line, 1), EINVAL));
    mq_close(q);
}

static void order(void)
{
    char text[64] = "";
    unsigned priority = 99;
    mqd_t q = fresh(O_NONBLOCK);
    CHECK(put(q, "low", 1) == 0 && put(q, "high", 7) == 0 && put(q, "high too", 7) == 0);
    CHECK(fails(put(q, "full", 9), EAGAIN) && in_it(q) == 3);
    CHECK(is(get(q, &priority), "high") && priority == 7);
    CHECK(put(q, "", 32767) == 0 && is(get(q, &priority), "") && priority == 32767);
    CHECK(is(get(q, &priority), "high too") && is(get(q, &priority), "low") && priority == 1);
    CHECK(fails(mq_receive(q, text, 16, NULL), EAGAIN));
    CHECK(fails(mq_send(q, text, 17, 0), EMSGSIZE) && mq_send(q, text, 16, 0) == 0);
    CHECK(fails(mq_receive(q, text, 15, NULL), EMSGSIZE));
    CHECK(mq_receive(q, text, sizeof(text), NULL) == 16);
    CHECK(fails(put(q, "x", 32768), EINVAL));
    CHECK(fails(mq_send(q, (char *)16, 8, 0), EFAULT) && in_it(q) == 0);
    CHECK(put(q, "lost", 0) == 0 && fails(mq_receive(q, (char *)16, 16, NULL), EFAULT));
    CHECK(in_it(q) == 0);
    mq_close(q);
}

static void times(void)
{
    char text[16];
    struct timespec past = {1, 0}, wrong = {1, 1000000000}, end = soon(50);
    mqd_t q = fresh(0);
    CHECK(fails(mq_timedreceive(q, text, 16, NULL, &end), ETIMEDOUT));
    end = soon(0);
    CHECK(end.tv_sec > 1 && fails(mq_timedreceive(q, text, 16, NULL, &past), ETIMEDOUT));
    CHECK(fails(mq_timedreceive(q, text, 16, NULL, &wrong), EINVAL));
    CHECK(mq_timedsend(q, "1", 1, 0, &past) == 0 && put(q, "2", 0) == 0 && put(q, "3", 0) == 0);
    CHECK(fails(mq_timedsend(q, "4", 1, 0, &past), ETIMEDOUT) && in_it(q) == 3);
    CHECK(fails(mq_timedsend(q, "4", 1, 0, (struct timespec *)16), EFAULT));
    mq_close(q);
}

static volatile int signals, code, value;

static void noted(int sig, siginfo_t *info, void *frame)
{
    (void)sig, (void)frame;
    signals++;
    code = info->si_code;
    value = info->si_value.sival_int;
}

static void catch (int flags)
{
    struct sigaction act = {.sa_sigaction = noted, .sa_flags = SA_SIGINFO | flags};
    sigaction(SIGUSR1, &act, NULL);
    sigaction(SIGALRM, &act, NULL);
}

static void waiting(void)
{
    char text[16];
    mqd_t q = fresh(0);
    if (!fork()) { /* a queue goes through fork; the receiver waits, then the sender */
        int bad = !is(get(q, NULL), "one");
        usleep(50000);
        while (!bad && !is(get(q, NULL), "last"))
            ;
        _exit(bad);
    }
    usleep(30000);
    CHECK(put(q, "one", 0) == 0);
    for (int i = 0; i < 6; i++)
        CHECK(put(q, i < 5 ? "more" : "last", 5 - (unsigned)i) == 0);
    CHECK(ended() == 0 && in_it(q) == 0);
    catch (0);
    ualarm(30000, 0);
    CHECK(fails(mq_receive(q, text, 16, NULL), EINTR) && signals == 1);
    catch (SA_RESTART);
    struct timespec end = soon(100);
    ualarm(30000, 0);
    CHECK(fails(mq_timedreceive(q, text, 16, NULL, &end), ETIMEDOUT) && signals == 2);
    mq_close(q);
}

static void polls(void)
{
    mqd_t q = fresh(0);
    struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    CHECK(put(q, "1", 0) == 0 && poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
    CHECK(put(q, "2", 0) == 0 && put(q, "3", 0) == 0);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    p.events = POLLOUT;
    if (!fork()) {
        usleep(30000);
        _exit(!is(get(q, NULL), "1"));
    }
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLOUT && ended() == 0);
    mq_close(q);
}

static void notices(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct sigevent none = {.sigev_notify = SIGEV_NONE}, wrong = {.sigev_notify = 77};
    mqd_t q = fresh(0);
    ev.sigev_value.sival_int = 4711;
    signals = 0;
    CHECK(mq_notify(q, NULL) == 0 && fails(mq_notify(q, &wrong), EINVAL));
    CHECK(mq_notify(q, &ev) == 0 && fails(mq_notify(q, &none), EBUSY));
    CHECK(put(q, "1", 0) == 0 && signals == 1 && code == SI_MESGQ && value == 4711);
    CHECK(mq_notify(q, &ev) == 0); /* once only, and only for a queue that was empty */
    CHECK(put(q, "2", 0) == 0 && signals == 1);
    CHECK(fails(mq_notify(q, &none), EBUSY) && mq_notify(q, NULL) == 0);
    CHECK(mq_notify(q, &none) == 0 && mq_notify(q, NULL) == 0);
    ev.sigev_signo = 65;
    CHECK(fails(mq_notify(q, &ev), EINVAL));
    ev.sigev_signo = SIGUSR1;
    mqd_t other = dup(q);
    CHECK(mq_notify(q, &ev) == 0 && mq_close(other) == 0); /* any number of it */
    CHECK(mq_notify(q, &ev) == 0 && mq_notify(q, NULL) == 0);
    if (!fork())
        _exit(mq_notify(q, &ev) != 0);
    CHECK(ended() == 0 && mq_notify(q, &ev) == 0); /* the child's went with it */
    if (!fork())
        _exit(!fails(mq_notify(q, &ev), EBUSY) || mq_notify(q, NULL));
    CHECK(ended() == 0 && fails(mq_notify(q, &ev), EBUSY));
    mq_close(q);
}

/* Who waits gets a message before anybody is told. */
static void *receiver(void *arg)
{
    return (void *)(long)is(get(*(mqd_t *)arg, NULL), "direct");
}

static void no_notice(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    mqd_t q = fresh(0);
    pthread_t thread;
    void *good = NULL;
    signals = 0;
    CHECK(mq_notify(q, &ev) == 0 && !pthread_create(&thread, NULL, receiver, &q));
    usleep(50000);
    CHECK(put(q, "direct", 0) == 0 && !pthread_join(thread, &good) && good && signals == 0);
    mq_close(q);
}

/* As somebody else: the mode counts, and the limits. */
static int other_user(void)
{
    struct mq_attr many = {.mq_maxmsg = 11, .mq_msgsize = 16};
    mqd_t open[20];
    int n = 0, bad = 0;
    char own[80];
    if (setgid(1234) || setuid(1234))
        return 1;
    bad |= !fails(mq_open(name, O_WRONLY), EACCES) << 1;
    bad |= (mq_open(name, O_RDONLY) < 0) << 2;
    bad |= !fails(syscall(SYS_mq_unlink, name + 1), EPERM) << 3;
    bad |= !fails(mq_open("/abi-many", FLAGS, 0600, &many), EINVAL) << 4;
    while (n < 20) { /* 82880 bytes each, of 819200 */
        snprintf(own, sizeof(own), "/abi-other-%d", n);
        if ((open[n] = mq_open(own, FLAGS, 0600, NULL)) < 0)
            break;
        mq_unlink(own);
        n++;
    }
    bad |= (n != 9 || errno != EMFILE) << 5;
    if (n)
        mq_close(open[0]); /* is given back */
    bad |= (mq_open(own, FLAGS, 0600, NULL) < 0 || mq_unlink(own)) << 6;
    return bad;
}

static void rights(void)
{
    umask(0);
    mqd_t q = mq_open(name, FLAGS, 0604, &small);
    if (getuid()) { /* nobody to become */
        mq_unlink(name);
        return;
    }
    if (!fork())
        _exit(other_user());
    int bad = ended();
    CHECK(bad == 0);
    if (bad)
        printf("mqueue: other user: %#x\n", bad);
    struct rlimit none = {0, 0};
    if (!fork()) {
        setrlimit(RLIMIT_MSGQUEUE, &none);
        _exit(!fails(mq_open("/abi-none", FLAGS, 0600, &small), EMFILE));
    }
    CHECK(ended() == 0 && mq_unlink(name) == 0 && mq_close(q) == 0);
}

int main(void)
{
    snprintf(name, sizeof(name), "/abi-%d", getpid());
    names();
    attributes();
    order();
    times();
    waiting();
    polls();
    notices();
    no_notice();
    rights();
    return report("mqueue");
}

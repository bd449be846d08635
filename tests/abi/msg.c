/* SPDX-License-Identifier: MIT */
/*
 * msg.c - System V message queues: types, limits, waiting for messages and for room.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
    long type;
    char text[9000];
};

static struct message out, in;

static int put(int id, long type, const char *text, int flags)
{
    out.type = type;
    strcpy(out.text, text);
    return msgsnd(id, &out, strlen(text), flags);
}

/* The text of the message that is received, or "" */
static const char *get(int id, long type, int flags)
{
    ssize_t n = msgrcv(id, &in, sizeof(in.text), type, flags);
    in.text[n < 0 ? 0 : n] = '\0';
    return in.text;
}

static int is(const char *a, const char *b)
{
    return !strcmp(a, b);
}

static struct msqid_ds stat_of(int id)
{
    struct msqid_ds ds = {0};
    if (msgctl(id, IPC_STAT, &ds)) /* not a check of its own: how often it is asked varies */
        printf("msg: IPC_STAT: %s\n", strerror(errno));
    return ds;
}

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void queues(void)
{
    int key = 0x4d47 + getpid(), id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    struct msginfo info;
    CHECK(id >= 0 && msgget(key, 0600) == id && fails(msgget(key + 1, 0), ENOENT));
    CHECK(fails(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST));
    struct msqid_ds ds = stat_of(id);
    CHECK(ds.msg_qnum == 0 && ds.msg_lspid == 0 && ds.msg_stime == 0 && ds.msg_qbytes >= 4096);
    CHECK(put(id, 1, "one", 0) == 0);
    ds = stat_of(id);
    CHECK(ds.msg_qnum == 1 && ds.msg_cbytes == 3 && ds.msg_lspid == getpid() && ds.msg_stime);
    CHECK(is(get(id, 0, 0), "one") && in.type == 1 && stat_of(id).msg_lrpid == getpid());
    ds.msg_qbytes = 10;
    ds.msg_perm.mode = 0640;
    CHECK(msgctl(id, IPC_SET, &ds) == 0 && (stat_of(id).msg_perm.mode & 0777) == 0640);
    CHECK(put(id, 1, "0123456789", IPC_NOWAIT) == 0);
    CHECK(fails(put(id, 1, "x", IPC_NOWAIT), EAGAIN));
    CHECK(msgctl(0, IPC_INFO, (void *)&info) >= 0 && info.msgmax >= 4096);
    CHECK(msgctl(0, MSG_INFO, (void *)&info) >= 0 && info.msgpool >= 1);
    CHECK(fails(msgctl(id, 99, NULL), EINVAL) && fails(msgctl(-1, IPC_RMID, NULL), EINVAL));
    CHECK(msgctl(id, IPC_RMID, NULL) == 0 && fails(msgctl(id, IPC_RMID, NULL), EINVAL));
    CHECK(fails(put(id, 1, "x", 0), EINVAL) && fails(msgrcv(id, &in, 1, 0, 0), EINVAL));
}

static void types(void)
{
    int id = msgget(IPC_PRIVATE, 0600);
    CHECK(fails(put(id, 0, "x", 0), EINVAL) && fails(put(id, -3, "x", 0), EINVAL));
    CHECK(fails(msgsnd(id, &out, -1, 0), EINVAL) && fails(msgsnd(id, (void *)8, 1, 0), EFAULT));
    CHECK(fails(msgrcv(id, &in, -1, 0, 0), EINVAL));
    CHECK(fails(msgrcv(id, &in, 10, 0, IPC_NOWAIT), ENOMSG));
    put(id, 3, "three", 0);
    put(id, 5, "five", 0);
    put(id, 2, "two", 0);
    put(id, 5, "cinque", 0);
    CHECK(is(get(id, 5, 0), "five") && is(get(id, -4, 0), "two"));
    CHECK(is(get(id, 3, MSG_EXCEPT), "cinque") && is(get(id, 0, 0), "three"));
    CHECK(fails(msgrcv(id, &in, 10, 7, IPC_NOWAIT), ENOMSG));
    put(id, 1, "a long one", 0);
    CHECK(fails(msgrcv(id, &in, 3, 0, 0), E2BIG) && stat_of(id).msg_qnum == 1);
    CHECK(msgrcv(id, &in, 3, 0, MSG_NOERROR) == 3 && stat_of(id).msg_qnum == 0);
    put(id, 1, "", 0);
    CHECK(msgrcv(id, &in, 0, 0, 0) == 0 && in.type == 1);
    put(id, 1, "lost", 0);
    CHECK(fails(msgrcv(id, (void *)8, 10, 0, 0), EFAULT) && stat_of(id).msg_qnum == 0);
    msgctl(id, IPC_RMID, NULL);
}

static void copies(void)
{
    int id = msgget(IPC_PRIVATE, 0600);
    put(id, 4, "first", 0);
    put(id, 9, "second", 0);
    CHECK(fails(msgrcv(id, &in, 10, 0, MSG_COPY), EINVAL));
    CHECK(is(get(id, 1, MSG_COPY | IPC_NOWAIT), "second") && in.type == 9);
    CHECK(is(get(id, 0, MSG_COPY | IPC_NOWAIT), "first") && stat_of(id).msg_qnum == 2);
    CHECK(fails(msgrcv(id, &in, 10, 2, MSG_COPY | IPC_NOWAIT), ENOMSG));
    CHECK(fails(msgrcv(id, &in, 2, 0, MSG_COPY | IPC_NOWAIT), E2BIG));
    msgctl(id, IPC_RMID, NULL);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void waiting(void)
{
    int id = msgget(IPC_PRIVATE, 0600), sent = 0;
    if (!fork())
        _exit(!is(get(id, 7, 0), "seven"));
    usleep(20000);
    put(id, 6, "six", 0);
    put(id, 7, "seven", 0);
    CHECK(ended() == 0 && is(get(id, 0, 0), "six"));
    out.type = 1;
    memset(out.text, 'x', 1000);
    while (msgsnd(id, &out, 1000, IPC_NOWAIT) == 0)
        sent++;
    CHECK(errno == EAGAIN && sent == (int)stat_of(id).msg_qbytes / 1000);
    pid_t child = fork();
    if (!child) { /* waits for room, and gets it; then once more, until all is over */
        out.type = 9;
        int bad = msgsnd(id, &out, 1000, 0);
        _exit(bad || !fails(msgsnd(id, &out, 1000, 0), EIDRM));
    }
    usleep(20000);
    CHECK(stat_of(id).msg_qnum == (unsigned)sent && stat_of(id).msg_lspid == getpid());
    get(id, 1, 0);
    for (int i = 0; i < 2000 && stat_of(id).msg_lspid != child; i++)
        usleep(1000);
    CHECK(stat_of(id).msg_qnum == (unsigned)sent && stat_of(id).msg_lspid == child);
    usleep(20000);
    CHECK(msgctl(id, IPC_RMID, NULL) == 0 && ended() == 0);
    id = msgget(IPC_PRIVATE, 0600);
    struct sigaction act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 0);
    CHECK(fails(msgrcv(id, &in, 1, 0, 0), EINTR));
    if (!fork())
        _exit(!fails(msgrcv(id, &in, 1, 0, 0), EIDRM));
    usleep(20000);
    CHECK(msgctl(id, IPC_RMID, NULL) == 0 && ended() == 0);
}

/* All that several senders send arrives, once and in the order of each. */
static void crowd(void)
{
    enum { SENDERS = 4, EACH = 300 };
    int id = msgget(IPC_PRIVATE, 0600), next[SENDERS + 1] = {0}, wrong = 0;
    for (int s = 1; s <= SENDERS; s++) {
        if (fork())
            continue;
        struct {
            long type;
            int n;
        } m = {s, 0};
        for (; m.n < EACH && !msgsnd(id, &m, sizeof(int), 0);)
            m.n++;
        _exit(m.n != EACH);
    }
    for (int i = 0; i < SENDERS * EACH; i++) {
        struct {
            long type;
            int n;
        } m;
        if (msgrcv(id, &m, sizeof(int), i % 3 ? 0 : -SENDERS, 0) != sizeof(int))
            wrong++;
        else
            wrong += m.n != next[m.type]++;
    }
    for (int s = 0; s < SENDERS; s++)
        wrong += ended();
    CHECK(wrong == 0 && stat_of(id).msg_qnum == 0);
    msgctl(id, IPC_RMID, NULL);
}

int main(void)
{
    queues();
    types();
    copies();
    waiting();
    crowd();
    return report("msg");
}

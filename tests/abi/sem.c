/* SPDX-License-Identifier: MIT */
/*
 * sem.c - sets of System V semaphores: several operations at once, waiting, and undoing at the end.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEMVMX 32767

union arg {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static int op1(int id, int num, int op, int flags)
{
    struct sembuf b = {(unsigned short)num, (short)op, (short)flags};
    return semop(id, &b, 1);
}

static int value(int id, int num)
{
    return semctl(id, num, GETVAL);
}

static void setval(int id, int num, int val)
{
    CHECK(semctl(id, num, SETVAL, (union arg){.val = val}) == 0);
}

/* Until somebody waits for it to grow (GETNCNT), or to become zero (GETZCNT). */
static int until_waiting(int id, int num, int cmd)
{
    for (int i = 0; i < 2000 && semctl(id, num, cmd) != 1; i++)
        usleep(2000);
    return semctl(id, num, cmd) == 1;
}

static int ended(void)
{
    int status = -1;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void sets(void)
{
    int key = 0x5347 + getpid(), id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
    struct semid_ds ds;
    struct seminfo info;
    unsigned short values[3] = {1, 2, 3}, got[3] = {9, 9, 9}, big[3] = {0, 0, 40000};
    CHECK(id >= 0 && semget(key, 3, 0600) == id && semget(key, 0, 0) == id);
    CHECK(fails(semget(key, 4, 0600), EINVAL));
    CHECK(fails(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST));
    CHECK(fails(semget(key + 1, 3, 0600), ENOENT) && fails(semget(key, -1, 0), EINVAL));
    CHECK(fails(semget(IPC_PRIVATE, 0, 0600), EINVAL));
    CHECK(semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}) == 0);
    CHECK(ds.sem_nsems == 3 && ds.sem_otime == 0 && (ds.sem_perm.mode & 0777) == 0600);
    CHECK(semctl(id, 0, SETALL, (union arg){.array = values}) == 0);
    CHECK(semctl(id, 0, GETALL, (union arg){.array = got}) == 0 && got[0] == 1 && got[2] == 3);
    CHECK(fails(semctl(id, 0, SETALL, (union arg){.array = big}), ERANGE) && value(id, 2) == 3);
    CHECK(fails(semctl(id, 0, SETVAL, (union arg){.val = SEMVMX + 1}), ERANGE));
    CHECK(fails(semctl(id, 3, GETVAL), EINVAL) && fails(semctl(id, -1, GETVAL), EINVAL));
    CHECK(fails(semctl(id, 0, 99), EINVAL) && fails(semctl(-1, 0, GETVAL), EINVAL));
    CHECK(fails(semctl(id + 77, 0, GETVAL), EINVAL));
    ds.sem_perm.mode = 0640;
    CHECK(semctl(id, 0, IPC_SET, (union arg){.buf = &ds}) == 0);
    CHECK(semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}) == 0);
    CHECK((ds.sem_perm.mode & 0777) == 0640);
    CHECK(semctl(0, 0, IPC_INFO, (union arg){.info = &info}) >= 0 && info.semvmx == SEMVMX);
    CHECK(semctl(0, 0, SEM_INFO, (union arg){.info = &info}) >= 0 && info.semaem >= 3);
    CHECK(semctl(id, 0, IPC_RMID) == 0 && fails(semctl(id, 0, IPC_RMID), EINVAL));
    CHECK(fails(op1(id, 0, 1, 0), EINVAL) && fails(semget(key, 3, 0600), ENOENT));
}

static void operations(void)
{
    int id = semget(IPC_PRIVATE, 3, 0600);
    static struct sembuf many[501];
    struct sembuf both[] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}};
    struct sembuf swap[] = {{0, -2, 0}, {1, 2, 0}, {2, 0, 0}};
    CHECK(value(id, 0) == 0 && op1(id, 0, 2, 0) == 0 && value(id, 0) == 2);
    CHECK(semctl(id, 0, GETPID) == getpid());
    CHECK(fails(semop(id, both, 2), EAGAIN) && value(id, 0) == 2);
    CHECK(semop(id, swap, 3) == 0 && value(id, 0) == 0 && value(id, 1) == 2);
    CHECK(op1(id, 0, 0, 0) == 0 && fails(op1(id, 1, 0, IPC_NOWAIT), EAGAIN));
    CHECK(fails(op1(id, 3, 1, 0), EFBIG) && fails(op1(-1, 0, 1, 0), EINVAL));
    CHECK(fails(semop(id, both, 0), EINVAL) && fails(semop(id, many, 501), E2BIG));
    CHECK(fails(semop(id, (struct sembuf *)8, 1), EFAULT));
    setval(id, 0, SEMVMX);
    CHECK(fails(op1(id, 0, 1, 0), ERANGE) && value(id, 0) == SEMVMX);
    for (int i = 0; i < 500; i++)
        many[i] = (struct sembuf){2, (short)(i & 1 ? -1 : 1), 0};
    CHECK(semop(id, many, 500) == 0 && value(id, 2) == 0);
    struct timespec soon = {0, 20000000}, bad = {0, 2000000000};
    CHECK(fails(semtimedop(id, &(struct sembuf){2, -1, 0}, 1, &soon), EAGAIN));
    CHECK(fails(semtimedop(id, &(struct sembuf){2, -1, 0}, 1, &bad), EINVAL));
    semctl(id, 0, IPC_RMID);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void waiting(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    if (!fork())
        _exit(op1(id, 0, -2, 0) != 0);
    CHECK(until_waiting(id, 0, GETNCNT) && semctl(id, 0, GETZCNT) == 0);
    CHECK(op1(id, 0, 1, 0) == 0 && value(id, 0) == 1 && semctl(id, 0, GETNCNT) == 1);
    CHECK(op1(id, 0, 1, 0) == 0 && value(id, 0) == 0 && ended() == 0);
    setval(id, 1, 1);
    if (!fork())
        _exit(op1(id, 1, 0, 0) != 0);
    CHECK(until_waiting(id, 1, GETZCNT));
    setval(id, 1, 0);
    CHECK(ended() == 0);
    if (!fork())
        _exit(!fails(op1(id, 0, -1, 0), EIDRM));
    CHECK(until_waiting(id, 0, GETNCNT));
    CHECK(semctl(id, 0, IPC_RMID) == 0 && ended() == 0);
    id = semget(IPC_PRIVATE, 1, 0600);
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &act, NULL);
    ualarm(20000, 0);
    CHECK(fails(op1(id, 0, -1, 0), EINTR) && semctl(id, 0, GETNCNT) == 0);
    semctl(id, 0, IPC_RMID);
}

static void undoing(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    setval(id, 0, 5);
    if (!fork()) {
        int bad = op1(id, 0, -3, SEM_UNDO) || op1(id, 1, 7, SEM_UNDO) || value(id, 0) != 2;
        _exit(bad);
    }
    CHECK(ended() == 0 && value(id, 0) == 5 && value(id, 1) == 0);
    pid_t holder = fork();
    if (!holder) { /* killed while it holds all: who waits goes on */
        op1(id, 0, -5, SEM_UNDO);
        op1(id, 1, 1, 0);
        pause();
    }
    CHECK(op1(id, 1, -1, 0) == 0 && value(id, 0) == 0 && kill(holder, SIGKILL) == 0);
    CHECK(op1(id, 0, -5, 0) == 0 && ended() == -1 && value(id, 0) == 0);
    if (!fork()) { /* setting it forgets what was to be undone */
        op1(id, 0, 4, SEM_UNDO);
        setval(id, 0, 6);
        _exit(0);
    }
    CHECK(ended() == 0 && value(id, 0) == 6);
    CHECK(op1(id, 1, SEMVMX, SEM_UNDO) == 0 && op1(id, 1, -SEMVMX, 0) == 0);
    CHECK(fails(op1(id, 1, 2, SEM_UNDO), ERANGE) && value(id, 1) == 0);
    semctl(id, 0, IPC_RMID);
}

/* Many processes and one lock: nobody is in it with another, nobody is forgotten. */
static void crowd(void)
{
    enum { MEMBERS = 6, TURNS = 200 };
    int id = semget(IPC_PRIVATE, 2, 0600), bad = 0;
    setval(id, 0, 1);
    for (int i = 0; i < MEMBERS; i++) {
        if (fork())
            continue;
        int wrong = 0;
        for (int k = 0; k < TURNS; k++) {
            struct sembuf enter[] = {{0, -1, SEM_UNDO}, {1, 1, SEM_UNDO}};
            struct sembuf leave[] = {{1, -1, SEM_UNDO}, {0, 1, SEM_UNDO}};
            wrong |= semop(id, enter, 2) || value(id, 1) != 1 || semop(id, leave, 2);
        }
        _exit(wrong);
    }
    for (int i = 0; i < MEMBERS; i++)
        bad |= ended();
    CHECK(!bad && value(id, 0) == 1 && value(id, 1) == 0);
    semctl(id, 0, IPC_RMID);
}

static void rights(void)
{
    int id = semget(IPC_PRIVATE, 1, 0644);
    if (getuid() == 0 && !fork()) {
        int bad = setuid(1234) || value(id, 0) != 0 || !fails(op1(id, 0, 1, 0), EACCES) ||
                  op1(id, 0, 0, 0) || !fails(semctl(id, 0, IPC_RMID), EPERM);
        _exit(bad);
    }
    CHECK(getuid() != 0 || ended() == 0);
    semctl(id, 0, IPC_RMID);
}

int main(void)
{
    sets();
    operations();
    waiting();
    undoing();
    crowd();
    rights();
    return report("sem");
}

/* SPDX-License-Identifier: MIT */
/*
 * init - the first program on a real Linux that scripts/linux boots beside Pagoda.
 *
 * It mounts what our guests look for, runs the commands of the batch in turn, and switches the
 * machine off. The batch is a file: a line a command, its words end in NUL each. What it prints
 * around each command are the records that Pagoda's console prints (docs/console.md, "Batch
 * protocol"), so that one launcher reads both.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define BATCH "/etc/pagoda.batch"
#define SERIAL "/dev/ttyS0"
#define RECORD "\x1e"
#define WORDS_MAX 256
#define NOT_FOUND 127

static char *environment[] = {"PATH=/bin", "HOME=/", "TERM=vt100", NULL};

static const struct place {
    const char *type;
    const char *where;
} places[] = {
    {"proc", "/proc"}, {"sysfs", "/sys"},     {"devtmpfs", "/dev"},
    {"tmpfs", "/tmp"}, {"tmpfs", "/dev/shm"},
};

static void mount_all(void)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        mkdir(places[i].where, 0755);
        if (mount(places[i].type, places[i].where, places[i].type, 0, NULL))
            printf("init: %s: %s\n", places[i].where, strerror(errno));
    }
}

/*
 * The console that the kernel opened for us cannot be anyone's terminal; the line itself can. It is
 * ours and not the command's, or it would hang up for all when the command ends.
 */
static void take_terminal(void)
{
    int fd = open(SERIAL, O_RDWR | O_NOCTTY);
    for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 1);
}

static void become(char **words)
{
    char path[4096];
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, getpid());
    signal(SIGTTOU, SIG_DFL);
    snprintf(path, sizeof(path), "%s%s", strchr(words[0], '/') ? "" : "/bin/", words[0]);
    execve(path, words, environment);
    printf("%s: %s\n", words[0], strerror(errno));
    fflush(stdout);
    _exit(NOT_FOUND);
}

/* Its exit status, or 128 and the signal that ended it. Orphans of others are buried meanwhile. */
static int run(char **words)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        become(words);
    if (child < 0)
        return NOT_FOUND;
    while (wait(&status) != child)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Cuts @line, @length bytes of words with a NUL behind each, into @words. */
static void cut(char *line, size_t length, char **words)
{
    size_t count = 0;
    for (char *word = line; word < line + length && count < WORDS_MAX - 1; word += strlen(word) + 1)
        words[count++] = word;
    words[count] = NULL;
}

static void echo(char **words)
{
    printf("linux>");
    for (; *words; words++)
        printf(" %s", *words);
    printf("\n");
}

static void run_batch(FILE *batch)
{
    char *words[WORDS_MAX];
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    printf(RECORD "batch 0\n");
    for (int i = 0; (length = getline(&line, &room, batch)) > 1; i++) {
        cut(line, (size_t)length - 1, words);
        echo(words);
        printf(RECORD "begin %d\n", i);
        fflush(stdout);
        int status = run(words);
        printf(RECORD "end %d %d\n", i, status);
        if (status)
            printf("%s: status %d\n", words[0], status);
    }
    printf(RECORD "done\n");
    fflush(stdout);
}

int main(void)
{
    mount_all();
    take_terminal();
    FILE *batch = fopen(BATCH, "r");
    if (batch)
        run_batch(batch);
    else
        printf("init: %s: %s\n", BATCH, strerror(errno));
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
    return 1;
}

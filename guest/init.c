/* SPDX-License-Identifier: MIT */
/*
 * init - pid 1: started at boot, there as long as the machine runs.
 *
 * It does nothing but wait, and so is a guest to look at when there is no other: `pt 1 0x10000`.
 */
#include "lib/guest.h"

#include <signal.h>
#include <sys/wait.h>

static const struct guest_help help = {
    "init",
    "Waits for ever, and for children that nobody else waits for.\n",
};

int main(int argc, char **argv)
{
    sigset_t none;
    guest_help_wanted(argc, argv, &help);
    sigemptyset(&none);
    for (;;) {
        sigsuspend(&none);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

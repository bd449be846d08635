/* SPDX-License-Identifier: MIT */
/*
 * guest.c - what the demo guests share; see guest.h.
 *
 * Arguments are taken one by one: an argument that was taken is replaced by NULL, so what is left
 * at the end is what nobody understood.
 */
#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

void guest_help_wanted(int argc, char **argv, const struct guest_help *help)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            printf("usage: %s\n%s", help->usage, help->text);
            exit(0);
        }
    }
}

void guest_usage(const struct guest_help *help, const char *why)
{
    fprintf(stderr, "%s\nusage: %s\n", why, help->usage);
    exit(2);
}

size_t guest_size(const struct guest_help *help, const char *text)
{
    char *end, why[96];
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = 0;
    switch (*end) {
    case 'G':
    case 'g':
        shift = 30;
        break;
    case 'M':
    case 'm':
        shift = 20;
        break;
    case 'K':
    case 'k':
        shift = 10;
        break;
    default:
        break;
    }
    if (shift)
        end++;
    if (*end || end == text || *text == '-' || errno || n > (~0ULL >> 1 >> shift)) {
        snprintf(why, sizeof(why), "'%.40s' is not a size; write 64M, 4K or bytes", text);
        guest_usage(help, why);
    }
    return (size_t)(n << shift);
}

unsigned long guest_number(const struct guest_help *help, const char *text, unsigned long max)
{
    char *end, why[96];
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || *text == '-' || errno || n > max) {
        snprintf(why, sizeof(why), "'%.40s' is not a number from 0 to %lu", text, max);
        guest_usage(help, why);
    }
    return n;
}

const char *guest_option(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (!argv[i] || strncmp(argv[i], name, len))
            continue;
        const char *value = NULL;
        if (argv[i][len] == '=') {
            value = argv[i] + len + 1;
        } else if (argv[i][len] == '\0' && i + 1 < argc && argv[i + 1]) {
            value = argv[i + 1];
            argv[i + 1] = NULL;
        } else {
            continue;
        }
        argv[i] = NULL;
        return value;
    }
    return NULL;
}

bool guest_flag(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i] && !strcmp(argv[i], name)) {
            argv[i] = NULL;
            return true;
        }
    }
    return false;
}

const char *guest_operand(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i] && argv[i][0] != '-') {
            const char *operand = argv[i];
            argv[i] = NULL;
            return operand;
        }
    }
    return NULL;
}

void guest_no_more(const struct guest_help *help, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i]) {
            char why[96];
            snprintf(why, sizeof(why), "'%.40s' is not understood", argv[i]);
            guest_usage(help, why);
        }
    }
}

char *guest_map(const char *who, size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "%s: cannot map %zu bytes: %s\n", who, size, strerror(errno));
        exit(1);
    }
    return p;
}

void guest_stamp(void *page, uint64_t tag)
{
    uint64_t *word = page;
    word[0] = tag;
    word[GUEST_PAGE / 16] = ~tag;
    word[GUEST_PAGE / 8 - 1] = tag ^ 0x5a5a5a5a5a5a5a5aULL;
}

bool guest_stamp_ok(const void *page, uint64_t tag)
{
    const uint64_t *word = page;
    return word[0] == tag && word[GUEST_PAGE / 16] == ~tag &&
           word[GUEST_PAGE / 8 - 1] == (tag ^ 0x5a5a5a5a5a5a5a5aULL);
}

uint64_t guest_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

double guest_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

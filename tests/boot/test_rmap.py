# SPDX-License-Identifier: MIT
"""From a page back to all who map it: `page PFN` finds every entry."""
import re
import subprocess

import pytest

MAPPERS = r"""
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long pfn_of(volatile void *p)
{
    int fd = open("/proc/self/pagemap", O_RDONLY);
    uint64_t word = 0;
    if (pread(fd, &word, 8, (off_t)((uintptr_t)p / 4096 * 8)) != 8)
        perror("pagemap");
    close(fd);
    return word & ((1UL << 55) - 1);
}

static void *map(void *where, size_t pages, int prot, int flags, int fd, off_t page)
{
    void *p = mmap(where, pages * 4096, prot, flags, fd, page * 4096);
    if (p == MAP_FAILED)
        perror("mmap");
    return p;
}

int main(void)
{
    int rw = PROT_READ | PROT_WRITE, fd = open("/tmp/mapped", O_RDWR | O_CREAT, 0600);
    char text[16 * 4096];
    int pipes[2], status;
    memset(text, 'x', sizeof(text));
    if (fd < 0 || pipe(pipes) || write(fd, text, sizeof(text)) != sizeof(text))
        perror("file");
    volatile char *own = map(NULL, 4, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile char *forked = own + 3 * 4096;
    volatile char *file = map(NULL, 8, rw, MAP_SHARED, fd, 4);        /* pages 4..11 */
    volatile char *again = map(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 9);
    volatile char *other = map(NULL, 4, PROT_READ, MAP_SHARED, fd, 0); /* not page 9 */
    own[0] = forked[0] = 1;
    (void)(file[5 * 4096] + again[0] + other[0]);
    if (fork() == 0) { /* touches what it did not inherit, and takes a copy of `own` */
        own[0] = 2;
        (void)(file[5 * 4096] + forked[0]);
        if (write(pipes[1], "x", 1) != 1)
            perror("pipe");
        pause();
    }
    if (read(pipes[0], text, 1) != 1)
        perror("pipe");
    printf("own %#lx at %p\n", pfn_of(own), (void *)own);
    printf("forked %#lx at %p\n", pfn_of(forked), (void *)forked);
    printf("file %#lx at %p and %p\n", pfn_of(file + 5 * 4096), (void *)(file + 5 * 4096),
           (void *)again);
    fflush(stdout);
    wait(&status);
    return 0;
}
"""


@pytest.fixture
def mappers(tmp_path):
    source, program = tmp_path / "mappers.c", tmp_path / "mappers"
    source.write_text(MAPPERS)
    subprocess.run(["riscv64-linux-gnu-gcc", "-O2", "-static", "-o", str(program), str(source)],
                   check=True)
    return program


def entries(text):
    """[(pid, address, what the entry allows)] of an answer of `page`."""
    found = re.findall(r"mapped by pid (\d+) at (0x[0-9a-f]+): (.*)", text)
    return sorted((int(pid), int(address, 16), flags) for pid, address, flags in found)


def test_page_lists_every_mapper(console, mappers):
    c = console("--nodes", "1", "--harts", "2", "--memory", "64M", "--guest", str(mappers))
    c.type("mappers &\r")
    c.child.expect(r"own (\S+) at (\S+)\s+forked (\S+) at (\S+)\s+file (\S+) at (\S+) and (\S+)\s")
    own, own_at, forked, forked_at, file, file_at, again_at = c.child.match.groups()
    c.type("\r")
    c.expect("pagoda> ")

    answer = c.command(f"page {own}")
    assert "mappings 1" in answer and "anonymous" in answer
    [(parent, address, flags)] = entries(answer)
    assert address == int(own_at, 16) and "r--u" in flags  # not written to since the fork

    answer = c.command(f"page {forked}")
    assert "mappings 2" in answer
    (first, at, flags), (child, child_at, child_flags) = entries(answer)
    assert first == parent < child and at == child_at == int(forked_at, 16)
    assert flags == child_flags and "r--u" in flags

    answer = c.command(f"page {file}")
    assert "mappings 3" in answer and "of a file, index 9" in answer
    assert [e[:2] for e in entries(answer)] == sorted([
        (parent, int(file_at, 16)), (parent, int(again_at, 16)), (child, int(file_at, 16))])

    c.command("kill all")
    c.type("\r")
    c.expect("pagoda> ")
    c.command("check")
    assert c.command("echo $?").strip() == "0"

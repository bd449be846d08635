# SPDX-License-Identifier: MIT
"""Where what was handed in is compiled and run: without rights, without network, within limits.

As root: a user of its own, new namespaces for mounts, processes and the network, everything but
the throwaway folder read-only. As anybody else: the network namespace where the system allows it,
and the limits. A process that prints too much, or takes too much memory, is ended; so is all of it
when the grader ends.
"""
import functools
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass

from ..session import CHUNK

FIRST_USER, USERS = 61000, 4000
MIB = 1 << 20
TICK = 0.25  # seconds between looks at the memory
INNER = """
mount --bind "$0" "$0" && mount -o remount,bind,ro / && mount -t tmpfs -o size=16m none /dev/shm
exec setpriv --reuid "$PAGODA_USER" --regid "$PAGODA_USER" --clear-groups --no-new-privs \
    --bounding-set=-all --pdeathsig KILL -- "$@"
"""


@dataclass
class Limits:
    cpu: int = 60  # seconds, of one process
    wall: float = 600.0  # a last resort, for what sleeps
    memory: int = 2048  # MiB resident, of all processes together
    output: int = 4  # MiB
    files: int = 64  # MiB for one file
    processes: int = 64


@dataclass
class Done:
    status: int
    output: str
    stopped: str = ""  # why it was ended, if it was


@functools.cache
def user():
    """The user that it runs as; one for each grading process."""
    return FIRST_USER + os.getpid() % USERS if os.geteuid() == 0 else os.geteuid()


def _works(prefix):
    try:
        return subprocess.run([*prefix, "true"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def _kind():
    """The strongest confinement that this system allows: "full", "user", "net" or ""."""
    if os.geteuid() == 0:
        full = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return "full" if _works([*full, "mount", "-o", "remount,bind,ro", "/"]) or \
            _works(full) else "user"
    return "net" if _works(["unshare", "--map-root-user", "--net"]) else ""


def confine(command, folder, limits):
    """@command with its confinement in front of it; @folder is the only place to write."""
    prlimit = ["prlimit", f"--cpu={limits.cpu}", f"--fsize={limits.files * MIB}", "--core=0",
               f"--nproc={limits.processes}", "--nofile=256", "--"]
    tied = ["setpriv", "--pdeathsig", "KILL"]
    if _kind() == "full":
        return [*tied, "--", "unshare", "--net", "--mount", "--pid", "--ipc", "--fork",
                "--kill-child", "--mount-proc", "sh", "-c", INNER, folder, *prlimit, *command]
    if _kind() == "user":
        return [*tied, f"--reuid={user()}", f"--regid={user()}", "--clear-groups",
                "--no-new-privs", "--", *prlimit, *command]
    return [*tied, "--", *(["unshare", "--map-root-user", "--net"] if _kind() else []), *prlimit,
            *command]


def environment(folder, more=None):
    """Nothing of ours but what a compiler needs."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "HOME": folder,
            "TMPDIR": folder, "PAGODA_USER": str(user()), **(more or {})}


def start(command, folder, limits, env=None, **options):
    """Start @command in @folder, confined; its own process group."""
    return subprocess.Popen(confine(command, folder, limits), cwd=folder, start_new_session=True,
                            env=environment(folder, env), stdin=subprocess.DEVNULL, **options)


def resident(pid):
    """MiB that the processes of the session @pid have in memory."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == pid:
            total += int(fields[21])
    return total * os.sysconf("SC_PAGE_SIZE") // MIB


def end(process):
    """End a process with all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run(command, folder, limits, env=None):
    """Run it to its end, or to that of our patience; what it printed comes back."""
    process = start(command, folder, limits, env, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT)
    output, stopped = bytearray(), ""
    began = looked = time.monotonic()
    while not stopped:
        ready, _, _ = select.select([process.stdout], [], [], TICK)
        if ready:
            data = os.read(process.stdout.fileno(), CHUNK)
            if not data:
                break
            output += data
        now = time.monotonic()
        if len(output) > limits.output * MIB:
            stopped = f"printed more than {limits.output} MiB"
        elif now - began > limits.wall:
            stopped = f"did not end within {limits.wall:g} s"
        elif now - looked > TICK:
            looked = now
            if resident(process.pid) > limits.memory:
                stopped = f"took more than {limits.memory} MiB of memory"
    if stopped:
        end(process)
    process.stdout.close()
    return Done(process.wait(), output.decode(errors="replace"), stopped)

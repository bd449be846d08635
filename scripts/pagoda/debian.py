# SPDX-License-Identifier: MIT
"""Debian's packages for riscv64, fetched and unpacked without a change to this machine.

The mirror is the one that this machine's own apt uses; the suite is trixie, the first that has
riscv64, or if the mirror has that only in part just now, a later one. apt runs with a configuration
of its own, below the cache folder, so no source, key or architecture is added to the system. What
was fetched before is not fetched again.

The cache: $XDG_CACHE_HOME/pagoda, else ~/.cache/pagoda; delete it at any time.
"""
import contextlib
import fcntl
import glob
import os
import re
import subprocess
import sys
import tempfile

SUITES = ["trixie", "forky", "sid"]
ARCHITECTURE = "riscv64"
DEFAULT_MIRROR = "http://deb.debian.org/debian"


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "pagoda")


def mirror(sources="/etc/apt"):
    """The first address in this machine's apt sources that has Debian itself."""
    for path in sorted(glob.glob(f"{sources}/sources.list") +
                       glob.glob(f"{sources}/sources.list.d/*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            for url in re.findall(r"^(?:URIs:|deb\s+(?:\[[^]]*\])?)\s*(https?://\S+)", file.read(),
                                  re.MULTILINE):
                if re.search(r"/debian/?$", url):
                    return url.rstrip("/")
    return DEFAULT_MIRROR


@contextlib.contextmanager
def alone():
    """One at a time fetches into the cache."""
    os.makedirs(cache_folder(), exist_ok=True)
    with open(os.path.join(cache_folder(), ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt(folder, *arguments, tool="apt-get", **options):
    """Runs apt-get, or another @tool of apt's, on the private configuration in @folder."""
    settings = {"Dir": folder, "Dir::State::status": f"{folder}/status",
                "Dir::Etc::trusted": "/etc/apt/trusted.gpg", "APT::Architecture": ARCHITECTURE,
                "Dir::Etc::trustedparts": "/etc/apt/trusted.gpg.d/", "APT::Sandbox::User": "",
                "APT::Architectures": ARCHITECTURE, "Acquire::Languages": "none",
                "Acquire::Retries": "3"}
    words = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    return subprocess.run([tool, "-qq", *words, *arguments], check=True, text=True,
                          env={**os.environ, "APT_CONFIG": f"{folder}/etc/apt/apt.conf"}, **options)


def prepare(folder, suite):
    """apt's folders, and its list of what the suite has."""
    if glob.glob(os.path.join(folder, "var/lib/apt/lists/*Packages*")):
        return
    for part in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial",
                 "var/cache/apt/archives/partial"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for name in ("status", "etc/apt/apt.conf"):
        with open(os.path.join(folder, name), "a", encoding="utf-8"):
            pass
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    with open(os.path.join(folder, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
        file.write(f"deb {key} {mirror()} {suite} main\n")
    print(f"fetch: what {mirror()} has of {suite} for {ARCHITECTURE}", file=sys.stderr)
    apt(folder, "update")


def fetch_from(suite, package, place):
    folder = os.path.join(cache_folder(), suite)
    prepare(folder, suite)
    print(f"fetch: {package} of {suite}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder) as download:
        apt(folder, "download", package, cwd=download)
        archive, = glob.glob(f"{download}/*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, f"{download}/files"], check=True)
        os.rename(f"{download}/files", place)


def fetch(package):
    """The folder that holds the files of the package. OSError, CalledProcessError: none has it."""
    place = os.path.join(cache_folder(), package)
    with alone():
        for suite in SUITES:
            if os.path.isdir(place):
                break
            try:
                fetch_from(suite, package, place)
            except subprocess.CalledProcessError:
                if suite == SUITES[-1]:
                    raise
    return place


def dependency(package, prefix):
    """The name, beginning with @prefix, of what a package of the first suite depends on."""
    folder = os.path.join(cache_folder(), SUITES[0])
    with alone():
        prepare(folder, SUITES[0])
    done = apt(folder, "depends", package, tool="apt-cache", capture_output=True)
    found = re.search(rf"Depends: ({re.escape(prefix)}\S+)", done.stdout)
    if not found:
        raise OSError(None, f"it depends on nothing like {prefix}*", package)
    return found.group(1)

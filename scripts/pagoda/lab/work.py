# SPDX-License-Identifier: MIT
"""The throwaway folder of one grading: our tree, our objects, and the files that were handed in.

      work/tree/        copies of this tree's files; the lab's files are the student's
      work/tree/build/  copies of this tree's objects, so that only the student's file is compiled
      work/scratch/     where programs run

It is laid afresh for each grading and removed behind it. Compiling has three parts, in this order:
the student's objects, a look at them (screen.py), and only then the key and the rest.
"""
import fcntl
import os
import shutil
import subprocess
import tempfile

from ..build import ROOT
from ..machine import Wrong
from . import sandbox, screen
from .export import tree_files
from .screen import HOST, IMAGE, RELEASE, host_object, machine_object
from .sign import Key

GUEST = "build/guest"
NOT_COPIED = ("docs/", "tests/boot/", "tests/abi/", "tests/fuzz/corpus/", "tests/busybox/")
COMPILING = sandbox.Limits(cpu=60, wall=300, memory=1500)


def make(words, directory, quiet=True):
    """make in a tree of ours, outside of the sandbox: (status, output)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")
                   and k not in ("MFLAGS", "B", "MODE", "CC_KIND", "LAB", "ARGS")}
    done = subprocess.run(["make", "-s" if quiet else "-k", "--no-print-directory",
                           f"-j{os.cpu_count() or 1}", "-C", directory, *words], text=True,
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace", check=False)
    return done.returncode, done.stdout


def host_binary(source):
    """What host.mk calls the program of a test source."""
    if source.startswith("tests/host/"):
        return f"{HOST}/{source[len('tests/host/'):-2]}"
    return f"{HOST}/labs/{source[len('tests/labs/'):-2]}"


def prepare_base(labs):
    """Bring this tree's own objects up to date; a student's file that does not compile may stay."""
    programs = sorted({host_binary(p.source) for lab in labs for p in lab.programs.values()})
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    with open(os.path.join(ROOT, "build", ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["image", "guests"], ["MODE=release", "image"], programs):
            if words:
                make(["-k", *words], ROOT)


class Work:
    """One grading's folder. Use it in a `with`."""

    def __init__(self, lab, submission):
        self.lab = lab
        self.submission = submission
        self.key = Key()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pagoda-grade-")
        os.chmod(self.folder, 0o755)
        self.tree = os.path.join(self.folder, "tree")
        self.scratch = os.path.join(self.folder, "scratch")
        os.mkdir(self.scratch)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.tree, name)

    def lay(self):
        """Copy what is trusted, then put what was handed in over it."""
        handed_in = {path: screen.read_handed_in(self.submission, path) for path in self.lab.files}
        for path in tree_files():
            if path.startswith(NOT_COPIED) or path in self.lab.files:
                continue
            os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, path), self.path(path))
        for build in (IMAGE, RELEASE, HOST, GUEST):
            self._copy_build(build)
        self._drop_ours()
        for path, text in handed_in.items():
            screen.screen_text(path, text)
            os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
            with open(self.path(path), "w", encoding="utf-8") as file:
                file.write(text)
        self._give_away()

    def _copy_build(self, build):
        source = os.path.join(ROOT, build)
        for folder, _, names in os.walk(source):
            target = self.path(os.path.relpath(folder, ROOT))
            os.makedirs(target, exist_ok=True)
            for name in names:
                if build == GUEST or "." in name and not name.startswith("pagoda.elf"):
                    shutil.copy2(os.path.join(folder, name), os.path.join(target, name))

    def _drop_ours(self):
        """Remove what was made of our own version of the lab's files."""
        ours = [f"{GUEST}/{guest}" for guest in self.lab.guests]
        for path in self.lab.files:
            ours += [machine_object(path), host_object(path), f"{RELEASE}/{path}.o"]
        for name in ours:
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))

    def _give_away(self):
        """The folder belongs to the user of the sandbox; what it was copied from does not."""
        if os.geteuid():
            return
        for folder, _, names in os.walk(self.folder):
            os.chown(folder, sandbox.user(), sandbox.user())
            for name in names:
                os.chown(os.path.join(folder, name), sandbox.user(), sandbox.user())

    def make(self, *words):
        """make in the throwaway tree, confined. Raises Refused with what the compiler said."""
        done = sandbox.run(["make", "-s", "--no-print-directory", "-j2", "-C", self.tree, "WERROR=",
                            *words],
                           self.folder, COMPILING)
        if done.status or done.stopped:
            raise screen.Refused("it does not compile" +
                                 (f": it {done.stopped}" if done.stopped else "") + "\n" +
                                 done.output[-3000:].replace(self.tree + "/", ""))

    def compile(self):
        """Compile what was handed in, and look at it."""
        own = [p for p in self.lab.files if p.endswith(".c")]
        kinds = [machine_object] + ([host_object] if self.lab.programs else [])
        self.make(*[built(path) for path in own for built in kinds])
        for path in own:
            allowed = screen.allowed_symbols(path, self.lab)
            screen.screen_sections(path, self.path(machine_object(path)))
            for built in kinds:
                screen.screen_object(path, self.path(built(path)),
                                     os.path.join(ROOT, built(path)), allowed)

    def link_host(self, tests):
        """The host programs of these tests, with the key; then the objects that hold it go."""
        runner = f"{HOST}/tests/labs/wire/runner.o"
        key = f"HOST_KEY={self.key.c_words()}"
        self.make(key, runner)
        wanted = {name.split(".")[0] for name in tests}
        self.make(key, *[host_binary(self.lab.programs[name].source) for name in sorted(wanted)])
        os.remove(self.path(runner))

    def link_guests(self):
        """The guests that hold what was handed in; returns options of scripts/run for them."""
        programs = [f"{GUEST}/{guest}" for guest in self.lab.guests]
        if programs:
            self.make(*programs)
        return [word for program in programs for word in ("--guest", self.path(program))]

    def link_image(self, release):
        """The image, with the key; returns its path."""
        build = RELEASE if release else IMAGE
        batch = self.path(f"{build}/src/console/batch.c.o")
        if os.path.exists(batch):
            os.remove(batch)
        mode = ["MODE=release"] if release else []
        self.make(*mode, f"BATCH_KEY={self.key.c_words()}", "image")
        os.remove(batch)
        image = self.path(f"{build}/pagoda.elf")
        if not os.path.exists(image):
            raise Wrong(f"{image} was not made")
        return image

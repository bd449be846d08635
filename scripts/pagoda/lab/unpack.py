# SPDX-License-Identifier: MIT
"""What a student handed in, as a folder that holds the labs' files and nothing else.

A submission is a folder (a tree, or just the files) or an archive of one, zip or tar. Of an
archive only the members are read that are a lab's files; nothing is ever unpacked to a path that
the archive names, and a huge or endless one is given up.
"""
import lzma
import os
import tarfile
import zipfile
import zlib

from .screen import FILE_MOST, Refused, is_inside

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
ARCHIVE_MOST = 64 << 20  # bytes, packed
UNPACKED_MOST = 512 << 20
MEMBERS_MOST = 20000


def submissions(folder):
    """{name: path} of all submissions in a folder."""
    found = {}
    for entry in sorted(os.listdir(folder)):
        path = os.path.join(folder, entry)
        suffix = next((s for s in sorted(ARCHIVES, key=len, reverse=True)
                       if entry.endswith(s)), None)
        if os.path.isdir(path) and not entry.startswith("."):
            found[entry] = path
        elif suffix and os.path.isfile(path):
            found[entry[:-len(suffix)]] = path
    return found


def _better(name, wanted, best):
    """Is the member @name a better match for the file @wanted than @best?"""
    parts = name.strip("/").split("/")
    full = wanted.split("/")

    def rank(words):
        whole = words[-len(full):] == full
        return (not whole, len(words))
    if parts[-1] != full[-1] or "__MACOSX" in parts:
        return False
    return best is None or rank(parts) < rank(best.strip("/").split("/"))


def _choose(names, files):
    """{file: member} of a list of members' names."""
    chosen = {}
    for name in names:
        for path in files:
            if _better(name, path, chosen.get(path)):
                chosen[path] = name
    return chosen


def _from_zip(path, files):
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > MEMBERS_MOST:
            raise Refused(f"the archive has {len(infos)} members; at most {MEMBERS_MOST} are read")
        chosen = _choose([i.filename for i in infos if not i.is_dir()], files)
        found = {}
        for file, name in chosen.items():
            with archive.open(name) as member:
                found[file] = member.read(FILE_MOST + 1)
        return found


def _from_tar(path, files):
    found, best, total = {}, {}, 0
    with tarfile.open(path, "r|*") as archive:
        for count, member in enumerate(archive):
            total += member.size
            if count > MEMBERS_MOST or total > UNPACKED_MOST:
                raise Refused("the archive is larger than any solution of a lab could be")
            for file in files:
                if member.isreg() and _better(member.name, file, best.get(file)):
                    best[file] = member.name
                    found[file] = archive.extractfile(member).read(FILE_MOST + 1)
    return found


def collect(path, files, target):
    """Put those of the labs' @files that the submission at @path has into the folder @target."""
    if os.path.isdir(path):
        for file in files:
            _copy_from_folder(path, file, target)
        return
    if os.path.getsize(path) > ARCHIVE_MOST:
        raise Refused(f"the archive has {os.path.getsize(path) >> 20} MiB; "
                      f"at most {ARCHIVE_MOST >> 20} are read")
    try:
        found = (_from_zip if path.endswith(".zip") else _from_tar)(path, files)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
            RuntimeError, ValueError) as error:
        raise Refused(f"the archive cannot be read: {error}") from None
    for file, data in found.items():
        os.makedirs(os.path.dirname(os.path.join(target, file)), exist_ok=True)
        with open(os.path.join(target, file), "wb") as out:
            out.write(data)


def _copy_from_folder(path, file, target):
    """
    Copy a file of a folder: at its place, one folder down, or by its name alone. A symbolic link
    on the way, to a teacher's solution say, is not followed.
    """
    inner = [os.path.join(path, e) for e in sorted(os.listdir(path))[:MEMBERS_MOST]]
    places = [path] + [folder for folder in inner if os.path.isdir(folder)]
    for full in [os.path.join(p, file) for p in places] + \
            [os.path.join(path, os.path.basename(file))]:
        if os.path.isfile(full) and is_inside(full, path):
            os.makedirs(os.path.dirname(os.path.join(target, file)), exist_ok=True)
            with open(full, "rb") as source, open(os.path.join(target, file), "wb") as out:
                out.write(source.read(FILE_MOST + 1))
            return

# SPDX-License-Identifier: MIT
"""A cpio archive ("newc") in which each file's data begins on a page of its own.

      page 0                      page 1                          page n
      | header, name, NULs ...... | data of the file ... NULs ... | header, name, NULs ...

The name's length counts the NULs behind it, and NULs may stand between members, so any cpio reads
the archive, and the monitor can take the pages for its page cache where they lie, without a copy.
No other byte shares a file's last page: a guest that maps the file sees zeros behind its end.
"""
import os

PAGE = 4096
HEADER = 110
S_IFDIR = 0o040000
S_IFREG = 0o100000
S_IFLNK = 0o120000
TRAILER = "TRAILER!!!"
DIRECTORIES = ("bin", "dev", "etc", "proc", "sys", "tmp")
BATCH = "etc/pagoda.batch"
USERS = {  # programs look "nobody" up to become somebody without rights
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}


class Archive:
    """@align: where the data of files begins; 1 where no reader wants to take its pages."""

    def __init__(self, align=PAGE):
        self.align = align
        self.data = bytearray()
        self.inode = 0

    def directory(self, name, mode=0o755):
        self._member(name, S_IFDIR | mode, b"", align=False)

    def symlink(self, name, target):
        self._member(name, S_IFLNK | 0o777, target.encode(), align=False)

    def file(self, name, content, mode=0o644):
        self._member(name, S_IFREG | mode, content, align=True)
        self._pad(self.align)

    def tree(self, folder):
        """All that lies in @folder, with its modes; symbolic links stay links."""
        for entry in sorted(walk(folder)):
            path = os.path.join(folder, entry)
            mode = os.lstat(path).st_mode & 0o7777
            if os.path.islink(path):
                self.symlink(entry, os.readlink(path))
            elif os.path.isdir(path):
                self.directory(entry, mode)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    self.file(entry, file.read(), mode)

    def finish(self):
        """The whole archive, whole pages."""
        self._member(TRAILER, 0, b"", align=False)
        self._pad(PAGE)
        return bytes(self.data)

    def _pad(self, to):
        self.data += bytes(-len(self.data) % to)

    def _member(self, name, mode, content, align):
        self.inode += 1
        encoded = name.encode() + b"\0"
        if align and content:
            encoded += bytes(-(len(self.data) + HEADER + len(encoded)) % self.align)
        links = 2 if mode & S_IFDIR else 1
        fields = (self.inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08X" % value for value in fields) + encoded
        self._pad(4)
        self.data += content
        self._pad(4)


def walk(folder):
    """The names below @folder, directories before what is in them once they are sorted."""
    for place, directories, files in os.walk(folder):
        for name in directories + files:
            yield os.path.relpath(os.path.join(place, name), folder)


def guest_archive(guests, batch, folders=()):
    """
    An archive of @guests, pairs of (name in /bin, content), of @batch, text or None, and of what is
    in @folders.
    """
    archive = Archive()
    for directory in DIRECTORIES:
        archive.directory(directory)
    for name, text in USERS.items():
        if not any(os.path.lexists(os.path.join(folder, name)) for folder in folders):
            archive.file(name, text.encode())
    for folder in folders:
        archive.tree(folder)
    if batch is not None:
        archive.file(BATCH, batch.encode())
    for name, content in guests:
        archive.file(f"bin/{name}", content, 0o755)
    return archive.finish()

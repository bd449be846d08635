# SPDX-License-Identifier: MIT
"""A cpio archive ("newc") in which each file's data begins on a page of its own.

      page 0                      page 1                          page n
      | header, name, NULs ...... | data of the file ... NULs ... | header, name, NULs ...

The name's length counts the NULs behind it, and NULs may stand between members, so any cpio reads
the archive, and the monitor can take the pages for its page cache where they lie, without a copy.
No other byte shares a file's last page: a guest that maps the file sees zeros behind its end.
"""
PAGE = 4096
HEADER = 110
S_IFDIR = 0o040000
S_IFREG = 0o100000
TRAILER = "TRAILER!!!"


class Archive:
    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def directory(self, name):
        self._member(name, S_IFDIR | 0o755, b"", align=False)

    def file(self, name, content, mode=0o644):
        self._member(name, S_IFREG | mode, content, align=True)
        self._pad(PAGE)

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
            encoded += bytes(-(len(self.data) + HEADER + len(encoded)) % PAGE)
        links = 2 if mode & S_IFDIR else 1
        fields = (self.inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08X" % value for value in fields) + encoded
        self._pad(4)
        self.data += content
        self._pad(4)


def guest_archive(guests, batch):
    """An archive of @guests, pairs of (name in /bin, content), and of @batch, text or None."""
    archive = Archive()
    for directory in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        archive.directory(directory)
    if batch is not None:
        archive.file("etc/pagoda.batch", batch.encode())
    for name, content in guests:
        archive.file(f"bin/{name}", content, 0o755)
    return archive.finish()

# SPDX-License-Identifier: MIT
"""What a folder holds is what guests find at /: --files."""
import pytest
from machines import ORDINARY
from pagoda import archive, linux
from pagoda.machine import Wrong


def test_files(run, tmp_path):
    (tmp_path / "some" / "where").mkdir(parents=True)
    (tmp_path / "some" / "text").write_text("read me\n" * 1000)
    (tmp_path / "some" / "where" / "empty").write_text("")
    (tmp_path / "link").symlink_to("some/text")
    result = run(ORDINARY, "cat /link", "ls /some", "cat /some/where/empty", "ls /bin", "check",
                 options=["--files", str(tmp_path)])
    assert result.output(0).count("read me") == 1000
    assert sorted(result.output(1).split()) == ["text", "where/"]
    assert result.output(2).strip() == ""
    assert "hello" in result.output(3)


def test_archive_for_linux_has_short_names():
    """Linux skips a member whose name is longer than a path, NULs included."""
    content = archive.Archive(align=1)
    content.file("bin/program", b"x" * 5000, 0o755)
    data = content.finish()
    name_size = int(data[94:102], 16)
    assert data[archive.HEADER:archive.HEADER + name_size] == b"bin/program\0"
    assert data.index(b"x" * 5000) < archive.HEADER + name_size + 4


def test_batch_for_linux():
    assert linux.batch(["a 'b c' \"\"", "d"]) == "a\0b c\0\0\nd\0\n"
    with pytest.raises(Wrong):
        linux.batch(["a 'b"])


def test_users_are_known_unless_a_folder_knows_others(run, tmp_path):
    assert "nobody:x:65534" in run(ORDINARY, "cat /etc/passwd").output(0)
    (tmp_path / "files" / "etc").mkdir(parents=True)
    (tmp_path / "files" / "etc" / "passwd").write_text("someone:x:7:7::/:/bin/sh\n")
    result = run(ORDINARY, "cat /etc/passwd", "cat /etc/group",
                 options=["--files", str(tmp_path / "files")])
    assert result.output(0).strip() == "someone:x:7:7::/:/bin/sh"
    assert "nogroup" in result.output(1)

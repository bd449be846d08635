# SPDX-License-Identifier: MIT
"""What a folder holds is what guests find at /: --files."""
from machines import ORDINARY


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

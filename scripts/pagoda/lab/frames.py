# SPDX-License-Identifier: MIT
"""The grader in other people's frames: Gradescope, a student's repository, a dev container.

All of them only run scripts/lab; the files are in frames/.
"""
import io
import os
import tarfile
import zipfile

from ..build import ROOT
from .export import FRAMES, tree_files

EXECUTABLE = 0o755 << 16


def teachers_tree():
    """This tree, without what was built, as a tar.gz in memory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in tree_files():
            archive.add(os.path.join(ROOT, path), path, recursive=False)
    return buffer.getvalue()


def write_gradescope(labs, path):
    """The autograder's zip for @labs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("setup.sh", "run_autograder"):
            info = zipfile.ZipInfo(name)
            info.external_attr = EXECUTABLE
            with open(os.path.join(FRAMES, name), "rb") as file:
                archive.writestr(info, file.read())
        archive.writestr("labs", ",".join(lab.name for lab in labs))
        archive.writestr("pagoda.tar.gz", teachers_tree())

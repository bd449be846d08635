#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Gradescope runs this once, when it makes the image of the autograder: tools, the teacher's tree,
# and everything that is built from it alone.
set -eu
mkdir -p /autograder/pagoda
tar -xzf /autograder/source/pagoda.tar.gz -C /autograder/pagoda
cd /autograder/pagoda
apt-get update
scripts/setup
scripts/lab prepare "$(cat /autograder/source/labs)"
chmod 700 /autograder/pagoda /autograder/source

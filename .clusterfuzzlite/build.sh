#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ClusterFuzzLite's build is OSS-Fuzz's.
set -eu
exec "$SRC/rill/fuzz/oss-fuzz/build.sh"

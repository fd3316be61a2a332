#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tries fuzz/oss-fuzz/build.sh without the engine's image: sets the variables as OSS-Fuzz does for libFuzzer and
# AddressSanitizer, builds the committed sources, then runs each target over its unpacked seeds from an empty place with
# an empty environment, as a machine does that has nothing of ours.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
readonly root scratch

export SRC="$scratch/src" WORK="$scratch/work" OUT="$scratch/out"
export CC=clang CXX=clang++ SANITIZER=address FUZZING_ENGINE=libfuzzer ARCHITECTURE=x86_64
export CFLAGS="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION \
-fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link"
export CXXFLAGS="$CFLAGS" LIB_FUZZING_ENGINE="-fsanitize=fuzzer"

mkdir -p "$SRC/rill" "$WORK" "$OUT" "$scratch/elsewhere"
git -C "$root" archive HEAD | tar -x -C "$SRC/rill"
cp "$SRC/rill/fuzz/oss-fuzz/build.sh" "$SRC/build.sh"
(cd "$SRC/rill" && RILL_JOBS=${RILL_JOBS:-2} bash -eu "$SRC/build.sh")
rm -rf "$SRC" "$WORK"

failed=0
tried=0
for seeds in "$OUT"/*_seed_corpus.zip; do
    target=${seeds%_seed_corpus.zip}
    name=$(basename "$target")
    mkdir "$scratch/seeds"
    python3 -m zipfile -e "$seeds" "$scratch/seeds"
    ours=$(ldd "$target" | grep -E 'lib(ev|ssl|crypto|rill|jansson)' || true)
    if [ -n "$ours" ]; then
        echo "try.sh: $name is not self-contained:$ours"
        failed=$((failed + 1))
    elif ! (cd "$scratch/elsewhere" && env -i "$target" -runs=0 "$scratch/seeds") >"$scratch/log" 2>&1; then
        tail -n 30 "$scratch/log"
        echo "try.sh: $name failed"
        failed=$((failed + 1))
    fi
    tried=$((tried + 1))
    rm -rf "$scratch/seeds"
done
echo "try.sh: targets=$tried failed=$failed"
[ "$tried" -gt 0 ] && [ "$failed" -eq 0 ]

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds every fuzz target as OSS-Fuzz and ClusterFuzzLite ask for it: with $CC, $CFLAGS and $LIB_FUZZING_ENGINE from the
# sources in $SRC/rill, by way of $WORK, into $OUT, where each target stands alone with its seeds, dictionary and options.
set -euo pipefail

readonly source="$SRC/rill"
readonly build="$WORK/rill"

# Static libraries: what runs the targets has none of ours. The embedded CPython of reader_cpython needs its modules beside
# it, so that target is left to tools/fuzz.
cmake -S "$source" -B "$build" -G Ninja \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_SHARED_LIBS=OFF \
    -DLibev_LIBRARY="$("$CC" -print-file-name=libev.a)" -DOPENSSL_USE_STATIC_LIBS=ON \
    -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_CXX_FLAGS="$CXXFLAGS" \
    -DRILL_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" \
    -DRILL_FUZZ_PYTHON_FOUND= -DRILL_FUZZ_PYTHON_MISSING="the engines have no CPython" \
    -DRILL_BUILD_TESTS=OFF -DRILL_BUILD_EXAMPLES=OFF -DRILL_WERROR=OFF

known=$(cmake --build "$build" --target help)
for corpus in "$source"/fuzz/corpus/*/; do
    target=$(basename "$corpus")
    if ! grep -q "^fuzz-$target:" <<<"$known"; then
        if [ "$target" != reader_cpython ]; then
            echo "build.sh: no target $target"
            exit 1
        fi
        echo "build.sh: reader_cpython is left out: its CPython would have to come along"
        continue
    fi
    cmake --build "$build" --target "fuzz-$target" --parallel "${RILL_JOBS:-$(nproc)}"
    cp "$build/fuzz/$target" "$OUT/"
    (cd "$corpus" && find . -type f -print | sort | zip -q -X -@ "$OUT/${target}_seed_corpus.zip")
    for beside in dict options; do
        if [ -f "$source/fuzz/$target.$beside" ]; then
            cp "$source/fuzz/$target.$beside" "$OUT/"
        fi
    done
done

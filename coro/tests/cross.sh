#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cross.sh [BUILD_FOLDER]: builds coro/ and its tests for aarch64 and riscv64 with Debian's cross compilers and runs them under
# qemu-user; the assembly switch, the one that saves control words, and ucontext. Says SKIP for what is missing and exits 77 when
# nothing could be run, 1 when something failed.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$(dirname -- "$here")
toolchains=$(dirname -- "$source")/tools/cmake
if [ $# -ge 1 ]; then
    build=$1
    mkdir -p "$build" || exit 1
else
    build=$(mktemp -d) || exit 1
    trap 'rm -rf "$build"' EXIT
fi
ran=0
failed=0

run() { # MACHINE VARIANT CMAKE_OPTION...
    machine=$1
    folder=$build/$machine-$2
    label="$machine $2"
    shift 2
    if ! { cmake -S "$source" -B "$folder" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" \
        -DCMAKE_TOOLCHAIN_FILE="$toolchains/toolchain-$machine.cmake" "$@" &&
        cmake --build "$folder" -j 2; } >"$folder.log" 2>&1; then
        tail -n 30 "$folder.log"
        echo "FAIL cross $label: the build"
        failed=1
        return
    fi
    if (cd "$folder" && ctest --no-tests=error --output-on-failure) >"$folder.log" 2>&1; then
        echo "PASS cross $label: $(sed -n 's/^100% tests passed, .* out of \([0-9]*\)$/\1 tests/p' "$folder.log")"
    else
        tail -n 60 "$folder.log"
        echo "FAIL cross $label"
        failed=1
    fi
    sed -n 's/^[[:space:]]*[0-9]* - \(.*\) (Skipped)$/     SKIP \1 (says why itself)/p' "$folder.log"
    ran=$((ran + 1))
}

for machine in aarch64 riscv64; do
    if ! command -v "$machine-linux-gnu-gcc" >/dev/null 2>&1; then
        echo "SKIP cross $machine: no $machine-linux-gnu-gcc (apt-get install gcc-$machine-linux-gnu)"
    elif ! command -v "qemu-$machine" >/dev/null 2>&1 && ! command -v "qemu-$machine-static" >/dev/null 2>&1; then
        echo "SKIP cross $machine: no qemu-$machine (apt-get install qemu-user)"
    else
        run "$machine" assembly
        run "$machine" strict-fp -DRILL_CORO_STRICT_FP=ON
        run "$machine" generic -DRILL_CORO_BACKEND=generic
    fi
done
if [ "$failed" -ne 0 ]; then
    exit 1
fi
[ "$ran" -gt 0 ] || exit 77

#!/bin/sh
# SPDX-License-Identifier: MIT
#
# backtrace_test.sh PROGRAM BACKEND: gdb's bt inside a coroutine walks to the coroutine's entry and stops there, at every
# instruction of the switch as well (assembly only). Exits 77 where gdb is missing or may not trace.
set -u
program=$1
backend=$2

if ! command -v gdb >/dev/null 2>&1; then
    echo "SKIP: no gdb"
    exit 77
fi
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" # it cannot run under a tracer
export DEBUGINFOD_URLS=

# gdb reads a name with two underscores as Ada's where nothing says the language, as for clang's assembly.
as_c() {
    sed 's/rill\.coro/rill__coro/g'
}

frames() { # the function names of a backtrace, innermost first
    as_c | sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}\([A-Za-z_0-9]*\) .*/\2/p' | tr '\n' ' '
}

output=$(timeout 60 gdb -nx -batch -ex 'set pagination off' -ex 'set breakpoint pending on' \
    -ex 'break stop_here' -ex run -ex bt "$program" 2>&1)
case $output in
*"ptrace: "* | *"Cannot create process"* | *"Could not trace"* | *"not permitted"*)
    echo "SKIP: gdb may not trace here"
    exit 77
    ;;
esac
got=$(printf '%s\n' "$output" | frames)
echo "bt in a coroutine: $got"
want="stop_here inner outer coroutine_body rill__coro_main "
if [ "$backend" = generic ]; then
    # Below rill__coro_main the C library's own frames decide how a walk ends.
    case $got in
    "$want"*) exit 0 ;;
    esac
fi
if [ "$got" != "${want}rill__coro_entry " ]; then
    printf 'want               %srill__coro_entry\n%s\n' "$want" "$output"
    exit 1
fi
if printf '%s\n' "$output" | grep -q -e 'corrupt stack' -e 'previous frame'; then
    printf 'the walk did not end by itself\n%s\n' "$output"
    exit 1
fi

# Instruction by instruction through one switch back to the coroutine: every backtrace ends in main or in the entry.
cat >"$program.gdb" <<'SCRIPT'
set pagination off
set breakpoint pending on
break rill__coro_switch
run
continue
python
import gdb
steps = 0
while "coro_switch" in (gdb.selected_frame().name() or "") and steps < 100:
    names = []
    frame = gdb.newest_frame()
    while frame is not None and len(names) < 50:
        names.append(frame.name() or "?")
        frame = frame.older()
    print("STEP " + " ".join(names))
    gdb.execute("stepi", to_string=True)
    steps += 1
SCRIPT
echo end >>"$program.gdb"
steps=$(timeout 120 gdb -nx -batch -x "$program.gdb" "$program" 2>&1 | as_c | sed -n 's/^STEP //p')
count=$(printf '%s\n' "$steps" | grep -c .)
if [ "$count" -eq 0 ] && gdb -nx -batch -ex 'python print(1)' 2>&1 | grep -q 'not supported'; then
    echo "gdb has no Python: stepping through the switch was not looked at"
    exit 0
fi
bad=$(printf '%s\n' "$steps" | grep -v -e ' main\( \|$\)' -e ' rill__coro_entry$')
echo "bt at each of $count instructions of a switch"
if [ "$count" -lt 10 ] || [ -n "$bad" ]; then
    printf 'backtraces that end elsewhere:\n%s\n' "$bad"
    exit 1
fi

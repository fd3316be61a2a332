# SPDX-License-Identifier: MIT
"""tools/check-layers sees what it is there to see: each row plants one fault in a copy of the tree."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# file to append to (made when it is not there), text, what the check has to say
FAULTS = (
    ("core/sansio/buffer.c", "#include <sys/socket.h>\n", "sockets only in core/net"),
    ("core/sansio/buffer.c", "#include <pthread.h>\n", "not the libc that sansio may use"),
    ("core/sansio/buffer.c", '#include "loop/loop.h"\n', "core/sansio may not include core/loop/loop.h"),
    ("core/sansio/buffer.c", "#include <rill/loop.h>\n", "belongs to core/loop, above core/sansio"),
    ("core/loop/loop.c", "#include <rill/coro.h>\n", "exactly one file includes <rill/coro.h>"),
    ("core/loop/loop.c", "#include <openssl/ssl.h>\n", "OpenSSL only in core/tls"),
    ("core/loop/loop.c", '#include "sansio/stream_reader.h"\n', "core/loop may use of sansio only"),
    ("core/streams/planted.c", "/* SPDX-License-Identifier: MIT */\n#include <ev.h>\n", "libev only in core/loop"),
    ("core/include/rill/error.h", "#include <ev.h>\n", "<ev.h> in a public header"),
    ("core/planted.c", "/* SPDX-License-Identifier: MIT */\n#include <stdio.h>\n", "stands in one of its layers"),
    ("coro/coro.c", "#include <rill/loop.h>\n", "coro knows nothing of <rill/loop.h>"),
    ("coro/coro.c", '#include "../core/sansio/buffer.h"\n', "coro may not include core/sansio/buffer.h"),
    ("examples/planted.c", '/* SPDX-License-Identifier: MIT */\n#include "sansio/buffer.h"\n',
     "examples uses public headers only"),
    ("examples/planted.c", "/* SPDX-License-Identifier: MIT */\n#include <rill/private.h>\n", "not a public header"),
    ("core/loop/planted.h", "int x;\n", "no `SPDX-License-Identifier: MIT`"),
    ("planted/a.md", "<!-- SPDX-License-Identifier: MIT -->\n", "the top level is fixed"),
    ("core/loop/planted.h", "/* SPDX-License-Identifier: MIT\n *\n * Planted.\n */\n", "run tools/check-layers --write"),
)


def check(tree):
    return subprocess.run([sys.executable, str(tree / "tools/check-layers")], check=False, stdout=subprocess.PIPE,
                          universal_newlines=True)


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="rill-layers-") as scratch:
        tree = pathlib.Path(scratch) / "tree"
        shutil.copytree(str(ROOT), str(tree), ignore=shutil.ignore_patterns(".git", "build*", "out", "__pycache__"))
        clean = check(tree)
        if clean.returncode != 0:
            print("the tree itself does not pass:\n%s" % clean.stdout)
            return 1
        for path, text, wanted in FAULTS:
            target = tree / path
            before = target.read_bytes() if target.exists() else None
            target.parent.mkdir(exist_ok=True)
            target.write_bytes((before or b"") + text.encode())
            result = check(tree)
            if result.returncode != 1 or wanted not in result.stdout:
                failures += 1
                print("%s with %r: wanted %r, got status %d:\n%s" % (path, text, wanted, result.returncode,
                                                                   result.stdout))
            if before is None:
                target.unlink()
            else:
                target.write_bytes(before)
    print("layers_test: faults=%d failures=%d" % (len(FAULTS), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

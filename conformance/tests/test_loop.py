# SPDX-License-Identifier: MIT
"""What somebody does who wrote an event loop: judges it with --testee loop:MODULE:NAME, and is told what is wrong with it; or
begins a testee of their own with testees/skeleton.py."""
import os
import re
import shlex
import sys
import tempfile
import unittest

import support

MODULE = """
import asyncio, math, selectors

class Good(asyncio.SelectorEventLoop):
    pass

class Late(asyncio.SelectorEventLoop):
    def call_at(self, when, callback, *args, **named):
        return super().call_at(math.ceil(when), callback, *args, **named)

class Unfair(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, **named):
        handle = super().call_soon(callback, *args, **named)
        self._ready.rotate(1)
        return handle

def no_selector():
    return object()
"""


class Loops(unittest.TestCase):
    def judge(self, name, *patterns):
        with tempfile.TemporaryDirectory(prefix="rill-loop-") as folder:
            with open(os.path.join(folder, "mine.py"), "w", encoding="utf-8") as file:
                file.write(MODULE)
            return support.conform("--testee", "loop:mine:" + name, "-j", "1", *patterns, cwd=folder)

    def test_a_good_loop(self):
        code, text = self.judge("Good", "--backend", "mem,tcp", "timeout", "pause")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"SAME [5-9]\d|SAME \d{3}")

    def test_planted_mistakes(self):
        for name in ("Late", "Unfair"):
            code, text = self.judge(name, "--backend", "mem", "schedule")
            self.assertEqual(code, 1, text)
            self.assertIn("DIFF", text)
            self.assertIn("again tools/conform --testee 'loop:mine:%s'" % name, text)

    def test_what_is_no_loop_is_told(self):
        for name, words in (("no_selector", "made 0 selectors"), ("missing", "no attribute 'missing'")):
            code, text = self.judge(name, "limit")
            self.assertEqual(code, 3, text)
            self.assertIn(words, text)

    def test_the_skeleton(self):
        """What it knows it does like CPython, and the rest it skips: on every case."""
        program = os.path.join(support.HOME, "testees", "skeleton.py")
        code, text = support.conform("--testee", "%s %s" % (shlex.quote(sys.executable), shlex.quote(program)), "--backend", "pair")
        self.assertEqual(code, 0, text)
        self.assertGreater(int(re.search(r"SAME (\d+)", text).group(1)), 150)


if __name__ == "__main__":
    unittest.main()

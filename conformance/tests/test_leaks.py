# SPDX-License-Identifier: MIT
"""What a case leaves behind is seen: wrong testees that leave a timer, a task or a descriptor give LEAK, the right one does not."""
import os
import subprocess
import sys
import tempfile
import unittest

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASE = """\
case    leak/one
rule    R-101
only    tcp: the leaks are of sockets, too

app     r = read 3
peer    send "abc"
"""
WRONG = """\
import asyncio, os, socket, sys
sys.path.insert(0, %r)
import cpython
right = asyncio.StreamReader.read

async def read(self, n=-1):
    %s
    return await right(self, n)

asyncio.StreamReader.read = read
%s
sys.exit(cpython.serve("leaky"))
"""
HIDE = "asyncio.runners._cancel_all_tasks = lambda loop: None"
ROWS = (
    ("nothing", "pass", "", None),
    ("a timer", "asyncio.get_running_loop().call_later(1000, print)", "", "timers 1"),
    ("a cancelled timer", "asyncio.get_running_loop().call_later(1000, print).cancel()", "", None),
    ("a task", "self.left = asyncio.get_running_loop().create_task(asyncio.Event().wait())", HIDE, "tasks 1"),
    ("a task that run() cancels", "self.left = asyncio.get_running_loop().create_task(asyncio.Event().wait())", "", None),
    ("a descriptor", "os.dup(0)", "", "descriptors 1"),
    ("a socket that collectors close", "self.me, self.left = self, socket.socket()", "", None),
)


class Leaks(unittest.TestCase):
    def leak(self, folder, row, hide):
        """What the harness says the testee left, or none."""
        program = os.path.join(folder, "leaky.py")
        with open(program, "w", encoding="utf-8") as file:
            file.write(WRONG % (os.path.join(HOME, "testees"), row, hide))
        sys.path.insert(0, HOME)
        from rillconf.case import read_all
        from rillconf.testee import Testee
        from rillconf.transcript import render
        case, = read_all(os.path.join(folder, "cases"))
        testee = Testee("leaky", [sys.executable, program])
        try:
            outcome = testee.run(case.message("tcp"))
        finally:
            testee.stop()
        self.assertEqual("end", outcome.how, outcome.text)
        rendered = render(outcome.events)
        self.assertEqual(["r -> \"abc\""], [line for line in rendered.steps[2] if line.startswith("r ")])
        return ", ".join(rendered.leaks) or None

    def test_each_kind(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "cases", "leak"))
            with open(os.path.join(folder, "cases", "leak", "one.case"), "w", encoding="utf-8") as file:
                file.write(CASE)
            for name, row, hide, want in ROWS:
                with self.subTest(name):
                    self.assertEqual(want, self.leak(folder, row, hide))

    def test_the_verdict(self):
        """A mistake of the list that leaves a timer is LEAK, in a case that looks at nothing of it."""
        ran = subprocess.run([sys.executable, HOME, "--testee", "wrong:leaked-timer", "--backend", "mem", "timeout/*"],
                             stdout=subprocess.PIPE, timeout=60)
        if sys.version_info >= (3, 12):
            self.assertIn(b"LEAK timeout/", ran.stdout)


if __name__ == "__main__":
    unittest.main()

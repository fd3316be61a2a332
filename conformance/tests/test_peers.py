# SPDX-License-Identifier: MIT
"""Other implementations as testees: their expectations, docs/compatibility.md, and uvloop's clock where there is one."""
import os
import subprocess
import sys
import tempfile
import unittest

import support
from rillconf import compatibility, expect, peers, rules
from rillconf.usage import UsageError

EXPECTATIONS = os.path.join(support.HOME, "expectations")
ROOT = os.path.dirname(support.HOME)



def load(text, name="other"):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, name + ".known"), "w", encoding="utf-8") as file:
            file.write(text)
        return expect.load(folder, name)


class Expectations(unittest.TestCase):
    def test_others_name_a_rule_and_rill_a_row(self):
        self.assertEqual(load("a/b | * | 12345678 | R-1 | why\n").entries[0].row, "R-1")
        for text, name in (("a/b | * | 12345678 | Q-1 | why\n", "other"), ("a/b | * | 12345678 | R-1 | why\n", "rill")):
            with self.assertRaises(expect.ExpectationError):
                load(text, name)

    def test_a_skipped_case_is_not_run_and_never_stale(self):
        known = load("a/b | tcp | skip | R-1 | never ends\n")
        self.assertEqual(known.reason_to_skip("a/b", "tcp"), "never ends")
        self.assertIsNone(known.reason_to_skip("a/b", "unix"))
        self.assertIsNone(known.reason_to_skip("a/c", "tcp"))
        self.assertEqual(known.stale(["a/b"]), [])

    def test_every_rule_that_they_name_exists(self):
        real = rules.Rules(os.path.join(ROOT, "docs", "spec.md"), support.HOME)
        for name in peers.NAMES:
            for entry in expect.load(EXPECTATIONS, name).entries:
                self.assertIn(entry.row, real.all, entry.place())


class Page(unittest.TestCase):
    def test_the_page_is_what_the_expectations_say(self):
        with open(os.path.join(ROOT, "docs", "compatibility.md"), encoding="utf-8") as file:
            self.assertEqual(file.read(), compatibility.page(EXPECTATIONS),
                             "tools/conform --compatibility >docs/compatibility.md writes it anew")

    def test_same_words_make_one_row(self):
        known = load("a/b | tcp | 1 | R-1 | why\na/c | tls12-pair | 2 | R-1 | why\na/d | * | 3 | R-2 | why\n")
        self.assertEqual(list(compatibility.rows(known.entries)),
                         ["| R-1 | why | sockets, TLS | `a/b`, `a/c` |", "| R-2 | why | everywhere | `a/d` |"])


class Peers(unittest.TestCase):
    def run_testee(self, name, *arguments):
        try:
            peers.command(name)
        except UsageError as missing:
            self.skipTest(str(missing))
        command = [sys.executable, support.HOME, "--testee", name, "-j1"] + list(arguments)
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)

    def test_some_cases_of_each(self):
        for name in peers.NAMES:
            with self.subTest(name=name):
                done = self.run_testee(name, "--backend", "tcp", "limit/*", "flow/defaults", "timeout/wait-for-*")
                self.assertEqual(done.returncode, 0, done.stdout.decode())
                self.assertIn(b"SAME", done.stdout)

    def test_uvloop_without_a_compiler_skips(self):
        with tempfile.TemporaryDirectory() as empty:
            command = peers.command("uvloop") if self.has("uvloop") else self.skipTest("no uvloop here")
            testee = ["env", "PATH=" + empty] + [os.path.realpath(command[0]), command[1]]
            done = subprocess.run([sys.executable, support.HOME, "--testee", " ".join(testee), "-v", "-j1", "--backend", "tcp",
                                   "flow/defaults"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            self.assertIn(b"SKIP(no-virtual-clock)", done.stdout)
            self.assertEqual(done.returncode, 1, done.stdout.decode())
            self.assertIn(b"nothing ran", done.stdout)

    @staticmethod
    def has(name):
        try:
            return bool(peers.command(name))
        except UsageError:
            return False


if __name__ == "__main__":
    unittest.main()

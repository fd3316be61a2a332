# SPDX-License-Identifier: MIT
"""Oracle coverage: what a few cases execute of asyncio/streams.py and what not, what is left out, sums of parts."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import support
from rillconf import coverage

FILE = """
case limit/too-long
rule R-144
with reader
limit 2
app feed_data "abcde"; r1 = readline
"""


def answer(*lines):
    """What --branches says of a file of conditions: both ways of each."""
    return {"source": ["if %s:" % words for words in lines], "branches": [
        {"branch": "1 f %d" % number, "way": way, "function": "f", "line": number + 1, "to": number + 2, "condition": words, "is": value}
        for number, words in enumerate(lines) for way, value in (("jump", "false"), ("next", "true"))]}


def summary(missing, number="3.13.0"):
    return {"version": number, "file": "f.py", "branches": 10, "executed": 10 - len(missing), "left_out": 0,
            "missing": [{"branch": name, "line": 1, "text": name} for name in missing]}


class Coverage(unittest.TestCase):
    def run_one(self, *arguments):
        with support.Cases({"limit/one.case": FILE}) as folder, tempfile.TemporaryDirectory() as reports:
            path = os.path.join(reports, "r.json")
            code, text = support.conform("--cases", folder, "--no-rill", "--oracle-only", "%d.%d.%d" % sys.version_info[:3],
                                         "--oracle", sys.executable, "--oracle-coverage", "--json", path, *arguments)
            with open(path, encoding="utf-8") as file:
                return code, text, json.load(file)["summary"]

    def test_one_case(self):
        """Checked against the source by its words: what readline does with a line that is too long, and little else."""
        _, text, found = self.run_one("limit/*")
        (measured,) = found["oracle_coverage"]
        missing = [branch["text"] for branch in measured["missing"]]
        self.assertEqual(measured["executed"], measured["branches"] - len(missing))
        self.assertIn("branches %d of %d" % (measured["executed"], measured["branches"]), text)
        with_words = lambda words: [line for line in missing if words in line]
        self.assertEqual(with_words("offset > self._limit:"), [line for line in missing if "offset > self._limit: -> false" in line])
        self.assertEqual(len(with_words("self._buffer.startswith(sep, e.consumed)")), 1)
        self.assertEqual(len(with_words("if n < 0:")), 4, missing)      # of read and readexactly, which nobody calls
        self.assertFalse(with_words("AF_UNIX"))                         # taken by the import, or left out
        self.assertEqual(found["problems"], [])                         # a pattern runs a part: nothing is demanded

    def test_the_whole_suite_must_execute_enough(self):
        code, text, found = self.run_one()
        self.assertEqual(code, 1)
        self.assertIn("less than 98 %", text)
        self.assertEqual(len(found["problems"]), 1)

    def test_no_cpython_to_measure(self):
        code, text = support.conform("--testee", "cpython", "--oracle-coverage", "limit/*")
        self.assertEqual(code, 2)
        self.assertIn("no CPython runs here", text)

    def test_left_out(self):
        measured = coverage.Measured((3, 13, 0), answer("a", "b"), {("f", "if a:", "true"): "a reason"})
        self.assertEqual((len(measured.counted()), len(measured.missing())), (3, 3))
        measured.add([["1 f 0", "jump", "x/y"], ["1 f 1", "jump", "x/z"], ["1 f 1", "jump", "x/a"]])
        self.assertEqual([branch.text() for branch in measured.missing()], ["line 2: if b: -> true, line 3"])
        self.assertEqual([branch.case for branch in measured.branches], ["x/y", None, "x/a", None])
        self.assertEqual(measured.mistakes(), [])
        measured.add([["1 f 0", "next", "x/y"]])
        self.assertEqual(len(measured.mistakes()), 1)

    def test_a_bad_reason(self):
        for text in ("f | if a: | true\n", "f | if a: | true | why\nf | if a: | true | why\n", "f |  | true | why\n"):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(text)
                file.flush()
                self.assertRaises(coverage.CoverageError, coverage.read_left_out, file.name)
        self.assertGreater(len(coverage.read_left_out()), 3)

    def test_parts_add_up(self):
        merged = coverage.merge([[summary(["a", "b", "c"])], [summary(["b", "c", "d"]), summary(["x"], "3.9.18")], []])
        self.assertEqual([one["version"] for one in merged], ["3.9.18", "3.13.0"])
        self.assertEqual([one["branch"] for one in merged[1]["missing"]], ["b", "c"])
        self.assertEqual(merged[1]["executed"], 8)
        self.assertEqual(len(coverage.problems(merged)), 2)

    def test_two_ways_of_each_jump(self):
        program = os.path.join(support.HOME, "testees", "cpython_coverage.py")
        found = json.loads(subprocess.run([sys.executable, program, "--branches"], stdout=subprocess.PIPE, check=True).stdout.decode())
        ways = {}
        for branch in found["branches"]:
            ways.setdefault(branch["branch"], set()).add(branch["way"])
            self.assertIn(branch["is"], ("true", "false", "one more", "the end of the loop"))
        self.assertGreater(len(ways), 70)
        self.assertTrue(all(way == {"jump", "next"} for way in ways.values()))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: MIT
"""The lists that must be complete: rules, CPython's own tests, departures."""
import os
import tempfile
import unittest

import support
from rillconf import answers, case, expect, rules

SPEC = """
| R-101 | default limit | x |
| R-420 | write | x |
| R-1U-01 | `123` | x |
| R-850 | TLS | x |
| R-203 | write over TLS | x |
| 1 | test_one | asserts | R-101 |
| 2 | test_two | asserts | R-420 |
"""
DEPARTURES = "# t\n## Fixed here\n\n| id | a |\n|---|---|\n| Q-06 | x |\n| Q-07 | x |\n\n## The same\n| Q-19 | x |\n"
CASES = """case    area/memory
rule    R-420
only    mem : sizes
record  3.13.0 script=000000
peer close

case    area/both
rule    R-101 R-1U-01
record  3.13.0 script=000000
peer close

case    area/new
rule    R-850
peer close
"""


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.spec = self.write("spec.md", SPEC)
        self.lines = []

    def write(self, name, text):
        return support.write_case(self.folder.name, name, text)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def cases(self):
        return case.FileReader("cases/area/x.case", CASES).read()[1]


class Rules(Folder):
    def report(self):
        return rules.report(rules.Rules(self.spec, self.folder.name), self.cases(), self.lines.append)

    def test_parts(self):
        self.write("rules_na.txt", "R-203 | a reason\n")
        self.assertFalse(self.report(), "an open rule fails")
        self.assertEqual("rules 5  covered 2  not applicable 1  open 2", self.lines[-1])
        self.assertIn("    R-420 R-850", self.lines, "a memory transport does not show a rule of section 4")
        self.write("rules_na.txt", "R-203 | a reason\nR-420 | a reason\nR-850 | a reason\n")
        self.assertTrue(self.report(), self.lines)
        self.assertEqual("rules 5  covered 2  not applicable 3  open 0", self.lines[-1])

    def test_mistakes(self):
        rows = [("R-101 | a reason\n", "R-101 is not applicable and covered at once"), ("R-203 |\n", None), ("R-999 | a\n", None)]
        for text, want in rows:
            self.write("rules_na.txt", text)
            with self.subTest(text):
                if want is None:
                    self.assertRaises(rules.RuleError, self.report)
                else:
                    self.assertFalse(self.report())
                    self.assertIn("FAILED: " + want, self.lines)

    def test_too_many_are_not_applicable(self):
        spec = "".join("| R-1%02d | x |\n" % number for number in range(60))
        book = rules.Rules(self.write("spec.md", spec), self.folder.name)
        book.not_applicable = dict.fromkeys(book.all[:46], "because")
        self.assertEqual(["46 rules are not applicable, more than 45"], book.mistakes({}, []))


class Upstream(Folder):
    def report(self, text):
        path = self.write("upstream.txt", text)
        self.write("core/some_test.c", '"waits for one wake"')
        return answers.report_upstream(self.spec, path, self.folder.name, ["area/both"], self.lines.append)

    def test_all_answered(self):
        text = 'test_one | case area/both, test core/some_test.c "waits for one wake"\ntest_two | reason C has none\n'
        self.assertTrue(self.report(text), self.lines)
        self.assertEqual("2 of 2", self.lines[-1])

    def test_what_is_no_answer(self):
        rows = [("case area/no", "there is no case area/no"), ("test core/no.c", "there is no file core/no.c"),
                ('test core/some_test.c "x y"', "core/some_test.c does not contain 'x y'"), ("later", "an answer is")]
        for answer, want in rows:
            with self.subTest(answer):
                self.assertFalse(self.report("test_one | %s\ntest_two | reason y\n" % answer))
                self.assertTrue(any(want in line for line in self.lines), self.lines)
        self.assertFalse(self.report("test_one | case area/both\n"))
        self.assertEqual("1 of 2", self.lines[-1])
        self.assertFalse(self.report("test_one | case area/both\ntest_two | reason y\ntest_three | reason x\n"))


class Departures(Folder):
    def report(self, used=True, row="Q-06", answer=""):
        entry = expect.Entry("rill.known", 1, ["area/both", "*", "00000000", row, "why"])
        if used:
            entry.used.add(("area/both", "mem"))
        return answers.report_departures(self.write("departures.md", DEPARTURES), self.write("departures.txt", answer),
                                         self.folder.name, ["area/both"], expect.Expectations([entry]), self.lines.append)

    def test_rows(self):
        rows = [({"answer": "Q-07 | reason no script can see it\n"}, True, "2 of 2 reproduce"),
                ({}, False, "1 of 2 reproduce"), ({"used": False}, False, "0 of 2 reproduce"),
                ({"row": "Q-19"}, False, "0 of 2 reproduce"),
                ({"answer": "Q-06 | reason x\nQ-07 | reason y\n"}, False, "2 of 2 reproduce")]
        for keywords, want, last in rows:
            with self.subTest(str(keywords)):
                self.assertEqual(want, self.report(**keywords))
                self.assertEqual(last, self.lines[-1])


if __name__ == "__main__":
    unittest.main()

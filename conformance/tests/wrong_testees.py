# SPDX-License-Identifier: MIT
"""Deliberately wrong testees fail the suite, each on a short case that names the rule it breaks, and pass most of it."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import support
from rillconf import mutants, verdict

WRONG = os.path.join(support.HOME, "testees", "wrong.py")
SPECIFICATION = os.path.join(support.HOME, "..", "docs", "spec.md")

# Some of each kind that every CPython from 3.11 on can play; --mutants alone plays all.
SOME = ("limit-off-by-one lost-wake-up missed-resume consumed-to-the-end partial-missing drain-too-early high-water-inclusive "
        "close-without-flush timeout-late leaked-descriptor accepts-one-more any-name no-close-notify").split()


class Case:
    def __init__(self, name, operations, *rules):
        self.name, self.steps, self.rules = name, [None] * operations, rules


class Judgement(unittest.TestCase):
    ROWS = [
        dict(failed=[], ran=10, want="SURVIVED"),
        dict(failed=[Case("a/short", 3, "R-144")], ran=10, want=None),
        dict(failed=[Case("a/short", 3, "R-144")], ran=1, want="more than half"),
        dict(failed=[Case("a/other", 3, "R-100")], ran=10, want="no case that catches it names R-144"),
        dict(failed=[Case("a/other", 1, "R-100"), Case("a/long", 11, "R-144")], ran=10, want="has 11 operations"),
        dict(failed=[Case("a/long", 11, "R-144"), Case("a/short", 10, "R-145", "R-144")], ran=10, want=None)]

    def test_what_counts_as_caught(self):
        for row in self.ROWS:
            with self.subTest(row["want"]):
                trial = mutants.Trial({"name": "x", "rules": ["R-144"], "what": "it is wrong"})
                for case in row["failed"]:
                    trial.note(verdict.Result(case, None, "mem", verdict.Verdict("DIFF", "api")))
                trial.ran = row["ran"]
                if row["want"] is None:
                    self.assertIsNone(trial.complaint())
                else:
                    self.assertIn(row["want"], trial.complaint())
                    self.assertIn("it is wrong", trial.line())

    def test_good_and_flaky_runs_catch_nothing(self):
        trial = mutants.Trial({"name": "x", "rules": ["R-144"], "what": "it is wrong"})
        for name in ("SAME", "KNOWN", "SKIP", "FLAKY"):
            trial.note(verdict.Result(Case("a/b", 1, "R-144"), None, "mem", verdict.Verdict(name)))
        self.assertEqual((3, "SURVIVED"), (trial.ran, trial.complaint()))

    def test_a_case_names_its_rule_in_the_line(self):
        trial = mutants.Trial({"name": "x", "rules": ["R-144"], "what": ""})
        trial.note(verdict.Result(Case("a/b", 2, "R-1", "R-144"), None, "mem", verdict.Verdict("LEAK")))
        self.assertIn("a/b R-144, 2 operations", trial.line())


class TheList(unittest.TestCase):
    def setUp(self):
        self.listed = mutants.ask(sys.executable, WRONG)

    def test_there_are_enough_and_each_breaks_rules_that_exist(self):
        self.assertGreaterEqual(len(self.listed), 44)
        with open(SPECIFICATION, encoding="utf-8") as file:
            known = set(re.findall(r"^\| (R-\w+(?:-\d+)?) \|", file.read(), re.MULTILINE))
        for mistake in self.listed:
            with self.subTest(mistake["name"]):
                self.assertTrue(mistake["rules"] and set(mistake["rules"]) <= known, mistake["rules"])
                self.assertTrue(mistake["what"])

    def test_what_a_cpython_cannot_play_is_refused(self):
        for mistake in [one for one in self.listed if one["missing"]][:2]:
            done = subprocess.run([sys.executable, WRONG, mistake["name"]], stderr=subprocess.PIPE, timeout=30)
            self.assertIn(b"cannot be made of this CPython", done.stderr)
            self.assertEqual(1, done.returncode)

    def test_patterns_are_names_and_rules(self):
        chosen = [mistake["name"] for mistake in self.listed if mutants.wanted(mistake, ["limit-off*", "R-306"])]
        self.assertEqual(["limit-off-by-one", "limits-pause-later"], chosen)


class TheCommand(unittest.TestCase):
    def test_some_of_each_kind_are_caught(self):
        code, text = support.conform("--mutants", *SOME)
        self.assertEqual(0, code, text)
        self.assertIn("caught=%d of=%d" % (len(SOME), len(SOME)), text)

    def test_a_suite_with_a_hole_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(os.path.join(support.HOME, "cases", "limit"), os.path.join(folder, "limit"))
            code, text = support.conform("--mutants", "partial-missing", "--cases", folder)
        self.assertEqual(1, code, text)
        self.assertIn("SURVIVED", text)
        self.assertIn("caught=0 of=1", text)

    def test_no_such_mutant_is_a_mistake_in_the_options(self):
        code, text = support.conform("--mutants", "no-such-mutant")
        self.assertEqual((2, "no mutant matches no-such-mutant"), (code, text.strip().split("\n")[-1]))

    def test_one_may_be_a_testee_as_well(self):
        code, text = support.conform("--testee", "wrong:limit-off-by-one", "--backend", "mem,pair", "limit/*", "reader/*")
        self.assertEqual(1, code, text)
        self.assertIn("DIFF(api) limit/", text)

    def test_the_same_program_without_a_mistake_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.json")
            code, text = support.conform("--testee", "cpython", "--backend", "mem,tls13-mem", "--json", path)
            with open(path) as file:
                report = json.load(file)
        self.assertEqual(0, code, text)
        self.assertGreater(report["summary"]["verdicts"]["SAME"], 100)


if __name__ == "__main__":
    unittest.main()

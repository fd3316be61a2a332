# SPDX-License-Identifier: MIT
"""Deliberately wrong testees fail the suite, each on a case that names the rule it breaks, and pass most of it."""
import json
import os
import tempfile
import unittest

import support

# The rules that each breaks, and where it is played: all backends would show the same.
MISTAKES = {"limit-off-by-one": ({"R-144", "R-146"}, "mem,pair"), "missed-resume": ({"R-162"}, "mem,pair"),
            "lost-wake-up": ({"R-106", "R-113", "R-133"}, "mem,pair"), "any-name": ({"R-820"}, "tls13-mem"),
            "no-close-notify": ({"R-860"}, "tls13-mem,tls12-pair")}


class WrongTestees(unittest.TestCase):
    def play(self, name, backends):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.json")
            code, text = support.conform("--testee", name, "--backend", backends, "--json", path)
            with open(path) as file:
                return code, text, json.load(file)

    def rules_of(self, names):
        from rillconf import case
        found = {one.name: one.rules for one in case.read_all(os.path.join(support.HOME, "cases"))}
        return {rule for name in names for rule in found[name]}

    def test_each_is_caught_by_a_case_that_names_its_rule(self):
        for mistake, (rules, backends) in MISTAKES.items():
            with self.subTest(mistake):
                code, text, report = self.play("wrong:" + mistake, backends)
                self.assertEqual(1, code, text)
                failed = {row["case"] for row in report["results"] if row["verdict"] not in ("SAME", "SKIP", "KNOWN")}
                self.assertTrue(rules & self.rules_of(failed), "%s fails only %s" % (mistake, sorted(failed)))
                verdicts = report["summary"]["verdicts"]
                self.assertGreater(verdicts["SAME"], 2 * verdicts["DIFF"], "it is wrong in more than one thing")

    def test_the_same_program_without_a_mistake_passes(self):
        code, text, report = self.play("cpython", "mem,tls13-mem")
        self.assertEqual(0, code, text)
        self.assertGreater(report["summary"]["verdicts"]["SAME"], 100)


if __name__ == "__main__":
    unittest.main()

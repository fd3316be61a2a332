# SPDX-License-Identifier: MIT
"""Random scripts: the same everywhere, readable as cases, judged live, told with the line that repeats them."""
import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import support
import test_report
from rillconf import case, cli, live, random_draw, random_known, random_play, random_scripts, random_stream, runner, transcript, verdict

EXPECTATIONS = os.path.join(support.HOME, "expectations")
DIGEST_OF_200 = "a18934fb9ea6"


def digest():
    texts = "".join(random_scripts.text(1, number) for number in range(1, 201))
    return hashlib.sha1(texts.encode()).hexdigest()[:12]


class Draws(unittest.TestCase):
    def test_numbers_follow_from_the_seed_alone(self):
        draw = random_draw.Draw(1, 2)
        self.assertEqual([64, 342, 172, 382, 653, 23], [draw.below(1000) for _ in range(6)])
        self.assertNotEqual(random_draw.Draw(2, 1).number(), random_draw.Draw(1, 2).number())

    def test_sample_and_weights(self):
        draw = random_draw.Draw(7)
        self.assertEqual([0, 1, 2, 3], sorted(draw.sample(range(4), 9)))
        self.assertEqual({"often"}, {draw.weighted([(0, "never"), (3, "often")]) for _ in range(50)})


class Scripts(unittest.TestCase):
    def test_the_same_on_every_machine(self):
        """A change of what is drawn is a change of all seeds that somebody wrote down: on purpose only."""
        self.assertEqual(DIGEST_OF_200, digest())

    def test_no_order_of_hashes_in_them(self):
        for seed in ("1", "2"):
            done = subprocess.run([sys.executable, __file__, "--digest"], stdout=subprocess.PIPE, timeout=60, check=True,
                                  env=dict(os.environ, PYTHONHASHSEED=seed), universal_newlines=True)
            self.assertEqual(DIGEST_OF_200, done.stdout.strip())

    def test_all_can_be_read_and_every_world_and_call_comes(self):
        cases = [random_scripts.case(5, number) for number in range(1, 301)]
        self.assertEqual({"reader", "connection", "server"}, {one.kind for one in cases})
        calls = {call["call"] for one in cases for call in one.every_call()}
        self.assertLessEqual({"read", "readuntil", "readexactly", "readline", "iterate", "write", "writelines", "drain", "close", "wait_closed",
                              "cancel", "wait_for", "timeout", "group", "gather", "shield", "set_write_buffer_limits"}, calls)
        operations = {step.op["op"] for one in cases for step in one.steps}
        self.assertLessEqual({"app", "peer", "clock", "fault"}, operations)
        for backend in case.BACKENDS:
            self.assertGreater(sum(backend not in one.excluded for one in cases), 10, backend)

    def test_what_rill_mends_is_left_out(self):
        for number in range(1, 400):
            script = random_scripts.text(9, number)
            if re.search(r"= (catch )?(wait_for \d+ )?read(;|$)", script, re.MULTILINE) and "with    reader" in script:
                self.assertNotIn("cancel", script)
        rows = {row for _, _, row in random_stream.CONFLICTS} | {entry.row for entry in random_known.load(EXPECTATIONS).entries}
        with open(os.path.join(EXPECTATIONS, "rill.known"), encoding="utf-8") as file:
            shown = file.read()
        for row in rows:
            self.assertIn("| %s |" % row, shown, "a written case shows each row that random scripts avoid")

    def test_shards_are_disjoint_and_complete(self):
        parts = [random_play.numbers(3, 20, (part, 3)) for part in (1, 2, 3)]
        self.assertEqual(list(range(3, 23)), sorted(sum(parts, [])))
        self.assertEqual(([1, 2], (4, 1), (4, 7)), (random_play.numbers(1, 2, None), random_scripts.parse_seed("4"),
                                                    random_scripts.parse_seed("4:7")))


class Known(unittest.TestCase):
    def test_an_entry_fits_lines_and_script(self):
        entry = random_known.Entry([r'w\d+ ! AttributeError ".*"', "-", "close.*write", "Q-09", "why"])
        one = random_scripts.read('case    a/b\nrule    R-421\napp     close\napp     w1 = write "x"\n')
        other = random_scripts.read('case    a/b\nrule    R-421\napp     w1 = write "x"\n')
        difference = transcript.Difference(2, 'w1 ! AttributeError "x"', None)
        self.assertTrue(entry.fits(one, difference))
        self.assertFalse(entry.fits(other, difference))
        self.assertFalse(entry.fits(one, transcript.Difference(2, 'w1 ! ValueError "x"', None)))


class References(unittest.TestCase):
    class Found:
        def __init__(self, *number):
            self.version = number

    def player(self, **hello):
        made = runner.Player("x", [])
        made.hello = hello
        return made

    def test_who_judges_whom(self):
        found = [self.Found(3, 11, 7), self.Found(3, 12, 1), self.Found(3, 13, 0), self.Found(3, 14, 0)]
        rows = [(dict(implementation="rill", version="0.1.0"), found, (3, 13, 0)),
                (dict(implementation="rill", version="0.1.0"), found[:2], (3, 12, 1)),
                (dict(implementation="CPython", version="3.11.2"), found, (3, 11, 7)),
                (dict(implementation="PyPy", version="3.12.9"), found, (3, 12, 1))]
        for hello, there, want in rows:
            self.assertEqual(want, live.choose_reference(self.player(**hello), there).version, hello)
        with self.assertRaises(live.NoReference):
            live.choose_reference(self.player(implementation="CPython", version="3.8.1"), found)


class TheCommand(unittest.TestCase):
    OWN = ["--testee", "cpython", "--oracle", sys.executable, "--oracle-only", "%d.%d.%d" % sys.version_info[:3]]

    def test_a_cpython_agrees_with_itself_on_every_backend(self):
        code, text = support.conform("--random", "8", "--seed", "3", *self.OWN)
        self.assertEqual(0, code, text)
        self.assertRegex(text, r"scripts=8 played=[4-8] differences=0  SAME [1-9]\d+ ")

    def test_shards_of_a_campaign_merge(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("1.json", "2.json", "all.json")]
            for part in (1, 2):
                code, text = support.conform("--random", "12", "--shard", "%d/2" % part, "--backend", "mem", "--json", paths[part - 1], *self.OWN)
                self.assertEqual(0, code, text)
            code, text = support.conform("--merge", paths[0], paths[1], "--json", paths[2])
            self.assertEqual(0, code, text)
            with open(paths[2]) as file:
                self.assertEqual(12, len(json.load(file)["results"]))

    def test_its_reports_are_those_of_any_run(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, "r." + kind) for kind in ("json", "junit", "tap", "html")]
            words = [word for path in paths for word in ("--" + path.rpartition(".")[2], path)]
            code, text = support.conform("--random", "40", "--seed", "1", "--backend", "mem", "--testee", "wrong:read-one-less", *words)
            self.assertEqual(1, code, text)
            found, schema = test_report.load(paths[0]), test_report.load(test_report.SCHEMA)
            self.assertEqual([], list(test_report.violations(found, schema, schema)))
            differ = [row for row in found["results"] if row["verdict"] == "DIFF"]
            self.assertEqual((40, True), (len(found["results"]), bool(differ)))
            for path in paths[1:]:
                with open(path, encoding="utf-8") as file:
                    self.assertIn(differ[0]["case"], file.read(), path)
            with open(paths[3], encoding="utf-8") as file:      # its data stand in one element, `<` escaped
                page = json.loads(re.search(r'<script[^>]*application/json[^>]*>(.*?)</script>', file.read(), re.DOTALL).group(1))
            case = next(one for one in page["cases"] if one["n"] == differ[0]["case"])
            self.assertGreater(len(case["t"]), 1, "what CPython did stands beside what differs")

    def test_a_failure_comes_with_the_lines_that_repeat_and_shrink_it(self):
        code, text = support.conform("--random", "60", "--seed", "1", "--backend", "mem", "--testee", "wrong:read-one-less", "-j", "2", "--fail-fast")
        self.assertEqual(1, code, text)
        found = re.search(r"again tools/conform (--testee 'wrong:read-one-less' --backend mem -v --random 1 --seed 1:(\d+))\n"
                          r" +small tools/conform --testee 'wrong:read-one-less' --backend mem --shrink random:1:\2\n", text)
        self.assertTrue(found, text)
        code, again = support.conform(*found.group(1).replace("'", "").split())
        self.assertEqual(1, code)
        self.assertEqual(re.findall(r"want .*|got .*", text)[:2], re.findall(r"want .*|got .*", again)[:2])

    def test_mistakes_in_the_options(self):
        for words in (("--random", "0"), ("--random", "5", "--seed", "x"), ("--random", "5", "--seed", "1:0"), ("--shrink", "no/such-case"),
                      ("--shrink", ""), ("--shrink", os.path.dirname(__file__)), ("--random", "5", "--bless"), ("--random", "5", "limit/*"),
                      ("--random", "5", "--shrink", "random:1:1"), ("--random", "5", "--repeat", "2")):
            with self.subTest(words), contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(2, self.status(*words, *self.OWN))

    @staticmethod
    def status(*words):
        """The command's, without a process of its own: a mistake starts none."""
        try:
            return cli.main(list(words))
        except SystemExit as end:
            return end.code


class Verdicts(unittest.TestCase):
    def test_a_reference_that_breaks_judges_nobody(self):
        class Broken:
            broken = verdict.Verdict("CRASH", "killed", step=2)
        pair = live.Pair.__new__(live.Pair)
        pair.reference = runner.Player("cpython-3.13.0", [])
        told = pair.compare(None, "mem", Broken(), None)
        self.assertEqual(("CRASH", True), (told.name, "which should judge" in told.detail))


if __name__ == "__main__":
    if sys.argv[1:] == ["--digest"]:
        print(digest())
    else:
        unittest.main()

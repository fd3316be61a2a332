# SPDX-License-Identifier: MIT
"""The small scope: its size and that nothing differs in it, that the chain of models and CPython has teeth, the codec.

RILL_EXHAUSTIVE names the program; without it the tests that play scripts are left out, loudly.
"""
import os
import random
import sys
import unittest

import support      # noqa: F401  (sets the path)
from rillconf import codec, exhaustive, oracles, version

PROGRAM = os.environ.get("RILL_EXHAUSTIVE")
NEEDS_PROGRAM = unittest.skipUnless(PROGRAM, "RILL_EXHAUSTIVE names no program: SKIP")
SCOPE_MIN = 1000000


def this_python():
    return oracles.Oracle(sys.executable, "cpython", tuple(sys.version_info[:3]))


def random_scripts(count):
    """Bytes of two sorts: any, and small ones, which make many operations."""
    draw = random.Random(1)
    for number in range(count):
        top = 256 if number % 2 else 12
        yield bytes(draw.randrange(top) for _ in range(draw.randrange(120)))


class Said:
    def __init__(self):
        self.lines = []

    def __call__(self, line):
        self.lines += line.split("\n")


class TheCodec(unittest.TestCase):
    def test_every_string_is_a_script_and_scripts_survive(self):
        for data in random_scripts(3000):
            script = codec.decode(data)
            self.assertEqual(codec.decode(codec.encode(script)), script)
            self.assertEqual(codec.from_line(codec.to_line(script)), script)

    def test_what_a_script_is(self):
        script = codec.decode(bytes([0x41, 0, 2, 97, 10, 5, 255, 9, 2, 1, 97, 0]))
        self.assertEqual(script, codec.Script(2, "p", (("f", b"a\n"), ("r", -1), ("t", (b"a", b"")))))
        self.assertEqual(codec.to_line(script), "2 p f:a%0A r:-1 t:a,")
        self.assertEqual(codec.to_case(script, "a/b").split("\n")[-1], 'app     r2 = readuntil ("a", "")')

    def test_its_cases_can_be_recorded(self):
        lines = ["2 n f:a%0A%00 l t:a,%0A r:-1 e", "2 p f:aaaaa n:9 c x u:a", "1 n f: e r:0 t: n:-1 k"]
        text = "\n\n".join(codec.to_case(codec.from_line(line), "small/c%d" % i) for i, line in enumerate(lines))
        head = "# SPDX-License-Identifier: MIT\n# Small.\n\n"
        with support.Cases({"small/all.case": head + text + "\n"}) as folder:
            status, said = support.conform("--cases", folder, "--list")
            self.assertEqual(status, 0, said)
            self.assertIn("3 cases", said)

    def test_a_broken_line_is_told(self):
        for line in ("", "1", "1 q", "1 n y", "1 n r"):
            self.assertRaises(ValueError, codec.from_line, line)

    @NEEDS_PROGRAM
    def test_c_and_python_agree(self):
        data = [bytes([1, 9]), bytes([255] * 300)] + [d for d in random_scripts(2000) if d]
        lines = exhaustive.ask([PROGRAM, "--decode"], [d.hex() for d in data])
        self.assertEqual(lines, [codec.to_line(codec.decode(d)) for d in data])
        coded = exhaustive.ask([PROGRAM, "--encode"], lines)
        self.assertEqual(coded, [codec.encode(codec.from_line(line)).hex() for line in lines])


@NEEDS_PROGRAM
class TheModels(unittest.TestCase):
    def test_on_scripts_drawn_at_random(self):
        lines = [codec.to_line(codec.decode(d)) for d in random_scripts(3000)]
        for puts_back in (False, True):
            compared = exhaustive.compare_models(PROGRAM, lines, puts_back)
            self.assertEqual((compared.scripts, compared.differences), (3000, 0), compared.shortest)

    def test_against_the_python_that_runs_this(self):
        lines = [codec.to_line(codec.decode(d)) for d in random_scripts(400)]
        compared = exhaustive.compare_cpython(this_python(), lines)
        self.assertEqual(compared.differences, 0, compared.shortest)
        self.assertGreater(compared.scripts, 100)

    def test_the_sample_closes_the_chain(self):
        said = Said()
        self.assertTrue(exhaustive.judge_models(PROGRAM, [this_python()], 9973, 2, said), said.lines)
        self.assertRegex(said.lines[-1], r"scripts=\d{3,} differences=0$")
        self.assertTrue(any("cpython-" + version.show(this_python().version) in line for line in said.lines))

    def test_a_wrong_model_is_noticed(self):
        said = Said()
        mistake = ["--break", "found-limit-off-by-one"]
        self.assertFalse(exhaustive.judge_models(PROGRAM, [], 9973, 2, said, mistake))
        self.assertTrue(any(line.startswith("case ") for line in said.lines), said.lines)

    def test_it_alone_notices_wrong_readers(self):
        said = Said()
        self.assertTrue(exhaustive.judge_mutants(PROGRAM, this_python(), 29989, 2, said), said.lines)
        caught, of = (int(word.split("=")[1]) for word in said.lines[-1].split())
        self.assertGreaterEqual(caught, exhaustive.MUTANTS)
        self.assertGreaterEqual(of, caught)
        self.assertEqual(sum("scripts, the shortest: " in line for line in said.lines), caught)

    def test_a_player_that_dies_is_told(self):
        dead = oracles.Oracle("/bin/false", "cpython", (3, 13, 0))
        self.assertRaises(exhaustive.Failure, exhaustive.compare_cpython, dead, ["1 n e"])


@NEEDS_PROGRAM
class TheScope(unittest.TestCase):
    def test_nothing_differs_in_it(self):
        status, text = support.conform("--exhaustive", "--exhaustive-program", PROGRAM)
        self.assertEqual(status, 0, text)
        scripts, differences = (int(word.split("=")[1]) for word in text.split("\n")[-2].split())
        self.assertGreaterEqual(scripts, SCOPE_MIN)
        self.assertEqual(differences, 0)
        self.assertGreaterEqual(len(text.split("\n")), 10)      # a line for each part

    def test_a_difference_is_shown_as_the_shortest_case(self):
        said = Said()
        self.assertFalse(exhaustive.judge(PROGRAM, 2, said, ["--part", "line", "--break", "line-overrun-keeps"]))
        for line in ("limit   1", "app     r1 = readline", "# script 1 p l f:aa"):
            self.assertIn(line, said.lines)

    def test_without_the_program_it_says_so(self):
        status, text = support.conform("--exhaustive", "--exhaustive-program", "no-such-program")
        self.assertEqual(status, 3)
        self.assertIn("not built", text)


if __name__ == "__main__":
    unittest.main()

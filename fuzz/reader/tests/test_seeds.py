#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cases become seeds and crashes become cases: what is said is what was meant, in C and in Python.

FUZZ_CASE names the program fuzz-case.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "conformance"))

from rillconf import case, codec, seeds     # noqa: E402  (the path comes first)

CORPUS = ROOT / "fuzz" / "corpus" / "readuntil"
PROGRAM = os.environ["FUZZ_CASE"]


def one_case(text):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "small").mkdir()
        (pathlib.Path(folder) / "small" / "all.case").write_text(text)
        return case.read_all(folder)


class Seeds(unittest.TestCase):
    def test_a_case_is_said(self):
        said, = one_case('case small/a\nrule R-144\nlimit 8\napp r1 = readuntil "x"; drain\npeer send "abc"\npeer shutdown\n'
                         'app set_exception none; read\napp cancel r1\n')
        self.assertEqual(codec.to_line(seeds.script_of(said)), "8 p u:x f:abc e k r:-1 c")
        self.assertEqual(codec.decode(seeds.encode_case(said)), seeds.script_of(said))

    def test_what_has_no_word_is_not_said(self):
        for lines in ("app sleep 1; read", "with server\npeer connect", "app readexactly 1000", "app write \"x\"",
                      "peer send 70*\"x\"\napp read"):
            said, = one_case("case small/a\nrule R-144\n%s\n" % lines)
            self.assertIsNone(seeds.encode_case(said), lines)

    def test_most_cases_about_readers_are_said(self):
        cases = case.read_all(str(ROOT / "conformance" / "cases"))
        with tempfile.TemporaryDirectory() as folder:
            said, files = seeds.write(cases, folder)
            self.assertEqual(len(os.listdir(folder)), files)
        self.assertGreaterEqual(said, 240)

    def test_c_and_python_print_the_same_case_and_the_harness_reads_it(self):
        texts = []
        for number, path in enumerate(sorted(CORPUS.iterdir())[::3]):
            name = "small/c%d" % number
            if not codec.decode(path.read_bytes()).ops:
                continue
            texts.append(seeds.case_from(str(path), name))
            shown = subprocess.run([PROGRAM, "readuntil", name, str(path)], stdout=subprocess.PIPE, encoding="ascii", check=True)
            self.assertEqual(shown.stdout.rstrip("\n"), texts[-1])
        read = one_case("\n\n".join(texts) + "\n")
        self.assertEqual(len(read), len(texts))
        self.assertGreater(len(read), 20)

    def test_a_case_goes_to_a_script_and_back(self):
        for line in ("5 p f:ab%0A l e c r:3", "1 i f:a u:x c", "7 n t:a,bc f:xyz n:2"):
            script = codec.from_line(line)
            back, = one_case(codec.to_case(script, "small/a") + "\n")
            again = [op for op in seeds.script_of(back).ops if op[0] != "c"]
            self.assertEqual(again, [op for op in script.ops if op[0] != "c"])
            self.assertEqual(seeds.script_of(back)[:2], script[:2])


if __name__ == "__main__":
    unittest.main()

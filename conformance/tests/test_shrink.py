# SPDX-License-Identifier: MIT
"""Shrinking: the edits of a script, the fingerprint that stays, the programs that are printed, two wrong testees found and made small."""
import re
import subprocess
import sys
import unittest

import support
from rillconf import live, program, random_scripts, shrink_edits, transcript, verdict

HEAD = "case    a/b\nrule    R-144\n"


def script(text):
    return shrink_edits.from_case(random_scripts.read(HEAD + text))


class Edits(unittest.TestCase):
    ROWS = [
        (shrink_edits.drop_operations, "app r1 = read 1\npeer shutdown\n", ["app r1 = read 1", "peer shutdown"]),
        (shrink_edits.drop_faults, "fault recv 1 EINTR\npeer shutdown\n", ["peer shutdown"]),
        (shrink_edits.drop_statements, 'app a = read 1; b = write "x;y"; close\n', ['app a = read 1; b = write "x;y"']),
        (shrink_edits.unwrap, "go app r1 = catch wait_for 5 read 1\n", ["app r1 = catch wait_for 5 read 1", "go app r1 = wait_for 5 read 1",
                                                                         "go app r1 = catch read 1"]),
        (shrink_edits.unwrap, "app t = timeout 5 { r = read 1 }\n", ["app r = read 1"]),
        (shrink_edits.merge_chunks, 'peer send "ab"\npeer shutdown\npeer send "c"\n', ['peer send "ab" + "c"|peer shutdown',
                                                                                        'peer shutdown|peer send "ab" + "c"']),
        (shrink_edits.split_chunks, 'peer send "abcd"\n', ['peer send "ab"', 'peer send "cd"']),
        (shrink_edits.shorten_bytes, 'app write "xyz"\n', ['app write ""', 'app write "x"', 'app write "yz"', 'app write "xy"']),
        (shrink_edits.shorten_bytes, 'app write 40*"x"\n', ['app write ""', 'app write "xxxxxxxxxxxxxxxxxxxx"']),
        (shrink_edits.lower_numbers, "app read 8\n", ["app read 0", "app read 1", "app read 4", "app read 7"]),
        (shrink_edits.plain_bytes, 'app write "b\\n"\n', ['app write "a\\n"']),
        (shrink_edits.drop_operations, "peer shutdown\n", None)]

    def test_what_each_yields(self):
        for edit, text, want in self.ROWS:
            found = ["|".join(candidate.operations) for candidate in edit(script(text))]
            with self.subTest(edit=edit.__name__, text=text):
                for candidate in want or ():
                    self.assertIn(candidate, found)
                if want is None:
                    self.assertEqual([], found)

    def test_a_limit_goes_down_together_with_the_bytes_that_pass_it(self):
        before = script('peer send "aaaaaaaaa"\n')
        before = shrink_edits.Script(before.header + ("limit   8",), before.operations)
        found = [(candidate.header[-1], candidate.operations) for candidate in shrink_edits.together(before)]
        self.assertIn(("limit   1", ('peer send "aa"',)), found)

    def test_a_sum_of_bytes_is_one_part(self):
        part, = shrink_edits.parts('peer send 3*"ab" + "\\n"')
        self.assertEqual("ababab\n", part.value)
        self.assertEqual('peer send "a\\n"', part.put('peer send 3*"ab" + "\\n"', "a\n"))

    def test_the_size_counts_operations_first(self):
        self.assertEqual([True, False], [script('peer send "%s"\n' % text).sends_nothing() for text in ("", "a")])
        self.assertLess(script('peer send "aaaa"\n').size(), script('peer send "a"\npeer shutdown\n').size())


class Fingerprints(unittest.TestCase):
    def essence(self, text, want, got):
        one = random_scripts.read(HEAD + text)
        return live.essence(verdict.Result(one, None, "mem", verdict.Verdict("DIFF", "api", transcript.Difference(1, want, got))))

    def test_numbers_names_and_bytes_do_not_count(self):
        one = self.essence("app r1 = readexactly 5\n", 'r1 ! IncompleteReadError partial="ab" expected=5 "2 bytes read"', 'r1 -> "abcde"')
        other = self.essence("app x = readexactly 2\n", 'x ! IncompleteReadError partial="a" expected=2 "1 bytes read"', 'x -> "ab"')
        self.assertEqual(one, other)
        self.assertEqual(self.essence("app read\n", "state buffer=5 paused=yes", "state buffer=5"),
                         self.essence("app read\n", "state buffer=9 paused=yes", "state buffer=9"))

    def test_calls_errors_and_fields_do(self):
        rows = [("r1 -> none", "r1 ! ValueError"), ("r1 -> none", "r1 ! OSError"), ("r1 -> none", None), ("state paused=yes", "state buffer=1"),
                ("state buffer=2", "state buffer=1"), ('r1 ! ValueError "a text"', 'r1 ! ValueError "another"')]
        found = {self.essence("app r1 = read 1\n", *row) for row in rows} | {self.essence("app r1 = readline\n", *rows[0])}
        self.assertEqual(len(rows) + 1, len(found))


class Programs(unittest.TestCase):
    ROWS = [
        ("with reader\nlimit 2\napp feed_data \"abc\\n\"\napp r1 = readline; r2 = at_eof\n", ["r1 ! ValueError", "r2 -> False"]),
        ('app r1 = readexactly 5\npeer send "ab"\npeer shutdown\n', ["r1 ! IncompleteReadError('2 bytes read on a total of 5"]),
        ("app r1 = wait_for 5 read 1\nclock advance 5s\n", ["r1 ! TimeoutError()"]),
        ("app r1 = read 1\npeer reset\n", ["r1 ! ConnectionResetError"]),
        ('peer window 2\napp w = write "abcdef"; q = get_write_buffer_size\npeer read 3\npeer read\n',
         ["q -> 4", "peer got b'abc'", "peer got b'def'"]),
        ('app r1 = readuntil ("b", "ab")\napp c1 = cancel r1\npeer send "xab"\n', ["c1 -> True"]),
        ('app t = timeout 5 { r1 = raise ValueError "x"; r2 = sleep 0 }\n', ["r1 ! ValueError('x')\nr2 -> None\nt -> None"]),
        ("app r1 = catch read 1; r2 = read 2\napp c = cancel r1\n", ["c -> True\nr1 ! CancelledError()\nend"]),
        ("app r1 = throw raise ValueError; r2 = sleep 0\n", ["r1 ! ValueError()\nend"]),
        ('app r1 = iterate\npeer send "a\\nb\\n"\n', ["r1 -> b'a\\n'\nr1 -> b'b\\n'\nend"]),
        ("app a1 = sleep 1; raise ValueError \"x\"\nclock advance 1s\n", ["a1 -> None", "ValueError('x')"])]

    def test_they_run_and_show_what_cpython_does(self):
        for text, want in self.ROWS:
            source = program.program(random_scripts.read(HEAD + text))
            done = subprocess.run([sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                                  universal_newlines=True)
            with self.subTest(text):
                self.assertEqual(0, done.returncode, source + done.stdout)
                for words in want:
                    self.assertIn(words, done.stdout, source)

    def test_the_state_is_printed_when_the_difference_is_there(self):
        source = program.program(random_scripts.read(HEAD + 'with reader\napp feed_data "abc"\n'), state=True)
        done = subprocess.run([sys.executable, "-c", source], stdout=subprocess.PIPE, timeout=30, check=True, universal_newlines=True)
        self.assertIn("buffer 3 paused False", done.stdout)

    def test_the_state_is_printed_after_the_loss_too(self):
        source = program.program(random_scripts.read(HEAD + "peer reset\napp r1 = read 1\n"), state=True)
        done = subprocess.run([sys.executable, "-c", source], stdout=subprocess.PIPE, timeout=30, check=True, universal_newlines=True)
        self.assertIn("closing True", done.stdout)

    def test_what_none_can_show_is_refused(self):
        for text in ("with server\npeer connect\n", "fault recv 1 EINTR\n", "app t = timeout 5 { spawn x { sleep 1 } }\n"):
            with self.assertRaises(program.NoProgram):
                program.program(random_scripts.read(HEAD + text))


class TheCommand(unittest.TestCase):
    def test_wrong_testees_are_found_and_made_small(self):
        code, text = support.conform("--random", "600", "--seed", "1", "--mutants", "limit-off-by-one", "low-water-exclusive")
        self.assertEqual(0, code, text)
        self.assertRegex(text, r"found=2 of=2 median_bytes=\d+ good=2")
        for operations, size in re.findall(r"bytes -> (\d+), (\d+) in", text):
            self.assertLessEqual(int(operations), 6)
            self.assertLessEqual(int(size), 24)

    def test_a_written_case_shrinks_and_its_program_runs(self):
        code, text = support.conform("--testee", "wrong:read-one-less", "--backend", "tcp,mem", "--shrink", "reader/read-takes-what-is-there")
        self.assertEqual(1, code, text)
        for words in ("case    reader/", "# want", "# got", "import asyncio", "asyncio.run(main())", "same all the way: DIFF read"):
            self.assertIn(words, text)

    def test_what_does_not_differ_is_said(self):
        code, text = support.conform("--testee", "cpython", "--backend", "mem", "--shrink", "random:1:1")
        self.assertEqual(0, code, text)
        self.assertIn("does not differ", text)


if __name__ == "__main__":
    unittest.main()

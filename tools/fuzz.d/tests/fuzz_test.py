# SPDX-License-Identifier: MIT
"""tools/fuzz with a fake fuzzer: runs, finds, the log, corpora, wrong usage. Nothing is built and nothing is fuzzed.

usage: fuzz_test.py TOOLS-FUZZ
"""
import contextlib
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
COMMAND = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "tools/fuzz")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from driver import campaigns, corpus, coverage, engine, finds, live, main, targets  # noqa: E402

NAMES = ("bad", "broken", "busy", "deaf", "good")
SUM = re.compile(r"^(\S+): seconds=(\d+) cpu=(\d+) execs=(\d+) exec/s=\d+ exec/cpu-s=\d+ cov=12 ft=34 corpus=5 finds=(\d+)$", re.M)


class Case(unittest.TestCase):
    """Each test has a project of its own: corpora, and programs that are the fake one under several names."""

    def setUp(self):
        self.home = os.path.realpath(tempfile.mkdtemp(prefix="rill-fuzz-test-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.programs = os.path.join(self.home, "bin")
        os.mkdir(self.programs)
        for name in NAMES:
            os.makedirs(os.path.join(self.home, "fuzz", "corpus", name))
            self.seed(name, b"seed")
            program = os.path.join(self.programs, name)
            shutil.copy(os.path.join(HERE, "fake_fuzzer.py"), program)
            with open(program) as file:
                text = file.read()
            with open(program, "w") as file:
                file.write("#!%s\n" % sys.executable + text.partition("\n")[2])
            os.chmod(program, 0o755)

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def seed(self, target, data, name=None):
        path = self.path("fuzz", "corpus", target, name or hashlib.sha1(data).hexdigest())
        with open(path, "wb") as file:
            file.write(data)
        return path

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def read(self, *parts):
        with open(self.path(*parts), errors="replace") as file:
            return file.read()

    def command(self, *arguments):
        return [sys.executable, COMMAND, "--home", self.home, "--bin", self.programs] + list(arguments)

    def fuzz(self, *arguments, want=0):
        """The command, in this process; what it printed."""
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                status = main.main(self.command(*arguments)[2:])
            except SystemExit as end:
                status = end.code
        self.assertEqual(status, want, out.getvalue() + errors.getvalue())
        return out.getvalue() if want in (0, 1) else out.getvalue() + errors.getvalue()

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, universal_newlines=True)


class Run(Case):
    def test_a_clean_run_ends_with_its_sum_and_a_line_in_the_log(self):
        said = self.fuzz("good", "--seconds", "0.3", "--log")
        name, _, _, executed, found = SUM.search(said).groups()
        self.assertEqual((name, found), ("good", "0"))
        self.assertGreaterEqual(int(executed), 1000)
        self.fuzz("good", "--seconds", "0.1", "--log")
        report = self.fuzz("--report")
        self.assertRegex(report, r"(?m)^good +2 +\d+ +\d+ +0  \d{4}-\d\d-\d\d 0$")
        self.assertRegex(report, r"(?m)^bad +0 +0 +0 +0  never$")
        runs = campaigns.read(self.home)
        self.assertEqual([run.target for run in runs], ["good", "good"])
        self.assertEqual(runs[0].execs, int(executed))
        self.assertIn("targets=%d " % len(NAMES), report)
        alone = self.fuzz("--report", "bad").splitlines()
        self.assertEqual([line.split()[0] for line in alone], ["target", "bad", "targets=1"])
        self.assertIn(" execs=0 ", alone[-1])

    def test_a_find_is_named_and_the_other_targets_go_on(self):
        said = self.fuzz("bad", "good", "--seconds", "0.5", "--jobs", "2", want=1)
        self.assertIn("FIND bad: mismatch_result: libFuzzer: deadly signal\n  | wanted b'abc'\n  | got    b'ab'\n", said)
        self.assertIn("keep    tools/fuzz bad --case build/fuzz-finds/bad/crash-1234 --name AREA/TOPIC", said)
        self.assertIn("again   bin/bad build/fuzz-finds/bad/crash-1234\n", said)
        sums = {match[0]: match for match in SUM.findall(said)}
        self.assertEqual((sums["bad"][3], sums["bad"][4], sums["good"][4]), ("5000", "1", "0"))

    def test_more_jobs_than_targets_share_a_corpus(self):
        said = self.fuzz("good", "--seconds", "0.5", "--jobs", "2")
        self.assertEqual(len(SUM.findall(said)), 1)
        for log in ("good.log", "good-2.log"):
            self.assertIn("%s %s" % (self.path("build", "fuzz-corpus", "good"), self.path("fuzz", "corpus", "good")),
                          self.read("build", "fuzz-logs", log))

    def test_processor_time_is_what_cpu_counts(self):
        said = self.fuzz("busy", "--seconds", "0.4", "--cpu", "--log")
        self.assertEqual(len(SUM.findall(said)), 1)
        self.assertGreaterEqual(campaigns.read(self.home)[0].cpu_seconds, 0.4)

    def test_options_dictionary_and_what_stands_behind_dashes_reach_the_engine(self):
        self.write("fuzz/good.options", "# words\n[libfuzzer]\nmax_len = 99\ndict = good.dict\n[asan]\nquarantine_size_mb = 1\n")
        self.write("fuzz/good.dict", '"GET"\n')
        self.fuzz("good", "--seconds", "0.1", "--empty", "--", "-seed=7")
        flags = re.search("^flags: (.*)$", self.read("build", "fuzz-logs", "good.log"), re.M).group(1).split()
        self.assertIn("-max_len=99", flags)
        self.assertIn("-dict=" + self.path("fuzz", "good.dict"), flags)
        self.assertIn("-seed=7", flags)
        self.assertNotIn("-dict=good.dict", flags)
        self.assertNotIn(self.path("fuzz", "corpus", "good"), flags)
        self.assertIn("quarantine_size_mb=1", engine.environment_of(targets.Target(self.home, "good"))["ASAN_OPTIONS"])

    def test_ctrl_c_ends_with_what_is_known(self):
        running = self.start("good", "busy", "--seconds", "50", "--jobs", "2", "--log")
        logs = [("build", "fuzz-logs", name) for name in ("good.log", "busy.log")]
        until = time.monotonic() + 20
        while time.monotonic() < until and not all(
                os.path.exists(self.path(*log)) and "#1000\t" in self.read(*log) for log in logs):
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        said, errors = running.communicate(timeout=20)
        self.assertEqual(running.returncode, 130, said + errors)
        self.assertEqual(sorted(match[0] for match in SUM.findall(said)), ["busy", "good"])
        self.assertIn("interrupted", errors)
        self.assertEqual(len(campaigns.read(self.home)), 2)

    def test_a_fuzzer_that_does_not_end_is_killed(self):
        target = targets.Target(self.home, "deaf")
        fuzzer = engine.Fuzzer(target, os.path.join(self.programs, "deaf"), [target.corpus], None)
        fuzzer.start()
        fuzzer.stop()
        fuzzer.asked -= engine.PATIENCE + 1
        fuzzer.stop()
        fuzzer.reader.join(20)
        self.assertTrue(fuzzer.done)
        self.assertFalse(fuzzer.failed())

    def test_a_program_that_does_not_start_is_no_find(self):
        self.assertIn("a library is missing\n", self.fuzz("broken", "--seconds", "1", want=3))
        os.unlink(os.path.join(self.programs, "good"))
        self.assertIn("No such file", self.fuzz("good", "--seconds", "1", want=3))


class Usage(Case):
    def test_wrong_usage_is_told(self):
        for arguments, words in (
                ([], "name a target"), (["nothing"], "no such target: nothing"), (["--report", "nothing"], "no such target: nothing"), (["good", "--all"], "one of the two"),
                (["good", "--seconds", "0"], "not above 0"), (["--list", "--report"], "one at a time"),
                (["--coverage", "--seconds", "4"], "no option of a run"), (["good", "--html", "x"], "goes with --coverage"),
                (["good", "--case", "x"], "go together"), (["--case", "x", "--name", "a/b"], "the one target"),
                (["good", "--empty", "--minimise"], "keeps no corpus"), (["good", "--minimise", "--log"], "runs nothing"),
                (["good", "--case", "/no/file", "--name", "a/b"], "no file /no/file"),
                (["good", "--case", COMMAND, "--name", "a b"], "AREA/TOPIC")):
            with self.subTest(arguments):
                self.assertIn(words, self.fuzz(*arguments, want=2))

    def test_a_log_that_cannot_be_read_names_its_line(self):
        self.write("fuzz/campaigns.txt", "# head\n2026-01-01 good abc cpu-seconds=1 execs=2 finds=0\nyesterday\n")
        self.assertIn("fuzz/campaigns.txt:3: not a line", self.fuzz("--report", want=2))

    def test_options_that_cannot_be_read_name_their_file(self):
        self.write("fuzz/good.options", "max_len = 9\n")
        self.assertIn("good.options", self.fuzz("good", "--seconds", "1", want=2))

    def test_the_list_counts_committed_inputs(self):
        self.seed("good", b"another")
        self.assertIn("good               inputs=2 bytes=11\n", self.fuzz("--list"))


class Corpora(Case):
    def names(self, target="good"):
        return sorted(os.listdir(self.path("fuzz", "corpus", target)))

    def test_a_corpus_is_made_anew_and_named_seeds_stay(self):
        self.seed("good", b"seed", "limit-one-below")  # reaches nothing new, and keeps something fixed
        os.makedirs(self.path("build", "fuzz-corpus", "good"))
        shutil.copy(self.seed("bad", b"grown"), self.path("build", "fuzz-corpus", "good"))
        said = self.fuzz("good", "--minimise")
        self.assertIn("good: corpus of 2 files, 9 bytes (before: 2, 8)\n", said)
        self.assertEqual(self.names(), sorted(["limit-one-below", hashlib.sha1(b"grown").hexdigest()]))

    def test_too_many_inputs_are_told_apart_more_coarsely(self):
        for number in range(corpus.FILES_MAX + 50):
            self.seed("good", b"%c%d" % (65 + number % 20, number))
        self.fuzz("good", "--minimise")
        self.assertEqual(len(self.names()), 21)     # 20 first letters and the `s` of the first seed

    def test_what_is_still_too_much_goes_the_largest_first(self):
        for number in range(5):
            self.seed("good", b"%c" % (65 + number) * (number + 1) * 40000)
        said = self.fuzz("good", "--minimise")
        self.assertIn("2 too large ones left out", said)
        self.assertEqual(len(self.names()), 4)

    def test_an_input_of_a_reader_becomes_a_case_too(self):
        os.makedirs(self.path("fuzz", "corpus", "limit"))
        self.write("bin/fuzz-case", "#!/bin/sh\necho \"case    $2\nlimit   3\napp     r1 = $1\"\n")
        os.chmod(self.path("bin", "fuzz-case"), 0o755)
        self.write("crash", "boom")
        for name in ("limit/one-below", "limit/two-below"):
            said = self.fuzz("limit", "--case", self.path("crash"), "--name", name)
        self.assertIn("tools/conform --no-rill --bless limit/two-below\n", said)
        self.assertEqual(self.names("limit"), ["limit-one-below", "limit-two-below"])
        self.assertEqual(self.read("conformance", "cases", "limit", "fuzz.case"),
                         "# What fuzzing found.\n\ncase    limit/one-below\nlimit   3\napp     r1 = limit\n"
                         "\ncase    limit/two-below\nlimit   3\napp     r1 = limit\n")

    def test_what_cannot_be_told_as_a_case_keeps_nothing(self):
        os.makedirs(self.path("fuzz", "corpus", "limit"))
        self.write("crash", "boom")
        self.fuzz("limit", "--case", self.path("crash"), "--name", "limit/one-below", want=3)
        self.assertEqual(self.names("limit"), [])

    def test_an_input_becomes_a_named_seed(self):
        self.write("crash", "boom")
        self.fuzz("good", "--case", self.path("crash"), "--name", "limit/one-below")
        self.assertEqual(self.read("fuzz", "corpus", "good", "limit-one-below"), "boom")
        self.assertIn("there is", self.fuzz("good", "--case", self.path("crash"), "--name", "limit/one-below", want=2))


class Words(unittest.TestCase):
    """What is read from other programs' lines, and how things are said."""

    def test_a_leak_and_an_undefined_behaviour_are_named(self):
        log = ["#5\tNEW    cov: 1 ft: 1 corp: 1/1b", "==7==ERROR: LeakSanitizer: detected memory leaks",
               "    #0 0x4 in malloc (/x/y+0x1)", "    #1 0x5 in rill__alloc /p/core/sansio/memory.c:12:5",
               "SUMMARY: AddressSanitizer: 64 byte(s) leaked in 1 allocation(s)."]
        self.assertEqual(finds.describe(log, "/p"), ("rill__alloc: AddressSanitizer: 64 byte(s) leaked in 1 allocation(s).", []))
        log = ["/p/core/sansio/buffer.c:3:4: runtime error: index 5 out of bounds", "    #0 0x4 in grow /p/core/sansio/buffer.c:3:4"]
        self.assertEqual(finds.describe(log, "/p")[0], "grow: core/sansio/buffer.c:3:4: runtime error: index 5 out of bounds")

    def test_lcov_is_summed_and_missing_places_are_told(self):
        lcov = """SF:/p/core/sansio/a.c\nDA:1,5\nDA:2,0\nDA:3,0\nDA:9,1\nBRDA:1,0,0,4\nBRDA:1,0,1,-\nend_of_record
SF:/p/core/loop/b.c\nDA:1,0\nend_of_record\nSF:/p/core/sansio/tests/t.c\nDA:1,0\nend_of_record
SF:/p/core/sansio/a.c\nDA:3,7\nend_of_record\n"""
        sources = coverage.parse(lcov, "/p")
        self.assertEqual(list(sources), ["core/sansio/a.c"])
        out = io.StringIO()
        coverage.print_missing(sources, out)
        self.assertEqual(out.getvalue(), "core/sansio/a.c: lines never reached: 2\n"
                                         "core/sansio/a.c: lines with a branch never taken: 1\n")
        out = io.StringIO()
        self.assertFalse(coverage.print_table(sources, out))
        self.assertIn("all            lines=75.00% (3 of 4) branches=50.00% (1 of 2)\n", out.getvalue())
        self.assertIn("NOT REACHED", out.getvalue())
        full = {"core/tls/a.c": coverage.Source({1: 1}, {(1, 0, 0): 1})}
        self.assertTrue(coverage.print_table(full, io.StringIO()))
        self.assertEqual(coverage.ranges([5, 3, 4, 9]), "3-5 9")

    def test_a_pipe_gets_a_line_now_and_then(self):
        class Running:
            name, progress, began = "good", engine.Progress(1000, 12, 34, 5), 0.0
            elapsed, left, finds = (lambda self: 2.0), (lambda self: 58.5), (lambda self: [])
        out, running = io.StringIO(), Running()
        shown = live.Live(out)
        shown.show([running])
        shown.show([running])   # not yet again
        self.assertEqual(out.getvalue(), "good: execs=1000 exec/s=500 cov=12 ft=34 corpus=5 left=58s finds=0\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

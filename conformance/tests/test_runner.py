# SPDX-License-Identifier: MIT
"""The command as a whole against testees that misbehave: each verdict, each report, each exit code."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as tree

import support
from rillconf import case, runner
from rillconf.testee import Testee

CASE = """case    area/one
rule    R-123
record  3.13.0 script=%s
app     r1 = read 5
        r1 -> "%s"
"""


def fake(manner):
    return "%s %s %s" % (sys.executable, os.path.join(support.HOME, "tests", "fake_testee.py"), manner)


def recorded(value="abc", extra="", name="one"):
    text = CASE.replace("area/one", "area/" + name)
    one = case.FileReader("cases/area/x.case", text % ("0", value)).read()[1][0]
    return {"area/x.case": text % (one.script_digest(), value) + extra}


class Commands(unittest.TestCase):
    def run_fake(self, manner, *options, **keywords):
        with support.Cases(recorded(**keywords)) as folder:
            return support.conform("--cases", folder, "--testee", fake(manner), "--backend", "mem", *options)

    def test_each_verdict_and_its_exit_code(self):
        rows = [("good", (), 0, "SAME 1"), ("crash", (), 1, "CRASH 1"), ("hang", ("--timeout", "1"), 1, "HANG 1"),
                ("leak", (), 1, "LEAK 1"), ("flaky", (), 1, "FLAKY 1"), ("protocol", (), 3, "protocol 1"),
                ("eager", (), 3, "invented"), ("bad-end", (), 1, "exit status 23 at its end"),
                ("good", ("--repeat", "7"), 0, "replays=7 flaky=0"), ("flaky", ("--repeat", "7"), 1, "replays=2 flaky=1"),
                ("crash", ("--repeat", "7"), 1, "CRASH 1")]
        for manner, options, want_code, want_text in rows:
            with self.subTest(manner):
                code, text = self.run_fake(manner, *options)
                self.assertEqual(want_code, code, text)
                self.assertIn(want_text, text)

    def test_ports_that_meet_by_chance_do_not_change_a_transcript(self):
        """Two addresses can get the same ephemeral port: such a run is played again, unless the script always does that."""
        rows = [("ports", "('a', {server}) ('b', {server2}) 4712"), ("ports-always", "('a', {server2}) ('b', {server2}) 4712")]
        for manner, value in rows:
            with self.subTest(manner):
                code, text = self.run_fake(manner, "--repeat", "9", value=value)
                self.assertEqual(0, code, text)
                self.assertIn("replays=9 flaky=0", text)

    def test_a_difference_has_an_address_and_a_line_to_repeat_it(self):
        code, text = self.run_fake("good", value="other")
        self.assertEqual(1, code)
        for words in ("DIFF(api) area/one", "x.case:1", "step 1, line 4: app     r1 = read 5", 'want  r1 -> "other"',
                      'got   r1 -> "abc"', "again tools/conform --testee", "--backend mem", "'area/one'", "R-123"):
            self.assertIn(words, text)

    def test_a_crash_is_pinned_to_its_step_and_shows_stderr(self):
        code, text = self.run_fake("crash")
        self.assertIn("step 1, line 4", text)
        self.assertIn("about to fail", text)
        self.assertIn("signal 6", text)

    def test_the_rest_goes_on(self):
        """One case crashes or hangs, pinned to its step; those before and behind it are judged as ever."""
        text = "\n".join(recorded(name=name)["area/x.case"] for name in ("a", "bad", "c", "d"))
        for manner, verdict in (("crash", "CRASH"), ("hang", "HANG")):
            with self.subTest(manner), support.Cases({"area/x.case": text}) as folder:
                code, text_out = support.conform("--cases", folder, "--testee", fake(manner + "@bad"), "--backend", "mem", "-j", "1",
                                                 "--timeout", "2")
                self.assertEqual(1, code)
                self.assertIn("%s area/bad" % verdict, text_out)
                self.assertIn("step 1, line", text_out)
                self.assertRegex(text_out, r"SAME 3 .*%s 1" % verdict)

    def test_a_crashed_testee_is_started_again(self):
        testee = Testee("fake", fake("crash").split(), 10)
        try:
            self.assertEqual(["crash", "crash"], [testee.run({"run": "a/b"}).how for _ in range(2)])
        finally:
            testee.stop(kill=True)

    def test_reports(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a.json", "a.xml")]
            self.run_fake("good", "--json", paths[0], "--junit", paths[1], value="other")
            with open(paths[0]) as file:
                whole = json.load(file)
            self.assertEqual("summary", list(whole)[0])
            self.assertEqual({"SAME": 0, "KNOWN": 0, "DIFF": 1, "SKIP": 0, "CRASH": 0, "HANG": 0, "LEAK": 0, "FLAKY": 0,
                              "ORACLE-DRIFT": 0}, whole["summary"]["verdicts"])
            self.assertEqual([], whole["summary"]["rules_covered"])
            self.assertIn("R-123", whole["summary"]["rules_open"])
            self.assertEqual(("area/one", "DIFF", 1), tuple(whole["results"][0][key] for key in ("case", "verdict", "step")))
            suite = tree.parse(paths[1]).getroot()[0]
            self.assertEqual(("1", "1"), (suite.get("tests"), suite.get("failures")))

    def test_usage(self):
        rows = [(("--backend", "carrier-pigeon"), 2, "unknown backend"), (("no/such/case",), 2, "no case matches"),
                (("--no-such-option",), 2, "unrecognized"), (("--testee", "/no/such/program"), 3, "cannot start"),
                (("--oracle-only", "3.99.0"), 3, "no CPython 3.99.0"), (("--oracle", "/bin/false"), 2, "does not answer"),
                (("--oracle", "9.9"), 2, "--oracle 9.9 is no program"), (("-j", "0"), 2, "not above 0"),
                (("--repeat", "0"), 2, "not above 0"), (("--timeout", "nan"), 2, "not above 0"),
                (("--json", "/nonexistent/x"), 2, "No such file"), (("--junit", "/"), 2, "Is a directory"),
                (("--help",), 0, "exit codes"), (("--list", "errors"), 0, "errors/bad-port")]
        for arguments, want_code, want_text in rows:
            with self.subTest(arguments):
                code, text = support.conform(*arguments)
                self.assertEqual((want_code, True), (code, want_text in text), text)

    def test_ctrl_c(self):
        """While the second case hangs, and longer than anybody waits: there is no other moment in which the signal could come."""
        text = "\n".join(recorded("other", name=name)["area/x.case"] for name in ("a", "bad"))
        with support.Cases({"area/x.case": text}) as folder:
            command = [sys.executable, support.HOME, "--cases", folder, "--testee", fake("hang@bad"), "--backend", "mem", "-j", "1"]
            running = subprocess.Popen(command + ["--timeout", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       start_new_session=True, universal_newlines=True)
            first = running.stdout.readline()
            os.killpg(running.pid, signal.SIGINT)
            rest = running.communicate(timeout=60)[0]
        self.assertIn("DIFF(api) area/a", first)
        self.assertIn("interrupted", rest)
        self.assertNotIn("Traceback", rest)
        self.assertEqual(130, running.returncode)

    def test_a_pipe_closed_early(self):
        for arguments in (["--rules"], ["--list"], ["--testee", "cpython", "--backend", "mem", "errors"]):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run([sys.executable, support.HOME] + arguments, stdout=writer, stderr=subprocess.PIPE,
                                  timeout=120, check=False, universal_newlines=True)
            os.close(writer)
            self.assertEqual((141, ""), (done.returncode, done.stderr), arguments)

    def test_a_mistake_in_a_case_file(self):
        with support.Cases({"area/x.case": "case area/x\nrule R-101\napp frobnicate\n"}) as folder:
            code, text = support.conform("--cases", folder)
        self.assertEqual(2, code)
        self.assertIn("x.case:3: unknown call frobnicate", text)

    def test_an_unrecorded_case_fails(self):
        with support.Cases({"area/x.case": "case area/x\nrule R-101\napp read 5\n"}) as folder:
            code, text = support.conform("--cases", folder, "--testee", fake("good"), "--backend", "mem")
        self.assertEqual(1, code)
        self.assertIn("never recorded", text)

    def test_fail_fast(self):
        more = recorded("other")["area/x.case"].replace("area/one", "area/two")
        code, text = self.run_fake("good", "--fail-fast", "-j", "1", value="other", extra=more)
        self.assertEqual(1, code)
        self.assertIn("DIFF 1", text)

    def test_a_capability_that_is_missing_skips(self):
        code, text = self.run_fake("good", value="other", extra="")
        with support.Cases({"area/x.case": recorded("x")["area/x.case"].replace("R-123", "R-123\nneeds   uncancel")}) as folder:
            code, text = support.conform("--cases", folder, "--testee", fake("good"), "--backend", "mem")
        self.assertEqual(1, code, text)
        self.assertIn("nothing ran: every case was skipped", text)
        self.assertIn("SKIP 1", text)


class Columns(unittest.TestCase):
    RECORDED = [(3, 11, 2), (3, 11, 7), (3, 13, 0)]

    def test_the_release_next_to_an_unrecorded_one(self):
        rows = [((3, 11, 2), (3, 11, 2)), ((3, 11, 4), (3, 11, 2)), ((3, 11, 9), (3, 11, 7)), ((3, 13, 5), (3, 13, 0)),
                ((3, 12, 3), None)]
        for wanted, want in rows:
            self.assertEqual(want, runner.nearest(wanted, self.RECORDED))


class Releases(unittest.TestCase):
    """A CPython against recordings: its own column, its neighbour's, and a column that it no longer matches."""

    def compare(self, live, recorded, value="abc"):
        class Options:
            jobs = 1
        one = case.FileReader("cases/area/x.case", CASE.replace("3.13.0", recorded) % ("0", "abc")).read()[1][0]
        one.digest = one.script_digest()
        player = runner.Player("cpython", [], oracle=True)
        player.hello = {"implementation": "CPython", "version": live}
        run = runner.Runner([], Options, None)
        event = {"ev": "result", "step": 1, "id": "r1", "bytes": value}
        verdict = run.compare(runner.Job(player, one, "mem"), runner.transcript.render([event]))
        return str(verdict), run.drifts

    def test_verdicts(self):
        drift = "SKIP(3.11.9 is not recorded and differs from 3.11.7)"
        rows = [("3.11.7", "3.11.7", "abc", "SAME", 0), ("3.11.7", "3.11.7", "x", "ORACLE-DRIFT", 0),
                ("3.11.9", "3.11.7", "abc", "SAME", 0), ("3.11.9", "3.11.7", "x", drift, 1),
                ("3.12.3", "3.11.7", "abc", "SKIP(no recording near 3.12.3)", 0)]
        for live, recorded, value, want, drifts in rows:
            with self.subTest(live=live, value=value):
                got, found = self.compare(live, recorded, value)
                self.assertEqual((want, drifts), (got, len(found)))


class TheCPythonTestee(unittest.TestCase):
    def skipped(self, **changes):
        message = {"run": "a/b", "backend": "mem", "with": "nothing", "ops": []}
        message.update(changes)
        testee = Testee("cpython", [sys.executable, support.CPYTHON], 20)
        try:
            return testee.run(message)
        finally:
            testee.stop()

    def test_what_it_does_not_know_it_skips_before_it_does_anything(self):
        def app(*calls):
            return [{"op": "app", "task": "t", "calls": list(calls)}]
        bad = {"call": "frobnicate", "id": "x"}
        rows = [{"ops": [{"op": "teleport"}]}, {"backend": "carrier-pigeon"}, {"ops": app(bad)},
                {"ops": app({"call": "log", "id": "l", "text": "first"}, bad)},
                {"ops": app({"call": "spawn", "id": "s", "task": "u", "body": [bad]})},
                {"ops": app({"call": "wait_for", "id": "s", "seconds": 1, "inner": bad})},
                {"with": "server", "backend": "tcp", "handler": {"kind": "task", "calls": [bad]}}]
        for changes in rows:
            with self.subTest(changes):
                outcome = self.skipped(**changes)
                self.assertEqual(("skip", []), (outcome.how, outcome.events))

    def test_an_empty_script_ends(self):
        self.assertEqual("end", self.skipped().how)


if __name__ == "__main__":
    unittest.main()

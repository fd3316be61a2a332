# SPDX-License-Identifier: MIT
"""One short run of tools/bench: is everything there, in the shape that is promised, and would a wrong answer be seen?

Never looks at a time. usage: bench_smoke.py TOOLS-BENCH DIR-OF-PROGRAMS
"""
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH, PROGRAMS = sys.argv[1:3]
SHORT = ["--rounds", "1", "--seconds", "0.1", "--warmup", "0.05", "--connections", "20"]
PLAIN_WORKS = ["echo1", "echo64", "echo1000", "lines", "bulk", "readuntil", "connections", "idle", "startup"]
ALONE = ["coro-switch1", "coro-ring64", "coro-life", "reader-line", "reader-copied", "reader-until", "reader-bytes"]
TLS_WORKS = ["tls-bulk", "tls-echo64", "tls-handshakes", "tls-idle"]
WORKS = PLAIN_WORKS + TLS_WORKS
NAMES_POSSIBLE = """
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from driver import main, works
setup = main.Setup(sys.argv[2], main.parse([]), None)
print(json.dumps([work.name for work in main.possible(setup, works.WORKS, [], sys.stderr)]))
"""
FIGURES = ["ratio", "lo", "hi", "operations_per_cpu_s", "cpu_us"]


def bench(*arguments, programs=PROGRAMS, **environment):
    return subprocess.run([sys.executable, BENCH, "--bin", programs, "--python", sys.executable, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          env=dict(os.environ, **environment), timeout=250)


class Run(unittest.TestCase):
    def document(self, *arguments):
        done = bench(*SHORT, "--json", "-", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), done.stderr

    def test_every_work_and_peer_has_a_row(self):
        document, table = self.document("--no-calls", "--peers", "rill,raw,asyncio", *WORKS)
        peers = [peer["name"] for peer in document["peers"]]
        self.assertEqual([peer["name"] for peer in document["peers"] if peer["missing"]], [])
        self.assertEqual(len(peers), 3)
        self.assertEqual(sorted(row["work"] for row in document["rows"]), sorted(WORKS))
        for row in document["rows"]:
            self.assertIn(row["reached"], (None, False), "one round cannot judge, nor can 20 connections")
            self.assertEqual(row["base"], "raw")
            self.assertGreaterEqual(row["rounds"], 1, "a disturbed round is made up for")
            self.assertIn("\n%-15s %s" % (row["work"], row["parts"][0]["what"]), table)
        self.assertEqual(sorted((row["work"], row["peer"]) for row in document["measured"]),
                         sorted((work, peer) for work in WORKS for peer in peers))
        for row in document["measured"]:
            for name in FIGURES:
                self.assertTrue(math.isfinite(row[name]) and row[name] > 0, (name, row))
            self.assertEqual((row["base"], row["calls"]), ("raw", None))
            self.assertGreaterEqual(row["rounds"], 1)
            self.assertIn("%-14s %-15s" % (row["work"], row["peer"]), table)
            if row["work"] in ("idle", "tls-idle"):
                self.assertEqual(row["connections"], 20)
                if row["work"] == "tls-idle":
                    self.assertGreater(row["bytes_each"], 4096, "an OpenSSL session alone is larger")
                self.assertGreaterEqual(row["rss_bytes_each"], row["bytes_each"])
                self.assertIn("%s, %s: an idle connection holds" % (row["work"], row["peer"]), table)
            else:
                self.assertEqual((row["bytes_each"], row["rss_bytes_each"], row["connections"]), (None, None, None))
        for one in document["rounds"]:
            for window in one["windows"].values():
                self.assertGreater(window["operations"], 0)

    @unittest.skipUnless(shutil.which("strace"), "strace is missing")
    def test_an_echo_costs_one_receive_and_one_send(self):
        document, _ = self.document("echo64", "tls-echo64", "--peers", "rill,raw")
        self.assertEqual(len(document["measured"]), 4)
        for row in document["measured"]:
            calls = row["calls_by_name"]
            self.assertIsNotNone(calls, "strace may not trace here" if row["peer"] == "raw" else row)
            received = sum(calls.get(name, 0) for name in ("recvfrom", "recvmsg", "readv", "read"))
            sent = sum(calls.get(name, 0) for name in ("sendto", "sendmsg", "writev", "write"))
            self.assertAlmostEqual(received, 1, delta=0.01, msg=row)     # strace may split one of thousands
            self.assertAlmostEqual(sent, 1, delta=0.01, msg=row)
            self.assertLess(calls.get("epoll_ctl", 0), 0.01, row)

    def test_the_programs_that_measure_themselves(self):
        with tempfile.TemporaryDirectory() as folder:
            plot = os.path.join(folder, "plot.svg")
            document, table = self.document("--peers", "raw", "--svg", plot, "startup", *self.possible_alone())
            self.assertTrue(os.path.getsize(plot) > 0)
        for row in document["measured"]:
            self.assertTrue(math.isfinite(row["ratio"]) and row["ratio"] > 0, row)
            self.assertIn("%-14s" % row["work"], table)
        self.assertEqual([row["work"] for row in document["rows"] if row["reached"] is not None], [])

    def possible_alone(self):
        """Without those that need Boost.Context where it is not."""
        printed = subprocess.run([os.path.join(PROGRAMS, "bench-coro"), "life", "1", "1"], stdout=subprocess.PIPE, check=True)
        return [work for work in ALONE if work.startswith("reader") or "boost" in json.loads(printed.stdout)]

    def test_cost_as_work_grows(self):
        done = subprocess.run([sys.executable, os.path.join(HERE, "scale_short.py"), os.path.dirname(HERE), PROGRAMS],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=250)
        self.assertEqual(done.returncode, 0, done.stderr)
        curves = json.loads(done.stdout)
        self.assertEqual([curve["name"] for curve in curves], ["connections", "socket-lines", "socket-limits", "lines", "limits", "bytes"])
        for curve in curves:
            self.assertEqual(len({point["x"] for point in curve["points"]}), 2)
            self.assertTrue(all(point["value"] > 0 for point in curve["points"]), curve)
        self.assertIn("2 server processes: at most 150 descriptors each", [point["why"] for point in curves[0]["points"]])

    def test_a_missing_peer_is_named(self):
        done = bench("--peers", "raw,asyncio", "--python", "no-such-python", "--no-calls", *SHORT, "lines")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("MISSING asyncio(no-such-python): no such interpreter", done.stdout)

    def test_without_openssl_the_tls_works_are_named_and_left_out(self):
        with tempfile.TemporaryDirectory() as empty:
            done = bench("--peers", "raw", "--no-calls", *SHORT, "--json", "-", "startup", "tls-bulk", PATH=empty)
            self.assertEqual((done.returncode, done.stdout), (1, ""), "what was asked for cannot be left out")
            self.assertIn("MISSING openssl", done.stderr)
            done = subprocess.run([sys.executable, "-c", NAMES_POSSIBLE, os.path.dirname(HERE), PROGRAMS], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, universal_newlines=True, env=dict(os.environ, PATH=empty),
                                  timeout=60, check=True)
            names = json.loads(done.stdout)     # what remains when nothing was asked for
            self.assertEqual([name for name in names if name in WORKS], PLAIN_WORKS)
            self.assertIn("MISSING tls-idle: openssl", done.stderr)
            done = bench("--peers", "raw", "--no-calls", *SHORT, "tls-bulk", PATH=empty)
            self.assertEqual(done.returncode, 1)
            self.assertIn("MISSING openssl", done.stderr)

    def test_wrong_arguments(self):
        for arguments, want in ((["nothing"], "no such work: nothing"), (["--peers", "x"], "no such peer: x")):
            done = bench(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(want, done.stderr)


class WrongServers(unittest.TestCase):
    """A server that answers wrongly has no figure: the run fails and says why."""

    ROWS = [
        ("echo1", "other_byte", "wrong answer"),
        ("echo1", "too_much", "wrong answer"),
        ("echo64", "old_line", "wrong answer"),
        ("echo1", "early_end", "the server closed it"),
        ("echo64", "never_ends", "did not end it"),
        ("lines", "one_line_more", "the server counted"),
        ("lines", "early_end", "cannot send lines"),
        ("readuntil", "one_line_more", "the server counted"),
        ("startup", "other_byte", "wrong answer"),
        ("startup", "early_end", "did not start, or did not answer"),
        ("bulk", "too_much", "wrong answer"),
        ("connections", "other_byte", "wrong answer"),
        ("idle", "too_much", "wrong answer"),
        ("tls-echo64", "other_byte", "wrong answer"),
        ("tls-echo64", "old_line", "wrong answer"),
        ("tls-handshakes", "early_end", "the server closed it"),
        ("tls-handshakes", "other_byte", "wrong answer"),
        ("tls-idle", "too_much", "wrong answer"),
        ("tls-bulk", "too_much", "wrong answer"),
        ("tls-bulk", "early_end", "the server closed it"),
        ("tls-echo64", "other_certificate", "certificate verify failed"),
        ("tls-handshakes", "no_tls_1_3", "handshake: "),
    ]

    def test_each_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("bench-load", "bench-start", "bench-server-raw"):
                os.symlink(os.path.join(PROGRAMS, program), os.path.join(folder, program))
            wrong = os.path.join(folder, "bench-server-rill")
            with open(wrong, "w") as script:
                script.write("#!/bin/sh\nexec '%s' '%s/wrong_server.py' \"$@\"\n" % (sys.executable, HERE))
            os.chmod(wrong, os.stat(wrong).st_mode | stat.S_IXUSR)
            for work, mode, want in self.ROWS:
                with self.subTest(mode=mode):
                    done = bench(work, "--peers", "rill", "--no-calls", *SHORT, "--silence", "1", programs=folder,
                                 WRONG_SERVER=mode)
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn(want, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

# SPDX-License-Identifier: MIT
"""The arithmetic of tools/bench on figures that are worked out by hand. usage: stats_test.py DRIVER'S-PARENT"""
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

from driver import alone, counts, judge, plot, report, stats, works  # noqa: E402


def window(operations=1000, cpu=1.0, user=0.25, waited=0.0, steal=0.0):
    return {"operations": operations, "seconds": 1.0, "server_cpu_s": cpu, "server_user_s": user,
            "server_waited_s": waited, "load_waited_s": 0.0, "steal_s": steal}


def round_of(ratio, disturbed="", who="rill"):
    return {"windows": {"raw": window(), "rill": window(cpu=1 / ratio)}, "disturbed": {who: disturbed} if disturbed else {}}


class Stats(unittest.TestCase):
    def test_bootstrap_of_equal_values_has_no_width(self):
        self.assertEqual(stats.bootstrap([0.5] * 7), (0.5, 0.5))

    def test_bootstrap_holds_the_median_and_leaves_out_the_outlier(self):
        values = [1.0, 1.01, 0.99, 1.02, 0.98, 1.03, 0.97, 1.0, 1.01, 0.99, 9.0]
        low, high = stats.bootstrap(values)
        self.assertTrue(0.97 <= low < 1.0 < high <= 1.03, (low, high))
        self.assertEqual((low, high), stats.bootstrap(values))

    def test_a_row_is_the_median_of_paired_ratios_of_quiet_rounds(self):
        rounds = [round_of(0.5), round_of(0.6), round_of(0.7), round_of(4.0, "steal")]
        row = stats.row(rounds, "rill", "raw")
        self.assertAlmostEqual(row["ratio"], 0.6)
        self.assertEqual((row["rounds"], row["disturbed_rounds"]), (3, 1))
        self.assertAlmostEqual(stats.row(rounds + [round_of(9, "x", "raw")], "rill", "raw")["ratio"], 0.6)
        self.assertEqual(stats.row(rounds + [round_of(0.6, "x", "go")], "rill", "raw")["rounds"], 4)
        self.assertAlmostEqual(row["operations_per_cpu_s"], 600)
        self.assertAlmostEqual(row["user_us"], 1e6 * 0.75 / 3000)

    def test_where_all_rounds_are_disturbed_all_count(self):
        row = stats.row([round_of(0.5, "x"), round_of(0.7, "x")], "rill", "raw")
        self.assertAlmostEqual(row["ratio"], 0.6)
        self.assertEqual((row["rounds"], row["disturbed_rounds"]), (2, 2))

    def test_a_row_of_memory_is_per_connection_and_keeps_disturbed_rounds(self):
        def held(connections, private, resident):
            return dict(window(operations=connections), server_private_bytes=private, server_rss_bytes=resident)

        one = {"windows": {"raw": held(2000, 2000 * 10240, 2000 * 11000), "rill": held(2000, 2000 * 20480, 2000 * 20600)},
               "disturbed": {"raw": "steal"}}
        row = stats.row([one], "rill", "raw", True)
        self.assertEqual((row["bytes_each"], row["rss_bytes_each"], row["connections"]), (20480, 20600, 2000))
        self.assertEqual((row["ratio"], row["rounds"], row["disturbed_rounds"]), (2.0, 1, 0))
        idle = works.choose(["tls-idle"])[0]
        for change, want in ((dict(), True), (dict(bytes_each=20481), False), (dict(connections=999), None)):
            judged = judge.row(idle, [one], {"rill": dict(row, base="raw", **change)})
            self.assertIs(judged["reached"], want, change)

    def test_what_disturbs(self):
        rows = [
            (dict(), ""),
            (dict(waited=0.1), ""),
            (dict(waited=0.11), "waited 11 % for its processor"),
            (dict(steal=0.05), ""),
            (dict(steal=0.06), "steal 2.5 %"),
        ]
        for given, want in rows:
            self.assertEqual(stats.why_disturbed(window(**given), 2), want, given)
        for name, want in (("server_waited_s", ""), ("load_waited_s", "waited 50 % for its processor")):
            self.assertEqual(stats.why_disturbed(dict(window(), **{name: 0.5}), 2, own_threads=True), want)

    def test_user_time_is_compared_over_all_rounds(self):
        rounds = [{"windows": {"raw": window(user=0.1), "rill": window(user=user)}, "disturbed": {}} for user in (0.0, 0.3)]
        ratio, low, high = stats.compare_user(rounds, "rill", "raw")
        self.assertAlmostEqual(ratio, 1.5)
        self.assertEqual((low, round(high, 6)), (0.0, 3.0))
        self.assertIsNone(stats.compare_user([{"windows": {"raw": window(user=0), "rill": window()}, "disturbed": {}}], "rill", "raw"))


class Judge(unittest.TestCase):
    def test_the_better_end_is_there_and_the_median_no_further_than_the_resolution(self):
        rows = [
            ("more", 0.93, 0.90, 0.97, True),
            ("more", 0.95, 0.94, 0.96, False),
            ("more", 0.92, 0.80, 0.98, False),
            ("less", 1.01, 0.97, 1.10, True),
            ("less", 1.00, 0.98, 1.02, False),
            ("less", 1.03, 0.96, 1.10, False),
        ]
        for better, value, low, high, want in rows:
            self.assertIs(judge.is_reached(value, low, high, 0.97, 0.05, better), want, (better, value))

    def judged(self, ratio, rounds=21, calls=2.05, others=("tokio",), tokio=1.0):
        """echo64 where rill takes 1/ratio of raw's time, and tokio 1/tokio."""
        one = round_of(ratio)
        for name in others:
            one["windows"][name] = window(cpu=1 / tokio)
        all_rounds = [one] * rounds
        measured = {name: dict(stats.row(all_rounds, name, "raw"), base="raw", calls=2.0) for name in one["windows"]}
        measured["rill"]["calls"] = calls
        return judge.row(works.choose(["echo64"])[0], all_rounds, measured)

    def test_every_goal_of_a_row_decides(self):
        rows = [
            (self.judged(1.0), True),
            (self.judged(0.9), False),
            (self.judged(1.0, calls=2.06), False),
            (self.judged(1.0, tokio=1.2), False),
            (self.judged(1.0, rounds=20), None),
            (self.judged(1.0, others=()), None),
            (self.judged(0.9, others=()), False),
            (self.judged(1.0, calls=None), None),
        ]
        for row, want in rows:
            self.assertIs(row["reached"], want, row)
        for key in ("work", "ratio", "lo", "hi", "rounds", "reached"):
            self.assertIn(key, rows[0][0])
        self.assertEqual([part["what"] for part in rows[0][0]["parts"]],
                         ["rate, to raw", "rate, to tokio", "system calls, beside raw", "user time, to raw"])

    def test_figures_of_programs(self):
        rows = [
            ("coro-life", [{"rill": [1.0, 3.0], "boost": [2.0, 2.0]}], [0.5, 1.5]),
            ("coro-million", [{"bytes": 7}], [7]),
            ("reader-line", [{"rill": [9.0], "hand": [8.0]}], [9.0]),
            ("reader-until", [{"rill": [65536.0, 6553.6]}, {"rill": [32768.0, 13107.2]}], [1.0, 5.0]),
            ("reader-bytes", [{"rill": [10.0]}, {"rill": [11.0]}], [1.1]),
        ]
        for name, documents, want in rows:
            self.assertEqual(alone._values(works.choose([name])[0], documents), want, name)


class Plot(unittest.TestCase):
    def test_it_is_xml_with_every_peer_and_curve(self):
        rounds = [round_of(0.5)] * 3
        measured = [dict(stats.row(rounds, name, "raw"), work="echo64", peer=name, base="raw") for name in ("raw", "rill")]
        curve = {"name": "lines", "what": "time < by size", "points": [{"peer": "rill", "x": x, "value": 1.0, "why": ""} for x in (1, 10)]}
        text = plot.svg({"measured": measured, "rows": [], "scale": [curve]})
        words = [element.text for element in xml.etree.ElementTree.fromstring(text).iter() if element.tag.endswith("text")]
        for want in ("echo64", "rill 0.50", "raw 1.00", "time < by size", "10"):
            self.assertIn(want, words)


class Report(unittest.TestCase):
    def test_markdown_has_every_goal_peer_and_curve(self):
        row = Judge().judged(0.9)
        rounds = [round_of(0.5)] * 3
        measured = [dict(stats.row(rounds, name, "raw"), work="echo64", peer=name, calls=2.0) for name in ("raw", "rill")]
        curve = {"what": "time by size", "points": [{"peer": "rill", "x": x, "value": 0.5 * x, "why": ""} for x in (1, 1000)]}
        lines = list(report.markdown({"rows": [row], "measured": measured, "scale": [curve]}))
        for want in ("| echo64 | rate, to raw | 0.9 | 0.9 to 0.9 | >= 0.97 | 21 | NO |", "| echo64 | 1.00 | 0.50 |",
                     "| time by size | 1 | 1,000 |", "| rill | 0.5 | 500 |"):
            self.assertIn(want, lines)

    def test_of_a_work_in_two_files_the_last_counts(self):
        def document(works_of, ratio):
            return {"tool": "tools/bench", "rows": [], "rounds": [],
                    "measured": [{"work": name, "ratio": ratio} for name in works_of]}

        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a", "b")]
            report.write_json(paths[0], document(["echo1", "lines"], 1))
            report.write_json(paths[1], document(["lines", "bulk"], 2))
            merged = report.merge(paths)["measured"]
        self.assertEqual([(row["work"], row["ratio"]) for row in merged], [("echo1", 1), ("lines", 2), ("bulk", 2)])


class Works(unittest.TestCase):
    def test_names(self):
        self.assertEqual([work.name for work in works.choose(["echo"])], ["echo1", "echo64", "echo1000"])
        self.assertEqual([work.name for work in works.choose(["tls"])],
                         ["tls-echo64", "tls-bulk", "tls-handshakes", "tls-idle"])
        self.assertEqual([work.name for work in works.choose(["messages"])], ["readuntil"])
        self.assertEqual(len(works.choose([])), 26)
        with self.assertRaises(ValueError):
            works.choose(["lines", "nothing"])


class Counts(unittest.TestCase):
    def test_the_table_of_strace(self):
        table = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.10    0.200000          20     10000           sendto
 39.80    0.100000          10     10064        64 recvfrom
  0.10    0.000001           0         3           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.300001                 20067        64 total
"""
        self.assertEqual(counts._calls_of(table), {"sendto": 10000, "recvfrom": 10064, "epoll_wait": 3})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

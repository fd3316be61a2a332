# SPDX-License-Identifier: MIT
"""The arithmetic of tools/bench on figures that are worked out by hand. usage: stats_test.py DRIVER'S-PARENT"""
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

from driver import counts, stats, works  # noqa: E402


def window(operations=1000, cpu=1.0, user=0.25, switches=0, steal=0.0):
    return {"operations": operations, "seconds": 1.0, "server_cpu_s": cpu, "server_user_s": user,
            "server_involuntary": switches, "load_involuntary": switches, "steal_s": steal}


def round_of(ratio, disturbed=""):
    return {"windows": {"raw": window(), "rill": window(cpu=1 / ratio)}, "disturbed": disturbed}


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
               "disturbed": "steal"}
        row = stats.row([one], "rill", "raw", True)
        self.assertEqual((row["bytes_each"], row["rss_bytes_each"], row["connections"]), (20480, 20600, 2000))
        self.assertEqual((row["ratio"], row["rounds"], row["disturbed_rounds"]), (2.0, 1, 0))
        idle = works.choose(["tls-idle"])[0]
        self.assertIs(stats.reached(row, idle), True)
        self.assertIs(stats.reached(dict(row, bytes_each=20481), idle), False)
        self.assertIsNone(stats.reached(dict(row, connections=999), idle))

    def test_what_disturbs(self):
        rows = [
            (dict(), ""),
            (dict(switches=150), ""),
            (dict(switches=151), "302 involuntary switches a second"),
            (dict(steal=0.05), ""),
            (dict(steal=0.06), "steal 2.5 %"),
        ]
        for given, want in rows:
            self.assertEqual(stats.why_disturbed(window(**given), 2), want, given)

    def test_reached(self):
        echo = works.choose(["echo64"])[0]
        rows = [
            (dict(rounds=20, hi=1.5, ratio=1.2), None),
            (dict(rounds=21, hi=0.97, ratio=0.93), True),
            (dict(rounds=21, hi=0.96, ratio=0.95), False),
            (dict(rounds=21, hi=0.98, ratio=0.92), False),
        ]
        for given, want in rows:
            self.assertIs(stats.reached(given, echo), want, given)


class Works(unittest.TestCase):
    def test_names(self):
        self.assertEqual([work.name for work in works.choose(["echo"])], ["echo1", "echo64", "echo1000"])
        self.assertEqual([work.name for work in works.choose(["tls"])],
                         ["tls-echo64", "tls-bulk", "tls-handshakes", "tls-idle"])
        self.assertEqual(len(works.choose([])), 12)
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

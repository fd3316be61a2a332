# SPDX-License-Identifier: MIT
"""Rendering, comparison, known differences, recording: the parts of the harness that decide."""
import io
import unittest

import support
from rillconf import bless, case, cli, expect, expr, report_json, report_text, runner, transcript, verdict
from rillconf.testee import Outcome

TEXT = """# about the file
case    area/one
rule    R-101
record  3.12.1 3.13.0 script=%s
# above the operation
app     r1 = read 5                    # beside it
        [<=3.12] r1 -> "old"
        [>=3.13] r1 -> "new"
        state write=500 drains=1
peer    read

# between the cases
case    area/two
rule    R-102
peer    close
"""


def cases():
    found = case.FileReader("cases/area/topic.case", TEXT % "000000").read()[1]
    found[0].digest = found[0].script_digest()
    return found


def rendered(*events):
    return transcript.render([dict(event, step=event.get("step", 1)) for event in events])


def result(value):
    return {"ev": "result", "id": "r1", "bytes": value}


def state(**fields):
    event = {"ev": "state", "conn": 1, "buffer": 0, "paused": False, "write": 0, "drains": 0, "at_eof": False,
             "closing": False}
    event.update(fields)
    return event


class Rendering(unittest.TestCase):
    def test_lines(self):
        rows = [
            ({"ev": "result", "id": "r1"}, "r1 -> none"),
            ({"ev": "result", "id": "r1", "value": True}, "r1 -> true"),
            ({"ev": "result", "id": "r1", "value": 5}, "r1 -> 5"),
            ({"ev": "result", "id": "r1", "list": [16384, 65536]}, "r1 -> (16384, 65536)"),
            ({"ev": "result", "id": "r1", "bytes": [[70000, "x"]]}, 'r1 -> 70000*"x"'),
            ({"ev": "error", "id": "r1", "class": "IncompleteReadError", "text": "t", "partial": "ab", "expected": None},
             'r1 ! IncompleteReadError partial="ab" expected=none "t"'),
            ({"ev": "error", "id": "r1", "class": "OSError", "text": "", "errno": "EIO"}, "r1 ! OSError errno=EIO"),
            ({"ev": "peer", "conn": 2, "bytes": "a", "end": "fin"}, 'peer@2 got "a" fin'),
            ({"ev": "peer", "conn": 1, "end": "rst"}, "peer end rst"),
            ({"ev": "task", "id": "t1", "how": "cancelled"}, "t1 cancelled"),
            ({"ev": "pending", "tasks": ["t1", "t2"]}, "pending t1 t2"),
            ({"ev": "flow", "conn": 1, "call": "pause_reading"}, "flow pause_reading"),
            ({"ev": "report", "message": "in <Server x=<y>> here", "keys": ["a", "b"], "class": "E"},
             'report "in <...> here" keys=a,b E'),
            (state(buffer=5, at_eof=True), "now at_eof=yes"),
            ({"ev": "peer", "conn": 2, "bytes": "", "end": "refused"}, 'peer@2 got "" refused'),
            ({"ev": "error", "id": "g", "class": "ExceptionGroup", "text": "t (2 sub-exceptions)", "group": [
                {"class": "ValueError", "text": "x"}, {"class": "OSError", "text": "", "errno": "EIO"}]},
             'g ! ExceptionGroup "t (2 sub-exceptions)" [ValueError "x", OSError errno=EIO]'),
            ({"ev": "error", "id": "r", "class": "TimeoutError", "text": "", "cause": "CancelledError", "same_as": "q"},
             "r ! TimeoutError cause=CancelledError same_as=q"),
            ({"ev": "ran"}, "run -> none"), ({"ev": "ran", "value": 5}, "run -> 5"),
            ({"ev": "ran", "class": "KeyboardInterrupt", "text": ""}, "run ! KeyboardInterrupt"),
            ({"ev": "attempt", "address": "::1", "what": "start", "at": 0.25}, "attempt ::1 start at 0.25"),
            ({"ev": "protocol", "conn": 1, "call": "data_received", "bytes": "ab"}, 'protocol data_received "ab"'),
            ({"ev": "protocol", "conn": 2, "call": "connection_lost", "class": "E"}, "protocol@2 connection_lost E"),
            ({"ev": "restless"}, "restless"),
            ({"ev": "log", "level": "ERROR", "text": "a\nb"}, 'log ERROR "a"'),
            ({"ev": "error", "id": "r", "class": "E", "text": "File descriptor <socket fd=7> is used by transport <T>"},
             'r ! E "File descriptor {fd} is used by transport <...>"'),
        ]
        for event, want in rows:
            with self.subTest(want):
                self.assertEqual(want, rendered(event).steps[1][0])

    def test_a_log_that_is_told_whole(self):
        event = {"ev": "log", "level": "ERROR", "text": "a\nhandle: <Handle x>", "whole": True}
        self.assertEqual(['log ERROR "a"', 'log ERROR "handle: <...>"'], rendered(event).steps[1])

    def test_the_folder_of_the_case_has_a_name(self):
        run = rendered({"ev": "place", "name": "dir", "path": "/tmp/rc-77"},
                       {"ev": "result", "id": "r", "value": "/tmp/rc-77/s"})
        self.assertEqual(['r -> "{dir}/s"'], run.steps[1])

    def test_long_bytes_are_shown_like_short_ones(self):
        for text, want in (("x" * 2000, '2000*"x"'), ("x" * 2000 + "ab", '2000*"x" + "ab"'), ("ab" + "x" * 2000, '"ab" + 2000*"x"'),
                           ("x" * 900 + "ab" * 20 + "y" * 900, '900*"x" + "%s" + 900*"y"' % ("ab" * 20)),
                           ("xxyy" * 300, '"%s"' % ("xxyy" * 300))):
            self.assertEqual(want, expr.show_bytes(text))

    def test_nothing_new_is_not_told(self):
        run = rendered(state(buffer=5), dict(state(buffer=5), step=2), {"ev": "peer", "conn": 1, "bytes": "", "end": "open"})
        self.assertEqual({1: ["state buffer=5"]}, run.steps)

    def test_ports_have_names(self):
        run = rendered({"ev": "port", "name": "closed", "port": 4711},
                       {"ev": "error", "id": "o", "class": "E", "text": "('127.0.0.1', 4711) not 47110"},
                       {"ev": "error", "id": "o", "class": "E", "text": "[::1]:4711, port 4711: 4711 bytes read, (4711, 1)"})
        self.assertEqual({1: ["o ! E \"('127.0.0.1', {closed}) not 47110\"",
                              'o ! E "[::1]:{closed}, port {closed}: 4711 bytes read, (4711, 1)"']}, run.steps)

    def test_coarse_keeps_whether_the_buffer_is_empty(self):
        fine = {1: ["state write=500 drains=1"], 2: ["state write=300"], 3: ["r1 -> 5", "state buffer=2 write=0"]}
        self.assertEqual({1: ["state write=some drains=1"], 3: ["r1 -> 5", "state buffer=2 write=0"]},
                         transcript.coarse(fine))


class Judging(unittest.TestCase):
    def judge(self, run, backend="mem", **options):
        one = cases()[0]
        return verdict.judge(one, backend, run, one.column((3, 13, 0)), **options)

    def test_same_and_both_layers(self):
        whole = (result("new"), state(write=500, drains=1))
        rows = [
            (whole, "mem", "SAME"), ((result("new"), state(write=7, drains=1)), "tcp", "SAME"),
            ((result("new"), state(write=7, drains=1)), "mem", "DIFF(state)"),
            ((result("old"), state(write=500, drains=1)), "mem", "DIFF(api)"),
            (whole + (result("more"),), "mem", "DIFF(api)"), ((), "mem", "DIFF(api)"),
            (whole + ({"ev": "leak", "what": "descriptors", "count": 2},), "mem", "LEAK"),
        ]
        for events, backend, want in rows:
            with self.subTest("%s %s" % (want, events)):
                self.assertEqual(want, str(self.judge(rendered(*events), backend)))

    def test_an_oracle_drifts(self):
        self.assertEqual("ORACLE-DRIFT", str(self.judge(rendered(result("old")), oracle=True)))

    def test_state_may_be_left_out_with_a_reason(self):
        one = cases()[0]
        one.state_off = "a reason"
        self.assertEqual("SAME", str(verdict.judge(one, "mem", rendered(result("new")), one.column((3, 13, 0)))))

    def test_broken_runs(self):
        for how, want in (("crash", "CRASH"), ("hang", "HANG"), ("skip", "SKIP(why)")):
            self.assertEqual(want, str(verdict.broken(Outcome([{"ev": "step", "step": 3}], how, "why"))))
        self.assertIsNone(verdict.broken(Outcome([])))


class Known(unittest.TestCase):
    def difference(self, got="other"):
        one = cases()[0]
        return transcript.first_difference(one.column((3, 13, 0)), rendered(result(got)).steps)

    def entries(self, text):
        with support.Cases({"rill.known": "# comment\n\n" + text}) as folder:
            return expect.load(folder, "rill", "rill.known")

    def known(self, pattern="area/*", backends="*"):
        mark = expect.fingerprint(self.difference())
        return self.entries("%s | %s | %s | Q-06 | rill does better\n" % (pattern, backends, mark))

    def test_the_listed_difference_is_known(self):
        known, one = self.known(), cases()[0]
        got = verdict.judge(one, "mem", rendered(result("other")), one.column((3, 13, 0)), known)
        self.assertEqual("KNOWN", got.name)
        self.assertEqual([], known.stale(["area/one"]))

    def test_another_difference_is_not(self):
        known, one = self.known(), cases()[0]
        got = verdict.judge(one, "mem", rendered(result("third")), one.column((3, 13, 0)), known)
        self.assertEqual("DIFF", got.name)
        self.assertEqual(1, len(known.stale(["area/one"])))

    def test_an_entry_that_no_longer_differs_is_stale(self):
        known, one = self.known(), cases()[0]
        events = (result("new"), state(write=500, drains=1))
        self.assertEqual("SAME", verdict.judge(one, "mem", rendered(*events), one.column((3, 13, 0)), known).name)
        self.assertEqual(1, len(known.stale(["area/one"])))
        self.assertEqual(1, len(self.known("gone/*").stale(["area/one"])))

    def test_backends_of_an_entry(self):
        known = self.known(backends="tcp,pair")
        self.assertIsNone(known.accept("area/one", "mem", self.difference()))
        self.assertIsNotNone(known.accept("area/one", "tcp", self.difference()))

    def test_mistakes(self):
        for text in ("area/* | * | 123\n", "area/* | * | 123 | because | reason\n", "area/* | * | 123 | Q-1 |\n"):
            with self.subTest(text):
                self.assertRaises(expect.ExpectationError, self.entries, text)
        self.assertRaises(expect.ExpectationError, self.known("*").check_patterns, ["area/%d" % n for n in range(21)])


class Recording(unittest.TestCase):
    def test_versions_are_merged(self):
        columns = {("plain", (3, 8, 18)): ["a", "old", "z"], ("plain", (3, 12, 1)): ["a", "z"], ("tls", (3, 13, 0)): ["a", "new", "z"]}
        merged = bless.merge(columns)
        for column, want in columns.items():
            self.assertEqual(want, [line for chosen, line in merged if column in chosen])
        self.assertEqual(["a", "new", "old", "z"], sorted(line for _, line in merged))

    def test_a_file_changes_only_where_it_was_recorded(self):
        one = cases()[0]
        text = TEXT % one.digest
        with support.Cases({"area/topic.case": text}) as folder:
            path = support.os.path.join(folder, "area/topic.case")
            bless.record(one, {("plain", (3, 13, 0)): {1: ['r1 -> "newer"'], 3: ["pending r1"]}})
            self.assertTrue(bless.rewrite(path, {"area/one": one}))
            with open(path) as file:
                got = file.read()
            want = text.replace('[>=3.13] r1 -> "new"', '[>=3.13] r1 -> "newer"').replace(
                "state write=500 drains=1", "[<=3.12] state write=500 drains=1").replace(
                    "peer    read\n", "peer    read\nend\n        [>=3.13] pending r1\n")
            self.assertEqual(sorted(want.split("\n")), sorted(got.split("\n")))
            self.assertEqual([{1: ['r1 -> "old"', "state write=500 drains=1"]}, {1: ['r1 -> "newer"'], 3: ["pending r1"]}],
                             [case.read_file(path)[1][0].column(number) for number in ((3, 12, 1), (3, 13, 0))])
            self.assertFalse(bless.rewrite(path, {}))

    def test_columns_of_another_script_are_dropped(self):
        one = cases()[0]
        one.digest = "ffffff"
        bless.record(one, {("plain", (3, 13, 0)): {1: ["x"]}})
        self.assertEqual([("plain", (3, 13, 0))], one.record)

    def test_backends_that_disagree_are_not_recorded(self):
        one = cases()[0]
        agree = {"mem": {1: ["state write=5"]}, "tcp": {1: ["state write=9"]}}
        self.assertEqual({1: ["state write=5"]}, bless.one_transcript(one, (3, 13, 0), agree))
        self.assertRaises(bless.Disagreement, bless.one_transcript, one, (3, 13, 0),
                          {"mem": {1: ["r1 -> 1"]}, "tcp": {1: ["r1 -> 2"]}})


class Backends(unittest.TestCase):
    """The transcripts of one testee must not differ between backends, also where rill is known to differ from CPython."""

    def differing(self, name, tcp_line, reason=None):
        one = cases()[0]
        one.differ = reason
        command = cli.Command(cli.parser().parse_args([]))
        player = runner.Player("rill", [])
        for backend, line in (("mem", "r1 -> 1"), ("tcp", tcp_line)):
            command.results.append(verdict.Result(one, player, backend, verdict.Verdict(name), {1: ["state write=5", line]}))
        return command.differing_backends()

    def test_equal_unequal_and_excused(self):
        self.assertEqual([], self.differing("KNOWN", "r1 -> 1"))
        (problem,) = self.differing("KNOWN", "r1 -> 2")
        self.assertIn("area/one: rill on mem and tcp differ at step 1: r1 -> 1 / r1 -> 2", problem)
        self.assertEqual([], self.differing("KNOWN", "r1 -> 2", reason="because"))
        self.assertEqual([], self.differing("DIFF", "r1 -> 2"))     # fails already


class Told(unittest.TestCase):
    def test_an_oracle_that_breaks_is_told_without_a_line_that_shrinks(self):
        lines = io.StringIO()
        player = runner.Player("cpython-3.8.18", [], oracle=True)
        player.hello = {"version": "3.8.18"}
        report_text.TextReport(lines).result(verdict.Result(cases()[0], player, "mem", verdict.Verdict("FLAKY", "why", step=1)))
        self.assertIn("again tools/conform --oracle-only 3.8.18 --backend mem -v 'area/one'", lines.getvalue())
        self.assertNotIn("--shrink", lines.getvalue())


class Summary(unittest.TestCase):
    def test_scripts_that_are_equal_count_once(self):
        one, two = cases()
        self.assertNotEqual(report_json.script_key(one), report_json.script_key(two))
        renamed = cases()[0]
        renamed.name = "area/three"
        self.assertEqual(report_json.script_key(one), report_json.script_key(renamed))

    def test_patterns(self):
        both = cases()
        for patterns, want in (([], 2), (["area"], 2), (["area/*"], 2), (["*/two"], 1), (["one"], 0)):
            self.assertEqual(want, len(report_json.select(both, patterns)), patterns)


if __name__ == "__main__":
    unittest.main()

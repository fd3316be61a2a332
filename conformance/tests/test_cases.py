# SPDX-License-Identifier: MIT
"""The case format: what parses to what, and that every mistake is told with file and line."""
import os
import re
import unittest

import support
from rillconf import case, expr, report_text, version
from rillconf.calls import parse_calls
from rillconf.expr import Bad, Tokens

HEAD = "case    area/one\nrule    R-101\n"


def parse(text):
    return case.FileReader("cases/area/topic.case", text).read()[1]


def calls(text):
    return parse_calls(Tokens(text), "a1")


class Expressions(unittest.TestCase):
    def test_bytes(self):
        rows = [
            ('"abc"', "abc"), ('3*"ab" + "\\n"', "ababab\n"), ('"\\x00\\xff\\"\\\\"', '\x00\xff"\\'),
            ('0*"x"', ""), ('"# no comment"', "# no comment"), ('300*"x"', [[300, "x"]]),
        ]
        for text, want in rows:
            with self.subTest(text):
                self.assertEqual(want, expr.pack(expr.parse_bytes(Tokens(text))))

    def test_shown_bytes_parse_back(self):
        for data in ("", "abc", "a\r\n\x00\xff\"\\", 70000 * "x", "head" + 40 * "-" + "tail", 31 * "y", "\n" * 33):
            with self.subTest(data[:20]):
                packed = expr.pack(expr.parse_bytes(Tokens(expr.show_bytes(data))))
                self.assertEqual(data, expr.unpack(packed))

    def test_numbers_and_durations(self):
        rows = [("60s", 60), ("0.5s", 0.5), ("10ms", 0.01), ("-1", -1), ("1.5", 1.5), ("2000ms", 2)]
        for text, want in rows:
            with self.subTest(text):
                self.assertEqual(want, expr.parse_number(Tokens(text)))


class Statements(unittest.TestCase):
    def test_one_of_each_shape(self):
        rows = [
            ('r1 = readuntil "\\r\\n"', {"call": "readuntil", "id": "r1", "separator": "\r\n"}),
            ('readuntil ("a", 2*"b")', {"call": "readuntil", "id": "a1", "separators": ["a", "bb"]}),
            ("readuntil ()", {"call": "readuntil", "id": "a1", "separators": []}),
            ("read", {"call": "read", "id": "a1"}),
            ("read -1", {"call": "read", "id": "a1", "n": -1}),
            ('write "x"', {"call": "write", "id": "a1", "quiet": True, "bytes": "x"}),
            ('w = write "x"', {"call": "write", "id": "w", "bytes": "x"}),
            ('catch sleep 0.5s', {"call": "sleep", "id": "a1", "on_error": "catch", "seconds": 0.5}),
            ('throw raise OSError EIO', {"call": "raise", "id": "a1", "on_error": "throw", "class": "OSError", "errno": "EIO"}),
            ("set_write_buffer_limits low=5",
             {"call": "set_write_buffer_limits", "id": "a1", "quiet": True, "low": 5}),
            ('open_connection "127.0.0.1" closed limit=0',
             {"call": "open_connection", "id": "a1", "host": "127.0.0.1", "port_of": "closed", "limit": 0}),
            ("gather t1 t2 collect", {"call": "gather", "id": "a1", "tasks": ["t1", "t2"], "collect": True}),
            ("wait_for none read 5", {"call": "wait_for", "id": "a1", "seconds": None,
                                      "inner": {"call": "read", "id": "a1.2", "n": 5}}),
            ("timeout 5 { read 1; drain }", {"call": "timeout", "id": "a1", "quiet": True, "seconds": 5, "body": [
                {"call": "read", "id": "a1.2", "n": 1}, {"call": "drain", "id": "a1.3"}]}),
            ('open_connection "a" peer limit=5 family=AF_INET6 flags=AI_NUMERICHOST+AI_PASSIVE local_port=closed all_errors=yes',
             {"call": "open_connection", "id": "a1", "host": "a", "port_of": "peer", "limit": 5, "family": "AF_INET6",
              "flags": ["AI_NUMERICHOST", "AI_PASSIVE"], "local_port_of": "closed", "all_errors": True}),
            ('open_connection 3*"ab" 80 flags=0', {"call": "open_connection", "id": "a1", "host": "ababab", "port": 80, "flags": []}),
            ("open_connection sock=pair", {"call": "open_connection", "id": "a1", "sock": "pair"}),
            ('start_server ["::1", none] 0 start_serving=no', {"call": "start_server", "id": "a1", "hosts": ["::1", None],
                                                              "port": 0, "start_serving": False}),
            ("start_server none server", {"call": "start_server", "id": "a1", "host": None, "port_of": "server"}),
            ('open_unix_connection "{dir}/p" bytes_path=yes', {"call": "open_unix_connection", "id": "a1", "path": "{dir}/p",
                                                               "bytes_path": True}),
            ("start_unix_server none", {"call": "start_unix_server", "id": "a1"}),
            ("gather", {"call": "gather", "id": "a1", "tasks": []}),
            ("wait t1 t2 first seconds=5", {"call": "wait", "id": "a1", "tasks": ["t1", "t2"], "first": True, "seconds": 5}),
            ("catch chain same readline", {"call": "readline", "id": "a1", "on_error": "catch", "chain": True, "same": True}),
            ("group { group_spawn a1 t1 { read 1 } }", {"call": "group", "id": "a1", "quiet": True, "body": [
                {"call": "group_spawn", "id": "a1.2", "quiet": True, "group": "a1", "task": "t1", "body": [
                    {"call": "read", "id": "t1", "n": 1}]}]}),
            ("server_close server=2", {"call": "server_close", "id": "a1", "quiet": True, "server": 2}),
        ]
        for text, want in rows:
            with self.subTest(text):
                self.assertEqual([want], calls(text)[0])

    def test_labels_name_the_task(self):
        parsed, task = calls('w1 = write "x"; drain; d = drain')
        self.assertEqual("w1", task)
        self.assertEqual(["w1", "w1.2", "d"], [call["id"] for call in parsed])
        parsed, task = calls("spawn t2 { sleep 1; drain }; close")
        self.assertEqual("a1", task)
        self.assertEqual(["t2", "t2.2"], [call["id"] for call in parsed[0]["body"]])

    def test_mistakes(self):
        for text in ("frobnicate", "readexactly", 'read "x"', "read 5 6", "readuntil (", "timeout 5 { read", "sleep",
                     "r1 =", "read 5;; read 6", "read n=1 m=2", "raise", 'write 5', "readexactly 1.5"):
            with self.subTest(text):
                self.assertRaises(Bad, calls, text)


class Files(unittest.TestCase):
    def test_a_case(self):
        (one,) = parse(HEAD + 'limit   8\nnot     pair : no RST\ngo peer send "abc"   # comment\n'
                       "app@2   r1 = read 5\nclock   advance 60s\n        [<=3.9] r1 ! AssertionError\n        r1 -> \"\"\n")
        self.assertEqual(8, one.limit)
        self.assertEqual(dict.fromkeys(("pair", "tls13-pair", "tls12-pair"), "no RST"), one.excluded)
        self.assertEqual([{"op": "peer", "do": "send", "bytes": "abc", "settle": False},
                          {"op": "app", "conn": 2, "task": "r1", "calls": [{"call": "read", "id": "r1", "n": 5}]},
                          {"op": "clock", "seconds": 60}], [step.op for step in one.steps])
        self.assertEqual({3: ['r1 ! AssertionError', 'r1 -> ""']}, one.column((3, 8, 18)))
        self.assertEqual({3: ['r1 -> ""']}, one.column((3, 10, 13)))

    def test_what_a_case_scripts(self):
        (one,) = parse(HEAD + "with nothing\nresolve a.test = ::1 127.0.0.1\nresolve none ! EAI_NONAME\nresolve b.test =\n"
                       "connect 127.0.0.2 never\nconnect ::1 after 0.5 ECONNREFUSED\nconnect 127.0.0.3 EACCES\nconnect 127.0.0.4 ok\n"
                       "debug on\nfault@2 recv 2 EINTR count=3\nfault send 1 short 5\nfile socket \"{dir}/s\"\n"
                       "file rename \"{dir}/a\" \"{dir}/b\"\npeer connect server=1\nfinish raise ValueError \"x\"\n")
        message = one.message("mem")
        self.assertEqual([{"name": "a.test", "addresses": ["::1", "127.0.0.1"]}, {"name": None, "error": "EAI_NONAME"},
                          {"name": "b.test", "addresses": []}], message["resolve"])
        self.assertEqual([{"address": "127.0.0.2", "outcome": "never"},
                          {"address": "::1", "after": 0.5, "errno": "ECONNREFUSED"},
                          {"address": "127.0.0.3", "errno": "EACCES"}, {"address": "127.0.0.4"}], message["connect"])
        self.assertTrue(message["debug"])
        self.assertEqual([{"op": "fault", "conn": 2, "call": "recv", "at": 2, "errno": "EINTR", "count": 3},
                          {"op": "fault", "call": "send", "at": 1, "short": 5},
                          {"op": "file", "do": "socket", "path": "{dir}/s"},
                          {"op": "file", "do": "rename", "path": "{dir}/a", "to": "{dir}/b"},
                          {"op": "peer", "do": "connect", "server": 1},
                          {"op": "finish", "error": {"class": "ValueError", "text": "x"}}], message["ops"])

    def test_faults_leave_mem_out(self):
        (one,) = parse(HEAD + "fault recv 1 EIO\npeer close\n")
        self.assertEqual(dict.fromkeys(("mem", "tls13-mem", "tls12-mem"), "faults are of system calls"), one.excluded)

    def test_mistakes_are_told_with_file_and_line(self):
        rows = [
            ("peer close\n", 1, "begins with `case`"),
            ("case nonsense\n", 1, "area/topic"),
            ("case other/one\n", 1, "stands in the folder area"),
            ("case area/one\npeer close\n", 1, "names no rule"),
            (HEAD, 1, "has no operation"),
            (HEAD + "peer dance\n", 3, "a peer can"),
            (HEAD + "jump\n", 3, "unknown operation jump"),
            (HEAD + "app     frobnicate\n", 3, "unknown call frobnicate"),
            (HEAD + "peer close\nlimit 5\n", 4, "before the first operation"),
            (HEAD + "peer close\n        [about 3] x\n", 4, "not a version predicate"),
            (HEAD + "        r1 -> none\n", 3, "follows an operation"),
            (HEAD + "only mem\n", 3, "the reason"),
            (HEAD + "needs wings\n", 3, "unknown capability wings"),
            ("case area/one\nrule R-1\n", 2, "not a rule"),
            (HEAD + "not mem pair tcp unix : never\npeer close\n", 1, "runs on no backend"),
            (HEAD + "finish\npeer close\n", 4, "nothing follows"),
            (HEAD + 'peer send "abc\n', 3, "cannot read this"),
            (HEAD + "app     a = cancel b\n", 1, "means a task b"),
            (HEAD + "handler read\npeer close\n", 1, "has a handler but no server"),
            (HEAD + "protocol keep_open\npeer close\n", 1, "has a protocol but"),
            (HEAD + "protocol fail=close\npeer close\n", 3, "`protocol` takes"),
            (HEAD + "resolve a.test 127.0.0.1\npeer close\n", 3, "write `resolve"),
            (HEAD + "connect 127.0.0.1 soon\npeer close\n", 3, "write `connect"),
            (HEAD + "server wings=yes\npeer close\n", 3, "no option wings"),
            (HEAD + "fault fly 1 EIO\n", 3, "faults are for"),
            (HEAD + "file paint \"x\"\n", 3, "`file` can"),
            (HEAD + "interrupt\npeer close\n", 4, "nothing follows"),
        ]
        for text, line, words in rows:
            with self.subTest(words):
                with self.assertRaises(case.CaseError) as caught:
                    parse(text)
                self.assertIn("cases/area/topic.case:%d: " % line, str(caught.exception))
                self.assertIn(words, str(caught.exception))

    def test_one_name_one_case(self):
        text = HEAD + "peer close\n"
        with support.Cases({"area/a.case": text, "area/b.case": text}) as folder:
            self.assertRaises(case.CaseError, case.read_all, folder)

    def test_every_committed_case_parses(self):
        self.assertGreater(len(case.read_all(support.os.path.join(support.HOME, "cases"))), 60)


class Shares(unittest.TestCase):
    def test_what_is_told(self):
        texts = ("", "not pair : because\n", "with server\nnot unix : because\n", "with nothing\n")
        cases = [parse(HEAD + text + 'app r = read\n')[0] for text in texts]
        rows = [(("mem",), cases, "3 of 4 cases: 75 % of all, 66 % of those with a connection or a server, 100 % of those with a connection"),
                (("pair", "unix"), cases, "2 of 4 cases: 50 % of all, 66 % of those with a connection or a server, 100 % of those with a connection"),
                (("pair",), cases, "1 of 4 cases: 25 % of all, 33 % of those with a connection or a server, 50 % of those with a connection"),
                (("pair",), cases[:2], "1 of 2 cases: 50 % of all"), (("pair",), cases[3:], "0 of 1 cases: 0 % of all")]
        for backends, among, want in rows:
            self.assertEqual(want, report_text.shares(among, backends))

    def test_every_backend_has_sixty_per_cent_of_what_a_backend_carries(self):
        cases = case.read_all(os.path.join(support.HOME, "cases"))
        for backend in case.BACKENDS:
            told = report_text.shares(cases, (backend,))
            self.assertGreaterEqual(int(re.search(r"(\d+) % of those with a connection or a server", told).group(1)), 60, told)


class Versions(unittest.TestCase):
    ALL = [(3, 7, 16), (3, 8, 18), (3, 11, 2), (3, 11, 7), (3, 12, 1), (3, 13, 0)]

    def test_the_shortest_predicate(self):
        rows = [
            (self.ALL, None), (self.ALL[:1], "<=3.7"), (self.ALL[5:], ">=3.13"), (self.ALL[:3], "<=3.11.2"),
            (self.ALL[3:], ">=3.11.7"), (self.ALL[1:3], "3.8..3.11.2"), (self.ALL[2:3], "3.11.2"),
            (self.ALL[1:2], "3.8"), (self.ALL[2:4], "3.11"), ([self.ALL[0], self.ALL[5]], "<=3.7, >=3.13"),
        ]
        for chosen, want in rows:
            with self.subTest(want):
                got = version.predicate_for(chosen, self.ALL)
                self.assertEqual(want, got)
                self.assertEqual(list(chosen), [number for number in self.ALL if version.matches(got, number)])


if __name__ == "__main__":
    unittest.main()

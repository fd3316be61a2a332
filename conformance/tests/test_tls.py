# SPDX-License-Identifier: MIT
"""TLS in the harness: backends and what excludes them, contexts, columns by class, what is compared and what is not."""
import os
import unittest

import support
from rillconf import bless, case, tls, transcript, verdict, version
from rillconf.case import CaseError
from rillconf.expr import Bad

HEAD = "case    area/one\nrule    R-801\n"
PLAIN = set(tls.PLAIN_BACKENDS)
TLS = set(tls.TLS_BACKENDS)
OLD, NEW = (3, 10, 13), (3, 13, 0)


def parse(text):
    return case.FileReader("cases/area/topic.case", HEAD + text).read()[1][0]


def left(text):
    return (PLAIN | TLS) - set(parse(text).excluded)


class Backends(unittest.TestCase):
    def test_what_a_case_runs_on(self):
        rows = [
            ("peer close\n", PLAIN | TLS),
            ("not tls : why\npeer close\n", PLAIN),
            ("only tls : why\npeer close\n", TLS),
            ("only tls12-pair mem : why\npeer close\n", {"tls12-pair", "mem"}),
            ("not mem : why\npeer close\n", {"pair", "tcp", "unix", "tls13-pair", "tls12-pair", "start-tls"}),
            ("only mem : why\npeer close\n", {"mem"}),
            ("not tcp : why\npeer close\n", PLAIN - {"tcp"} | TLS - {"start-tls"}),
            ("needs half-close\npeer close\n", PLAIN),
            ("fault recv 1 EIO\n", {"pair", "tcp", "unix", "tls13-pair", "tls12-pair", "start-tls"}),
            ("with reader\napp read\n", {"mem"}),
            ("with nothing\napp sleep 1\n", {"mem"}),
            ("with nothing\napp open_connection \"h\" 1 ssl=client\n", {"tls13-mem"}),
            ("with server\nhandler read\npeer connect\n", {"tcp", "unix", "tls13-pair", "tls12-pair", "start-tls"}),
            ("with server\nnot unix : why\nhandler read\npeer connect\n", {"tcp", "tls13-pair", "start-tls"}),
            ("with server\ncallback close\npeer connect\n", {"tcp", "unix", "tls13-pair", "tls12-pair"}),
        ]
        for text, want in rows:
            with self.subTest(text):
                self.assertEqual(want, left(text))

    def test_groups(self):
        self.assertEqual(list(tls.TLS_BACKENDS), tls.expand(["tls", "start-tls"]))
        self.assertEqual(["mem", "tls13-pair"], tls.expand(["mem", "tls13-pair"]))
        self.assertRaises(Bad, tls.expand, ["ssl"])


class Scripts(unittest.TestCase):
    def test_contexts(self):
        one = parse('context old client ca=none maximum=1.2 alpn="h2,x" check_hostname=no\ncontext ask server verify=required ca=ca\n'
                    'tls-app context=old server_hostname="" ssl_handshake_timeout=5\ntls-peer server=ask silent\npeer close\n')
        about = one.message("tls12-pair")["tls"]
        self.assertEqual({"side": "client", "verify": "required", "check_hostname": False, "maximum": "1.2", "alpn": ["h2", "x"]},
                         about["contexts"]["old"])
        self.assertEqual({"context": "old", "server_hostname": "", "ssl_handshake_timeout": 5}, about["app"])
        self.assertTrue(about["peer"]["silent"])
        self.assertEqual({"side": "server", "chain": "server", "verify": "required", "ca": "ca", "maximum": "1.2"},
                         about["contexts"][about["peer"]["server"]])
        self.assertNotIn("maximum", one.message("tls13-pair")["tls"]["contexts"][one.tls.peer["server"]])

    def test_who_is_told_about_tls(self):
        plain = parse("peer close\n")
        self.assertNotIn("tls", plain.message("tcp"))
        self.assertEqual({"context": "client", "server_hostname": "localhost"}, plain.message("start-tls")["tls"]["app"])
        speaks = parse('app start_tls client server_hostname="a"\n')
        self.assertNotIn("app", speaks.message("tcp")["tls"])
        self.assertEqual({"context": "server"}, parse("with server\npeer connect\n").message("tls13-pair")["tls"]["app"])

    def test_the_digest_is_of_what_the_case_says(self):
        one, other = parse("peer close\n"), parse("tls-peer silent\npeer close\n")
        self.assertNotIn("tls", one.message("-"))
        self.assertNotEqual(one.script_digest(), other.script_digest())

    def test_operations(self):
        one = parse('peer raw "x"\npeer start-tls "GO"\npeer connect plain\napp start_tls; s = start_tls yes; ssl_object version\n')
        self.assertEqual([{"op": "peer", "do": "raw", "bytes": "x"}, {"op": "peer", "do": "start-tls", "first": "GO"},
                          {"op": "peer", "do": "connect", "plain": True}], [step.op for step in one.steps[:3]])
        calls = one.steps[3].op["calls"]
        self.assertNotIn("ssl", calls[0])
        self.assertIs(True, calls[1]["ssl"])
        self.assertEqual("version", calls[2]["name"])

    def test_mistakes(self):
        rows = ["context a\n", "context a other\n", "context a client colour=red\n", "context a client ca=nobody\n", "tls-peer loud\n",
                "app start_tls stranger\n", "tls-peer server=stranger\npeer close\n", "tls-peer hold\npeer close\n"]
        for text in rows:
            with self.subTest(text):
                self.assertRaises(CaseError, parse, text)

    def test_every_certificate_is_there(self):
        for name in ("ca", "server", "client", "other-name", "expired", "self-signed"):
            self.assertTrue(os.path.exists(os.path.join(tls.CERTIFICATES, name + ".pem")), name)


class Columns(unittest.TestCase):
    COLUMNS = [("plain", OLD), ("plain", NEW), ("tls", OLD), ("tls", NEW)]

    def test_the_shortest_predicate(self):
        rows = [
            (self.COLUMNS, None), (self.COLUMNS[:2], "plain"), (self.COLUMNS[2:], "tls"), (self.COLUMNS[1::2], ">=3.13"),
            (self.COLUMNS[:1], "plain <=3.10"), (self.COLUMNS[:3], "plain; tls <=3.10"), (self.COLUMNS[3:], "tls >=3.13"),
            (self.COLUMNS[1:3], "plain >=3.13; tls <=3.10"),
        ]
        for chosen, want in rows:
            with self.subTest(want):
                got = version.predicate_for_columns(chosen, self.COLUMNS)
                self.assertEqual(want, got)
                self.assertEqual(chosen, [(kind, number) for kind, number in self.COLUMNS if version.matches(got, number, kind)])

    def test_one_class_needs_no_name(self):
        columns = [("tls", OLD), ("tls", NEW)]
        self.assertEqual(">=3.13", version.predicate_for_columns(columns[1:], columns))

    def test_record_lines(self):
        rows = [("3.10.13 3.13.0", [("plain", OLD), ("plain", NEW)]), ("3.10.13 3.13.0 tls", self.COLUMNS),
                ("tls 3.13.0", [("tls", NEW)]), ("3.10.13 tls 3.13.0", [("plain", OLD), ("tls", NEW)])]
        for text, want in rows:
            with self.subTest(text):
                one = parse("record  %s script=abc\npeer close\n" % text)
                self.assertEqual(want, one.record)
                self.assertEqual("record  %s script=abc" % text, bless.record_line(one))

    def test_both_classes_in_one_case(self):
        one = parse('app r = read\npeer close\n')
        live = {("plain", NEW): {1: ["state write=5", "both"], 2: ["state write=0 drains=1"]},
                ("tls", NEW): {1: ["both", "only tls"], 2: ["state drains=1"]}}
        bless.record(one, live)
        self.assertEqual([(None, "state write=5"), (None, "both"), ("tls", "only tls")], one.steps[0].recorded)
        self.assertEqual([(None, "state write=0 drains=1")], one.steps[1].recorded)
        self.assertEqual({1: ["both", "only tls"], 2: ["state drains=1"]}, transcript.without_sizes(one.column(NEW, "tls")))

    def test_the_size_of_the_write_buffer_is_not_compared(self):
        one = parse("app write \"x\"\npeer close\n")
        bless.record(one, {("plain", NEW): {1: ["state write=5"]}, ("tls", NEW): {}})
        run = transcript.render([{"ev": "state", "conn": 1, "write": 77, "step": 1}])
        self.assertEqual("SAME", verdict.judge(one, "tls13-mem", run, one.column(NEW, "tls")).name)
        self.assertEqual("DIFF", verdict.judge(one, "mem", run, one.column(NEW)).name)


class Rendering(unittest.TestCase):
    def line(self, event):
        return transcript.render([dict(event, step=1)]).steps.get(1)

    def test_lines(self):
        session = {"ev": "session", "conn": 2, "done": True, "version": "TLSv1.3", "cipher": "C", "server_name": "a", "alpn": None,
                   "certificate": None}
        rows = [
            ({"ev": "error", "id": "r", "class": "SSLCertVerificationError", "reason": "CERTIFICATE_VERIFY_FAILED", "verify_code": 18,
              "text": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate (_ssl.c:1000)"},
             'r ! SSLCertVerificationError reason=CERTIFICATE_VERIFY_FAILED verify_code=18 '
             '"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"'),
            ({"ev": "peer", "conn": 1, "bytes": "", "end": "truncated", "tls": "ssl/tls alert bad certificate"},
             'peer got "" truncated tls="sslv3 alert bad certificate"'),
            ({"ev": "peer", "conn": 1, "bytes": "", "end": "open", "tls": "http request"}, 'peer got "" open tls="http request"'),
            (session, 'peer@2 session version="TLSv1.3" cipher="C" server_name="a" alpn=none certificate=none'),
            (dict(session, done=False), "peer@2 session not done"),
        ]
        for event, want in rows:
            with self.subTest(want):
                self.assertEqual([want], self.line(event))


if __name__ == "__main__":
    unittest.main()

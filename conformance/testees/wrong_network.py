# SPDX-License-Identifier: MIT
"""Mistakes of tasks, connecting, serving and TLS, each with the rules that it breaks."""
from asyncio import sslproto

import cpython_tls
from wrong_making import Change, Mistake

PROTOCOL = "streams.StreamReaderProtocol."
WRITER = "streams.StreamWriter."
LOOP = "base_events.BaseEventLoop."
SERVER = "base_events.Server."
TLS = "sslproto.SSLProtocol."

# Backends and areas of cases.
TASKS = "mem", "tasks timeout cancel concurrency schedule reader"
CONNECTS = "mem", "connect concurrency timeout cancel errors"
SERVERS = "mem,tcp", "server closing concurrency"
PATHS = "mem,unix", "unix server"
OVER_TLS = "tls13-mem", "tls closing drain extra flow writer errors matrix"
OPENS_TLS = "tls13-mem", "tls"
UPGRADES = "tcp", "start-tls"


def any_name():
    right = cpython_tls.make_context

    def make_context(told, folder):
        return right(dict(told, check_hostname=False) if told["side"] == "client" else told, folder)

    cpython_tls.make_context = make_context


def no_close_notify():
    def do_shutdown(self):
        self._process_outgoing()
        self._call_eof_received()
        self._on_shutdown_complete(None)

    sslproto.SSLProtocol._do_shutdown = do_shutdown


TASK_MISTAKES = [
    Mistake("leaked-timer", "R-930 R-920", TASKS, "a time limit that was kept leaves its timer behind",
            Change("timeouts.Timeout.__aexit__", ("self._timeout_handler.cancel()", "pass"))),
    Mistake("timeout-late", "R-920 R-930", TASKS, "time limits end a second late",
            Change("timeouts.Timeout.reschedule", ("call_at(when,", "call_at(when + 1,"))),
    Mistake("timeout-zero-runs", "R-921", TASKS, "wait_for runs what has no time",
            Change("tasks.wait_for", ("and timeout <= 0:", "and timeout < -9:"))),
    Mistake("group-keeps-siblings", "R-942", TASKS, "a task group's siblings run on after a failure",
            Change("taskgroups.TaskGroup._abort", ("t.cancel()", "pass"))),
    Mistake("expired-block-eats-errors", "R-930 R-933 R-932", TASKS, "any error that leaves an expired block is its timeout",
            Change("timeouts.Timeout.__aexit__", ("issubclass(exc_type, exceptions.CancelledError)", "issubclass(exc_type, BaseException)"))),
    Mistake("cancel-counts-as-timeout", "R-934 R-930", TASKS, "a block that a cancel ends while it expires is a timeout all the same",
            Change("timeouts.Timeout.__aexit__", ("self._task.uncancel() <= self._cancelling and", "self._task.uncancel() is not None and"))),
    Mistake("shield-lets-through", "R-941", TASKS, "a cancelled shield cancels what it shields",
            Change("tasks.shield", ("if not inner.done(): inner", "if not inner.done():\n            inner.cancel()\n            inner"))),
    Mistake("run-hides-errors", "R-903", TASKS, "errors of tasks that run ends are not reported",
            Change("runners._cancel_all_tasks", ("if task.exception() is not None:", "if False:"))),
    Mistake("reschedule-after-exit", "R-935", TASKS, "a time limit that has ended may be moved",
            Change("timeouts.Timeout.reschedule", ("if self._state is not _State.ENTERED:", "if self._state is _State.CREATED:"))),
]

CONNECTING = [
    Mistake("leaked-descriptor", "R-546 R-548 R-549", CONNECTS, "a refused connect leaves its socket open",
            Change(LOOP + "_connect_sock", ("sock.close() raise except",
                                            "self.__dict__.setdefault('kept', __import__('collections')).__dict__"
                                            ".setdefault('kept', []).append(sock)\n        raise\n    except"))),
    Mistake("connects-to-last", "R-546", CONNECTS, "addresses are tried last first",
            Change(LOOP + "create_connection", ("for addrinfo in infos: try:", "for addrinfo in reversed(infos):\n                try:"))),
    Mistake("families-not-mixed", "R-570 R-512", CONNECTS, "happy eyeballs takes the addresses as they come",
            Change(LOOP + "create_connection", ("if interleave:", "if False:"))),
    Mistake("eyeballs-late", "R-571 R-575", CONNECTS, "happy eyeballs waits twice as long",
            Change("staggered.staggered_race", (".wait(), delay)", ".wait(), delay * 2)"))),
    Mistake("eyeballs-ignore-failure", "R-571", CONNECTS, "a failed attempt does not hasten the next",
            Change("staggered.staggered_race", ("this_failed.set()", "pass"))),
    Mistake("first-error-only", "R-551", CONNECTS, "of several failures the first one is told alone",
            Change(LOOP + "create_connection", ("raise OSError('Multiple exceptions", "raise exceptions[0]\n"
                                                "                    raise OSError('Multiple exceptions"))),
    Mistake("local-address-ignored", "R-507 R-553", CONNECTS, "local_addr is not bound to",
            Change(LOOP + "_connect_sock", ("if local_addr_infos is not None:", "if False:"))),
    Mistake("all-errors-ignored", "R-552 R-513", CONNECTS, "all_errors changes nothing",
            Change(LOOP + "create_connection", ("if all_errors:", "if False:"))),
    Mistake("same-errors-merged", "R-550", CONNECTS, "equal errors are told one by one",
            Change(LOOP + "create_connection", ("if all(str(exc) == model", "if False and all(str(exc) == model"))),
    Mistake("losers-not-cancelled", "R-573", CONNECTS, "the winner of a race does not end the other attempts",
            Change("staggered.staggered_race", ("if i != this_index:", "if False:"))),
    Mistake("cancelled-connect-leaks", "R-556", CONNECTS, "a cancelled connect leaves its socket open",
            Change(LOOP + "_connect_sock", ("except: if sock is not None: sock.close()", "except:\n        if sock is not None:\n            "
                                            "self.__dict__.setdefault('kept', __import__('collections')).__dict__"
                                            ".setdefault('kept', []).append(sock)"))),
]

SERVING = [
    Mistake("handler-error-silent", "R-653", SERVERS, "a handler's exception is reported to nobody",
            Change(PROTOCOL + "connection_made", ("if exc is not None:", "if False:"))),
    Mistake("close-closes-clients", "R-666", SERVERS, "closing a server closes its connections",
            Change(SERVER + "close", ("self._serving = False", "self._serving = False\n    self.close_clients()")),
            Change(SERVER + "close_clients", ("transport.close()", "transport.close()"))),     # as it is, but it must be there
    Mistake("server-never-waits", "R-669 R-668", SERVERS, "a server's wait_closed does not wait",
            Change(SERVER + "wait_closed", ("await waiter", "return"))),
    Mistake("reuse-address-off", "R-609", SERVERS, "listening sockets do not reuse addresses",
            Change(LOOP + "create_server", ("if reuse_address:", "if False:"))),
    Mistake("v6-takes-v4", "R-630", SERVERS, "an IPv6 socket takes IPv4 connections too",
            Change(LOOP + "create_server", ("socket.IPV6_V6ONLY, True)", "socket.IPV6_V6ONLY, False)"))),
    Mistake("accepts-one-more", "R-640", SERVERS, "a turn accepts one connection more than the backlog",
            Change("selector_events.BaseSelectorEventLoop._accept_connection", ("range(backlog)", "range(backlog + 1)"))),
    Mistake("accept-retry-early", "R-642", SERVERS, "accepting goes on before its second is over",
            Change("selector_events.BaseSelectorEventLoop._accept_connection", ("constants.ACCEPT_RETRY_DELAY", "0.5"))),
    Mistake("abort-closes", "R-672", SERVERS, "abort_clients closes instead",
            Change(SERVER + "abort_clients", ("transport.abort()", "transport.close()"))),
    Mistake("socket-file-stays", "R-720", PATHS, "a closed Unix server leaves its file",
            Change("unix_events._UnixSelectorEventLoop._stop_serving", ("os.unlink(path)", "pass"))),
    Mistake("foreign-file-removed", "R-720", PATHS, "a closed Unix server removes another one's file",
            Change("unix_events._UnixSelectorEventLoop._stop_serving", ("if os.stat(path).st_ino == prev_ino:", "if True:"))),
    Mistake("serve-forever-twice", "R-664", SERVERS, "serve_forever may be awaited twice",
            Change(SERVER + "serve_forever", ("if self._serving_forever_fut is not None:", "if False:"))),
    Mistake("serves-at-once", "R-619 R-661", SERVERS, "start_serving=False changes nothing",
            Change(LOOP + "create_server", ("if start_serving:", "if True:"))),
    Mistake("keep-alive-ignored", "R-610", SERVERS, "keep_alive changes nothing",
            Change(LOOP + "create_server", ("if keep_alive:", "if False:"))),
    Mistake("reuse-port-ignored", "R-609", SERVERS, "reuse_port changes nothing",
            Change(LOOP + "create_server", ("if reuse_port:", "if False:"))),
    Mistake("default-limit-served", "R-603", SERVERS, "limit does not reach a server's readers",
            Change("streams.start_server", ("StreamReader(limit=limit, ", "StreamReader("))),
    Mistake("last-client-not-awaited", "R-669", SERVERS, "any connection's end ends wait_closed",
            Change(SERVER + "_detach", ("len(self._clients) == 0 and", ""))),
    Mistake("cancelled-handler-stays", "R-654", SERVERS, "a cancelled handler leaves its connection open",
            Change(PROTOCOL + "connection_made", ("if task.cancelled(): transport.close()", "if task.cancelled():\n                    pass"))),
    Mistake("failed-handler-stays", "R-653", SERVERS, "a handler that fails leaves its connection open",
            Change(PROTOCOL + "connection_made", ("}) transport.close()", "})"))),
    Mistake("stale-socket-stays", "R-715", PATHS, "a socket file in the way is an error",
            Change("unix_events._UnixSelectorEventLoop.create_unix_server", ("os.remove(path)", "pass"))),
    Mistake("cleanup-always", "R-720", PATHS, "cleanup_socket=False changes nothing",
            Change("unix_events._UnixSelectorEventLoop.create_unix_server", ("if cleanup_socket:", "if True:"))),
]

SECURING = [
    Mistake("any-name", "R-820 R-802", OPENS_TLS, "clients take any certificate of a CA that they trust", any_name),
    Mistake("no-server-name", "R-802", OPENS_TLS, "the client does not tell whom it wants to talk to",
            Change(TLS + "__init__", ("self._server_hostname = server_hostname", "self._server_hostname = None\n"
                                      "        sslcontext.check_hostname = False"))),
    Mistake("handshake-unlimited", "R-811 R-813", OPENS_TLS, "a handshake may take for ever",
            Change(TLS + "_check_handshake_timeout", ("if self._state ==", "if False and self._state =="))),
    Mistake("no-close-notify", "R-860", OVER_TLS, "closing a TLS stream just ends the connection below", no_close_notify),
    Mistake("shutdown-unlimited", "R-862", OVER_TLS, "the peer's close_notify is waited for without end",
            Change(TLS + "_check_shutdown_timeout", ("self._transport._force_close(", "("))),
    Mistake("shutdown-late", "R-862", OVER_TLS, "the shutdown's time limit is twice as long",
            Change(TLS + "_start_shutdown", ("self._ssl_shutdown_timeout,", "self._ssl_shutdown_timeout * 2,"))),
    Mistake("last-data-lost", "R-850", ("tls13-pair", "tls closing"), "data that arrives together with close_notify is lost",
            Change(TLS + "_do_read__copied", ("if one: self", "if one and chunk:\n        self"))),
    Mistake("late-data-ignored", "R-864", OVER_TLS, "data after our close_notify is no error",
            Change(TLS + "_do_shutdown", ("self._on_shutdown_complete(exc)", "self._on_shutdown_complete(None)"))),
    Mistake("tls-high-water-exclusive", "R-309 R-311", OVER_TLS, "a TLS stream's writing is paused above high water only",
            Change(TLS + "_control_app_writing", ("size >= self._outgoing_high_water", "size > self._outgoing_high_water"))),
    Mistake("tls-close-cuts-backlog", "R-860", OVER_TLS, "close drops what OpenSSL was not given yet",
            Change(TLS + "_start_shutdown", ("self._do_flush()", "self._write_backlog.clear()\n        self._outgoing.read()\n"
                                             "        self._do_flush()"))),
    Mistake("tls-loss-not-told", "R-854", OVER_TLS, "a reset below a TLS stream ends it like a clean end",
            Change(TLS + "connection_lost", ("self._app_protocol.connection_lost, exc", "self._app_protocol.connection_lost, None"))),
    Mistake("close-in-handshake-waits", "R-870 R-892", OPENS_TLS, "a close during the handshake does not end it",
            Change(TLS + "_start_shutdown", ("self._abort(None)", "pass"))),
    Mistake("eof-in-handshake-clean", "R-825", OPENS_TLS, "FIN during the handshake is told with a text",
            Change(TLS + "eof_received", ("ConnectionResetError)", "ConnectionResetError('EOF'))"))),
    Mistake("tls-lost-writes-silent", "R-433", OVER_TLS, "TLS writes into nowhere are not warned of",
            Change(TLS + "_write_appdata", ("if self._conn_lost >=", "if self._conn_lost < 0 and 5 >="))),
    Mistake("tls-resume-forgotten", "R-843 R-897", OVER_TLS, "resuming a TLS stream delivers nothing that waited",
            Change(TLS + "_resume_reading", ("self._loop.call_soon(resume)", "pass"))),
    Mistake("tls-fin-drops-queue", "R-855", OVER_TLS, "the peer's FIN drops what was queued for it",
            Change(TLS + "eof_received", ("self._eof_received = True", "self._eof_received = True\n    self._write_backlog.clear()\n    self._outgoing.read()"))),
    Mistake("no-peercert", "R-234", OPENS_TLS, "there is no peercert", Change(TLS + "_on_handshake_complete", ("peercert=peercert", "peercert=None"))),
    Mistake("start-tls-always-client", "R-272", UPGRADES, "start_tls is the client on both sides",
            Change(WRITER + "start_tls", ("server_side = protocol._client", "server_side = False and protocol._client"),
                   ("server_side = self._protocol._client", "server_side = False and self._protocol._client"))),
    Mistake("start-tls-hasty", "R-273", UPGRADES, "start_tls does not drain first", Change(WRITER + "start_tls", ("await self.drain()", "pass"))),
    Mistake("start-tls-old-transport", "R-277", UPGRADES, "after start_tls the writer still has the old transport",
            Change(WRITER + "start_tls", ("self._transport = new_transport", "pass"))),
    Mistake("notify-unanswered", "R-850", OVER_TLS, "the peer's close_notify is not answered",
            Change(TLS + "_do_read__copied", ("self._call_eof_received() self._start_shutdown()",
                                              "self._call_eof_received()\n        self._loop.call_soon(self._transport.close)"))),
]

# SPDX-License-Identifier: MIT
"""TLS for the testee CPython: contexts from their descriptions, and peers that speak TLS over the raw ones.

PROTOCOL.md, section 10, says what they do. A peer is an ssl.SSLObject over memory BIOs, never asyncio; what the ssl
module has no call for (key updates, renegotiation, tickets) is asked of the same libssl through ctypes.
"""
import ctypes
import os
import platform
import re
import ssl
import sys

VERSION = sys.version_info[:3]
HELD = 65536            # so much plaintext waits for the script before a peer takes no more
PIECE = 16384           # ciphertext taken at a time
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
AGAIN = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
REASON = re.compile(r"(?:\[[^\]]*\] )?(.*?)(?: \(_ssl\.c:\d+\))?$", re.DOTALL)


# ---- contexts -------------------------------------------------------------------------------------------------------

class Contexts:
    """The contexts that scripts describe, each made once in the life of the testee."""

    def __init__(self):
        self.made = {}

    def get(self, tls, name):
        told = tls["contexts"][name]
        key = name, repr(sorted(told.items())), tls["certificates"]
        if key not in self.made:
            self.made[key] = make_context(told, tls["certificates"])
        return self.made[key]

    def name_of(self, tls, context):
        """The name of this object in the script; `default` when it is none of the script's."""
        if context is None:
            return None
        return next((name for name in tls.get("contexts", ()) if self.get(tls, name) is context), "default")


CONTEXTS = Contexts()


def make_context(told, folder):
    client = told["side"] == "client"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if client else ssl.PROTOCOL_TLS_SERVER)
    if client:
        context.check_hostname = told.get("check_hostname", True)
    context.verify_mode = VERIFY[told["verify"]]
    if "ca" in told:
        context.load_verify_locations(os.path.join(folder, told["ca"] + ".pem"))
    if "chain" in told:
        context.load_cert_chain(os.path.join(folder, told["chain"] + ".pem"))
    context.minimum_version = VERSIONS[told.get("minimum", "1.2")]
    if "maximum" in told:
        context.maximum_version = VERSIONS[told["maximum"]]
    if "alpn" in told:
        context.set_alpn_protocols(told["alpn"])
    if "ciphers" in told:
        context.set_ciphers(told["ciphers"])
    if not client:
        context.sni_callback = remember_name
    return context


def remember_name(session, name, context):
    session.told_name = name


def reason_text(error):
    """OpenSSL's own words, which no version of Python garbles: `tlsv1 alert unknown ca`."""
    text = error.args[1] if len(error.args) > 1 else str(error)
    return REASON.match(text).group(1)


def error_fields(error, fields):
    """What an SSLError tells in the place of an errno (R-008); 3.7 knows no reasons of OpenSSL 3."""
    for key in ("library", "reason"):
        if getattr(error, key, None) and VERSION >= (3, 8):
            fields[key] = getattr(error, key)
    if VERSION < (3, 8):
        fields["text"] = re.sub(r"^\[SSL: [^\]]*\]", "[SSL]", fields["text"])
    if getattr(error, "verify_code", 0):
        fields["verify_code"] = error.verify_code
        fields["verify_message"] = error.verify_message


# ---- what the ssl module has no call for ------------------------------------------------------------------------------

class Native:
    """The libssl that this process has loaded already, and the SSL * inside an SSLObject."""

    SESSION_OFFSET = 3 * ctypes.sizeof(ctypes.c_void_p)     # behind the object's head and the socket's reference

    def __init__(self):
        self.library = None

    def load(self):
        if self.library is None:
            with open("/proc/self/maps") as file:
                path = next(line.split()[-1] for line in file if "libssl" in line)
            self.library = ctypes.CDLL(path)
        return self.library

    def available(self):
        try:
            return platform.python_implementation() == "CPython" and hasattr(self.load(), "SSL_new_session_ticket")
        except (StopIteration, OSError):
            return False

    def call(self, session, name, *numbers):
        pointer = ctypes.c_void_p.from_address(id(session._sslobj) + self.SESSION_OFFSET)
        function = getattr(self.load(), name)
        function.argtypes = [ctypes.c_void_p] + [ctypes.c_int] * len(numbers)
        return function(pointer, *numbers)


NATIVE = Native()


# ---- peers --------------------------------------------------------------------------------------------------------------

class TlsPeer:
    """A TLS session of the script over a wire: a raw peer, or another TLS peer. It is a wire itself."""

    def __init__(self, wire, context, server_side, server_hostname=None, first=b"", hold=False, silent=False):
        self.wire = wire
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side,
                                        server_hostname=None if server_side else server_hostname)
        self.session.told_name = None
        self.holds = hold
        self.is_silent = silent
        self.done = False           # the handshake
        self.failed = None          # OpenSSL's reason text
        self.got_notify = self.sent_notify = False
        self.closing = False        # it read enough, and closes when the app's side has ended
        self.held = b""
        self.waiting = b""          # plaintext that waits for the handshake
        if not server_side and not hold:
            self.advance()          # the ClientHello
        begin = first + self.outgoing.read()
        if begin:
            self.wire.send(begin)

    sock = property(lambda self: self.wire.sock)

    # moving

    def pump(self):
        """One round of what a well-behaved program does; true when a byte moved or something was found out."""
        below = self.wire.pump() if isinstance(self.wire, TlsPeer) else False
        if self.holds:
            return below
        moved = below
        while len(self.held) < HELD:
            data = self.wire.take(PIECE)
            if not data:
                break
            moved = True
            if not self.over():
                self.incoming.write(data)
                self.advance()
            if self.closing:
                self.held = b""
        if self.closing and (self.over() or self.wire.end() != "open"):
            self.flush()
            self.wire.close()
            return moved
        if not moved and not self.done and not self.failed:
            self.advance()
        return self.flush() or moved

    def over(self):
        return self.got_notify or self.failed is not None

    def advance(self):
        """Handshake, decrypt, answer: as far as the ciphertext goes."""
        try:
            if not self.done:
                self.session.do_handshake()
                self.done = True
            if self.waiting and not self.sent_notify:
                self.session.write(self.waiting)
                self.waiting = b""
            while not self.got_notify:
                data = self.session.read(262144)
                self.held += data
                self.got_notify = not data
        except AGAIN:
            pass
        except ssl.SSLZeroReturnError:
            self.got_notify = True
        except ssl.SSLError as error:
            self.failed = reason_text(error)
        if self.got_notify and not self.is_silent:
            self.notify()

    def notify(self):
        if self.done and not self.sent_notify and self.failed is None:
            self.sent_notify = True
            try:
                self.session.unwrap()
            except ssl.SSLError:
                pass            # it wants the other side's close_notify, which this peer does not wait for

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.wire.send(data)
        return bool(data)

    # the script's operations

    def send(self, data):
        self.waiting += data
        if self.done and self.failed is None and not self.sent_notify:
            try:
                self.session.write(self.waiting)
            except ssl.SSLError as error:
                self.failed = reason_text(error)
        if self.done:
            self.waiting = b""
        self.flush()

    def take(self, size):
        if self.closing:
            return b""
        size = len(self.held) if size is None else size
        data, self.held = self.held[:size], self.held[size:]
        return data

    def end(self):
        end = "closed" if self.closing else self.wire.end()
        if end in ("fin", "notify", "truncated"):
            return "fin" if self.got_notify else "truncated"
        return "notify" if end == "open" and self.got_notify else end

    def shutdown(self):
        self.notify()
        self.flush()

    def eof(self):
        self.wire.eof()

    def close(self):
        """Gracefully, if there is a session to end; `shutdown` and `cut` together are the hasty way."""
        self.shutdown()
        self.closing, self.held = True, b""
        if not self.done or self.over() or self.holds:
            self.wire.close()

    def cut(self):
        self.wire.cut()

    def reset(self):
        self.wire.reset()

    def window(self, size):
        self.wire.window(size)

    def raw(self, data):
        self.wire.send(data)

    def hold(self):
        self.holds = True

    def flight(self):
        if self.holds:
            self.holds = False
            self.pump()
            self.holds = True

    def handshake(self):
        self.holds = False

    def silent(self):
        self.is_silent = True

    def key_update(self):
        if self.done and NATIVE.call(self.session, "SSL_key_update", 1) == 1:
            self.step()

    def renegotiate(self):
        if self.done and NATIVE.call(self.session, "SSL_renegotiate") == 1:
            self.step()

    def ticket(self):
        if self.done and NATIVE.call(self.session, "SSL_new_session_ticket") == 1:
            self.step()

    def step(self):
        try:
            self.session.do_handshake()
        except AGAIN:
            pass
        except ssl.SSLError as error:
            self.failed = reason_text(error)
        self.flush()

    def tell(self):
        event = dict.fromkeys(("version", "cipher", "server_name", "alpn", "certificate"))
        event["done"] = self.done
        if self.done:
            certificate = self.session.getpeercert() or {}
            names = dict(pair for part in certificate.get("subject", ()) for pair in part)
            event.update(version=self.session.version(), cipher=self.session.cipher()[0],
                         server_name=self.session.told_name, alpn=self.session.selected_alpn_protocol(),
                         certificate=names.get("commonName"))
        return event

    # the settling

    def arriving(self):
        return self.wire.arriving()

    def waits_for_more(self):
        """Whether what is under way to it will be taken."""
        return not self.holds and len(self.held) < HELD

    def quiet(self, conn):
        return not (self.waits_for_more() and self.arriving()) and self.wire.quiet(conn)

    def refused(self):
        return self.wire.refused()

    def bottom(self):
        return self.wire.bottom() if isinstance(self.wire, TlsPeer) else self.wire

    def dispose(self):
        self.wire.dispose()

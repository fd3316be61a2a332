# SPDX-License-Identifier: MIT
"""Does the same failing things with Python's ssl and with rill, and compares what each says of them.

usage: oracle_errors.py ERROR_DRIVER FOLDER    (FOLDER is what make-files made)

Compared are class, text (without Python's line number), errno, library, reason and the verification's code and message.
Exit status 77: this Python has another OpenSSL than rill, and texts are OpenSSL's.
"""

import os
import re
import ssl
import subprocess
import sys

CHAINS = [  # certfile, keyfile, password
    ("localhost.crt", "localhost.key", None), ("localhost.pem", None, None), ("other-chain.crt", "other.key", None),
    ("no.crt", "localhost.key", None), ("localhost.crt", "no.key", None), ("localhost.crt", "other.key", None),
    ("localhost.crt", "rsa.key", None), ("rsa.crt", "localhost.key", None), ("garbage.pem", "localhost.key", None),
    ("empty.pem", "localhost.key", None), ("broken.pem", "localhost.key", None), ("no-base64.pem", "localhost.key", None),
    ("localhost.crt", None, None), ("localhost.crt", "garbage.pem", None), ("folder", "localhost.key", None),
    ("localhost.crt", "folder", None), ("localhost.crt", "encrypted.key", "secret"),
    ("localhost.crt", "encrypted-old.key", "secret"), ("localhost.crt", "encrypted.key", "wrong"),
    ("localhost.crt", "encrypted-old.key", "wrong"), ("localhost.crt", "encrypted.key", ""),
    ("localhost.crt", "encrypted.key", "x" * 1024), ("localhost.crt", "encrypted.key", "x" * 1025),
    ("localhost.crt", "localhost.key", "not asked for"), ("weak.crt", "weak.key", None), ("localhost.key", None, None),
]
TRUSTS = [  # cafile, capath, the file of cadata
    ("ca.crt", None, None), ("both.crt", None, None), (None, "folder", None), (None, "no", None), (None, None, None),
    ("no.crt", None, None), ("no.crt", "folder", None), ("garbage.pem", None, None), ("empty.pem", None, None),
    ("broken.pem", None, None), ("folder", None, None), ("localhost.key", None, None), ("then-broken.pem", None, None),
    (None, None, "ca.crt"), (None, None, "twice.pem"), (None, None, "both.crt"), (None, None, "digit-first.pem"),
    (None, None, "ca.der"), (None, None, "both.der"), (None, None, "garbage.pem"), (None, None, "broken.pem"),
    (None, None, "no-base64.pem"), (None, None, "then-broken.pem"), (None, None, "then-no-base64.pem"),
    (None, None, "then-garbage.pem"), (None, None, "cut.der"), (None, None, "then-cut.der"),
    (None, None, "then-garbage.der"), (None, None, "start.der"), ("no.crt", None, "ca.crt"),
]
SETTINGS = [
    ("ciphers", "bogus"), ("ciphers", ""), ("ciphers", "TLS_AES_256_GCM_SHA384"), ("ciphers", "ECDHE+AESGCM"),
    ("alpn", ""), ("alpn", "x" * 255), ("alpn", "x" * 256),
]
TLS_1_2 = {"client_versions": "12"}
TRUSTED = {"trust": "ca.crt", "chain": "localhost"}
SCENES = [
    TRUSTED, dict(TRUSTED, **TLS_1_2), dict(TRUSTED, host="127.0.0.1"), dict(TRUSTED, host="other.test"),
    dict(TRUSTED, chain="address"), dict(TRUSTED, chain="address", host="127.0.0.1"),
    dict(TRUSTED, chain="address", host="127.0.0.2"), dict(TRUSTED, chain="address", host="::1"),
    dict(TRUSTED, chain="stranger"), dict(TRUSTED, chain="other", host="other.test"), {"chain": "localhost"},
    dict(TRUSTED, chain="stranger", **TLS_1_2), dict(TRUSTED, chain="localhost", host="other.test", **TLS_1_2),
    dict(TRUSTED, chain="rsa"), dict(TRUSTED, chain="client"), {"trust": "ca.crt"},
    dict(TRUSTED, client_versions="12", server_versions="13"), dict(TRUSTED, client_versions="13", server_versions="12"),
    dict(TRUSTED, client_versions="12", client_ciphers="AES256-GCM-SHA384", server_ciphers="ECDHE-RSA-AES256-GCM-SHA384"),
    dict(TRUSTED, ask="ca.crt"), dict(TRUSTED, ask="ca.crt", **TLS_1_2), dict(TRUSTED, ask="ca.crt", show="client"),
    dict(TRUSTED, ask="ca.crt", show="stranger"), dict(TRUSTED, ask="ca.crt", show="stranger", **TLS_1_2),
    dict(TRUSTED, ask="other-ca.crt", show="client", **TLS_1_2), dict(TRUSTED, ask="ca.crt", show="address"),
    dict(TRUSTED, to_client="HTTP/1.1 400 Bad Request\r\n\r\n"), dict(TRUSTED, to_client="SSH-2.0-x\r\n"),
    dict(TRUSTED, to_client="\x15\x03\x03\x00\x02\x02\x28"), dict(TRUSTED, to_client="\x15\x03\x03\x00\x02\x02\x70"),
    dict(TRUSTED, to_client="\x15\x03\x03\x00\x02\x02\x46"), dict(TRUSTED, to_client="\x16\x03\x03\x7f\x7fx"),
    dict(TRUSTED, to_client="\x17\x03\x03\x00\x02xx"),
    dict(TRUSTED, to_server="GET / HTTP/1.0\r\n\r\n"), dict(TRUSTED, to_server="hello, world"),
    dict(TRUSTED, to_server="CONNECT x:1 HTTP/1.0\r\n\r\n"), dict(TRUSTED, to_server="\x15\x03\x01\x00\x02\x02\x0a"),
    dict(TRUSTED, damage="record"), dict(TRUSTED, damage="record", **TLS_1_2),
]


def describe(who, error):
    if error is None:
        return who + "\tok"
    # An SSLError of one argument prints as a tuple of it.
    text = str(error.args[0]) if len(error.args) == 1 else str(error)
    text = re.sub(r" \(_ssl\.c:\d+\)$", "", text)
    fields = [type(error).__name__, text, str(getattr(error, "errno", None) or 0)]
    fields += [str(getattr(error, name, None)) for name in ("library", "reason")]
    fields += [str(getattr(error, "verify_code", None) or 0), str(getattr(error, "verify_message", None))]
    return "\t".join([who] + fields)


def attempt(who, function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except Exception as error:
        return describe(who, error)
    return describe(who, None)


def context_of(protocol):
    """create_default_context() of 3.13 in every Python."""
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT | 0x80000  # VERIFY_X509_PARTIAL_CHAIN, named since 3.10
    return context


def python_chain(folder, certfile, keyfile, password):
    del folder
    context = context_of(ssl.PROTOCOL_TLS_SERVER)
    return [attempt("chain", context.load_cert_chain, certfile, keyfile, password)]


def python_trust(folder, cafile, capath, data):
    context = context_of(ssl.PROTOCOL_TLS_CLIENT)
    if data is not None:
        with open(data, "rb") as file:
            content = file.read()
        data = content if data.endswith(".der") else content.decode("ascii")
    return [attempt("trust", context.load_verify_locations, cafile, capath, data)]


def python_set(folder, what, value):
    context = context_of(ssl.PROTOCOL_TLS_CLIENT)
    if what == "ciphers":
        return [attempt("set", context.set_ciphers, value)]
    return [attempt("set", context.set_alpn_protocols, [value])]


class Side:
    def __init__(self, name, context, **keywords):
        self.name, self.done, self.failed = name, False, False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, **keywords)


def limit(context, versions, ciphers):
    if versions:
        version = {"12": ssl.TLSVersion.TLSv1_2, "13": ssl.TLSVersion.TLSv1_3}[versions]
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)


def step(side, function, lines):
    try:
        function()
    except ssl.SSLWantReadError:
        return
    except Exception as error:
        lines.append(describe(side.name, error))
        side.done = side.failed = True
    else:
        lines.append(describe(side.name, None))
        side.done = True


def carry(sender, receiver, lines, instead=None, damage=False):
    data = sender.outgoing.read()
    if not data:
        return False
    if instead is not None:
        data = instead.encode("latin-1")
    if not receiver.failed:
        if damage:
            data = data[:-1] + bytes([data[-1] ^ 1])
        receiver.incoming.write(data)
        if not receiver.done:
            step(receiver, receiver.object.do_handshake, lines)
        if receiver.done and not receiver.failed:
            step(receiver, lambda: receiver.object.read(4096), lines)
    return True


def python_handshake(folder, scene):
    clients, servers = context_of(ssl.PROTOCOL_TLS_CLIENT), context_of(ssl.PROTOCOL_TLS_SERVER)
    limit(clients, scene.get("client_versions"), scene.get("client_ciphers"))
    limit(servers, scene.get("server_versions"), scene.get("server_ciphers"))
    for context, name in (clients, "show"), (servers, "chain"):
        if name in scene:
            context.load_cert_chain(scene[name] + ".crt", scene[name] + ".key")
    if "trust" in scene:
        clients.load_verify_locations(scene["trust"])
    if "ask" in scene:
        servers.load_verify_locations(scene["ask"])
        servers.verify_mode = ssl.CERT_REQUIRED
    lines = []
    try:
        client = Side("client", clients, server_hostname=scene.get("host", "localhost"))
        server = Side("server", servers, server_side=True)
    except Exception as error:
        return [describe("client", error)]
    step(client, client.object.do_handshake, lines)
    to_server = scene.get("to_server")
    while carry(client, server, lines, to_server) | carry(server, client, lines, scene.get("to_client")):
        to_server = None
    if "damage" in scene and client.done and not client.failed:
        client.object.write(b"data")
        carry(client, server, lines, damage=True)
        carry(server, client, lines)
    return lines


def as_hex(scene):
    """The scene's items, those that are bytes on the wire in hexadecimal."""
    return [(name, value.encode("latin-1").hex() if name.startswith("to_") else value) for name, value in scene.items()]


def main():
    driver, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.chdir(folder)

    def rill(*arguments):
        result = subprocess.run([driver] + list(arguments), stdout=subprocess.PIPE, timeout=60)
        if result.returncode != 0:
            raise SystemExit("the driver ended with %d: %s" % (result.returncode, arguments))
        return result.stdout.decode().splitlines()

    version = rill("version")[0]
    if version != ssl.OPENSSL_VERSION:
        print("oracle_errors: skipped: rill has %s, this Python %s" % (version, ssl.OPENSSL_VERSION))
        return 77
    things = [(python_chain, row, ["chain"] + ["-" if x is None else x for x in row]) for row in CHAINS]
    things += [(python_trust, row, ["trust"] + ["-" if x is None else x for x in row]) for row in TRUSTS]
    things += [(python_set, row, ["set"] + list(row)) for row in SETTINGS]
    things += [(python_handshake, (row,), ["handshake"] + ["%s=%s" % item for item in as_hex(row)]) for row in SCENES]
    differ = errors = 0
    for function, row, arguments in things:
        want = function(folder, *row)
        got = rill(*arguments)
        errors += sum(not line.endswith("\tok") for line in want)
        if got != want:
            differ += 1
            print("%s\n  rill   %s\n  python %s" % (arguments, "\n         ".join(got), "\n         ".join(want)))
    print("oracle_errors: things=%d errors=%d differ=%d" % (len(things), errors, differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""TLS in cases: backends and their carriers, contexts, and the key `tls` of a testee's `run` message (PROTOCOL.md, section 10)."""
import os
import re

from .expr import Bad, Tokens, parse_simple

PLAIN_BACKENDS = ("mem", "pair", "tcp", "unix")
TLS_BACKENDS = ("tls13-mem", "tls12-mem", "tls13-pair", "tls12-pair", "start-tls")
GROUPS = {"plain": PLAIN_BACKENDS, "tls": TLS_BACKENDS}
OVER_MEMORY = ("mem", "tls13-mem", "tls12-mem")
CLASSES = ("plain", "tls")      # the columns of a case: all backends of one class give one transcript
CARRIERS = {"tls13-mem": "mem", "tls12-mem": "mem", "tls13-pair": "pair", "tls12-pair": "pair", "start-tls": "tcp"}
SERVER_CARRIERS = {"tls13-pair": "tcp", "tls12-pair": "unix", "start-tls": "tcp"}
CERTIFICATES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "certificates")
DEFAULTS = {"client": {"side": "client", "ca": "ca", "verify": "required", "check_hostname": True},
            "server": {"side": "server", "chain": "server", "verify": "none"}}
CONTEXT_KEYS = ("ca", "chain", "verify", "check_hostname", "alpn", "minimum", "maximum", "ciphers")
APP_KEYS = ("context", "server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout")

# What versions of OpenSSL call differently, and places in sources: (pattern, what it becomes).
TEXTS = [(re.compile(pattern), instead) for pattern, instead in (
    (r" \(_ssl\.c:\d+\)", ""),
    (r"\bssl/tls alert\b", "sslv3 alert"),                          # 3.2 and later
    (r"\bself signed certificate\b", "self-signed certificate"),    # 1.1.1
)]


def class_of(backend):
    return "tls" if backend in TLS_BACKENDS else "plain"


def carrier(backend, kind):
    """The plain backend below; none where this kind of case cannot be."""
    return (SERVER_CARRIERS if kind == "server" else CARRIERS).get(backend)


def expand(names):
    """Names of backends and groups as backends."""
    found = []
    for name in names:
        if name not in GROUPS and name not in PLAIN_BACKENDS + TLS_BACKENDS:
            raise Bad("unknown backend %s: backends are %s, groups %s" % (
                name, " ".join(PLAIN_BACKENDS + TLS_BACKENDS), " ".join(GROUPS)))
        found += GROUPS.get(name, (name,))
    return list(dict.fromkeys(found))


def normal(text):
    for pattern, instead in TEXTS:
        text = pattern.sub(instead, text)
    return text


# ---- header lines -----------------------------------------------------------------------------------------------------

def pairs(rest, known):
    """Words `key=value`, and bare words with the value true; values as in statements, names stay texts."""
    tokens, found = Tokens(re.sub(r"=(\d+\.\d+)(?=\s|$)", r'="\1"', rest)), {}
    while not tokens.finished():
        key = tokens.name("a key")
        if key not in known:
            raise Bad("%s is none of %s" % (key, " ".join(known)))
        found[key] = read_value(tokens) if tokens.accept("=") else True
    return found


def read_value(tokens):
    token = tokens.peek()
    if token.kind == "name" and token.text not in ("none", "true", "false", "yes", "no"):
        return tokens.next().text
    return parse_simple(tokens)


def read_context(rest):
    """NAME client|server [ca=NAME|none] [chain=NAME|none] [verify=...] [check_hostname=no] [alpn="a,b"] ..."""
    words = rest.split(None, 2)
    if len(words) < 2 or words[1] not in DEFAULTS:
        raise Bad("write `context NAME client|server key=value ...`")
    context = dict(DEFAULTS[words[1]])
    for key, value in pairs(words[2] if len(words) > 2 else "", CONTEXT_KEYS).items():
        if value is None and key != "verify":
            context.pop(key, None)
        else:
            context[key] = "none" if value is None else value.split(",") if key == "alpn" else value
    for name in ("ca", "chain"):
        if name in context and not os.path.exists(os.path.join(CERTIFICATES, context[name] + ".pem")):
            raise Bad("there is no certificate %s" % context[name])
    return words[0], context


def read_app(rest):
    return pairs(rest, APP_KEYS)


def read_peer(rest):
    return pairs(rest, ("server", "client", "server_hostname", "hold", "silent"))


# ---- the message ------------------------------------------------------------------------------------------------------

class Tls:
    """What a case's header says about TLS."""

    def __init__(self):
        self.contexts = {}
        self.app = {}
        self.peer = {}

    def declared(self):
        """What belongs to the script's digest: nothing when nothing is said."""
        return {key: value for key, value in vars(self).items() if value}

    def message(self, kind, backend):
        side, peers_side = ("server", "client") if kind == "server" else ("client", "server")
        contexts = dict(DEFAULTS, **self.contexts)
        peer = dict({"server": "server", "client": "client", "server_hostname": "localhost"}, **self.peer)
        for name in ("server", "client") if backend.startswith("tls12") else ():
            contexts["peer:" + name] = dict({"maximum": "1.2"}, **contexts[peer[name]])
            peer[name] = "peer:" + name
        made = {"certificates": CERTIFICATES, "contexts": contexts, "peer": peer}
        if backend in TLS_BACKENDS:
            made["app"] = dict({"context": side}, **({} if kind == "server" else {"server_hostname": "localhost"}))
            made["app"].update(self.app)
        return made

    def names_meant(self):
        return [name for name in (self.app.get("context"), self.peer.get("server"), self.peer.get("client")) if name]

# SPDX-License-Identifier: MIT
"""Statements of `app`, `handler` and `callback` lines: parsed into the calls of PROTOCOL.md, section 6."""
from .expr import Bad, pack, parse_bytes, parse_number, parse_simple, unescape, unpack


def read_int(tokens, call, key):
    value = parse_number(tokens)
    if not isinstance(value, int):
        raise Bad("%s takes a whole number" % key)
    call[key] = value


def read_seconds(tokens, call, key):
    call[key] = None if tokens.accept("none") else parse_number(tokens)


def read_bytes(tokens, call, key):
    call[key] = pack(parse_bytes(tokens))


def read_sequence(tokens, first, last):
    items = []
    tokens.expect(first)
    while not tokens.accept(last):
        items.append(pack(parse_bytes(tokens)))
        if not tokens.accept(","):
            tokens.expect(last)
            break
    return items


def read_separator(tokens, call, key):
    if tokens.peek().text == "(":
        call["separators"] = read_sequence(tokens, "(", ")")
    else:
        read_bytes(tokens, call, key)


def read_list(tokens, call, key):
    call[key] = read_sequence(tokens, "[", "]")


def read_text(tokens, call, key):
    if tokens.peek().kind != "string":
        raise Bad("expected a text in double quotes, found %r" % tokens.peek())
    call[key] = unescape(tokens.next().text)


def read_name(tokens, call, key):
    call[key] = tokens.name(key)


def read_names(tokens, call, key):
    call[key] = []
    while (tokens.peek().kind == "name" and tokens.peek().text not in ("collect", "first")
           and tokens.peek(1).text != "="):
        call[key].append(tokens.next().text)


def read_value(tokens, call, key):
    call[key] = parse_simple(tokens)


def read_flag(tokens, call, key):
    tokens.expect(key)
    call[key] = True


def read_truth(tokens, call, key):
    value = parse_simple(tokens)
    if not isinstance(value, bool):
        raise Bad("%s is yes or no" % key)
    call[key] = value


def read_host(tokens, call, key):
    """A text or none, or a list of them in brackets, which is another key."""
    if not tokens.accept("["):
        if tokens.peek().kind == "string" or tokens.peek(1).text == "*":
            call[key] = unpack(parse_bytes(tokens))     # long names: 254*"x"
        else:
            read_value(tokens, call, key)
        return
    call["hosts"] = []
    while not tokens.accept("]"):
        call["hosts"].append(parse_simple(tokens))
        if not tokens.accept(","):
            tokens.expect("]")
            break


def read_path(tokens, call, key):
    """Bytes in which {dir} means the case's directory; none is no path at all."""
    if not tokens.accept("none"):
        read_bytes(tokens, call, key)


def read_flags(tokens, call, key):
    """Names joined by +, or 0."""
    call[key] = []
    if not tokens.accept("0"):
        read_name(tokens, call, "flag")
        call[key] = [call.pop("flag")]
        while tokens.accept("+"):
            call[key].append(tokens.name("a flag"))


def read_port(tokens, call, key):
    """A number, a text, or one of the ports that the testee knows: peer, closed, server."""
    if tokens.peek().kind == "name" and tokens.peek().text in ("peer", "closed", "server"):
        call[key + "_of"] = tokens.next().text
    else:
        read_value(tokens, call, key)


def read_ssl(tokens, call, key):
    """A context's name, or Python's True or False; none is nothing."""
    if tokens.peek().kind == "name" and tokens.peek().text not in ("none", "true", "false", "yes", "no"):
        call[key] = tokens.next().text
        return
    value = parse_simple(tokens)
    if value is not None:
        call[key] = value


def read_error(tokens, call, key):
    """CLASS ["text"] or CLASS ERRNO; none clears."""
    name = tokens.name("an exception's class")
    if name == "none":
        return
    call["class"] = name
    if tokens.peek().kind == "name":
        call["errno"] = tokens.next().text
    elif tokens.peek().kind == "string":
        read_text(tokens, call, "text")


TLS_OPTIONS = [("ssl=", read_ssl), ("insecure_skip_hostname=", read_truth)]
CONNECT_OPTIONS = TLS_OPTIONS + [
    ("family=", read_name), ("proto=", read_int), ("flags=", read_flags), ("sock=", read_name),
    ("local_host=", read_value), ("local_port=", read_port), ("happy_eyeballs_delay=", read_seconds),
    ("interleave=", read_int), ("all_errors=", read_truth), ("server_hostname=", read_value),
    ("ssl_handshake_timeout=", read_seconds), ("ssl_shutdown_timeout=", read_seconds)]
SERVER_OPTIONS = TLS_OPTIONS[:1] + [
    ("family=", read_name), ("flags=", read_flags), ("sock=", read_name), ("backlog=", read_int),
    ("reuse_address=", read_truth), ("reuse_port=", read_truth), ("keep_alive=", read_truth),
    ("start_serving=", read_truth), ("ssl_handshake_timeout=", read_seconds),
    ("ssl_shutdown_timeout=", read_seconds), ("no_callback=", read_truth)]
UNIX_OPTIONS = TLS_OPTIONS + [
    ("limit=", read_int), ("bytes_path=", read_truth), ("sock=", read_name), ("server_hostname=", read_value),
    ("ssl_handshake_timeout=", read_seconds), ("ssl_shutdown_timeout=", read_seconds)]
UNIX_SERVER_OPTIONS = TLS_OPTIONS[:1] + [
    ("limit=", read_int), ("bytes_path=", read_truth), ("sock=", read_name), ("backlog=", read_int),
    ("start_serving=", read_truth), ("cleanup_socket=", read_truth), ("ssl_handshake_timeout=", read_seconds),
    ("ssl_shutdown_timeout=", read_seconds), ("no_callback=", read_truth)]

# For each call its arguments in order: (key, reader); a key that ends in ? may be missing, one that ends in = is written
# with its name and may be missing.
ARGUMENTS = {
    "read": [("n?", read_int)], "readexactly": [("n", read_int)],
    "readuntil": [("separator?", read_separator)],
    "feed_data": [("bytes", read_bytes)], "set_exception": [("error", read_error)],
    "write": [("bytes", read_bytes)], "write_items": [("bytes", read_bytes)], "write_changed": [("bytes", read_bytes)],
    "writelines": [("list", read_list)],
    "set_write_buffer_limits": [("high?", read_int), ("low?", read_int)],
    "get_extra_info": [("name", read_text)],
    "open_connection": [("host?", read_host), ("port?", read_port), ("limit?", read_int)] + CONNECT_OPTIONS,
    "start_server": [("host?", read_host), ("port?", read_port), ("limit?", read_int)] + SERVER_OPTIONS,
    "open_unix_connection": [("path?", read_path)] + UNIX_OPTIONS,
    "start_unix_server": [("path?", read_path)] + UNIX_SERVER_OPTIONS,
    "getsockopt": [("name", read_name)], "server_getsockopt": [("name", read_name), ("server=", read_int)],
    "file_kind": [("path", read_path)], "advance": [("seconds", read_seconds)],
    "new_reader": [("limit?", read_int)], "set_transport": [("of", read_int)],
    "wait": [("tasks", read_names), ("first?", read_flag), ("seconds=", read_seconds)],
    "timeout_new": [("seconds", read_seconds)], "expired": [("scope", read_name)],
    "reschedule": [("scope", read_name), ("seconds", read_seconds)],
    "group": [], "group_spawn": [("group", read_name), ("task", read_name)],
    "sleep": [("seconds", read_seconds)], "log": [("text", read_text)],
    "cancel": [("task", read_name), ("text?", read_text)],
    "await": [("task", read_name)], "shield": [("task", read_name)],
    "gather": [("tasks?", read_names), ("collect?", read_flag)],
    "call_soon": [("text", read_text)],
    "call_later": [("seconds", read_seconds), ("text", read_text)],
    "call_at": [("seconds", read_seconds), ("text", read_text)],
    "raise": [("error", read_error)], "return": [("value?", read_value)],
    "wait_for": [("seconds", read_seconds)], "timeout": [("seconds", read_seconds)],
    "spawn": [("task", read_name)],
    "start_tls": [("ssl?", read_ssl), ("server_hostname=", read_value), ("ssl_handshake_timeout=", read_seconds),
                  ("ssl_shutdown_timeout=", read_seconds), ("insecure_skip_hostname=", read_truth)],
    "ssl_object": [("name", read_name)],
    "repr": [("of", read_name)], "new_writer": [("reader=", read_name)], "new_protocol": [("reader=", read_name)],
}
for bare in ("readline iterate at_eof exception feed_eof drain write_eof can_write_eof close abort wait_closed is_closing "
             "get_write_buffer_limits get_write_buffer_size pause_reading resume_reading is_reading cancelling pause_writing "
             "resume_writing uncancel time run sock_is_open add_reader drop").split():
    ARGUMENTS[bare] = []
for server_call in ("close wait_closed is_serving start_serving serve_forever close_clients abort_clients sockets "
                    "names drop").split():
    ARGUMENTS["server_" + server_call] = [("server=", read_int)]

# Without a label these say nothing when they succeed, which is what everybody expects of them.
QUIET = set("feed_data feed_eof set_exception write writelines write_eof close abort set_write_buffer_limits "
            "pause_reading resume_reading server_close server_close_clients server_abort_clients log spawn call_soon call_later call_at timeout "
            "server_drop write_items write_changed drop advance group group_spawn timeout_new reschedule new_reader set_transport "
            "new_writer new_protocol pause_writing resume_writing".split())


class Statements:
    """Parses the statements of one task; ids are labels, or the task's name and a running number."""

    def __init__(self, tokens, task=None):
        self.tokens = tokens
        self.task = task
        self.count = 0

    def parse(self, closing=None):
        calls = []
        while not self.at_end(closing):
            calls.append(self.statement())
            if not self.tokens.accept(";") and not self.at_end(closing):
                raise Bad("expected ; between statements, found %r" % self.tokens.peek())
        if not calls:
            raise Bad("expected a statement")
        return calls

    def at_end(self, closing):
        return self.tokens.finished() or (closing is not None and self.tokens.peek().text == closing)

    def label(self):
        self.count += 1
        tokens = self.tokens
        if tokens.peek().kind == "name" and tokens.peek(1).text == "=":
            name = tokens.next().text
            tokens.next()
            self.task = self.task or name
            return name, True
        return (self.task if self.count == 1 else "%s.%d" % (self.task, self.count)), False

    def statement(self):
        name, labelled = self.label()
        call = {"call": None, "id": name}
        for mode in ("catch", "throw"):
            if self.tokens.accept(mode):
                call["on_error"] = mode
        for more in ("chain", "same"):
            if self.tokens.accept(more):
                call[more] = True
        call["call"] = self.tokens.name("a call")
        if call["call"] not in ARGUMENTS:
            raise Bad("unknown call %s" % call["call"])
        if not labelled and call["call"] in QUIET:
            call["quiet"] = True
        self.arguments(call)
        return call

    def arguments(self, call):
        keys = {key.rstrip("?="): reader for key, reader in ARGUMENTS[call["call"]]}
        for key, reader in ARGUMENTS[call["call"]]:
            if key.endswith("="):
                pass
            elif self.argument_follows() and not self.keyword_follows():
                reader(self.tokens, call, key.rstrip("?"))
            elif not key.endswith("?") and not (self.keyword_follows() and self.tokens.peek().text == key):
                raise Bad("%s needs %s" % (call["call"], key))
            while self.keyword_follows():
                self.keyword(call, keys)
        if call["call"] == "gather":
            call.setdefault("tasks", [])
        self.nested(call)

    def argument_follows(self):
        return self.tokens.peek().text not in ("", ";", "}", "{")

    def keyword_follows(self):
        return self.tokens.peek().kind == "name" and self.tokens.peek(1).text == "="

    def keyword(self, call, keys):
        key = self.tokens.next().text
        self.tokens.next()
        if key not in keys:
            raise Bad("%s has no argument %s" % (call["call"], key))
        keys[key](self.tokens, call, key)

    def nested(self, call):
        if call["call"] == "wait_for":
            call["inner"] = self.statement()
        elif call["call"] in ("timeout", "spawn", "group", "group_spawn"):
            self.tokens.expect("{")
            inner = Statements(self.tokens, call["task"]) if "task" in call else self
            call["body"] = inner.parse("}")
            self.tokens.expect("}")


def parse_server_options(tokens):
    """`server start_serving=no backlog=5`: options of the server that a case begins with."""
    statements = Statements(tokens)
    keys = {key.rstrip("="): reader for key, reader in SERVER_OPTIONS + UNIX_SERVER_OPTIONS}
    options = {}
    while statements.keyword_follows():
        key = tokens.next().text
        tokens.next()
        if key not in keys:
            raise Bad("a server has no option %s" % key)
        keys[key](tokens, options, key)
    tokens.expect_end()
    return options


def parse_calls(tokens, task=None):
    """The calls of the rest of a line, and the task's name (the first label, else `task`)."""
    statements = Statements(tokens, task)
    if tokens.peek().kind == "name" and tokens.peek(1).text == "=":
        statements.task = tokens.peek().text
    calls = statements.parse()
    tokens.expect_end()
    return calls, statements.task

# SPDX-License-Identifier: MIT
"""Statements of `app`, `handler` and `callback` lines: parsed into the calls of PROTOCOL.md, section 6."""
from .expr import Bad, pack, parse_bytes, parse_number, parse_simple, unescape


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
    while tokens.peek().kind == "name" and tokens.peek().text != "collect":
        call[key].append(tokens.next().text)


def read_value(tokens, call, key):
    call[key] = parse_simple(tokens)


def read_flag(tokens, call, key):
    tokens.expect(key)
    call[key] = True


def read_port(tokens, call, key):
    """A number, a text, or one of the ports that the testee knows: peer, closed."""
    if tokens.peek().kind == "name" and tokens.peek().text in ("peer", "closed"):
        call["port_of"] = tokens.next().text
    else:
        read_value(tokens, call, key)


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


# For each call its arguments in order: (key, reader); a key that ends in ? may be missing.
ARGUMENTS = {
    "read": [("n?", read_int)], "readexactly": [("n", read_int)],
    "readuntil": [("separator?", read_separator)],
    "feed_data": [("bytes", read_bytes)], "set_exception": [("error", read_error)],
    "write": [("bytes", read_bytes)], "writelines": [("list", read_list)],
    "set_write_buffer_limits": [("high?", read_int), ("low?", read_int)],
    "get_extra_info": [("name", read_text)],
    "open_connection": [("host", read_value), ("port?", read_port), ("limit?", read_int)],
    "start_server": [("host", read_value), ("port?", read_port), ("limit?", read_int)],
    "sleep": [("seconds", read_seconds)], "log": [("text", read_text)],
    "cancel": [("task", read_name), ("text?", read_text)],
    "await": [("task", read_name)], "shield": [("task", read_name)],
    "gather": [("tasks", read_names), ("collect?", read_flag)],
    "call_soon": [("text", read_text)],
    "call_later": [("seconds", read_seconds), ("text", read_text)],
    "call_at": [("seconds", read_seconds), ("text", read_text)],
    "raise": [("error", read_error)], "return": [("value?", read_value)],
    "wait_for": [("seconds", read_seconds)], "timeout": [("seconds", read_seconds)],
    "spawn": [("task", read_name)],
}
for bare in ("readline iterate at_eof exception feed_eof drain write_eof can_write_eof close abort wait_closed is_closing "
             "get_write_buffer_limits get_write_buffer_size pause_reading resume_reading is_reading server_close "
             "server_wait_closed server_is_serving server_start_serving server_serve_forever server_close_clients "
             "server_abort_clients server_sockets cancelling uncancel time run").split():
    ARGUMENTS[bare] = []

# Without a label these say nothing when they succeed, which is what everybody expects of them.
QUIET = set("feed_data feed_eof set_exception write writelines write_eof close abort set_write_buffer_limits "
            "pause_reading resume_reading server_close server_close_clients server_abort_clients log spawn call_soon call_later call_at timeout".split())


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
        call["call"] = self.tokens.name("a call")
        if call["call"] not in ARGUMENTS:
            raise Bad("unknown call %s" % call["call"])
        if not labelled and call["call"] in QUIET:
            call["quiet"] = True
        self.arguments(call)
        return call

    def arguments(self, call):
        keys = {key.rstrip("?"): reader for key, reader in ARGUMENTS[call["call"]]}
        for key, reader in ARGUMENTS[call["call"]]:
            if self.argument_follows() and not self.keyword_follows():
                reader(self.tokens, call, key.rstrip("?"))
            elif not key.endswith("?") and not (self.keyword_follows() and self.tokens.peek().text == key):
                raise Bad("%s needs %s" % (call["call"], key))
            while self.keyword_follows():
                self.keyword(call, keys)
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
        elif call["call"] in ("timeout", "spawn"):
            self.tokens.expect("{")
            inner = Statements(self.tokens, call["task"]) if call["call"] == "spawn" else self
            call["body"] = inner.parse("}")
            self.tokens.expect("}")


def parse_calls(tokens, task=None):
    """The calls of the rest of a line, and the task's name (the first label, else `task`)."""
    statements = Statements(tokens, task)
    if tokens.peek().kind == "name" and tokens.peek(1).text == "=":
        statements.task = tokens.peek().text
    calls = statements.parse()
    tokens.expect_end()
    return calls, statements.task

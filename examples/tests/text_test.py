# SPDX-License-Identifier: MIT
#
# repr.c and utf8.c against CPython's own repr() and bytes.decode(): 1,000 seeded strings of each kind, every character
# that this Python knows, and the edges.
import random
import subprocess
import sys
import unicodedata
import unittest

import harness

COUNT = 1000
SEED = 20260101


def ask(questions):
    """One line for each (letter, bytes)."""
    lines = ''.join('%s%s\n' % (letter, data.hex()) for letter, data in questions)
    answer = subprocess.run([harness.options.driver], input=lines.encode(), stdout=subprocess.PIPE,
                            env=harness.environment(), timeout=harness.PATIENCE_S, check=True)
    return answer.stdout.decode('utf-8').split('\n')[:-1]


def is_noncharacter(code_point):
    return code_point & 0xfffe == 0xfffe or 0xfdd0 <= code_point <= 0xfdef


def known_characters():
    """What this Python's Unicode assigns, and the noncharacters, which none ever will."""
    for code_point in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code_point))
        if category != 'Cs' and (category != 'Cn' or is_noncharacter(code_point)):
            yield chr(code_point)


class Repr(unittest.TestCase):
    maxDiff = None

    def assert_answers(self, questions, want):
        answers = ask(questions)
        self.assertEqual(len(answers), len(want))
        for question, got, expected in zip(questions, answers, want):
            self.assertEqual(got, expected, question)

    def test_thousand_bytes(self):
        generator = random.Random(SEED)
        alphabets = [bytes(range(256)), b'\'"\\\n\r\t abc', bytes(range(32, 127))]
        values = [bytes(generator.choices(generator.choice(alphabets), k=generator.randint(0, 100)))
                  for _ in range(COUNT)]
        self.assert_answers([('b', value) for value in values], [repr(value) for value in values])

    def test_thousand_strings(self):
        generator = random.Random(SEED)
        known = list(known_characters())
        alphabets = [known, [chr(code_point) for code_point in range(256)], list('\'"\\\n\r\t abc'), known[:2000]]
        values = [''.join(generator.choices(generator.choice(alphabets), k=generator.randint(0, 30)))
                  for _ in range(COUNT)]
        self.assert_answers([('s', value.encode()) for value in values], [repr(value) for value in values])

    def test_quotes(self):
        values = ['', "'", '"', '\'"', "it's", 'say "x"', 'it\'s "x"', '\\', "\\'", '\0', '\x7f', '\xa0', '\xad']
        self.assert_answers([('s', value.encode()) for value in values], [repr(value) for value in values])
        self.assert_answers([('b', value.encode()) for value in values], [repr(value.encode()) for value in values])

    def test_longest_that_fits(self):
        self.assert_answers([('b', b'\xff' * 127), ('s', b'\x01' * 127), ('s', b"'" * 63 + b'"' * 64)],
                            [repr(b'\xff' * 127), repr('\x01' * 127), repr("'" * 63 + '"' * 64)])

    def test_longer_is_cut_between_characters(self):
        (escapes, plain, emoji) = ask([('b', b'\xff' * 200), ('s', b'a' * 3000), ('s', '\U0001f600'.encode() * 500)])
        self.assertEqual(escapes, "b'" + '\\xff' * 127 + "...'")
        self.assertEqual(plain, "'" + 'a' * 509 + "...'")
        self.assertEqual(emoji, "'" + '\U0001f600' * 127 + "...'")

    def test_bytes_that_are_not_utf8_show_as_surrogates(self):
        values = [b'\xff', b'a\xe2\x82', b'\xed\xa0\x80', b'\xc0\x80']
        self.assert_answers([('s', value) for value in values],
                            [repr(value.decode(errors='surrogateescape')) for value in values])


class Printable(unittest.TestCase):
    def test_every_known_character(self):
        known = list(known_characters())
        self.assertGreater(len(known), 250000)
        chunks = [''.join(known[start:start + 30]) for start in range(0, len(known), 30)]
        for chunk, got in zip(chunks, ask([('s', chunk.encode()) for chunk in chunks])):
            self.assertEqual(got, repr(chunk))


def decode(data):
    """What the driver is to answer; ValueError is the base class that rill has a code for."""
    try:
        data.decode()
        return 'ok'
    except UnicodeDecodeError as error:
        return 'ValueError: %s' % error


class Decode(unittest.TestCase):
    def assert_decodes(self, values):
        answers = ask([('d', value) for value in values])
        self.assertEqual(len(answers), len(values))
        for value, got in zip(values, answers):
            self.assertEqual(got, decode(value), value)

    def test_every_pair_of_bytes(self):
        self.assert_decodes([bytes([first, second]) for first in range(256) for second in range(256)])

    def test_edges_of_longer_sequences(self):
        edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
        self.assert_decodes([bytes([first, second, third]) + tail
                             for first in range(0xe0, 0x100) for second in edges for third in edges
                             for tail in (b'', b'\x80', b'\xbf', b'\xc0', b'a')])

    def test_thousand_strings(self):
        generator = random.Random(SEED)
        values = []
        for _ in range(COUNT):
            value = bytearray(''.join(generator.choices('a\xe9\u20ac\U0001f600', k=25)).encode())
            for _ in range(generator.randint(0, 2)):
                value[generator.randrange(len(value))] = generator.randrange(256)
            values.append(bytes(value[:generator.randint(0, len(value))]))
        self.assertGreater(len({decode(value) for value in values}), 100)
        self.assert_decodes(values)


if __name__ == '__main__':
    harness.main()

# SPDX-License-Identifier: MIT
"""The embedded player, which drives CPython's coroutines by hand, sees what real tasks on a real loop see.

Both play the same random scripts: the program rill-fuzz-cpython-play, and conformance/model/play_cpython.py in the
same CPython. What steers the fuzzer must have seen most branches of StreamReader by then.
"""
import argparse
import pathlib
import random
import subprocess
import sys
import unittest

CONFORMANCE = pathlib.Path(__file__).resolve().parents[3] / "conformance"
sys.path.insert(0, str(CONFORMANCE))
from rillconf import codec    # noqa: E402

LEAST_SIDES = 70    # of the ninety that a script can reach; 3.12 has fewer than 3.13
options = None


def random_bytes(choose):
    return bytes(choose.choice(b"ab\n") for _ in range(choose.randrange(9)))


def random_op(choose, tuples):
    kind = choose.choice("ffffffexkc" + "rnlu" * 3 + "tt" * tuples)
    if kind == "f":
        return kind, random_bytes(choose)
    if kind in "rn":
        return kind, choose.choice([-2, -1, 0, 1, 2, 3, 5, 9])
    if kind == "u":
        return kind, (random_bytes(choose)[:3],)
    if kind == "t":
        return kind, tuple(random_bytes(choose)[:3] for _ in range(choose.randrange(codec.SEPARATORS_MAX + 1)))
    return kind, None


def random_scripts(count, seed, tuples):
    """Short texts over few letters and low limits: most of them have something to find, or overrun."""
    choose = random.Random(seed)
    for _ in range(count):
        ops = tuple(random_op(choose, tuples) for _ in range(choose.randrange(1, 20)))
        yield codec.Script(choose.randrange(1, 8), choose.choice(codec.TRANSPORTS), ops)


def ask(command, lines):
    done = subprocess.run(command, input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE,
                          universal_newlines=True, timeout=options.seconds, check=True)
    return done.stdout.splitlines()


class Player(unittest.TestCase):
    def test_same_as_tasks(self):
        version = ask([options.python, "-c", "import sys; print(*sys.version_info[:2])"], []).pop().split()
        tuples, steers = (tuple(map(int, version)) >= least for least in ((3, 13), (3, 12)))
        lines = [codec.to_line(script) for script in random_scripts(options.scripts, options.seed, tuples)]
        by_tasks = ask([options.python, str(CONFORMANCE / "model" / "play_cpython.py")], lines)
        *by_hand, steering = ask([options.player], lines)
        self.assertEqual(len(by_tasks), len(lines))
        for want, have in zip(by_tasks, by_hand):
            self.assertEqual(want, have)
        self.assertEqual(len(by_tasks), len(by_hand))
        words = dict(word.split("=") for word in steering.split())
        self.assertEqual(words["steers"], str(int(steers)))
        self.assertGreaterEqual(int(words["sides"]), LEAST_SIDES if steers else 0)
        print("scripts=%d operations=%d %s" % (len(lines), sum(line.count("\t") for line in by_hand), steering))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--player", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--scripts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    options, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)

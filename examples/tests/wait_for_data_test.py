# SPDX-License-Identifier: MIT
#
# wait_for_data beside its twin: it is its own peer, by the socketpair's other end.
import harness


class Twin(harness.TwinCase):
    def test_output(self):
        outcome = self.assert_twins(harness.run, 'wait_for_data')
        self.assertEqual(outcome, harness.Outcome(b'Received: abc\n', b'', 0))


if __name__ == '__main__':
    harness.main()

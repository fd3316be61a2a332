# SPDX-License-Identifier: MIT
"""Numbers that follow from a seed: the same on every machine and with every Python (SplitMix64, twenty lines)."""

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mixed(value):
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


class Draw:
    """Draws that depend on these numbers alone."""

    def __init__(self, *numbers):
        self.state = 0
        for number in numbers:
            self.state = mixed((self.state ^ number & MASK) + STEP & MASK)

    def number(self):
        self.state = self.state + STEP & MASK
        return mixed(self.state)

    def below(self, limit):
        """0 to limit - 1."""
        return (self.number() >> 11) % limit

    def chance(self, percent):
        return self.below(100) < percent

    def one(self, items):
        return items[self.below(len(items))]

    def weighted(self, pairs):
        """One of [(weight, item)]."""
        at = self.below(sum(weight for weight, _ in pairs))
        for weight, item in pairs:
            at -= weight
            if at < 0:
                return item
        raise ValueError("no weight")

    def some(self, items, percent):
        """Each of the items with that chance, in their order."""
        return [item for item in items if self.chance(percent)]

    def sample(self, items, count):
        """`count` different items, or all, in the order drawn."""
        left, taken = list(items), []
        while left and len(taken) < count:
            taken.append(left.pop(self.below(len(left))))
        return taken

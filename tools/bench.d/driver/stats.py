# SPDX-License-Identifier: MIT
"""The arithmetic of a row: paired ratios, their median, and how far it can be trusted."""
import random
import statistics

RESAMPLES = 4000
# A round is disturbed when, during any of its windows, the hypervisor took more than this share of
# the machine, or server or load generator was ready to run for this share and somebody else had its
# processor. The kernel's own threads, which free what connections leave, have some 5 %.
STEAL_SHARE = 0.02
STEAL_TICK_S = 0.01
WAITED_SHARE = 0.1


def bootstrap(values, figure=statistics.median, resamples=RESAMPLES):
    """The 95 % interval of the median (or another figure) of `values`; the same for the same values."""
    chance = random.Random(len(values))
    figures = sorted(figure(chance.choices(values, k=len(values))) for _ in range(resamples))
    return figures[int(0.025 * resamples)], figures[int(0.975 * resamples) - 1]


def rate(window):
    """Operations per second of server CPU time."""
    return window["operations"] / window["server_cpu_s"]


def memory(window):
    """Bytes that each of the window's connections holds of the server's private memory."""
    return window["server_private_bytes"] / window["operations"]


def why_disturbed(window, processors, own_threads=False):
    """What disturbed a measured window; "" when nothing did. own_threads: a server whose threads push each other off."""
    waited = max(window["load_waited_s"], 0 if own_threads else window["server_waited_s"]) / window["seconds"]
    # The kernel counts steal in whole ticks: one of them may be the rest of a longer time.
    steal = max(0, window["steal_s"] - STEAL_TICK_S) / (window["seconds"] * processors)
    if steal > STEAL_SHARE:
        return "steal %.1f %%" % (100 * steal)
    if waited > WAITED_SHARE:
        return "waited %.0f %% for its processor" % (100 * waited)
    return ""


def is_quiet(one, names):
    """Whether none of these peers was disturbed in a round: a dict {"windows": {peer: window}, "disturbed": {peer: why}}."""
    return not any(name in one["disturbed"] for name in names)


def quiet_rounds(rounds, *names):
    """The rounds to judge these peers by: the undisturbed ones, or all when there is none."""
    return [one for one in rounds if is_quiet(one, names)] or rounds


def compare(rounds, peer, base, of_memory=False):
    """(median, low, high) of the ratio of two peers' figures in the same round. of_memory: of what a connection holds, so
    that less is better."""
    figure = memory if of_memory else rate
    used = rounds if of_memory else quiet_rounds(rounds, peer, base)  # no neighbour disturbs a size
    ratios = [figure(one["windows"][peer]) / figure(one["windows"][base]) for one in used]
    return (statistics.median(ratios), *bootstrap(ratios))


def _user_us(windows):
    return 1e6 * sum(window["server_user_s"] for window in windows) / sum(window["operations"] for window in windows)


def compare_user(rounds, peer, base):
    """(ratio, low, high) of two peers' user time for an operation. Most kernels split user from system time by looking once
    a tick, so only the sum over all rounds says much. None when the ticks saw the base too rarely."""
    pairs = [(one["windows"][peer], one["windows"][base]) for one in quiet_rounds(rounds, peer, base)]

    def ratio(chosen):
        below = _user_us([pair[1] for pair in chosen])
        return _user_us([pair[0] for pair in chosen]) / below if below > 0 else float("inf")

    low, high = bootstrap(pairs, ratio, 1000)
    return (ratio(pairs), low, high) if high != float("inf") else None


def row(rounds, peer, base, of_memory=False):
    """The figures of one peer in one work."""
    used = rounds if of_memory else quiet_rounds(rounds, peer, base)
    windows = [one["windows"][peer] for one in used]
    ratio, low, high = compare(rounds, peer, base, of_memory)
    return {
        "ratio": ratio,
        "lo": low,
        "hi": high,
        "rounds": len(used),
        "disturbed_rounds": 0 if of_memory else sum(1 for one in rounds if not is_quiet(one, (peer, base))),
        "operations_per_cpu_s": statistics.median(rate(window) for window in windows),
        "cpu_us": statistics.median(1e6 / rate(window) for window in windows),
        "user_us": _user_us(windows),
        "bytes_each": statistics.median(memory(window) for window in windows) if of_memory else None,
        "rss_bytes_each": statistics.median(
            window["server_rss_bytes"] / window["operations"] for window in windows) if of_memory else None,
        "connections": windows[0]["operations"] if of_memory else None,
    }

# SPDX-License-Identifier: MIT
"""The arithmetic of a row: paired ratios, their median, and how far it can be trusted."""
import random
import statistics

RESAMPLES = 4000
ROUNDS_TO_JUDGE = 21
CONNECTIONS_TO_JUDGE = 1000
# A round is disturbed when, during any of its windows, the hypervisor took more than this share of
# the machine, or server and load generator were pushed off their processors more often than this.
STEAL_SHARE = 0.02
STEAL_TICK_S = 0.01
INVOLUNTARY_PER_SECOND = 300


def bootstrap(values, resamples=RESAMPLES):
    """The 95 % interval of the median of `values`; the same for the same values."""
    chance = random.Random(len(values))
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples))
    return medians[int(0.025 * resamples)], medians[int(0.975 * resamples) - 1]


def rate(window):
    """Operations per second of server CPU time."""
    return window["operations"] / window["server_cpu_s"]


def memory(window):
    """Bytes that each of the window's connections holds of the server's private memory."""
    return window["server_private_bytes"] / window["operations"]


def why_disturbed(window, processors):
    """What disturbed a measured window; "" when nothing did."""
    switches = (window["server_involuntary"] + window["load_involuntary"]) / window["seconds"]
    # The kernel counts steal in whole ticks: one of them may be the rest of a longer time.
    steal = max(0, window["steal_s"] - STEAL_TICK_S) / (window["seconds"] * processors)
    if steal > STEAL_SHARE:
        return "steal %.1f %%" % (100 * steal)
    if switches > INVOLUNTARY_PER_SECOND:
        return "%.0f involuntary switches a second" % switches
    return ""


def quiet_rounds(rounds):
    """The rounds to judge by: the undisturbed ones, or all when there is none. A round is a dict
    {"windows": {peer: window}, "disturbed": text}."""
    quiet = [one for one in rounds if not one["disturbed"]]
    return quiet or rounds


def _ratio(windows, peer, base, of_memory):
    figure = memory if of_memory else rate
    return figure(windows[peer]) / figure(windows[base])


def row(rounds, peer, base, of_memory=False):
    """The figures of one peer in one work. of_memory: the ratio is of what a connection holds, so that less is better."""
    used = rounds if of_memory else quiet_rounds(rounds)  # no neighbour disturbs a size
    windows = [one["windows"][peer] for one in used]
    ratios = [_ratio(one["windows"], peer, base, of_memory) for one in used]
    low, high = bootstrap(ratios)
    operations = sum(window["operations"] for window in windows)
    return {
        "ratio": statistics.median(ratios),
        "lo": low,
        "hi": high,
        "rounds": len(used),
        "disturbed_rounds": 0 if of_memory else sum(1 for one in rounds if one["disturbed"]),
        "operations_per_cpu_s": statistics.median(rate(window) for window in windows),
        "cpu_us": statistics.median(1e6 / rate(window) for window in windows),
        # Most kernels split user from system time by looking once a tick: only the sum says much.
        "user_us": 1e6 * sum(window["server_user_s"] for window in windows) / operations,
        "bytes_each": statistics.median(memory(window) for window in windows) if of_memory else None,
        "rss_bytes_each": statistics.median(
            window["server_rss_bytes"] / window["operations"] for window in windows) if of_memory else None,
        "connections": windows[0]["operations"] if of_memory else None,
    }


def reached(figures, work):
    """True or False when there are rounds enough to say it, else None."""
    if work.memory_target is not None:  # a size is judged by any round, but not by a few connections, which pay for all
        return figures["bytes_each"] <= work.memory_target if figures["connections"] >= CONNECTIONS_TO_JUDGE else None
    if figures["rounds"] < ROUNDS_TO_JUDGE:
        return None
    return figures["hi"] >= work.target and figures["ratio"] >= work.target * (1 - work.resolution)

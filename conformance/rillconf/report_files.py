# SPDX-License-Identifier: MIT
"""The options that write reports or run in parts, and what they do: the seam between cli.py and the report modules."""
import argparse
import hashlib

from . import report_data, report_html, report_json, report_junit, report_shard, report_tap


def shard(text):
    """I/N as an option's type."""
    try:
        return report_shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error))


def add_options(add, writable):
    add("--json", type=writable, metavar="FILE", help="write results as JSON, a summary object first (report.schema.json)")
    add("--junit", type=writable, metavar="FILE", help="write results as JUnit XML")
    add("--tap", type=writable, metavar="FILE", help="write results as TAP, version 13")
    add("--html", type=writable, metavar="FILE", help="write one page to read: matrix, search, transcripts side by side")
    add("--shard", type=shard, metavar="I/N", help="run only the I-th of N parts of the cases")
    add("--merge", nargs="+", default=[], metavar="FILE", help="add up --json results of all shards, run nothing")


def merge(options, tell):
    """--merge: true when nothing in the sum is bad. Results have no transcripts, so no other report can be made of them."""
    if options.junit or options.tap or options.html:
        raise report_shard.ShardError("--merge writes --json only: results do not hold what the other reports show")
    return report_shard.report(options.merge, options.json, tell)


def complete(summary, options, cases):
    """What only a run in parts needs: which part it is, and which scripts, so that equal ones count once in the sum."""
    summary["scripts"] = sorted({hashlib.sha1(report_json.script_key(case).encode()).hexdigest()[:12] for case in cases})
    if options.shard:
        summary["shard"] = "%d/%d" % options.shard


def write(options, summary, results, run):
    """Each report that was asked for; `run` has players, cases and the backends of the run, the rules, and what was measured.

    `answers`: transcripts that the page shows beside the results, of CPythons that judged and are not judged themselves.
    """
    complete(summary, options, run["cases"])
    if options.json:
        report_json.write(options.json, summary, results)
    if options.junit:
        report_junit.write(options.junit, results)
    if options.tap:
        report_tap.write(options.tap, results)
    if options.html:
        report_html.write(options.html, report_data.collect(
            results + run.get("answers", []), run["players"], run["backends"], run["cases"], summary, run["specification"], run["not_applicable"], run["coverage"]))

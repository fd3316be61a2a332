# SPDX-License-Identifier: MIT
"""The JUnit report: one test suite for each testee, one test case for each case and backend."""
import xml.etree.ElementTree as tree

from .report_text import again


def element_for(suite, result):
    item = tree.SubElement(suite, "testcase", classname="%s.%s" % (result.testee.name, result.backend),
                           name=result.case.name, time="%.4f" % result.seconds)
    verdict = result.verdict
    if verdict.name == "SKIP":
        tree.SubElement(item, "skipped", message=verdict.detail)
    elif not verdict.good():
        lines = verdict.difference.lines() if verdict.difference else [verdict.detail]
        failure = tree.SubElement(item, "failure", message=str(verdict))
        failure.text = clean("\n".join(lines + [again(result)]))


def clean(text):
    """XML has no control characters."""
    return "".join(char if char in "\n\t" or char >= " " else "?" for char in text)


def write(path, results):
    root = tree.Element("testsuites", name="rill conformance")
    suites = {}
    for result in results:
        name = result.testee.name
        if name not in suites:
            suites[name] = tree.SubElement(root, "testsuite", name=name)
        element_for(suites[name], result)
    for name, suite in suites.items():
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    tree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)

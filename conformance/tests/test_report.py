# SPDX-License-Identifier: MIT
"""The reports of one small run with a wrong testee: JSON by its schema, TAP, the page's data; runs in parts and their sum."""
import json
import os
import re
import sys
import tempfile
import unittest

import support
from rillconf import report_data, report_html, report_shard

WRONG = "wrong:limit-off-by-one"
SPECIFICATION = os.path.join(os.path.dirname(support.HOME), "docs", "spec.md")
SCHEMA = os.path.join(support.HOME, "report.schema.json")
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}


def violations(value, schema, root, place="$"):
    """What breaks the schema; the keywords that report.schema.json uses, and an unknown one is a mistake itself."""
    if "$ref" in schema:
        schema = dict(root["$defs"][schema["$ref"].split("/")[-1]], **{key: schema[key] for key in schema if key != "$ref"})
    for key in schema:
        if key.startswith("$") or key in ("title", "description"):
            continue
        yield from CHECKS[key](value, schema, root, place)


def check_type(value, schema, root, place):
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(value, bool) or not any(isinstance(value, TYPES[name]) for name in names):
        yield "%s is not %s: %r" % (place, " or ".join(names), value)


def check_object(value, schema, root, place):
    for key, item in value.items() if isinstance(value, dict) else ():
        inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
        if inner is False:
            yield "%s.%s is not in the schema" % (place, key)
        else:
            yield from violations(item, inner, root, "%s.%s" % (place, key))


def check_items(value, schema, root, place):
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from violations(item, schema["items"], root, "%s[%d]" % (place, index))


def check_with(holds, text):
    def check(value, schema, root, place):
        if not holds(value, schema):
            yield "%s: %s (%r)" % (place, text, value)
    return check


CHECKS = {
    "type": check_type, "properties": check_object, "items": check_items,
    "additionalProperties": lambda value, schema, root, place: () if "properties" in schema else check_object(value, schema, root, place),
    "required": check_with(lambda value, schema: all(key in value for key in schema["required"]), "a key is missing"),
    "enum": check_with(lambda value, schema: value in schema["enum"], "not one of the values"),
    "pattern": check_with(lambda value, schema: re.search(schema["pattern"], value), "does not match"),
    "minimum": check_with(lambda value, schema: isinstance(value, str) or value >= schema["minimum"], "too small"),
    "minItems": check_with(lambda value, schema: len(value) >= schema["minItems"], "too few"),
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Reports(unittest.TestCase):
    """One run for all: a wrong testee and the CPython that runs this test, on two backends."""

    ARGUMENTS = ("--testee", WRONG, "--backend", "mem,pair", "limit/*", "separator/*")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="rill-report-")
        cls.code, cls.text = support.conform(*cls.ARGUMENTS, "--json", cls.path("r.json"), "--tap", cls.path("r.tap"),
                                             "--html", cls.path("r.html"))
        cls.json = load(cls.path("r.json"))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_run_found_the_mistake(self):
        self.assertEqual(self.code, 1, self.text)
        self.assertGreater(self.json["summary"]["verdicts"]["DIFF"], 0)
        self.assertGreater(self.json["summary"]["verdicts"]["SAME"], 0)

    def test_json_keeps_to_its_schema(self):
        schema = load(SCHEMA)
        self.assertEqual(list(violations(self.json, schema, schema)), [])
        spoiled = json.loads(json.dumps(self.json))
        spoiled["results"][0]["verdict"] = "FINE"
        del spoiled["summary"]["cases"]
        spoiled["summary"]["seconds"] = "1"
        spoiled["results"][1]["more"] = 1
        self.assertEqual(len(list(violations(spoiled, schema, schema))), 4)

    def test_tap_has_a_point_for_each_result(self):
        with open(self.path("r.tap"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        results = self.json["results"]
        self.assertEqual(lines[:2], ["TAP version 13", "1..%d" % len(results)])
        points = [line for line in lines if re.match(r"(not )?ok \d", line)]
        self.assertEqual([int(re.search(r"\d+", line).group()) for line in points], list(range(1, len(results) + 1)))
        for line, row in zip(points, results):
            self.assertIn(" - %s on %s, %s" % (row["case"], row["testee"], row["backend"]), line)
            self.assertEqual(line.startswith("not "), row["verdict"] == "DIFF")
            self.assertEqual(" # SKIP " in line, row["verdict"] == "SKIP")
        wrong = next(index for index, line in enumerate(lines) if line.startswith("not "))
        self.assertEqual(lines[wrong + 1], "  ---")
        self.assertIn('  again: "tools/conform --testee', "\n".join(lines[wrong:lines.index("  ...", wrong)]))

    def test_page_holds_all_and_loads_nothing(self):
        with open(self.path("r.html"), encoding="utf-8") as file:
            page = file.read()
        data = json.loads(re.search(r'<script type="application/json" id="data">([^<]*)</script>', page).group(1))
        self.assertEqual({item["n"] for item in data["cases"]}, {row["case"] for row in self.json["results"]})
        self.assertNotRegex(page, r'(?i)(src|href)="(?!#)|@import|url\(')
        for row in self.json["results"]:
            item = next(item for item in data["cases"] if item["n"] == row["case"])
            testee = [testee["name"] for testee in data["testees"]].index(row["testee"])
            cell = item["c"][item["g"][testee][data["backends"].index(row["backend"])]]
            self.assertEqual(data["verdicts"][cell[0]], row["verdict"])
            if row["verdict"] == "DIFF":
                told = [item["t"][number].get(str(row["step"]), "").split("\n") for number in cell[2:4]]
                self.assertIn(row["got"] or "", told[0] + [""])
                self.assertIn(row["want"] or "", told[1] + [""])
                self.assertNotEqual(told[0], told[1])

    def test_data_cannot_leave_its_element(self):
        page = report_html.page({"x": "</script><script>@script@ @style@"})
        self.assertEqual(page.count("</script>"), 2)
        self.assertIn("\\u003c/script>\\u003cscript>@script@ @style@", page)

    def test_rules_are_read_from_the_specification(self):
        rules = report_data.read_rules(SPECIFICATION)
        self.assertIn(["Given / when", "p > lim"], rules["R-144"])
        self.assertTrue(rules["D-01"] and rules["Q-08"])
        self.assertEqual(set(self.json["summary"]["rules"]) - set(rules), set())

    def test_shards_add_up_to_the_whole_run(self):
        paths = [self.path("%d.json" % part) for part in (1, 2, 3)]
        for part, path in enumerate(paths, 1):
            support.conform(*self.ARGUMENTS, "--shard", "%d/3" % part, "--json", path)
        code, text = support.conform("--json", self.path("sum.json"), "--merge", *reversed(paths))
        self.assertEqual(code, 1, text)
        merged, whole = load(self.path("sum.json")), load(self.path("r.json"))
        for found in merged, whole:
            del found["summary"]["seconds"]
        self.assertEqual(merged["summary"], whole["summary"])
        rows = [sorted((row["case"], row["testee"], row["backend"], row["verdict"], row.get("want")) for row in found["results"])
                for found in (merged, whole)]
        self.assertEqual(*[[str(row) for row in found] for found in rows])
        schema = load(SCHEMA)
        self.assertEqual(list(violations(load(paths[0]), schema, schema)), [])
        self.refused([paths[0], paths[2]], "shards are missing: 2 of 3")
        self.refused([paths[0], paths[0], paths[1], paths[2]], "is in")
        self.refused([paths[0], self.path("r.json")], "parts of different runs")
        self.refused([self.path("r.tap")], "not a result of --json")
        self.refused(paths + ["--tap", self.path("sum.tap")], "--merge writes --json only")

    def refused(self, paths, words):
        code, text = support.conform("--merge", *paths)
        self.assertEqual(code, 2)
        self.assertIn(words, text)

    def test_shard_wants_a_part_of_the_whole(self):
        self.assertEqual(report_shard.parse("2/3"), (2, 3))
        for text in ("0/3", "4/3", "1", "a/b", "1/0"):
            self.assertRaises(ValueError, report_shard.parse, text)
        code, text = support.conform("--shard", "4/3", "--list")
        self.assertEqual(code, 2)
        self.assertIn("4/3 is not I/N", text)


if __name__ == "__main__":
    sys.exit(unittest.main())

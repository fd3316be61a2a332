# SPDX-License-Identifier: MIT
"""The HTML report in a browser: headless Chromium, driven by the DevTools protocol over a pipe.

Searches, opens a case, follows a difference, by keys; light and dark, narrow and wide. Exit status 77, loudly, where there
is no Chromium. With a folder as argument it leaves screenshots there.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import support

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SKIPPED = 77
PATIENCE = 60.0     # real seconds: a watchdog, never what orders anything
WRONG = "wrong:limit-off-by-one"
CASE = "limit/default-and-one-more"
SIZES = {"narrow": 360, "small": 700, "wide": 1400}


def chromium():
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One Chromium with one page. Messages are JSON texts that end with a zero byte, on its descriptors 3 and 4."""

    def __init__(self, program, folder):
        to_browser, self.writer = os.pipe()
        self.reader, from_browser = os.pipe()
        command = [program, "--headless", "--remote-debugging-pipe", "--user-data-dir=" + folder, "--no-first-run", "--disable-gpu",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                   "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")       # as root Chromium has no sandbox; the page is our own
        shell = 'exec 3<&%d 4>&%d; exec "$@"' % (to_browser, from_browser)
        self.process = subprocess.Popen(["bash", "-c", shell, "chromium"] + command, pass_fds=(to_browser, from_browser),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.writer)
        os.close(self.reader)

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise AssertionError("Chromium does not answer")
            data = os.read(self.reader, 1 << 20)
            if not data:
                raise AssertionError("Chromium ended")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text.decode("utf-8"))

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode("utf-8") + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError("%s: %s" % (method, answer["error"]["message"]))
                return answer["result"]
            self.events.append(answer)

    def attach(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def ask(self, expression):
        """The value of an expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError("%s: %s" % (expression, answer["exceptionDetails"]))
        return answer["result"].get("value")

    def settle(self):
        """Two frames: after them what a key or an address caused is drawn."""
        self.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.ask("new Promise((done) => document.readyState === 'complete' ? done(1) : addEventListener('load', () => done(1)))")
        self.settle()

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
        self.settle()

    def resize(self, width):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.settle()

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
        self.settle()

    def shoot(self, path):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


# The smallest contrast between a text and the ground behind it, with the text that has it (WCAG's formula).
CONTRAST = """(() => {
  const parse = (text) => { const c = text.match(/[\\d.]+/g).map(Number); return /^color/.test(text) ? c.map((v, i) => i < 3 ? v * 255 : v) : c; };
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) { return c; } } return [255, 255, 255]; };
  let worst = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (own && e.checkVisibility() && !e.closest('svg, script, .absent, [aria-hidden]')) {
      const [a, b] = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < worst[0]) { worst = [ratio, e.className + ': ' + e.textContent.trim().slice(0, 40)]; }
    }
  }
  return worst;
})()"""


class Page(unittest.TestCase):
    shots = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="rill-page-")
        path = os.path.join(cls.folder.name, "report.html")
        code, text = support.conform("--testee", WRONG, "--oracle", sys.executable, "--backend", "mem,pair,start-tls", "limit/*",
                                     "--oracle-coverage", "--html", path)
        if code not in (0, 1):
            raise AssertionError(text)
        cls.address = "file://" + path
        cls.browser = Browser(chromium(), os.path.join(cls.folder.name, "profile"))
        cls.browser.attach()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        shutil.rmtree(cls.folder.name, ignore_errors=True)      # Chromium's children may still write into their profile
        cls.folder._finalizer.detach()

    def setUp(self):
        self.browser.events.clear()
        self.browser.scheme("light")
        self.browser.resize(SIZES["wide"])
        self.browser.open("about:blank")
        self.browser.open(self.address)

    def tearDown(self):
        for event in self.browser.events:
            method, details = event.get("method"), event.get("params", {})
            self.assertNotEqual(method, "Runtime.exceptionThrown", details)
            self.assertFalse(method == "Log.entryAdded" and details["entry"]["level"] == "error", details)
            if method == "Network.requestWillBeSent":
                self.assertRegex(details["request"]["url"], r"^(file:|about:|data:)")

    def ask(self, expression):
        return self.browser.ask(expression)

    def text(self, selector):
        """Texts as they are shown; of parts of the list that are not on the screen yet, which have none, as they will be."""
        return self.ask("[...document.querySelectorAll(%s)].filter((e) => e.checkVisibility()).map((e) => e.innerText || e.textContent)"
                        % json.dumps(selector))

    def count(self, selector):
        return len(self.text(selector))

    def where(self):
        return self.ask("location.hash")

    def test_matrix_and_list(self):
        self.assertEqual(self.text("#matrix tbody th")[0], WRONG)
        self.assertEqual(self.text("#matrix thead th"), ["testee", "mem", "pair", "start-tls"])
        rows = self.count("#cases li")
        self.assertGreater(rows, 10)
        self.assertIn("%d of %d cases" % (rows, rows), self.text("#count")[0])
        self.ask("document.querySelector('#matrix tbody td button').click()")
        self.assertEqual(self.ask("[search, testee, backend].map((e) => e.value).join()"), ",0,0")

    def test_search_open_follow_by_keys(self):
        self.browser.key("/")
        self.browser.call("Input.insertText", text="default-and R-144")
        self.browser.settle()
        self.assertEqual(self.text("#cases .name"), ["default-and-one-more"])
        self.browser.key("Escape")
        self.browser.key("j")
        self.assertEqual(self.where(), "#%s/mem" % CASE)
        self.assertEqual(self.text("#case-title"), [CASE])
        self.assertEqual(self.text(".column-head b")[0], WRONG)
        self.assertTrue(self.text(".column-head b")[1].startswith("CPython 3."))
        self.browser.key("d")
        self.assertIn("first", self.ask("document.activeElement.className"))
        cells = self.ask("[...document.activeElement.children].map((e) => e.innerText)")
        self.assertIn('r1 -> 65537*"x" + "\\n"', cells[0])
        self.assertIn("r1 ! LimitOverrunError consumed=65537", cells[1])
        self.assertIn("differs", self.ask("document.activeElement.firstChild.className"))
        self.assertEqual(self.ask("document.activeElement.previousElementSibling.innerText").split(), ["4", "app", "r1", "=", "readuntil"])
        self.assertTrue(self.ask("(() => { const r = document.activeElement.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; })()"))
        self.browser.key("b")
        self.assertEqual(self.where(), "#%s/pair" % CASE)
        self.browser.key("Escape")
        self.assertEqual(self.where(), "")
        self.assertEqual(self.text("#cases .name"), ["default-and-one-more"])

    def test_filter_by_verdict(self):
        everything = self.count("#cases li")
        self.ask("document.querySelector('[data-verdict=DIFF]').click()")
        rows = self.text("#cases .hidden-text")
        self.assertTrue(0 < len(rows) < everything, rows)
        self.assertEqual(set(rows), {"DIFF"})
        self.assertEqual(self.ask("document.querySelector('[data-verdict=DIFF]').getAttribute('aria-pressed')"), "true")

    def test_deep_link_shows_script_rules_and_drawing(self):
        self.browser.open("about:blank")
        self.browser.open(self.address + "#limit/found-past-the-limit/pair")
        self.assertEqual(self.text("#case-title"), ["limit/found-past-the-limit"])
        self.assertEqual(self.text(".tabs [aria-current]"), ["pair"] if not self.text(".tabs [aria-current] .square")[0] else
                         [self.text(".tabs [aria-current] .square")[0] + "\npair"])
        self.assertIn('app     r1 = readuntil "\\r\\n"          # starts; stays pending', self.text(".source code"))
        self.assertEqual(self.text(".rules-part h4"), ["R-144", "R-150"])
        self.assertIn("chunk is longer than limit", self.text(".rules-part .rule")[0])
        self.assertEqual(self.ask("document.querySelectorAll('.exchange .life').length"), 2)
        labels = self.ask("[...document.querySelectorAll('.exchange text')].map((e) => e.firstChild.textContent)")
        self.assertIn('send "abc"', labels)
        self.assertEqual(labels[0], "app")
        self.assertEqual(self.ask("document.querySelectorAll('.exchange .arrow').length"), 2)

    def test_rules_lead_to_cases(self):
        self.browser.open("about:blank")
        self.browser.open(self.address + "#rules/R-144")
        self.assertIn("LimitOverrunError", "".join(self.text("#rule-R-144 .rule-text")))
        self.ask("[...document.querySelectorAll('#rule-R-144 li a')].find((e) => e.innerText === %s).click()" % json.dumps(CASE))
        self.browser.settle()
        self.assertEqual(self.text("#case-title"), [CASE])

    def test_branches_lead_to_cases(self):
        self.ask("document.querySelector('[data-view=coverage]').click()")
        self.browser.settle()
        self.assertRegex(self.text("#coverage strong")[0], r"^\d+ of \d+ branches$")
        lines = self.ask("[...document.querySelectorAll('#coverage .code-line')].length")
        self.assertGreater(lines, 500)
        taken = self.ask("""[...document.querySelectorAll('.code-line')].filter((e) => /LimitOverrunError\\(|offset > self._limit/.test(e.innerText))
            .flatMap((e) => [...e.querySelectorAll('a.way.taken')].map((a) => a.hash))""")
        self.assertTrue(taken and all(place.startswith("#limit/") for place in taken), taken)
        missing = self.ask("document.querySelector('.missing-list a').hash")
        self.ask("document.querySelector('.missing-list a').click()")
        self.browser.settle()
        self.assertEqual(self.where(), missing)
        self.assertIn("has-missing", self.ask("document.activeElement.className"))
        self.ask("document.querySelector('a.way.taken').click()")
        self.browser.settle()
        self.assertEqual(len(self.text("#case-title")), 1)

    def test_fits_and_is_readable(self):
        for part in ("", "#%s/mem" % CASE, "#rules", "#coverage"):
            self.browser.open("about:blank")
            self.browser.open(self.address + part)
            for name, width in SIZES.items():
                self.browser.resize(width)
                self.assertLessEqual(self.ask("document.documentElement.scrollWidth"), width, part)
                for scheme in ("light", "dark"):
                    self.browser.scheme(scheme)
                    ratio, text = self.ask(CONTRAST)
                    self.assertGreaterEqual(ratio, 4.5, "%s, %s, %s" % (part, scheme, text))
                    if self.shots:
                        self.browser.shoot(os.path.join(self.shots, "%s-%s-%s.png" % (part.strip("#").replace("/", "-") or "list", name, scheme)))

    def test_tab_reaches_the_cases(self):
        self.browser.key("Tab")
        self.assertEqual(self.ask("document.activeElement.className"), "skip-link")
        self.browser.key("Enter")
        seen = []
        for _ in range(20):     # the filter and its verdicts stand before them
            self.browser.key("Tab")
            seen.append(self.ask("document.activeElement.id || document.activeElement.hash || document.activeElement.dataset.verdict"))
        self.assertEqual(seen[:3], ["search", "testee", "backend"])
        self.assertTrue(any(str(place).startswith("#limit/") for place in seen), seen)


def main():
    if not chromium():
        print("SKIPPED: the HTML report was not opened in a browser: there is none of %s here (Debian's package chromium)" % ", ".join(NAMES))
        return SKIPPED
    if len(sys.argv) > 1:
        Page.shots = sys.argv.pop(1)
    return unittest.main()


if __name__ == "__main__":
    sys.exit(main())

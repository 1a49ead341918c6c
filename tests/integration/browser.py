# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven by its DevTools protocol over a pipe: messages in JSON, each with a NUL behind it."""
import base64
import contextlib
import fcntl
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

from harness import BUILD, PATIENCE

SCREENS = os.path.join(BUILD, "screens")  # pictures to be looked at
PROGRAM = "chromium-headless-shell"

# As root Chromium has no sandbox of its own and says so: that is fine here, where all that it shows is a
# service of ours on loopback, for as long as the test lasts. No page of anybody else's is opened, no name is
# looked up (--host-resolver-rules), and what it does by itself in the background is off.
OPTIONS = ["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-first-run",
           "--no-proxy-server", "--hide-scrollbars", "--lang=en-US", "--force-color-profile=srgb",
           "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost"]

# Each test waits for what it wants to see, however long that takes.
OBSERVE = """
window.seen = { shifts: [], violations: [] };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        window.seen.shifts.push({ value: entry.value, input: entry.hadRecentInput,
            of: entry.sources.map((s) => [s.node?.nodeType === 1 ? s.node.outerHTML.slice(0, 100) : s.node?.textContent,
                s.previousRect.toJSON(), s.currentRect.toJSON()]) });
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("securitypolicyviolation", (event) => window.seen.violations.push(event.violatedDirective));
"""


def high(fd):
    """The same, where no number that a child wants is in the way."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(fd)
    return moved


class Browser:
    """For a `with`; ends with all that it started."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        folder = tempfile.mkdtemp(prefix="cocos-browser-")
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        theirs, ours = map(high, os.pipe())
        read, write = map(high, os.pipe())
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{write}', "bash", PROGRAM, *OPTIONS,
             f"--user-data-dir={folder}/profile"], pass_fds=(theirs, write), stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, env={"PATH": os.environ["PATH"], "HOME": folder, "TZ": "Asia/Kolkata",
                                                   "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": folder})
        os.close(theirs)
        os.close(write)
        self.out, self.numbers, self.events, self.arrived = ours, 0, [], queue.Queue()
        self.reader = threading.Thread(target=self.read, args=(read,), daemon=True)
        self.reader.start()
        return self

    def read(self, fd):
        with open(fd, "rb") as pipe:
            rest = b""
            while piece := pipe.read1(1 << 20):
                *whole, rest = (rest + piece).split(b"\0")
                for message in whole:
                    self.arrived.put(json.loads(message))
        self.arrived.put(None)

    def __exit__(self, *about):
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        os.close(self.out)
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.close()
            self.stack.close()

    def take(self, end):
        """The next message; an event is kept."""
        try:
            message = self.arrived.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise AssertionError("the browser says nothing") from None
        if message is None:
            self.log.seek(0)
            raise AssertionError("the browser has ended: " + self.log.read()[-2000:])
        if "method" in message:
            self.events.append(message)
        return message

    def call(self, method, session=None, **parameters):
        self.numbers += 1
        number = self.numbers
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.take(end)
            if answer.get("id") == number:
                if "navigated or closed" in answer.get("error", {}).get("message", ""):
                    raise Navigated(method)
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def page(self):
        return Page(self)


class Navigated(Exception):
    """The page that was asked went before it answered."""


class Page:
    """A tab."""

    def __init__(self, browser):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self(domain + ".enable")
        self("Page.addScriptToEvaluateOnNewDocument", source=OBSERVE)
        self("Emulation.setFocusEmulationEnabled", enabled=True)
        browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])

    def __call__(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def events(self, method):
        """Those that have come, and are told of once."""
        found = [e["params"] for e in self.browser.events
                 if e["method"] == method and e.get("sessionId") == self.session]
        self.browser.events = [e for e in self.browser.events
                               if e["method"] != method or e.get("sessionId") != self.session]
        return found

    def wait_event(self, method):
        end = time.monotonic() + PATIENCE
        while not (found := self.events(method)):
            self.browser.take(end)
        return found[0]

    def run(self, expression):
        """The value of an expression of JavaScript, or of what it promises."""
        answer = self("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, (expression[:200], answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression, what):
        """Waits until it is true: in the page, frame by frame, and in the next one if that comes meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(Navigated):
                if value := self.run(expression):
                    return value
            assert time.monotonic() < end, f"{what} never comes: {expression}"
            time.sleep(0.02)

    def go(self, url):
        """Loads it; its scripts have run and what they change is drawn when this returns."""
        self.events("Page.loadEventFired")
        answer = self("Page.navigate", url=url)
        assert "errorText" not in answer, (url, answer)
        self.wait_event("Page.loadEventFired")
        self.settle()

    def settle(self):
        """Two frames later everything is where it stays."""
        self.run("document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => "
                 "requestAnimationFrame(() => setTimeout(() => done(true), 0)))))")

    def size(self, width, height=900):
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.settle()

    def scheme(self, name):
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def line(self, bits_per_second, latency_ms):
        """How slow it is; nothing comes from the cache then. 0: as fast as can be."""
        self("Network.setCacheDisabled", cacheDisabled=bits_per_second > 0)
        self("Network.emulateNetworkConditions", offline=False, latency=latency_ms,
             downloadThroughput=bits_per_second / 8 or -1, uploadThroughput=bits_per_second / 8 or -1)

    def key(self, name):
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[name]
        self("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", key=name, code=name, text=text,
             windowsVirtualKeyCode=code)
        self("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=code)

    def type(self, text):
        for letter in text:
            self("Input.dispatchKeyEvent", type="char", text=letter)

    def names(self):
        """(role, name) of each control, as a screen reader is told them."""
        found = []
        for node in self("Accessibility.getFullAXTree")["nodes"]:
            if not node.get("ignored"):
                found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
        return found

    def picture(self, name):
        """The whole page, beside the build."""
        os.makedirs(SCREENS, exist_ok=True)
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        data = self("Page.captureScreenshot", captureBeyondViewport=True,
                    clip={"x": 0, "y": 0, "width": width, "height": min(height, 8000), "scale": 1})["data"]
        with open(os.path.join(SCREENS, name + ".png"), "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What the browser says about the page since this was asked last: errors, and what the policy for content
        forbids."""
        said = [e["args"][0].get("value") for e in self.events("Runtime.consoleAPICalled")
                if e["type"] in ("error", "warning", "assert")]
        said += [e["exceptionDetails"]["text"] for e in self.events("Runtime.exceptionThrown")]
        said += [e["entry"]["text"] for e in self.events("Log.entryAdded") if e["entry"]["level"] in ("error", "warning")]
        return said + self.run("window.seen.violations")

#!/usr/bin/env python3
"""Opens a file in Chromium and prints one JSON object with what a reader would see.

    inspect_page.py FILE WIDTH light|dark [PICTURE]

The browser is controlled through a pipe with the Chrome DevTools Protocol
(https://chromedevtools.github.io/devtools-protocol/), so that nothing but Python and the browser is needed.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 60
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

# Contrast as WCAG 2.2 computes it, of all text that is shown; the boxes of all that is cut off or overlaps.
LOOK = r"""(() => {
  const numbers = color => (color.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => { [a, b] = [light(a), light(b)]; return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
  const paper = node => {
    const sheet = document.querySelector('svg > .paper');
    if (sheet) return numbers(getComputedStyle(sheet).fill);
    for (; node; node = node.parentElement) {
      const color = numbers(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  let least = 99, smallest = 99;
  const boxes = [];
  const walker = document.createTreeWalker(document.body || document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || ['STYLE', 'TITLE'].includes(element.tagName.toUpperCase())) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || !box.height || element.closest('dl') && element.closest('dl').clientWidth < 2) continue;
    least = Math.min(least, contrast(numbers(element instanceof SVGElement ? style.fill : style.color), paper(element)));
    smallest = Math.min(smallest, parseFloat(style.fontSize));
    if (element.closest('.axis')) boxes.push([box.left, box.right, node.data]);
  }
  boxes.sort((a, b) => a[0] - b[0]);
  const overlaps = boxes.slice(1).filter((box, at) => box[0] < boxes[at][1]).map(box => box[2]);
  return {
    contrast: least, font: smallest, overlaps,
    width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight,
    elements: document.querySelectorAll('script, img, iframe, object, embed, link, form, a').length,
    rows: document.querySelectorAll('li.row').length,
  };
})()"""

# What is shown of the row that has the focus: its details, and whether they are within the window.
FOCUSED = r"""(() => {
  const row = document.activeElement, details = row.querySelector('dl');
  if (!details) return null;
  const box = details.getBoundingClientRect();
  const within = box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight && box.height > 20;
  return { text: details.innerText, visible: within, outline: getComputedStyle(row).outlineStyle };
})()"""

HOVERED = r"""(() => {
  const shown = [...document.querySelectorAll('dl')].filter(list => list.getBoundingClientRect().height > 20);
  return shown.map(list => list.innerText);
})()"""


class Browser:
    def __init__(self, folder):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            sys.exit("inspect_page.py: no browser")
        (ours, theirs), (their_output, our_input) = os.pipe(), os.pipe()
        self.read_end, self.write_end = ours, our_input
        self.number, self.buffer, self.events = 0, b"", []

        def connect():
            # The browser reads commands from 3 and writes answers to 4. High numbers first: 3 and 4 may be in use.
            command, answer = os.dup2(their_output, 103), os.dup2(theirs, 104)
            os.dup2(command, 3)
            os.dup2(answer, 4)

        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run",
                 "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"]
        if os.getuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen([program, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=connect, close_fds=False)
        os.close(theirs)
        os.close(their_output)

    def receive(self, limit):
        while b"\0" not in self.buffer:
            if not select.select([self.read_end], [], [], limit)[0]:
                return None
            piece = os.read(self.read_end, 1 << 16)
            if not piece:
                sys.exit("inspect_page.py: the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            answer = self.receive(1)
            if answer and answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"inspect_page.py: {method}: {answer['error']}")
                return answer["result"]
            if answer:
                self.events.append(answer)
        sys.exit(f"inspect_page.py: {method}: no answer")

    def wait_for(self, method):
        end = time.monotonic() + LIMIT
        while not any(event.get("method") == method for event in self.events):
            if time.monotonic() > end:
                sys.exit(f"inspect_page.py: {method}: not seen")
            self.events.extend(filter(None, [self.receive(1)]))

    def close(self):
        self.process.kill()
        self.process.wait()


def inspect(browser, file, width, scheme, picture):
    target = browser.send("Target.createTarget", url="about:blank")["targetId"]
    session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    send = lambda method, **parameters: browser.send(method, session, **parameters)
    evaluate = lambda text: send("Runtime.evaluate", expression=text, returnByValue=True)["result"].get("value")
    for domain in ("Page", "Network", "Runtime", "Log"):
        send(f"{domain}.enable")
    send("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 600)
    send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    url = pathlib.Path(file).resolve().as_uri()
    send("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")
    found = {"look": evaluate(LOOK), "title": evaluate("document.title")}
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    for kind in ("rawKeyDown", "keyUp"):
        send("Input.dispatchKeyEvent", type=kind, **key)
    found["focused"] = evaluate(FOCUSED)
    if picture:
        data = send("Page.captureScreenshot", captureBeyondViewport=False)["data"]
        pathlib.Path(picture).write_bytes(base64.b64decode(data))
    evaluate("document.activeElement.blur()")
    point = evaluate("(row => row && (box => [box.x + 30, box.y + 5])(row.getBoundingClientRect()))"
                     "(document.querySelectorAll('li.row')[1])")
    if point:
        send("Input.dispatchMouseEvent", type="mouseMoved", x=point[0], y=point[1])
        found["hovered"] = evaluate(HOVERED)
    found["overflow"] = evaluate("document.documentElement.scrollWidth") > width
    messages = [event for event in browser.events if event.get("sessionId") == session]
    of = lambda method: [event["params"] for event in messages if event["method"] == method]
    requests = [request["request"]["url"] for request in of("Network.requestWillBeSent")]
    found["requests"] = [request for request in requests if request != url]
    found["errors"] = [str(error) for method in ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
                       for error in of(method)]
    return found


def main():
    file, width, scheme, *picture = sys.argv[1:]
    folder = tempfile.mkdtemp(prefix="ait-browser-")
    browser = Browser(folder)
    try:
        found = inspect(browser, file, int(width), scheme, picture[0] if picture else None)
    finally:
        browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

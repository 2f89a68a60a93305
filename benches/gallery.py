#!/usr/bin/env python3
"""How long the gallery takes to open in Chromium, with many answers in it.

    benches/gallery.py PROGRAM [--answers 10000] [--runs 5] [--chromium chromium]

A store of the demo's pictures is made, and so many records, each with small pictures, are put into its answer folder; the
service writes the gallery. Then a browser without a screen opens it again and again, each time with an empty profile. Printed: the
size of the page, and the medians of the first paint, of when it can be used (its scripts have run), and of its end, in ms from the
beginning of the navigation as the page itself measures it. An idle machine is needed. Needs nothing but Python and Chromium.
"""
import argparse, fcntl, json, os, statistics, subprocess, sys, tempfile, time
from pathlib import Path

sys.dont_write_bytecode = True
from service import Service

ASKED = """(() => {
    const [page] = performance.getEntriesByType('navigation');
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return page.loadEventEnd && paint ? [paint.startTime, page.domInteractive, page.loadEventEnd] : null;
})()"""


class Browser:
    """Chromium with one page, by its debugging pipe: file 3 for commands, file 4 for replies."""

    def __init__(self, chromium, profile):
        pipes = os.pipe() + os.pipe()
        # Above the numbers that they get in the browser.
        self_reads, theirs_out, theirs_in, self_writes = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in pipes]
        self.process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}",
             "about:blank"],
            preexec_fn=lambda: (os.dup2(theirs_in, 3), os.dup2(theirs_out, 4)), pass_fds=(3, 4),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (*pipes, theirs_in, theirs_out):
            os.close(end)
        self.commands, self.replies, self.rest = self_writes, self_reads, b""
        self.session, self.last = None, 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **parameters):
        self.last += 1
        command = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while (reply := self.message()).get("id") != self.last:
            pass
        return reply.get("result", {})

    def message(self):
        while b"\0" not in self.rest:
            if not (more := os.read(self.replies, 1 << 16)):
                sys.exit("Chromium ended")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def times(self, url):
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            times = self.call("Runtime.evaluate", expression=ASKED, returnByValue=True).get("result", {}).get("value")
            if times:
                return times
            time.sleep(0.05)
        sys.exit("the page did not open within a minute")

    def end(self):
        self.process.kill()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--chromium", default="chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="artificio-gallery-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "store"
        subprocess.run([options.program, "demo", str(root)], check=True, capture_output=True)
        names = sorted(path.name for path in (root / "db/img_inventory_raw").rglob("*") if path.is_file())[:5]
        matches = [{"path": name, "closer_than": 0.99} for name in names]
        thumbnails = root / "answer/.thumbnails"
        strip = min(thumbnails.iterdir())
        for number in range(options.answers):
            record = {"status": "ok", "message": "The 5 most similar.", "answered_s": number, "matches": matches,
                      "query": {"name": f"picture {number}.jpg", "files": [{}]}}
            (root / f"answer/result_picture {number}.json").write_text(json.dumps(record))
            (thumbnails / f"result_picture {number}.jpg").hardlink_to(strip)
        page = root / "answer/index.html"
        with Service(options.program, root) as service:
            service.wait_ready()
            service.wait_quiet()
            service.stop()
        if f"picture {options.answers - 1}.jpg" not in page.read_text():
            sys.exit("the gallery was not written")
        print(f"{options.answers} answers: a page of {page.stat().st_size / 1e6:.2f} MB")
        runs = []
        for number in range(options.runs):
            browser = Browser(options.chromium, Path(folder) / f"profile-{number}")
            runs.append(browser.times(page.as_uri()))
            browser.end()
        for name, column in zip(("first paint", "can be used", "all loaded"), zip(*runs)):
            print(f"{name:12} {statistics.median(column):6.0f} ms (from {min(column):.0f} to {max(column):.0f})")


main()

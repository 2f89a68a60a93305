"""The running service, for the benches in Python: starts it as a service manager would, asks it, and measures what it costs.

Not a bench itself. The standard library suffices.
"""

import json, math, os, resource, shutil, signal, socket, subprocess, tempfile, threading, time
from pathlib import Path


class Stopped(Exception):
    """The service ended by itself."""


def percentile(values: list, share: float):
    """The smallest value that `share` of all are not above; `None` of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else None


def count_of(text: str) -> int:
    """10k is 10,000, and 1M is 1,000,000."""
    units = {"k": 1_000, "m": 1_000_000}
    return int(float(text[:-1]) * units[text[-1].lower()]) if text[-1].lower() in units else int(text)


class Workplace:
    """A new folder that is removed at the end, also after Ctrl-C and SIGTERM, and nothing else is."""

    def __init__(self, parent: str | None, name: str):
        self.path = Path(tempfile.mkdtemp(prefix=f"artificio-{name}-", dir=parent)).resolve()

    def __enter__(self) -> Path:
        def interrupt(*_):
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, interrupt)
        return self.path

    def __exit__(self, *_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        shutil.rmtree(self.path)


class Service:
    """One run of the program on a root, from its start to its end."""

    def __init__(self, program: str, root: Path, has_manager: bool = True):
        self.root, self.state, self.took_to_ready_s = root, root / "db/state", None
        self.sockets = Path(tempfile.mkdtemp(prefix="artificio-notify-"))
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(self.sockets / "socket"))
        (root / "query").mkdir(exist_ok=True)
        # Of an earlier run: what it says is not about this one.
        (self.state / "status.json").unlink(missing_ok=True)
        (self.state / "metrics.prom").unlink(missing_ok=True)
        self.started = time.monotonic()
        self.log = open(root / "log", "ab")
        variables = {**os.environ, **({"NOTIFY_SOCKET": str(self.sockets / "socket")} if has_manager else {})}
        self.process = subprocess.Popen(
            [program, "--root", str(root), "run"], stdout=self.log, stderr=self.log, env=variables
        )
        self.manager_thread = threading.Thread(target=self._listen, daemon=True)
        self.is_ready = threading.Event()
        self.manager_thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self):
        self.log.close()
        self.manager.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _listen(self):
        while True:
            try:
                message = self.manager.recv(4096)
            except OSError:
                return
            if b"READY=1" in message.split(b"\n") and not self.is_ready.is_set():
                self.took_to_ready_s = time.monotonic() - self.started
                self.is_ready.set()

    def check(self):
        if self.process.poll() is not None:
            last = (self.root / "log").read_text(errors="replace").splitlines()[-5:]
            raise Stopped(f"the service ended with {self.process.returncode}:\n" + "\n".join(last))

    def wait_ready(self) -> float:
        """Seconds from the start to READY=1."""
        while not self.is_ready.wait(0.2):
            self.check()
        return self.took_to_ready_s

    def status(self) -> dict:
        try:
            return json.loads((self.state / "status.json").read_text())
        except (OSError, ValueError):
            return {}

    def wait(self, until, pause_s: float = 0.1) -> dict:
        """The first status of which `until` is true."""
        while True:
            self.check()
            status = self.status()
            if status and until(status):
                return status
            time.sleep(pause_s)

    def wait_indexed(self, files: int) -> dict:
        inventory = lambda status: status["inventory"]
        return self.wait(lambda status: inventory(status)["indexed"] == files and inventory(status)["pending"] == 0)

    def cpu_s(self) -> float:
        """CPU time of all its threads, also of those that ended: the clock of the process, in nanoseconds."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def cpu_of_s(self, seconds: float) -> float:
        """CPU time of the next seconds."""
        before = self.cpu_s()
        time.sleep(seconds)
        self.check()
        return self.cpu_s() - before

    def wait_quiet(self):
        """Until it has done next to nothing for three seconds."""
        while self.cpu_of_s(3.0) > 0.1:
            pass

    def memory_mb(self) -> tuple[float, float]:
        """What is resident now, and the most that ever was, in units of 1,000,000 bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return kib["VmRSS"] * 1024 / 1e6, kib["VmHWM"] * 1024 / 1e6

    def drop(self, name: str, content: bytes):
        """Puts a picture into the query folder in one step; what `answered_ms` needs to wait for the answer."""
        half = self.root / f"dropping-{name}"
        half.write_bytes(content)
        begun = time.monotonic()
        half.rename(self.root / "query" / f"{name}.jpg")
        return begun, self.root / "answer" / f"result_{name}.json"

    def answered_ms(self, dropped, patience_s: float = 120) -> float | None:
        """Milliseconds from the drop to the record; `None` where there is none after `patience_s`."""
        begun, record = dropped
        while not record.exists():
            self.check()
            if time.monotonic() - begun > patience_s:
                return None
            time.sleep(0.002)
        return (time.monotonic() - begun) * 1e3

    def stop(self):
        """Ends it as a service manager would. Its last metrics are in `metrics.prom` then."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._close()

    def metrics(self) -> dict[str, float]:
        """The values of `metrics.prom` by name and labels, as they stand there."""
        try:
            lines = (self.state / "metrics.prom").read_text().splitlines()
        except OSError:
            return {}
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def turns(self) -> dict:
        """The turns of the event loop since the start: how many, the longest, and an upper bound of the 99th percentile, in ms."""
        metrics = self.metrics()
        count = metrics.get("artificio_turn_seconds_count", 0)
        if not count:
            return {}
        start = 'artificio_turn_seconds_bucket{le="'
        buckets = [(float(name[len(start) : -2]), value) for name, value in metrics.items() if name.startswith(start)]
        longest = metrics.get("artificio_turn_longest_seconds", float("nan"))
        within = min((bound for bound, so_far in buckets if so_far >= 0.99 * count), default=longest)
        return {"count": count, "longest": longest * 1e3, "p99": min(within, longest) * 1e3}


def measured(command: list[str], **options) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed. Of no use while another thread runs commands."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begun, spent

"""What `growth.py` gives the service: an inventory of hard links to pictures whose contents it knows, and queries it has not seen.

Not a bench itself.
"""

import json, os, shutil, subprocess, threading, time
from contextlib import contextmanager
from pathlib import Path

from service import Service, Stopped, measured

FIND = ["-printf", "%s %T@ %C@ %i\\n"]
#: Links to one file: ext4 allows 65,000.
MOST_LINKS = 60_000
IN_A_FOLDER = 1_000
#: Of each kind at least so many.
QUERIES = 24
#: Seconds between the drops of an import: at most a hundredth of its time is theirs.
DROP_EVERY_S = 5.0


class Queries:
    """Pictures that the service has not seen, each dropped once."""

    def __init__(self, pictures: list[bytes]):
        self.pictures, self.number = pictures, 0

    def drop(self, service: Service, name: str):
        self.number += 1
        content = self.pictures[self.number % len(self.pictures)] + f"{os.getpid()} {self.number}".encode()
        return service.drop(f"{name}-{self.number}", content)

    def one_by_one(self, service: Service, name: str, count: int) -> tuple[list, list]:
        """Milliseconds of each, and of its search alone by its record."""
        took, search = [], []
        for _ in range(count):
            dropped = self.drop(service, name)
            took.append(service.answered_ms(dropped))
            if took[-1] is not None:
                search.append(json.loads(dropped[1].read_text())["timings_ms"]["search"])
            time.sleep(0.1)
        return took, search

    @contextmanager
    def meanwhile(self, service: Service, name: str, every_s: float):
        """Drops one every `every_s` whether or not the one before was answered, and more rarely once there are enough. In the
        list that is given, there are the milliseconds of each at the end."""
        over, took, waiting = threading.Event(), [], []

        def follow(dropped):
            try:
                took.append(service.answered_ms(dropped))
            except Stopped:
                took.append(None)

        def drop():
            while not over.wait(every_s if len(waiting) < QUERIES else DROP_EVERY_S):
                waiting.append(threading.Thread(target=follow, args=[self.drop(service, name)], daemon=True))
                waiting[-1].start()

        dropping = threading.Thread(target=drop, daemon=True)
        dropping.start()
        try:
            yield took
        finally:
            over.set()
            dropping.join()
        for thread in waiting:
            thread.join()


class Inventory:
    """The folder with the links, and how many there are."""

    def __init__(self, folder: Path, originals: list[Path]):
        self.folder, self.originals, self.files = folder, [], 0
        (folder / "originals").mkdir(parents=True)
        for number, original in enumerate(originals):
            self.originals.append(folder / "originals" / f"{number:03}{original.suffix}")
            shutil.copyfile(original, self.originals[-1])
        self.contents = self.files = len(originals)

    def path(self, number: int) -> Path:
        return self.folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}{self.originals[number % self.contents].suffix}"

    def grow(self, files: int):
        """Up to `files` in all."""
        assert files / self.contents < MOST_LINKS, "more links than a file system allows"
        for number in range(self.files, files):
            path = self.path(number)
            if number % IN_A_FOLDER == 0 or number == self.files:
                path.parent.mkdir(exist_ok=True)
            os.link(self.originals[number % self.contents], path)
        self.files = files

    def shrink(self, files: int):
        """Down to `files` in all."""
        for number in range(files, self.files):
            self.path(number).unlink()
        self.files = files

    def find(self) -> tuple[float, float]:
        """Wall and CPU seconds of looking through it as `find` does."""
        return measured(["find", str(self.folder), *FIND], stdout=subprocess.DEVNULL)

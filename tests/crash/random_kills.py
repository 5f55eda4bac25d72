"""kill -9 at random times under eight writers, and a record of what they were told.

The writers are eight threads of store_driver, not clients of an mlpd: nothing but the store takes
their time, so that more kills fall into a commit.
"""
import random
import subprocess
import tempfile

from store_process import MAX_RECOVERY_SECONDS, Store, Tally, memory_folder

ROUNDS_PER_FOLDER = 15


class Record:
    """What the writers began and what was acknowledged, of all rounds in one folder."""

    def __init__(self):
        self.tried = {}         # (kind, name or hash): what it would be
        self.there = {}         # (kind, name or hash): what is there for sure
        self.leaving = set()    # a deletion was begun
        self.gone = set()       # a deletion was acknowledged
        self.newest = 0         # version that was acknowledged in an earlier round
        self.versions = {}      # number: hash
        self.not_monotonic = 0

    def take_round(self, lines):
        last = {}
        newest = self.newest
        for line in lines:
            words = line.split()
            if words[:2] == ["try", "upload"]:
                self.tried["dataset", words[2]] = words[3]
            elif words[:2] == ["ok", "upload"]:
                self.there["dataset", words[2]] = self.tried["dataset", words[2]]
            elif words[:2] == ["try", "delete"]:
                self.leaving.add(("dataset", words[2]))
            elif words[:2] == ["ok", "delete"]:
                self.gone.add(("dataset", words[2]))
            elif words[:2] == ["try", "publish"]:
                self.tried["version", words[2]] = words[2]
            elif words[:2] == ["ok", "publish"]:
                number, writer = int(words[3]), words[4]
                self.there["version", words[2]] = words[2]
                if number in self.versions or number <= max(self.newest, last.get(writer, 0)):
                    self.not_monotonic += 1
                last[writer] = number
                self.versions[number] = words[2]
                newest = max(newest, number)
            elif words[1] == "unpublish":
                (self.leaving if words[0] == "try" else self.gone).add(
                    ("version", self.versions[int(words[2])]))
        self.newest = newest

    def problems(self, things):
        present = {}
        for thing in things:
            words = thing.split()
            if words[0] == "dataset":
                present["dataset", words[1]] = words[2]
            elif words[0] == "version":
                present["version", words[3]] = words[3]
                # One in flight may have been published though nobody was told.
                self.newest = max(self.newest, int(words[2]))
        problems = []
        if any(key not in self.leaving and present.get(key) != value
               for key, value in self.there.items()):
            problems.append("lost")
        if self.gone & present.keys():
            problems.append("deleted_but_back")
        if any(self.tried.get(key) != value for key, value in present.items()):
            problems.append("half_visible")
        return problems


def random_kills(kills, seed=1):
    tally = Tally("kills", "acknowledged", "lost", "deleted_but_back", "half_visible",
                  "not_monotonic", "orphans", "not_intact", "slow_recovery", "failed")
    generator = random.Random(seed)
    done = 0
    while done < kills:
        with tempfile.TemporaryDirectory(prefix="mlpd-crash-", dir=memory_folder()) as root:
            store, record = Store(root), Record()
            for _ in range(min(ROUNDS_PER_FOLDER, kills - done)):
                done += 1
                one_round(store, record, done, generator.uniform(0.002, 0.15), tally)
            tally.add("not_monotonic", record.not_monotonic)
            store.close()
    wrong = [name for name in tally.counts if name not in ("kills", "acknowledged",
                                                           "slowest_recovery_ms")]
    return {"part": "random_kills", "writers": 8, **tally.counts,
            "ok": not any(tally.counts[name] for name in wrong), "examples": tally.examples}


def one_round(store, record, number, seconds, tally):
    process = subprocess.Popen([store.driver, "writers", store.folder, str(number)],
                               stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    # The pipe would fill up while we wait for the time to come.
    killer = subprocess.Popen(["sh", "-c", f"sleep {seconds:.4f}; kill -9 {process.pid}"])
    rest = process.stdout.read().splitlines()
    process.stdout.close()
    process.wait(timeout=30)
    killer.wait(timeout=30)
    tally.add("kills")
    failed = [line for line in [first, *rest] if line.startswith("fail")]
    # A kill cuts no line in two: each was one write into the pipe.
    record.take_round(rest)
    tally.add("acknowledged", sum(line.startswith("ok ") for line in rest))
    found = store.check()
    problems = ["failed"] if failed else []
    if "error" in found:
        problems.append("lost")
    else:
        problems += record.problems(found["things"])
        problems += ["orphans"] if found["orphans"] else []
        problems += ["not_intact"] if found["integrity"] != "ok" else []
        problems += ["slow_recovery"] if found["open_seconds"] > MAX_RECOVERY_SECONDS else []
        tally.maximum("slowest_recovery_ms", round(1e3 * found["open_seconds"], 1))
    tally.wrong(problems, f"round {number}: {failed} {found.get('error', '')}")

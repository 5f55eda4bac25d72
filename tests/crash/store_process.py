"""Runs store_driver under the shim, looks at what it left, and says what is wrong with that."""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

BIN = pathlib.Path(os.environ["CRASH_BIN"])  # store_driver and libstore_shim.so
SHIM = BIN / "libstore_shim.so"
MAX_RECOVERY_SECONDS = 1.0


def memory_folder():
    """Where kills are tried: the system keeps what a killed process wrote, on a disk or not."""
    shared = pathlib.Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else pathlib.Path(tempfile.gettempdir())


class Store:
    """A data folder, the driver's `run` on it, and a `check` process for what that leaves."""

    def __init__(self, root, driver="store_driver"):
        self.driver = BIN / driver
        self.root = pathlib.Path(root)
        self.folder = self.root / "data"
        self.checker = subprocess.Popen([BIN / "store_driver", "check"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def close(self):
        self.checker.stdin.close()
        self.checker.wait(timeout=30)
        self.checker.stdout.close()

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, folder=None, **shim):
        """The finished `store_driver`; shim settings by their names without STORE_SHIM_."""
        folder = folder or self.folder
        environment = dict(os.environ)
        if shim:
            environment["LD_PRELOAD"] = str(SHIM)
            environment["STORE_SHIM_FOLDER"] = str(folder)
            environment.update({f"STORE_SHIM_{k.upper()}": str(v) for k, v in shim.items()})
        mode, *rest = arguments
        return subprocess.run([self.driver, mode, folder, *rest], text=True, capture_output=True,
                              env=environment, timeout=120, check=False)

    def trace(self, *arguments):
        """The calls of an undisturbed run, as (name, file), the first one at index 0."""
        path = self.root / "trace"
        path.unlink(missing_ok=True)
        self.run(*arguments, trace=path)
        return [tuple(line.split()[1:3]) for line in path.read_text().splitlines()]

    def check(self, folder=None):
        """Opens the folder, which recovers it: what is there, or {"error": ...}."""
        self.checker.stdin.write(f"{folder or self.folder}\n")
        self.checker.stdin.flush()
        line = self.checker.stdout.readline()
        if line:
            return json.loads(line)
        self.__init__(self.root, self.driver.name)
        return {"error": "the store crashed when it was opened"}


class Expected:
    """What there is after each acknowledgement of the driver's `run`."""

    def __init__(self, store, sizes):
        store.clear()
        done = store.run("run", sizes, "things")
        if done.returncode != 0:
            raise RuntimeError(f"the undisturbed run failed: {done.stderr}")
        lines = done.stdout.splitlines()
        self.states = [json.loads(line) for line in lines if line.startswith("[")]
        self.names = [line.split()[1] for line in lines if line.startswith("ok ")]

    def problems(self, found, acknowledged):
        """Names of what is wrong after `acknowledged` operations, opening included. The next one
        may have been in flight: it is there whole or not at all."""
        if "error" in found:
            return ["lost"]
        problems = []
        before = self.states[max(acknowledged - 1, 0)]
        after = self.states[min(acknowledged, len(self.states) - 1)]
        if found["things"] not in (before, after):
            lost = [thing for thing in before if thing in after and thing not in found["things"]]
            problems.append("lost" if lost else "half_visible")
        if found["orphans"] != 0:
            problems.append("orphans")
        if found["integrity"] != "ok":
            problems.append("not_intact")
        if found["open_seconds"] > MAX_RECOVERY_SECONDS:
            problems.append("slow_recovery")
        return problems


def acknowledged(output):
    return sum(line.startswith("ok ") for line in output.splitlines())


class Tally:
    """Counts of states and of what was wrong, with the first few of them in words. Thread-safe."""

    def __init__(self, *names):
        self.counts = dict.fromkeys(names, 0)
        self.examples = []
        self.lock = threading.Lock()

    def add(self, name, count=1):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + count

    def maximum(self, name, value):
        with self.lock:
            self.counts[name] = max(self.counts.get(name, 0), value)

    def wrong(self, names, example):
        with self.lock:
            for name in names:
                self.counts[name] = self.counts.get(name, 0) + 1
            if names and len(self.examples) < 5:
                self.examples.append(f"{', '.join(names)}: {example}")


def for_each(items, body, workers=2, driver="store_driver"):
    """body(store, item) for all, on some threads, each with a store of its own."""
    waiting = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    errors = []

    def work():
        with tempfile.TemporaryDirectory(prefix="mlpd-crash-", dir=memory_folder()) as root:
            store = Store(root, driver)
            try:
                while not errors:
                    body(store, waiting.get_nowait())
            except queue.Empty:
                pass
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
            finally:
                store.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]

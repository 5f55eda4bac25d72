"""The real mlpd when it is killed, stopped, and when its disk is full. Programs: MLPD, MLPCTL."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from server_process import MLPCTL, Server  # noqa: E402 pylint: disable=wrong-import-position
from training_test import CLASSES, SIDE, write_strokes  # noqa: E402 pylint: disable=wrong-import-position

ADAM = ("--optimizer", "adam", "--batch-size", 4, "--learning-rate", 0.001)


class Place:
    """A folder with a server on it that comes and goes, and the dataset `strokes` in it."""

    def __init__(self, root, *flags):
        self.root = pathlib.Path(root)
        self.flags = flags
        self.start()
        images, labels = write_strokes(self.root)
        self.server.ctl("datasets", "upload", "strokes", "--images", images, "--labels", labels)

    def start(self):
        self.server = Server(self.root / "data", *self.flags)

    def train(self, model, *flags, hidden=16):
        return self.server.json("train", model, "--dataset", "strokes", "--layers",
                                f"{SIDE * SIDE},{hidden},{CLASSES}", *flags)

    def job(self, number):
        return self.server.json("jobs", "get", number)[0]

    def sha256(self, reference):
        return self.server.json("models", "get", reference)[0]["artifact_sha256"]

    def until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}\n{self.server.log_text()[-2000:]}")
            time.sleep(0.02)


def load(server, connections, rate, seconds):
    """A running mlpctl that asks model `m` on so many streams, or without one where it is 0."""
    streams = ("--api", "stream", "--connections", connections, "--concurrency", connections)
    arguments = (*(streams if connections else ()), "--mode", "open", "--rate", rate,
                 "--duration", seconds, "--warmup", 0)
    return subprocess.Popen([MLPCTL, "--server", server.addresses["grpc"], "--output", "json",
                             "bench", "m", *map(str, arguments)],
                            text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def elapsed(job):
    return job.get("progress", {}).get("elapsed_seconds", 0)


def job_kills(kills, seed=1):
    """An Adam and an L-BFGS training in a server that is killed again and again. What ends meanwhile
    begins anew; each Adam training must have the bits of an undisturbed one."""
    generator = random.Random(seed)
    problems, counts = [], {"adam": 0, "lbfgs": 0, "compared": 0}
    with tempfile.TemporaryDirectory(prefix="mlpd-crash-") as root:
        place = Place(root, "--checkpoint-seconds", "1", "--training-threads", "1",
                      "--max-running-jobs", "2")
        try:
            short = place.train("short", *ADAM, "--epochs", 50)[-1]
            # Some ten seconds without disturbance: a number of kills each.
            epochs = min(max(200, int(50 * 10 / short["result"]["seconds"])), 100_000)
            flags = {"adam": (*ADAM, "--epochs", epochs), "lbfgs": ("--max-iterations", 100_000)}
            undisturbed = place.train("adam", *flags["adam"])[-1]
            wanted = place.sha256(f"adam@{undisturbed['result']['version']}")

            def begin(name):
                hidden = 16 if name == "adam" else 1500
                return place.train(name, *flags[name], "--detach", hidden=hidden)[0]["id"]

            def compare(job):
                counts["compared"] += 1
                if place.sha256(f"adam@{job['result']['version']}") != wanted:
                    problems.append(f"job {job['id']}: not the undisturbed training's weights")

            jobs = {name: begin(name) for name in flags}
            while min(counts["adam"], counts["lbfgs"]) < kills and not problems:
                # Past a checkpoint of this start, which comes after a second.
                begun = elapsed(place.job(jobs["adam"]))
                until = begun + 1.05 + 0.5 * generator.random()
                place.until(lambda: elapsed(place.job(jobs["adam"])) > until or
                            place.job(jobs["adam"])["state"] == "JOB_STATE_SUCCEEDED",
                            "the training does not go on")
                found = {name: place.job(number) for name, number in jobs.items()}
                if found["adam"]["state"] == "JOB_STATE_SUCCEEDED":
                    compare(found["adam"])
                for name, job in found.items():
                    if job["state"] == "JOB_STATE_SUCCEEDED":
                        jobs[name] = begin(name)
                    elif job["state"] == "JOB_STATE_FAILED":
                        problems.append(f"{name}: {job['message']}")
                if found["adam"]["state"] != "JOB_STATE_RUNNING":
                    continue
                for name, job in found.items():
                    counts[name] += job["state"] == "JOB_STATE_RUNNING"
                place.server.stop(signal.SIGKILL)
                place.start()
                for number in jobs.values():
                    place.until(lambda n=number: place.job(n)["state"] != "JOB_STATE_QUEUED",
                                "a job is not taken up")
            place.until(lambda: place.job(jobs["adam"])["state"] != "JOB_STATE_RUNNING",
                        "the last training does not end", 120)
            compare(place.job(jobs["adam"]))
        finally:
            place.server.stop(signal.SIGKILL)
    return {"part": "job_kills", "adam_kills": counts["adam"], "lbfgs_kills": counts["lbfgs"],
            "adam_trainings_compared": counts["compared"],
            "ok": not problems and min(counts["adam"], counts["lbfgs"]) >= kills, "examples": problems}


def sigterm(rounds, seed=1):
    """SIGTERM with 46 streams of predictions, 4 of progress and 4 running jobs."""
    generator = random.Random(seed)
    drain_seconds = 5
    problems, slowest = [], 0.0
    with tempfile.TemporaryDirectory(prefix="mlpd-crash-") as root:
        place = Place(root, "--checkpoint-seconds", "3600", "--training-threads", "1",
                      "--max-running-jobs", "4", "--drain-seconds", str(drain_seconds))
        try:
            place.train("m", "--max-iterations", 20)
            for _ in range(4):
                place.train("long", *ADAM, "--epochs", 100_000, "--detach")
            jobs = range(2, 6)
            for number in range(rounds):
                iterations = {}
                for job in jobs:
                    place.until(lambda j=job: elapsed(place.job(j)) > 0 and
                                place.job(j)["state"] == "JOB_STATE_RUNNING", "a job does not run")
                    iterations[job] = place.job(job)["progress"]["iteration"]
                clients = [load(place.server, 46, 500, 60)]
                for job in jobs:
                    clients.append(subprocess.Popen(
                        [MLPCTL, "--server", place.server.addresses["grpc"], "jobs", "watch",
                         str(job)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                time.sleep(0.5 + generator.random() * 0.5)
                start = time.monotonic()
                status = place.server.stop()
                slowest = max(slowest, time.monotonic() - start)
                for client in clients:
                    client.kill()
                    client.communicate()
                if status != 0:
                    problems.append(f"round {number}: exit status {status}")
                place.start()
                for job in jobs:
                    found = place.job(job)
                    if found["state"] not in ("JOB_STATE_RUNNING", "JOB_STATE_QUEUED"):
                        problems.append(f"round {number}: job {job} is {found['state']}")
                    if found["progress"]["iteration"] < iterations[job]:
                        problems.append(f"round {number}: job {job} lost iterations")
        finally:
            place.server.stop(signal.SIGKILL)
    return {"part": "sigterm", "rounds": rounds, "streams": 50, "jobs": 4,
            "slowest_stop_seconds": round(slowest, 2),
            "ok": not problems and slowest < drain_seconds + 2, "examples": problems[:5]}


def full_disk(root, how, mebibytes=64):
    """Uploads until `root`, of 64 MiB, is full, while a model answers."""
    problems, refused = [], ""
    place = Place(root)
    try:
        place.train("m", "--max-iterations", 20)
        images, labels = write_strokes(place.root.parent, rows=60_000)  # 4 MB each
        predictions = load(place.server, 0, 200, 25)
        uploads = 0
        while not refused and uploads < mebibytes:
            done = place.server.ctl("datasets", "upload", f"fill{uploads}", "--images", images,
                                    "--labels", labels, check=False)
            uploads += done.returncode == 0
            refused = done.stderr.strip()
        listed = {dataset["name"] for dataset in place.server.json("datasets", "list")}
        if listed != {"strokes", *(f"fill{i}" for i in range(uploads))}:
            problems.append(f"not what was acknowledged: {listed}")
        if "full" not in refused:
            problems.append(f"the refusal does not say why: {refused}")
        done = place.server.ctl("datasets", "delete", "fill0", check=False)
        if done.returncode != 0:
            problems.append(f"the deletion failed: {done.stderr.strip()}")
        done = place.server.ctl("datasets", "upload", "again", "--images", images, "--labels",
                                labels, check=False)
        if done.returncode != 0:
            problems.append(f"no room after the deletion: {done.stderr.strip()}")
        report = json.loads(predictions.communicate(timeout=60)[0])
        failed = report["failed"] + report["unanswered"]
        if failed or not report["answered"]:
            problems.append(f"predictions: {report['answered']} answered, {report['errors']}")
    finally:
        place.server.stop(signal.SIGKILL)
    return {"part": "full_disk", "how": how, "uploads": uploads, "refusal": refused,
            "predictions": report["answered"], "predict_errors": failed, "ok": not problems,
            "examples": problems}


def full_disk_apart():
    """full_disk in a process of its own, which may mount a file system that nobody else sees."""
    command = [sys.executable, __file__, "full_disk"]
    unshare = ["unshare", "--mount", "--map-root-user"]
    can = subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True,
                         check=False).returncode == 0
    done = subprocess.run([*(unshare if can else ()), *command, "tmpfs" if can else "quota"],
                          text=True, capture_output=True, timeout=200, check=False)
    if done.returncode != 0:
        return {"part": "full_disk", "ok": False, "examples": [done.stderr[-1500:]]}
    return json.loads(done.stdout)


def main():
    """As full_disk_apart calls it: tmpfs, or a quota of the shim's where nothing can be mounted."""
    how = sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="mlpd-crash-") as root:
        disk = pathlib.Path(root) / "disk"
        disk.mkdir()
        if how == "tmpfs":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], check=True)
        else:
            os.environ["LD_PRELOAD"] = os.environ["CRASH_BIN"] + "/libstore_shim.so"
            os.environ["STORE_SHIM_FOLDER"] = str(disk / "data")
            os.environ["STORE_SHIM_QUOTA"] = str(48 << 20)
        print(json.dumps(full_disk(disk, how)))
        if how == "tmpfs":
            subprocess.run(["umount", disk], check=True)


if __name__ == "__main__":
    main()

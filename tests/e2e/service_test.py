"""End to end with the real programs: what a client and an operator see."""
import gzip
import json
import random
import signal
import struct
import subprocess
import threading
import time
import unittest
import urllib.request
import xml.etree.ElementTree
import zlib

from server_process import MLPD, ServerTestCase, ctl


def write_blobs_csv(path, rows=300, classes=3, seed=7, spread=0.4):
    """Gaussian blobs around the corners of a simplex: easy to tell apart."""
    generator = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(f"x{j}" for j in range(classes)) + ",label\n")
        for row in range(rows):
            label = row % classes
            values = [generator.gauss(2.0 if j == label else 0.0, spread) for j in range(classes)]
            file.write(",".join(f"{v:.4f}" for v in values) + f",c{label}\n")


def write_grey_png(path, width, height):
    """A black image without libpng."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress((b"\0" + bytes(width)) * height)))
        file.write(chunk(b"IEND", b""))


class ServiceTest(ServerTestCase):
    def upload_blobs(self, name="blobs", **options):
        path = self.path / f"{name}.csv"
        write_blobs_csv(path, **options)
        self.server.ctl("datasets", "upload", name, "--csv", path)

    def train(self, model="m", dataset="blobs", *flags):
        return self.server.json("train", model, "--dataset", dataset, "--layers", "3,8,3", *flags)

    def test_train_evaluate_predict(self):
        self.upload_blobs()
        lines = self.train("m", "blobs", "--lambda", "0.1", "--split", "60/20/20")
        points, job = lines[:-1], lines[-1]
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual([p["iteration"] for p in points], list(range(len(points))))
        self.assertTrue(all("validation_cost" in p for p in points))
        self.assertEqual(job["result"]["parameters"], 4 * 8 + 9 * 3)
        self.assertEqual(job["result"]["version"], 1)
        parts = {e["part"]: e for e in job["result"]["evaluations"]}
        self.assertEqual([parts[f"DATASET_PART_{p}"]["examples"]
                          for p in ("TRAINING", "VALIDATION", "TEST")], [180, 60, 60])
        self.assertGreater(parts["DATASET_PART_TEST"]["accuracy"], 0.95)

        # The evaluation of the job is the one that EvaluateModel gives for the same part.
        [again] = self.server.json("evaluate", "m@1", "--dataset", "blobs", "--part", "test")
        self.assertEqual(again["evaluation"]["confusion"], parts["DATASET_PART_TEST"]["confusion"])

        figure = self.path / "m.svg"
        self.server.json("evaluate", "m@1", "--dataset", "blobs", "--part", "test", "--plot", figure)
        root = xml.etree.ElementTree.parse(figure).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")

        features = self.path / "rows.csv"
        features.write_text("2,0,0\n0,2,0\n0,0,2\n")
        predictions = self.server.json("predict", "m", "--csv", features)
        text = json.dumps(predictions)
        for name in ("c0", "c1", "c2"):
            self.assertIn(name, text)

    def test_same_seed_gives_the_same_model_and_another_one_does_not(self):
        self.upload_blobs()
        costs = [self.train("m", "blobs", "--seed", seed)[-1]["result"]["final_cost"]
                 for seed in (5, 5, 6)]
        self.assertEqual(costs[0], costs[1])
        self.assertNotEqual(costs[0], costs[2])

    def everything(self):
        kinds = [("datasets", "list"), ("jobs", "list"), ("models", "list"),
                 ("models", "versions", "m"), ("jobs", "watch", "1")]
        return [self.server.json(*kind) for kind in kinds]

    def test_restart_keeps_everything(self):
        self.upload_blobs()
        self.train()
        self.train("m", "blobs", "--seed", "2")
        before = self.everything()
        self.assertEqual(self.restart(signal.SIGTERM), 0)
        self.assertEqual(self.everything(), before)
        self.assertEqual(self.restart(signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(self.everything(), before)
        self.train()
        self.assertEqual(len(self.server.json("models", "versions", "m")), 3)

    def start_long_job(self, rows=6000):
        """A job that runs for seconds: its tolerances are out of reach."""
        self.upload_blobs("slow", rows=rows, spread=1.5)
        done = self.server.json("train", "slow", "--dataset", "slow", "--layers", "3,200,100,3",
                                "--max-iterations", "300", "--cost-tolerance", "1e-15",
                                "--gradient-tolerance", "1e-15", "--detach")
        return done[-1]["id"]

    def wait_until_running(self, job):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            [record] = self.server.json("jobs", "get", job)
            if record["state"] == "JOB_STATE_RUNNING" and "progress" in record:
                return
            time.sleep(0.05)
        self.fail(f"job {job} does not run: {record}")

    def test_a_killed_server_takes_its_job_up_again(self):
        job = self.start_long_job()
        self.wait_until_running(job)
        self.restart(signal.SIGKILL)
        lines = self.server.json("jobs", "watch", job)
        self.assertEqual(lines[-1]["state"], "JOB_STATE_SUCCEEDED")
        self.assertGreaterEqual(lines[-1]["attempts"], 2)
        iterations = [p["iteration"] for p in lines[:-1]]
        self.assertEqual(iterations, list(range(len(iterations))))

    def test_a_cancelled_job_publishes_nothing(self):
        job = self.start_long_job()
        self.wait_until_running(job)
        self.server.ctl("jobs", "cancel", job)
        watch = self.server.ctl("--output", "json", "jobs", "watch", job, check=False)
        self.assertNotEqual(watch.returncode, 0)
        last = json.loads(watch.stdout.splitlines()[-1])
        self.assertEqual(last["state"], "JOB_STATE_CANCELLED")
        self.assertEqual(self.server.json("models", "list"), [])

    def test_two_jobs_at_once_do_not_mix(self):
        self.upload_blobs("one", rows=3000, spread=1.0)
        self.upload_blobs("two", rows=3000, spread=1.0, seed=8)
        alone = {name: self.train(name, name, "--max-iterations", "40") for name in ("one", "two")}
        together = {}

        def run(name):
            together[name] = self.train(name, name, "--max-iterations", "40")
        threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in ("one", "two"):
            self.assertEqual([p["cost"] for p in together[name][:-1]],
                             [p["cost"] for p in alone[name][:-1]])
            self.assertEqual(together[name][-1]["result"]["version"], 2)

    def test_metrics_say_what_happened(self):
        self.upload_blobs()
        self.train()
        rows = self.path / "rows.csv"
        rows.write_text("2,0,0\n" * 7)
        self.server.ctl("predict", "m", "--csv", rows)
        url = f"http://{self.server.addresses['metrics']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        for line in ('mlpd_predicted_rows_total{model="m"} 7', 'mlpd_jobs{state="succeeded"} 1',
                     'mlpd_resident_models 1', 'mlpd_build_info{'):
            self.assertIn(line, text)
        self.assertIn('code="OK",method="UploadDataset"', text)

    def test_stops_cleanly_and_guards_its_folder(self):
        second = subprocess.run([MLPD, "--data-dir", str(self.path / "data"), "--grpc-address",
                                 "127.0.0.1:0", "--metrics-address", ""], text=True,
                                capture_output=True, timeout=30, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(self.server.process.pid), second.stderr)
        port_taken = subprocess.run(
            [MLPD, "--data-dir", str(self.path / "other"), "--grpc-address",
             self.server.addresses["grpc"], "--metrics-address", ""], text=True,
            capture_output=True, timeout=30, check=False)
        self.assertNotEqual(port_taken.returncode, 0)
        self.assertIn("cannot listen on " + self.server.addresses["grpc"], port_taken.stderr)
        self.assertEqual(self.server.stop(signal.SIGTERM), 0)
        self.assertIn("stopped", self.server.log_text())

    def test_refuses_addresses_that_are_none(self):
        for flag in ("--grpc-address", "--metrics-address"):
            for address in ("127.0.0.1:99999", "127.0.0.1", ":1"):
                done = subprocess.run([MLPD, "--data-dir", str(self.path / "other"), flag, address],
                                      text=True, capture_output=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{flag[2:]}: expected HOST:PORT", done.stderr)

    def test_a_second_signal_ends_a_draining_server_at_once(self):
        job = self.start_long_job()
        self.wait_until_running(job)
        self.server.process.send_signal(signal.SIGSTOP)  # so that both signals find it draining
        for _ in range(2):
            self.server.process.send_signal(signal.SIGTERM)
            self.server.process.send_signal(signal.SIGINT)
        self.server.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.server.process.wait(timeout=30), 1)
        self.assertIn("second signal", self.server.log_text())

    def test_server_down_says_so_and_how_to_start_it(self):
        address = self.server.addresses["grpc"]
        self.server.stop()
        done = ctl("models", "list", server=address, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(address, done.stderr)
        self.assertIn("mlpd --data-dir", done.stderr)

    def test_bad_input_is_refused_with_what_was_expected(self):
        self.upload_blobs()
        train = ("train", "m", "--dataset", "blobs")
        good = (*train, "--layers", "3,8,3")
        rows = self.path / "rows.csv"
        rows.write_text("1,2,3\n")
        cases = [
            ((*train, "--layers", "4,8,3"), ("3", "4")),
            ((*train, "--layers", "3,8,10"), ("3", "10")),
            ((*train, "--layers", "3,1000000,1000,3"), ("weights",)),
            ((*train, "--layers", "3,67000000,3"), ("units",)),
            ((*train, "--layers", "3,1000000,200,3"), ("weights", "MiB")),
            ((*train, "--layers", "3"), ("layers",)),
            ((*good, "--lambda", "-1"), ("lambda", "-1")),
            ((*good, "--optimizer", "magic"), ("lbfgs", "magic")),
            ((*good, "--activation", "cubic"), ("sigmoid", "cubic")),
            ((*good, "--activation", "step"), ("step",)),
            ((*good, "--split", "70/0/20"), ("70/0/20", "90")),
            ((*good, "--split", "100/0/0", "--max-iterations", "-5"), ("max", "-5")),
            (("train", "m", "--dataset", "nobody", "--layers", "3,8,3"), ("nobody",)),
            (("train", ".m", "--dataset", "blobs", "--layers", "3,8,3"), (".m",)),
            (("train", "a/b", "--dataset", "blobs", "--layers", "3,8,3"), ("a/b",)),
            (("predict", "nobody", "--csv", rows), ("nobody",)),
            (("predict", "m@0", "--csv", rows), ("model", "0")),
            (("evaluate", "nobody", "--dataset", "blobs"), ("nobody",)),
            (("datasets", "get", "nobody"), ("nobody",)),
            (("datasets", "delete", "../blobs"), ("../blobs",)),
            (("datasets", "upload", "blobs", "--csv", self.path / "blobs.csv"), ("blobs",)),
            (("jobs", "get", "999"), ("999",)),
            (("jobs", "watch", "999"), ("999",)),
            (("jobs", "cancel", "999"), ("999",)),
            (("models", "get", "nobody"), ("nobody",)),
            (("models", "versions", "nobody"), ("nobody",)),
        ]
        for arguments, parts in cases:
            with self.subTest(arguments=arguments):
                line = self.refused(*arguments)
                for part in parts:
                    self.assertIn(part, line)
        self.assertEqual(self.server.json("jobs", "list"), [])
        self.assertEqual(self.server.json("models", "list"), [])

    def test_bad_files_are_refused_and_leave_nothing(self):
        sheet = self.path / "sheet.png"
        write_grey_png(sheet, 50, 40)
        word = self.path / "word.csv"
        word.write_text("a,b,label\n1,2,x\n3,oops,y\n")
        nan = self.path / "nan.csv"
        nan.write_text("1,2,x\n3,nan,y\n4,5,x\n")
        labels = self.path / "labels"
        labels.write_bytes(struct.pack(">II", 0x801, 10) + bytes(10))
        images = self.path / "images"
        images.write_bytes(struct.pack(">IIII", 0x803, 10, 4, 4) + bytes(100))
        damaged = self.path / "images.gz"
        damaged.write_bytes(gzip.compress(struct.pack(">IIII", 0x803, 10, 4, 4) + bytes(160))[:-12])
        cases = [
            (("--sheet", sheet, "--cell", "20x20"), ("50", "20")),
            (("--csv", word), ("line 3", "column 2", "oops")),
            (("--csv", nan), ("nan",)),
            (("--images", images, "--labels", labels), ("176", "116")),
            (("--images", damaged, "--labels", labels), (damaged.name,)),
            (("--csv", self.path / "missing.csv"), ("missing.csv",)),
        ]
        for arguments, parts in cases:
            with self.subTest(arguments=arguments):
                line = self.refused("datasets", "upload", "bad", *arguments)
                for part in parts:
                    self.assertIn(part, line)
        self.assertEqual(self.server.json("datasets", "list"), [])


if __name__ == "__main__":
    unittest.main()

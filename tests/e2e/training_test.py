"""Trainings of every kind through the real server: each optimizer, warm starts, kill and resume."""
import pathlib
import random
import signal
import struct
import time
import unittest

from server_process import ServerTestCase

SIDE = 8
CLASSES = 4


def write_strokes(folder, rows=1200, seed=3):
    """IDX files of 8 x 8 images: four kinds of strokes at random places, with noise."""
    generator = random.Random(seed)
    images, labels = bytearray(), bytearray()
    for row in range(rows):
        label = row % CLASSES
        offset = generator.randrange(2, SIDE - 2)
        for y in range(SIDE):
            for x in range(SIDE):
                lit = (y == offset, x == offset, x == y, x + y == SIDE - 1)[label]
                noise = generator.randrange(90)
                images.append(min(255, noise + (generator.randrange(120, 200) if lit else 0)))
        labels.append(label)
    image_file, label_file = pathlib.Path(folder) / "images", pathlib.Path(folder) / "labels"
    image_file.write_bytes(struct.pack(">IIII", 0x803, rows, SIDE, SIDE) + images)
    label_file.write_bytes(struct.pack(">II", 0x801, rows) + labels)
    return image_file, label_file


class TrainingTest(ServerTestCase):
    server_flags = ("--checkpoint-seconds", "1", "--training-threads", "2")

    def setUp(self):
        super().setUp()
        images, labels = write_strokes(self.path)
        self.server.ctl("datasets", "upload", "strokes", "--images", images, "--labels", labels)

    def arguments(self, model, *flags, split="70/15/15"):
        return ("train", model, "--dataset", "strokes", "--layers", f"{SIDE * SIDE},16,{CLASSES}",
                "--split", split, "--lambda", "0.01", *flags)

    def train(self, model, *flags):
        """The progress points and the job as it ended."""
        *points, job = self.server.json(*self.arguments(model, *flags))
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED", job["message"])
        return points, job

    def sha256(self, reference):
        return self.server.json("models", "get", reference)[0]["artifact_sha256"]

    def job(self, number):
        return self.server.json("jobs", "get", number)[0]

    def test_every_optimizer_learns(self):
        for name, flags in {
                "lbfgs": ("--max-iterations", 40),
                "cg": ("--max-iterations", 40),
                "sgd": ("--epochs", 15, "--nesterov", "--schedule", "cosine", "--clip", 5),
                "adam": ("--epochs", 15, "--learning-rate", 0.01, "--schedule", "step"),
                "adamw": ("--epochs", 15, "--learning-rate", 0.01, "--weight-decay", 0.001,
                          "--average-epochs", 3)}.items():
            with self.subTest(name):
                points, job = self.train(name, "--optimizer", name, *flags)
                self.assertEqual([p["iteration"] for p in points], list(range(len(points))))
                self.assertTrue(all("validation_cost" in p for p in points))
                self.assertGreater(points[-1]["examples_per_second"], 0)
                self.assertIn("seconds_left", points[-1])
                accuracy = {e["part"]: e["accuracy"] for e in job["result"]["evaluations"]}
                self.assertGreater(accuracy["DATASET_PART_TEST"], 0.9)
                self.assertTrue(job["result"]["build"] and job["result"]["cpu_kernel"])

    def test_regularization_augmentation_and_early_stopping(self):
        points, job = self.train(
            "m", "--optimizer", "sgd", "--epochs", 200, "--patience", 3, "--dropout", "0.2",
            "--input-dropout", 0.1, "--max-norm", 3, "--l1", 0.001, "--class-weights", "balanced",
            "--elastic", "2,2", "--rotate", 5, "--translate", 0.5)
        self.assertEqual(job["stop_reason"], "STOP_REASON_EARLY_STOPPED")
        self.assertLess(len(points), 200)
        costs = [p["validation_cost"] for p in points]
        self.assertEqual(job["result"]["best_iteration"], costs.index(min(costs)))
        text = self.server.ctl("jobs", "get", 1).stdout
        for words in ("dropout 0.2", "elastic alpha 2, sigma 2", "balanced", "patience 3"):
            self.assertIn(words, text)

    def test_warm_start(self):
        _, first = self.train("m", "--optimizer", "sgd", "--epochs", 10)
        points, job = self.train("m", "--from", "m", "--optimizer", "adam", "--epochs", 2,
                                 "--learning-rate", 1e-4)
        self.assertEqual(job["config"]["initial_model"], "m@1")
        self.assertEqual(job["result"]["initial_version"], 1)
        self.assertLess(points[0]["cost"], 0.5 * first["result"]["initial_cost"])
        line = self.refused("train", "m", "--dataset", "strokes", "--layers",
                            f"{SIDE * SIDE},20,{CLASSES}", "--from", "m@1")
        self.assertIn("--from: expected layers 64-20-4, got 64-16-4", line)
        self.assertIn("--from: ", self.refused(*self.arguments("m", "--from", "nobody")))

    def test_wrong_flags_are_named(self):
        for flags, flag in {("--batch-size", "64"): "--batch-size",
                            ("--optimizer", "sgd", "--learning-rate", "-1"): "--learning-rate",
                            ("--optimizer", "adam", "--beta1", "1"): "--beta1",
                            ("--optimizer", "adam", "--momentum", "0.5"): "--momentum",
                            ("--optimizer", "sgd", "--dropout", "1"): "--dropout",
                            ("--epochs", "3"): "--epochs",
                            ("--class-weights", "1,2"): "--class-weights"}.items():
            with self.subTest(flags):
                self.assertRegex(self.refused(*self.arguments("m", *flags)),
                                 rf"^mlpctl: {flag}(\[\d\])?: ")
        self.assertRegex(self.refused(*self.arguments("m", "--patience", 3, split="70/0/30")),
                         "^mlpctl: --patience: ")

    def test_a_diverging_training_says_where(self):
        done = self.server.ctl(*self.arguments("m", "--optimizer", "sgd", "--learning-rate", 100,
                                               "--activation", "identity", "--epochs", 50),
                               check=False)
        self.assertEqual(done.returncode, 1)
        job = self.job(1)
        self.assertEqual(job["stop_reason"], "STOP_REASON_DIVERGED")
        self.assertRegex(job["message"], r"epoch \d+.*step \d+")

    def until(self, condition, what):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def until_trained(self, number, seconds):
        """Returns when the job has trained this long in all: longer than checkpoints take."""
        self.until(lambda: self.job(number).get("progress", {}).get("elapsed_seconds", 0) > seconds,
                   "the training does not go on")
        self.assertEqual(self.job(number)["state"], "JOB_STATE_RUNNING")

    def lasting(self, seconds, *flags):
        """The flags with as many epochs as take this long here, and the job that showed it."""
        epochs = 50
        while True:
            _, job = self.train(f"whole-{epochs}", *flags, "--epochs", epochs)
            taken = job["progress"]["elapsed_seconds"]
            if taken >= seconds:
                return (*flags, "--epochs", epochs), job
            self.assertLess(epochs, 100_000, "no number of epochs takes that long")
            epochs = min(100_000, int(epochs * min(20, max(1.5, 1.3 * seconds / taken))))

    def detached(self, model, *flags):
        """The number of a job that goes on by itself."""
        self.server.ctl(*self.arguments(model, *flags, "--detach"))
        return max(int(job["id"]) for job in self.server.json("jobs", "list"))

    def ends_after(self, hows, *flags):
        """A training whose server ends on its way, once by each of `hows`, has the bits of an
        undisturbed one."""
        # Three times what it is given until the last end: the machine may be busier now than then.
        flags, whole = self.lasting(4.5 * len(hows), *flags)
        number = self.detached("m", *flags)
        for ends, how in enumerate(hows):
            # Past the first checkpoint of this start, which comes after a second of training.
            self.until_trained(number, 1.5 * (ends + 1))
            self.restart(how)
        *points, job = self.server.json("jobs", "watch", number)
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED", job["message"])
        self.assertEqual(job["attempts"], 1 + len(hows))
        self.assertEqual([p["iteration"] for p in points], list(range(len(points))))
        resumed = [line["text"] for line in job["log"]
                   if line["text"].startswith("resumed from the checkpoint of epoch")]
        self.assertEqual(len(resumed), len(hows), job["log"])
        self.assertIn("resumed from", self.server.ctl("jobs", "get", number).stdout)
        self.assertEqual(self.sha256("m@1"), self.sha256(f"{whole['model']}@1"))

    SGD = ("--optimizer", "sgd", "--batch-size", 4, "--dropout", "0.2", "--elastic", "2,2",
           "--learning-rate", 0.01)
    ADAM = ("--optimizer", "adam", "--batch-size", 4, "--learning-rate", 0.001,
            "--average-epochs", 3)

    def test_a_killed_server_costs_no_bit(self):
        self.ends_after([signal.SIGKILL], *self.SGD)

    def test_a_stopped_server_costs_no_bit(self):
        self.ends_after([signal.SIGTERM], *self.SGD)

    def test_two_kills_of_an_adam_training_cost_no_bit(self):
        self.ends_after([signal.SIGKILL] * 2, *self.ADAM)

    def test_a_full_batch_training_goes_on_with_a_fresh_memory(self):
        # So large that it takes many seconds to converge.
        self.server.ctl("train", "m", "--dataset", "strokes", "--layers",
                        f"{SIDE * SIDE},1500,{CLASSES}", "--max-iterations", 100_000, "--detach")
        self.until_trained(1, 1.5)
        self.restart(signal.SIGKILL)
        self.until(lambda: any("resumed from the weights of iteration" in line["text"]
                               and "fresh memory" in line["text"]
                               for line in self.job(1).get("log", [])), "it is not in the log")
        self.server.ctl("jobs", "cancel", 1)

    def test_a_killed_study_goes_on_with_the_next_run(self):
        search = ("--search", "lambda=0,0.1,0.2,0.4,1,2,4,10")
        flags, whole = self.lasting(4.5, *self.ADAM, *search)
        number = self.detached("m", *flags)
        # Just past the first checkpoint, which the end of a run of half a second writes.
        self.until_trained(number, 1.2)
        self.restart(signal.SIGKILL)
        *points, job = self.server.json("jobs", "watch", number)
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED", job["message"])
        self.assertEqual([p["iteration"] for p in points], list(range(1, 9)))
        self.assertTrue(any(line["text"].startswith("resumed after run ") for line in job["log"]),
                        job["log"])
        self.assertEqual([run["validation_cost"] for run in job["result"]["runs"]],
                         [run["validation_cost"] for run in whole["result"]["runs"]])
        self.assertEqual(self.sha256("m@1"), self.sha256(f"{whole['model']}@1"))

    def test_a_cancelled_training_can_be_gone_on_from(self):
        self.server.ctl(*self.arguments("m", "--optimizer", "sgd", "--epochs", 100_000, "--detach"))
        self.until_trained(1, 0.2)
        self.assertIn("--from: job 1: expected one that has ended",
                      self.refused(*self.arguments("m", "--from", "job/1")))
        self.server.ctl("jobs", "cancel", 1)
        self.until(lambda: self.job(1)["state"] == "JOB_STATE_CANCELLED", "it is not cancelled")
        self.assertIn("weights kept: --from job/1", self.server.ctl("jobs", "get", 1).stdout)
        self.assertEqual(self.server.json("models", "list"), [])
        points, job = self.train("m", "--from", "job/1", "--optimizer", "sgd", "--epochs", 1)
        self.assertEqual(job["config"]["initial_model"], "job/1")
        self.assertLess(points[0]["cost"], 0.5)
        self.assertIn("--from: job 2: succeeded: use m@1",
                      self.refused(*self.arguments("m", "--from", "job/2")))


if __name__ == "__main__":
    unittest.main()

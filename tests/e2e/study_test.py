"""Studies end to end: each kind through mlpctl and a real mlpd, as a user runs them."""
import random
import unittest

from server_process import ServerTestCase


def write_rings_csv(path, rows=240, seed=3, noise=0.35):
    """Two classes that no line parts: the inner and the outer of two rings, blurred."""
    generator = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for row in range(rows):
            radius = 1.0 + row % 2
            x, y = generator.gauss(0, 1), generator.gauss(0, 1)
            scale = radius / (x * x + y * y) ** 0.5
            values = [v * scale + generator.gauss(0, noise) for v in (x, y)]
            file.write(f"{values[0]:.4f},{values[1]:.4f},{'outer' if row % 2 else 'inner'}\n")


class StudyTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        write_rings_csv(self.path / "rings.csv")
        self.server.ctl("datasets", "upload", "rings", "--csv", self.path / "rings.csv")

    def arguments(self, *flags):
        return ("train", "m", "--dataset", "rings", "--layers", "2,12,2", "--split", "60/20/20",
                "--max-iterations", "60", *flags)

    def study(self, *flags):
        """The points and the job of a study, which must succeed."""
        lines = self.server.json(*self.arguments(*flags))
        points, job = lines[:-1], lines[-1]
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED", job["message"])
        self.assertEqual(job["stop_reason"], "STOP_REASON_COMPLETED")
        runs = job["result"]["runs"]
        self.assertEqual([run["number"] for run in runs], list(range(1, len(runs) + 1)))
        self.assertEqual([point["iteration"] for point in points],
                         [run["number"] for run in runs])
        self.assertEqual([point["validation_cost"] for point in points],
                         [run["validation_cost"] for run in runs])
        return points, job

    def text(self, *flags):
        return self.server.ctl(*self.arguments(*flags)).stdout

    def assert_nothing_published(self, job):
        self.assertEqual(job["result"]["version"], 0)
        self.assertEqual(job["result"]["evaluations"], [])
        self.assertEqual(self.server.json("models", "list"), [])
        [stored] = self.server.json("jobs", "get", job["id"])
        self.assertEqual(stored["result"], job["result"])

    def test_k_fold(self):
        _, job = self.study("--k-fold", "4")
        runs = job["result"]["runs"]
        self.assertEqual([run["validation_examples"] for run in runs], [36] * 4)
        self.assertEqual([run["training_examples"] for run in runs], [108] * 4)
        self.assertEqual(job["config"]["study"], {"k_fold": {"folds": 4}})
        self.assert_nothing_published(job)
        text = self.text("--k-fold", "4")
        self.assertRegex(text, r"\n +mean +")
        self.assertRegex(text, r"\ndeviation +")
        self.assertIn("(mean and standard deviation of 4 folds)", text)

    def test_lambda_curve(self):
        _, job = self.study("--lambda-curve=0,0.1,100")
        runs = job["result"]["runs"]
        self.assertEqual([run["settings"] for run in runs],
                         [[{"name": "lambda", "value": value}] for value in (0, 0.1, 100)])
        best = min(runs, key=lambda run: run["validation_cost"])
        self.assertEqual(job["result"]["best_run"], best["number"])
        self.assertNotEqual(best["number"], 3)
        self.assert_nothing_published(job)
        text = self.text("--lambda-curve")  # the server's eight values
        self.assertIn("run 8  training cost", text)
        # The job is shown the same when it is watched again, and by jobs get.
        job = self.server.json("jobs", "list")[0]["id"]
        watched = self.server.ctl("jobs", "watch", job).stdout
        self.assertEqual(watched.splitlines()[1:], text.splitlines()[1:])
        table = text[text.index("run  lambda  "):]
        self.assertTrue(self.server.ctl("jobs", "get", job).stdout.endswith(table))
        self.assertIn("lambda (log scale) 10\n", text)
        self.assertIn("At lambda ", text)

    def test_learning_curve(self):
        _, job = self.study("--learning-curve=0.1,0.5,1")
        self.assertEqual([run["training_examples"] for run in job["result"]["runs"]],
                         [14, 72, 144])
        self.assert_nothing_published(job)
        text = self.text("--learning-curve=0.1,0.5,1")
        self.assertIn("training examples 144\n", text)
        self.assertIn("With 144 examples validation cost is ", text)

    def test_grid_search_publishes_the_best(self):
        _, job = self.study("--search", "lambda=0.1,100", "--search", "hidden-units=2,12")
        self.assertEqual(len(job["result"]["runs"]), 4)
        best = job["result"]["runs"][job["result"]["best_run"] - 1]
        self.assertEqual(best["settings"], [{"name": "lambda", "value": 0.1},
                                            {"name": "network.hidden_units", "value": 12}])
        self.assertEqual(job["result"]["version"], 1)
        # What it published is what its settings train: the same evaluation, and the same again.
        [version] = self.server.json("models", "get", "m@1")
        self.assertEqual(version["config"]["network"]["layers"], [2, 12, 2])
        self.assertEqual(version["config"]["lambda"], 0.1)
        parts = {e["part"]: e for e in job["result"]["evaluations"]}
        self.assertEqual(parts["DATASET_PART_VALIDATION"]["cross_entropy"],
                         best["validation_cost"])
        alone = self.server.json(*self.arguments("--lambda", "0.1"))[-1]
        self.assertEqual(alone["result"]["evaluations"], job["result"]["evaluations"])
        [evaluated] = self.server.json("evaluate", "m@1", "--dataset", "rings", "--part", "test")
        self.assertEqual(evaluated["evaluation"]["confusion"],
                         parts["DATASET_PART_TEST"]["confusion"])

    def test_random_search(self):
        flags = ("--search", "lambda=0.001..10:log", "--search", "hidden-units=2..9", "--runs", "5")
        _, job = self.study(*flags)
        self.assertEqual(len(job["result"]["runs"]), 5)
        settings = [run["settings"] for run in job["result"]["runs"]]
        for lambda_, units in settings:
            self.assertTrue(0.001 <= lambda_["value"] <= 10)
            self.assertIn(units["value"], range(2, 10))
        _, again = self.study(*flags)
        self.assertEqual([run["settings"] for run in again["result"]["runs"]], settings)
        _, other = self.study(*flags, "--seed", "2")
        self.assertNotEqual([run["settings"] for run in other["result"]["runs"]], settings)

    def test_refusals_name_what_is_wrong(self):
        # Fields are in the words of the API, or of the flags.
        for flags, words in [
                (("--k-fold", "1"), ("fold", "expected 2 to 100, got 1")),
                (("--k-fold", "90"), ("fold", "expected at most 72, the examples of class")),
                (("--search", "speed=1,2"), ("expected one of lambda",)),
                (("--search", "momentum=0.5"), ("momentum", "SGD")),
                (("--search", "lambda=2..1"), ("expected less than max, got 2 to 1",)),
                (("--search", "lambda=0..1:log"), ("logarithmic",)),
                (("--lambda-curve=-1",), ("expected a finite number of at least 0",)),
                (("--learning-curve=2",), ("expected above 0, at most 1, got 2",))]:
            line = self.refused(*self.arguments(*flags))
            for word in words:
                self.assertIn(word, line)
        line = self.refused("train", "m", "--dataset", "rings", "--layers", "2,4,2",
                            "--lambda-curve")
        self.assertIn("needs a validation part", line)
        self.assertEqual(self.server.json("jobs", "list"), [])


if __name__ == "__main__":
    unittest.main()

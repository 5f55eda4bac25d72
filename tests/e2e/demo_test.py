"""Runs scripts/demo.sh with the built programs and holds its summary against what it promises."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class DemoTest(unittest.TestCase):
    def run_demo(self, *arguments):
        with tempfile.TemporaryDirectory(prefix="mlpd-demo-") as folder:
            summary = pathlib.Path(folder) / "summary.json"
            done = subprocess.run(
                [SOURCE / "scripts" / "demo.sh", "--programs", os.environ["PROGRAMS"], "--summary",
                 summary, *arguments],
                text=True, capture_output=True, timeout=280, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return json.loads(summary.read_text()), done.stdout

    def test_trains_and_serves_the_digits(self):
        summary, output = self.run_demo()
        print(json.dumps(summary), file=sys.stderr)
        self.assertEqual(summary["parameters"], 10285)
        self.assertEqual((summary["model"], summary["version"]), ("digits", 1))
        self.assertGreaterEqual(summary["test_accuracy"], 0.91)
        self.assertGreater(summary["train_accuracy"], summary["test_accuracy"])
        self.assertLess(summary["final_cost"], summary["initial_cost"])
        self.assertNotIn("\x1b", output)  # no escape codes in a pipe
        self.assertIn('mlpd_predicted_rows_total{model="digits"}', output)

    def test_reaches_its_accuracy_with_other_seeds(self):
        for seed in ("2", "3"):
            summary, _ = self.run_demo("--seed", seed)
            self.assertGreaterEqual(summary["test_accuracy"], 0.91, f"seed {seed}")


if __name__ == "__main__":
    unittest.main()

"""Runs the programs of examples/ against a real mlpd, and holds them against mlpctl predict.

The messages are generated with protoc, as examples/README.md says. Python must have gRPC: this one, or Debian's.
"""
import pathlib
import random
import re
import subprocess
import sys
import unittest

from server_process import ServerTestCase

SOURCE = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = SOURCE / "examples" / "python"
FEATURES = 16
LINE = re.compile(r"row (\d+): label (\d+), class (\S+), probability ([0-9.]+), version (\d+)")


def python_with_grpc():
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, "-c", "import grpc, google.protobuf"], capture_output=True,
                              check=False)
        if done.returncode == 0:
            return python
    raise AssertionError("no python3 has gRPC: run scripts/install_dependencies.sh")


def write_strokes_csv(path, labels=True):
    """4 x 4 pixels: a vertical stroke, a horizontal one, or a diagonal."""
    generator = random.Random(5)
    strokes = {"bar": [1, 5, 9, 13], "dash": [4, 5, 6, 7], "slash": [3, 6, 9, 12]}
    with open(path, "w", encoding="utf-8") as file:
        for i in range(120 if labels else 9):
            name, lit = list(strokes.items())[i % 3]
            row = [generator.randrange(200, 256) if j in lit else generator.randrange(60)
                   for j in range(FEATURES)]
            file.write(",".join(map(str, row)) + (f",{name}\n" if labels else "\n"))


class ExamplesTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        write_strokes_csv(self.path / "strokes.csv")
        self.server.ctl("datasets", "upload", "strokes", "--csv", self.path / "strokes.csv")
        for seed in (1, 2):
            self.server.ctl("train", "strokes", "--dataset", "strokes", "--layers",
                            f"{FEATURES},6,3", "--max-iterations", "50", "--seed", seed)
        self.rows = self.path / "rows.csv"
        write_strokes_csv(self.rows, labels=False)

    def generate(self, *protos):
        """The output of protoc, in a folder of its own."""
        folder = self.path / "python"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["protoc", "-I", SOURCE / "proto", f"--python_out={folder}", *protos],
                              text=True, capture_output=True, cwd=SOURCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder

    def run_example(self, name, folder, *arguments):
        return subprocess.run(
            [python_with_grpc(), EXAMPLES / name, "--server", self.server.addresses["grpc"],
             *map(str, arguments)],
            text=True, capture_output=True, timeout=60, check=False,
            env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"})

    def check(self, output, reference, rows):
        """`output` says of each row what mlpctl says."""
        expected = self.server.json("predict", reference, "--csv", rows)
        lines = [LINE.fullmatch(line) for line in output.splitlines()]
        self.assertNotIn(None, lines, output)
        self.assertEqual(len(lines), len(expected))
        for line, answer in zip(lines, expected):
            row, label, name, probability, version = line.groups()
            self.assertEqual((int(row), int(label), name, int(version)),
                             (answer["row"], answer["label"], answer["class_name"],
                              answer["version"]))
            self.assertAlmostEqual(float(probability), answer["outputs"][answer["label"]], delta=2e-6)

    def write_pgm(self):
        values = self.rows.read_text().splitlines()[1].split(",")
        values[0] = "32"  # a pixel that is a space
        (self.path / "one.csv").write_text(",".join(values) + "\n")
        image = self.path / "one.pgm"
        image.write_bytes(b"P5\n4 4\n255\n" + bytes(map(int, values)))
        return image

    def test_mlp(self):
        folder = self.generate(*sorted((SOURCE / "proto" / "mlp" / "v1").glob("*.proto")))
        for reference in ("strokes", "strokes@1"):
            done = self.run_example("predict_mlp.py", folder, "--model", reference, "--row", self.rows)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check(done.stdout, reference, self.rows)
        done = self.run_example("predict_mlp.py", folder, "--model", "strokes", "--image",
                                self.write_pgm())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(done.stdout, "strokes", self.path / "one.csv")
        done = self.run_example("predict_mlp.py", folder, "--model", "strokes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, LINE)
        done = self.run_example("predict_mlp.py", folder, "--model", "nobody")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^NOT_FOUND: .*nobody")

    def test_open_inference_protocol(self):
        folder = self.generate(*sorted((SOURCE / "proto" / "inference").glob("*.proto")))
        for version in (1, 2):
            done = self.run_example("predict_oip.py", folder, "--model", "strokes", "--version",
                                    version, "--row", self.rows)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check(done.stdout, f"strokes@{version}", self.rows)
        done = self.run_example("predict_oip.py", folder, "--model", "strokes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, LINE)
        done = self.run_example("predict_oip.py", folder, "--model", "nobody")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^NOT_FOUND: .*nobody")


if __name__ == "__main__":
    unittest.main()

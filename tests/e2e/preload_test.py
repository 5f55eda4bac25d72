"""mlpd --preload with the real programs: models in memory before anybody calls."""
import subprocess
import unittest
import urllib.request

from server_process import MLPD, ServerTestCase


class PreloadTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        rows = self.path / "rows.csv"
        rows.write_text("".join(f"{i % 3 * 2},{i % 7},c{i % 3}\n" for i in range(60)))
        self.server.ctl("datasets", "upload", "rows", "--csv", rows)
        for model in ("one", "two", "two"):
            self.server.ctl("train", model, "--dataset", "rows", "--layers", "2,4,3")

    def restart_with(self, preload):
        self.server_flags = ("--preload", preload) if preload else ()
        self.assertEqual(self.restart(), 0)

    def resident(self):
        """Models in memory, as the metrics have it."""
        url = f"http://{self.server.addresses['metrics']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        [count] = [line for line in lines if line.startswith("mlpd_resident_models ")]
        return int(count.split()[1])

    def predict(self, model):
        features = self.path / "features.csv"
        features.write_text("0,0\n")
        self.server.ctl("predict", model, "--csv", features)

    def test_a_preloaded_model_is_in_memory_before_the_first_request(self):
        self.restart_with("")
        self.assertEqual(self.resident(), 0)
        self.restart_with("one,two@1")
        self.assertEqual(self.resident(), 2)
        self.predict("one")
        self.predict("two@1")
        self.assertEqual(self.resident(), 2)  # they were these
        self.predict("two")
        self.assertEqual(self.resident(), 3)

    def test_all_are_the_newest_versions(self):
        self.restart_with("all")
        self.assertEqual(self.resident(), 2)
        self.predict("one")
        self.predict("two@2")
        self.assertEqual(self.resident(), 2)

    def test_a_model_that_does_not_exist_is_logged_and_holds_up_no_other(self):
        self.restart_with("nobody,one")
        self.assertIn("error preload: NOT_FOUND: model nobody: not found", self.server.log_text())
        self.assertEqual(self.resident(), 1)

    def test_what_is_no_model_reference_is_refused_at_once(self):
        for preload, parts in {"../x": ("../x",), "one,Two": ("Two",), "two@0": ("version", "0"),
                               "one,all": ("all alone",), "one,,two": ("empty",), "one,": ("empty",)}.items():
            with self.subTest(preload=preload):
                done = subprocess.run(
                    [MLPD, "--data-dir", str(self.path / "other"), "--grpc-address", "127.0.0.1:0",
                     "--metrics-address", "", "--preload", preload],
                    text=True, capture_output=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                [line] = done.stderr.splitlines()
                self.assertTrue(line.startswith("mlpd: preload"), line)
                for part in parts:
                    self.assertIn(part, line)
                self.assertFalse((self.path / "other").exists())


if __name__ == "__main__":
    unittest.main()

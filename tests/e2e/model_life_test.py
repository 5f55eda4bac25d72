"""The life of models through the real programs: aliases, gate, retention, files, copies."""
import signal
import unittest

from server_process import Server, ServerTestCase
from service_test import write_blobs_csv


class ModelLifeTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        write_blobs_csv(self.path / "blobs.csv", spread=0.9)
        self.server.ctl("datasets", "upload", "blobs", "--csv", self.path / "blobs.csv")

    def train(self, *flags, check=True):
        return self.server.ctl("train", "m", "--dataset", "blobs", "--layers", "3,8,3", *flags,
                               check=check)

    def model(self, name="m"):
        return self.server.json("models", "get", name)[0]

    def test_aliases_and_rollback_survive_a_kill(self):
        for _ in range(3):
            self.train("--max-iterations", 3)
        self.server.ctl("models", "alias", "m", "stable", 2)
        self.server.ctl("models", "alias", "m", "serving", 3, "--expect", 0)
        self.assertIn("expected alias serving",
                      self.refused("models", "alias", "m", "serving", 1, "--expect", 2))
        self.restart(signal.SIGKILL)
        self.assertEqual(self.model()["aliases"], {"serving": 3, "stable": 2})
        self.assertIn("m@serving is version 2", self.server.ctl("models", "rollback", "m").stdout)
        self.assertEqual(self.model()["served_version"], 2)
        self.server.ctl("models", "rollback", "m")
        self.assertIn("expected a file, got the folder",
                      self.refused("models", "import", "m", self.path))
        self.assertIn("none is before", self.refused("models", "rollback", "m"))
        self.assertIn("alias stable is set to it", self.refused("models", "delete", "m@2"))
        self.server.ctl("models", "unalias", "m", "stable")
        self.server.ctl("models", "delete", "m@2")
        self.assertIn("no alias stable", self.refused("models", "get", "m@stable"))

    def test_a_gate_keeps_what_is_worse_from_being_served(self):
        self.train("--max-iterations", 60, "--alias", "serving", "--better-than", "serving")
        missed = self.train("--max-iterations", 1, "--alias", "serving", "--better-than", "serving",
                            check=False)
        self.assertEqual(missed.returncode, 1)
        self.assertIn("QUALITY_GATE", missed.stdout + missed.stderr)
        self.assertEqual(self.model()["latest_version"], 1)
        self.assertIn("--min-test-accuracy: expected 0 to 1",
                      self.refused("train", "m", "--dataset", "blobs", "--layers", "3,8,3",
                                   "--min-test-accuracy", 2))
        # What it learned is not lost.
        self.train("--from", "job/2", "--max-iterations", 1)

    def test_retention_keeps_the_newest_and_what_has_an_alias(self):
        self.train("--max-iterations", 1, "--alias", "first")
        self.server.ctl("models", "retention", "m", "--keep", 2)
        for _ in range(4):
            self.train("--max-iterations", 1)
        versions = [v["version"] for v in self.server.json("models", "versions", "m")]
        self.assertEqual(versions, [5, 4, 1])

    def test_a_version_moves_to_another_server(self):
        self.train("--max-iterations", 5)
        self.server.ctl("models", "annotate", "m@1", "--note", "the first", "--tag", "owner=ada")
        self.assertIn("the first", self.server.ctl("models", "get", "m@1").stdout)
        self.server.ctl("models", "export", "m", self.path / "m.mlpd")
        (self.path / "elsewhere").mkdir()
        other = Server(self.path / "elsewhere" / "data")
        self.addCleanup(lambda: other.stop(signal.SIGKILL))
        other.ctl("models", "import", "copy", self.path / "m.mlpd", "--alias", "serving")
        columns = (self.path / "row.csv")
        columns.write_text("x0,x1,x2\n2,0,0\n")
        asked = ["--csv", columns]
        self.assertEqual(other.json("predict", "copy", *asked)[0]["outputs"],
                         self.server.json("predict", "m", *asked)[0]["outputs"])
        self.assertIn("imported", other.ctl("models", "lineage", "copy@serving").stdout)
        columns.write_text("no model")
        done = other.ctl("models", "import", "copy", columns, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(other.json("models", "versions", "copy")), 1)

    def test_a_backup_is_restored(self):
        self.train("--max-iterations", 5, "--alias", "serving")
        backup = self.path / "backup.db"
        self.server.ctl("admin", "backup", backup)
        self.assertIn("all undamaged", self.server.ctl("admin", "verify").stdout)
        artifact = self.server.json("models", "get", "m@1")[0]["artifact_sha256"]
        self.server.ctl("models", "delete", "m")
        self.server.stop()
        (self.path / "new").mkdir()
        restored = Server(self.path / "new" / "data", "--restore", str(backup))
        self.addCleanup(lambda: restored.stop(signal.SIGKILL))
        self.assertIn("restored 1 datasets, 1 versions", restored.log_text())
        self.assertEqual(restored.json("models", "get", "m@serving")[0]["artifact_sha256"], artifact)
        self.assertEqual(len(restored.json("jobs", "list")), 1)
        restored.stop()
        with self.assertRaisesRegex(AssertionError, "has a database already"):
            Server(self.path / "new" / "data", "--restore", str(backup))


if __name__ == "__main__":
    unittest.main()

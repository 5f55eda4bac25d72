"""mlpd's configuration with the real programs: sources, refusals, SIGHUP."""
import os
import signal
import subprocess
import time
import unittest

from server_process import MLPD, ServerTestCase


class ConfigurationTest(ServerTestCase):
    def start(self):
        self.config = self.path / "mlpd.yaml"
        if not self.config.exists():
            self.config.write_text("max-dataset-bytes: 1GiB\n")
        self.server_flags = ("--config", str(self.config))
        super().start()

    def mlpd(self, *arguments, **variables):
        """Runs mlpd to its end."""
        environment = {**os.environ, **variables}
        return subprocess.run([MLPD, *map(str, arguments)], text=True, capture_output=True,
                              timeout=30, check=False, env=environment)

    def reload(self, text, last_line):
        """Writes the file, sends SIGHUP, and returns the new lines of the log up to `last_line`."""
        seen = len(self.server.log_text())
        self.config.write_text(text)
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while True:
            lines = self.server.log_text()[seen:].splitlines()
            if last_line in lines:
                return lines
            self.assertLess(time.monotonic(), deadline, lines)
            time.sleep(0.01)

    def upload(self, name, check=True):
        rows = self.path / "rows.csv"
        rows.write_text("".join(f"{i % 3 * 2},{i % 7},c{i % 3}\n" for i in range(60)))
        return self.server.ctl("datasets", "upload", name, "--csv", rows, check=check)

    def test_sighup_applies_the_file_or_nothing_of_it(self):
        self.upload("before")
        lines = self.reload("max-dataset-bytes: 100\nmax-queued-jobs: 1\npredict-threads: 2\n",
                            "mlpd: max-dataset-bytes: 1073741824 -> 100")
        self.assertEqual(lines, ["mlpd: max-queued-jobs: 1000 -> 1",
                                 "mlpd: predict-threads: 1 -> 2 needs a restart",
                                 "mlpd: max-dataset-bytes: 1073741824 -> 100"])
        self.assertNotEqual(self.upload("refused", check=False).returncode, 0)

        wrong = ("mlpd: the configuration stays as it is: max-queud-jobs: there is no such setting "
                 f"(from {self.config}:2); did you mean max-queued-jobs?")
        self.assertEqual(self.reload("max-dataset-bytes: 1GiB\nmax-queud-jobs: 5\n", wrong), [wrong])
        self.assertIn("100", self.upload("refused", check=False).stderr)
        self.assertEqual([d["name"] for d in self.server.json("datasets", "list")], ["before"])

        self.reload("max-dataset-bytes: 1GiB\nmax-queued-jobs: 1\n",
                    "mlpd: max-dataset-bytes: 100 -> 1073741824")
        self.upload("after")
        nothing = "mlpd: configuration read again: nothing changed"
        self.assertEqual(self.reload(self.config.read_text(), nothing), [nothing])
        self.assertEqual(self.server.stop(signal.SIGTERM), 0)

    def test_sighup_without_a_file_ends_nothing(self):
        self.server.stop()
        self.server_flags = ()
        ServerTestCase.start(self)
        self.reload("", "mlpd: there is no configuration file to read again (--config)")
        self.upload("rows")
        # Nor does it hurry a server that stops, which a second SIGTERM would.
        for signal_sent in (signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP):
            self.server.process.send_signal(signal_sent)
        self.assertEqual(self.server.stop(signal.SIGCONT), 0)

    def test_print_config_gives_a_file_that_says_the_same(self):
        self.config.write_text("max-queued-jobs: 7\npreload: [a, b@2]\ndrain-seconds: 3\n")
        printed = self.mlpd("--config", self.config, "--data-dir", self.path / "third",
                            "--print-config", MLPD_DRAIN_SECONDS="4")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertIn(f"max-queued-jobs: 7  # {self.config}:1; 1 to 1000000", printed.stdout)
        self.assertIn("drain-seconds: 4  # MLPD_DRAIN_SECONDS; 0 to 3600", printed.stdout)
        self.assertIn(f"data-dir: {self.path / 'third'}  # --data-dir; a folder", printed.stdout)
        again = self.path / "again.yaml"
        again.write_text(printed.stdout)
        printed_again = self.mlpd("--print-config", MLPD_CONFIG=str(again))
        self.assertEqual([line.split("  #")[0] for line in printed_again.stdout.splitlines()],
                         [line.split("  #")[0] for line in printed.stdout.splitlines()])
        checked = self.mlpd("--config", again, "--check-config")
        self.assertEqual((checked.returncode, checked.stdout), (0, "configuration is valid\n"))
        self.assertFalse((self.path / "third").exists())

    def test_what_is_wrong_stops_the_start_with_status_2(self):
        other = self.path / "other"
        self.config.write_text("data-dir: x\nmax-queued-jobs: 0\n")
        cases = [
            (("--config", self.config), {},
             f"max-queued-jobs: expected 1 to 1000000, got 0 (from {self.config}:2)"),
            (("--data-dir", other), {"MLPD_DRAIN_SECONDS": "soon"},
             'drain-seconds: expected an integer, 0 to 3600, got "soon" (from MLPD_DRAIN_SECONDS)'),
            (("--data-dir", other), {"MLPD_DRAINS": "1"},
             "drains: there is no such setting (from MLPD_DRAINS)"),
            (("--data-dir", other, "--grpc-adress", "x"), {},
             "grpc-adress: there is no such setting (from the command line); "
             "did you mean grpc-address?"),
            (("--data-dir", other, "--config", self.path / "none"), {},
             f"config: cannot read {self.path / 'none'}: No such file or directory"),
            ((), {}, "data-dir: expected a folder, got nothing"),
        ]
        for arguments, variables, message in cases:
            for action in ((), ("--check-config",)):
                with self.subTest(arguments=arguments, action=action):
                    done = self.mlpd(*arguments, *action, **variables)
                    self.assertEqual((done.returncode, done.stdout, done.stderr),
                                     (2, "", f"mlpd: {message}\n"))
        self.assertFalse(other.exists())


if __name__ == "__main__":
    unittest.main()

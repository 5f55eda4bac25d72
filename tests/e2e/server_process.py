"""The real mlpd and mlpctl, run as a user runs them: for the end-to-end tests.

MLPD and MLPCTL in the environment name the programs.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

MLPD = os.environ["MLPD"]
MLPCTL = os.environ["MLPCTL"]


class Server:
    """One mlpd on free ports over `data_dir`."""

    def __init__(self, data_dir, *flags):
        self.data_dir = pathlib.Path(data_dir)
        self.addresses_file = self.data_dir.parent / "addresses"
        self.addresses_file.unlink(missing_ok=True)
        self.log = open(self.data_dir.parent / "mlpd.log", "ab")
        self.process = subprocess.Popen(
            [MLPD, "--data-dir", str(data_dir), "--grpc-address", "127.0.0.1:0",
             "--metrics-address", "127.0.0.1:0", "--addresses-file", str(self.addresses_file),
             *flags],
            stderr=self.log)
        deadline = time.monotonic() + 20
        while not self.addresses_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("mlpd did not start: " + self.log_text())
            time.sleep(0.01)
        lines = self.addresses_file.read_text().split()
        self.addresses = dict(line.split("=", 1) for line in lines)

    def log_text(self):
        return (self.data_dir.parent / "mlpd.log").read_text()

    def stop(self, how=signal.SIGTERM):
        """Ends the server and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=30)
        self.log.close()
        return status

    def ctl(self, *arguments, check=True):
        """Runs mlpctl and returns the finished process."""
        return ctl(*arguments, server=self.addresses["grpc"], check=check)

    def json(self, *arguments):
        """The JSON objects that mlpctl prints, one a line."""
        output = self.ctl("--output", "json", *arguments).stdout
        return [json.loads(line) for line in output.splitlines()]


def ctl(*arguments, server, check=True):
    done = subprocess.run([MLPCTL, "--server", server, *map(str, arguments)], text=True,
                          capture_output=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"mlpctl {arguments}: status {done.returncode}\n{done.stderr}")
    return done


class ServerTestCase(unittest.TestCase):
    """A temporary folder, and a server on it that ends with the test."""

    server_flags = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mlpd-e2e-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.start()
        self.addCleanup(lambda: self.server.stop(signal.SIGKILL))

    def start(self):
        self.server = Server(self.path / "data", *self.server_flags)

    def restart(self, how=signal.SIGTERM):
        status = self.server.stop(how)
        self.start()
        return status

    def refused(self, *arguments):
        """Runs mlpctl, which must fail with one clear line, and returns that line."""
        done = self.server.ctl(*arguments, check=False)
        self.assertNotEqual(done.returncode, 0, f"{arguments} was not refused")
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, f"expected one line, got {done.stderr!r}")
        self.assertNotIn(str(self.path / "data"), lines[0])
        self.assertIsNone(re.search(r"0x[0-9a-f]{6}", lines[0]))
        return lines[0]

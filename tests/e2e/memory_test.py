"""What mlpd keeps in memory for peers that send much and finish nothing."""
import pathlib
import time
import unittest

from half_sent_call import HalfSentCall
from server_process import ServerTestCase

MIB = 1 << 20
MESSAGE = 64 * MIB  # the largest
BOUND = 4 * MESSAGE  # of all that is received, as server.cc has it
# The allocator, and what arrives before gRPC acts: a receive window of up to 16 MiB a connection.
MARGIN = 128 * MIB


def field(number, value):
    """Of a Protocol Buffers message: a number, or bytes with their length before them."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    parts = bytearray()
    while value >= 128:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes(parts) + bytes([value])


class MemoryTest(ServerTestCase):
    server_flags = ("--max-message-bytes", str(MESSAGE))

    def resident(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def call(self, method):
        call = HalfSentCall(self.server.addresses["grpc"], method)
        self.addCleanup(call.close)
        return call

    def test_messages_that_never_end_are_bounded_and_leave_nothing_behind(self):
        before = self.resident()
        calls = []
        for i in range(10):  # 600 MiB in all
            method = ("/mlp.v1.PredictionService/Predict",
                      "/mlp.v1.DatasetService/UploadDataset")[i % 2]
            calls.append(self.call(method))
            calls[-1].send_message(bytes(60 * MIB), announced=60 * MIB + 1)
            self.assertLess(self.resident() - before, BOUND + MARGIN, f"after {i + 1} peers")
        # Others are still served.
        self.server.ctl("models", "list")
        for call in calls:
            call.close()
        deadline = time.monotonic() + 30
        while self.resident() - before > 128 * MIB + MARGIN:
            self.assertLess(time.monotonic(), deadline, f"{self.resident() / MIB:.0f} MiB stay")
            time.sleep(0.1)

    def test_answers_that_nobody_reads_hold_up_their_streams_and_end_none(self):
        before = self.resident()
        # Of pixels for a model that does not exist: the answer is an error, and the stream goes on.
        message = field(1, 7) + field(2, field(1, b"nobody" * 10) + field(3, bytes(MIB // 8)))
        calls = [self.call("/mlp.v1.PredictionService/StreamPredict") for _ in range(6)]
        for call in calls:
            for _ in range(2000):  # 250 MiB
                if not call.send_message(message):
                    break
            else:
                self.fail("the server took more than a stream may hold")
        self.assertLess(self.resident() - before, BOUND // 2 + MARGIN)
        self.assertEqual([call.ended for call in calls], [False] * 6)
        self.server.ctl("models", "list")


if __name__ == "__main__":
    unittest.main()

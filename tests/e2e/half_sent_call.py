"""A gRPC caller that announces one message, sends a part of it and then nothing more: HTTP/2 by hand,
since no well-behaved client does that."""
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES = 16384  # the largest that HTTP/2 allows unless told otherwise


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """HPACK: a literal without indexing, its name new (RFC 7541, 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class HalfSentCall:
    """One connection with one call on it, which takes no byte of an answer. `ended` says that the server
    gave the call up."""

    def __init__(self, address, method):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=2)
        self.initial_window = 65535
        self.window = {0: 65535, 1: 65535}  # what the server lets us send (RFC 9113, 5.2)
        self.received = b""
        self.ended = False
        headers = b"".join(header(*pair) for pair in (
            (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", address),
            ("content-type", "application/grpc"), ("te", "trailers")))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                            + frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
                            + frame(HEADERS, END_HEADERS, 1, headers))

    def send_message(self, message, announced=None):
        """Sends a message, or only the beginning of one of `announced` bytes. False where the server
        has ended the call, or for 2 s took nothing."""
        data = memoryview(b"\0" + struct.pack(">I", announced or len(message)) + message)
        try:
            while len(data) > 0 and not self.ended:
                room = min(FRAME_BYTES, *self.window.values())
                if room <= 0:
                    self._read_frame()
                    continue
                self.socket.sendall(frame(DATA, 0, 1, bytes(data[:room])))
                for scope in self.window:
                    self.window[scope] -= len(data[:room])
                data = data[room:]
        except TimeoutError:
            return False
        except ConnectionError:
            self.ended = True
        return not self.ended

    def close(self):
        self.socket.close()

    def _read(self, size):
        while len(self.received) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionResetError
            self.received += piece
        piece, self.received = self.received[:size], self.received[size:]
        return piece

    def _read_frame(self):
        head = self._read(9)
        kind, flags, stream = head[3], head[4], struct.unpack(">I", head[5:])[0]
        payload = self._read(int.from_bytes(head[:3], "big"))
        if kind == WINDOW_UPDATE:
            self.window[stream] += struct.unpack(">I", payload)[0]
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == INITIAL_WINDOW_SIZE:  # a change holds for open streams too
                    self.window[1] += value - self.initial_window
                    self.initial_window = value
            self.socket.sendall(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
        elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
            self.ended = True

"""Connects over TLS again and again: a handshake and one request each. Prints how often.

    handshakes.py PORT SECONDS full|resumed
"""

import socket
import ssl
import sys
import time

REQUEST = b"GET /predict HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


def connect(context: ssl.SSLContext, port: int, session) -> ssl.SSLSocket:
    """One connection that has been answered and is closed by the far end."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    secure = context.wrap_socket(raw, session=session)
    secure.sendall(REQUEST)
    answer = b""
    while piece := secure.recv(4096):
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"a client was answered with {answer[:60]!r}")
    return secure


def main() -> None:
    port, seconds, kind = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    context = ssl._create_unverified_context()
    session = connect(context, port, None).session if kind == "resumed" else None
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        client = connect(context, port, session)
        if kind == "resumed":
            if not client.session_reused:
                raise SystemExit("the session was not resumed")
            # A ticket of TLS 1.3 is for one use.
            session = client.session
        client.close()
        count += 1
    print(count)


main()

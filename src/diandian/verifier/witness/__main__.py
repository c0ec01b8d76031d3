"""``python -m diandian.verifier.witness``: a witness for one or more logs, on one port.

Put it behind a web server that ends TLS. It keeps two files: its key, and what it has seen.
"""

import argparse
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from diandian.kernel.clock import now
from diandian.verifier import notes
from diandian.verifier.witness.judge import Answer, Witness
from diandian.verifier.witness.memory import DamagedMemoryError, Memory

_MOST_BYTES = 524_288
_SECONDS = 10
_PATH = "/add-checkpoint"


def _key(path: Path, kind: int) -> notes.PrivateKey:
    """Return the key of a file; a new one, readable by its owner only, where there is no file.

    Raises: NoteError where the file holds a key of another kind.
    """
    makes: type[notes.PrivateKey] = (
        MLDSA44PrivateKey if kind == notes.ML_DSA_44 else Ed25519PrivateKey
    )
    if not path.exists():
        pem = makes.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(pem)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, makes):
        wanted, do = ("ML-DSA-44", "leave out") if kind == notes.ML_DSA_44 else ("Ed25519", "add")
        raise notes.NoteError(
            f"{path} holds no {wanted} key; {do} --ml-dsa-44 or name another file"
        )
    return key


def _logs(vkeys: Sequence[str]) -> dict[str, list[notes.Verifier]]:
    found: dict[str, list[notes.Verifier]] = {}
    for vkey in vkeys:
        verifier = notes.Verifier.parse(vkey)
        found.setdefault(verifier.name, []).append(verifier)
    return found


def handler_of(witness: Witness) -> type[BaseHTTPRequestHandler]:
    """Return what answers each connection."""

    class Handler(BaseHTTPRequestHandler):
        """Takes heads at one address and nothing else."""

        timeout = _SECONDS
        server_version = "diandian-witness"
        sys_version = ""

        def do_POST(self) -> None:
            self._send(self._answer())

        def do_GET(self) -> None:
            self._send(Answer(HTTPStatus.METHOD_NOT_ALLOWED, "heads are sent with POST\n"))

        def _answer(self) -> Answer:
            length = self.headers.get("Content-Length", "")
            if self.path != _PATH:
                return Answer(HTTPStatus.NOT_FOUND, "heads are sent to /add-checkpoint\n")
            if not (length.isascii() and length.isdecimal()) or int(length) > _MOST_BYTES:
                return Answer(HTTPStatus.BAD_REQUEST, "a length, and not too long\n")
            try:
                return witness.answer(self.rfile.read(int(length)))
            except OSError as error:
                # What cannot be remembered is not signed.
                self.log_error("%s", error)
                return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "nothing is signed now\n")

        def _send(self, answer: Answer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="diandian-witness", description="Witness the heads of public logs."
    )
    parser.add_argument("name", help="your name as a witness, such as witness.example.org/w1")
    parser.add_argument("--key", type=Path, required=True, help="key file; made when missing")
    parser.add_argument(
        "--ml-dsa-44",
        action="store_true",
        help="sign with ML-DSA-44, which holds against quantum computers too, instead of Ed25519",
    )
    parser.add_argument("--memory", type=Path, required=True, help="file of what was seen")
    parser.add_argument(
        "--log", action="append", default=[], metavar="VKEY", help="key of a log, out of keys.txt"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; without ``--log`` only show the public key."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    try:
        kind = notes.ML_DSA_44 if options.ml_dsa_44 else notes.COSIGNATURE
        signer = notes.Signer(options.name, _key(options.key, kind), kind=kind)
        logs = _logs(options.log)
        memory = Memory(options.memory)
    except (notes.NoteError, DamagedMemoryError, OSError, ValueError) as error:
        print(f"{error}. Nothing was started.", file=sys.stderr)
        return 2
    print(f"public key: {signer.vkey()}", flush=True)
    if not logs:
        return 0
    witness = Witness(signer, logs, memory, clock=lambda: int(now().timestamp()))
    server = ThreadingHTTPServer((options.host, options.port), handler_of(witness))
    print(f"witnessing {', '.join(sorted(logs))} on port {server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

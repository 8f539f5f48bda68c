"""`python -m tests.hub --root DIR`: a hub that stays up until it is interrupted."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from tests.hub.loopback import LoopbackHub


def main() -> None:
    """Start a hub, print its address and wait."""
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description="A Hugging Face hub on loopback.")
    parser.add_argument("--root", type=Path, required=True, help="folder of the hub's state, kept between runs")
    parser.add_argument("--port", type=int, default=0, help="port of the hub (default: as last time, else a free one)")
    parser.add_argument("--token", default="hf_loopback_write", help="the token that may write")
    parser.add_argument("--log", type=Path, help="file that gets one JSON line per request")
    args = parser.parse_args()
    with LoopbackHub(args.root, port=args.port, token=args.token, log_path=args.log) as hub:
        print(f"HF_ENDPOINT={hub.endpoint} HF_TOKEN={hub.token}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()

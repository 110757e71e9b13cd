"""Write everything that the product answers on known data into a folder, to compare two versions with ``diff -r``.

    python tests/outputs.py FOLDER [--bin DIRECTORY] [--source FILE]

Uses only the command line and the REST API, so that it can look at another version: ``--bin`` is the folder that holds
its ``segmentry``. The embedded data sets are segmented by all engines; ``--source`` names further sales. What differs
at every run (times, durations, passing states) is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SKIPPED = re.compile(
    r"^(seconds|.*_at|created|started|finished|seconds_left|fingerprint_seconds|location|log|version|versions)$"
)
GETS = (
    "engines", "models", "snapshots", "runs", "audiences", "exports", "alerts", "uploads",
)  # fmt: skip
OF_RUN = (
    "", "/dependents", "/segments", "/insights", "/customers?limit=10000", "/drift",
    "/customers?min_clv=100&min_frequency=2", "/customers?q=12&max_recency=200", "/export.csv",
    "/export.csv?min_monetary=50&control=10&seed=3", "/export.csv?columns=customer_id,segment,clv,p_alive",
)  # fmt: skip


def steady(value: Any) -> Any:
    """``value`` without what differs at every run."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if not SKIPPED.match(key)}
    return [steady(item) for item in value] if isinstance(value, list) else value


def name_of(path: str) -> str:
    """A file name for a path of the API."""
    return re.sub(r"[^A-Za-z0-9.]+", "_", path).strip("_")


def json_of(text: bytes) -> Any:
    """The value that ``text`` is in JSON; None where it is something else."""
    try:
        return json.loads(text)
    except ValueError:
        return None


class Product:
    """One version of the product, at work in a folder of its own."""

    def __init__(self, programs: Path, answers: Path, folder: Path) -> None:
        """``programs``: where ``segmentry`` lies; ``answers``: where what it says goes."""
        self.program, self.answers, self.folder = programs / "segmentry", answers, folder
        self.url = "http://127.0.0.1:8943"

    def write(self, name: str, text: bytes) -> None:
        """Keep an answer; JSON is indented, so that a difference is one line."""
        value = json_of(text)
        if value is not None:
            text = json.dumps(steady(value), indent=1, sort_keys=True).encode()
        (self.answers / name).write_bytes(text)

    def run(self, name: str, *words: str) -> None:
        """Keep what a command prints and how it ends."""
        done = subprocess.run([self.program, *words], cwd=self.folder, capture_output=True, check=False)
        self.write(f"cli_{name}", done.stdout)
        (self.answers / f"cli_{name}.code").write_text(str(done.returncode))

    def get(self, path: str) -> Any:
        """Keep an answer of the API; gives it as a value where it is JSON."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=600) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        self.write(f"api_{name_of(path)}", text)
        return json_of(text)

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server and wait for it."""
        server = subprocess.Popen(
            [self.program, "serve", "--no-worker", "--port", self.url.rpartition(":")[2]],
            cwd=self.folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
                return server
            except OSError:
                threading.Event().wait(0.1)
        raise SystemExit("the server did not start")


def commands(product: Product, sources: list[str]) -> None:
    """What the command line says."""
    product.run("demo", "demo", "--no-serve")
    for place, source in enumerate(sources):
        product.run(
            f"run_{place}.json",
            "run",
            source,
            "--json",
            *(["--map", "amount=tran_amount"] if "dd-Mon" in source else []),
        )
    for source in ("cdnow-sample", "sample-shop", *sources):
        name = name_of(Path(source).name)
        product.run(f"inspect_{name}", "inspect", source)
        product.run(f"inspect_{name}.json", "inspect", source, "--json")
    for source in ("cdnow-sample", "sample-shop"):
        product.run(f"validate_{source}.json", "validate", source, "--json")
        product.run(f"evaluate_{source}.json", "evaluate", source, "--to", "4", "--json")
        product.run(f"drift_{source}.json", "drift", source, "--json", "--engine", "rfm", "--details")
    product.run("evaluate", "evaluate", "cdnow-sample", "--to", "4")
    product.run("predict", "predict", "1", "--input", "cdnow-sample")
    product.run("predict.json", "predict", "2", "--input", "cdnow-sample", "--json")
    product.run("engines", "engines")
    product.run("features", "features")
    product.run("models", "models")
    product.run("missing", "run", "no-such-file.csv")
    product.run("reproduce.json", "reproduce", "2", "--json")
    product.run("migration.json", "migration", "1", "--from", "1997-09-01", "--json")
    product.run("help", "run", "--help")


def answers(product: Product) -> None:
    """What the API says of what is stored."""
    for path in GETS:
        product.get(path)
    snapshots = product.get("snapshots")
    for snapshot in snapshots:
        product.get(f"snapshots/{snapshot['id']}")
        product.get(f"snapshots/{snapshot['id']}/validation")
        runs = product.get(f"runs?snapshot={snapshot['id']}")
        pair = "&".join(f"run={run['id']}" for run in runs)
        product.get(f"compare?{pair}")
        for part in ("metrics", "sizes", "agreement", "cross", "captured", "projection"):
            product.get(f"compare/{part}.csv?{pair}")
    for run in product.get("runs"):
        for path in OF_RUN:
            product.get(f"runs/{run['id']}{path}")
        for segment in product.get(f"runs/{run['id']}/segments"):
            product.get(f"runs/{run['id']}/segments/{segment['key']}")
        customers = product.get(f"runs/{run['id']}/customers?limit=4")["customers"]
        for customer in customers:
            for path in ("explain", "orders", "purchases", "segments"):
                product.get(f"runs/{run['id']}/customers/{customer['customer_id']}/{path}")


def main() -> None:
    """Ask everything and keep the answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bin", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--source", action="append", default=[])
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        product = Product(asked.bin.resolve(), asked.folder.resolve(), Path(folder))
        commands(product, [str(Path(source).resolve()) for source in asked.source])
        server = product.serve()
        try:
            answers(product)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()

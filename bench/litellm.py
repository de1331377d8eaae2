"""LiteLLM's proxy, which installs itself into an environment of its own."""

import subprocess
import sys
import venv
from pathlib import Path

from bench.prompts import KEY
from bench.site import Command, MissingPeerError, Site

_HOME = Path(".data/bench-litellm")
_CONFIGURATION = """\
model_list:
  - model_name: sim-1
    litellm_params:
      model: openai/sim-1
      api_base: {upstream}
      api_key: {key}
litellm_settings:
  telemetry: false
general_settings:
  master_key: {key}
"""


def prepare(site: Site) -> Command:
    """Install it where it is not yet, and write its configuration.

    Raises:
        MissingPeerError: it cannot be installed.
    """
    program = _install(_HOME.resolve())
    configuration = site.folder / "litellm.yaml"
    text = _CONFIGURATION.format(upstream=site.upstream, key=KEY)
    configuration.write_text(text, encoding="utf-8")
    arguments = ("--config", str(configuration), "--host", "127.0.0.1", "--port", str(site.port))
    return Command((str(program), *arguments), {"LITELLM_LOG": "ERROR"})


def _install(home: Path) -> Path:
    program = home / "bin" / "litellm"
    if not program.exists():
        venv.create(home, with_pip=True)
        pip = (str(home / "bin" / "python"), "-m", "pip", "install", "--quiet")
        if subprocess.run((*pip, "litellm[proxy]"), stdout=sys.stderr, check=False).returncode:
            raise MissingPeerError("pip could not install litellm[proxy]")
    return program

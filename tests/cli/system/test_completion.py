"""`completion`: the script that a shell evaluates."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(kairos: Any, shell: str) -> None:
    said = kairos("completion", shell)
    assert said.code == 0
    assert "_KAIROS_COMPLETE" in said.out


def test_completion_offers_the_verbs(kairos_apart: Any) -> None:
    asked = {"_KAIROS_COMPLETE": "bash_complete", "COMP_WORDS": "kairos sta", "COMP_CWORD": "1"}
    said = kairos_apart(env={**os.environ, **asked})
    assert {"plain,status", "plain,start"} <= set(said.out.split())


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_itself_takes_the_script(kairos: Any, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    said = subprocess.run([shell, "-n"], input=kairos("completion", shell).out, text=True, capture_output=True)
    assert (said.returncode, said.stderr) == (0, "")


def test_a_shell_that_is_not_known_is_a_usage_error(kairos: Any) -> None:
    assert kairos("completion", "tcsh").code == 2


def test_a_script_gets_it_as_a_record(kairos: Any) -> None:
    said = kairos("completion", "fish", "--json").data
    assert (said["shell"], said["script"].strip()) == ("fish", kairos("completion", "fish").out.strip())

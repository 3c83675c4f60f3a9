"""Modules in command lines: words, exec form, lists, and programs given to -c; other options stay."""

from __future__ import annotations

import pytest

PAY = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
FILES = {"pkg/__init__.py": "", "pkg/pay.py": PAY, "single.py": PAY + "A = 1\n"}
MOVES = [("pkg/pay.py", "pkg/bill.py"), ("single.py", "alone.py")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Dockerfile", 'CMD ["python", "-m", "pkg.pay"]'),
        ("Dockerfile", 'ENTRYPOINT ["python3.11","-u","-m","single"]'),
        ("Dockerfile", "RUN python -m single && true"),
        ("compose.yml", 'command: ["python", "-m", "pkg.pay", "--x"]'),
        ("compose.yml", "command:\n  - python\n  - -m\n  - pkg.pay"),
        ("compose.yml", 'command:\n  - "python"\n  - "-m"\n  - "single"'),
        ("k8s.yaml", 'args: ["-c", "import pkg.pay"]\ncommand: [python, -m, pkg.pay]'),
        ("ci.yml", "run: python -W error -m single"),
        ("ci.yml", 'run: python -c "import pkg.pay"'),
        ("ci.yml", "run: python3 -c 'from pkg.pay import f; f()'"),
        ("ci.yml", 'run: python -c "import single; single.f()"'),
        ("Makefile", "x:\n\t$(PYTHON) -m pkg.pay"),
        ("Makefile", "x:\n\tpython -m \\\n\t  single"),
        ("Procfile", "web: gunicorn pkg.pay:f\nworker: python -m single"),
        ("app.service", "[Service]\nExecStart=/usr/bin/python3 -m pkg.pay --port 1"),
        ("launch.json", '{"module": "pkg.pay"}'),
        ("tasks.json", '{"args": ["-m", "pkg.pay"], "command": "python"}'),
        ("tox.ini", "[testenv]\ncommands = python -m single\n    pytest -p pkg.pay"),
        ("mypy.ini", "[mypy]\n[mypy-pkg.pay]\nx = 1\n[mypy-pkg.pay.*]\nx = 1"),
        ("mypy.ini", "[mypy-other.*,pkg.pay]\n[mypy-single]\n[mypy-other, single]"),
        ("setup.cfg", "[mypy-pkg.pay]\nignore_errors = True"),
        ("pyproject.toml", '[[tool.mypy.overrides]]\nmodule = ["pkg.pay.*", "pkg.pay"]'),
        ("pytest.ini", "[pytest]\naddopts = -p single --cov=pkg.pay"),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-p single"'),
        ("run.sh", "exec python -m pkg.pay"),
        ("run.sh", 'celery -A pkg.pay worker\nflask --app single run'),
        ("noxfile.py", 'session.run("python", "-m", "single")'),
        ("tasks.py", 'subprocess.run([sys.executable, "-m", "pkg.pay"])'),
        ("tasks.py", 'subprocess.run([sys.executable, "-c", "import single; single.g()"])'),
    ],
)  # fmt: skip
def test_a_module_follows_in_every_form_of_a_command(applied, text, path, line):
    applied({**FILES, path: line + "\n"}, MOVES)
    wanted = line.replace("pkg.pay", "pkg.bill").replace("single", "alone")
    got = text(path)
    assert (
        got == wanted.replace('import pkg.bill"]\n', 'import pkg.bill"]\n') + "\n"
        or got == line.replace("command: [python, -m, pkg.pay]", "command: [python, -m, pkg.bill]") + "\n"
    )


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("ci.yml", "run: git commit -m single"),
        ("ci.yml", "run: pytest -m single"),
        ("run.sh", "mkdir -p single"),
        ("run.sh", "docker run -p single image"),
        ("run.sh", "sh -c 'single'"),
        ("run.sh", "python -m single.other -m singles"),
        ("run.sh", "make -C single -m pay"),
        ("ci.yml", 'run: python -c "import single as"'),
        ("tasks.py", 'run(["git", "commit", "-c", "import ("])'),
        ("tasks.py", 'x = ["-m"]\ny = "single"'),
    ],
)
def test_options_of_other_programs_stay(applied, text, path, line):
    applied({**FILES, path: line + "\n"}, MOVES)
    assert text(path) == line + "\n"

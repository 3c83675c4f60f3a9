"""Modules reached by other ways than an import of their own: through the package, a pattern, a setting."""

from __future__ import annotations

PAY = "def charge(n):\n    return n * 2\n"


def after(repo, path):
    return (repo.root / path).read_bytes().decode()


def test_a_submodule_reached_through_its_package_is_followed(repo, moved, apply):
    found = moved(
        {
            "app/__init__.py": "from .pay import charge as charge\nfrom .tax import tax\n",
            "app/pay.py": PAY,
            "app/tax.py": "tax = 1\n",
            "use.py": "import app\n\nprint(app.pay.charge, app.charge, app.tax)\n",
            "both.py": 'import app.pay\n\nprint(app.charge, app.pay.x)\npatch("app.pay.x")\n',
            "local.py": "import app\n\n\ndef f(app):\n    return app.pay\n",
        },
        [("app/pay.py", "app/billing.py"), ("app/tax.py", "app/rate.py")],
    )
    apply(found[0])
    assert after(repo, "use.py") == "import app\n\nprint(app.billing.charge, app.charge, app.tax)\n"
    assert after(repo, "both.py") == 'import app.billing\n\nprint(app.charge, app.billing.x)\npatch("app.billing.x")\n'
    assert after(repo, "local.py") == "import app\n\n\ndef f(app):\n    return app.pay\n"
    assert not any("app.tax" in words for words in found[0].unchecked), "the package binds it: it is right as it is"


def test_the_pattern_of_a_moved_directory_and_modules_in_any_ini_follow(repo, moved, apply):
    found = moved(
        {
            "app/core/__init__.py": "",
            "app/core/pay.py": PAY,
            "ci.yml": "paths:\n  - 'app/core/**'\n  - 'app/cor*'\nenv:\n  SETTINGS_MODULE: core.pay\n",
            "check.ini": "[x]\nplugins = app.core.pay\n",
            ".gitignore": "/app/core/*.log\n",
            "build/make.py": "from app.core.pay import charge\n",
        },
        [("app/core", "app/kernel")],
    )
    apply(found[0])
    assert "app/kernel/**" in after(repo, "ci.yml") and "app/cor*" in after(repo, "ci.yml")
    assert after(repo, "check.ini") == "[x]\nplugins = app.kernel.pay\n"
    assert after(repo, ".gitignore") == "/app/kernel/*.log\n"
    assert after(repo, "build/make.py") == "from app.kernel.pay import charge\n"

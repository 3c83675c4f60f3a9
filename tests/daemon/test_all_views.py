"""Every view that is kept is listed once: sealing waits for each, and a replay proves each."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import kairos
from kairos.daemon.all_views import kept_views
from kairos.eventlog.views.projection import Projection


def test_every_view_of_the_program_is_kept_once_under_a_name_of_its_own() -> None:
    for module in pkgutil.walk_packages(kairos.__path__, "kairos."):
        if not module.name.endswith(("worker", "__main__")):
            importlib.import_module(module.name)
    known: list[type[Projection[Any]]] = [Projection]
    for cls in known:
        known += cls.__subclasses__()
    written = {cls for cls in known if cls.__module__.startswith("kairos.") and "name" in vars(cls)}
    kept = kept_views()
    assert {type(view) for view in kept} == written
    assert len({view.key for view in kept}) == len(kept)

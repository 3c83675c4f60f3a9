"""Evidence recall: the product's BM25 behind the interface of a retrieval benchmark.

`Kairos` is a plug-in: index(docs: list[dict(id, text, speaker, session, ts)]), retrieve(query, k) -> ids, best first.
Run directly it times indexing and searching generated records.
"""

from __future__ import annotations

import random
import time
from typing import Any

from kairos.memory.recall import Record, RecordIndex

NEIGHBOURS = 2


class Kairos:
    """The shelf that `kairos memory recall` searches, with dates, speakers and neighbouring records."""

    def index(self, docs: list[dict[str, Any]]) -> None:
        records = [Record(d["id"], d["text"], f"{d['speaker']} {d['ts']}", str(d["session"])) for d in docs]
        self._shelf = RecordIndex(records, neighbours=NEIGHBOURS)

    def retrieve(self, query: str, k: int) -> list[str]:
        return [ident for ident, _ in self._shelf.search(query, k)]


def main() -> None:
    rng = random.Random(7)
    words = ["".join(rng.choices("bcdfghklmnprtvaeiou", k=7)) for _ in range(5_000)]
    records = [Record(str(i), " ".join(rng.choices(words, k=12)), group=str(i // 20)) for i in range(10_000)]
    started = time.perf_counter()
    shelf = RecordIndex(records, neighbours=NEIGHBOURS)
    indexed = time.perf_counter()
    for _ in range(200):
        shelf.search(" ".join(rng.choices(words, k=5)), 10)
    searched = time.perf_counter()
    print(f"recall  10 000 records indexed in {indexed - started:.2f} s, {(searched - indexed) * 5:.2f} ms a query")


if __name__ == "__main__":
    main()

"""What a series of faults came to: the figures of one line of docs/faults.md."""

from dataclasses import dataclass, field


def store(url: str | None) -> str:
    """The store's name in a line of the page, by the URL of its database or server; none is SQLite."""
    return "PostgreSQL" if url and url.startswith("postgres") else "SQLite"


@dataclass(kw_only=True)
class Tally:
    """n: runs of the fault; `extra` are further figures by name, which the benchmark prints."""

    row: str
    """The number of the fault in the matrix, such as "1" or "3"."""
    fault: str
    n: int = 0
    lost: int = 0
    duplicates: int = 0
    unknown: int = 0
    wrong_values: int = 0
    seed: int = 0
    seconds: float = 0.0
    extra: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """Sentences about whatever was not as it has to be; empty when all is well."""

    def add(self, other: "Tally") -> None:
        """Sums, and the greatest of what is called slowest."""
        for name in ("n", "lost", "duplicates", "unknown", "wrong_values", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, value in other.extra.items():
            known = self.extra.get(name, 0.0)
            self.extra[name] = max(known, value) if name.startswith("slowest") else known + value
        self.problems += other.problems

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicates or self.wrong_values or self.problems)

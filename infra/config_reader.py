"""Reads configuration keys and collects every problem, so that a stack file is corrected in one go."""

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import pulumi

HIGHEST_PORT = 65535
# Keys of this namespace are the engine's own.
ENGINE = "pulumi"
# Values that are credentials wherever they stand: in an address, a key's own form.
CREDENTIAL = re.compile(r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN|\b[rs]k_live_|\b(AKIA|ASIA)[A-Z0-9]{16}\b")
LONGEST_SHOWN = 200


class SettingsError(pulumi.RunError):
    """A stack file asks for something the program refuses; the message lists every problem with its remedy.

    A RunError, which Pulumi shows as it is, without a traceback.
    """


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refused configuration value: what is wrong with it and what to do."""

    key: str
    value: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.key}{shown}\n      {self.rule}\n      {self.remedy}"


@dataclass
class ConfigReader:
    """Typed access to the values of one namespace. A wrong value becomes a problem and reads as the type's zero.

    Values are the strings Pulumi hands to a program: JSON for booleans, numbers, arrays and objects.
    """

    namespace: str
    values: dict[str, str]
    known: set[str] = field(default_factory=set)
    unshown: set[str] = field(default_factory=set)
    """Keys below which somebody may have written a secret: what is refused of them is never repeated."""
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, key: str, rule: str, remedy: str) -> None:
        full = self._full(key)
        self.problems.append(Problem(key=full, value=self._shown(full), rule=rule, remedy=remedy))

    def _shown(self, full: str) -> str:
        value = self.values.get(full, "")
        # What a key of nobody's holds, or a mapping where none belongs, may be a secret as well.
        if full not in self.known - self.unshown or value.lstrip().startswith("{") or CREDENTIAL.search(value):
            return ""
        # Blanks and line ends would not be seen.
        as_it_is = value if value.isprintable() and value == value.strip() else repr(value)
        return as_it_is if len(as_it_is) <= LONGEST_SHOWN else f"{as_it_is[:LONGEST_SHOWN]}..."

    def is_refused(self, *keys: str) -> bool:
        """Whether one of these keys was refused already: a further check on it would report one mistake twice."""
        full = {self._full(key) for key in keys}
        return any(problem.key in full for problem in self.problems)

    def given(self, key: str) -> bool:
        """Whether the key is there at all, with whatever value."""
        return self._raw(key) is not None

    def _full(self, key: str) -> str:
        return key if ":" in key else f"{self.namespace}:{key}"

    def _raw(self, key: str) -> str | None:
        full = self._full(key)
        self.known.add(full)
        return self.values.get(full)

    def _json(self, key: str, absent: str) -> object:
        try:
            return json.loads(self._raw(key) or absent)
        # Python gives up on what is nested too deep.
        except (ValueError, RecursionError):
            return None

    def conceal(self, key: str) -> None:
        """Never show what this key holds."""
        self.unshown.add(self._full(key))

    def text(self, key: str, *, pattern: str = "", example: str = "", required: bool = False) -> str:
        raw = self._raw(key) or ""
        if not raw:
            if required:
                self.refuse(key, "is required and not set.", f"Set it, for example to {example}.")
            return ""
        if raw != raw.strip() or (pattern and not re.fullmatch(pattern, raw)):
            self.refuse(key, "has the wrong form.", f"Write it like {example}.")
            return ""
        return raw

    def choice(self, key: str, choices: Iterable[str]) -> str:
        raw, allowed = self._raw(key) or "", list(choices)
        if raw not in allowed:
            self.refuse(key, "is not one of the values there are.", f"Choose {' or '.join(allowed)}.")
            return allowed[0]
        return raw

    def whole(self, key: str, low: int, high: int) -> int:
        raw = self._raw(key) or ""
        # Python's own idea of a number is wider: blanks, underscores, digits of all scripts. Nobody means more digits.
        if not re.fullmatch(r"-?[0-9]{1,20}", raw):
            self.refuse(key, "is not a whole number.", f"Write a number from {low} to {high}.")
            return low
        number = int(raw)
        if not low <= number <= high:
            self.refuse(key, "is out of range.", f"Choose a number from {low} to {high}.")
            return low
        return number

    def flag(self, key: str) -> bool:
        raw = self._raw(key)
        if raw not in ("true", "false"):
            self.refuse(key, "is neither true nor false.", "Write true or false, without quotes.")
        return raw == "true"

    def texts(self, key: str) -> list[str]:
        items = self._json(key, "[]")
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.refuse(key, "is not a list of texts.", 'Write a YAML list, for example ["a", "b"].')
            return []
        return [str(item) for item in items]

    def ports(self, key: str) -> list[int]:
        items = self._json(key, "[]")
        if not isinstance(items, list) or not all(type(item) is int and 1 <= item <= HIGHEST_PORT for item in items):
            self.refuse(key, f"is not a list of numbers from 1 to {HIGHEST_PORT}.", "Write a YAML list, such as [587].")
            return []
        return list(items)

    def mapping(self, key: str) -> dict[str, str]:
        """Read names and texts; numbers and truth values written without quotes are taken as they are written."""
        self.conceal(key)
        items = self._json(key, "{}")
        if not isinstance(items, dict) or not all(isinstance(value, (str, int)) for value in items.values()):
            self.refuse(key, "is not a mapping of names to texts.", 'Write `NAME: "text"` on lines below the key.')
            return {}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in items.items()}

    def object(self, key: str) -> dict[str, object]:
        """Read names and whatever stands after them."""
        items = self._json(key, "{}")
        if not isinstance(items, dict):
            self.refuse(key, "is not a mapping.", "Write `NAME: { ... }` on lines below the key.")
            return {}
        return items

    def finish(self) -> None:
        """Refuse keys nobody read, then raise SettingsError if anything was refused."""
        for full in sorted(self.values.keys() - self.known):
            if not full.startswith(f"{ENGINE}:"):
                remedy = meant(full, self.known, "Remove it; Pulumi.yaml lists the keys there are.")
                rule = "is not a key of this program; the engine would ignore it silently."
                self.problems.append(Problem(key=full, value="", rule=rule, remedy=remedy))
        if self.problems:
            count = len(self.problems)
            noun = "1 problem" if count == 1 else f"{count} problems"
            listing = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(self.problems, start=1))
            raise SettingsError(f"{noun} in the configuration of this stack:\n{listing}")


def meant(name: str, known: Collection[str], otherwise: str) -> str:
    """What to do about a name that nobody knows: the one that is most like it, if any is."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]}?" if near else otherwise


def listed(choices: Sequence[object]) -> str:
    """Numbers or words as a sentence has them: 1, 2 or 3."""
    return ", ".join(map(str, choices[:-1])) + f" or {choices[-1]}"

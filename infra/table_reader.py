"""Reads one key of a stack file that holds a table: entries by name, each with fields of its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.config_reader import ConfigReader, meant


@dataclass
class Entry:
    """One named entry. A wrong field becomes a problem of the whole key and reads as its default.

    What is refused of an entry names entry and field, and shows no text: a command may hold what somebody mistook for
    its place.
    """

    config: ConfigReader
    key: str
    name: str
    fields: Mapping[str, object]
    known: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def refuse(self, field_name: str, rule: str, remedy: str) -> None:
        self.refused.add(field_name)
        self.config.refuse(self.key, f"{self.name}.{field_name} {rule}", remedy)

    def whole(self, field_name: str, default: int, low: int, high: int) -> int:
        value = self._get(field_name, default)
        # A truth value is a number to Python.
        if type(value) is not int or not low <= value <= high:
            self.refuse(field_name, "is no number that is possible there.", f"Write a number from {low} to {high}.")
            return default
        return value

    def text(self, field_name: str, *, default: str = "", example: str) -> str:
        value = self._get(field_name, default)
        if not isinstance(value, str) or not value:
            rule = "is missing." if field_name not in self.fields else "is not a text."
            self.refuse(field_name, rule, f"Write one, such as {example}.")
            return default
        return value

    def optional(self, field_name: str, *, pattern: str, example: str) -> str:
        """A text that may be left out."""
        self.known.add(field_name)
        text = self.text(field_name, example=example) if field_name in self.fields else ""
        if text and not re.fullmatch(pattern, text):
            self.refuse(field_name, "has the wrong form.", f"Write it like {example}.")
        return text

    def command(self, field_name: str = "command") -> tuple[str, ...]:
        words = self._get(field_name, None)
        if isinstance(words, list) and words and all(isinstance(word, str) and word.strip() for word in words):
            return tuple(words)
        rule = "is missing." if field_name not in self.fields else "is not a list of words."
        self.refuse(field_name, rule, "Write the command as a list, such as [python, manage.py, clearsessions].")
        return ()

    def _get(self, field_name: str, default: object) -> object:
        self.known.add(field_name)
        return self.fields.get(field_name, default)

    def finish(self) -> None:
        """Refuse fields nobody read."""
        for name in sorted(self.fields.keys() - self.known):
            there = f"Remove it; there are {', '.join(sorted(self.known))}."
            self.refuse(name, "is no field of it.", meant(name, self.known, there))


def entries(config: ConfigReader, key: str) -> Iterator[Entry]:
    """The entries of a table by name; none when the key holds something else, which is refused."""
    config.conceal(key)
    table = config.object(key)
    for name in sorted(table):
        fields = table[name]
        if isinstance(fields, dict):
            yield Entry(config=config, key=key, name=name, fields=fields)
        else:
            config.refuse(key, f"{name} has no fields.", "Write `NAME: { command: [...] }` on lines below the key.")

"""Which change of a type keeps every value."""

from __future__ import annotations

from django.test import SimpleTestCase

from deployment.column_types import holds_all


class Types(SimpleTestCase):
    def test_what_is_wider_or_the_same_holds_all(self) -> None:
        for was, now in (
            ("varchar(10)", "character varying(10)"),
            ("character varying(10)", "character varying(11)"),
            ("varchar(10)", "text"),
            ("character varying(10)", "character varying"),
            ("integer", "bigint"),
            ("numeric(12,4)", "numeric(14, 5)"),
            ("numeric(12,4)", "numeric"),
            ("real", "double precision"),
            ("timestamp with time zone", "timestamp with time zone"),
            ("integer[]", "integer[]"),
        ):
            self.assertTrue(holds_all(was, now), f"{was} -> {now}")

    def test_of_anything_else_it_is_not_known(self) -> None:
        for was, now in (
            ("character varying(10)", "character varying(9)"),
            ("character varying", "character varying(99)"),
            ("text", "character varying(99)"),
            ("bigint", "integer"),
            ("numeric(12,4)", "numeric(12,2)"),
            ("numeric(12,2)", "numeric(12,4)"),
            ("numeric", "numeric(12,4)"),
            ("double precision", "real"),
            ("timestamp with time zone", "date"),
            ("integer", "text"),
            ("integer[]", "bigint[]"),
        ):
            self.assertFalse(holds_all(was, now), f"{was} -> {now}")

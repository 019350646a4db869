"""What a stage makes of an image's account of its migrations."""

from __future__ import annotations

from ops.pipeline.migration_plan import understood
from tests.migration_accounts import account, code, words


def test_a_migration_that_fails_on_a_copy_fails_the_stage() -> None:
    failed = account(error="ProgrammingError: no")
    plan = understood({"migration_plan": [failed], "untried": ["a.0003"], "looked": True})
    assert plan.fails
    assert plan.untried == ("a.0003",)
    assert "ProgrammingError: no" in words(list(plan.risks))


def test_what_django_refuses_to_begin_with_is_not_called_a_plan_without_migrations() -> None:
    for names in ([], ["shop.0003"]):
        plan = understood({"migration_plan": [], "untried": names, "refused": "shop ends in two", "looked": True})
        assert plan.fails
        assert "shop ends in two" in plan.unknown


def test_before_the_first_deployment_nobody_waits_and_nothing_breaks() -> None:
    told = account(undoable=False, operations=[code()])
    plan = understood({"migration_plan": [told], "looked": True, "refused": ""}, first=True)
    assert plan.risks == ()
    assert not plan.fails


def test_where_only_names_are_known_what_cannot_be_undone_is_still_told() -> None:
    bare = {"name": "shop.0002", "undoable": False, "why": "RunSQL has no way back"}
    plan = understood({"migration_plan": [bare], "looked": False})
    assert not plan.looked
    (found,) = plan.risks
    assert "RunSQL has no way back" in found.what

"""CloudWatch's rules for alarms, against the tables and sentences of its documentation."""

import pytest
from rehearsal.cloudwatch import metric_math
from rehearsal.cloudwatch.alarm import CannotEvaluateError, Metric, read
from rehearsal.cloudwatch.evaluation import MISSING_DATA, Rule, evaluate
from rehearsal.cloudwatch.metric_math import MathError
from rehearsal.cloudwatch.statistics import Datum, statistic, value

ROWS_3_OF_3 = [
    ("0 - X - X", "OK", "OK", "OK", "OK"),
    ("0 - - - -", "OK", "OK", "OK", "OK"),
    ("- - - - -", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - X - -", "ALARM", None, "ALARM", "OK"),
    # "does not go immediately into ALARM state when the data is either - - - - X or - - - X -"
    ("- - - - X", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
    ("- - - X -", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
]
ROWS_2_OF_3 = [
    ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", "OK", "OK", "ALARM", "OK"),
    ("- - - X -", "ALARM", None, "ALARM", "OK"),
]
CASES = [(3, *row) for row in ROWS_3_OF_3] + [(2, *row) for row in ROWS_2_OF_3]
TIMES = [0, 60, 120]


def datapoints(row: str) -> list[float | None]:
    """A row of AWS's tables as numbers: X breaches a threshold of 5."""
    return [{"0": 1.0, "X": 9.0}.get(mark) for mark in row.split()]


def rule(missing: str, **changes: object) -> Rule:
    """Three datapoints of at least 5."""
    values = {"periods": 3, "datapoints": 3, "comparison": "GreaterThanOrEqualToThreshold", "threshold": 5.0} | changes
    return Rule(missing=missing, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("needed", "row", "missing", "state"),
    [
        (needed, row, missing, state)
        for needed, row, *states in CASES
        for missing, state in zip(MISSING_DATA, states, strict=True)
    ],
)
def test_missing_data_is_treated_as_awss_tables_say(needed: int, row: str, missing: str, state: str | None) -> None:
    outcome = evaluate(rule(missing, datapoints=needed), datapoints(row))
    assert outcome.state == state, "a drill that trusts another state proves nothing about AWS"


def test_an_alarm_on_one_datapoint_stays_until_that_has_left_the_evaluation_range() -> None:
    one = rule("notBreaching", periods=1, datapoints=1)
    assert evaluate(one, datapoints("X - -")).state == "ALARM", "CloudWatch evaluates the last real datapoint again"
    assert evaluate(one, datapoints("X - - -")).state == "OK", "now nothing is left but missing datapoints"


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [5.0, 6.0]),
        ("GreaterThanThreshold", [6.0]),
        ("LessThanThreshold", [4.0]),
        ("LessThanOrEqualToThreshold", [4.0, 5.0]),
    ],
)
def test_each_comparison_breaches_on_its_side(comparison: str, breaching: list[float]) -> None:
    rules = rule("missing", periods=1, datapoints=1, comparison=comparison)
    found = [number for number in (4.0, 5.0, 6.0) if evaluate(rules, [number]).state == "ALARM"]
    assert found == breaching, "the threshold itself belongs to one side only"


def test_the_reason_tells_the_datapoints_in_awss_words() -> None:
    alarm = evaluate(rule("missing", periods=1, datapoints=1), [9.0])
    assert alarm.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoint [9.0] was greater than or equal to the threshold (5.0)."
    )
    silent = evaluate(rule("notBreaching", periods=1, datapoints=1), [None])
    assert "1 missing datapoint was treated as [NonBreaching]" in silent.reason, "an operator asks why it is OK"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Sum", 10.0), ("Average", 2.5), ("Minimum", 1.0), ("Maximum", 4.0), ("SampleCount", 4.0), ("p50", 2.5)],
)
def test_statistics_of_a_period(name: str, expected: float) -> None:
    assert statistic(name, [value(4), value(1), value(2), value(3)]) == expected, "as the console shows it"


def test_percentiles_weigh_repeated_values_and_need_single_ones() -> None:
    assert statistic("p90", [value(1, count=99), value(100)]) == 1.0, "one slow request in a hundred is not the p90"
    assert statistic("p99.9", [value(1, count=9), value(100)]) == pytest.approx(99.109), "between the two nearest ranks"
    mixed = Datum(count=2, total=3, minimum=1, maximum=2)
    assert statistic("p90", [mixed]) is None, "CloudWatch has no percentile of a statistic set of several values"
    assert statistic("Sum", []) is None, "no data is missing data, not zero"
    with pytest.raises(ValueError, match="not known"):
        statistic("tm99", [value(1)])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + m2", {0: 11.0, 60: 2.0, 120: 30.0}),
        ("m2 - m1", {0: 9.0, 60: -2.0, 120: 30.0}),
        ("m1 * 10", {0: 10.0, 60: 20.0}),
        ("m1 + nothing", {0: 1.0, 60: 2.0}),
        ("nothing + nothing", {}),
        ("m2 / m1", {0: 10.0, 60: 0.0}),
        ("FILL(m1, 0) + FILL(m2, 0)", {0: 11.0, 60: 2.0, 120: 30.0}),
        ("100 * (m1 - 0.5) / m2", {0: 5.0, 120: 0.0}),
        ("m1 / 0", {}),
        ("-m1 + 2 * 3", {0: 5.0, 60: 4.0}),
        ("FILL(m1, REPEAT)", {0: 1.0, 60: 2.0, 120: 2.0}),
        ("IF(m1 > 1, 7, m1)", {0: 1.0, 60: 7.0}),
        ("IF(FILL(m1, 0) >= 2 AND 1 == 1, 1)", {60: 1.0}),
        ("MAX([m1, m2])", {0: 10.0, 60: 2.0, 120: 30.0}),
        ("MIN([FILL(m1, 0), FILL(m2, 0)])", {0: 1.0, 60: 0.0, 120: 0.0}),
        ("m1 * MAX(m2)", {0: 30.0, 60: 60.0}),
        ("SUM([m1, m2])", {0: 11.0, 60: 2.0, 120: 30.0}),
        ("AVG([m1, m2])", {0: 5.5, 60: 1.0, 120: 15.0}),
        ("m1 - AVG(m1)", {0: 0.0, 60: 1.0}),
        ("m2 - AVG(m1)", {0: 9.0, 120: 29.0}),
        ("MAX([m1, -1 * m2])", {0: 1.0, 60: 2.0, 120: -30.0}),
        ("IF(m2 >= 10, m1, 5)", {0: 1.0, 120: 0.0}),
        ("IF(m1 >= 2, 5, m2)", {0: 10.0, 60: 5.0}),
        ("ABS(1 - m1)", {0: 0.0, 60: 1.0}),
        ("1 - 2 - 3", {0: -4.0, 60: -4.0, 120: -4.0}),
    ],
)
def test_metric_math(expression: str, expected: dict[int, float]) -> None:
    metrics: dict[str, metric_math.Value] = {"m1": {0: 1.0, 60: 2.0}, "m2": {0: 10.0, 120: 30.0}, "nothing": {}}
    assert metric_math.evaluate(expression, metrics, TIMES) == expected, "a missing operand is 0, as on AWS"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("one < other", [0, 0, 1, 0]), ("one >= 30", [1, 0, 0, 0]), ("one > 15 AND other > 15", [1, 0, 0, 0])],
)
def test_comparisons_give_what_awss_table_says(expression: str, expected: list[float]) -> None:
    metrics: dict[str, metric_math.Value] = {
        "one": {0: 30.0, 60: 20.0, 120: 0.0, 180: 0.0},
        "other": {0: 20.0, 120: 20.0},
    }
    found = metric_math.evaluate(expression, metrics, [*TIMES, 180])
    assert list(found.values()) == expected, "a value that only one of the two has is compared with 0"


@pytest.mark.parametrize("expression", ["m1 +", "m1 m2", "nobody", "SEARCH('x')", "METRICS()", "[m1, m2]", "RATE(m1)"])
def test_what_metric_math_here_does_not_cover_is_said(expression: str) -> None:
    with pytest.raises(MathError):
        metric_math.evaluate(expression, {"m1": {0: 1.0}, "m2": {0: 1.0}}, TIMES)


def published(points: dict[tuple[str, str, int], float]) -> object:
    """A source of metric data: value by metric, its `of` dimension and the beginning of the period."""

    def source(metric: Metric, start: float, _: float) -> list[Datum]:
        dimension = dict(metric.dimensions).get("of", "")
        return [
            value(number)
            for (name, of, at), number in points.items()
            if (name, of, at) == (metric.name, dimension, start)
        ]

    return source


def test_an_alarm_looks_at_its_own_dimensions_only() -> None:
    alarm = read(single("a"))
    assert alarm.evaluate(120, published({("E", "a", 60): 9.0})).state == "ALARM", "its own metric"  # type: ignore[arg-type]
    assert alarm.evaluate(120, published({("E", "b", 60): 9.0})).state == "OK", "another one's"  # type: ignore[arg-type]


def single(dimension: str) -> dict[str, object]:
    """One datapoint of at least 5 of the metric E."""
    return {
        "Namespace": "N",
        "MetricName": "E",
        "Dimensions": [{"Name": "of", "Value": dimension}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }


def both(expression: str, **changes: object) -> dict[str, object]:
    """An alarm on an expression over two metrics, by way of a second expression."""
    queries = [
        {"Id": name, "MetricStat": {"Metric": {"Namespace": "N", "MetricName": metric}, "Period": 60, "Stat": "Sum"}}
        for name, metric in (("m1", "E"), ("m2", "F"))
    ]
    return single("") | {
        "Metrics": [
            *({**query, "ReturnData": False} for query in queries),
            {"Id": "filled", "Expression": "FILL(m1, 0)", "ReturnData": False},
            {"Id": "all", "Expression": expression} | changes,
        ]
    }


def test_an_alarm_on_metric_math_evaluates_its_expressions() -> None:
    alarm = read(both("filled + FILL(m2, 0)"))
    source = published({("F", "", 60): 6.0})
    assert alarm.evaluate(120, source).state == "ALARM", "0 + 6 >= 5"  # type: ignore[arg-type]
    assert alarm.evaluate(180, source).state == "OK", "the minute after it is 0 + 0"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "description",
    [
        both("filled + nobody"),
        both("all + 1"),
        both("filled", ReturnData=False),
        single("a") | {"ComparisonOperator": "GreaterThanUpperThreshold"},
        single("a") | {"Statistic": None, "ExtendedStatistic": "tm90"},
        single("a") | {"TreatMissingData": "guess"},
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(description: dict[str, object]) -> None:
    with pytest.raises(CannotEvaluateError):
        read(description)


def test_alarms_are_evaluated_on_whole_minutes() -> None:
    assert read(single("a")).window_end(179.9) == 120, "the minute that goes on is not counted yet"
    assert read(single("a") | {"Period": 10}).window_end(179.9) == 170, "high resolution: every ten seconds"

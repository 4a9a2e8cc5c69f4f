"""The dashboard of examples/observing shows what tchannel-observe exports, and nothing else."""

import json
import re
from pathlib import Path

import pytest

from tchannel_observe.prometheus import ChannelCollector

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "examples" / "observing" / "grafana.json").read_text())
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
EXPORTED = {
    family.name + suffix: {*family._labelnames, *(("le",) if suffix == "_bucket" else ())}
    for family in ChannelCollector().describe()
    for suffix in SUFFIXES[family.type]
}
EXPRESSIONS = [
    pytest.param(target["expr"], target["legendFormat"], id=f"{panel['title']}-{target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]
# What PromQL has of its own among the words of our expressions.
FUNCTIONS = {"histogram_quantile", "max", "min", "rate", "sum", "topk", "by"}


def words_of(expression):
    """The words of an expression that stand outside of quotes, braces, brackets and lists of labels."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)', " ", expression)
    return set(re.findall(r"[a-zA-Z_]\w*", bare))


@pytest.mark.parametrize(("expression", "legend"), EXPRESSIONS)
def test_a_panel_uses_names_that_are_exported(expression, legend):
    metrics = words_of(re.sub(r"\{[^}]*\}", "", expression)) - FUNCTIONS

    assert metrics
    assert metrics <= set(EXPORTED)


@pytest.mark.parametrize(("expression", "legend"), EXPRESSIONS)
def test_a_panel_asks_for_labels_that_its_metrics_have(expression, legend):
    had = set.intersection(*[EXPORTED[name] for name in words_of(expression) - FUNCTIONS])
    kept = re.findall(r"by \(([^)]*)\)", expression)

    asked = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', expression))
    asked |= {label for labels in kept for label in labels.split(", ")}
    assert asked <= had
    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= {
        label for labels in kept for label in labels.split(", ")
    }


def test_everything_that_is_exported_is_shown():
    shown = set().union(*[words_of(one.values[0]) for one in EXPRESSIONS])
    families = {family.name for family in ChannelCollector().describe()}

    assert {name for name in families if not any(word.startswith(name) for word in shown)} == set()


def test_the_variable_is_read_of_a_metric_that_is_exported():
    (query,) = [one["query"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()

    assert label in EXPORTED[name]


def test_panels_do_not_lie_over_each_other():
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]}

    assert len(places) == len(DASHBOARD["panels"])
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('sum by (le, x) (rate(a_bucket{b="c"}[$__rate_interval]))', {"sum", "rate", "a_bucket"}),
        ('max(a{x=~"$channel"} / b)', {"max", "a", "b"}),
    ],
)
def test_metrics_are_told_from_the_rest_of_an_expression(expression, words):
    assert words_of(expression) == words

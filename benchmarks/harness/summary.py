"""Medians over the rounds, and how far the rounds lie apart."""

from __future__ import annotations

from statistics import median

from harness.measurement import Result

Figures = dict[str, float]


def medians(result: Result) -> Figures:
    """The median over the rounds of every figure; empty without samples."""
    if not result.samples:
        return {}
    return {name: median(sample[name] for sample in result.samples) for name in result.samples[0]}


def spread(result: Result, figure: str) -> float:
    """(largest - smallest) / median of a figure over the rounds; 0.0 for a single round."""
    values = [sample[figure] for sample in result.samples]
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0

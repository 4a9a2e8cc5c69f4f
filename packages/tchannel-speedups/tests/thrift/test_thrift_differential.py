"""Both ways with the same values, payloads and arguments: both say the same."""

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# More of them where there is time: SEEDS=5000.
SEEDS = int(os.environ.get("SEEDS", "60"))

once = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)


def sample(rnd, tools, module, cls, *, odd=0.0):
    return tools.Made(rnd, module, odd).struct(cls)


def payloads(tools, modules, seed):
    """Payloads of each class, well-formed."""
    rnd = random.Random(seed)
    for cls in tools.classes_of(modules.python):
        value = sample(rnd, tools, modules.python, cls)
        yield cls.type_spec.name, modules.python.dumps(tools.built(modules.python, value))


def class_named(tools, module, name):
    (found,) = (one for one in tools.classes_of(module) if one.type_spec.name == name)
    return found


def test_values_are_written_and_read_as_in_python(modules, tools):
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        for cls in tools.classes_of(modules.python):
            name = cls.type_spec.name
            value = sample(rnd, tools, modules.python, cls)
            kind, text = modules.same(lambda m, v=value: m.dumps(tools.built(m, v)))
            assert kind == "bytes", text
            payload = modules.native.dumps(tools.built(modules.native, value))
            said = modules.same(lambda m, n=name, p=payload: m.loads(class_named(tools, m, n), p))
            assert said[0] == name, said


def test_odd_values_are_written_or_refused_as_in_python(modules, tools):
    refused = 0
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        for cls in tools.classes_of(modules.python):
            value = sample(rnd, tools, modules.python, cls, odd=0.1)
            said = modules.same(lambda m, v=value: m.dumps(tools.built(m, v, careless=True)))
            refused += said[0] != "bytes"
    assert refused > SEEDS / 2


def test_arguments_are_taken_or_refused_as_in_python(modules, tools):
    refused = 0
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        for cls in tools.classes_of(modules.python):
            value = sample(rnd, tools, modules.python, cls, odd=rnd.choice((0.0, 0.1)))
            arguments = dict(value.fields)
            if rnd.random() < 0.1:
                arguments["nobody"] = 1
            names = list(arguments)
            by_position = rnd.randrange(len(names) + 1) if rnd.random() < 0.4 else 0
            rnd.shuffle(names)
            extra = [1] * rnd.choice((0, 0, 0, 40))

            def make(
                m, value=value, arguments=arguments, names=names, count=by_position, extra=extra
            ):
                made = {
                    name: tools.built(m, arguments[name], careless=True) for name in sorted(names)
                }
                placed = [made[name] for name in names[:count]] + extra
                named = {"".join(list(name)): made[name] for name in names[count:]}
                return class_named(tools, m, value.cls)(*placed, **named)

            said = modules.same(make)
            refused += said[0].endswith("Error")
    assert refused > SEEDS / 2


def test_payloads_with_mistakes_are_read_or_refused_as_in_python(modules, tools):
    refused = read = 0
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        known = list(payloads(tools, modules, seed))
        for name, payload in known:
            for _ in range(6):
                odd = tools.mutated(rnd, payload, rnd.choice(known)[1])
                said = modules.same(lambda m, n=name, p=odd: m.loads(class_named(tools, m, n), p))
                refused += said[0] != name
                read += said[0] == name
    assert refused > SEEDS
    assert read > SEEDS


@pytest.mark.parametrize("seed", range(3))
def test_payloads_that_end_anywhere_are_refused_as_in_python(modules, tools, seed):
    for name, payload in payloads(tools, modules, seed):
        for end in range(min(len(payload), 600)):
            said = modules.same(
                lambda m, n=name, p=payload[:end]: m.loads(class_named(tools, m, n), p)
            )
            assert said[0] != name


@pytest.mark.parametrize(
    "limits",
    [
        {"max_depth": 1},
        {"max_depth": 3},
        {"max_objects": 3},
        {"max_objects": 30, "max_decoded_size": 3000},
        {"max_decoded_size": 1},
        {"max_depth": 100_000, "max_objects": 1 << 80, "max_decoded_size": 1 << 80},
    ],
)
def test_limits_are_held_as_in_python(both, tools, limits):
    modules = both(limits=limits)
    for seed in range(SEEDS):
        rnd = random.Random(seed)
        known = list(payloads(tools, modules, seed))
        for name, payload in known:
            for one in (payload, tools.mutated(rnd, payload, rnd.choice(known)[1])):
                modules.same(lambda m, n=name, p=one: m.loads(class_named(tools, m, n), p))


@pytest.mark.parametrize("count", [1, 10, 39, 40, 41, 200, 5_000])
@pytest.mark.parametrize("limit", [1, 40, 100, 5000, 1_000_000])
def test_masses_of_empty_structs_are_counted_to_the_last(both, limit, count):
    for limits in ({"max_objects": limit}, {"max_decoded_size": limit * 40}):
        modules = both(
            "struct E {} struct S { 1: required list<E> es 2: optional string tail }", limits=limits
        )
        head = b"\x0f\0\1\x0c" + count.to_bytes(4, "big") + bytes(count)
        for tail in (b"\0", b"\x0b\0\2\0\0\1\0" + bytes(256) + b"\0"):
            modules.same(lambda m, p=head + tail: m.loads(m.S, p))
            unknown = b"\x0f\0\7" + head[3:]  # nobody knows that field
            modules.same(lambda m, p=unknown + head + tail: m.loads(m.S, p))


@pytest.fixture
def plain(both):
    """Both modules; the examples of one test share them."""
    return both()


@given(st.binary(max_size=60))
@once
def test_any_bytes_are_read_or_refused_as_in_python(plain, data):
    for name in ("Everything", "Tree", "Choice", "Failure", "Shuffled", "Deep"):
        plain.same(lambda m, n=name: m.loads(getattr(m, n), data))


@given(
    numbers=st.lists(st.integers(-(1 << 33), 1 << 33)),
    texts=st.dictionaries(st.text(), st.one_of(st.text(), st.binary())),
    ratio=st.one_of(st.none(), st.floats(), st.integers()),
    big=st.integers(-(1 << 70), 1 << 70),
)
@once
def test_any_values_are_taken_written_and_read_as_in_python(plain, numbers, texts, ratio, big):
    arguments = {"flag": True, "name": "n", "numbers": numbers, "big": big, "tags": texts}

    def round_trip(m):
        value = m.Everything(**arguments, ratio=ratio)
        return [value, m.dumps(value), m.loads(m.Everything, m.dumps(value))]

    plain.same(round_trip)

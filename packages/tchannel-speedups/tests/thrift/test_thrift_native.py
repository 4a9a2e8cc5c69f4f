"""What is native and what is not: depth, references, classes that somebody changed."""

import copy
import gc
import pickle
import random
import sys
import weakref

import pytest

from tchannel_speedups import thrift


@pytest.mark.parametrize("document", ["strict", "int_enum", "lenient"])
def test_the_usual_takes_no_python(both, tools, document):
    """Else the other tests would compare Python with itself."""
    from tchannel_speedups import _native

    def refuse():
        raise AssertionError("the Python way was taken")

    kept = both(int_enum=document == "int_enum")
    if document == "lenient":
        kept = both(tools.SCHEMA + tools.LENIENT, strict=False)
    for seed in range(40):
        rnd = random.Random(seed)
        for cls in tools.classes_of(kept.native):
            if cls.type_spec.name == "Deep":
                continue  # maps and structs in its sets are frozen, and written by the Python way
            codec = _native.codec(vars(cls)[thrift.ATTRIBUTE], refuse, 10**6, 10**8)
            value = tools.Made(rnd, kept.native, without=frozenset(("deep",))).struct(cls)
            payload = codec.dump(tools.built(kept.native, value))
            assert payload == kept.native.dumps(tools.built(kept.native, value))
            assert type(codec.load(payload, 127)) is cls


@pytest.mark.parametrize("levels", [1, 100, 126, 127, 128, 129, 160, 161, 1_000, 20_000])
@pytest.mark.parametrize("limit", [128, 1_000_000])
def test_payloads_that_nest_deeply_are_read_or_refused_as_in_python(both, levels, limit):
    modules = both(limits={"max_depth": limit})
    bombs = {
        "left": b"\x0c\0\2" * levels + bytes(levels + 1),
        "children": b"\x0f\0\1\x0c\0\0\0\1" * levels + bytes(levels + 1),
        "named": b"\x0d\0\3\x0b\x0c\0\0\0\1\0\0\0\0" * levels + bytes(levels + 1),
        "unknown": b"\x0c\0\x77" * levels + bytes(levels + 1),
        "unknown lists": b"\x0f\0\x77" + b"\x0f\0\0\0\1" * levels + b"\x08\0\0\0\0\0",
        "unknown maps": b"\x0d\0\x77"
        + b"\x08\x0d\0\0\0\1\0\0\0\1" * levels
        + b"\x08\x08\0\0\0\0\0",
    }
    for bomb in bombs.values():
        # Deeper than that, showing the value is what Python cannot do.
        modules.same(
            lambda m, p=bomb: m.loads(m.Tree, p) if levels <= 128 else bool(m.loads(m.Tree, p))
        )


def test_a_long_chain_of_structs_is_left_to_python(both):
    links = [
        f"struct S{n} {{ 1: optional S{n - 1} next 2: optional i32 n }}" for n in range(1, 800)
    ]
    document = "struct S0 { 1: optional i32 n }\n" + "\n".join(links)

    from tchannel_thrift.rw import Loader

    module = Loader().loads("chain", document)
    for name in ("S799", "S0", "S1", "S50", "S799"):
        cls = getattr(module, name)
        assert module.loads(cls, module.dumps(cls(n=3))) == cls(n=3)
    assert thrift.ATTRIBUTE not in vars(module.S799)
    assert thrift.ATTRIBUTE in vars(module.S50)


@pytest.mark.parametrize("levels", [1, 100, 159, 160, 161, 162, 400])
def test_values_that_nest_deeply_are_written_as_in_python(both, levels):
    modules = both()

    def nested(m):
        tree = m.Tree()
        for _ in range(levels):
            tree = m.Tree(left=tree)
        return m.dumps(tree)

    modules.same(nested)


@pytest.mark.parametrize("way", ["left", "children", "named"])
def test_what_contains_itself_is_refused_as_in_python(both, way):
    modules = both()

    def circle(m):
        tree = m.Tree()
        value = {"left": tree, "children": [tree], "named": {"a": tree}}[way]
        setattr(tree, way, value)
        return m.dumps(tree)

    assert modules.same(circle)[0] == "ValueError"


def test_a_list_that_contains_itself_is_no_argument(both):
    modules = both()

    def circle(m):
        cube = []
        cube.append(cube)
        return m.Deep(cube=cube)

    assert modules.same(circle)[0] == "TypeError"


def test_a_claim_of_elements_makes_no_list_of_that_length(both):
    """Each level claims as many lists as there are bytes."""
    import tracemalloc

    module = both().native
    size = 400_000
    payload = (b"\x0f\0\1\x0c" + size.to_bytes(4, "big")) * 100 + bytes(1_000)
    payload += bytes(size + 10_000 - len(payload))
    tracemalloc.start()
    try:
        with pytest.raises(Exception, match=r"Expected|nested|memory|structs"):
            module.loads(module.Tree, payload[:-9_000])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 150 << 20


def value_of(module):
    return module.Everything(
        flag=True,
        big=1 << 40,
        name="a name, ü",
        numbers=[1, 2, 3] * 40,
        tags={"a": "b"},
        names={"x", "y"},
        pair=module.Pair(high=1, low=2),
        choice=module.Choice(words=["w"]),
        failure=module.Failure(why="so", where=[module.Pair(1, 2)]),
        flags={2: module.Flags(True, 1, 2, 1.5, 5)},
        deep=module.Deep(
            frozen={("a", "b")},
            keys={(1, 2): "x"},
            keyed={module.Keyed.type_spec.freeze(module.Keyed(["w"]))},
            sets={frozenset((b"x",))},
        ),
        blob=bytes(3000),
    )


def ways_of(module):
    """What can leak, by name: usual and unusual, well and badly."""
    value = value_of(module)
    payload = module.dumps(value)
    bad = value_of(module)
    bad.numbers = [1, "x"]
    late = value_of(module)
    late.blobs = ["\ud800"]
    derived = type("Derived", (module.Pair,), {})
    return {
        "dump": lambda: module.dumps(value),
        "dump of what is refused": lambda: module.dumps(bad),
        "dump of what is refused late": lambda: module.dumps(late),
        "dump of a subclass": lambda: module.dumps(derived(1, 2)),
        "load": lambda: module.loads(module.Everything, payload),
        "load of what ends early": lambda: module.loads(module.Everything, payload[:-1]),
        "load of other bytes": lambda: module.loads(module.Everything, payload[:600] + b"\xff" * 9),
        "load twice the same": lambda: module.loads(module.Everything, payload[:-1] + payload),
        "load of what is unknown": lambda: module.loads(module.Pair, payload),
        "construct": lambda: value_of(module),
        "construct what is refused": lambda: module.Pair(high=1, low="x"),
        "construct without": lambda: module.Pair(high=1),
        "construct what nobody knows": lambda: module.Pair(high=1, low=2, other=3),
        "construct a subclass": lambda: derived(high=1, low=2),
        "construct an exception": lambda: module.Failure(why="so"),
    }


WAYS = (
    "dump",
    "dump of what is refused",
    "dump of what is refused late",
    "dump of a subclass",
    "load",
    "load of what ends early",
    "load of other bytes",
    "load twice the same",
    "load of what is unknown",
    "construct",
    "construct what is refused",
    "construct without",
    "construct what nobody knows",
    "construct a subclass",
    "construct an exception",
)


@pytest.mark.parametrize("name", WAYS)
def test_nothing_leaks(both, tools, name):
    module = both(int_enum=name == "load").native
    way = ways_of(module)[name]
    counted = []
    for times in (20, 100, 100, 100):
        for _ in range(times):
            tools.outcome(way)
        gc.collect()
        counted.append(sys.getallocatedblocks())

    # One reference lost each time would keep 100 blocks.
    assert min(counted[2] - counted[1], counted[3] - counted[2]) < 30


def test_what_is_shared_by_all_keeps_its_references(both):
    module = both().native
    shared = [None, True, False, module.Pair, module.Everything, module.Failure, "default", (), b""]
    ways = ways_of(module)
    for name in ("dump", "load", "construct"):
        ways[name]()
    gc.collect()
    before = [sys.getrefcount(one) for one in shared]
    for _ in range(2_000):
        for name in ("dump", "load", "construct"):
            ways[name]()
    gc.collect()

    after = [sys.getrefcount(one) for one in shared]
    assert all(abs(now - then) < 1_000 for now, then in zip(after, before, strict=True))


def test_a_module_that_nobody_needs_goes_with_all_that_was_made_for_it(both):
    from tchannel_thrift.rw import Loader

    module = Loader().loads("gone", "struct S { 1: optional list<S> more 2: optional i32 n }")
    for _ in range(9):
        value = module.S(more=[module.S(n=1)])
        assert module.loads(module.S, module.dumps(value)) == value
    assert thrift.ATTRIBUTE in vars(module.S)
    gone = [weakref.ref(module.S), weakref.ref(module)]
    del module, value
    gc.collect()

    assert [ref() for ref in gone] == [None, None]


@pytest.mark.parametrize(
    "idl",
    [
        "struct S { 1: optional list<S> more }",
        "struct S { 1: optional T t } struct T { 1: optional map<string, S> s }",
        "union S { 1: T t } exception T { 1: optional S s }",
    ],
)
def test_structs_that_contain_each_other_leave_nothing_that_no_collection_can_free(both, idl):
    """Weak references to them end all the same: what is counted is what each collection finds anew."""
    from tchannel_thrift.rw import Loader

    gc.collect()
    before = gc.collect()
    module = Loader().loads("gone", idl)
    made = module.S(t=module.T()) if "union" in idl else module.S()
    assert module.loads(module.S, module.dumps(made)) == made
    del module, made
    gc.collect()

    assert gc.collect() == before


def test_who_puts_another_constructor_into_a_class_is_heard(both):
    module = both().native
    calls = []

    def init(self, *args, **kwargs):
        calls.append((args, kwargs))

    module.Pair.__init__ = init
    module.Pair(1, low=2)

    assert calls == [((1,), {"low": 2})]


def test_who_puts_another_new_into_a_class_is_heard(both):
    module = both().native
    made = []

    def new(cls, *_args, **_kwargs):
        made.append(cls)
        return object.__new__(cls)

    module.Pair.__new__ = new
    assert module.Pair(1, low=2).low == 2

    assert made == [module.Pair]


def test_a_subclass_is_made_and_written_by_its_own_rules(both):
    modules = both()

    def derived(m):
        class Derived(m.Pair):
            def __init__(self, both):
                super().__init__(high=both, low=both)

            @property
            def high(self):
                return 77

            @high.setter
            def high(self, value):
                pass

        return [m.dumps(Derived(3)), m.dumps(m.Tree(choice=m.Choice(pair=Derived(4))))]

    assert modules.same(derived)[0] == "list"


def test_a_value_that_was_deleted_is_missing_as_in_python(both):
    modules = both()

    def deleted(m):
        value = m.Everything(flag=True, big=1, name="n", numbers=[])
        del value.name
        del value.word
        return m.dumps(value)

    modules.same(deleted)


def test_instances_are_copied_and_pickled_as_in_python(both):
    modules = both()

    def copies(m):
        value = value_of(m)
        return [copy.copy(value), copy.deepcopy(value), m.loads(m.Everything, m.dumps(value))]

    modules.same(copies)
    failure = modules.native.Failure(why="so")
    assert failure.args == ()
    assert copy.copy(failure) == failure


def test_defaults_are_not_shared_by_instances(both):
    module = both().native
    one, other = (module.Everything(flag=True, big=1, name="n", numbers=[]) for _ in range(2))
    read = module.loads(module.Everything, module.dumps(one))
    for value in (one, other, read):
        for name in ("words", "nothing"):
            getattr(value, name).append("z")
        value.counts["z"] = 1
        value.origin.low = 5

    for value in (one, other, read):
        assert value.words == ["x", "y", "z"]
        assert value.nothing == ["z"]


def test_a_plan_is_filled_once_and_made_by_nobody_else(both):
    from tchannel_speedups import _native

    module = both().native
    plan = vars(module.Pair)[thrift.ATTRIBUTE]
    with pytest.raises(TypeError, match="filled once"):
        _native.fill_plan(plan, module.Pair, copy.deepcopy, 1, False, False, True, False, [])
    with pytest.raises(TypeError, match="cannot create"):
        type(plan)()
    with pytest.raises(TypeError, match="not filled"):
        _native.construct_by(_native.new_plan(), lambda: None)
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(plan)


@pytest.mark.parametrize(
    "field",
    [
        3,
        (b"\x08\0", "high", True, True, None, False, ("q", 10, *[None] * 6, 0, 0)),
        (b"\x08\0\1", "nobody", True, True, None, False, ("q", 10, *[None] * 6, 0, 0)),
        (b"\x08\0\1", "to_primitive", True, True, None, False, ("q", 10, *[None] * 6, 0, 0)),
        (b"\x08\0\1", "high", True, True, None, False, ("X", 10, *[None] * 6, 0, 0)),
        (b"\x08\0\1", "high", True, True, None, False, ("l", 15, *[None] * 6, 0, 0)),
        (b"\x08\0\1", "high", True, True, None, False, ("S", 12, None, None, 3, *[None] * 3, 0, 0)),
        (b"\x08\0\1", "high", True, True, None, False, 5),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(both, field):
    from tchannel_speedups import _native

    module = both().native
    plan = _native.new_plan()
    with pytest.raises((TypeError, AttributeError)):
        _native.fill_plan(plan, module.Pair, copy.deepcopy, 1, False, False, True, False, [field])
    codec = _native.codec(plan, lambda: lambda *_: "python", 0, 0)

    assert codec.dump(module.Pair(1, 2)) == "python"
    assert codec.load(b"\0", 5) == "python"


def test_a_class_that_is_none_of_the_engines_is_left_to_python(both, purely):
    """As where a schema made by Apache Thrift has its values written by the engine."""
    from tchannel_thrift.rw.codegen.encoder import dumper_of

    module = both().python
    spec = copy.copy(module.Pair.type_spec)
    spec.surface = type("Other", (), {"high": 1, "low": 2})

    assert dumper_of(spec)(spec.surface()) == module.dumps(module.Pair(1, 2))
    assert type(vars(spec.surface)["__thrift_dump__"]).__name__ == "function"


@pytest.mark.parametrize(
    ("name", "error"),
    [("rw.spec.Nothing", "AttributeError"), ("rw.nowhere.field_head", "ModuleNotFoundError")],
)
def test_an_engine_that_has_something_no_more_is_refused_with_one_line(
    caplog, monkeypatch, name, error
):
    from tchannel_speedups import parts
    from tchannel_thrift.rw.codegen import ways

    parts.undo("thrift")
    generates = ways.dumper
    monkeypatch.setattr(parts, "_told", set())
    with monkeypatch.context() as context:
        context.setattr(thrift, "OBJECTS", {**thrift.OBJECTS, "field_head": name})
        parts.offer("thrift", parts.LAYOUTS["thrift"])
    try:
        (record,) = caplog.records
        assert "not used for thrift" in record.getMessage()
        assert error in record.getMessage()
        assert ways.dumper is generates
    finally:
        parts.offer("thrift", parts.LAYOUTS["thrift"])

    assert ways.dumper is not generates

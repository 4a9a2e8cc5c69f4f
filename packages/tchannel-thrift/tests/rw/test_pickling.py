"""Instances of generated classes pickle and copy, wherever their module came from."""

import copy
import pickle
import subprocess
import sys

import pytest

from tchannel_thrift import rw

DOCUMENT = """
struct Point { 1: required i32 x 2: optional list<i32> more }
union Choice { 1: Point point 2: string text }
exception Failure { 1: required string message 2: optional Point where }
service Service { Point get(1: required string key) throws (1: Failure failure) }
"""


def instances(module):
    point = module.Point(1, [2, 3])
    return [
        point,
        module.Choice(point=point),
        module.Failure("why", point),
        module.Service.get.request("k"),
        module.Service.get.response(success=point),
    ]


@pytest.fixture(params=["load", "loads"])
def module(request, files):
    if request.param == "loads":
        return rw.Loader().loads("points", DOCUMENT)
    return rw.Loader().load(files({"points.thrift": DOCUMENT}) / "points.thrift")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_returns_an_equal_instance_of_the_same_class(module, protocol):
    for value in instances(module):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again) is type(value)


def test_copy_shares_and_deepcopy_copies(module):
    for value in instances(module):
        for copied in (copy.copy(value), copy.deepcopy(value)):
            assert copied == value
            assert copied is not value
    point = module.Point(1, [2])
    assert copy.copy(point).more is point.more
    assert copy.deepcopy(point).more is not point.more


def test_exceptions_keep_what_was_attached_to_them(module):
    failure = module.Failure("why")
    failure.add_note("seen on the way")
    again = pickle.loads(pickle.dumps(failure))
    assert again.__notes__ == ["seen on the way"]
    assert again.message == "why"


def test_copies_keep_what_was_attached_and_what_contains_itself(module):
    failure = module.Failure("why")
    failure.add_note("seen on the way")
    assert copy.copy(failure).__notes__ is failure.__notes__
    assert copy.deepcopy(failure).__notes__ == ["seen on the way"]
    assert copy.deepcopy(failure).__notes__ is not failure.__notes__
    point = module.Point(1)
    point.more = [point]
    again = copy.deepcopy(point)
    assert again.more[0] is again


def test_subclasses_pickle_by_their_own_name(module, monkeypatch):
    cls = type("Sub", (module.Point,), {"__module__": __name__, "__slots__": ()})
    monkeypatch.setitem(sys.modules, __name__, module_namespace := type(sys)(__name__))
    module_namespace.Sub = cls
    again = pickle.loads(pickle.dumps(cls(5)))
    assert type(again) is cls
    assert again.x == 5


@pytest.mark.parametrize("strict", [True, False])
def test_another_process_loads_the_file(files, strict):
    directory = files({"points.thrift": DOCUMENT})
    module = rw.Loader(strict=strict).load(directory / "points.thrift")
    data = pickle.dumps(instances(module))
    code = (
        "import pickle, sys\n"
        "values = pickle.loads(sys.stdin.buffer.read())\n"
        "print([type(v).__name__ for v in values], values[2].where.more)\n"
        "assert type(values[0]) is type(values[1].point)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == (
        "['Point', 'Choice', 'Failure', 'Service_get_request', 'Service_get_response'] [2, 3]"
    )


def test_another_process_compiles_the_text():
    module = rw.Loader().loads("points", DOCUMENT)
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(module.Point(7)),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "Point({'x': 7, 'more': None})"


def test_a_file_that_is_gone_is_an_os_error(files):
    directory = files({"points.thrift": DOCUMENT})
    data = pickle.dumps(rw.Loader().load(directory / "points.thrift").Point(1))
    (directory / "points.thrift").unlink()
    code = (
        "import pickle, sys\n"
        "try: pickle.loads(sys.stdin.buffer.read())\n"
        "except FileNotFoundError: print('gone')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout == b"gone\n"


def test_a_name_that_is_no_class_any_more_is_an_attribute_error(files):
    directory = files({"points.thrift": DOCUMENT})
    data = pickle.dumps(rw.Loader().load(directory / "points.thrift").Point(1))
    (directory / "points.thrift").write_text("const i32 Point = 1")
    code = (
        "import pickle, sys\n"
        "try: pickle.loads(sys.stdin.buffer.read())\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "Point of the file is no class any more"

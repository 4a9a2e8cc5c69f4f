"""Stubs: mypy and pyright accept right code and refuse wrong code."""

import importlib
import json
import re
import subprocess
import sys
import textwrap

import pytest

from tchannel_thrift.__main__ import main

SHARED = """
struct UUID { 1: required i64 high 2: required i64 low }
exception Missing { 1: required string key }
service Base { string ping() }
"""

SERVICE = """
include "./shared.thrift"

enum Status { QUEUED, RUNNING }
typedef shared.UUID Id
typedef list<string> Names
struct User {
    1: required string name
    2: optional string email
    3: required bool isActive = true
    4: optional Status status
    5: optional list<shared.UUID> friends
    6: optional map<string, set<i32>> scores
    7: optional binary picture
    8: optional double weight
}
union Value { 1: string text 2: i32 number }
exception Hidden { 1: optional string args 2: optional i32 with_traceback 3: required i32 add_note }
struct Method { 1: optional i32 classmethod 2: optional i32 type }
enum Methods { classmethod, staticmethod }
exception Invalid { 1: required string why 2: optional Value value }
struct Hiding { 1: required string str 2: required i32 int 3: optional User User 4: optional i32 x 5: optional string bytes 6: optional binary names }
struct Keyword { 1: required i32 from 2: optional i32 plain }
const i32 LIMIT = 5
const User NOBODY = {"name": "nobody"}
service Users extends shared.Base {
    User get(1: string name, 2: i32 limit = 10) throws (1: shared.Missing missing, 2: Invalid invalid)
    void put(1: required User user)
    oneway void forget(1: string name)
}
"""

RIGHT = """
# pyright: strict
import service
import shared
from tchannel import Request, Response, TChannel
from tchannel_thrift import ThriftRequest

user = service.User("n", email=None, friends=[shared.UUID(1, 2)], scores={"a": {1}})
user = service.User(name="n", isActive=None, status=service.Status.RUNNING, picture=b"x")
name: str = user.name
active: bool = user.isActive
email: str | None = user.email
friends: list[shared.UUID] | None = user.friends
identity: service.Id = service.shared.UUID(high=1, low=2)
names: service.Names = ["a"]
value = service.Value(text="a")
value = service.Value(number=1)
value = service.Value(number=1, text=None)
number: int | None = value.number
try:
    raise service.Invalid("why", value=value)
except service.Invalid as error:
    why: str = error.why
limit: int = service.LIMIT
nobody: str = service.NOBODY.name
hiding = service.Hiding("s", 5, User=user, x=1, names=b"a")
text: str = hiding.str
keyword = service.Keyword(**{"from": 1, "plain": 2})
keyword = service.Keyword(1, 2)
keyword = service.Keyword(1, plain=2)
plain: int | None = keyword.plain
queued: int = service.Status.QUEUED
label: str | None = service.Status.name_of(0)
primitive: dict[str, object] = user.to_primitive()
user = service.User.from_primitive({"name": "n"})
payload: bytes = service.dumps(user)
user = service.loads(service.User, payload)
arguments = service.Users.get.request("n", limit=None)
asked: str | None = arguments.name
at_most: int = arguments.limit
answer = service.Users.get.response(success=user)
answer = service.Users.get.response(missing=shared.Missing("n"))
found: service.User | None = answer.success
nothing = service.Users.put.response()
request: ThriftRequest[service.User] = service.Users.get("n")
request = service.Users.get(name="n", limit=5)
nothing_comes: ThriftRequest[None] = service.Users.put(user)


async def call(channel: TChannel) -> str | None:
    response = await channel.thrift(service.Users.get("n"), timeout=1)
    at_once: dict[str, str] = response.headers
    found: service.User = response.body
    return found.email or at_once["x"]


message: bytes = service.dumps.message(arguments, seqid=5)
function: str = service.Users.get.name


class Plain:
    def ping(self, request: Request) -> str:
        return str(request.headers)

    async def get(self, request: service.Users_get_Request) -> service.User:
        return service.User(request.body.name or "")

    def put(self, request: service.Users_put_Request) -> None:
        print(request.body.user.email)


class Inherited(service.UsersHandlers):
    def ping(self, request: shared.Base_ping_Request) -> Response[str]:
        return Response("pong")

    async def get(self, request: service.Users_get_Request) -> Response[service.User]:
        return Response(service.User(request.body.name or ""))

    async def put(self, request: service.Users_put_Request) -> None: ...


handlers: service.UsersHandlers = Plain()


def serve(channel: TChannel) -> Plain:
    channel.thrift.register(service.Users, Inherited())
    channel.thrift.register(service, Inherited(), service="Users")
    return channel.thrift.register(service.Users, Plain())


serve(TChannel("users"))
"""

WRONG = [
    "service.User()",
    "service.User(5)",
    'service.User("n", nope=1)',
    'service.User("n", email=5)',
    'service.User("n", scores={"a": 1})',
    'service.User("n", status="QUEUED")',
    'name: int = service.User("n").name',
    'email: str = service.User("n").email',
    'service.User("n").nope',
    "service.Value()",
    'service.Value("a")',
    'service.Value(text="a", number=1)',
    'service.Value(number="a")',
    "service.Status.NOPE",
    "service.Status.QUEUED = 5",
    "limit: str = service.LIMIT",
    "service.Nope",
    'raise service.User("n")',
    "service.Users.nope",
    "service.Users.get(5)",
    'service.Users.get("n", nope=1)',
    "service.Users.put()",
    'service.Users.put("user")',
    'service.Users.forget("n")',
    'request: ThriftRequest[str] = service.Users.get("n")',
    "service.Users.get.request(5)",
    "service.Users.get.response()",
    "service.Users.get.response(success=5)",
    "service.Users.forget.response(success=5)",
    'service.shared.UUID("a", 2)',
    'service.loads(service.User, "text")',
    'user: service.Value = service.loads(service.User, b"")',
    "service.Keyword.nope",
    'service.Keyword("a")',
    'service.Keyword(1, "a")',
    "service.Users.put.response(success=5)",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A directory with stubs and code that uses them."""
    directory = tmp_path_factory.mktemp("project")
    (directory / "service.thrift").write_text(SERVICE)
    (directory / "shared.thrift").write_text(SHARED)
    assert main(["stubs", str(directory / "service.thrift"), "--strict"]) == 0
    (directory / "right.py").write_text(RIGHT)
    lines = ["import service", *(f"def f{n}() -> None: {line}" for n, line in enumerate(WRONG))]
    (directory / "wrong.py").write_text("\n".join(lines) + "\n")
    (directory / "pyrightconfig.json").write_text(
        json.dumps({"venvPath": sys.prefix + "/..", "typeCheckingMode": "standard"})
    )
    return directory


def lines_refused(output, name):
    return {int(line) for line in re.findall(rf"{name}\.py:(\d+):.*error", output)}


def mypy(project, *files):
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--python-executable", sys.executable, *files],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def pyright(project, *files):
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *files],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("check", [mypy, pyright])
def test_right_code_is_accepted_and_so_are_the_stubs(project, check):
    output = check(project, "right.py", "service.pyi", "shared.pyi")
    assert "error" not in output.replace("0 errors", ""), output


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("check", [mypy, pyright])
def test_every_wrong_line_is_refused(project, check):
    output = check(project, "wrong.py")
    accepted = set(range(2, len(WRONG) + 2)) - lines_refused(output, "wrong")
    assert [WRONG[line - 2] for line in sorted(accepted)] == [], output


def test_right_code_runs(project, monkeypatch):
    """What the checkers accept holds at run time, as far as no server is needed."""
    package = project / "runs" / "generated_users"
    assert main(["stubs", str(project / "service.thrift"), "--package", str(package), "--strict",
                 "--service", "users"]) == 0  # fmt: skip
    monkeypatch.syspath_prepend(str(project / "runs"))
    try:
        service = importlib.import_module("generated_users.service")
        shared = importlib.import_module("generated_users.shared")
        monkeypatch.setitem(sys.modules, "service", service)
        monkeypatch.setitem(sys.modules, "shared", shared)
        exec(RIGHT, {})
    finally:
        for name in [name for name in sys.modules if name.startswith("generated_users")]:
            del sys.modules[name]


def test_package_is_importable_without_the_original_files(tmp_path, monkeypatch):
    (tmp_path / "source" / "down").mkdir(parents=True)
    (tmp_path / "source" / "down" / "service.thrift").write_text(
        'include "../shared.thrift"\nstruct S { 1: shared.UUID id }\nservice V { S get() }'
    )
    (tmp_path / "source" / "shared.thrift").write_text(SHARED)
    package = tmp_path / "made" / "some_package"
    assert (
        main(["stubs", str(tmp_path / "source/down/service.thrift"), "--package", str(package)])
        == 0
    )
    assert sorted(file.name for file in package.iterdir()) == [
        "__init__.py", "idl", "py.typed", "service.py", "service.pyi", "shared.py", "shared.pyi",
    ]  # fmt: skip
    for file in (tmp_path / "source").rglob("*.thrift"):
        file.unlink()
    monkeypatch.syspath_prepend(str(tmp_path / "made"))
    try:
        service = importlib.import_module("some_package.service")
        shared = importlib.import_module("some_package.shared")
        value = service.S(shared.UUID(1, 2))
        assert service.loads(service.S, service.dumps(value)) == value
        assert service.shared is shared
        assert service.V.get.response(success=value).success is value
        assert len(service.__types__) == 1
    finally:
        for name in [name for name in sys.modules if name.startswith("some_package")]:
            del sys.modules[name]


@pytest.mark.once
@pytest.mark.timeout(300)
def test_stubs_in_a_package_import_relatively(project):
    package = project / "inside"
    package.mkdir()
    (package / "__init__.py").write_text("")
    assert main(["stubs", str(project / "service.thrift"), "-o", str(package / "service.pyi")]) == 0
    assert "from . import shared as shared" in (package / "service.pyi").read_text()
    (project / "uses.py").write_text(
        "from inside import service\nx: int = service.shared.UUID(1, 2).high\n"
    )
    assert "error" not in mypy(project, "uses.py")


def test_commands_report_mistakes(tmp_path, capsys):
    bad = tmp_path / "bad.thrift"
    bad.write_text("struct S {")
    assert main(["stubs", str(bad)]) == 1
    assert f"{bad}:1:" in capsys.readouterr().err
    assert main(["stubs", str(tmp_path / "nope.thrift")]) == 1
    assert "nope.thrift" in capsys.readouterr().err
    bad.write_text("struct S { 1: i32 x }")
    assert main(["stubs", str(bad), "--strict"]) == 1
    assert "requiredness" in capsys.readouterr().err
    assert main(["stubs", str(bad), "--service", "x"]) == 2
    assert "--package" in capsys.readouterr().err


def test_help_names_the_options():
    done = subprocess.run(
        [sys.executable, "-m", "tchannel_thrift", "stubs", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--package", "--strict", "--lenient", "-o", "--service", "-I", "--int-enum"):
        assert option in done.stdout


def test_written_files_are_listed(tmp_path, capsys):
    (tmp_path / "a.thrift").write_text(textwrap.dedent("struct uuids { 1: uuid id }"))
    target = tmp_path / "out.pyi"
    assert main(["stubs", str(tmp_path / "a.thrift"), "-o", str(target), "--lenient"]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert "id: _UUID | None" in target.read_text()

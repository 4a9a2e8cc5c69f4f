"""What no file of the repository may hold, and how long one may be."""

import re
import subprocess
import tempfile
from pathlib import Path

# No file may be longer; those beyond the limit of conftest.py are listed after the run.
MOST_LINES = 800

# Folders that are too common for their name to say anything about one machine.
COMMON = {Path("/"), Path("/home"), Path("/tmp"), Path("/usr"), Path("/opt"), Path("/srv")}

# The address of a package index, whatever its host.
INDEX = re.compile(
    r"https?://\S+/simple\b|--(extra-)?index-url|^\s*registry\s*=\s*[\"']?\w+://", re.MULTILINE
)
LOCKED = re.compile(r'"resolved":\s*"(?:git\+)?(?:https?|file):')


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def machine_paths(root: Path) -> list[str]:
    """Folders of this machine that mean nothing on another one."""
    candidates = [root.resolve(), root.resolve().parent, Path.home()]
    temporary = Path(tempfile.gettempdir())
    return [
        str(path) for path in candidates if path not in COMMON and temporary not in path.parents
    ]


def registry_hosts() -> list[str]:
    """The hosts of the registries that this machine is configured for."""
    hosts = []
    for argv in (
        ["npm", "config", "get", "registry"],
        ["pip", "config", "get", "global.index-url"],
    ):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        except FileNotFoundError:
            continue
        match = re.match(r"https?://(?:[^/@]*@)?([^/:\s]+)", done.stdout)
        if match:
            hosts.append(match[1])
    return hosts


def test_no_file_names_a_path_of_this_machine(tracked, root):
    patterns = [
        re.compile(rf"(?:^|[^\w.]){re.escape(path)}(?:/|\b)", re.MULTILINE)
        for path in machine_paths(root)
    ]

    found = [path for path in tracked if any(one.search(text_of(path)) for one in patterns)]
    assert [str(path.relative_to(root)) for path in found] == []


def test_no_file_names_somebodys_home(tracked, root):
    home = re.compile(r"(?:^|[\s\"'=(])/(?:home|Users)/\w+", re.MULTILINE)

    assert [str(path.relative_to(root)) for path in tracked if home.search(text_of(path))] == []


def test_no_file_names_a_package_registry(tracked, root):
    hosts = [re.escape(host) for host in registry_hosts()]
    patterns = [INDEX, LOCKED, *(re.compile(rf"\b{host}\b") for host in hosts)]

    found = [
        str(path.relative_to(root))
        for path in tracked
        if path != Path(__file__).resolve()
        and any(pattern.search(text_of(path)) for pattern in patterns)
    ]
    assert found == []


def test_no_source_file_is_endless(lengths):
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_list_of_files_that_may_be_long_is_up_to_date(lengths, long_files):
    for name, reason in long_files.allowed.items():
        assert lengths.get(name, 0) > long_files.limit, f"{name} is short by now, or gone"
        assert reason


def test_tests_have_no_init_modules(tracked, root):
    found = [path for path in tracked if path.name == "__init__.py" and "tests" in path.parts]

    assert found == []


def test_no_module_is_a_catch_all(tracked, root):
    names = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}

    assert [str(path.relative_to(root)) for path in tracked if path.name in names] == []


def test_log_lines_are_written_by_loggers_that_escape_what_peers_sent(root):
    # The tools write no lines of their own by logging, but show those of the others.
    layers = ["hyperbahn", "observe", "testing", "thrift", "yarpc"]
    found = [
        path.name
        for layer in layers
        for path in (root / "packages" / f"tchannel-{layer}" / "src").rglob("*.py")
        if "= logging.getLogger" in text_of(path)  # kept, to write lines with
    ]
    assert found == []

"""``make release``: what it refuses, and what it leaves behind. Each in a copy of the repository."""

import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

# A release is built twice.
pytestmark = pytest.mark.timeout(300)

CORE = "packages/tchannel-core"
WIRE = "packages/tchannel-wire"


@dataclass
class Copy:
    """A copy of the repository with an identity of its own, in which nothing runs our suite."""

    root: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text
        (self.root / path).write_text(text.replace(old, new, 1))

    def commit(self, message: str = "A change") -> None:
        self.git("commit", "--quiet", "--all", "--message", message)

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.root / "scripts" / "release.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def refusal(self, *arguments: str) -> str:
        """Why a release is refused; nothing may have changed then."""
        before = self.git("rev-parse", "HEAD"), self.git("tag", "--list")
        done = self.release(*arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        assert (self.git("rev-parse", "HEAD"), self.git("tag", "--list")) == before
        (line,) = done.stderr.splitlines()
        return line

    def unreleased(self, name: str) -> None:
        """Begin the changelog of a distribution anew, as after a release."""
        path = f"packages/{name}/CHANGELOG.md"
        text = self.read(path)
        first = re.search(r"^## ", text, re.MULTILINE)
        assert first
        new = text[: first.start()] + "## Unreleased\n\n- A change.\n\n" + text[first.start() :]
        (self.root / path).write_text(new.replace("(unreleased)", "(2026-01-31)"))


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Copy:
    """A copy with what stands in the tree, committed."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    folder = tmp_path / "repository"
    for name in filter(None, files.split("\0")):
        if name.startswith(("packages/", "scripts/")) and (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((root / name).read_bytes())
    # The project's own tests are not run here.
    (folder / "Makefile").write_text("check test:\n\t@true\n")
    (folder / ".gitignore").write_text("/dist/\n")
    made = Copy(folder)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.git("config", "user.name", "A maintainer")
    made.git("config", "user.email", "maintainer@example.org")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "The beginning")
    return made


@pytest.fixture
def released(copy: Copy) -> Copy:
    """A copy in which wire and core were released as they are."""
    for name in ("wire", "core"):
        copy.git("tag", f"tchannel-{name}-0.1.0")
        copy.unreleased(f"tchannel-{name}")
    copy.commit()
    return copy


def test_a_release_leaves_a_commit_a_tag_and_files_and_says_how_to_publish_them(copy):
    done = copy.release("wire", "0.1.0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.git("tag", "--list") == "tchannel-wire-0.1.0"
    assert copy.git("log", "-1", "--format=%s %an") == "Release tchannel-wire 0.1.0 A maintainer"
    assert copy.git("status", "--porcelain") == ""
    assert re.search(
        r"^## 0\.1\.0 \(\d{4}-\d\d-\d\d\)$", copy.read(f"{WIRE}/CHANGELOG.md"), re.MULTILINE
    )
    with zipfile.ZipFile(copy.root / "dist/tchannel_wire-0.1.0-py3-none-any.whl") as wheel:
        assert "tchannel_wire/__init__.py" in wheel.namelist()
    with tarfile.open(copy.root / "dist/tchannel_wire-0.1.0.tar.gz") as sdist:
        assert "tchannel_wire-0.1.0/pyproject.toml" in sdist.getnames()
    assert done.stdout.count("the same twice") == 2
    assert "twine upload dist/tchannel_wire-0.1.0-py3-none-any.whl" in done.stdout


def test_a_wheel_that_was_compiled_here_is_built_twice_and_not_published(released):
    done = released.release("speedups", "0.1.0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the same twice") == 2
    assert "stays here: the release workflow compiles" in done.stdout
    assert [path.name for path in (released.root / "dist").iterdir()] == [
        "tchannel_speedups-0.1.0.tar.gz"
    ]


def test_a_dry_run_leaves_nothing(copy):
    before = copy.git("rev-parse", "HEAD")

    done = copy.release("wire", "0.1.0", "--dry-run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was changed" in done.stdout
    assert (copy.git("rev-parse", "HEAD"), copy.git("tag", "--list")) == (before, "")
    assert copy.git("status", "--porcelain") == ""
    assert not (copy.root / "dist").exists()


def test_a_later_version_is_written_where_the_build_takes_it_from(released):
    done = released.release("wire", "0.1.1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert '__version__ = "0.1.1"' in released.read(f"{WIRE}/src/tchannel_wire/_version.py")
    assert (released.root / "dist" / "tchannel_wire-0.1.1.tar.gz").is_file()


def test_a_major_version_moves_the_bounds_of_those_that_need_it(released):
    assert released.release("wire", "1.0.0").returncode == 0

    assert '"tchannel-wire>=1.0,<2"' in released.read(f"{CORE}/pyproject.toml")


def test_a_release_needs_the_last_release_of_its_siblings(released):
    released.git("tag", "tchannel-wire-0.2.0")

    assert released.release("core", "0.1.1").returncode == 0

    assert '"tchannel-wire>=0.2,<1"' in released.read(f"{CORE}/pyproject.toml")


def test_a_check_gives_each_what_it_should_be_called_and_leaves_nothing(released):
    for path in released.root.glob("packages/*/CHANGELOG.md"):
        name = path.parent.name
        if name not in {"tchannel-wire", "tchannel-core", "tchannel-thrift"}:
            path.write_text(path.read_text().replace("(unreleased)", "(2026-01-31)"))
            released.git("tag", f"{name}-0.1.0")
    released.replace(f"{CORE}/CHANGELOG.md", "## Unreleased", "## 0.1.1 (2026-02-28)")
    released.replace(f"{WIRE}/src/tchannel_wire/connection.py", "    def close(", "    def end(")
    released.commit()

    done = released.release("--check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "tchannel-wire 0.2.0, after 0.1.0" in done.stdout
    assert "tchannel-core: nothing is unreleased" in done.stdout
    assert "tchannel-thrift 0.1.0, after no release" in done.stdout
    assert released.git("status", "--porcelain") == ""


class TestRefused:
    def test_what_is_not_committed(self, copy):
        copy.replace(f"{WIRE}/README.md", "# ", "# A ")

        assert copy.refusal("wire", "0.1.0") == (
            f"release: the tree is not clean: M {WIRE}/README.md"
        )

    def test_a_distribution_that_is_not_there(self, copy):
        assert "there is no tchannel-wires: one of core, " in copy.refusal("wires", "1.0.0")

    def test_a_version_that_is_out(self, released):
        assert "tchannel-wire 0.1.0 is released" in released.refusal("wire", "0.1.0")

    def test_a_version_before_the_last(self, released):
        assert "take a later version than 0.0.9" in released.refusal("wire", "0.0.9")

    def test_a_sibling_that_was_never_released(self, copy):
        assert "needs tchannel-wire, which has no release" in copy.refusal("core", "0.1.0")

    def test_a_changelog_that_says_nothing(self, copy):
        copy.git("tag", "tchannel-wire-0.1.0")

        assert "CHANGELOG.md of tchannel-wire has no section" in copy.refusal("wire", "0.1.1")

    def test_a_committer_without_a_name(self, copy, monkeypatch):
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
        copy.git("config", "--unset", "user.email")

        assert "git config user.email" in copy.refusal("wire", "0.1.0")
        assert copy.release("wire", "0.1.0", "--dry-run").returncode == 0

    @pytest.mark.parametrize("version", ["1.0", "1.0.0rc1", "v1.0.0", "latest"])
    def test_a_version_that_is_not_three_numbers(self, copy, version):
        done = copy.release("wire", version)

        assert done.returncode == 2
        assert "not a version of three numbers" in done.stderr

    def test_tests_that_fail(self, copy):
        copy.replace("Makefile", "@true", "@false")
        copy.commit()

        assert copy.release("wire", "0.1.0").returncode == 1
        assert copy.git("tag", "--list") == ""


class TestTheApi:
    """What is gone since the last release needs a version that says so."""

    @pytest.mark.parametrize(
        ("path", "old", "new", "what"),
        [
            ("channel.py", "def reload_tls(self)", "def reload_certificates(self)", "reload_tls"),
            ("channel.py", "port: int | None = None", "port: int", "TChannel.listen(port)"),
            ("lowlevel.py", "from ._serving.answering import change_answer\n", "", "change_answer"),
        ],
    )
    def test_an_incompatible_change_is_refused_by_name(self, released, path, old, new, what):
        released.replace(f"{CORE}/src/tchannel/{path}", old, new)
        released.commit()

        done = released.release("core", "0.1.1")

        assert done.returncode == 1
        assert what in done.stdout
        assert done.stderr.startswith("release: 1 incompatible changes since 0.1.0: take 0.2.0")

    def test_with_a_version_that_says_so_it_is_released(self, released):
        released.replace(
            f"{WIRE}/src/tchannel_wire/connection.py", "    def close(", "    def end("
        )
        released.commit()

        done = released.release("wire", "0.2.0", "--dry-run")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 incompatible changes" in done.stdout

    def test_additions_and_changes_within_are_compatible(self, released):
        path = f"{WIRE}/src/tchannel_wire/connection.py"
        released.replace(
            path, "    def close(", "    def more(self) -> None: ...\n\n    def close("
        )
        released.replace(path, "    def _", "    def _another_")
        released.commit()

        done = released.release("wire", "0.1.1", "--dry-run")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 incompatible changes" in done.stdout

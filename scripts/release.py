"""Release one distribution: version, changelog, bounds, a reproducible build, a tag.

    make release PACKAGE=thrift VERSION=1.1.0
    make release PACKAGE=thrift VERSION=1.1.0 DRY_RUN=1
    make release-check

All is done in a copy of the repository. Only when nothing failed do the commit and the tag come back
into this one, and the files into ``dist/``; the command that uploads them is printed, not run. A dry
run leaves this repository as it was, and does not run the tests.

Exit codes: 0 done, 1 refused (one line says why), 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import datetime as dt
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import griffe
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
HEADING = r"^## (?:{version} \(unreleased\)|Unreleased)$"


class Refused(Exception):
    """The release cannot be made; the text says why, and what to do."""


@dataclass(frozen=True)
class Distribution:
    """One of the distributions, as it lies in a copy of the repository."""

    folder: Path

    @property
    def project(self) -> dict[str, object]:
        """The table ``[project]`` of its metadata."""
        text = (self.folder / "pyproject.toml").read_text(encoding="utf-8")
        found: dict[str, object] = tomllib.loads(text)["project"]
        return found

    @property
    def name(self) -> str:
        """As it is known to pip."""
        return self.folder.name

    @property
    def import_name(self) -> str:
        """The name of its package."""
        return self.version_file.parent.name

    @property
    def version_file(self) -> Path:
        """The file that the build takes the version from."""
        (found,) = (self.folder / "src").glob("*/_version.py")
        return found

    @property
    def version(self) -> Version:
        """The version that stands there."""
        text = self.version_file.read_text(encoding="utf-8")
        return Version(re.findall(r'^__version__ = "(.*)"$', text, re.MULTILINE)[0])

    @property
    def urls(self) -> dict[str, str]:
        """Where its page on an index leads to."""
        found = self.project.get("urls", {})
        assert isinstance(found, dict)
        return found

    def dependencies(self) -> list[Requirement]:
        """What it always needs."""
        lines = self.project.get("dependencies", [])
        assert isinstance(lines, list)
        return [Requirement(line) for line in lines]

    def requirements(self) -> list[Requirement]:
        """What it needs, with what its extras need."""
        extras = self.project.get("optional-dependencies", {})
        assert isinstance(extras, dict)
        return [
            *self.dependencies(),
            *(Requirement(line) for lines in extras.values() for line in lines),
        ]


@dataclass(frozen=True)
class Copy:
    """A copy of the repository that may be changed."""

    root: Path

    def git(self, *arguments: str) -> str:
        """What a git command prints."""
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def distributions(self) -> dict[str, Distribution]:
        """All of them, by name."""
        found = sorted(self.root.glob("packages/*/pyproject.toml"))
        return {path.parent.name: Distribution(path.parent) for path in found}

    def releases(self, name: str) -> list[Version]:
        """The versions of a distribution that were tagged, oldest first."""
        tags = self.git("tag", "--list", f"{name}-*").split()
        rest = [tag.removeprefix(f"{name}-") for tag in tags]
        return sorted(Version(one) for one in rest if re.fullmatch(r"\d+\.\d+\.\d+", one))

    def clone(self, to: Path, ref: str = "HEAD") -> Copy:
        """Another copy, of one commit."""
        command = ["git", "clone", "--quiet", "--shared", str(self.root), str(to)]
        subprocess.run(command, check=True, capture_output=True)
        other = Copy(to)
        other.git("checkout", "--quiet", "--detach", self.git("rev-parse", f"{ref}^{{commit}}"))
        return other


def breaks(old: Version, new: Version) -> bool:
    """Whether a version may change what users rely on: a new major one, or, before 1.0, a new minor."""
    return new.major > old.major or (old.major == 0 and new.minor > old.minor)


def first_that_may_break(last: Version) -> str:
    """The next version after `last` in which something may be gone."""
    return f"0.{last.minor + 1}.0" if last.major == 0 else f"{last.major + 1}.0.0"


def check_version(copy: Copy, name: str, version: Version) -> Version | None:
    """The last release of a distribution, when `version` may follow it."""
    released = copy.releases(name)
    if not released:
        return None
    if version <= released[-1]:
        raise Refused(f"{name} {released[-1]} is released: take a later version than {version}")
    return released[-1]


def check_siblings(copy: Copy, distribution: Distribution, *, dry_run: bool) -> dict[str, Version]:
    """The last release of each distribution that this one needs."""
    found: dict[str, Version] = {}
    siblings = copy.distributions()
    for name in (one.name for one in distribution.dependencies() if one.name in siblings):
        released = copy.releases(name)
        if not released:
            needed = f"{distribution.name} needs {name}, which has no release: release it first"
            if not dry_run:
                raise Refused(needed)
            print(f"  note: {needed}")
            continue
        since = copy.git(
            "log", "--oneline", f"{name}-{released[-1]}..", "--", f"packages/{name}/src"
        )
        if since:
            count = len(since.splitlines())
            print(f"  note: {name} has {count} changes since its release {released[-1]}")
        found[name] = released[-1]
    return found


def load_api(copy: Copy, import_name: str) -> griffe.Object | griffe.Alias:
    """The public names of a package, read without importing it."""
    # With all siblings: what a package takes from them is part of what it offers.
    paths = sorted(copy.root.glob("packages/*/src"))
    loader = griffe.GriffeLoader(search_paths=paths, allow_inspection=False)
    found = loader.load(import_name)
    loader.resolve_aliases(implicit=False, external=True)
    return found


def incompatible(old: Copy, new: Copy, import_name: str) -> list[str]:
    """What was taken from the users of a package, one line each."""
    found = griffe.find_breaking_changes(load_api(old, import_name), load_api(new, import_name))
    lines = []
    for one in found:
        text = one.explain(griffe.ExplanationStyle.ONE_LINE)
        plain = re.sub(r"\x1b\[\d+m", "", text)
        lines.append(plain.replace(f"{old.root}/", "").replace(f"{new.root}/", ""))
    return lines


def check_api(copy: Copy, distribution: Distribution, last: Version, version: Version) -> None:
    """Refuse what would break users without a version that says so."""
    with tempfile.TemporaryDirectory() as folder:
        old = copy.clone(Path(folder) / "old", f"{distribution.name}-{last}")
        lines = incompatible(old, copy, distribution.import_name)
    for line in lines:
        print(f"  {line}")
    if lines and not breaks(last, version):
        raise Refused(
            f"{len(lines)} incompatible changes since {last}: take {first_that_may_break(last)}, "
            "or bring back what is gone"
        )
    print(f"  {len(lines)} incompatible changes since {last}")


def write_version(distribution: Distribution, version: Version) -> None:
    """Put the version where the build takes it from."""
    text = distribution.version_file.read_text(encoding="utf-8")
    new = re.sub(r'^(__version__ = ").*(")$', rf"\g<1>{version}\g<2>", text, flags=re.MULTILINE)
    distribution.version_file.write_text(new, encoding="utf-8")


def write_changelog(distribution: Distribution, version: Version, day: dt.date) -> None:
    """Date what is unreleased in the changelog."""
    path = distribution.folder / "CHANGELOG.md"
    text = path.read_text(encoding="utf-8")
    heading = re.compile(HEADING.format(version=re.escape(str(version))), re.MULTILINE)
    if not heading.search(text):
        raise Refused(
            f'{path.name} of {distribution.name} has no section "## Unreleased" or '
            f'"## {version} (unreleased)": write what changed'
        )
    path.write_text(
        heading.sub(f"## {version} ({day.isoformat()})", text, count=1), encoding="utf-8"
    )


def write_bound(distribution: Distribution, sibling: str, version: Version) -> bool:
    """Let a distribution admit `version` of a sibling, and nothing before it; false: it did."""
    path = distribution.folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    bound = f">={version.major}.{version.minor},<{version.major + 1}"
    pattern = re.compile(rf'("{re.escape(sibling)}(?:\[[^\]]*\])?)>=[\d.]+,<\d+(")')
    new = pattern.sub(rf"\g<1>{bound}\g<2>", text)
    path.write_text(new, encoding="utf-8")
    return new != text


def write_bounds(
    copy: Copy, distribution: Distribution, version: Version, siblings: dict[str, Version]
) -> Iterator[str]:
    """Mend the bounds between the distributions; says which.

    What the released one needs is what is released of it. The others go on admitting older versions
    of the released one, but for a new major one: nobody knows whether they work with both.
    """
    for name, released in siblings.items():
        if write_bound(distribution, name, released):
            yield f"{distribution.name} needs {name} {released.major}.{released.minor}"
    for other in copy.distributions().values():
        needed = [one for one in other.requirements() if one.name == distribution.name]
        if any(not one.specifier.contains(version) for one in needed):
            write_bound(other, distribution.name, version)
            yield f"{other.name} needs {distribution.name} {version.major}.{version.minor}"


def build(copy: Copy, name: str, to: Path) -> list[Path]:
    """Build a distribution as it is committed in a copy; the time in it is the commit's."""
    epoch = copy.git("log", "-1", "--format=%ct")
    command = [sys.executable, "-m", "build", "--quiet", "--no-isolation", "--outdir", str(to)]
    run([*command, str(copy.root / "packages" / name)], "the build", SOURCE_DATE_EPOCH=epoch)
    return sorted(to.iterdir())


def build_twice(copy: Copy, name: str, folder: Path) -> list[Path]:
    """Build in two places, and refuse what is not the same byte for byte."""
    built = []
    for place in ("first", "second-place"):
        clone = copy.clone(folder / place)
        built.append(build(clone, name, folder / f"dist-{place}"))
    for one, other in zip(*built, strict=True):
        if not filecmp.cmp(one, other, shallow=False):
            raise Refused(f"{one.name} is built otherwise each time: two builds differ")
        print(f"  {one.name}: {one.stat().st_size:,} bytes, the same twice")
    run([sys.executable, "-m", "twine", "check", "--strict", *map(str, built[0])], "twine check")
    return built[0]


def publishable(files: list[Path]) -> list[Path]:
    """Return what may be uploaded: no index takes a wheel that was compiled on just any machine."""
    compiled = [one for one in files if one.suffix == ".whl" and not one.stem.endswith("-none-any")]
    for one in compiled:
        print(f"  {one.name} stays here: the release workflow compiles a wheel for each system")
    return [one for one in files if one not in compiled]


def run(command: list[str], what: str, **environment: str) -> None:
    """Run a step whose output matters only when it fails."""
    variables = {**os.environ, **environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], file=sys.stderr)
        raise Refused(f"{what} failed")


def check_clean(here: Copy) -> None:
    """Refuse what is not committed: it would not be in the release."""
    changed = here.git("status", "--porcelain")
    if changed:
        raise Refused(f"the tree is not clean: {changed.splitlines()[0].strip()}")


def run_tests() -> None:
    """All that must hold before a release."""
    for target in ("check", "test"):
        print(f"make {target}", flush=True)
        if subprocess.run(
            ["make", "--no-print-directory", target], cwd=ROOT, check=False
        ).returncode:
            raise Refused(f"make {target} failed")


def release(here: Copy, name: str, version: Version, *, dry_run: bool, day: dt.date) -> None:
    """Make a release, or all of it that leaves no trace.

    Raises:
        Refused: it cannot be made.

    """
    check_clean(here)
    if name not in here.distributions():
        names = ", ".join(one.removeprefix("tchannel-") for one in here.distributions())
        raise Refused(f"there is no {name}: one of {names}")
    last = check_version(here, name, version)
    if not dry_run:
        run_tests()
    with tempfile.TemporaryDirectory() as folder:
        copy = here.clone(Path(folder) / "copy")
        distribution = copy.distributions()[name]
        print(f"{name} {version}, after {last or 'no release'}")
        if "Source" not in distribution.urls:
            print(
                "  note: [project.urls] has no Source: its page on the index leads to no repository"
            )
        siblings = check_siblings(copy, distribution, dry_run=dry_run)
        if last is not None:
            check_api(copy, distribution, last, version)
        write_version(distribution, version)
        write_changelog(distribution, version, day)
        for line in write_bounds(copy, distribution, version, siblings):
            print(f"  {line}")
        commit(copy, here, f"Release {name} {version}", dry_run=dry_run)
        files = publishable(build_twice(copy, name, Path(folder)))
        tag = f"{name}-{version}"
        if dry_run:
            print(copy.git("show", "--stat", "--format=", "HEAD"))
            print(f"dry run: nothing was changed; it would be tagged {tag}")
            return
        here.git("fetch", "--quiet", str(copy.root), "HEAD")
        here.git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
        here.git("tag", "--annotate", tag, "--message", f"{name} {version}")
        kept = keep(files, here.root / "dist")
    print(f"tagged {tag}. To publish it:\n  git push origin HEAD {tag}\n  twine upload {kept}")


def next_version(here: Copy, distribution: Distribution) -> Version | None:
    """What the next release should be called; None: nothing is unreleased."""
    released = here.releases(distribution.name)
    if not released:
        return distribution.version
    text = (distribution.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(r"^## Unreleased$|^## .*\(unreleased\)$", text, re.MULTILINE):
        return None
    last = released[-1]
    with tempfile.TemporaryDirectory() as folder:
        old = here.clone(Path(folder) / "old", f"{distribution.name}-{last}")
        broken = incompatible(old, here, distribution.import_name)
    if not broken:
        return Version(f"{last.major}.{last.minor}.{last.micro + 1}")
    return Version(first_that_may_break(last))


def check_all(here: Copy, day: dt.date) -> None:
    """Dry-run the release of every distribution that has something to release.

    Raises:
        Refused: one of them cannot be made.

    """
    for name, distribution in here.distributions().items():
        version = next_version(here, distribution)
        if version is None:
            print(f"{name}: nothing is unreleased")
        else:
            release(here, name, version, dry_run=True, day=day)


def commit(copy: Copy, here: Copy, message: str, *, dry_run: bool) -> None:
    """Commit in a copy under the name that is configured here."""
    for key in ("user.name", "user.email"):
        value = here.git("config", "--default", "nobody" if dry_run else "", key)
        if not value:
            raise Refused(f"git does not know who you are: git config {key} …")
        copy.git("config", key, value)
    copy.git("checkout", "--quiet", "-B", "release")
    copy.git("add", "--update")
    copy.git("commit", "--quiet", "--allow-empty", "--message", message)


def keep(files: Iterable[Path], folder: Path) -> str:
    """Bring what was built to where it is published from."""
    folder.mkdir(exist_ok=True)
    kept = [Path(shutil.copy(file, folder)) for file in files]
    return " ".join(str(path.relative_to(folder.parent)) for path in kept)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", nargs="?", help="thrift, or tchannel-thrift")
    parser.add_argument("version", nargs="?", help="as 1.1.0")
    parser.add_argument("--dry-run", action="store_true", help="all that leaves no trace")
    parser.add_argument("--check", action="store_true", help="dry-run whatever is unreleased")
    found = parser.parse_args()
    if found.check:
        return found
    if found.package is None or found.version is None:
        parser.error("which distribution, and which version? As: thrift 1.1.0")
    if not re.fullmatch(r"\d+\.\d+\.\d+", found.version):
        parser.error(f"not a version of three numbers: {found.version!r}")
    return found


def main() -> int:
    """Release what the command line says."""
    asked = arguments()
    here, day = Copy(ROOT), dt.datetime.now(dt.UTC).date()
    try:
        if asked.check:
            check_all(here, day)
        else:
            name = "tchannel-" + asked.package.removeprefix("tchannel-")
            release(here, name, Version(asked.version), dry_run=asked.dry_run, day=day)
    except Refused as refused:
        print(f"release: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

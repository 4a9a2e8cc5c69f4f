"""Each distribution's metadata, and the bounds between them."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

SIBLING_BOUND = re.compile(r">=(\d+\.\d+),<(\d+)")


def requirements(distribution) -> list[Requirement]:
    extras = distribution.project.get("optional-dependencies", {}).values()
    lines = [*distribution.project["dependencies"], *(line for lines in extras for line in lines)]
    return [Requirement(line) for line in lines]


def test_there_are_the_distributions(distributions):
    layers = ["wire", "core", "thrift", "hyperbahn", "testing", "tools", "yarpc", "observe"]
    layers += ["speedups"]

    assert sorted(distributions) == sorted(f"tchannel-{layer}" for layer in layers)


def test_the_bounds_on_siblings_are_true_for_the_siblings_as_they_are(distribution, distributions):
    siblings = [one for one in requirements(distribution) if one.name in distributions]

    for sibling in siblings:
        version = distributions[sibling.name].version
        assert sibling.specifier.contains(version, prereleases=True), f"{sibling} is not {version}"


def test_the_bounds_on_siblings_admit_no_next_major_version(distribution, distributions):
    for sibling in requirements(distribution):
        if sibling.name in distributions:
            bound = ",".join(sorted(str(sibling.specifier).split(","), reverse=True))
            match = SIBLING_BOUND.fullmatch(bound)
            assert match, f"{sibling}: a sibling is bounded as >=X.Y,<X+1"
            assert int(match[2]) == Version(match[1]).major + 1


def test_the_layers_above_wire_bound_their_siblings(distributions):
    for name, one in distributions.items():
        siblings = {r.name for r in requirements(one)} & set(distributions)
        assert bool(siblings) == (name != "tchannel-wire")


def test_the_metadata_is_complete(distribution):
    project = distribution.project

    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "MIT"
    assert project["readme"] == "README.md"
    assert project["description"]
    pythons = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 16)}
    said = set(project["classifiers"])
    assert pythons == {one for one in said if re.search(r"Python :: 3\.\d+$", one)}
    # What make test-next runs on PyPy says so, and nothing else.
    tested = distribution.name in {"tchannel-wire", "tchannel-core", "tchannel-thrift"}
    assert ("Programming Language :: Python :: Implementation :: PyPy" in said) == tested


def test_each_distribution_says_where_its_protocol_is_described(distribution):
    assert distribution.project["urls"]["Protocol"] == "https://github.com/uber/tchannel"


def test_who_brings_a_pytest_plugin_says_so(distribution):
    plugins = distribution.project.get("entry-points", {}).get("pytest11", {})

    assert bool(plugins) == ("Framework :: Pytest" in distribution.project["classifiers"])


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE"])
def test_each_distribution_has_its_papers(distribution, name):
    assert (distribution.folder / name).read_text().strip()


def test_each_package_says_that_it_is_typed(distribution):
    assert (distribution.package / "py.typed").is_file()


def test_the_changelog_has_a_section_for_the_version(distribution):
    changelog = (distribution.folder / "CHANGELOG.md").read_text()

    assert re.search(rf"^## {re.escape(distribution.version)}\b", changelog, re.MULTILINE)


def test_all_licences_are_the_one_of_the_repository(distribution, root):
    assert (distribution.folder / "LICENSE").read_text() == (root / "LICENSE").read_text()


def test_each_dependency_is_justified_in_one_line_of_the_readme(distribution):
    readme = (distribution.folder / "README.md").read_text()
    section = re.search(r"^#+ Dependencies$(.*?)(?=^#|\Z)", readme, re.MULTILINE | re.DOTALL)
    names = [one.name for one in requirements(distribution)]

    assert section, 'the README needs a section "Dependencies"'
    if not names:
        assert section[1].strip(), "say that there are none"
    for name in names:
        lines = [line for line in section[1].splitlines() if name.lower() in line.lower()]
        assert lines, f"{name} is not justified"
        assert len(lines[0]) > len(name) + 20, f"{name} is named, but not justified"

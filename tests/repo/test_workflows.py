"""What the forge reads: workflows, forms, the bot's configuration, local hooks."""

import subprocess
import sys

import pytest
import yaml

FILES = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
}


@pytest.mark.parametrize("schema", FILES)
def test_each_file_is_what_its_reader_expects(root, schema):
    files = sorted(root.glob(FILES[schema]))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]

    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)

    assert files
    assert done.returncode == 0, done.stdout


@pytest.fixture
def ci(root):
    return yaml.safe_load((root / ".github/workflows/ci.yml").read_text())


def test_each_python_that_the_metadata_names_is_run(ci, distributions):
    named = {
        classifier.rpartition(" ")[2]
        for one in distributions.values()
        for classifier in one.project["classifiers"]
        if classifier.startswith("Programming Language :: Python :: 3.")
    }
    run = {
        version
        for job in ("test", "preview")
        for version in ci["jobs"][job]["strategy"]["matrix"]["python"]
    }

    assert named <= run


def test_each_make_target_that_a_workflow_runs_is_there(root, ci):
    targets = (root / "Makefile").read_text()
    commands = [
        step["run"] for job in ci["jobs"].values() for step in job.get("steps", ()) if "run" in step
    ]
    made = [command.split()[-1] for command in commands if "make " in command]

    assert made
    for target in made:
        assert f"\n{target}:" in targets


def test_no_workflow_may_write_but_the_job_that_publishes(root):
    for path in root.glob(".github/workflows/*.yml"):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            assert ("permissions" in job) == (name == "publish")


def test_each_local_hook_runs_what_make_check_has_installed(root):
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())

    for repository in config["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].startswith(".venv/bin/")

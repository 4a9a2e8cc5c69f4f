"""Each promise of docs/reliability.md names tests, and they exist."""

import re

# ``file::test``; a file or folder alone stands for all of its tests, and a test alone is of the file
# that was named before it. Files are named by the end of their path.
NAMED = re.compile(r"`([\w/.-]+\.py|tests/[\w/.-]+)(?:::(test_\w+))?`|`(test_\w+)`")


def test_every_named_test_exists(root, tracked):
    names = [path.relative_to(root).as_posix() for path in tracked]
    files = []
    counted = 0
    missing = []
    for match in NAMED.finditer((root / "docs" / "reliability.md").read_text()):
        path, test, alone = match.groups()
        counted += 1
        if path is not None:
            files = [name for name in names if f"/{name}".endswith(f"/{path}")]
            if not files and not any(name.startswith(f"{path}/") for name in names):
                missing.append(path)
        wanted = test or alone
        if wanted and not any(
            re.search(rf"def {wanted}\(", (root / one).read_text()) for one in files
        ):
            missing.append(f"{path or files}::{wanted}")

    assert missing == []
    assert counted > 40

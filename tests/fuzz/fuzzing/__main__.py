"""Fuzz one target: ``python -m fuzzing TARGET [--seconds 60] [--work build/fuzz]``.

New inputs go into the work folder. What is found is written there as ``crash-...``; a file given with
``--again`` is fed to the target once. ``--keep`` writes the corpus anew, of
short inputs that were found to reach something.
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """Fuzz one target, in this process: libFuzzer ends it."""
    parser = argparse.ArgumentParser(prog="fuzzing", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60, help="how long; default 60")
    parser.add_argument("--work", type=Path, default=Path("build/fuzz"), help="where it works")
    parser.add_argument("--again", type=Path, help="feed this one file to the target")
    parser.add_argument("--keep", action="store_true", help="write the corpus of the target anew")
    arguments = parser.parse_args()
    # Before the targets: what is imported is what is looked at.
    import atheris

    with atheris.instrument_imports(
        include=["tchannel_wire", "tchannel_thrift", "tchannel", "tchannel_testing"]
    ):
        from fuzzing import corpus
        from fuzzing.seeds import seeds
        from fuzzing.targets import TARGETS

    name = arguments.target
    if name not in TARGETS:
        parser.error(f"target must be one of {', '.join(TARGETS)}, not {name!r}")
    if arguments.again is not None:
        TARGETS[name](arguments.again.read_bytes())
        return 0
    work = arguments.work / name
    found = work / "corpus"
    if arguments.keep:
        # libFuzzer replaces what it found by what is shorter and reaches the same.
        corpus.write(name, [path.read_bytes() for path in found.iterdir()])
        return 0
    found.mkdir(parents=True, exist_ok=True)
    for number, known in enumerate([*seeds(name), *corpus.read(name)]):
        (found / f"known-{number}").write_bytes(known)
    options = [
        f"-max_total_time={arguments.seconds}",
        "-max_len=4096",
        "-timeout=25",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={work}{os.sep}",
        str(found),
    ]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

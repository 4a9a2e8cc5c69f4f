"""The kept corpus: a file for each target, an input in each line, in hexadecimal, short ones first."""

from pathlib import Path

__all__ = ["FOLDER", "LONGEST", "read", "write"]

FOLDER = Path(__file__).resolve().parents[1] / "corpus"

#: Bytes of one input that is kept.
LONGEST = 512
#: How many are kept for a target.
_MOST = 150


def read(target: str) -> list[bytes]:
    """The inputs of a target; none as long as nothing was kept."""
    path = FOLDER / f"{target}.hex"
    if not path.exists():
        return []
    return [bytes.fromhex(line) for line in path.read_text().splitlines()]


def write(target: str, inputs: list[bytes]) -> None:
    """Keep these; of too many, some of each length."""
    inputs = sorted({one for one in inputs if len(one) <= LONGEST}, key=lambda one: (len(one), one))
    if len(inputs) > _MOST:
        inputs = [inputs[index * len(inputs) // _MOST] for index in range(_MOST)]
    FOLDER.mkdir(exist_ok=True)
    text = "".join(f"{one.hex()}\n" for one in inputs)
    (FOLDER / f"{target}.hex").write_text(text)

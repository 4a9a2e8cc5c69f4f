"""The package as a whole: its extras stay away until they are asked for."""

import subprocess
import sys

import pytest


def test_the_package_loads_none_of_its_extras():
    script = (
        "import sys, tchannel_observe\n"
        "print(sorted({n.split('.')[0] for n in sys.modules} & "
        "{'opentelemetry', 'prometheus_client', 'tornado'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import tchannel_observe

    for name in tchannel_observe.__all__:
        assert getattr(tchannel_observe, name) is not None


@pytest.mark.extra
@pytest.mark.parametrize(
    ("missing", "module", "extra"),
    [
        ("opentelemetry.instrumentation", "otel", "otel"),
        ("prometheus_client", "prometheus", "prometheus"),
    ],
)
def test_a_part_without_its_extra_says_what_to_install(missing, module, extra):
    script = (
        f"import sys\nsys.modules[{missing!r}] = None\n"
        f"try:\n import tchannel_observe.{module}\n"
        "except ModuleNotFoundError as error:\n print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == (
        f"this needs {missing}, which is not installed: pip install 'tchannel-observe[{extra}]'"
    )

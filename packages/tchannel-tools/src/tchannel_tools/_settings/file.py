"""The configuration file: where it is, what it says, how it is changed."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import tomlkit

from .._terminal.failures import ToolError
from .._terminal.parsing import meant

__all__ = [
    "FILE",
    "KEYS",
    "WHERE",
    "Settings",
    "Value",
    "absolute",
    "config_path",
    "read_settings",
    "write_settings",
]

FILE: Final = "config.toml"

KEYS: Final[Mapping[str, type]] = {
    "peers": list,
    "hostlist": str,
    "routers": list,
    "tls": bool,
    "ca": str,
    "cert": str,
    "key": str,
    "server_name": str,
    "insecure": bool,
    "timeout": str,
    "caller": str,
}
"""What a context, or the defaults, may say; each is named as the option that it stands for."""

WHERE: Final = ("peers", "hostlist", "routers")
"""The keys that say where to call: who says one of them says all."""

PATHS: Final = ("hostlist", "ca", "cert", "key")
"""The keys whose values are paths; a host list may be JSON as well."""
_TYPES: Final = {list: "a list of text", str: "text", bool: "true or false"}

# A value of the file: text, a truth value, or a list of texts, as KEYS has it.
Value = str | bool | list[str]


@dataclass(slots=True)
class Settings:
    """What the configuration file says.

    Attributes:
        path: The file; it need not exist.
        use: Name of the context in use; None without one.
        defaults: What holds where neither an option nor the context says anything.
        contexts: The contexts by name.

    """

    path: Path
    use: str | None = None
    defaults: dict[str, Value] = field(default_factory=dict)
    contexts: dict[str, dict[str, Value]] = field(default_factory=dict)

    def context(self, name: str) -> dict[str, Value]:
        """Return a context.

        Raises:
            ToolError: There is none of this name; says what may have been meant.

        """
        if name in self.contexts:
            return self.contexts[name]
        near = meant(name, self.contexts)
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(self.contexts)}"
        if not self.contexts:
            hint = "there is none; `tchannel context add` makes one"
        raise ToolError(f"there is no context {name!r} in {self.path}: {hint}")

    def in_use(self, name: str | None = None) -> str | None:
        """Return the name of the context that holds: as given, by TCHANNEL_CONTEXT, or by the file."""
        return name or os.environ.get("TCHANNEL_CONTEXT") or self.use

    def values(self, name: str | None = None) -> dict[str, Value]:
        """Return what the context in use says, and the defaults where it says nothing.

        Args:
            name: The context; by default that of TCHANNEL_CONTEXT, or of the file.

        Raises:
            ToolError: There is no such context.

        """
        name = self.in_use(name)
        context = {} if name is None else self.context(name)
        values = dict(self.defaults)
        if any(key in context for key in WHERE):
            values = {key: value for key, value in values.items() if key not in WHERE}
        return values | context


def config_path() -> Path:
    """Return where the configuration file is: TCHANNEL_CONFIG, or the XDG base directory."""
    if given := os.environ.get("TCHANNEL_CONFIG"):
        return Path(given).expanduser()
    # XDG Base Directory Specification: a relative path there is to be ignored.
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "tchannel" / FILE


def read_settings(path: Path | None = None) -> Settings:
    """Read the configuration file; one that does not exist says nothing.

    Args:
        path: The file; by default `config_path`.

    Raises:
        ToolError: It cannot be read, is no TOML, or says what nobody understands; says where.

    """
    path = config_path() if path is None else path
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(path)
    except OSError as error:
        raise ToolError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"{path} is no TOML: {error}") from None
    settings = Settings(path)
    for key, value in document.items():
        if key == "use" and isinstance(value, str):
            settings.use = value
        elif key == "defaults" and isinstance(value, dict):
            settings.defaults = _checked(value, path, "[defaults]")
        elif key == "contexts" and isinstance(value, dict):
            for name, context in value.items():
                where = f"[contexts.{name}]"
                if not isinstance(context, dict):
                    raise ToolError(f"{path}: {where} is no table")
                settings.contexts[name] = _checked(context, path, where)
        else:
            raise ToolError(
                f"{path} has {key!r}, but may have: use (a name), [defaults], [contexts.NAME]"
            )
    return settings


# What a TOML table holds may be anything.
def _checked(table: dict[str, Any], path: Path, where: str) -> dict[str, Value]:
    checked: dict[str, Value] = {}
    for key, value in table.items():
        if key not in KEYS:
            near = meant(key, KEYS)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(KEYS)}"
            raise ToolError(f"{path}: {where} has {key!r}: {hint}")
        wanted = KEYS[key]
        texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if not isinstance(value, wanted) or not texts:
            raise ToolError(f"{path}: {where} has {key} = {value!r:.60}: it is {_TYPES[wanted]}")
        # Relative to the file, so that it means the same wherever the command runs.
        checked[key] = absolute(key, cast("Value", value), path.parent)
    return checked


def absolute(key: str, value: Value, folder: Path) -> Value:
    """Return the value of a key, and where it is a path, the absolute one.

    Args:
        key: One of KEYS.
        value: Its value.
        folder: What a relative path is relative to.

    """
    if key not in PATHS or not isinstance(value, str) or value.lstrip()[:1] == "[":
        return value
    return str(folder / Path(value).expanduser())


def write_settings(settings: Settings) -> None:
    """Write the contexts and which is in use; comments and the defaults of the file stay.

    Raises:
        ToolError: It cannot be written.

    """
    path = settings.path
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        if settings.use is None:
            document.pop("use", None)
        else:
            # Before the tables, where alone it can stand.
            document["use"] = settings.use
        tables = document.setdefault("contexts", tomlkit.table(is_super_table=True))
        for name in [name for name in tables if name not in settings.contexts]:
            del tables[name]
        for name, context in settings.contexts.items():
            if name not in tables or _checked(tables[name].unwrap(), path, name) != context:
                table = tomlkit.table()
                table.update(context)
                tables[name] = table
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, however this ends.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(tomlkit.dumps(document))
        os.replace(file.name, path)
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}") from None

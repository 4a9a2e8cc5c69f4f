"""Looks through the syntax tree of a file for what the rules name."""

from __future__ import annotations

import ast

from .rules import GONE_NAMES, MODULES, RULES, TORNADO, Finding

__all__ = ["scan"]

_SCHEMES = frozenset({"raw", "json", "thrift"})
_CALLS = frozenset({"raw", "json", "thrift", "call", "advertise"})
_HOOK_BASES = frozenset({"EventHook"})
_SUSPICIOUS_SECONDS = 1000


def scan(text: str, path: str) -> list[Finding]:
    """Return what the rules find in a file, by line.

    Args:
        text: The text of the file.
        path: What to call it.

    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        what = (error.text or "").strip()[:60]
        return [Finding(path, error.lineno or 1, error.offset or 1, RULES["python-2"], what)]
    except ValueError:  # a NUL byte
        return [Finding(path, 1, 1, RULES["python-2"], "no source code")]
    scanner = _Scanner(path)
    scanner.visit(tree)
    unique = {(one.line, one.column, one.rule.name): one for one in scanner.found}
    return sorted(unique.values(), key=lambda one: (one.line, one.column, one.rule.name))


class _Scanner(ast.NodeVisitor):
    def __init__(self, path: str) -> None:
        self._path = path
        self.found: list[Finding] = []
        # Local name -> the full name that it stands for.
        self._names: dict[str, str] = {}
        self._sync_channels: set[str] = set()
        self._raw_results: set[str] = set()
        self._depth = 0
        self._raw_handler = False
        self._hook = False
        self._handler = False
        self._uses_library = False

    def _add(self, node: ast.AST, rule: str, what: str) -> None:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        self.found.append(Finding(self._path, line, column, RULES[rule], what))

    # -- names ----------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(node, alias.name)
            top = alias.name.partition(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            if not self._module(node, full):
                self._gone(node, full)
            self._names[alias.asname or alias.name] = full

    def _module(self, node: ast.AST, name: str) -> bool:
        if name.partition(".")[0] == "tchannel":
            self._uses_library = True
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            rule = MODULES.get(".".join(parts[:length]))
            if rule is not None:
                self._add(node, rule, f"import of {name}")
                return True
        return False

    def _gone(self, node: ast.AST, full: str) -> None:
        if full in GONE_NAMES:
            self._add(node, GONE_NAMES[full], full)
        elif full in TORNADO:
            self._add(node, "tornado-4", f"{full}: write {TORNADO[full]}")

    def _full(self, node: ast.expr) -> str:
        """The full name of an expression, as far as imports tell; "" of anything else."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            base = self._full(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def visit_Attribute(self, node: ast.Attribute) -> None:
        full = self._full(node)
        if full:
            self._gone(node, full)
        if node.attr == "_dep_tchannel":
            self._add(node, "old-insides", "._dep_tchannel")
        if (
            self._hook
            and node.attr == "headers"
            and isinstance(node.value, ast.Name)
            and node.value.id == "request"
        ):
            self._add(node, "json-headers", "request.headers in a hook")
        self.generic_visit(node)

    # -- where it stands ------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        was, self._hook = self._hook, any(_last(base) in _HOOK_BASES for base in node.bases)
        self.generic_visit(node)
        self._hook = was

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        registered = {_scheme_of(one) for one in node.decorator_list}
        for one in node.decorator_list:
            self.visit(one)
            if _scheme_of(one) is not None and self._is_sync(one):
                self._add(one, "sync-register", "register() of a sync channel")
        before = self._raw_handler, self._handler, set(self._raw_results)
        self._raw_handler = "raw" in registered
        self._handler = self._handler or (registered != {None} and bool(registered - {None}))
        self._depth += 1
        for child in (node.args, *node.body):
            self.visit(child)
        self._depth -= 1
        self._raw_handler, self._handler, self._raw_results = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _is_sync(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Call):
            node = node.func
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._sync_channels

    # -- what is done ---------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        value = node.value
        while isinstance(value, ast.Await | ast.Yield | ast.YieldFrom) and value.value is not None:
            value = value.value
        if isinstance(value, ast.Call):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if self._full(value.func).startswith("tchannel.sync"):
                self._sync_channels |= names
            function = value.func
            if isinstance(function, ast.Attribute) and function.attr == "result":
                value = function.value
                function = value.func if isinstance(value, ast.Call) else function
            if isinstance(function, ast.Attribute) and function.attr == "raw":
                self._raw_results |= names

    def visit_Call(self, node: ast.Call) -> None:
        full = self._full(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        if full in {"tchannel.TChannel", "tchannel.tchannel.TChannel", "tchannel.sync.TChannel"}:
            for name in ("tracer", "context_provider"):
                if name in given:
                    self._add(given[name], "tracing-arguments", f"{name}=")
            if "threadloop" in given:
                self._add(given["threadloop"], "threadloop", "threadloop=")
            if "trace" not in given and not full.startswith("tchannel.sync"):
                self._add(node, "trace-default", "TChannel() without trace=")
        self._check_isinstance(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _CALLS and self._uses_library:
            self._check_call(node, function, given)
        self.generic_visit(node)

    def _check_call(
        self, node: ast.Call, function: ast.Attribute, given: dict[str, ast.expr]
    ) -> None:
        timeout = given.get("timeout")
        if (
            isinstance(timeout, ast.Constant)
            and isinstance(timeout.value, int)
            and timeout.value >= _SUSPICIOUS_SECONDS
        ):
            self._add(timeout, "milliseconds", f"timeout={timeout.value} is that many seconds")
        if "hostport" in given and "retry_on" in given and "retry_limit" not in given:
            self._add(given["hostport"], "hostport-retries", "hostport= with retry_on=")
        if self._depth == 0 and function.attr != "thrift" and not self._is_sync(function):
            self._add(node, "before-the-loop", f".{function.attr}() at import")

    def _check_isinstance(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance" and len(node.args) == 2:
            kinds = node.args[1]
            for kind in kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]:
                if self._full(kind) == "tchannel.TChannel":
                    self._add(node, "sync-instance", "isinstance(..., TChannel)")

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for one in sides:
            if not isinstance(one, ast.Attribute):
                continue
            others = [side.value for side in sides if isinstance(side, ast.Constant)]
            if one.attr in {"body", "headers"} and self._is_raw(one.value):
                if any(isinstance(value, str) for value in others):
                    self._add(node, "raw-text", f".{one.attr} compared with a str")
            elif one.attr == "endpoint" and any(isinstance(value, bytes) for value in others):
                self._add(node, "bytes-endpoint", ".endpoint compared with bytes")
            elif one.attr == "transport" and None in others and self._uses_library:
                self._add(node, "transport-none", ".transport compared with None")
        self.generic_visit(node)

    def _is_raw(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Name):
            return False
        return node.id in self._raw_results or (self._raw_handler and node.id == "request")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        for kind in kinds:
            if kind is not None and self._full(kind).endswith("errors.UnexpectedError"):
                self._add(node, "unexpected-retried", "except UnexpectedError")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if (
            self._handler
            and error is not None
            and self._full(error).endswith("errors.FatalProtocolError")
        ):
            self._add(node, "fatal-from-handler", "raise FatalProtocolError")
        self.generic_visit(node)


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _scheme_of(decorator: ast.expr) -> str | None:
    """The scheme that a decorator registers with; None of another decorator."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(node, ast.Attribute) or node.attr != "register":
        return None
    if isinstance(node.value, ast.Attribute) and node.value.attr in _SCHEMES:
        return node.value.attr
    arguments = decorator.args if isinstance(decorator, ast.Call) else []
    if arguments and isinstance(arguments[0], ast.Constant) and arguments[0].value in _SCHEMES:
        return str(arguments[0].value)
    return None

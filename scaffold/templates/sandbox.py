"""Jinja's sandbox, in which Copier evaluates the templates, with fewer steps for what tables do most.

What is rendered is the same: tests compare it with what stock Copier renders.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import BuiltinMethodType
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket, bc_magic
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace

from scaffold.templates import template

_OF_MAPPINGS = frozenset(dir(dict))
_PLAIN = frozenset((dict, list, str, Namespace, LoopContext, TemplateModule))
"""What has no attribute that is kept from templates, but the private ones and those that format."""
_FORMATS = frozenset(("format", "format_map"))
_CALLED = frozenset((dict, Namespace))


class Sandbox(SandboxedEnvironment):
    """The same sandbox: each shortcut gives what the steps that it saves would give."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The global names of a template: in one mapping, for every included file copies them."""
        return {**self.globals, **(d or {})}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value of ``obj.attribute``: mostly a key of a mapping that has no such attribute."""
        kind = type(obj)
        if kind is dict and attribute not in _OF_MAPPINGS:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if kind in _PLAIN and not attribute.startswith("_") and attribute not in _FORMATS:
            with suppress(AttributeError):
                return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """The result of a call: most are of macros, or of built-in methods, and all of those are safe."""
        kind = type(__obj)
        if kind is Macro:
            args = (__context.eval_ctx, *args)
        elif kind is not BuiltinMethodType and not (kind is type and __obj in _CALLED):
            return super().call(__context, __obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return __obj(*args, **kwargs)


class CompiledTexts(BytecodeCache):
    """Compiled templates, kept from run to run: compiling them is most of the work.

    By their text, wherever it stands: versions of the template have most of it in common.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get_bucket(self, environment: Environment, name: str, _: str | None, source: str) -> Bucket:
        """What is kept for a text under a name."""
        key = sha256(b"\0".join((bc_magic, name.encode(), source.encode()))).hexdigest()
        bucket = Bucket(environment, key, "")
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what is kept."""
        bucket.code = template.recalled(self._file(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        template.remember(self._file(bucket), bucket.code)

    def _file(self, bucket: Bucket) -> Path:
        return self._directory / f"{bucket.key}.code"

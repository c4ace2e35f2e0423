"""``python3 dev generate``: writes everything that is generated; ``snapshot`` saves what is released."""

from __future__ import annotations

import sys

from scaffold.generate import released
from scaffold.generate.expressions import RowsError
from scaffold.generate.files import generated, stale
from scaffold.templates import template

if sys.argv[1:] == ["snapshot"]:
    released.write()
    sys.exit()
try:
    files = list(generated())
except RowsError as mistake:
    sys.exit(str(mistake))
for path in stale():
    path.unlink()
for path, text in files:
    (template.root() / path).write_text(text, "utf-8")

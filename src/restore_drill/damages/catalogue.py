"""Every kind of damage that can be done to any backup: `--prove` does each to copies.

The tests' corpus does the same to its databases, at more places, and adds those for which one must
know what lies in the backup.
"""

from __future__ import annotations

from restore_drill.damages.files import FILE_DAMAGES
from restore_drill.damages.model import DatabaseDamage, FileDamage
from restore_drill.damages.objects import OBJECT_DAMAGES
from restore_drill.damages.rows import ROW_DAMAGES

DATABASE_DAMAGES = (*ROW_DAMAGES, *OBJECT_DAMAGES)
CATALOGUE: tuple[DatabaseDamage | FileDamage, ...] = (*DATABASE_DAMAGES, *FILE_DAMAGES)

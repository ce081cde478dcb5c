"""A look at a table before anything is declared: plain data about its columns, and a proposed recipe.

:func:`profile` measures a sample of a table: types, nulls, distinct values, labels, time, group, leaks, duplicates,
funnels. :func:`propose` makes a recipe of a profile, with a reason beside every choice, and :func:`recipe_text` writes
it as YAML. Nothing here needs torch.
"""

from gatewise.look.by_type import features_by_type, task_by_type
from gatewise.look.column import QUANTILES, Column
from gatewise.look.profile import LabelTask, Look, Period, Profile, profile
from gatewise.look.proposal import Choice, LeftOut, Proposal, propose, schema_from_table
from gatewise.look.recipe_text import recipe_text
from gatewise.look.relations import Duplicate, Leak, Relations, Step, leaks_among
from gatewise.look.roles import NO_ROLE, Roles
from gatewise.look.sample import Sample, take_sample

__all__ = [
    "NO_ROLE",
    "QUANTILES",
    "Choice",
    "Column",
    "Duplicate",
    "LabelTask",
    "Leak",
    "LeftOut",
    "Look",
    "Period",
    "Profile",
    "Proposal",
    "Relations",
    "Roles",
    "Sample",
    "Step",
    "features_by_type",
    "leaks_among",
    "profile",
    "propose",
    "recipe_text",
    "schema_from_table",
    "take_sample",
    "task_by_type",
]

"""Census-Income (KDD): persons of two surveys, with the two groups of tasks of the MMoE paper."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.datasets.columns import null_where, read_columns
from gatewise.datasets.delimited import parse
from gatewise.datasets.files import Files
from gatewise.errors import TableError, did_you_mean, shown

# fmt: off
FIELDS = (  # the order in the published files
    "age", "class_of_worker", "industry_code", "occupation_code", "education", "wage_per_hour",
    "enrolled_in_edu_inst_last_wk", "marital_status", "major_industry_code", "major_occupation_code", "race",
    "hispanic_origin", "sex", "member_of_labor_union", "reason_for_unemployment",
    "full_or_part_time_employment_stat", "capital_gains", "capital_losses", "dividends_from_stocks",
    "tax_filer_status", "region_of_previous_residence", "state_of_previous_residence",
    "detailed_household_and_family_stat", "detailed_household_summary", "instance_weight",
    "migration_code_change_in_msa", "migration_code_change_in_reg", "migration_code_move_within_reg",
    "live_in_this_house_1_year_ago", "migration_prev_res_in_sunbelt", "num_persons_worked_for_employer",
    "family_members_under_18", "country_of_birth_father", "country_of_birth_mother", "country_of_birth_self",
    "citizenship", "own_business_or_self_employed", "fill_inc_questionnaire_for_veterans_admin",
    "veterans_benefits", "weeks_worked_in_year", "year", "income",
)
CENSUS_NUMERIC = (
    "age", "wage_per_hour", "capital_gains", "capital_losses", "dividends_from_stocks",
    "num_persons_worked_for_employer", "weeks_worked_in_year",
)
# fmt: on
CENSUS_NOMINAL = tuple(
    name for name in FIELDS if name not in (*CENSUS_NUMERIC, "education", "marital_status", "instance_weight", "income")
)
COLLEGE = (
    "Associates degree-occup /vocational",
    "Associates degree-academic program",
    "Bachelors degree(BA AB BS)",
    "Masters degree(MA MS MEng MEd MSW MBA)",
    "Prof school degree (MD DDS DVM LLB JD)",
    "Doctorate degree(PhD EdD)",
)
INCOMES = ("- 50000.", "50000+.")  # at most, above
UNKNOWN = ("?",)


def census(path: str | Path) -> pa.Table:
    """Return Census-Income (KDD), one row per person, in the order of the files.

    The data are the U.S. Census Bureau's, Current Population Surveys of 1994 and 1995: "Census-Income (KDD)", UCI
    Machine Learning Repository, 2000, https://doi.org/10.24432/C5N30T; CC BY 4.0. The three labels make the two groups
    of J. Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD
    2018: ``income`` with ``never_married``, and ``college`` with ``never_married``. Education and marital status
    are not among the columns, as ``college`` and ``never_married`` are derived from them.

    Three attributes nearly reveal marital status, because their values name spouses or say "never marr":
    ``detailed_household_and_family_stat``, ``detailed_household_summary`` and ``tax_filer_status``. The paper keeps
    these attributes. Each one alone ranks ``never_married`` with an AUC of 0.90 or more.

    Many persons have equal attributes, so that a random split has equal rows in both parts.

    Args:
        path: The folder, zip or tar with ``census-income.data`` and ``census-income.test``, gzipped or not; or with
            ``train_nominal33.parquet``, which holds the training rows without numeric attributes and weight.

    Returns:
        pa.Table: with the columns

            - ``CENSUS_NUMERIC``: int64; not in the nominal form
            - ``CENSUS_NOMINAL``: string; null if the file says "?"
            - ``instance_weight``: float64, persons that a row represents; not a feature; not in the nominal form
            - ``part``: string, "train" or "test", the published division
            - ``income``: int64, 1 above $50,000 a year
            - ``never_married``: int64, 1 if marital status is "Never married"
            - ``college``: int64, 1 for an associate degree or more

    Raises:
        TableError: The path or a file is absent or damaged; a line has another number of fields, or an invalid
            number or income.

    Example:
        >>> persons = census("census.tar.gz")  # doctest: +SKIP
        >>> train = persons.filter(pc.field("part") == "train")  # doctest: +SKIP
        >>> train.num_rows, train["age"][0].as_py(), train["income"][0].as_py()  # doctest: +SKIP
        (199523, 73, 0)
    """
    files = Files(path)
    nominal = [member for member in files.members if member.name.startswith("train_nominal")]
    if nominal:
        return _labelled(_read_nominal(files, nominal[0]), "train")
    parts = [
        _labelled(_read_published(files, name), part)
        for name, part in (("census-income.data", "train"), ("census-income.test", "test"))
    ]
    return pa.concat_tables(parts)


def _labelled(persons: pa.Table, part: str) -> pa.Table:
    columns = {name: persons[name] for name in CENSUS_NUMERIC if name in persons.column_names}
    columns |= {name: null_where(persons[name], UNKNOWN) for name in CENSUS_NOMINAL}
    if "instance_weight" in persons.column_names:
        columns["instance_weight"] = persons["instance_weight"]
    columns["part"] = pa.array([part]).take(pa.array([0] * persons.num_rows))
    columns["income"] = persons["income"]
    columns["never_married"] = pc.equal(persons["marital_status"], "Never married").cast(pa.int64())
    columns["college"] = pc.is_in(persons["education"], pa.array(COLLEGE)).cast(pa.int64())
    return pa.table(columns)


def _read_published(files: Files, name: str) -> pa.Table:
    member = _find(files, name)
    where = f"{files.path}: {member.name}"
    types = dict.fromkeys(FIELDS, pa.string())
    types |= dict.fromkeys(CENSUS_NUMERIC, pa.int64()) | {"instance_weight": pa.float64()}
    persons = parse(files.read(member), types, where)
    texts = {field: pc.utf8_trim_whitespace(persons[field]) for field in FIELDS if pa.types.is_string(types[field])}
    income = texts["income"]
    strange = income.filter(pc.invert(pc.is_in(income, pa.array(INCOMES))))
    if len(strange):
        raise TableError(f"{where}: column 'income': expected {' or '.join(INCOMES)}, found {strange[0].as_py()!r}")
    texts["income"] = pc.equal(income, INCOMES[1]).cast(pa.int64())
    return pa.table({field: texts.get(field, persons[field]) for field in FIELDS})


def _read_nominal(files: Files, member: PurePosixPath) -> pa.Table:
    texts = dict.fromkeys((*CENSUS_NOMINAL, "education", "marital_status"), pa.string())
    persons = read_columns(files, member, texts | {"income_gt_50k": pa.int64()})
    return persons.rename_columns([*texts, "income"])


def _find(files: Files, name: str) -> PurePosixPath:
    found = files.named(name) or files.named(f"{name}.gz")
    if not found:
        near = did_you_mean(name, [member.name for member in files.members])
        raise TableError(f"{files.path}: no file {name} or {name}.gz{near}")
    if len(found) > 1:
        raise TableError(f"{files.path}: expected one file {name}, found {shown(map(str, found))}")
    return found[0]

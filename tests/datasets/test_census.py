from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gatewise.datasets import CENSUS_NOMINAL, CENSUS_NUMERIC, census
from gatewise.errors import TableError

PERSON = {
    "age": 73,
    "class_of_worker": "Not in universe",
    "industry_code": 0,
    "occupation_code": 0,
    "education": "High school graduate",
    "wage_per_hour": 0,
    "enrolled_in_edu_inst_last_wk": "Not in universe",
    "marital_status": "Widowed",
    "major_industry_code": "Not in universe or children",
    "major_occupation_code": "Not in universe",
    "race": "White",
    "hispanic_origin": "All other",
    "sex": "Female",
    "member_of_labor_union": "Not in universe",
    "reason_for_unemployment": "Not in universe",
    "full_or_part_time_employment_stat": "Not in labor force",
    "capital_gains": 0,
    "capital_losses": 0,
    "dividends_from_stocks": 0,
    "tax_filer_status": "Nonfiler",
    "region_of_previous_residence": "Not in universe",
    "state_of_previous_residence": "Not in universe",
    "detailed_household_and_family_stat": "Other Rel 18+ ever marr not in subfamily",
    "detailed_household_summary": "Other relative of householder",
    "instance_weight": 1700.09,
    "migration_code_change_in_msa": "?",
    "migration_code_change_in_reg": "?",
    "migration_code_move_within_reg": "?",
    "live_in_this_house_1_year_ago": "Not in universe under 1 year old",
    "migration_prev_res_in_sunbelt": "?",
    "num_persons_worked_for_employer": 0,
    "family_members_under_18": "Not in universe",
    "country_of_birth_father": "United-States",
    "country_of_birth_mother": "United-States",
    "country_of_birth_self": "United-States",
    "citizenship": "Native- Born in the United States",
    "own_business_or_self_employed": 0,
    "fill_inc_questionnaire_for_veterans_admin": "Not in universe",
    "veterans_benefits": 2,
    "weeks_worked_in_year": 0,
    "year": 95,
    "income": "- 50000.",
}
DEGREES = {
    "Children": 0,
    "Some college but no degree": 0,
    "Associates degree-occup /vocational": 1,
    "Associates degree-academic program": 1,
    "Bachelors degree(BA AB BS)": 1,
    "Masters degree(MA MS MEng MEd MSW MBA)": 1,
    "Prof school degree (MD DDS DVM LLB JD)": 1,
    "Doctorate degree(PhD EdD)": 1,
}


def lines(*persons):
    return "".join(", ".join(str(value) for value in (PERSON | person).values()) + "\n" for person in persons)


TRAIN = lines({}, {"age": 41, "income": "50000+.", "marital_status": "Never married", "capital_gains": 99999})
TEST = lines({"education": "Doctorate degree(PhD EdD)", "country_of_birth_father": "?"})
FILES = {"census-income.data": TRAIN, "census-income.test": TEST, "census-income.names": "| about"}


def write(folder, files=FILES):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_every_column(tmp_path):
    persons = census(write(tmp_path))
    rows = persons.to_pylist()
    assert [row["part"] for row in rows] == ["train", "train", "test"]
    assert [row["income"] for row in rows] == [0, 1, 0]
    assert [row["never_married"] for row in rows] == [0, 1, 0]
    assert [row["college"] for row in rows] == [0, 0, 1]
    assert [row["age"] for row in rows] == [73, 41, 73]
    assert rows[1]["capital_gains"] == 99999
    assert rows[0]["instance_weight"] == 1700.09
    unknown = [name for name, value in PERSON.items() if value == "?"]
    for name in CENSUS_NOMINAL:
        assert rows[0][name] == (None if name in unknown else str(PERSON[name]))
    assert [row["country_of_birth_father"] for row in rows] == ["United-States", "United-States", None]
    labels = ("income", "never_married", "college")
    assert persons.column_names == [*CENSUS_NUMERIC, *CENSUS_NOMINAL, "instance_weight", "part", *labels]
    assert persons.schema.types == [
        *[pa.int64()] * 7,
        *[pa.string()] * 31,
        pa.float64(),
        pa.string(),
        *[pa.int64()] * 3,
    ]


def test_neither_labels_nor_weight_are_features():
    features = {*CENSUS_NUMERIC, *CENSUS_NOMINAL}
    assert features == {*PERSON} - {"education", "marital_status", "instance_weight", "income"}
    assert len(features) == len(CENSUS_NUMERIC) + len(CENSUS_NOMINAL) == 38


@pytest.mark.parametrize("degree", DEGREES)
def test_a_degree_is_an_associate_degree_or_more(tmp_path, degree):
    files = FILES | {"census-income.data": lines({"education": degree})}
    assert census(write(tmp_path, files))["college"][0].as_py() == DEGREES[degree]


def gzipped(folder):
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def zipped(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"census/{name}", text)
    return path


def tarred(folder):
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("pack", [gzipped, zipped, tarred])
def test_the_files_may_be_packed(tmp_path, pack):
    assert census(pack(tmp_path / "packed")).equals(census(write(tmp_path / "plain")))


def test_the_nominal_form(tmp_path):
    names = [name for name in PERSON if name not in (*CENSUS_NUMERIC, "instance_weight", "income")]
    columns = {name: pa.array([str(PERSON[name])] * 2).dictionary_encode() for name in names}
    table = pa.table(columns | {"income_gt_50k": pa.array([0, 1], pa.int8())})
    pq.write_table(table, tmp_path / "train_nominal33.parquet")
    persons = census(tmp_path)
    published = census(write(tmp_path / "published"))
    assert persons["income"].to_pylist() == [0, 1]
    assert persons["part"].to_pylist() == ["train", "train"]
    assert set(published.column_names) - set(persons.column_names) == {*CENSUS_NUMERIC, "instance_weight"}
    same = [name for name in persons.column_names if name != "income"]
    assert persons.select(same).slice(0, 1).equals(published.select(same).slice(0, 1))


def test_a_column_of_the_nominal_form_is_missing(tmp_path):
    pq.write_table(pa.table({"class_of_workr": ["Private"]}), tmp_path / "train_nominal33.parquet")
    with pytest.raises(TableError, match=r"nominal33\.parquet: no column 'class_of_worker'.*'class_of_workr'\?"):
        census(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"no file census-income\.data or census-income\.data\.gz$"),
        ({"census-income.data": TRAIN}, r"no file census-income\.test or .*; did you mean 'census-income.data'\?"),
        ({"census_income.data": TRAIN}, r"no file census-income\.data or .*; did you mean 'census_income.data'\?"),
        (FILES | {"census-income.data": "73, Private\n"}, r"census-income\.data: .*Expected 42 columns, got 2"),
        (FILES | {"census-income.data": ""}, r"census-income\.data: .*[Ee]mpty"),
        (FILES | {"census-income.test": lines({"age": "old"})}, r"census-income\.test: .*'old'"),
        (FILES | {"census-income.test": lines({"income": "rich"})}, r"test: column 'income': expected .* found 'rich'"),
    ],
)
def test_files_with_something_else_in_them(tmp_path, files, message):
    with pytest.raises(TableError, match=message) as caught:
        census(write(tmp_path, files))
    assert "\n" not in str(caught.value)


def test_one_file_twice(tmp_path):
    write(tmp_path)
    write(tmp_path / "copy")
    with pytest.raises(TableError, match=r"expected one file census-income\.data, found .*copy/census-income\.data"):
        census(tmp_path)


def test_the_real_persons(shared_data):
    persons = census(shared_data("census_kdd"))
    assert persons.num_rows == 199_523
    assert pc.sum(persons["income"]).as_py() == 12_382
    assert pc.sum(persons["never_married"]).as_py() == 86_485
    assert pc.sum(persons["college"]).as_py() == 5_358 + 4_363 + 19_865 + 6_541 + 1_793 + 1_263
    assert persons["migration_code_change_in_msa"].null_count == 99_695
    assert [name for name in persons.column_names if name in CENSUS_NOMINAL] == list(CENSUS_NOMINAL)

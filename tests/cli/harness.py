"""Shared by the tests of the commands that are written in Python: a folder of
their own with a database to work on, runs, and checks that say what was wanted."""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD = os.environ["DM_SOURCE"], os.environ["DM_BUILD"]
DATA = os.path.join(SOURCE, "datasets")
PROGRAMS = ("dm-clean", "dm-mine")

RECIPE = """table: biopsy
steps:
  - trim: {columns: class}
  - case: {columns: class, to: lower}
  - replace: {columns: note, pattern: e, with: E}
  - recode: {column: class, map: {benign: b, malignant: m}}
  - cast: {columns: note, to: integer, on_error: keep}
  - parse_date: {columns: sampled, formats: ['%Y-%m-%d', '%m/%d/%Y']}
  - parse_number: {columns: note, on_error: keep}
  - fill: {columns: V6, with: median}
  - filter: {where: V1 < 10}
  - drop_duplicates: {}
  - derive: {column: total, as: V1 + V2, type: integer}
"""
PIPELINE = """title: small
database: out/p.db
sources:
  - {{file: {data}/biopsy-dirty.csv, table: biopsy, null: NA}}
  - {{file: {data}/airquality.csv, table: air, null: NA}}
clean:
  - table: biopsy
    steps:
      - trim: {{columns: class}}
      - case: {{columns: class, to: lower}}
models:
  - {{method: tree, source: biopsy, target: class, ignore: [ID, sampled, note], model: tumour, test: 0.25}}
  - {{method: tree, source: air, target: Ozone, task: regress, model: ozone, folds: 3}}
predict:
  - {{model: tumour, source: biopsy, into: scored}}
  - {{model: ozone, source: air, file: out/ozone.csv}}
report: out/r.html
"""


class Checks:
    def __init__(self):
        self.done = self.failed = 0

    def that(self, held, *words):
        """One check; words say what was wanted."""
        self.done += 1
        if not held:
            self.failed += 1
            print("FAIL:", *words)
        return held

    def finish(self):
        print(f"{self.done} checks, {self.failed} failures")
        sys.exit(1 if self.failed else 0)


class Result:
    def __init__(self, args, done):
        self.args, self.code = args, done.returncode
        self.out, self.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def __str__(self):
        return f"{' '.join(self.args)}\n  exit {self.code}\n  out: {self.out[:400]!r}\n  err: {self.err[:400]!r}"


def run(program, *args):
    args = [str(a) for a in args]
    done = subprocess.run([os.path.join(BUILD, "tools", program), *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return Result([program, *args], done)


def data(name):
    return os.path.join(DATA, name)


def write(name, text):
    with open(name, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return name


def copy(name, to="copy.db"):
    shutil.copyfile(name, to)
    return to


def enter_folder():
    """A folder that is gone at the end. The caller keeps what is returned."""
    folder = tempfile.TemporaryDirectory()
    os.chdir(folder.name)
    write("recipe.yaml", RECIPE)
    write("pipeline.yaml", PIPELINE.format(data=DATA))
    return folder


def make_database(checks, name):
    """Tables biopsy, pima, air; run 4 is an apply; models d (two versions) and o."""
    for args, code in (
        (("dm-clean", "import", name, data("biopsy-dirty.csv"), "--table", "biopsy", "--null", "NA"), 1),
        (("dm-clean", "import", name, data("pima.csv"), "--null", "NA"), 0),
        (("dm-clean", "import", name, data("airquality.csv"), "--table", "air", "--null", "NA"), 0),
        (("dm-clean", "apply", name, "recipe.yaml"), 0),
        (("dm-mine", "train", "tree", name, "pima", "--target", "diabetes", "--model", "d", "--test", "0.25"), 0),
        (("dm-mine", "train", "tree", name, "pima", "--target", "diabetes", "--model", "d", "--max-depth", "3"), 0),
        (("dm-mine", "train", "tree", name, "air", "--target", "Ozone", "--task", "regress", "--model", "o", "--folds", "3"), 0),
    ):
        r = run(*args)
        checks.that(r.code == code, f"exit {code} wanted:", r)

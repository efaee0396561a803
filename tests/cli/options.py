#!/usr/bin/python3
"""--help is complete and true: every verb shows the options that scripts rely on,
takes every option and every choice that it shows, refuses all others, and the
options of import and train do what they say.

usage: options.py    (DM_SOURCE and DM_BUILD in the environment)
"""
import hashlib
import json
import re
import sqlite3

from harness import PROGRAMS, Checks, copy, data, enter_folder, make_database, run, write

COMMON = "json seed threads memory quiet verbose version help"
READING = "delimiter quote encoding header columns types trim null on-extra"
TREE = "criterion max-depth min-samples-split min-samples-leaf min-impurity-decrease ccp-alpha"
IRIS, PIMA = data("iris.csv"), data("pima.csv")
PIMA_COLUMNS = "pregnant,glucose,pressure,triceps,insulin,mass,pedigree,age,diabetes"

# verb: its arguments in the usage line, the options it must have, and a call that works ("DB": a copy of the database)
VERBS = {
    ("dm-clean", "import"): ("DB FILE...", f"table format append replace strict {READING}", ["DB", IRIS]),
    ("dm-clean", "profile"): ("DB [T...]", "target report", ["DB", "pima"]),
    ("dm-clean", "apply"): ("DB RECIPE.yaml", "dry-run", ["plain.db", "recipe.yaml"]),
    ("dm-clean", "history"): ("DB", "", ["DB"]),
    ("dm-clean", "undo"): ("DB RUN", "", ["DB", "4"]),
    ("dm-clean", "why"): ("DB T ROW [COLUMN]", "", ["DB", "pima", "1"]),
    ("dm-clean", "export"): ("DB SRC", f"output format with-dm-id {READING}", ["DB", PIMA, "-o", "x.csv"]),
    ("dm-mine", "run"): ("PIPELINE.yaml", "resume", ["bare.yaml"]),
    ("dm-mine", "rules"): ("DB SRC", "format tid item basket delimiter columns one-hot bins count hierarchy never min-support kind algorithm min-size max-size limit top min-confidence measure left "
                           "right max-head max-q redundant min-improvement into count-only output quote encoding header types trim null on-extra",
                           ["DB", "shop.csv", "--tid", "tid", "--item", "item", "--min-support", "2"]),
    ("dm-mine", "train"): ("METHOD DB SRC", f"target task features ignore features-from group model test folds train-metrics time-limit checkpoint resume {READING} {TREE}",
                           ["tree", "DB", PIMA, "--null", "NA", "--target", "diabetes", "--ccp-alpha", "0.01"]),
    ("dm-mine", "predict"): ("DB MODEL SRC", f"into output replace {READING}", ["DB", "d", PIMA, "--null", "NA"]),
    ("dm-mine", "encode"): ("DB MODEL SRC", f"into output replace as {READING}", ["DB", "ae", PIMA, "--null", "NA"]),
    ("dm-mine", "evaluate"): ("DB MODEL SRC", READING, ["DB", "d", PIMA, "--null", "NA"]),
    ("dm-mine", "models"): ("DB [ACTION MODEL [FILE]]", "", ["DB"]),
    ("dm-mine", "audit"): ("DB MODEL", "row", ["DB", "d", "--row", "1"]),
    ("dm-mine", "report"): ("DB", "output title", ["DB", "-o", "x.html"]),
}
# values to give where help shows no choices
VALUES = {
    "seed": ["7"], "threads": ["1", "2"], "memory": ["512M", "1G", "300000000"],
    "table": ["t1"], "delimiter": [","], "quote": ['"'], "encoding": ["UTF-8"], "null": ["NA", "?"],
    "columns": {"import": ["a,b,c,d,e"], "rules": ["word", "word,times"], "": [PIMA_COLUMNS]},
    "target": ["diabetes"], "report": ["p.html"], "output": {"report": ["r.html"], "": ["x.csv", "x.tsv", "x.jsonl"]},
    "features": ["glucose,mass"], "ignore": ["age"], "features-from": ["ae"], "group": ["age"], "model": ["m1"], "test": ["0.25"], "folds": ["3"],
    "time-limit": ["5"], "checkpoint": ["2"],
    "into": ["scored", "name"], "row": ["2"], "title": ["A page"],
    "tid": ["order"], "item": ["word"], "basket": ["words"], "count": ["times"], "bins": ["2"], "hierarchy": ["kinds.csv"], "never": ["milk", "milk,beer"], "min-support": ["1", "0.5", "20%"],
    "format": ["basket"], "algorithm": ["auto", "apriori", "eclat", "fpgrowth", "hybrid"], "min-size": ["2"], "max-size": ["3"], "limit": ["0", "100"], "top": ["2"],
    "min-confidence": ["0", "0.5", "1"], "measure": ["lift", "share", "chi-square"], "left": ["milk", "milk,beer"], "right": ["bread"],
    "max-head": ["2"], "max-q": ["0.5"], "min-improvement": ["0.1"],
    "max-depth": ["auto", "3"], "min-samples-split": ["5"], "min-samples-leaf": ["2"], "min-impurity-decrease": ["0.01"],
    "ccp-alpha": ["auto", "0.01"],
}
# what a good option needs beside it
BESIDE = {("import", "append"): ["--table", "iris2"], ("predict", "replace"): ["--into", "scored2"], ("predict", "json"): ["--into", "t1"],
          ("rules", "format"): ["--count-only"], ("rules", "basket"): ["--count-only"], ("rules", "delimiter"): ["--basket", "words"],
          ("rules", "one-hot"): ["--columns", "times"],
          **{("rules", o): ["--min-confidence", "0.5"] for o in ("measure", "left", "right", "max-head", "max-q", "redundant", "min-improvement")},
          ("encode", "replace"): ["--into", "scored2"], ("encode", "json"): ["--into", "t1"]}
# choices that are taken, but do not go with the data: no header means no such columns, text is no number, and so on
MISFITS = {("train", "header", "no"): 2, ("predict", "header", "no"): 3, ("evaluate", "header", "no"): 3,
           ("predict", "types", "text"): 3, ("encode", "header", "no"): 3, ("encode", "types", "text"): 3, ("evaluate", "types", "text"): 3, ("train", "criterion", "squared_error"): 2,
           ("train", "task", "regress"): 3, ("rules", "header", "no"): 2,
           # a tree has no epochs
           ("train", "time-limit", "5"): 2, ("train", "checkpoint", "2"): 2, ("train", "resume", None): 2}
# the same option again would come twice
INSTEAD = {("train", "target"), ("train", "ccp-alpha"), ("audit", "row"), ("export", "output"), ("report", "output"),
           ("rules", "tid"), ("rules", "item"), ("rules", "min-support")}
# options of the good call that do not go with it
WITHOUT = {("rules", o): ["--tid", "--item"] for o in ("format", "basket", "delimiter", "columns", "one-hot", "bins")}

checks = Checks()


class Option:
    def __init__(self, letter, name, value, text):
        self.letter, self.name, self.value, self.text = letter, name, value, text
        self.choices = value.split("|") if value and "|" in value else None
        self.default = (re.search(r"\(default ([^)]*)\)$", text) or [None, None])[1]


def shown(text):
    """The options of a help text; a method's parameters are under their own title."""
    found, parameters, title = {}, set(), ""
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line
        if title.startswith("Parameters of ") and not title.startswith("Parameters of tree "):
            continue  # methods share names; linear.sh tries the others
        m = re.match(r"  (?:-(\w), |    )?--([a-z][a-z-]*)(?: ([^ ]+))? +(\S.*)$", line)
        if m:
            checks.that(m[2] not in found, f"--{m[2]} comes twice")
            found[m[2]] = Option(*m.groups())
            if title.startswith("Parameters of"):
                parameters.add(m[2])
    return found, parameters


def call(verb, options, instead=(), writes=True):
    """The verb's good call, on a fresh copy of the database when it writes; instead: options of it to leave out."""
    program, name = verb
    args, skip = [], False
    for a, following in zip(VERBS[verb][2], VERBS[verb][2][1:] + [""]):
        if skip:
            skip = False
        elif a in instead:
            skip = True
        else:
            db = {"DB": "my.db", "plain.db": "plain.db"}.get(a)
            args.append(copy(db) if db and writes else db or a)
    return run(program, name, *args, *options)


def check_shapes(verb, options, parameters):
    """Flags take no value, others need one, only lists come twice, choices are kept to, letters are the same."""
    for o in options.values():
        if o.name in ("help", "version", "json"):
            continue
        if not o.value:
            refused = call(verb, [f"--{o.name}=yes"], writes=False)
            checks.that(refused.code == 2 and "takes no value" in refused.err, "a flag takes no value:", refused)
            continue
        refused = call(verb, [f"--{o.name}"], writes=False)
        checks.that(refused.code == 2 and "needs a value" in refused.err, "a value is needed:", refused)
        if o.choices:
            refused = call(verb, [f"--{o.name}", "nonsense"], writes=False)
            checks.that(refused.code == 2 and o.name in refused.err, "not one of the choices:", refused)
        if o.name in ("seed", "threads", "test", "folds", "time-limit", "checkpoint", "row", "delimiter", "quote") or (o.name in parameters and not o.choices):
            refused = call(verb, [f"--{o.name}", "nonsense"], instead=[f"--{o.name}"], writes=False)
            checks.that(refused.code == 2 and o.name in refused.err, "not a value of this kind:", refused)


def check_taken(verb, options, own):
    """Every option that is shown is taken, its own ones with each choice, in each spelling, and with the default that help names."""
    name = verb[1]
    for o in options.values():
        if o.name in ("help", "version"):
            for spelling in [f"--{o.name}"] + ([f"-{o.letter}"] if o.letter and o.name in own else []):
                r = call(verb, [spelling])
                checks.that(r.code == 0 and r.out and not r.err, "asked for, given:", r)
            continue
        values = o.choices or VALUES.get(o.name, [])
        values = values.get(name, values.get("")) if isinstance(values, dict) else list(values)
        values = values if o.name in own else values[:1]
        if o.choices and o.default and o.default not in values:
            values.append(o.default)
        checks.that(bool(values) == bool(o.value), f"a value to try for --{o.name} of {name}")
        beside = BESIDE.get((name, o.name), [])
        instead = [f"--{o.name}", f"-{o.letter}"] if (name, o.name) in INSTEAD else WITHOUT.get((name, o.name), [])
        for value in values if o.value else [None]:
            spellings = [[f"--{o.name}"]] if value is None else [[f"--{o.name}", value]]
            if value is not None and value == values[0] and o.name in own:
                spellings.append([f"--{o.name}={value}"])
            if o.letter and o.name in own:
                spellings.append([f"-{o.letter}"] if value is None else [f"-{o.letter}", value])
            for spelling in spellings:
                r = call(verb, spelling + beside, instead)
                wanted = MISFITS.get((name, o.name, value), 0)
                checks.that(r.code == wanted and "unknown" not in r.err, f"exit {wanted} wanted:", r)


def check_refused(verb, options, others):
    """What is not shown is not taken, and near misses are named."""
    for name in sorted(others):
        r = call(verb, [f"--{name}", "1"], writes=False)
        checks.that(r.code == 2 and name in r.err, "shown by other verbs only:", r)
    for o in options.values():
        if len(o.name) > 4:
            r = call(verb, [f"--{o.name[:2]}{o.name[3:]}"], writes=False)
            checks.that(r.code == 2 and f"did you mean --{o.name}?" in r.err, "a near miss:", r)


def check_help():
    """@return options and parameters of each verb"""
    found = {}
    for program in PROGRAMS:
        r = run(program, "--help")
        checks.that(r.code == 0 and not r.err, "help is no error:", r)
        listed = set(re.findall(r"^  ([a-z-]+)(?: [A-Z\[].*)?$|^  ([a-z-]+) .*  \S", r.out.split("Commands:")[1].split("\n\n")[0], re.M))
        names = {a or b for a, b in listed}
        checks.that(names == {v for p, v in VERBS if p == program}, f"verbs of {program}: {names}")
        checks.that(set(COMMON.split()) <= set(shown(r.out)[0]), "common options:", r)
        for code in ("0", "1", "2", "3", "4", "5", "130"):
            checks.that(re.search(rf"\b{code} [a-z]", r.out), f"exit code {code} in the help of {program}")
        checks.that(run(program, "-h").out == run(program, "help").out == r.out, "three ways to ask for help")
        r = run(program, "--version")
        checks.that(r.code == 0 and r.out.startswith(program + " ") and "SQLite" in r.out and "GPL" in r.out, "versions and licence:", r)
    for verb, (arguments, wanted, _) in VERBS.items():
        r = run(*verb, "--help")
        checks.that(r.code == 0 and not r.err, "help is no error:", r)
        checks.that(r.out.startswith(f"usage: {verb[0]} {verb[1]} {arguments} "), "usage:", r)
        options, parameters = found[verb] = shown(r.out)
        missing = set(f"{wanted} {COMMON}".split()) - set(options)
        checks.that(not missing, f"{verb[1]} --help does not show {missing}")
        checks.that(parameters == (set(TREE.split()) if verb[1] == "train" else set()), f"parameters of {verb[1]}: {parameters}")
        checks.that(all(len(line) <= 200 for line in r.out.splitlines()), "lines that can be read:", verb)
    checks.that("reject|merge|drop" == found[("dm-clean", "import")][0]["on-extra"].value, "choices of --on-extra")
    models = run("dm-mine", "models", "--help").out
    checks.that(all(a in models for a in ("show", "activate", "drop", "export", "import")), "actions of models:", models)
    steps = run("dm-clean", "apply", "--help").out
    checks.that(all(s in steps for s in ("trim", "case", "replace", "recode", "cast", "parse_date", "parse_number", "fill",
                                         "drop_duplicates", "filter", "derive")), "recipe steps:", steps)
    return found


# ---- what options do -----------------------------------------------------------

def rows(db, query):
    c = sqlite3.connect(db)
    try:
        return c.execute(query).fetchall()
    finally:
        c.close()


def imported(text, *options, code=0, name="f.csv"):
    """Imports text into a new file. @return names and rows of its table"""
    write(name, text)
    write("effect.db", b"")
    r = run("dm-clean", "import", "effect.db", name, "--table", "t", *options)
    if not checks.that(r.code == code, f"exit {code} wanted:", r):
        return None, None
    names = [n for n, in rows("effect.db", "SELECT name FROM pragma_table_info('t') WHERE name <> 'dm_id'")]
    return names, [r[1:] for r in rows("effect.db", "SELECT * FROM t ORDER BY dm_id")]


def same(got, wanted, what):
    checks.that(got == wanted, f"{what} gives {got}, want {wanted}")


def check_import_effects():
    same(imported("a|b\n1,5|2\n", "--delimiter", "|"), (["a", "b"], [("1,5", 2)]), "--delimiter |")
    same(imported("a|b\n1|2\n", "--delimiter=,"), (["a|b"], [("1|2",)]), "--delimiter=,")
    same(imported("a\tb\n1\t2\n", "--delimiter", "tab"), (["a", "b"], [(1, 2)]), "--delimiter tab")
    same(imported("a\tb\n1,1\t2\n", "--format", "tsv"), (["a", "b"], [("1,1", 2)]), "--format tsv")
    same(imported("a,b\n'1,1',2\n", "--quote", "'"), (["a", "b"], [("1,1", 2)]), "--quote '")
    same(imported("a,b\nx,\xe9\n".encode("latin-1"), "--encoding", "ISO-8859-1"), (["a", "b"], [("x", "é")]), "--encoding")
    same(imported("a,b\n1,2\n", "--header", "no"), (["c1", "c2"], [("a", "b"), ("1", "2")]), "--header no")
    same(imported("1,2\n3,4\n", "--header", "yes"), (["1", "2"], [(3, 4)]), "--header yes")
    same(imported("a,b\n1,2\n", "--columns", "p,q", "--header", "yes"), (["p", "q"], [(1, 2)]), "--columns")
    same(imported("a,b\n1,2\n", "--types", "text"), (["a", "b"], [("1", "2")]), "--types text")
    same(imported("a,b\n x,y \n", "--trim", "yes"), (["a", "b"], [("x", "y")]), "--trim yes")
    same(imported("a,b\n x, y\n", "--trim", "no"), (["a", "b"], [(" x", " y")]), "--trim no")
    same(imported("a,b\n1,?\n-,2\n", "--null", "?", "--null", "-"), (["a", "b"], [(1, None), (None, 2)]), "--null twice")
    same(imported("a,b\n1,2\n3,4,5\n", code=1)[1], [(1, 2)], "--on-extra reject by itself")
    same(imported("a,b\n1,2\n3,4,5\n", "--on-extra", "merge")[1], [(1, "2"), (3, "4,5")], "--on-extra merge")
    same(imported("a,b\n1,2\n3,4,5\n", "--on-extra", "drop")[1], [(1, 2), (3, 4)], "--on-extra drop")
    imported("a,b\n1,2\n")
    r = run("dm-clean", "import", "effect.db", "f.csv", "--table", "t", "--append")
    same((r.code, rows("effect.db", "SELECT * FROM t")), (0, [(1, 1, 2), (2, 1, 2)]), "--append")
    r = run("dm-clean", "import", "effect.db", "f.csv", "--table", "t", "--replace")
    same((r.code, rows("effect.db", "SELECT * FROM t")), (0, [(1, 1, 2)]), "--replace")
    r = run("dm-clean", "import", "effect.db", write("g.csv", "a,b\n1,2\n3\n"), "--strict")
    same((r.code, rows("effect.db", "SELECT count(*) FROM sqlite_schema WHERE name = 'g'")), (3, [(0,)]), "--strict")
    r = run("dm-clean", "import", "effect.db", "f.csv", "--table", "u", "--quiet")
    checks.that(r.code == 0 and r.err == "", "--quiet says nothing on standard error:", r)


def trained(*options):
    r = run("dm-mine", "train", "tree", copy("my.db"), "pima", "--target", "diabetes", "--json", *options)
    if not checks.that(r.code == 0, "exit 0 wanted:", r):
        return {}, {}
    return json.loads(r.out), json.loads(run("dm-mine", "models", "copy.db", "--json").out)[-1]


def check_other_effects():
    plain, model = trained("--model", "z")
    same((plain["model"], plain["columns"], plain["metrics"]["test"]), ("z", 8, {}), "--model")
    same(trained("--model", "z", "--features", "age,mass")[0]["columns"], 2, "--features")
    same(trained("--model", "z", "--ignore", "age,mass")[0]["columns"], 6, "--ignore")
    same(trained("--model", "z", "--group", "age")[0]["columns"], 7, "--group")
    same(trained("--model", "z", "--test", "0.5")[0]["test_rows"], 384, "--test")
    checks.that("cv" in trained("--model", "z", "--folds", "3")[0]["metrics"], "--folds measures over folds")
    same(trained("--model", "z", "--threads", "1")[1]["sha256"], model["sha256"], "--threads 1")
    seeds = [trained("--model", "z", "--test", "0.3", "--seed", s)[0]["metrics"]["test"] for s in ("1", "1", "2")]
    checks.that(seeds[0] == seeds[1] != seeds[2], "--seed says which rows are held out:", seeds)
    for name, value in (("criterion", "entropy"), ("max-depth", "2"), ("min-samples-split", "200"), ("min-samples-leaf", "100"),
                        ("min-impurity-decrease", "0.05"), ("ccp-alpha", "0.05")):
        d, m = trained("--model", "z", f"--{name}", value)
        same(str(d["params"][name.replace("-", "_")]), value, f"--{name}")
        checks.that(m["sha256"] != model["sha256"], f"--{name} changes the tree")
    run("dm-clean", "export", "my.db", "pima", "-o", "ids.tsv", "--with-dm-id")
    with open("ids.tsv", encoding="utf-8") as f:
        same(f.readline().split("\t")[0], "dm_id", "--with-dm-id")
    run("dm-clean", "export", "my.db", "pima", "-o", "odd.name", "--format", "jsonl")
    with open("odd.name", encoding="utf-8") as f:
        same(json.loads(f.readline())["pregnant"], 6, "--format jsonl")
    run("dm-mine", "report", "my.db", "-o", "t.html", "--title", "Words <of> mine")
    with open("t.html", encoding="utf-8") as f:
        checks.that("Words &lt;of&gt; mine" in f.read(), "--title is on the page")


def digest(name):
    with open(name, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    folder = enter_folder()
    write("bare.yaml", "database: out/bare.db\n")
    write("kinds.csv", "milk,dairy\nbread,food\ndairy,food\n")
    write("shop.csv", "tid,item,order,word,words,times\n1,milk,7,a,\"a,b\",2\n1,bread,7,b,b,2\n2,bread,8,a,a,1\n2,beer,8,c,c,1\n3,milk,8,d,,3\n3,bread,9,d,,3\n")
    make_database(checks, "my.db")
    run("dm-clean", "import", "my.db", IRIS, "--table", "iris2")
    run("dm-mine", "predict", "my.db", "d", "pima", "--into", "scored2")
    run("dm-mine", "train", "autoencoder", "my.db", "pima", "--ignore", "diabetes", "--model", "ae", "--latent", "3", "--epochs", "2")
    run("dm-clean", "import", "plain.db", data("biopsy-dirty.csv"), "--table", "biopsy", "--null", "NA")
    found, before = check_help(), digest("my.db")
    for verb, (options, parameters) in found.items():
        own = {n: o for n, o in options.items() if verb[1] == "history" or n not in COMMON.split()}  # the common ones once in full
        check_taken(verb, options, own)
        check_shapes(verb, own, parameters)
        check_refused(verb, own, {n for v, (o, _) in found.items() if v[0] == verb[0] for n in o} - set(options))
    same(digest("my.db"), before, "the database after refusals")
    check_import_effects()
    check_other_effects()
    folder.cleanup()
    checks.finish()


main()

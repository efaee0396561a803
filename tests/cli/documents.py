#!/usr/bin/python3
"""Every verb with --json: one document on standard output, as tools/dm-json.schema.json
has it; every failure the error document, with the exit code in it.

usage: documents.py    (DM_SOURCE and DM_BUILD in the environment; exit 77 without jsonschema)
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

from harness import BUILD, SOURCE, Checks, copy, data, enter_folder, make_database, run, write

# what scripts rely on; the schema may ask for more
CONTRACT = {
    "import": ["table", "rows", "rejects", "columns", "seconds"],
    "rules": ["model", "transactions", "items", "itemsets", "rules", "seconds"],
    "train": ["model", "version", "method", "task", "rows", "columns", "seconds", "params", "metrics"],
    "predict": ["model", "rows", "table", "seconds"],
    "encode": ["model", "rows", "table", "columns", "seconds"],
    "evaluate": ["model", "rows", "metrics"],
    "error": ["error"],
}
NO_VERB = {"error"}  # definitions of documents that are not one verb's

checks = Checks()
with open(os.path.join(SOURCE, "tools", "dm-json.schema.json"), encoding="utf-8") as f:
    schema = json.load(f)
Draft = jsonschema.Draft202012Validator
# 1.0 is a number of ours, never a count
Strict = jsonschema.validators.extend(
    Draft, type_checker=Draft.TYPE_CHECKER.redefine("integer", lambda _, v: isinstance(v, int) and not isinstance(v, bool)))
seen = {}  # definition -> one document of it


def validator(definition):
    return Strict({"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def parse(text):
    """One document and nothing else; no key twice, no NaN."""
    def object_of(pairs):
        keys = [k for k, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ValueError(f"a key comes twice: {keys}")
        return dict(pairs)

    def constant(word):
        raise ValueError(f"{word} is no JSON")

    if not text.endswith("\n") or text.endswith("\n\n"):
        raise ValueError("want one line end after the document")
    return json.loads(text, object_pairs_hook=object_of, parse_constant=constant)


def parsed(r, definition):
    try:
        document = parse(r.out)
    except ValueError as e:
        checks.that(False, f"no single document ({e}):", r)
        return None
    problem = jsonschema.exceptions.best_match(validator(definition).iter_errors(document))
    checks.that(problem is None, f"no '{definition}' at {list(problem.absolute_path) if problem else ''}:",
                problem.message[:400] if problem else "", r.args)
    return document


def document(definition, program, *args, code=0):
    r = run(program, *args, "--json")
    if not checks.that(r.code == code, f"exit {code} wanted:", r):
        return None
    d = parsed(r, definition)
    seen.setdefault(definition, d)
    return d


def failure(code, program, *args, place=None):
    r = run(program, *args, "--json")
    if not checks.that(r.code == code, f"exit {code} wanted:", r):
        return None
    d = parsed(r, "error")
    if d is None:
        return None
    seen.setdefault("error", d)
    e = d["error"]
    checks.that(e["code"] == code, f"code {code} wanted in the document:", r)
    checks.that(e["message"] in r.err, "the message on standard error, too:", r)
    if place:
        checks.that(str(e["file"]).endswith(place[0]) and e["line"] == place[1], f"place {place} wanted:", r)
    plain = run(program, *args)
    checks.that(plain.code == code and plain.out == "" and "error: " in plain.err, "without --json nothing on standard output:", plain)
    return e


# ---- the schema itself -------------------------------------------------------

def check_schema():
    Draft.check_schema(schema)
    for name, definition in schema["$defs"].items():
        for path, node in walk(definition, name):
            if "properties" in node and node.get("type") == "object":
                checks.that(node.get("additionalProperties") is False, f"{path} takes any key")
            if "$ref" in node:
                checks.that(node["$ref"].removeprefix("#/$defs/") in schema["$defs"], f"{path} refers to {node['$ref']}")
            unknown = set(node.get("required", [])) - set(node.get("properties", {}))
            checks.that("type" not in node or "$ref" in node or not unknown, f"{path} requires {unknown}, which it does not describe")
    for name, keys in CONTRACT.items():
        checks.that(set(keys) <= set(schema["$defs"][name]["required"]), f"{name} does not require {keys}")


def walk(node, path):
    if isinstance(node, dict):
        if not path.endswith("/properties"):
            yield path, node
        for key, child in node.items():
            yield from walk(child, f"{path}/{key}")
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from walk(child, f"{path}/{i}")


def check_strictness():
    """A document without one of its keys, with one too many or with another type is refused: the schema says something."""
    roots = {r["$ref"].removeprefix("#/$defs/") for r in schema["anyOf"]}
    checks.that(roots == set(seen), f"no document was seen of {roots ^ set(seen)}")
    for name, whole in seen.items():
        if not whole:
            continue
        refuses = validator(name)
        many = isinstance(whole, list)
        one = whole[0] if many else whole
        wrap = (lambda d: [d] + whole[1:]) if many else (lambda d: d)
        for key in one:
            checks.that(not refuses.is_valid(wrap({k: v for k, v in one.items() if k != key})), f"{name} may lack {key}")
            checks.that(not refuses.is_valid(wrap({**one, key: [[True]]})), f"{name} takes anything as {key}")
        checks.that(not refuses.is_valid(wrap({**one, "other": 1})), f"{name} takes other keys")


# ---- documents ---------------------------------------------------------------

def check_cleaning(db):
    d = document("import", "dm-clean", "import", "a.db", data("biopsy-dirty.csv"), "--table", "biopsy", "--null", "NA", code=1)
    checks.that(d and (d["rows"], d["rejects"]) == (696, 16), "696 rows and 16 rejects wanted:", d)
    checks.that(d and [c["type"] for c in d["columns"]].count("INTEGER") == 10, "ID and V1 to V9 are INTEGER:", d)
    document("import", "dm-clean", "import", "a.db", write("h.csv", "a,b\n"), "--header", "yes")
    several = document("import_several", "dm-clean", "import", "a.db", data("iris.csv"), data("wine.csv"))
    checks.that(several and [d["table"] for d in several] == ["iris", "wine"], "one table for each file:", several)

    with sqlite3.connect("a.db") as c:
        c.execute("CREATE TABLE odd(dm_id INTEGER PRIMARY KEY, void, b BLOB, t TEXT, r REAL)")
        c.execute("INSERT INTO odd VALUES(1, NULL, x'ff00', 'x', 9e99), (2, NULL, NULL, NULL, NULL)")
        c.execute("CREATE TABLE hollow(a INTEGER, b TEXT)")
    c.close()
    profiles = document("profile", "dm-clean", "profile", "a.db", "--report", "p.html")
    checks.that(profiles and len(profiles) == 6 and os.path.getsize("p.html") > 1000, "six tables and a page:", profiles and len(profiles))
    for column in (c for p in profiles or [] for c in p["columns"]):
        h = column.get("histogram")
        checks.that(h is None or len(h["edges"]) == len(h["counts"]) + (len(h["counts"]) > 0), "edges around the counts:", column)
        checks.that(h is None or sum(h["counts"]) == column["rows"] - column["missing"], "each value in a bin:", column)
    p = document("profile", "dm-clean", "profile", db, "pima", "--target", "diabetes")
    checks.that(p and p[0]["target"] == "diabetes" and p[0]["rows"] == 768, "target and rows:", p)

    d = document("apply", "dm-clean", "apply", "a.db", "recipe.yaml", "--dry-run")
    checks.that(d and d["run"] is None and d["dry_run"], "a dry run has no number:", d)
    d = document("apply", "dm-clean", "apply", "a.db", "recipe.yaml")
    checks.that(d and len(d["steps"]) == 11 and d["steps"][1]["cells_changed"] > 0, "eleven steps:", d)
    with sqlite3.connect("a.db") as c:
        changed, = c.execute("SELECT row_id FROM dm_change WHERE column = 'class' AND row_id > 0 LIMIT 1").fetchone()
        removed, = c.execute("SELECT row_id FROM dm_change WHERE column = '' LIMIT 1").fetchone()
    c.close()
    w = document("why", "dm-clean", "why", "a.db", "biopsy", changed, "class")
    checks.that(w and len(w["cells"]) == 1 and w["cells"][0]["chain"][0]["run"] == d["run"], "the newest change first:", w)
    checks.that(w and w["row"] == changed and w["origin"]["verified"] and w["cells"][0]["raw"] is not None, "down to the file:", w)
    checks.that(w and w["origin"]["bytes"] == len(w["origin"]["raw"]), "as many bytes as letters here:", w)
    document("why", "dm-clean", "why", "a.db", "biopsy", changed)
    document("why", "dm-clean", "why", "a.db", "biopsy", removed)
    w = document("why", "dm-clean", "why", "a.db", "odd", 1)
    checks.that(w and w["origin"]["file"] is None, "not imported, no file:", w)
    u = document("undo", "dm-clean", "undo", "a.db", d["run"] if d else 0)
    checks.that(u and d and (u["rows_before"], u["rows_after"]) == (d["rows_after"], d["rows_before"]), "undo turns it round:", u)
    entries = document("history", "dm-clean", "history", "a.db")
    checks.that(entries and [e["status"] for e in entries if e["command"] == "apply"] == ["undone"], "the apply is undone:", entries)
    checks.that(entries and entries[0]["rows_added"] == 696, "rows of an import:", entries)
    document("history", "dm-clean", "history", db)
    for name in ("x.csv", "x.tsv", "x.jsonl"):
        d = document("export", "dm-clean", "export", db, "pima", "-o", name)
        checks.that(d == {"file": name, "rows": 768, "rejects": 0}, "file and rows:", d)
    document("export", "dm-clean", "export", db, "SELECT * FROM pima WHERE 0", "-o", "x.csv")
    document("export", "dm-clean", "export", ":memory:", data("iris.csv"), "-o", "iris.csv")
    with open("iris.csv", "rb") as ours, open(data("iris.csv"), "rb") as theirs:
        checks.that(ours.read() == theirs.read(), "a data file comes back as it is")


def check_features(db):
    """An autoencoder, its features alone and as a part of another model."""
    train = ("dm-mine", "train", "autoencoder", db, "pima", "--ignore", "diabetes", "--model", "ae", "--latent", 3, "--epochs", 4)
    d = document("train", *train, "--test", "0.25")
    checks.that(d and (d["task"], d["target"], d["features_from"]) == ("encode", None, None), "no target:", d)
    checks.that(d and d["metrics"]["test"]["reconstruction_mse"] > 0 and d["metrics"]["test"]["unusual"] < 0.2, "errors:", d)
    document("train", *train, "--folds", 3, "--train-metrics")
    d = document("encode", "dm-mine", "encode", db, "ae", "pima", "--into", "codes")
    checks.that(d and (d["rows"], d["table"], d["file"], d["columns"]) == (768, "codes", None, 3), "into a table:", d)
    d = document("encode", "dm-mine", "encode", db, "ae@1", data("pima.csv"), "--null", "NA", "-o", "c.csv", "--as", "blob")
    checks.that(d and (d["rows"], d["table"], d["file"], d["columns"]) == (768, None, "c.csv", 3), "into a file:", d)
    document("predict", "dm-mine", "predict", db, "ae", "pima", "--into", "unusual")
    d = document("evaluate", "dm-mine", "evaluate", db, "ae", "pima")
    checks.that(d and d["rows"] == 768 and d["metrics"]["reconstruction_error"] > 0, "errors of all rows:", d)
    document("models_show", "dm-mine", "models", db, "show", "ae")
    d = document("audit", "dm-mine", "audit", db, "ae", "--row", 5)
    checks.that(d and d["stages"] == [] and d["path"] is None and d["features"][0]["part"] is not None, "parts of the error:", d)
    for method in ("tree", "logistic", "cba"):
        d = document("train", "dm-mine", "train", method, db, "pima", "--target", "diabetes", "--features-from", "ae", "--model", "both", "--test", 0.25)
        checks.that(d and (d["columns"], d["features_from"]) == (3, "ae@2"), "features of another model:", d)
        d = document("audit", "dm-mine", "audit", db, "both", "--row", 5)
        checks.that(d and [c["name"] for c in d["stages"][0]["codes"]] == ["e1", "e2", "e3"] and len(d["features"]) == 8, "stages:", d)
    failure(2, "dm-mine", "encode", db, "d", "pima", "--into", "z")  # a tree learns no features
    failure(2, "dm-mine", "encode", db, "ae", "pima", "--into", "pima")
    failure(2, "dm-mine", "train", "autoencoder", db, "pima", "--target", "diabetes")
    failure(2, "dm-mine", "train", "tree", db, "pima", "--target", "glucose", "--features-from", "ae")  # an input of it
    failure(2, "dm-mine", "train", "tree", db, "pima", "--target", "diabetes", "--features-from", "ae", "--ignore", "age")
    failure(2, "dm-mine", "train", "tree", db, "pima", "--target", "diabetes", "--features-from", "nosuch")
    failure(3, "dm-mine", "encode", db, "ae", "air", "--into", "z")


def check_rules(db):
    """The shop of six transactions, as a file, as a table of pairs, as a column."""
    baskets = write("shop.dat", "milk bread\nbread\nmilk bread beer\nbread\n\nbeer\n")
    d = document("rules", "dm-mine", "rules", ":memory:", baskets, "--format", "basket", "--min-support", 2, "--count-only")
    checks.that(d and (d["model"], d["transactions"], d["items"], d["itemsets"], d["rules"]) == (None, 6, 3, 4, None), "four sets:", d)
    pairs = write("shop.csv", "tid,item\n1,milk\n1,bread\n2,bread\n3,milk\n3,bread\n3,beer\n4,bread\n5,\n6,beer\n")
    d = document("rules", "dm-mine", "rules", ":memory:", pairs, "--tid", "tid", "--item", "item", "--min-support", "30%", "--min-confidence", 0.5,
                 "-o", "r.csv")
    checks.that(d and (d["transactions"], d["itemsets"], d["rules"], d["min_support"], d["file"]) == (6, 4, 2, 2, "r.csv"), "two rules:", d)
    write("ragged.csv", "k,b\n1,\"a,b\"\n2\n")
    d = document("rules", "dm-mine", "rules", ":memory:", "ragged.csv", "--basket", "b", "--min-support", 1, "--kind", "closed", "--count-only", code=1)
    checks.that(d and (d["itemsets"], d["rejects"]) == (1, 1), "a record that does not fit:", d)
    d = document("rules", "dm-mine", "rules", copy(db, "r.db"), pairs, "--tid", "tid", "--item", "item", "--min-support", 1, "--min-confidence", 0.5,
                 "--into", "shop")
    checks.that(d and (d["model"], d["version"], d["itemsets"], d["rules"]) == ("shop", 1, 7, 8), "a model:", d)
    d = document("models_show", "dm-mine", "models", "r.db", "show", "shop")
    checks.that(d and d["metrics"]["train"]["rules"] == 8 and d["params"]["min_confidence"] == 0.5, "what was asked for:", d)
    document("history", "dm-clean", "history", "r.db")
    wide = write("wide.dat", " ".join(str(i) for i in range(64)) + "\n")
    d = document("rules", "dm-mine", "rules", ":memory:", wide, "--format", "basket", "--min-support", 1, "--count-only")
    checks.that(d and d["itemsets"] == 2**64 - 1, "all digits of a large count:", d)
    write("wider.dat", " ".join(str(i) for i in range(65)) + "\n")
    failure(3, "dm-mine", "rules", ":memory:", "wider.dat", "--format", "basket", "--min-support", 1, "--count-only")
    failure(5, "dm-mine", "rules", ":memory:", "wider.dat", "--format", "basket", "--min-support", 1, "--max-size", 5, "--limit", 1000)
    failure(2, "dm-mine", "rules", db, "nosuch", "--tid", "tid", "--item", "item", "--min-support", 2)
    failure(4, "dm-mine", "rules", ":memory:", "nothere.dat", "--format", "basket", "--min-support", 2)
    r = run("dm-mine", "rules", ":memory:", baskets, "--format", "basket", "--min-support", 1, "-o", "-", "--json")
    checks.that(r.code == 2 and parsed(r, "error"), "the sets and the document cannot share standard output:", r)


def check_mining(db):
    d = document("train", "dm-mine", "train", "tree", db, "pima", "--target", "diabetes", "--model", "e", "--test", "0.25")
    checks.that(d and d["metrics"]["test"]["accuracy"] > 0.6 and d["test_rows"] == 192, "a test part:", d)
    d = document("train", "dm-mine", "train", "tree", ":memory:", data("airquality.csv"), "--null", "NA", "--target", "Ozone", "--task", "regress",
                 "--folds", "3", "--train-metrics", "--criterion", "squared_error", "--max-depth", "4", "--min-impurity-decrease", "0.5",
                 "--ccp-alpha", "0.1", "--min-samples-leaf", "2", "--min-samples-split", "5")
    checks.that(d and d["params"]["max_depth"] == 4 and d["metrics"]["cv"]["rmse"] > 0 and d["metrics"]["train"], "as asked:", d)
    document("train", "dm-mine", "train", "tree", db, data("house-votes.csv"), "--target", "party", "--model", "votes")
    d = document("predict", "dm-mine", "predict", db, "d", "pima", "--into", "scored")
    checks.that(d and (d["rows"], d["table"], d["file"], d["version"]) == (768, "scored", None, 2), "into a table:", d)
    d = document("predict", "dm-mine", "predict", db, "d@1", data("pima.csv"), "--null", "NA", "-o", "p.csv")
    checks.that(d and (d["rows"], d["table"], d["file"], d["version"]) == (768, None, "p.csv", 1), "into a file:", d)
    d = document("evaluate", "dm-mine", "evaluate", db, "d", "pima")
    checks.that(d and d["rows"] == 768 and d["metrics"]["accuracy"] > 0.6, "metrics:", d)
    d = document("evaluate", "dm-mine", "evaluate", db, "o", "air")
    checks.that(d and d["metrics"]["rmse"] > 0, "metrics of numbers:", d)

    # a data file with records that do not fit: the work is done, the exit code tells
    with open(data("pima.csv"), encoding="utf-8") as f:
        ragged = write("ragged.csv", f.read() + "1,2\n1,2,3\n")
    for definition, program, *args in (("train", "dm-mine", "train", "tree", ":memory:", ragged, "--target", "diabetes"),
                                       ("predict", "dm-mine", "predict", db, "d", ragged, "-o", "p.csv"),
                                       ("evaluate", "dm-mine", "evaluate", db, "d", ragged),
                                       ("export", "dm-clean", "export", ":memory:", ragged, "-o", "x.csv")):
        d = document(definition, program, *args, "--null", "NA", code=1)
        checks.that(d and (d["rows"], d["rejects"]) == (768, 2), "768 rows, 2 left out:", d)

    d = document("models_list", "dm-mine", "models", db)
    checks.that(d and [(m["model"], m["version"]) for m in d if m["model"] == "d"] == [("d", 1), ("d", 2)], "both versions:", d)
    empty = document("models_list", "dm-mine", "models", "a.db")
    checks.that(empty == [], "no models are an empty list:", empty)
    d = document("models_show", "dm-mine", "models", db, "show", "d@1")
    checks.that(d and d["metrics"]["test"]["accuracy"] > 0.6 and not d["active"], "a model with its metrics:", d)
    document("models_show", "dm-mine", "models", db, "show", "o")
    for action, wanted, more in (("export", 1, ["m.db"]), ("import", 1, ["m.db"]), ("activate", 1, []), ("drop", 3, [])):
        d = document("models_changed", "dm-mine", "models", db, action, "d", *more)
        checks.that(d == {"model": "d", "action": action, "versions": wanted}, "what was done:", d)
    document("models_changed", "dm-mine", "models", db, "import", "d", "m.db")

    for row in (1, 4, 700):
        d = document("audit", "dm-mine", "audit", db, "d", "--row", row)
        checks.that(d and d["row"] == row and abs(sum(d["probabilities"].values()) - 1) < 1e-9, "shares add up to 1:", d)
        checks.that(d and "leaf" in d["path"][-1] and d["origin"]["line"] == row + 1 and len(d["features"]) == 8, "path, place, features:", d)
    document("audit", "dm-mine", "audit", db, "o", "--row", 5)  # a number, a missing value
    # methods whose parameters and paths differ
    document("train", "dm-mine", "train", "logistic", db, "pima", "--target", "diabetes", "--model", "lg", "--test", 0.25)
    document("train", "dm-mine", "train", "linear", db, "pima", "--target", "mass", "--model", "ln")
    document("train", "dm-mine", "train", "net", db, "pima", "--target", "diabetes", "--model", "nt", "--test", 0.25, "--epochs", 3)
    document("train", "dm-mine", "train", "net", db, "pima", "--target", "mass", "--model", "nr", "--hidden", "8, 4", "--epochs", 3, "--lr", 0.01,
             "--patience", 0, "--batch-size", 16, "--dropout", 0)
    document("audit", "dm-mine", "audit", db, "nt", "--row", 5)
    document("audit", "dm-mine", "audit", db, "lg", "--row", 5)
    document("audit", "dm-mine", "audit", db, "ln", "--row", 5)
    check_features(db)
    document("train", "dm-mine", "train", "tree", db, "SELECT V1, V6, class, total, dm_id FROM biopsy", "--target", "class", "--model", "b")
    with sqlite3.connect(db) as c:
        changed, = c.execute("SELECT row_id FROM dm_change WHERE column = 'V6' AND row_id IN (SELECT dm_id FROM biopsy)").fetchone()
    c.close()
    d = document("audit", "dm-mine", "audit", db, "b", "--row", changed)
    checks.that(d and any(f["changes"] for f in d["features"]), "a change of a feature:", d)
    d = document("report", "dm-mine", "report", db, "-o", "r.html")
    checks.that(d and d["bytes"] == os.path.getsize("r.html"), "bytes of the page:", d)

    d = document("run", "dm-mine", "run", "pipeline.yaml", code=1)
    checks.that(d and d["sources"][0]["rejects"] == 16 and len(d["models"]) == 2 and d["predict"][1]["file"], "all parts:", d)
    d = document("run", "dm-mine", "run", "pipeline.yaml", "--resume")
    checks.that(d and d["sources"] == d["models"] == [None, None], "nothing to do again:", d)
    write("bare.yaml", "database: out/bare.db\n")
    d = document("run", "dm-mine", "run", "bare.yaml")
    checks.that(d and d["report"] is None and d["models"] == [], "nothing asked, nothing done:", d)
    write("buys.csv", "tid,item\n1,a\n1,b\n2,a\n2,b\n3,a\n3,c\n")
    write("rules.yaml", "database: out/rules.db\nsources:\n  - {file: buys.csv}\nrules:\n"
          "  - {source: buys, tid: tid, item: item, min_support: 2, min_confidence: 0.6, measure: lift, into: shop}\n"
          "  - {source: buys, tid: tid, item: item, min_support: 50%, kind: closed, file: out/closed.csv}\n")
    d = document("run", "dm-mine", "run", "rules.yaml")
    checks.that(d and [(r["itemsets"], r["rules"], r["model"]) for r in d["rules"]] == [(3, 2, "shop"), (2, None, None)], "rules and sets:", d)
    d = document("run", "dm-mine", "run", "rules.yaml", "--resume")
    checks.that(d and d["rules"] == [None, None], "nothing to do again:", d)
    for line, wrong in enumerate(("min_support: 0", "left: a", "max_size: 0.5", "min_confidence: 2", "measure: lft, min_confidence: 1", "supprt: 2", "file: x.csv"), 2):
        write("wrong.yaml", "database: out/w.db\nsources: [{file: buys.csv}]\nrules:\n  - {source: buys, tid: tid, item: item, into: s%d, %s%s}\n" % (
            line, "" if wrong.startswith("min_support") else "min_support: 1, ", wrong))
        failure(2 if wrong.startswith("min_support") else 3, "dm-mine", "run", "wrong.yaml", place=("wrong.yaml", 4))


# ---- failures ------------------------------------------------------------------

def check_failures(db):
    write("no.db", "this is no database, but long enough to be read as one, several times over" * 20)
    write("empty.csv", "")
    write("ragged.csv", "a,b,c\n1,2,3\n4,5\n")
    write("bad.yaml", "table: biopsy\nsteps:\n  - trim: {columns: clas}\n")
    write("broken.yaml", "table: biopsy\nsteps: [ {trim: }\n")
    write("pipe.yaml", "database: out/q.db\nmodels:\n  - {methd: tree}\n")
    sqlite3.connect("void.db").execute("CREATE TABLE t(a)").connection.close()
    forged = copy(db, "forged.db")
    with sqlite3.connect(forged) as c:
        c.execute("UPDATE dm_model SET sha256 = 'x'")
    c.close()
    verbs = {
        ("dm-clean", "import"): [db, data("iris.csv")], ("dm-clean", "profile"): [db], ("dm-clean", "apply"): [db, "recipe.yaml"],
        ("dm-clean", "history"): [db], ("dm-clean", "undo"): [db, 4], ("dm-clean", "why"): [db, "pima", 1],
        ("dm-clean", "export"): [db, "pima", "-o", "x.csv"], ("dm-mine", "run"): ["pipeline.yaml"],
        ("dm-mine", "rules"): [db, "pima", "--tid", "age", "--item", "mass", "--min-support", 2],
        ("dm-mine", "train"): ["tree", db, "pima", "--target", "diabetes"], ("dm-mine", "predict"): [db, "d", "pima", "--into", "z"],
        ("dm-mine", "encode"): [db, "ae", "pima", "--into", "z"],
        ("dm-mine", "evaluate"): [db, "d", "pima"], ("dm-mine", "models"): [db], ("dm-mine", "audit"): [db, "d", "--row", 1],
        ("dm-mine", "report"): [db, "-o", "x.html"],
    }
    for (program, verb), args in verbs.items():
        failure(2, program, verb)
        failure(2, program, verb, *args, "--no-such-option")
        failure(2, program, verb, *args, "--threads", "none")
        failure(2, program, verb, *args, "--memory", "much")
        failure(2, program, verb, *["argument"] * 10001)
        if verb != "run":  # a database that is none
            failure(4, program, verb, *["no.db" if a == db else a for a in args])
        if verb not in ("run", "import", "train", "rules"):
            failure(4, program, verb, *["nothere.db" if a == db else a for a in args])
        checks.that(not os.path.exists("nothere.db"), f"{verb} made nothere.db")
    for program in ("dm-clean", "dm-mine"):
        failure(2, program, "nosuch")
        failure(2, program)

    failure(2, "dm-clean", "import", db, data("pima.csv"))  # the table is there
    failure(2, "dm-clean", "import", db, data("iris.csv"), "--table", "dm_x")
    failure(3, "dm-clean", "import", db, "empty.csv")
    failure(3, "dm-clean", "import", db, "ragged.csv", "--strict", place=("ragged.csv", 3))
    failure(4, "dm-clean", "import", db, "nothere.csv")
    failure(4, "dm-clean", "import", db, ".")
    failure(4, "dm-clean", "import", db, data("iris.csv"), "nothere.csv")
    failure(2, "dm-clean", "profile", db, "iris")  # all of the files or none
    failure(2, "dm-clean", "profile", db, "nosuch")
    failure(2, "dm-clean", "profile", db, "pima", "--target", "nosuch")
    failure(2, "dm-clean", "profile", db, "--report", "-")
    failure(4, "dm-clean", "profile", db, "--report", "no/such/folder.html")
    failure(3, "dm-clean", "apply", db, "bad.yaml", place=("bad.yaml", 3))
    failure(3, "dm-clean", "apply", db, "broken.yaml", place=("broken.yaml", 3))
    failure(4, "dm-clean", "apply", db, "nothere.yaml")
    failure(2, "dm-clean", "undo", db, "x")
    failure(2, "dm-clean", "undo", db, 999)
    failure(2, "dm-clean", "why", db, "pima", "x")
    failure(2, "dm-clean", "why", db, "pima", 9999)
    failure(2, "dm-clean", "why", db, "nosuch", 1)
    failure(2, "dm-clean", "why", db, "pima", 1, "nosuch")
    failure(2, "dm-clean", "export", db, "pima")
    failure(2, "dm-clean", "export", db, "nosuch", "-o", "y.csv")
    failure(3, "dm-clean", "export", db, "SELECT nosuch FROM pima", "-o", "y.csv")
    failure(4, "dm-clean", "export", db, "pima", "-o", "no/such/folder.csv")
    r = run("dm-clean", "export", db, "pima", "-o", "-", "--json")
    checks.that(r.code == 2 and parsed(r, "error"), "the rows and the document cannot share standard output:", r)

    failure(3, "dm-mine", "run", "pipe.yaml", place=("pipe.yaml", 3))
    failure(3, "dm-mine", "run", "broken.yaml")
    failure(4, "dm-mine", "run", "nothere.yaml")
    tree = ("dm-mine", "train", "tree")
    failure(2, "dm-mine", "train", "forrest", db, "pima", "--target", "diabetes")
    failure(2, *tree, db, "pima")
    failure(2, *tree, db, "pima", "--target", "nosuch")
    failure(2, *tree, db, "nosuch", "--target", "diabetes")
    failure(2, *tree, db, "pima", "--target", "diabetes", "--max-depth", "-1")
    failure(2, *tree, db, "pima", "--target", "diabetes", "--test", "0.5", "--folds", "3")
    failure(3, *tree, db, "SELECT glucose, 'a' AS y FROM pima", "--target", "y")
    failure(3, *tree, db, "SELECT glucose, diabetes FROM pima WHERE 0", "--target", "diabetes")
    failure(3, *tree, ":memory:", "empty.csv", "--target", "diabetes")
    failure(4, *tree, ".", "pima", "--target", "diabetes")
    failure(2, "dm-mine", "predict", db, "nosuch", "pima", "--into", "z")
    failure(2, "dm-mine", "predict", db, "d@9", "pima", "--into", "z")
    failure(2, "dm-mine", "predict", db, "d", "pima", "--into", "pima")
    failure(2, "dm-mine", "predict", db, "d", "pima", "--into", "z", "-o", "z.csv")
    failure(3, "dm-mine", "predict", db, "d", "air", "--into", "z")
    failure(3, "dm-mine", "predict", "forged.db", "d", "pima", "--into", "z")
    failure(4, "dm-mine", "predict", db, "d", "pima", "-o", "no/such/folder.csv")
    r = run("dm-mine", "predict", db, "d", "pima", "--json")
    checks.that(r.code == 2 and parsed(r, "error"), "the rows and the document cannot share standard output:", r)
    failure(2, "dm-mine", "evaluate", db, "nosuch", "pima")
    failure(3, "dm-mine", "evaluate", db, "d", "SELECT glucose, pregnant, pressure, triceps, insulin, mass, pedigree, age FROM pima")
    failure(3, "dm-mine", "evaluate", "forged.db", "d", "pima")
    failure(2, "dm-mine", "models", db, "dropp", "d")
    failure(2, "dm-mine", "models", db, "drop")
    for action in ("show", "activate", "drop"):
        failure(2, "dm-mine", "models", db, action, "nosuch")
    failure(3, "dm-mine", "models", "forged.db", "show", "d")
    failure(2, "dm-mine", "models", db, "import", "nosuch", "m.db")
    failure(4, "dm-mine", "models", db, "import", "d", "nothere.db")
    failure(4, "dm-mine", "models", db, "export", "d", "no/such/folder.db")
    failure(2, "dm-mine", "audit", db, "d")
    failure(2, "dm-mine", "audit", db, "d", "--row", "x")
    failure(2, "dm-mine", "audit", db, "d", "--row", 99999)
    failure(2, "dm-mine", "audit", db, "nosuch", "--row", 1)
    failure(3, "dm-mine", "audit", "forged.db", "d", "--row", 1)
    failure(4, "dm-mine", "report", db, "-o", "no/such/folder.html")

    for args in (("dm-clean", "import", "m1.db", data("digits.csv")), ("dm-clean", "profile", db), (*tree, db, "pima", "--target", "diabetes"),
                 ("dm-mine", "evaluate", db, "d", "pima"), ("dm-mine", "run", "pipeline.yaml")):
        failure(5, *args, "--memory", "4K")


def check_interrupt():
    """Ctrl-C once the transaction is under way: error 130, and nothing of the table."""
    write("long.csv", "n,t\n" + "123456,some words that are long enough\n" * 1_000_000)
    command = [os.path.join(BUILD, "tools", "dm-clean"), "import", "i.db", "long.csv", "--json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        while p.poll() is None and not os.path.exists("i.db-journal"):
            time.sleep(0.002)
        p.send_signal(signal.SIGINT)
        p.out, p.err = p.communicate(timeout=60)
    p.code = p.returncode
    if checks.that(p.code == 130, f"exit 130 wanted, not {p.code}:", p.err):
        d = parsed(p, "error")
        checks.that(d and d["error"]["code"] == 130, "code 130 wanted:", d)
        tables = sqlite3.connect("i.db").execute("SELECT count(*) FROM sqlite_schema WHERE name = 'long'").fetchone()
        checks.that(tables == (0,), "nothing is half written")


def check_training():
    """Ctrl-C in a long training: error 130 that says how to go on, a model that is none yet, and one once it is finished."""
    command = ["dm-mine", "train", "autoencoder", "long.db", data("iris.csv"), "--model", "m", "--epochs", "1000000", "--patience", "1000000", "--json"]
    with subprocess.Popen([os.path.join(BUILD, "tools", command[0]), *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as p:
        time.sleep(1.5)
        p.send_signal(signal.SIGINT)
        p.out, p.err = p.communicate(timeout=60)
    p.code = p.returncode
    if not checks.that(p.code == 130, f"exit 130 wanted, not {p.code}:", p.err):
        return
    d = parsed(p, "error")
    checks.that(d and "of 'm@1' is kept: the same command with --resume goes on" in d["error"]["hint"], "how to go on:", d)
    d = document("models_list", "dm-mine", "models", "long.db")
    checks.that(d and [(m["status"], m["active"], m["metrics"]) for m in d] == [("training", False, {})], "a training is listed:", d)
    failure(2, "dm-mine", "predict", "long.db", "m", data("iris.csv"), "--into", "t")
    failure(2, *command[:-1], "--resume", "--seed", "1")
    failure(2, *command[:-1], "--resume", "--lr", "0.5")
    d = document("train", *command[:-1], "--resume", "--time-limit", "0.5")
    checks.that(d and d["version"] == 1, "the version that the training had:", d)
    d = document("models_list", "dm-mine", "models", "long.db")
    checks.that(d and [(m["status"], m["active"]) for m in d] == [("ready", True)], "a model is there:", d)


def main():
    folder = enter_folder()
    make_database(checks, "my.db")
    check_schema()
    check_cleaning("my.db")
    check_mining("my.db")
    check_rules("my.db")
    check_failures("my.db")
    check_interrupt()
    check_training()
    check_strictness()
    folder.cleanup()
    checks.finish()


main()

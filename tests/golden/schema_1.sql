-- A database of schema version 1, with a table and a tree: what the commit before version 2 wrote (dm-clean import, dm-mine train tree), by sqlite3's .dump.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE dm_meta(key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;
INSERT INTO dm_meta VALUES('schema_version','1');
CREATE TABLE dm_source(
  id INTEGER PRIMARY KEY, uri TEXT NOT NULL, format TEXT NOT NULL,
  options TEXT NOT NULL CHECK(json_valid(options)), sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  records INTEGER NOT NULL, accepted INTEGER NOT NULL, rejected INTEGER NOT NULL,
  table_name TEXT NOT NULL, imported_at TEXT NOT NULL, run_id INTEGER REFERENCES dm_run(id)) STRICT;
INSERT INTO dm_source VALUES(1,'/home/ann/people.csv','csv','{"delimiter":",","quote":"\"","encoding":"UTF-8","bom":false,"header":true,"header_quoted":false,"trim":false,"trailing":false,"line_ending":"\n","mixed_endings":false,"final_newline":true,"types":"auto","on_extra":"reject","nulls":[],"columns":["age","city","buys"],"preamble":"age,city,buys\n"}','cdaac924f00ee99e929eaef5d99865af7540ab156b67839d7c4bbf2b74205216',70,5,5,0,'people','2026-11-23T00:08:38.704Z',1);
CREATE TABLE dm_column(
  table_name TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, type TEXT NOT NULL, role TEXT,
  unit TEXT, format TEXT, missing_markers TEXT CHECK(missing_markers IS NULL OR json_valid(missing_markers)),
  levels TEXT CHECK(levels IS NULL OR json_valid(levels)), PRIMARY KEY(table_name, name)) STRICT, WITHOUT ROWID;
INSERT INTO dm_column VALUES('people','age','INTEGER',NULL,NULL,'integer','[]',NULL);
INSERT INTO dm_column VALUES('people','buys','TEXT',NULL,NULL,'text','[]',NULL);
INSERT INTO dm_column VALUES('people','city','TEXT',NULL,NULL,'text','[]',NULL);
CREATE TABLE dm_origin(
  source_id INTEGER NOT NULL REFERENCES dm_source(id), table_name TEXT NOT NULL COLLATE NOCASE,
  first_id INTEGER NOT NULL, first_record INTEGER NOT NULL, line INTEGER NOT NULL, byte_offset INTEGER NOT NULL,
  PRIMARY KEY(table_name, first_id)) STRICT, WITHOUT ROWID;
INSERT INTO dm_origin VALUES(1,'people',1,1,2,14);
CREATE TABLE dm_reject(
  source_id INTEGER NOT NULL REFERENCES dm_source(id), record INTEGER NOT NULL, line INTEGER NOT NULL,
  column INTEGER, byte_offset INTEGER NOT NULL, raw BLOB NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY(source_id, record)) STRICT;
CREATE TABLE dm_run(
  id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, arguments TEXT NOT NULL CHECK(json_valid(arguments)),
  recipe TEXT, seed INTEGER NOT NULL, lib_version TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
  status TEXT NOT NULL) STRICT;
INSERT INTO dm_run VALUES(1,'import','{"file":"people.csv","table":"people"}',NULL,0,'0.1.0','2026-11-23T00:08:38.704Z','2026-11-23T00:08:38.715Z','done');
INSERT INTO dm_run VALUES(2,'train','{"criterion":"auto","max_depth":"auto","min_samples_split":2,"min_samples_leaf":1,"min_impurity_decrease":0.0,"ccp_alpha":"auto"}',NULL,0,'0.1.0','2026-11-23T00:08:38.883Z','2026-11-23T00:08:38.884Z','done');
CREATE TABLE dm_change(
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES dm_run(id), table_name TEXT NOT NULL COLLATE NOCASE,
  row_id INTEGER NOT NULL, column TEXT NOT NULL COLLATE NOCASE, old ANY, new ANY, rule TEXT NOT NULL,
  confidence REAL) STRICT;
CREATE TABLE dm_link(
  run_id INTEGER NOT NULL REFERENCES dm_run(id), left_table TEXT NOT NULL, left_id INTEGER NOT NULL,
  right_table TEXT NOT NULL, right_id INTEGER NOT NULL, score REAL NOT NULL, decision TEXT NOT NULL,
  cluster_id INTEGER) STRICT;
CREATE TABLE dm_model(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version INTEGER NOT NULL, method TEXT NOT NULL,
  task TEXT NOT NULL, target TEXT, status TEXT NOT NULL, params TEXT NOT NULL CHECK(json_valid(params)),
  inputs TEXT NOT NULL CHECK(json_valid(inputs)), transform TEXT NOT NULL CHECK(json_valid(transform)),
  source_sql TEXT, rows INTEGER, source_digest TEXT, seed INTEGER NOT NULL, lib_version TEXT NOT NULL,
  started TEXT NOT NULL, seconds REAL NOT NULL, sha256 TEXT NOT NULL, UNIQUE(name, version)) STRICT;
INSERT INTO dm_model VALUES(1,'m',1,'tree','classify','buys','ready','{"criterion":"auto","max_depth":"auto","min_samples_split":2,"min_samples_leaf":1,"min_impurity_decrease":0.0,"ccp_alpha":"auto"}','{"inputs":[{"name":"age","kind":"numeric","type":"INTEGER"},{"name":"city","kind":"category","type":"TEXT","level_type":"TEXT","levels":["Bonn","Kiel","Ulm"]}],"target":{"name":"buys","type":"TEXT","level_type":"TEXT","levels":["no","yes"]}}','{"stages":[{"encoder":{"passthrough":true},"method":"tree","scalars":{"criterion":"gini","ccp_alpha":0.0,"leaves":2,"depth":1}}]}','people',5,'5174e6535943d86017ae19d8f9e23ae399160e0c170bb69ba51ed758e05d57b3',0,'0.1.0','2026-11-23T00:08:38.793Z',0.089911824998125666752,'2c2f23d6cb0fd49ca047d6be205c468ddff1d0e594d8da5bc30c7387f31c1583');
CREATE TABLE dm_active(name TEXT PRIMARY KEY, model_id INTEGER NOT NULL REFERENCES dm_model(id)) STRICT, WITHOUT ROWID;
INSERT INTO dm_active VALUES('m',1);
CREATE TABLE dm_tensor(
  model_id INTEGER NOT NULL REFERENCES dm_model(id), name TEXT NOT NULL, part INTEGER NOT NULL, dtype TEXT NOT NULL,
  shape TEXT NOT NULL CHECK(json_valid(shape)), data BLOB NOT NULL, PRIMARY KEY(model_id, name, part)) STRICT;
INSERT INTO dm_tensor VALUES(1,'0/count',0,'f64','[3]',X'000000000000144000000000000000400000000000000840');
INSERT INTO dm_tensor VALUES(1,'0/feature',0,'i32','[3]',X'00000000ffffffffffffffff');
INSERT INTO dm_tensor VALUES(1,'0/impurity',0,'f64','[3]',X'b81e85eb51b8de3f00000000000000000000000000000000');
INSERT INTO dm_tensor VALUES(1,'0/left',0,'i32','[3]',X'01000000ffffffffffffffff');
INSERT INTO dm_tensor VALUES(1,'0/missing_left',0,'u8','[3]',X'000000');
INSERT INTO dm_tensor VALUES(1,'0/right',0,'i32','[3]',X'02000000ffffffffffffffff');
INSERT INTO dm_tensor VALUES(1,'0/subset',0,'i32','[0]',X'');
INSERT INTO dm_tensor VALUES(1,'0/threshold',0,'f64','[3]',X'0000000000003c4000000000000000000000000000000000');
INSERT INTO dm_tensor VALUES(1,'0/value',0,'f64','[3,2]',X'9a9999999999d93f333333333333e33f000000000000f03f00000000000000000000000000000000000000000000f03f');
CREATE TABLE dm_metric(
  model_id INTEGER NOT NULL REFERENCES dm_model(id), split TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY(model_id, split, name)) STRICT, WITHOUT ROWID;
INSERT INTO dm_metric VALUES(1,'train','accuracy',1.0);
INSERT INTO dm_metric VALUES(1,'train','auc',1.0);
INSERT INTO dm_metric VALUES(1,'train','balanced_accuracy',1.0);
INSERT INTO dm_metric VALUES(1,'train','brier',0.0);
INSERT INTO dm_metric VALUES(1,'train','f1_macro',1.0);
INSERT INTO dm_metric VALUES(1,'train','log_loss',9.99200722162641478e-16);
CREATE TABLE dm_epoch(
  model_id INTEGER NOT NULL REFERENCES dm_model(id), epoch INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY(model_id, epoch, name)) STRICT, WITHOUT ROWID;
CREATE TABLE dm_itemset(
  model_id INTEGER NOT NULL REFERENCES dm_model(id), id INTEGER NOT NULL, size INTEGER NOT NULL,
  items TEXT NOT NULL CHECK(json_valid(items)), support INTEGER NOT NULL, PRIMARY KEY(model_id, id)) STRICT;
CREATE TABLE dm_rule(
  model_id INTEGER NOT NULL REFERENCES dm_model(id), antecedent TEXT NOT NULL CHECK(json_valid(antecedent)),
  consequent TEXT NOT NULL CHECK(json_valid(consequent)), support INTEGER NOT NULL, confidence REAL NOT NULL,
  lift REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS "people"(dm_id INTEGER PRIMARY KEY,"age" INTEGER,"city" TEXT,"buys" TEXT) STRICT;
INSERT INTO people VALUES(1,31,'Ulm','yes');
INSERT INTO people VALUES(2,25,'Bonn','no');
INSERT INTO people VALUES(3,47,'Ulm','yes');
INSERT INTO people VALUES(4,52,'Kiel','yes');
INSERT INTO people VALUES(5,19,'Bonn','no');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('dm_run',2);
INSERT INTO sqlite_sequence VALUES('dm_model',1);
CREATE INDEX dm_change_cell ON dm_change(table_name, row_id, column);
CREATE INDEX dm_change_run ON dm_change(run_id);
COMMIT;

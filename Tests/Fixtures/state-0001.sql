PRAGMA application_id = 1346719315;
BEGIN TRANSACTION;
CREATE TABLE agent (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  boot TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER
) STRICT;
INSERT INTO "agent" VALUES(1,'boot-of-0001',30111,1795249204468,1795249207451);
CREATE TABLE artifact (
  run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run, stage, name)
) STRICT;
CREATE TABLE attempt (
  run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  n INTEGER NOT NULL CHECK (n >= 1),
  state TEXT NOT NULL CHECK (state IN
    ('running', 'ok', 'skipped', 'cached', 'denied', 'failed', 'timeout', 'interrupted', 'cancelled')),
  granularity TEXT NOT NULL CHECK (granularity IN ('coarse', 'medium', 'fine', 'off')),
  granularity_authority TEXT NOT NULL CHECK (granularity_authority IN
    ('arm', 'override', 'hook', 'fixed', 'rule', 'policy', 'standard')),
  granularity_reason TEXT NOT NULL,
  sample REAL CHECK (sample > 0 AND sample < 1),
  seed INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  "exit" INTEGER,
  signal INTEGER,
  unstarted TEXT,
  wall_s REAL,
  cpu_s REAL,
  rss_bytes INTEGER,
  reason TEXT,
  metrics TEXT NOT NULL,
  data TEXT NOT NULL,
  boot TEXT NOT NULL,
  PRIMARY KEY (run, stage, n),
  CHECK ((state = 'running') = (ended IS NULL)),
  CHECK (("exit" IS NOT NULL) + (signal IS NOT NULL) + (unstarted IS NOT NULL) <= 1),
  CHECK ((wall_s IS NULL) = (cpu_s IS NULL)),
  CHECK (wall_s IS NOT NULL OR rss_bytes IS NULL)
) STRICT;
INSERT INTO "attempt" VALUES(1,'one',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207078,1795249207150,0,NULL,NULL,0.000994192,0.000711,1032192,NULL,'{}','{}','boot-of-0001');
INSERT INTO "attempt" VALUES(2,'one',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207078,1795249207154,0,NULL,NULL,0.004319652,0.000653,1101824,NULL,'{}','{}','boot-of-0001');
INSERT INTO "attempt" VALUES(1,'two',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207154,1795249207183,0,NULL,NULL,0.004919102,0.000794,1114112,NULL,'{}','{}','boot-of-0001');
INSERT INTO "attempt" VALUES(2,'two',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207163,1795249207304,0,NULL,NULL,0.018919608,0.000898,1105920,NULL,'{}','{}','boot-of-0001');
INSERT INTO "attempt" VALUES(3,'one',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207216,1795249207304,0,NULL,NULL,0.011106528,0.000572,1110016,NULL,'{}','{}','boot-of-0001');
INSERT INTO "attempt" VALUES(3,'two',1,'ok','coarse','fixed','the pipeline names no level',NULL,42,1795249207304,1795249207409,0,NULL,NULL,0.008511444,0.000596,1007616,NULL,'{}','{}','boot-of-0001');
CREATE TABLE config (
  path TEXT PRIMARY KEY,
  digest TEXT,
  state TEXT NOT NULL CHECK (state IN ('valid', 'invalid')),
  diagnostics TEXT NOT NULL,
  since INTEGER NOT NULL,
  active_digest TEXT
) STRICT;
INSERT INTO "config" VALUES('pipelines/p.yaml','8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54','valid','[]',1795249204829,'8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54');
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('0001');
CREATE TABLE hook_call (
  id INTEGER PRIMARY KEY,
  run INTEGER REFERENCES run (number) ON DELETE CASCADE,
  stage TEXT,
  attempt INTEGER,
  event TEXT NOT NULL,
  program TEXT NOT NULL,
  sha256 TEXT,
  at INTEGER NOT NULL,
  wall_s REAL NOT NULL,
  cpu_s REAL NOT NULL,
  rss_bytes INTEGER,
  "exit" INTEGER,
  signal INTEGER,
  unstarted TEXT,
  timed_out INTEGER NOT NULL CHECK (timed_out IN (0, 1)),
  decision TEXT NOT NULL CHECK (decision IN ('allow', 'deny', 'skip', 'defer', 'error')),
  reason TEXT,
  stderr_tail TEXT NOT NULL,
  CHECK (("exit" IS NOT NULL) + (signal IS NOT NULL) + (unstarted IS NOT NULL) = 1)
) STRICT;
CREATE TABLE pipeline_version (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  label TEXT,
  path TEXT NOT NULL,
  source TEXT NOT NULL,
  resolved TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;
INSERT INTO "pipeline_version" VALUES('8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54','p',NULL,'pipelines/p.yaml','pipeline: { name: p }
trigger: { inbox: "*.csv" }
stages:
  - { name: one, run: ["/bin/true"] }
  - { name: two, run: ["/bin/true"] }
','{"environment":[],"hooks":{},"name":"p","origin":{"document":{"content":{"mapping":{"_0":[{"key":"pipeline","mark":{"column":1,"file":"pipelines/p.yaml","length":8,"line":1},"value":{"content":{"mapping":{"_0":[{"key":"name","mark":{"column":13,"file":"pipelines/p.yaml","length":4,"line":1},"value":{"content":{"scalar":{"_0":"p","quoted":false}},"mark":{"column":19,"file":"pipelines/p.yaml","length":1,"line":1}}}]}},"mark":{"column":11,"file":"pipelines/p.yaml","length":1,"line":1}}},{"key":"trigger","mark":{"column":1,"file":"pipelines/p.yaml","length":7,"line":2},"value":{"content":{"mapping":{"_0":[{"key":"inbox","mark":{"column":12,"file":"pipelines/p.yaml","length":5,"line":2},"value":{"content":{"scalar":{"_0":"*.csv","quoted":true}},"mark":{"column":19,"file":"pipelines/p.yaml","length":7,"line":2}}}]}},"mark":{"column":10,"file":"pipelines/p.yaml","length":1,"line":2}}},{"key":"stages","mark":{"column":1,"file":"pipelines/p.yaml","length":6,"line":3},"value":{"content":{"sequence":{"_0":[{"content":{"mapping":{"_0":[{"key":"name","mark":{"column":7,"file":"pipelines/p.yaml","length":4,"line":4},"value":{"content":{"scalar":{"_0":"one","quoted":false}},"mark":{"column":13,"file":"pipelines/p.yaml","length":3,"line":4}}},{"key":"run","mark":{"column":18,"file":"pipelines/p.yaml","length":3,"line":4},"value":{"content":{"sequence":{"_0":[{"content":{"scalar":{"_0":"/bin/true","quoted":true}},"mark":{"column":24,"file":"pipelines/p.yaml","length":11,"line":4}}]}},"mark":{"column":23,"file":"pipelines/p.yaml","length":1,"line":4}}}]}},"mark":{"column":5,"file":"pipelines/p.yaml","length":1,"line":4}},{"content":{"mapping":{"_0":[{"key":"name","mark":{"column":7,"file":"pipelines/p.yaml","length":4,"line":5},"value":{"content":{"scalar":{"_0":"two","quoted":false}},"mark":{"column":13,"file":"pipelines/p.yaml","length":3,"line":5}}},{"key":"run","mark":{"column":18,"file":"pipelines/p.yaml","length":3,"line":5},"value":{"content":{"sequence":{"_0":[{"content":{"scalar":{"_0":"/bin/true","quoted":true}},"mark":{"column":24,"file":"pipelines/p.yaml","length":11,"line":5}}]}},"mark":{"column":23,"file":"pipelines/p.yaml","length":1,"line":5}}}]}},"mark":{"column":5,"file":"pipelines/p.yaml","length":1,"line":5}}]}},"mark":{"column":3,"file":"pipelines/p.yaml","length":1,"line":4}}}]}},"mark":{"column":1,"file":"pipelines/p.yaml","length":1,"line":1}},"hookTimeout":[1,11553255926290448384],"manifests":{}},"sources":[],"stages":[{"granularity":{"fixed":{"_0":"coarse","said":false}},"levelParams":{},"limits":{"idle":false},"name":"one","needs":[],"onError":"fail","onInterrupt":"retry","params":{},"program":["/bin/true"],"pure":false,"retry":{"attempts":1,"backoff":[0,10000000000000000000],"factor":2,"jitter":0.2},"sample":0.2},{"granularity":{"fixed":{"_0":"coarse","said":false}},"levelParams":{},"limits":{"idle":false},"name":"two","needs":["one"],"onError":"fail","onInterrupt":"retry","params":{},"program":["/bin/true"],"pure":false,"retry":{"attempts":1,"backoff":[0,10000000000000000000],"factor":2,"jitter":0.2},"sample":0.2}],"trigger":{"inbox":"*.csv","onConfig":false,"priority":0},"vars":{}}',1795249204636);
CREATE TABLE run (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  pipeline TEXT NOT NULL,
  version TEXT REFERENCES pipeline_version (digest),
  state TEXT NOT NULL CHECK (state IN
    ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled', 'quarantined')),
  "trigger" TEXT NOT NULL CHECK ("trigger" IN ('drop', 'config', 'slot', 'manual')),
  drop_name BLOB CHECK (length(drop_name) > 0),
  drop_bytes INTEGER CHECK (drop_bytes >= 0),
  drop_sha256 TEXT,
  captures TEXT,
  options TEXT NOT NULL,
  context TEXT NOT NULL DEFAULT '{}',
  created INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  reason TEXT,
  failed_stage TEXT,
  filed INTEGER NOT NULL DEFAULT 0 CHECK (filed IN (0, 1)),
  resumes INTEGER,
  rerun_of TEXT,
  acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1)),
  CHECK ((drop_name IS NULL) = (drop_bytes IS NULL)),
  CHECK ((drop_name IS NULL) = (captures IS NULL)),
  CHECK (drop_name IS NOT NULL OR drop_sha256 IS NULL),
  CHECK ((state IN ('done', 'failed', 'cancelled', 'quarantined')) = (ended IS NOT NULL)),
  CHECK (resumes IS NULL OR state = 'waiting')
) STRICT;
INSERT INTO "run" VALUES(1,'01a1fd30-f6bd-76a2-aa12-5c36561facf1','p','8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54','done','drop',X'322E637376',4,'5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313','{}','{"granularity":{},"set":{},"useCache":true}','{}',1795249207078,1795249207078,1795249207190,NULL,NULL,1,NULL,NULL,0);
INSERT INTO "run" VALUES(2,'01a1fd30-f6bd-7d64-ad6b-0785657df53a','p','8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54','done','drop',X'332E637376',4,'5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313','{}','{"granularity":{},"set":{},"useCache":true}','{}',1795249207078,1795249207078,1795249207309,NULL,NULL,1,NULL,NULL,0);
INSERT INTO "run" VALUES(3,'01a1fd30-f6bd-77e7-bf2a-085aed099f63','p','8bbdc10b43ac1e2a3c288686da1bf2d35e2fb240adc1587a638c4ab91796ab54','done','drop',X'312E637376',4,'5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313','{}','{"granularity":{},"set":{},"useCache":true}','{}',1795249207078,1795249207216,1795249207410,NULL,NULL,1,NULL,NULL,0);
CREATE TABLE run_count (
  pipeline TEXT NOT NULL,
  state TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (pipeline, state)
) STRICT, WITHOUT ROWID;
INSERT INTO "run_count" VALUES('p','done',3);
INSERT INTO "run_count" VALUES('p','queued',0);
INSERT INTO "run_count" VALUES('p','running',0);
CREATE INDEX run_by_pipeline ON run (pipeline);
CREATE INDEX run_by_state ON run (state);
CREATE INDEX run_by_pipeline_state ON run (pipeline, state);
CREATE INDEX run_open ON run (number) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX run_unfiled ON run (number)
  WHERE filed = 0 AND drop_name IS NOT NULL AND state IN ('done', 'failed', 'cancelled', 'quarantined');
CREATE INDEX run_failure ON run (number) WHERE state IN ('failed', 'quarantined');
CREATE INDEX run_unacknowledged ON run (number) WHERE state = 'quarantined' AND acknowledged = 0;
CREATE INDEX run_done_drop ON run (pipeline, captures) WHERE state = 'done' AND drop_name IS NOT NULL;
CREATE UNIQUE INDEX attempt_running ON attempt (run, stage) WHERE state = 'running';
CREATE INDEX hook_call_by_run ON hook_call (run) WHERE run IS NOT NULL;
CREATE TRIGGER run_counted_new AFTER INSERT ON run BEGIN
  INSERT INTO run_count VALUES (NEW.pipeline, NEW.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER run_counted_moved AFTER UPDATE OF pipeline, state ON run
WHEN OLD.pipeline <> NEW.pipeline OR OLD.state <> NEW.state BEGIN
  UPDATE run_count SET count = count - 1 WHERE pipeline = OLD.pipeline AND state = OLD.state;
  INSERT INTO run_count VALUES (NEW.pipeline, NEW.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER run_counted_gone AFTER DELETE ON run BEGIN
  UPDATE run_count SET count = count - 1 WHERE pipeline = OLD.pipeline AND state = OLD.state;
END;
CREATE TRIGGER run_is_final BEFORE UPDATE OF state, started, ended, reason, failed_stage ON run
WHEN OLD.state IN ('done', 'failed', 'cancelled', 'quarantined') BEGIN
  SELECT RAISE(ABORT, 'a run that has ended does not change');
END;
CREATE TRIGGER run_ends_alone BEFORE UPDATE OF state ON run
WHEN NEW.state IN ('done', 'failed', 'cancelled', 'quarantined') AND EXISTS (
  SELECT 1 FROM attempt WHERE run = OLD.number AND state = 'running') BEGIN
  SELECT RAISE(ABORT, 'a run does not end while an attempt of it is running');
END;
CREATE TRIGGER attempt_is_final BEFORE UPDATE ON attempt WHEN OLD.state <> 'running' BEGIN
  SELECT RAISE(ABORT, 'an attempt that has ended does not change');
END;
CREATE TRIGGER attempt_of_open_run BEFORE INSERT ON attempt
WHEN NEW.state = 'running' AND (SELECT state FROM run WHERE number = NEW.run)
  IN ('done', 'failed', 'cancelled', 'quarantined') BEGIN
  SELECT RAISE(ABORT, 'an attempt does not begin in a run that has ended');
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('run',3);
COMMIT;

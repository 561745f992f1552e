/// Runs, what their stages did, and what is in force.
///
/// A migration that was released is never edited; its words are frozen, whatever becomes of the enums.
let migration0001 = """
  CREATE TABLE pipeline_version (
    digest TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    label TEXT,
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    resolved TEXT NOT NULL,
    created INTEGER NOT NULL
  ) STRICT;

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

  CREATE INDEX run_by_pipeline ON run (pipeline);
  CREATE INDEX run_by_state ON run (state);
  CREATE INDEX run_by_pipeline_state ON run (pipeline, state);
  CREATE INDEX run_open ON run (number) WHERE state IN ('queued', 'running', 'waiting');
  CREATE INDEX run_unfiled ON run (number)
    WHERE filed = 0 AND drop_name IS NOT NULL AND state IN ('done', 'failed', 'cancelled', 'quarantined');
  CREATE INDEX run_failure ON run (number) WHERE state IN ('failed', 'quarantined');
  CREATE INDEX run_unacknowledged ON run (number) WHERE state = 'quarantined' AND acknowledged = 0;
  CREATE INDEX run_done_drop ON run (pipeline, captures) WHERE state = 'done' AND drop_name IS NOT NULL;

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

  CREATE UNIQUE INDEX attempt_running ON attempt (run, stage) WHERE state = 'running';

  CREATE TABLE artifact (
    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, stage, name)
  ) STRICT;

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

  CREATE INDEX hook_call_by_run ON hook_call (run) WHERE run IS NOT NULL;

  CREATE TABLE config (
    path TEXT PRIMARY KEY,
    digest TEXT,
    state TEXT NOT NULL CHECK (state IN ('valid', 'invalid')),
    diagnostics TEXT NOT NULL,
    since INTEGER NOT NULL,
    active_digest TEXT
  ) STRICT;

  CREATE TABLE agent (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER
  ) STRICT;

  -- So that `status` never counts a million rows.
  CREATE TABLE run_count (
    pipeline TEXT NOT NULL,
    state TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (pipeline, state)
  ) STRICT, WITHOUT ROWID;

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
  """

/// Comparisons of arms, and every evaluation of one.
let migration0010Trials = """
  CREATE TABLE trial (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('screening', 'confirming', 'promoted', 'kept', 'stopped')),
    origin TEXT NOT NULL CHECK (origin IN ('window', 'manual', 'watch')),
    data TEXT NOT NULL,
    definition TEXT NOT NULL,
    stage TEXT NOT NULL,
    rules TEXT NOT NULL,
    plan TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER CHECK ((ended IS NULL) = (state IN ('screening', 'confirming'))),
    verdict TEXT,
    reason TEXT
  ) STRICT;
  CREATE UNIQUE INDEX trial_open ON trial (pipeline) WHERE ended IS NULL AND origin <> 'watch';
  CREATE INDEX trial_by_pipeline ON trial (pipeline, number);

  CREATE TABLE observation (
    trial INTEGER NOT NULL REFERENCES trial (number),
    n INTEGER NOT NULL CHECK (n >= 1),
    arm INTEGER NOT NULL CHECK (arm >= 0),
    unit TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'ok', 'failed', 'interrupted')),
    -- more is better; NULL where the arm broke
    quality REAL,
    metric REAL,
    cost_s REAL NOT NULL,
    spent_s REAL NOT NULL,
    -- 32-bit floats, little-endian, one for each row; which rows they are of, in one word
    scores BLOB,
    rows TEXT,
    reason TEXT,
    began INTEGER NOT NULL,
    ended INTEGER CHECK ((ended IS NULL) = (state = 'running')),
    PRIMARY KEY (trial, n)
  ) STRICT, WITHOUT ROWID;
  -- an evaluation counts once, whatever was interrupted
  CREATE UNIQUE INDEX observation_once ON observation (trial, arm, unit) WHERE state <> 'interrupted';
  CREATE INDEX observation_running ON observation (state) WHERE state = 'running';

  CREATE TRIGGER observation_stands BEFORE UPDATE ON observation WHEN OLD.state <> 'running'
  BEGIN SELECT RAISE(ABORT, 'an observation that has ended does not change'); END;
  """

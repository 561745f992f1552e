/// What outcomes depended on, where they were taken from, and which may be taken again.
let migration0005Reuse = """
  CREATE TABLE reuse (
    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    n INTEGER NOT NULL,
    -- SHA-256 of `parts`, where the stage is pure
    "key" TEXT,
    parts TEXT,
    -- what the reply put into the context of the run
    context TEXT NOT NULL,
    -- the id of the run it was taken from
    source TEXT,
    -- what its program took when it was worked
    saved_wall_s REAL,
    saved_cpu_s REAL,
    saved_rss_bytes INTEGER,
    note TEXT,
    PRIMARY KEY (run, stage, n),
    CHECK (("key" IS NULL) = (parts IS NULL)),
    CHECK ((saved_wall_s IS NULL) = (saved_cpu_s IS NULL))
  ) STRICT, WITHOUT ROWID;

  -- The latest outcome of each key; its files lie in the directory of that run.
  CREATE TABLE cache (
    "key" TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    n INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX cache_by_run ON cache (run);
  """

/// The items of fan-out stages, and how far each stage has come with them.
let migration0006Items = """
  CREATE TABLE item (
    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    "index" INTEGER NOT NULL CHECK ("index" >= 0),
    id TEXT NOT NULL CHECK (length(id) > 0),
    state TEXT NOT NULL CHECK (state IN ('ok', 'failed', 'skipped')),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    reason TEXT,
    -- one JSON object: what the next stage is given
    data TEXT,
    -- of what this stage was given
    digest INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    PRIMARY KEY (run, stage, "index"),
    CHECK ((state = 'failed') = (data IS NULL))
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX item_failed ON item (run, stage, "index") WHERE state = 'failed';

  -- So that `status` never counts items.
  CREATE TABLE item_progress (
    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    total INTEGER CHECK (total >= 0),
    ok INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, stage)
  ) STRICT, WITHOUT ROWID;
  """

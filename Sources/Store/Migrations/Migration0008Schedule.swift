/// The slots of schedules, and how far each schedule is settled.
let migration0008Schedule = """
  ALTER TABLE run ADD COLUMN slot INTEGER;

  CREATE TABLE schedule (
    pipeline TEXT PRIMARY KEY,
    -- the expression and its zone: of another one no slot was missed
    content TEXT NOT NULL,
    seen INTEGER NOT NULL,
    paused INTEGER
  ) STRICT, WITHOUT ROWID;

  -- One row a slot: what the key has decided is not decided again.
  CREATE TABLE slot (
    pipeline TEXT NOT NULL,
    due INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('fired', 'queued', 'skipped', 'missed')),
    at INTEGER NOT NULL,
    missed INTEGER NOT NULL DEFAULT 0 CHECK (missed >= 0),
    reason TEXT,
    run TEXT,
    PRIMARY KEY (pipeline, due),
    CHECK ((state = 'fired') = (run IS NOT NULL))
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX slot_queued ON slot (pipeline, due) WHERE state = 'queued';
  """

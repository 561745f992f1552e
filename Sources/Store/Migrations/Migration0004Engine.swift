/// What kind of failure an attempt had, when it is tried again, and which stages are left alone for a while.
let migration0004Engine = """
  ALTER TABLE attempt ADD COLUMN error_class TEXT CHECK (error_class IN ('configuration', 'data', 'model', 'system'));
  ALTER TABLE attempt ADD COLUMN error_code TEXT;
  -- JSON merge patches made to the context by hooks and by the reply, in order
  ALTER TABLE attempt ADD COLUMN context TEXT;
  -- milliseconds: the stage is tried again at this moment
  ALTER TABLE attempt ADD COLUMN again INTEGER;

  -- Failures in a row of stages that have a breaker.
  CREATE TABLE breaker (
    pipeline TEXT NOT NULL,
    stage TEXT NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 1),
    failed INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (pipeline, stage)
  ) STRICT, WITHOUT ROWID;
  """

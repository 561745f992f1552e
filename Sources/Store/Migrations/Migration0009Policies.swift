/// What is in force for `auto` stages, as steps that are only ever added: who, when, why.
let migration0009Policies = """
  CREATE TABLE policy (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline TEXT NOT NULL CHECK (length(pipeline) > 0),
    state TEXT NOT NULL CHECK (state IN ('in_force', 'demoted', 'pinned', 'unpinned')),
    -- JSON, level by stage
    levels TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('trial', 'person', 'change')),
    trial INTEGER,
    -- JSON, SHA-256 by stage and part
    basis TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    CHECK ((source = 'trial') = (trial IS NOT NULL)),
    CHECK ((state IN ('pinned', 'unpinned')) <= (source = 'person')),
    CHECK ((state = 'in_force') <= (source = 'trial'))
  ) STRICT;

  CREATE INDEX policy_by_pipeline ON policy (pipeline, number);

  CREATE TRIGGER policy_is_history BEFORE UPDATE ON policy BEGIN
    SELECT RAISE(ABORT, 'what was decided on a policy does not change');
  END;

  CREATE TRIGGER policy_stays BEFORE DELETE ON policy BEGIN
    SELECT RAISE(ABORT, 'what was decided on a policy is not forgotten');
  END;
  """

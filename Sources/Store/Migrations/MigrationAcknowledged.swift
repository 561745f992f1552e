/// When a person acknowledged a run that went wrong, which run repeats which, and who had a drop of this name.
let migrationAcknowledged = """
  ALTER TABLE run ADD COLUMN acknowledged_at INTEGER;
  CREATE INDEX run_repeats ON run (rerun_of) WHERE rerun_of IS NOT NULL;
  CREATE INDEX run_by_drop ON run (drop_name) WHERE drop_name IS NOT NULL;
  CREATE INDEX run_open_failure ON run (number) WHERE state IN ('failed', 'quarantined') AND acknowledged = 0;
  """

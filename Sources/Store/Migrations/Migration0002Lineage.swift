/// Where a drop came from: the run it repeats, the run that made it, the file it is a copy of.
let migration0002Lineage = """
  ALTER TABLE run ADD COLUMN duplicate_of TEXT;
  ALTER TABLE run ADD COLUMN parent TEXT;
  -- nanoseconds: mtime of the drop when it was claimed
  ALTER TABLE run ADD COLUMN drop_modified INTEGER;
  -- milliseconds: when the drop came to lie in the inbox, its ctime there
  ALTER TABLE run ADD COLUMN arrived INTEGER;

  CREATE INDEX run_by_digest ON run (drop_sha256, pipeline) WHERE drop_sha256 IS NOT NULL;
  CREATE INDEX artifact_by_digest ON artifact (sha256, run);

  -- A file in the inbox that was copied and is to be removed before the run begins.
  CREATE TABLE source (
    run INTEGER PRIMARY KEY REFERENCES run (number) ON DELETE CASCADE,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    modified INTEGER NOT NULL
  ) STRICT;

  -- Files that stay in an inbox of which nothing is removed: each is taken once.
  CREATE TABLE kept (
    name BLOB NOT NULL CHECK (length(name) > 0),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    modified INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (name, bytes, modified, sha256)
  ) STRICT, WITHOUT ROWID;
  """

/// What hooks wish to be remembered with a run, JSON; NULL where they wish nothing.
let migration0007Hooks = """
  ALTER TABLE hook_call ADD COLUMN annotations TEXT;
  ALTER TABLE hook_call ADD COLUMN warnings TEXT;
  """

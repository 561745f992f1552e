// The exit record: how a program ended, for an agent that was not there to hear it.
#pragma once
#include <stdint.h>

#include "wire.h"

// Remembers the boot this is; call it once, early.
void record_prepare(void);

// Writes one line of JSON to `path`, mode 0600, by rename. It is not synced: it outlives the agent, not the host, and
// after a power cut the boot in it is another one. Failure is silent: then there is no record.
void record_write(const char *path, const struct outcome *outcome, int64_t ended_ms);

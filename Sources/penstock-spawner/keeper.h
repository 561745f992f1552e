// One keeper watches over one program: a fork of the spawner, the reaper of all that descends from it.
#pragma once
#include <stdint.h>

#include "wire.h"

struct keeping {
  uint64_t token;
  // A byte in it means cancel; its end, that the spawner or the agent is gone.
  int control;
  int fds[FD_COUNT];
};

// Runs the program to its end and the end of all its descendants, then tells the agent and exits.
_Noreturn void keep(const struct keeping *keeping);

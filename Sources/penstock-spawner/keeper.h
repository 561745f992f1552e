// A keeper watches over one program at a time: a fork of the spawner, the reaper of all that descends from it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "packets.h"

struct keeping {
  uint64_t serial;  // of the keeper
  uint64_t token;   // of the program
  // OP_CANCEL comes from it, and the next OP_RUN; its end says that the spawner or the agent is gone.
  int control;
  // Where the keeper writes its serial when its program and all that descended from it are gone.
  int idle;
  int fds[FD_COUNT];
  // Of a request that came in its packet.
  size_t body_size;
  char body[WIRE_INLINE];
};

// Takes over what `message` asks for.
void keeping_take(struct keeping *keeping, const struct message *message);

// Runs programs to their end and the end of all their descendants, and tells the agent of each.
_Noreturn void keep(struct keeping *keeping);

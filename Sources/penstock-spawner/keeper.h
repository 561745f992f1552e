// A keeper watches over one program at a time: a fork of the spawner, the reaper of all that descends from it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "packets.h"
#include "traits.h"

struct keeping {
  uint64_t serial;  // of the keeper
  uint64_t token;   // of the program
  bool held;        // it begins with OP_GO
  pid_t spawner;
  // From the spawner: an OP_CANCEL; its end says that the spawner or the agent is gone.
  int control;
  // From the agent: the next OP_RUN or OP_HOLD, an OP_GO, an OP_CANCEL; its end says that there will be no next one. -1: it has ended.
  int line;
  // What the keeper was like before its first program.
  struct traits traits;
  int fds[FD_COUNT];
  // Of a request that came in its packet.
  size_t body_size;
  char body[WIRE_INLINE];
};

// Takes over what `message` asks for.
void keeping_take(struct keeping *keeping, const struct message *message);

// Runs programs to their end and the end of all their descendants, and tells the agent of each.
_Noreturn void keep(struct keeping *keeping);

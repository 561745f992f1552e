// The socket to the agent.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "wire.h"

enum { AGENT_SOCKET = 3 };

// Tells how the program of `token` ended. Waits while the socket is full; false where the agent is gone.
bool agent_send(uint64_t token, const struct outcome *outcome);

// Tells that the program of `token` runs.
void agent_send_begun(uint64_t token, pid_t pid);

// The socket to the agent.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "wire.h"

enum { AGENT_SOCKET = 3 };

// Tells how the program of `token` ended, and that keeper `idle` waits for its next one; 0: none does. Waits while the
// socket is full; false where the agent is gone.
bool agent_send(uint64_t token, const struct outcome *outcome, uint64_t idle);

// Tells of a keeper that is about to be made, and passes on the agent's end of its line, `socket`.
void agent_send_born(uint64_t token, uint64_t serial, int socket);

// Tells that a keeper has ended.
void agent_send_gone(uint64_t serial, int signal);

// Tells that the program of `token` runs.
void agent_send_begun(uint64_t token, pid_t pid);

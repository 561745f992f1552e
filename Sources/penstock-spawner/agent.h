// The socket to the agent.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

enum { AGENT_SOCKET = 3 };

enum received { RECEIVED_NOTHING, RECEIVED_PACKET, RECEIVED_END };

struct message {
  struct packet head;
  int fds[FD_COUNT];
  int fd_count;
  bool fds_lost;  // the kernel could not give all descriptors: the table is full
};

// Takes one packet without waiting. Malformed ones are dropped with their descriptors.
enum received agent_receive(struct message *message);

void message_close(struct message *message);

// Tells how the program of `token` ended. Waits while the socket is full; an agent that is gone is no error.
void agent_send(uint64_t token, const struct outcome *outcome);

// Packets with their descriptors, over the socket to the agent and over those to keepers.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

enum received { RECEIVED_NOTHING, RECEIVED_PACKET, RECEIVED_END };

struct message {
  struct packet head;
  int fds[FD_COUNT];
  int fd_count;
  bool fds_lost;  // the kernel could not give all descriptors: the table is full
  size_t body_size;  // 0: the body is no part of it
  char body[WIRE_INLINE];
};

// Takes one packet; `flags` as for recvmsg(2). Malformed ones are dropped with their descriptors.
enum received packet_receive(int socket, int flags, struct message *message);

// Sends a message; its descriptors stay the caller's. `flags` as for sendmsg(2). False with errno.
bool packet_send(int socket, int flags, const struct message *message);

void message_close(struct message *message);

// Whether it has the descriptors of OP_RUN.
bool message_is_whole(const struct message *message);

// Takes its descriptors out of it; in `fds` those that did not come are -1.
void message_take(const struct message *message, int fds[FD_COUNT]);

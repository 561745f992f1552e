// Packets with their descriptors, over the socket to the agent and over those to keepers.
#pragma once
#include <stdbool.h>

#include "wire.h"

enum received { RECEIVED_NOTHING, RECEIVED_PACKET, RECEIVED_END };

struct message {
  struct packet head;
  int fds[FD_COUNT];
  int fd_count;
  bool fds_lost;  // the kernel could not give all descriptors: the table is full
};

// Takes one packet; `flags` as for recvmsg(2). Malformed ones are dropped with their descriptors.
enum received packet_receive(int socket, int flags, struct message *message);

// Sends a message without waiting; its descriptors stay the caller's. False with errno.
bool packet_send(int socket, const struct message *message);

void message_close(struct message *message);

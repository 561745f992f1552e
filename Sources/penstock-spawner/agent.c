#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "packets.h"

static struct packet head(enum op op, uint64_t token) {
  return (struct packet){.magic = WIRE_MAGIC, .version = WIRE_VERSION, .op = (uint16_t)op, .token = token};
}

static bool send_whole(const void *bytes, size_t size) {
  ssize_t sent;
  do sent = send(AGENT_SOCKET, bytes, size, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)size;
}

bool agent_send(uint64_t token, const struct outcome *outcome, uint64_t idle) {
  struct result result = {.head = head(OP_RESULT, token), .outcome = *outcome, .idle = idle};
  return send_whole(&result, sizeof result);
}

void agent_send_begun(uint64_t token, pid_t pid) {
  struct begun begun = {.head = head(OP_BEGUN, token), .pid = pid};
  send_whole(&begun, sizeof begun);
}

void agent_send_gone(uint64_t serial, int signal) {
  struct gone gone = {.head = head(OP_GONE, serial), .signal = signal};
  send_whole(&gone, sizeof gone);
}

void agent_send_born(uint64_t token, uint64_t serial, int socket) {
  struct message born = {.head = head(OP_KEEPER, token), .fds = {socket}, .fd_count = 1, .body_size = sizeof serial};
  memcpy(born.body, &serial, sizeof serial);
  if (packet_send(AGENT_SOCKET, 0, &born) || errno != ETOOMANYREFS) return;
  // too many descriptors are on their way: a keeper without a line ends after its program
  born.fd_count = 0;
  packet_send(AGENT_SOCKET, 0, &born);
}

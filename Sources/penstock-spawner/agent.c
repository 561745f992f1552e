#include "agent.h"

#include <errno.h>
#include <sys/socket.h>

bool agent_send(uint64_t token, const struct outcome *outcome) {
  struct result result = {
      .head = {.magic = WIRE_MAGIC, .version = WIRE_VERSION, .op = OP_RESULT, .token = token},
      .outcome = *outcome,
  };
  ssize_t sent;
  do sent = send(AGENT_SOCKET, &result, sizeof result, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == sizeof result;
}

void agent_send_begun(uint64_t token, pid_t pid) {
  struct begun begun = {
      .head = {.magic = WIRE_MAGIC, .version = WIRE_VERSION, .op = OP_BEGUN, .token = token},
      .pid = pid,
  };
  while (send(AGENT_SOCKET, &begun, sizeof begun, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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
  struct born born = {.head = head(OP_KEEPER, token), .serial = serial};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec part = {.iov_base = &born, .iov_len = sizeof born};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(rights), &socket, sizeof socket);
  ssize_t sent;
  do sent = sendmsg(AGENT_SOCKET, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  // too many descriptors are on their way: a keeper without a line ends after its program
  if (sent < 0 && errno == ETOOMANYREFS) send_whole(&born, sizeof born);
}

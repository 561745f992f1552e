#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take_fds(struct msghdr *header, struct message *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      if (message->fd_count < FD_COUNT) {
        message->fds[message->fd_count++] = fd;
      } else {
        close(fd);
      }
    }
  }
}

enum received agent_receive(struct message *message) {
  memset(message, 0, sizeof *message);
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
  } control;
  struct iovec part = {.iov_base = &message->head, .iov_len = sizeof message->head};
  struct msghdr header = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes,
  };
  ssize_t count = recvmsg(AGENT_SOCKET, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) {
    bool later = errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
    return later ? RECEIVED_NOTHING : RECEIVED_END;
  }
  take_fds(&header, message);
  message->fds_lost = header.msg_flags & MSG_CTRUNC;
  // An empty packet looks like the end, and nobody sends one.
  if (count == 0) return RECEIVED_END;
  if (count != sizeof message->head || header.msg_flags & MSG_TRUNC || message->head.magic != WIRE_MAGIC) {
    message_close(message);
    return RECEIVED_NOTHING;
  }
  return RECEIVED_PACKET;
}

void message_close(struct message *message) {
  for (int i = 0; i < message->fd_count; i++) close(message->fds[i]);
  message->fd_count = 0;
}

void agent_send(uint64_t token, const struct outcome *outcome) {
  struct result result = {
      .head = {.magic = WIRE_MAGIC, .version = WIRE_VERSION, .op = OP_RESULT, .token = token},
      .outcome = *outcome,
  };
  while (send(AGENT_SOCKET, &result, sizeof result, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

#define _GNU_SOURCE
#include "packets.h"

#include <errno.h>
#include <stddef.h>
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

enum received packet_receive(int socket, int flags, struct message *message) {
  memset(message, 0, offsetof(struct message, body));
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
  } control;
  struct iovec parts[2] = {{.iov_base = &message->head, .iov_len = sizeof message->head},
                           {.iov_base = message->body, .iov_len = sizeof message->body}};
  struct msghdr header = {
      .msg_iov = parts,
      .msg_iovlen = 2,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes,
  };
  ssize_t count = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  if (count < 0) {
    bool later = errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
    return later ? RECEIVED_NOTHING : RECEIVED_END;
  }
  take_fds(&header, message);
  message->fds_lost = header.msg_flags & MSG_CTRUNC;
  // An empty packet looks like the end, and nobody sends one.
  if (count == 0) return RECEIVED_END;
  size_t size = (size_t)count;
  bool fits = size == sizeof message->head || size >= sizeof message->head + sizeof(struct body);
  if (!fits || header.msg_flags & MSG_TRUNC || message->head.magic != WIRE_MAGIC) {
    message_close(message);
    return RECEIVED_NOTHING;
  }
  message->body_size = size - sizeof message->head;
  return RECEIVED_PACKET;
}

bool packet_send(int socket, int flags, const struct message *message) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
  } control = {0};
  struct iovec parts[2] = {{.iov_base = (void *)&message->head, .iov_len = sizeof message->head},
                           {.iov_base = (void *)message->body, .iov_len = message->body_size}};
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = message->body_size ? 2 : 1};
  if (message->fd_count > 0) {
    size_t size = (size_t)message->fd_count * sizeof(int);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(rights), message->fds, size);
  }
  ssize_t count;
  while ((count = sendmsg(socket, &header, flags | MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  return count >= 0;
}

void message_close(struct message *message) {
  for (int i = 0; i < message->fd_count; i++) close(message->fds[i]);
  message->fd_count = 0;
}

static int missing(const struct message *message) { return message->body_size ? 1 : 0; }

bool message_is_whole(const struct message *message) { return message->fd_count == FD_COUNT - missing(message); }

void message_take(const struct message *message, int fds[FD_COUNT]) {
  int first = missing(message);
  for (int i = 0; i < FD_COUNT; i++) fds[i] = i < first ? -1 : message->fds[i - first];
}

#define _GNU_SOURCE
#include "packets.h"

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

enum received packet_receive(int socket, int flags, struct message *message) {
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
  ssize_t count = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
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

bool packet_send(int socket, const struct message *message) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
  } control = {0};
  struct iovec part = {.iov_base = (void *)&message->head, .iov_len = sizeof message->head};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
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
  while ((count = sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  return count >= 0;
}

void message_close(struct message *message) {
  for (int i = 0; i < message->fd_count; i++) close(message->fds[i]);
  message->fd_count = 0;
}

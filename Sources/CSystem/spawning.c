#define _GNU_SOURCE
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

int memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int memory_file_seal(int fd) {
  return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int pipe_for_program(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int pipe_for_input(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  return fcntl(ends[1], F_SETFL, O_NONBLOCK);
}

int packet_socket_pair(int ends[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

ssize_t packet_send(int socket, const void *bytes, size_t size, const int *fds, int fd_count) {
  enum { MOST = 8 };
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(MOST * sizeof(int))];
  } control;
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count > 0 && fd_count <= MOST) {
    memset(&control, 0, sizeof control);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, (size_t)fd_count * sizeof(int));
  }
  return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t packet_receive(int socket, void *bytes, size_t size, int *fd) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(8 * sizeof(int))];
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = size};
  struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  *fd = -1;
  ssize_t count = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  for (struct cmsghdr *rights = CMSG_FIRSTHDR(&header); rights; rights = CMSG_NXTHDR(&header, rights)) {
    if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
    size_t given = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < given; i++) {
      int one;
      memcpy(&one, CMSG_DATA(rights) + i * sizeof one, sizeof one);
      if (*fd < 0) {
        *fd = one;
      } else {
        close(one);
      }
    }
  }
  return count;
}

static int set_up(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, int socket, int held) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setsigmask(attributes, &none);
  short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  int code = posix_spawnattr_setflags(attributes, flags);
  if (!code) code = posix_spawn_file_actions_adddup2(actions, socket, 3);
  if (!code) code = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  if (!code) code = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
  if (!code && held >= 0) code = posix_spawn_file_actions_adddup2(actions, held, 4);
  if (!code) code = posix_spawn_file_actions_addclosefrom_np(actions, held >= 0 ? 5 : 4);
  return code;
}

// Out of the way of the numbers they get in the spawner.
static int high_copy(int fd) { return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 16); }

int spawn_with_socket(const char *path, const char *groups, int socket, int held, pid_t *pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  char name[] = "penstock-spawner";
  // Of a build that counts lines, where the spawner would leave its counts; no program it starts gets to see this.
  char counts[] = "LLVM_PROFILE_FILE=/dev/null";
  char *arguments[] = {name, (char *)groups, NULL}, *environment[] = {counts, NULL};
  int high_socket = high_copy(socket), high_held = high_copy(held);
  int code = high_socket < 0 ? errno : set_up(&attributes, &actions, high_socket, high_held);
  if (!code) code = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  if (high_socket >= 0) close(high_socket);
  if (high_held >= 0) close(high_held);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return code;
}

ssize_t attribute_read(const char *path, const char *name, void *bytes, size_t size) {
  return getxattr(path, name, bytes, size);
}

static int soft_limit_set(pid_t process, int resource, uint64_t value) {
  struct rlimit limits;
  if (prlimit(process, resource, NULL, &limits) < 0) return -1;
  limits.rlim_cur = value;
  return prlimit(process, resource, &limits, NULL);
}

int descriptor_limit_set(pid_t process, uint64_t count) { return soft_limit_set(process, RLIMIT_NOFILE, count); }

int cpu_limit_set(pid_t process, uint64_t seconds) { return soft_limit_set(process, RLIMIT_CPU, seconds); }

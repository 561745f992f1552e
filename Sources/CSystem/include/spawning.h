// What it takes to speak to penstock-spawner: memory files, pipes, packets with descriptors.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// All return -1 with errno on failure unless said otherwise. All descriptors close on exec.

// A file in memory, memfd_create(2), that memory_file_seal can make unchangeable.
int memory_file(const char *name);
int memory_file_seal(int fd);

// ends[0] is read without waiting, ends[1] is written with waiting.
int pipe_for_program(int ends[2]);

// ends[0] is read with waiting, ends[1] is written without.
int pipe_for_input(int ends[2]);

// Two ends of a SOCK_SEQPACKET socket; ends[0] does not wait.
int packet_socket_pair(int ends[2]);

// Sends one packet with descriptors, without waiting and without SIGPIPE.
ssize_t packet_send(int socket, const void *bytes, size_t size, const int *fds, int fd_count);

// Takes one packet without waiting. `*fd` is the descriptor that came with it, or -1; of several only the first is kept.
ssize_t packet_receive(int socket, void *bytes, size_t size, int *fd);

// Starts `path` in a session of its own with `socket` as descriptor 3, `held` as 4 where it is not -1, /dev/null as 0
// and 1, no other descriptor but 2, an environment of nothing programs see and default signals. `groups` is its argument
// where it is not NULL. Returns 0, or an errno.
int spawn_with_socket(const char *path, const char *groups, int socket, int held, pid_t *pid);

// Bytes of an extended attribute, getxattr(2).
ssize_t attribute_read(const char *path, const char *name, void *bytes, size_t size);

// Sets the soft RLIMIT_NOFILE of `process`, prlimit(2).
int descriptor_limit_set(pid_t process, uint64_t count);

// Sets the soft RLIMIT_CPU of `process`, seconds.
int cpu_limit_set(pid_t process, uint64_t seconds);

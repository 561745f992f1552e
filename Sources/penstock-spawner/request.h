// A request as the keeper reads it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
  const char *executable;
  const char *directory;
  const char *record;  // NULL: no exit record
  char **arguments;    // NULL-terminated
  char **environment;  // NULL-terminated
  int64_t timeout_ms;
  int64_t grace_ms;
  uint64_t memory;
  uint64_t open_files;
  uint32_t cpu_s;
  bool idle;
  bool tell;
  void *mapped;  // what all of it points into, where it was mapped, of this size
  size_t size;
};

// Points into the `size` bytes that came with the packet, or, where there are none, into the memory file `fd`; nothing
// is copied. Returns 0 or an errno; EPROTO where it is not what wire.h says.
int request_read(char *bytes, size_t size, int fd, struct request *request);

// Lets go of what `request_read` took, also where it failed.
void request_free(struct request *request);

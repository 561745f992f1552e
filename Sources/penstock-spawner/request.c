#define _GNU_SOURCE
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "wire.h"

struct strings {
  char *next;
  char *end;
};

static char *take(struct strings *strings) {
  char *string = strings->next;
  char *end = memchr(string, 0, (size_t)(strings->end - string));
  if (!end) return NULL;
  strings->next = end + 1;
  return string;
}

static bool take_vector(struct strings *strings, uint32_t count, char **vector) {
  for (uint32_t i = 0; i < count; i++) {
    vector[i] = take(strings);
    if (!vector[i]) return false;
  }
  vector[count] = NULL;
  return true;
}

static int map(int fd, struct request *request) {
  struct stat status;
  if (fstat(fd, &status) < 0) return errno;
  if (!S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(struct body)) return EPROTO;
  size_t size = (size_t)status.st_size;
  void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return errno;
  request->mapped = mapped;
  request->size = size;
  return 0;
}

int request_read(char *bytes, size_t size, int fd, struct request *request) {
  if (!size) {
    int code = map(fd, request);
    if (code) return code;
    bytes = request->mapped;
    size = request->size;
  }
  struct body body;
  memcpy(&body, bytes, sizeof body);
  if (body.magic != WIRE_MAGIC || body.version != WIRE_VERSION) return EPROTO;
  // Every string has its NUL, so there are no more of them than bytes.
  if (body.argument_count == 0 || body.argument_count > size || body.environment_count > size) return EPROTO;

  size_t pointers = (size_t)body.argument_count + body.environment_count + 2;
  char **vectors = calloc(pointers, sizeof(char *));
  if (!vectors) return ENOMEM;
  request->arguments = vectors;
  struct strings strings = {.next = bytes + sizeof body, .end = bytes + size};
  request->executable = take(&strings);
  request->directory = request->executable ? take(&strings) : NULL;
  const char *record = request->directory ? take(&strings) : NULL;
  if (!record) return EPROTO;
  request->record = record[0] ? record : NULL;
  request->environment = vectors + body.argument_count + 1;
  if (!take_vector(&strings, body.argument_count, request->arguments)) return EPROTO;
  if (!take_vector(&strings, body.environment_count, request->environment)) return EPROTO;

  request->timeout_ms = body.timeout_ms;
  request->grace_ms = body.grace_ms < 0 ? 0 : body.grace_ms;
  request->memory = body.memory;
  request->open_files = body.open_files;
  request->cpu_s = body.cpu_s;
  request->idle = body.flags & FLAG_IDLE;
  request->tell = body.flags & FLAG_TELL;
  return 0;
}

void request_free(struct request *request) {
  if (request->mapped) munmap(request->mapped, request->size);
  free(request->arguments);
  *request = (struct request){0};
}

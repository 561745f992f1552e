// Who is whose child, from /proc.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// A growing list of process ids.
struct pids {
  pid_t *items;
  size_t count;
  size_t capacity;
};

// False where there is no memory for it.
bool pids_add(struct pids *pids, pid_t pid);
bool pids_contain(const struct pids *pids, pid_t pid);
void pids_free(struct pids *pids);

// Adds the children of `parent` to `pids`. A snapshot: processes come and go meanwhile.
void children_of(pid_t parent, struct pids *pids);

// The parent of `pid`, or -1.
pid_t parent_of(pid_t pid);

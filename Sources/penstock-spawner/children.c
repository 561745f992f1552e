#define _GNU_SOURCE
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool pids_add(struct pids *pids, pid_t pid) {
  if (pids->count == pids->capacity) {
    size_t capacity = pids->capacity ? pids->capacity * 2 : 64;
    pid_t *items = realloc(pids->items, capacity * sizeof *items);
    if (!items) return false;
    pids->items = items;
    pids->capacity = capacity;
  }
  pids->items[pids->count++] = pid;
  return true;
}

bool pids_contain(const struct pids *pids, pid_t pid) {
  for (size_t i = 0; i < pids->count; i++) {
    if (pids->items[i] == pid) return true;
  }
  return false;
}

void pids_free(struct pids *pids) {
  free(pids->items);
  *pids = (struct pids){0};
}

pid_t parent_of(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t count = read(fd, text, sizeof text - 1);
  close(fd);
  if (count <= 0) return -1;
  text[count] = 0;
  // `pid (name) state ppid …`; the name may contain parentheses, so the last one counts.
  char *name_end = strrchr(text, ')');
  if (!name_end || strlen(name_end) < 5) return -1;
  return (pid_t)strtol(name_end + 4, NULL, 10);
}

// /proc/PID/task/TID/children, one list for each thread that forked. False where this kernel has no such file.
static bool children_of_thread(pid_t parent, const char *thread, struct pids *pids) {
  char path[320], text[4096];
  snprintf(path, sizeof path, "/proc/%d/task/%s/children", parent, thread);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno != ENOENT || access("/proc/thread-self/children", F_OK) == 0;
  pid_t pid = 0;
  ssize_t count;
  while ((count = read(fd, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < count; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid) {
        pids_add(pids, pid);
        pid = 0;
      }
    }
  }
  close(fd);
  return true;
}

// For kernels without CONFIG_PROC_CHILDREN.
static void children_by_scan(pid_t parent, struct pids *pids) {
  DIR *processes = opendir("/proc");
  if (!processes) return;
  struct dirent *entry;
  while ((entry = readdir(processes))) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid > 0 && parent_of(pid) == parent) pids_add(pids, pid);
  }
  closedir(processes);
}

void children_of(pid_t parent, struct pids *pids) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", parent);
  DIR *threads = opendir(path);
  bool known = true;
  struct dirent *entry;
  while (threads && known && (entry = readdir(threads))) {
    if (entry->d_name[0] != '.') known = children_of_thread(parent, entry->d_name, pids);
  }
  if (threads) closedir(threads);
  if (!known) children_by_scan(parent, pids);
}

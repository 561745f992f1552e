#define _GNU_SOURCE
#include "group.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// More processes at a time than any stage needs, and fewer than a machine can bear.
static const char most_processes[] = "4096";
static const char prefix[] = "keeper-";

static int base = -1;
static int own = -1;

static void name_of(pid_t keeper, char *name, size_t size) { snprintf(name, size, "%s%d", prefix, keeper); }

static bool put(int directory, const char *file, const char *text) {
  int fd = openat(directory, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  return done;
}

static void end(const char *name) {
  int directory = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (directory < 0) return;
  put(directory, "cgroup.kill", "1");
  close(directory);
  // who was just killed is still in it for a moment: then the next spawner removes it
  unlinkat(base, name, AT_REMOVEDIR);
}

void groups_prepare(const char *path) {
  if (!path || !path[0]) return;
  base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) return;
  DIR *groups = opendir(path);
  struct dirent *entry;
  while (groups && (entry = readdir(groups))) {
    if (strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0) end(entry->d_name);
  }
  if (groups) closedir(groups);
}

void groups_end(pid_t keeper) {
  char name[32];
  if (base < 0) return;
  name_of(keeper, name, sizeof name);
  end(name);
}

void group_open(void) {
  char name[32];
  if (base < 0) return;
  name_of(getpid(), name, sizeof name);
  if (mkdirat(base, name, 0755) < 0) return;
  own = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (own < 0) return;
  // no more than this kernel can do: each may be missing
  put(own, "pids.max", most_processes);
  put(own, "memory.oom.group", "1");
}

int group_directory(void) { return own; }

void group_limit_memory(uint64_t bytes) {
  char text[32] = "max";
  if (own < 0) return;
  if (bytes) snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
  put(own, "memory.max", text);
}

void group_kill(void) {
  if (own >= 0) put(own, "cgroup.kill", "1");
}

void group_close(void) {
  char name[32];
  if (own < 0) return;
  close(own);
  own = -1;
  name_of(getpid(), name, sizeof name);
  unlinkat(base, name, AT_REMOVEDIR);
}

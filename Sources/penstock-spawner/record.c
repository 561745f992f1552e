#define _GNU_SOURCE
#include "record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char boot[40];

void record_prepare(void) {
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t count = read(fd, boot, sizeof boot - 1);
  boot[count > 0 ? count : 0] = 0;
  boot[strcspn(boot, "\n")] = 0;
  close(fd);
}

static const char *ending_name(uint32_t ending) {
  static const char *const names[] = {"itself", "timeout", "cancelled", "abandoned"};
  return names[ending];
}

static int format(char *text, size_t size, const struct outcome *outcome, int64_t ended_ms) {
  char how[96];
  switch (outcome->kind) {
    case KIND_EXITED: snprintf(how, sizeof how, "\"exit\":%d", outcome->value); break;
    case KIND_SIGNALED: snprintf(how, sizeof how, "\"signal\":%d", outcome->value); break;
    default: snprintf(how, sizeof how, "\"step\":%u,\"errno\":%d", outcome->step, outcome->value); break;
  }
  const uint64_t billion = 1000000000;
  return snprintf(
      text, size,
      "{\"api\":1,\"boot\":\"%s\",\"cpu_s\":%llu.%09llu,\"ended_ms\":%lld,\"ending\":\"%s\",%s,"
      "\"rss_bytes\":%llu,\"wall_s\":%llu.%09llu}\n",
      boot, (unsigned long long)(outcome->cpu_ns / billion), (unsigned long long)(outcome->cpu_ns % billion),
      (long long)ended_ms, ending_name(outcome->ending), how, (unsigned long long)outcome->peak_rss,
      (unsigned long long)(outcome->wall_ns / billion), (unsigned long long)(outcome->wall_ns % billion));
}

void record_write(const char *path, const struct outcome *outcome, int64_t ended_ms) {
  char text[512], temporary[PATH_MAX];
  int length = format(text, sizeof text, outcome, ended_ms);
  if (length <= 0 || length >= (int)sizeof text) return;
  int needed = snprintf(temporary, sizeof temporary, "%s.tmp", path);
  if (needed <= 0 || needed >= (int)sizeof temporary) return;
  unlink(temporary);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ssize_t written = write(fd, text, (size_t)length);
  close(fd);
  if (written != length || rename(temporary, path) < 0) unlink(temporary);
}

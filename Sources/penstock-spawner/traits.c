#define _GNU_SOURCE
#include "traits.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { IOPRIO_WHO_PROCESS = 1 };

void traits_read(struct traits *traits) {
  // also what lies between the fields, for they are compared as bytes
  memset(traits, 0, sizeof *traits);
  traits->nice = getpriority(PRIO_PROCESS, 0);
  traits->policy = sched_getscheduler(0);
  traits->io_priority = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  // opened by each keeper for itself
  static int oom_score = -1;
  if (oom_score < 0) oom_score = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (oom_score >= 0 && pread(oom_score, traits->oom_score, sizeof traits->oom_score, 0) < 0) traits->oom_score[0] = 0;
  sched_getaffinity(0, sizeof traits->cpus, &traits->cpus);
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) getrlimit(resource, &traits->limits[resource]);
}

bool traits_equal(const struct traits *one, const struct traits *other) {
  return memcmp(one, other, sizeof *one) == 0;
}

// What a keeper hands on to its programs without saying so, and a program may change from within: one that runs as the
// same user may renice its parent, or give it other limits.
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>

struct traits {
  int nice;
  int policy;
  int io_priority;
  char oom_score[8];  // of /proc/self/oom_score_adj
  cpu_set_t cpus;
  struct rlimit limits[RLIM_NLIMITS];
};

// Those of this process.
void traits_read(struct traits *traits);

bool traits_equal(const struct traits *one, const struct traits *other);

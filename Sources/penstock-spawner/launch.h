// Starting one program.
#pragma once
#include <sys/types.h>

#include "request.h"
#include "wire.h"

struct launch_failure {
  int32_t step;
  int32_t code;  // errno
};

// Starts the program with `stdio` as its descriptors 0, 1 and 2 and no others, and returns its pid when it is known
// whether it runs: if not, `failure` says why, and the pid, where there is one, is of a child that ends at once.
pid_t launch(const struct request *request, const int stdio[3], struct launch_failure *failure);

// Starting one program.
#pragma once
#include <sys/types.h>

#include "request.h"
#include "wire.h"

struct launch_failure {
  int32_t step;
  int32_t code;  // errno
};

// Forks the program with `stdio` as its descriptors 0, 1 and 2 and no others. Returns its pid, or -1 with the
// failure. `*notice` becomes readable when it is known whether the program runs: end of file if so, else one
// launch_failure.
pid_t launch(const struct request *request, const int stdio[3], int *notice, struct launch_failure *failure);

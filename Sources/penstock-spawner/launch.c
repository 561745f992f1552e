#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signals.h"

enum { NOTICE = 3, IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

static _Noreturn void give_up(int notice, enum step step) {
  struct launch_failure failure = {.step = step, .code = errno};
  ssize_t written = write(notice, &failure, sizeof failure);
  _exit(written == sizeof failure ? 127 : 126);
}

static int limit(int resource, uint64_t value) {
  struct rlimit limits;
  if (getrlimit(resource, &limits) < 0) return -1;
  if (limits.rlim_max != RLIM_INFINITY && value > limits.rlim_max) value = limits.rlim_max;
  limits.rlim_cur = limits.rlim_max = value;
  return setrlimit(resource, &limits);
}

static int give_way(void) {
  struct sched_param none = {.sched_priority = 0};
  if (sched_setscheduler(0, SCHED_IDLE, &none) < 0) return -1;
  // Not every I/O scheduler knows classes: no reason to fail.
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
  return 0;
}

static _Noreturn void become(const struct request *request, const int stdio[3], int notice) {
  setsid();
  signals_restore();
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(stdio[fd], fd) < 0) give_up(notice, STEP_STDIO);
  }
  if (notice != NOTICE) {
    if (dup3(notice, NOTICE, O_CLOEXEC) < 0) give_up(notice, STEP_STDIO);
    notice = NOTICE;
  }
  close_range(NOTICE + 1, ~0U, 0);
  if (request->idle && give_way() < 0) give_up(notice, STEP_PRIORITY);
  if (chdir(request->directory) < 0) give_up(notice, STEP_DIRECTORY);
  if (limit(RLIMIT_CORE, 0) < 0) give_up(notice, STEP_LIMITS);
  if (request->open_files && limit(RLIMIT_NOFILE, request->open_files) < 0) give_up(notice, STEP_LIMITS);
  if (request->memory && limit(RLIMIT_AS, request->memory) < 0) give_up(notice, STEP_LIMITS);
  execve(request->executable, request->arguments, request->environment);
  give_up(notice, STEP_EXEC);
}

pid_t launch(const struct request *request, const int stdio[3], int *notice, struct launch_failure *failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    *failure = (struct launch_failure){.step = STEP_DESCRIPTORS, .code = errno};
    return -1;
  }
  // Nothing of this process is copied; it waits until the program runs, or gave up. `become` never returns, and what
  // it changes is the kernel's.
  pid_t pid = vfork();
  if (pid == 0) become(request, stdio, ends[1]);
  close(ends[1]);
  if (pid < 0) {
    *failure = (struct launch_failure){.step = STEP_FORK, .code = errno};
    close(ends[0]);
    return -1;
  }
  *notice = ends[0];
  return pid;
}

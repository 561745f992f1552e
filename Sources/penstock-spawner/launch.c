#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "group.h"
#include "signals.h"

enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

// In the memory of the keeper, which waits meanwhile.
static _Noreturn void give_up(struct launch_failure *failure, enum step step) {
  *failure = (struct launch_failure){.step = step, .code = errno};
  _exit(127);
}

static int limit_softly(int resource, uint64_t value, uint64_t hard) {
  struct rlimit limits;
  if (getrlimit(resource, &limits) < 0) return -1;
  if (limits.rlim_max == RLIM_INFINITY || hard < limits.rlim_max) limits.rlim_max = hard;
  limits.rlim_cur = value < limits.rlim_max ? value : limits.rlim_max;
  return setrlimit(resource, &limits);
}

static int limit(int resource, uint64_t value) { return limit_softly(resource, value, value); }

static int give_way(void) {
  struct sched_param none = {.sched_priority = 0};
  if (sched_setscheduler(0, SCHED_IDLE, &none) < 0) return -1;
  // Not every I/O scheduler knows classes: no reason to fail.
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
  return 0;
}

static _Noreturn void become(const struct request *request, const int stdio[3], struct launch_failure *failure) {
  setsid();
  // whoever kills the keeper and all who would end what it left shall not leave the program behind
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signals_restore();
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(stdio[fd], fd) < 0) give_up(failure, STEP_STDIO);
  }
  close_range(3, ~0U, 0);
  if (request->idle && give_way() < 0) give_up(failure, STEP_PRIORITY);
  if (chdir(request->directory) < 0) give_up(failure, STEP_DIRECTORY);
  if (limit(RLIMIT_CORE, 0) < 0) give_up(failure, STEP_LIMITS);
  if (request->open_files && limit(RLIMIT_NOFILE, request->open_files) < 0) give_up(failure, STEP_LIMITS);
  if (request->memory && limit(RLIMIT_AS, request->memory) < 0) give_up(failure, STEP_LIMITS);
  // SIGXCPU first, and for who does not heed it SIGKILL.
  if (request->cpu_s && limit_softly(RLIMIT_CPU, request->cpu_s, (uint64_t)request->cpu_s + 2) < 0) {
    give_up(failure, STEP_LIMITS);
  }
  execve(request->executable, request->arguments, request->environment);
  give_up(failure, STEP_EXEC);
}

// As clone3(2) has it; the kernel's header and glibc's do not go together.
struct clone_request {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

// Into the group from the first moment on: to move there later would take the kernel some milliseconds. The child has
// memory of its own, so it tells of a failure by a page that both see. -1: it cannot be done so.
static pid_t launch_into(int group, const struct request *request, const int stdio[3], struct launch_failure *failure) {
  static struct launch_failure *shared;
  if (!shared) {
    void *page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return -1;
    shared = page;
  }
  *shared = (struct launch_failure){0};
  struct clone_request clone = {
      .flags = CLONE_VFORK | 0x200000000ULL,  // CLONE_INTO_CGROUP of <linux/sched.h>
      .exit_signal = SIGCHLD,
      .cgroup = (uint64_t)group,
  };
  pid_t pid = (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
  if (pid == 0) become(request, stdio, shared);
  *failure = *shared;
  return pid;
}

pid_t launch(const struct request *request, const int stdio[3], struct launch_failure *failure) {
  *failure = (struct launch_failure){0};
  int group = group_directory();
  if (group >= 0) {
    group_limit_memory(request->memory);
    pid_t pid = launch_into(group, request, stdio, failure);
    if (pid > 0) return pid;
  }
  // Nothing of this process is copied: the child shares its memory, and it waits until the program runs or gave up,
  // as posix_spawn(3) of glibc does it. `become` never returns.
  pid_t pid = vfork();
  if (pid == 0) become(request, stdio, failure);
  if (pid < 0) *failure = (struct launch_failure){.step = STEP_FORK, .code = errno};
  return pid;
}

#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "launch.h"
#include "record.h"
#include "request.h"
#include "tree.h"

enum { TRIES = 4 };
static const int64_t never = INT64_MAX;
static const int64_t millisecond = 1000000;
static const int64_t retry_pause = 250 * millisecond;

struct keeper {
  const struct keeping *keeping;
  struct request request;
  struct outcome outcome;
  struct launch_failure failure;
  pid_t program;  // 0: it has ended, or has not begun
  int notice;     // -1 once it is known whether the program runs
  int control;    // -1 once nobody is there any more
  bool finished;  // the program has ended by whatever cause, or cannot be started
  bool owes_term;
  int tries;
  int64_t began;
  int64_t retry_at;
  int64_t deadline;
  int64_t kill_at;
  int64_t pause;  // between sweeps
};

// The notice came: the program runs, or it does not and ends at once.
static void hear_notice(struct keeper *keeper) {
  ssize_t count = read(keeper->notice, &keeper->failure, sizeof keeper->failure);
  if (count < 0 && errno == EINTR) return;
  close(keeper->notice);
  keeper->notice = -1;
  if (count == sizeof keeper->failure) return;
  keeper->failure = (struct launch_failure){0};
  // The pipes are the program's now: the agent shall see them end with it.
  for (int i = 0; i < FD_COUNT; i++) close(keeper->keeping->fds[i]);
  if (keeper->owes_term) tree_signal(SIGTERM, NULL);
  keeper->owes_term = false;
}

static void start_failed(struct keeper *keeper) {
  keeper->outcome.kind = KIND_UNSTARTED;
  keeper->outcome.step = (uint32_t)keeper->failure.step;
  keeper->outcome.value = keeper->failure.code;
  bool busy = keeper->failure.step == STEP_EXEC && keeper->failure.code == ETXTBSY;
  if (busy && keeper->tries < TRIES && keeper->outcome.ending == ENDING_ITSELF) {
    keeper->retry_at = monotonic_ns() + retry_pause;
  } else {
    keeper->finished = true;
  }
}

static void start(struct keeper *keeper) {
  keeper->tries += 1;
  keeper->retry_at = never;
  keeper->failure = (struct launch_failure){0};
  keeper->program = launch(&keeper->request, &keeper->keeping->fds[FD_STDIN], &keeper->notice, &keeper->failure);
  if (keeper->program < 0) {
    keeper->program = 0;
    start_failed(keeper);
  }
}

static void program_ended(struct keeper *keeper, int status) {
  keeper->program = 0;
  if (keeper->notice >= 0) hear_notice(keeper);
  if (keeper->failure.step) {
    start_failed(keeper);
    return;
  }
  keeper->finished = true;
  keeper->outcome.kind = WIFSIGNALED(status) ? KIND_SIGNALED : KIND_EXITED;
  keeper->outcome.value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  keeper->outcome.step = STEP_NONE;
}

// Ends the tree: asks first if there is time for it. The first cause stands.
static void end(struct keeper *keeper, enum ending ending, int64_t grace) {
  if (keeper->outcome.ending == ENDING_ITSELF) keeper->outcome.ending = ending;
  keeper->deadline = never;
  if (keeper->retry_at != never) {
    keeper->retry_at = never;
    keeper->finished = true;
  }
  int64_t kill_at = monotonic_ns() + grace;
  if (kill_at < keeper->kill_at) keeper->kill_at = kill_at;
  // Before it executes the program our child is deaf to TERM.
  keeper->owes_term = grace > 0 && keeper->notice >= 0;
  if (grace > 0 && !keeper->owes_term) tree_signal(SIGTERM, NULL);
}

static void hear_control(struct keeper *keeper) {
  char byte;
  ssize_t count = read(keeper->control, &byte, 1);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count == 1) {
    if (keeper->outcome.ending == ENDING_ITSELF) {
      end(keeper, ENDING_CANCELLED, keeper->request.grace_ms * millisecond);
    }
    return;
  }
  close(keeper->control);
  keeper->control = -1;
  end(keeper, ENDING_ABANDONED, 0);
}

// Waits for whoever has ended. True when no child is left.
static bool reap(struct keeper *keeper) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return true;
    if (pid == 0) return false;
    if (pid == keeper->program) program_ended(keeper, status);
  }
}

static void wait_for_something(struct keeper *keeper) {
  int64_t until = keeper->deadline < keeper->kill_at ? keeper->deadline : keeper->kill_at;
  if (keeper->retry_at < until) until = keeper->retry_at;
  struct pollfd fds[2] = {
      {.fd = keeper->control, .events = POLLIN},
      {.fd = keeper->notice, .events = POLLIN},
  };
  struct timespec left = {0}, *timeout = NULL;
  if (until != never) {
    int64_t nanoseconds = until - monotonic_ns();
    if (nanoseconds < 0) nanoseconds = 0;
    left = (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    timeout = &left;
  }
  sigset_t none;
  sigemptyset(&none);
  if (ppoll(fds, 2, timeout, &none) <= 0) return;
  if (fds[1].revents) hear_notice(keeper);
  if (fds[0].revents) hear_control(keeper);
}

static void on_time(struct keeper *keeper) {
  int64_t now = monotonic_ns();
  if (now >= keeper->retry_at) start(keeper);
  if (now >= keeper->deadline) end(keeper, ENDING_TIMEOUT, keeper->request.grace_ms * millisecond);
  if (keeper->finished || now >= keeper->kill_at) {
    // Nothing outlives its program. One pass may miss a fork, and some die slowly: again, ever less often.
    tree_signal(SIGKILL, NULL);
    keeper->kill_at = monotonic_ns() + keeper->pause;
    if (keeper->pause < 500 * millisecond) keeper->pause *= 2;
  }
}

static void supervise(struct keeper *keeper) {
  for (;;) {
    bool childless = reap(keeper);
    if (childless && keeper->finished) return;
    on_time(keeper);
    if (!childless || !keeper->finished) wait_for_something(keeper);
  }
}

static void report(struct keeper *keeper) {
  struct outcome *outcome = &keeper->outcome;
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  outcome->wall_ns = (uint64_t)(monotonic_ns() - keeper->began);
  outcome->cpu_ns = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
                    (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
  outcome->peak_rss = (uint64_t)used.ru_maxrss * 1024;
  if (keeper->request.record) record_write(keeper->request.record, outcome, realtime_ms());
  // The end of the socket tells a living agent that all trees of a dead spawner are gone.
  if (keeper->control >= 0) agent_send(keeper->keeping->token, outcome);
}

_Noreturn void keep(const struct keeping *keeping) {
  prctl(PR_SET_NAME, "penstock-keeper");
  // A keeper that its program stopped must still hear that the spawner is gone.
  prctl(PR_SET_PDEATHSIG, SIGCONT);
  struct keeper keeper = {
      .keeping = keeping,
      .notice = -1,
      .control = keeping->control,
      .began = monotonic_ns(),
      .retry_at = never,
      .deadline = never,
      .kill_at = never,
      .pause = 10 * millisecond,
  };
  int code = prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? errno : request_read(keeping->fds[FD_BODY], &keeper.request);
  if (code) {
    keeper.request = (struct request){0};
    keeper.outcome = (struct outcome){.kind = KIND_UNSTARTED, .step = STEP_REQUEST, .value = code};
  } else {
    int64_t longest = (never - keeper.began) / millisecond / 2;
    if (keeper.request.grace_ms > longest) keeper.request.grace_ms = longest;
    if (keeper.request.timeout_ms >= 0 && keeper.request.timeout_ms < longest) {
      keeper.deadline = keeper.began + keeper.request.timeout_ms * millisecond;
    }
    start(&keeper);
    supervise(&keeper);
  }
  report(&keeper);
  _exit(0);
}

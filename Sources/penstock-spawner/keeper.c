#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "group.h"
#include "launch.h"
#include "packets.h"
#include "record.h"
#include "request.h"
#include "tree.h"

enum { TRIES = 4 };
static const int64_t never = INT64_MAX;
static const int64_t millisecond = 1000000;
static const int64_t retry_pause = 250 * millisecond;
static const int64_t first_pause = 10 * millisecond;

struct keeper {
  struct keeping *keeping;
  struct request request;
  struct outcome outcome;
  struct launch_failure failure;
  pid_t program;  // 0: it has ended, or has not begun
  bool may_go;    // what its record says is on the disk
  bool finished;  // the program has ended by whatever cause, or cannot be started
  int tries;
  int64_t cpu_ns;
  int64_t peak_kib;
  int64_t began;
  int64_t retry_at;
  int64_t deadline;
  int64_t kill_at;
  int64_t pause;  // between sweeps
};

static void close_descriptors(struct keeping *keeping) {
  for (int i = 0; i < FD_COUNT; i++) {
    if (keeping->fds[i] >= 0) close(keeping->fds[i]);
    keeping->fds[i] = -1;
  }
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
  pid_t pid = launch(&keeper->request, &keeper->keeping->fds[FD_STDIN], &keeper->failure);
  if (pid < 0) {
    start_failed(keeper);
    return;
  }
  keeper->program = pid;
  // The pipes are the program's now: the agent shall see them end with it.
  if (!keeper->failure.step) {
    close_descriptors(keeper->keeping);
    if (keeper->request.tell) agent_send_begun(keeper->keeping->token, pid);
  }
}

static void program_ended(struct keeper *keeper, int status) {
  keeper->program = 0;
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
  if (grace > 0) tree_signal(SIGTERM, NULL);
}

static void hear(struct keeper *keeper, int socket) {
  struct message message;
  switch (packet_receive(socket, MSG_DONTWAIT, &message)) {
    case RECEIVED_NOTHING: return;
    case RECEIVED_PACKET:
      message_close(&message);
      if (message.head.token != keeper->keeping->token) return;
      if (message.head.op == OP_GO) keeper->may_go = true;
      if (message.head.op == OP_CANCEL && keeper->outcome.ending == ENDING_ITSELF) {
        end(keeper, ENDING_CANCELLED, keeper->request.grace_ms * millisecond);
      }
      return;
    case RECEIVED_END:
      close(socket);
      if (socket == keeper->keeping->line) {
        keeper->keeping->line = -1;
        return;
      }
      keeper->keeping->control = -1;
      end(keeper, ENDING_ABANDONED, 0);
  }
}

static void count_usage(struct keeper *keeper, const struct rusage *used) {
  keeper->cpu_ns += (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000000LL;
  keeper->cpu_ns += (used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1000LL;
  if (used->ru_maxrss > keeper->peak_kib) keeper->peak_kib = used->ru_maxrss;
}

// A program that asks to be traced by its parent (PTRACE_TRACEME) stops at every signal until we let it go on. SIGTRAP is
// the tracer's own, and would end it.
static void refuse_to_trace(pid_t pid, int signal) {
  ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)(signal == SIGTRAP ? 0 : signal));
}

// Waits for whoever has ended. True when no child is left.
static bool reap(struct keeper *keeper) {
  for (;;) {
    int status;
    struct rusage used;
    pid_t pid = wait4(-1, &status, WNOHANG, &used);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return true;
    if (pid == 0) return false;
    if (WIFSTOPPED(status)) {
      refuse_to_trace(pid, WSTOPSIG(status));
      continue;
    }
    count_usage(keeper, &used);
    if (pid == keeper->program) program_ended(keeper, status);
  }
}

// False where the program is not to begin.
static bool await_go(struct keeper *keeper) {
  struct keeping *keeping = keeper->keeping;
  while (!keeper->may_go && keeper->outcome.ending == ENDING_ITSELF && keeping->line >= 0) {
    struct pollfd sockets[] = {{.fd = keeping->control, .events = POLLIN}, {.fd = keeping->line, .events = POLLIN}};
    if (poll(sockets, 2, -1) < 0) continue;
    for (int i = 0; i < 2; i++) {
      if (sockets[i].revents) hear(keeper, sockets[i].fd);
    }
  }
  return keeper->may_go && keeper->outcome.ending == ENDING_ITSELF;
}

static void wait_for_something(struct keeper *keeper) {
  int64_t until = keeper->deadline < keeper->kill_at ? keeper->deadline : keeper->kill_at;
  if (keeper->retry_at < until) until = keeper->retry_at;
  struct pollfd sockets[] = {{.fd = keeper->keeping->control, .events = POLLIN},
                             {.fd = keeper->keeping->line, .events = POLLIN}};
  struct timespec left = {0}, *timeout = NULL;
  if (until != never) {
    int64_t nanoseconds = until - monotonic_ns();
    if (nanoseconds < 0) nanoseconds = 0;
    left = (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    timeout = &left;
  }
  sigset_t none;
  sigemptyset(&none);
  if (ppoll(sockets, 2, timeout, &none) <= 0) return;
  for (int i = 0; i < 2; i++) {
    if (sockets[i].revents) hear(keeper, sockets[i].fd);
  }
}

static void on_time(struct keeper *keeper) {
  int64_t now = monotonic_ns();
  if (now >= keeper->retry_at) start(keeper);
  if (now >= keeper->deadline) end(keeper, ENDING_TIMEOUT, keeper->request.grace_ms * millisecond);
  if (keeper->finished || now >= keeper->kill_at) {
    // Nothing outlives its program. One pass may miss a fork, and some die slowly: again, ever less often.
    group_kill();
    // Who is still there forks faster than one pass goes: several in a row leave it less time.
    int passes = keeper->pause > first_pause ? 16 : 1;
    for (int pass = 0; pass < passes; pass++) tree_signal(SIGKILL, NULL);
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

// A fork of the spawner is as new: the next program gets one where this keeper was changed, or lacks something.
static bool stays(const struct keeper *keeper) {
  const struct keeping *keeping = keeper->keeping;
  if (keeper->outcome.kind == KIND_UNSTARTED || keeping->control < 0 || keeping->line < 0) return false;
  struct traits now;
  traits_read(&now);
  return traits_equal(&keeping->traits, &now);
}

// Tells the agent; true where the keeper may have its next program from now on.
static bool report(struct keeper *keeper) {
  struct outcome *outcome = &keeper->outcome;
  outcome->wall_ns = (uint64_t)(monotonic_ns() - keeper->began);
  outcome->cpu_ns = (uint64_t)keeper->cpu_ns;
  outcome->peak_rss = (uint64_t)keeper->peak_kib * 1024;
  // The end of the socket tells a living agent that all trees of a dead spawner are gone.
  bool is_idle = stays(keeper);
  uint64_t idle = is_idle ? keeper->keeping->serial : 0;
  if (keeper->keeping->control >= 0 && agent_send(keeper->keeping->token, outcome, idle)) return is_idle;
  if (keeper->request.record) record_write(keeper->request.record, outcome, realtime_ms());
  return false;
}

// Runs the program to its end and the end of all its descendants, and tells the agent. False where it is the last one.
static bool keep_one(struct keeping *keeping) {
  struct keeper keeper = {
      .keeping = keeping,
      .began = monotonic_ns(),
      .retry_at = never,
      .deadline = never,
      .kill_at = never,
      .pause = first_pause,
  };
  int code = request_read(keeping->body, keeping->body_size, keeping->fds[FD_BODY], &keeper.request);
  if (code) {
    request_free(&keeper.request);
    keeper.outcome = (struct outcome){.kind = KIND_UNSTARTED, .step = STEP_REQUEST, .value = code};
  } else if (keeping->held && !await_go(&keeper)) {
    if (keeper.outcome.ending == ENDING_ITSELF) keeper.outcome.ending = ENDING_CANCELLED;
    keeper.outcome.kind = KIND_UNSTARTED;
    keeper.outcome.step = STEP_REQUEST;
    keeper.outcome.value = ECANCELED;
    keeper.began = monotonic_ns();
    // nothing is known of such a program but to an agent that lives
    keeper.request.record = NULL;
  } else {
    if (keeping->held) keeper.began = monotonic_ns();
    int64_t longest = (never - keeper.began) / millisecond / 2;
    if (keeper.request.grace_ms > longest) keeper.request.grace_ms = longest;
    if (keeper.request.timeout_ms >= 0 && keeper.request.timeout_ms < longest) {
      keeper.deadline = keeper.began + keeper.request.timeout_ms * millisecond;
    }
    start(&keeper);
    supervise(&keeper);
  }
  bool is_idle = report(&keeper);
  request_free(&keeper.request);
  close_descriptors(keeping);
  return is_idle;
}

void keeping_take(struct keeping *keeping, const struct message *message) {
  keeping->token = message->head.token;
  keeping->held = message->head.op == OP_HOLD;
  message_take(message, keeping->fds);
  keeping->body_size = message->body_size;
  memcpy(keeping->body, message->body, message->body_size);
}

// The next packet of the agent. False where there is to be none.
static bool await_packet(struct keeping *keeping, struct message *message) {
  for (;;) {
    struct pollfd sockets[] = {{.fd = keeping->control, .events = POLLIN}, {.fd = keeping->line, .events = POLLIN}};
    if (poll(sockets, 2, -1) < 0) continue;
    if (sockets[0].revents) {
      // A wish to end the program that has just ended, or the end.
      if (packet_receive(keeping->control, MSG_DONTWAIT, message) == RECEIVED_END) return false;
      message_close(message);
      continue;
    }
    switch (packet_receive(keeping->line, MSG_DONTWAIT, message)) {
      case RECEIVED_NOTHING: continue;
      case RECEIVED_END: return false;
      case RECEIVED_PACKET: return true;
    }
  }
}

// Waits for another program to keep. False when there is to be none.
static bool take_next(struct keeping *keeping) {
  struct message message;
  while (await_packet(keeping, &message)) {
    if (message.head.op != OP_RUN && message.head.op != OP_HOLD) {
      message_close(&message);
      continue;
    }
    if (message.head.version == WIRE_VERSION && message_is_whole(&message)) {
      keeping_take(keeping, &message);
      return true;
    }
    bool lost = message.fds_lost;
    struct outcome outcome = {
        .kind = KIND_UNSTARTED, .step = lost ? STEP_DESCRIPTORS : STEP_REQUEST, .value = lost ? EMFILE : EPROTO};
    message_close(&message);
    agent_send(message.head.token, &outcome, 0);
    return false;
  }
  return false;
}

_Noreturn void keep(struct keeping *keeping) {
  prctl(PR_SET_NAME, "penstock-keeper");
  // A keeper that its program stopped must still hear that the spawner is gone.
  prctl(PR_SET_PDEATHSIG, SIGCONT);
  // It may have died before we asked, while we were stopped: nothing has begun.
  if (getppid() != keeping->spawner) _exit(0);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
    struct outcome outcome = {.kind = KIND_UNSTARTED, .step = STEP_REQUEST, .value = errno};
    agent_send(keeping->token, &outcome, 0);
    _exit(0);
  }
  group_open();
  traits_read(&keeping->traits);
  while (keep_one(keeping) && take_next(keeping)) continue;
  group_close();
  _exit(0);
}

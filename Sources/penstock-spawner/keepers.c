#define _GNU_SOURCE
#include "keepers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "group.h"
#include "keeper.h"
#include "tree.h"

// So long a keeper may take to end its tree when the agent is gone.
static const int64_t last_patience = 3000000000;

struct entry {
  pid_t pid;
  uint64_t serial;  // a pid may come again
  uint64_t token;   // of its first program
  // Its close, also by our death, ends the keeper's program, then the keeper; -1 when it was closed.
  int control;
  int stopped;  // by this signal; 0: it was not
};

static struct entry *entries;
static size_t count, capacity;
static uint64_t serials;

static void refuse(uint64_t token, enum step step, int code) {
  struct outcome outcome = {.kind = KIND_UNSTARTED, .step = step, .value = code};
  agent_send(token, &outcome, 0);
}

static bool make_room(void) {
  if (count < capacity) return true;
  size_t larger = capacity ? capacity * 2 : 64;
  struct entry *moved = realloc(entries, larger * sizeof *entries);
  if (!moved) return false;
  entries = moved;
  capacity = larger;
  return true;
}

static void let_go(struct entry *entry) {
  if (entry->control >= 0) close(entry->control);
  entry->control = -1;
}

static struct entry *find(pid_t pid) {
  for (size_t i = 0; i < count; i++) {
    if (entries[i].pid == pid) return &entries[i];
  }
  return NULL;
}

static _Noreturn void become_keeper(struct message *message, pid_t spawner, int control[2], int line[2]) {
  close(control[1]);
  close(line[1]);
  for (size_t i = 0; i < count; i++) let_go(&entries[i]);
  static struct keeping keeping;
  keeping.serial = serials;
  keeping.spawner = spawner;
  keeping.control = control[0];
  keeping.line = line[0];
  keeping_take(&keeping, message);
  keep(&keeping);
}

static void close_both(const int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

static bool make_sockets(int control[2], int line[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0) return false;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) == 0) return true;
  int code = errno;
  close_both(control);
  errno = code;
  return false;
}

static void fork_keeper(struct message *message) {
  uint64_t token = message->head.token;
  int control[2], line[2];
  if (!make_room()) {
    refuse(token, STEP_FORK, ENOMEM);
  } else if (!make_sockets(control, line)) {
    refuse(token, STEP_DESCRIPTORS, errno);
  } else {
    serials += 1;
    // before the fork, so that no word of the keeper comes before it
    agent_send_born(token, serials, line[1]);
    pid_t spawner = getpid(), pid = fork();
    if (pid == 0) become_keeper(message, spawner, control, line);
    if (pid < 0) refuse(token, STEP_FORK, errno);
    close(control[0]);
    close_both(line);
    if (pid > 0) {
      entries[count++] = (struct entry){.pid = pid, .serial = serials, .token = token, .control = control[1]};
    } else {
      close(control[1]);
      agent_send_gone(serials, 0);
    }
  }
}

void keepers_start(struct message *message) {
  uint64_t token = message->head.token;
  if (message->head.version != WIRE_VERSION || message->head.op != OP_RUN || token == 0) {
    refuse(token, STEP_REQUEST, EPROTO);
  } else if (!message_is_whole(message)) {
    refuse(token, message->fds_lost ? STEP_DESCRIPTORS : STEP_REQUEST, message->fds_lost ? EMFILE : EPROTO);
  } else {
    fork_keeper(message);
  }
  message_close(message);
}

void keepers_cancel(uint64_t token) {
  struct message cancel = {.head = {.magic = WIRE_MAGIC, .version = WIRE_VERSION, .op = OP_CANCEL, .token = token}};
  for (size_t i = 0; i < count; i++) {
    // A keeper that is just ending has closed its end.
    if (entries[i].token == token && entries[i].control >= 0) packet_send(entries[i].control, MSG_DONTWAIT, &cancel);
  }
}

// Nobody stops a keeper but the program it watches over, to escape its end: the keeper goes, and the program with it.
static bool end_stopped(struct entry *entry, int status) {
  if (!WIFSTOPPED(status)) return false;
  entry->stopped = WSTOPSIG(status);
  kill(entry->pid, SIGKILL);
  return true;
}

// Someone killed a keeper: what it watched over is ours now, as we are a reaper too.
static void end_orphans(void) {
  struct pids keepers = {0};
  for (size_t i = 0; i < count; i++) pids_add(&keepers, entries[i].pid);
  tree_signal(SIGKILL, &keepers);
  pids_free(&keepers);
}

void keepers_reap(void) {
  bool orphans = false;
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid <= 0) break;
    struct entry *entry = find(pid);
    if (!entry) {
      orphans = true;
      continue;
    }
    if (end_stopped(entry, status)) continue;
    struct entry ended = *entry;
    *entry = entries[--count];
    let_go(&ended);
    // one that ends by itself has told the agent of its last program, and left nothing of it
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      groups_end(ended.pid);
      orphans = true;
    }
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    agent_send_gone(ended.serial, ended.stopped ? ended.stopped : signal);
  }
  if (orphans) end_orphans();
}

// Keepers see the end of their control pipes and end their trees. One that was stopped or killed cannot, nor one that
// its program holds by ptrace(2): what it watched over comes to us, and must be gone before we are, for with us goes the
// agent's lock.
void keepers_finish(void) {
  for (size_t i = 0; i < count; i++) let_go(&entries[i]);
  bool orphans = false;
  int64_t patience_ends = monotonic_ns() + last_patience;
  sigset_t none;
  sigemptyset(&none);
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0) return;
    if (pid == 0) {
      bool is_late = monotonic_ns() > patience_ends;
      for (size_t i = 0; i < count && is_late; i++) kill(entries[i].pid, SIGKILL);
      // a tracer is heard of the death first, so it must not be waited for
      if (orphans || is_late) end_orphans();
      struct timespec pause = {.tv_nsec = 20 * 1000000};
      ppoll(NULL, 0, &pause, &none);
      continue;
    }
    struct entry *entry = find(pid);
    if (!entry) {
      orphans = true;
    } else if (!end_stopped(entry, status)) {
      groups_end(entry->pid);
      *entry = entries[--count];
      orphans = orphans || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
  }
}

#define _GNU_SOURCE
#include "keepers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "tree.h"

struct entry {
  pid_t pid;
  uint64_t token;
  // The only write end: its close, also by our death, ends the keeper's program.
  int control;
  int stopped;  // by this signal; 0: it was not
};

static struct entry *entries;
static size_t count, capacity;

static void refuse(uint64_t token, enum step step, int code) {
  struct outcome outcome = {.kind = KIND_UNSTARTED, .step = step, .value = code};
  agent_send(token, &outcome);
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

static _Noreturn void become_keeper(struct message *message, int control[2]) {
  close(control[1]);
  for (size_t i = 0; i < count; i++) close(entries[i].control);
  struct keeping keeping = {.token = message->head.token, .control = control[0]};
  for (int i = 0; i < FD_COUNT; i++) keeping.fds[i] = message->fds[i];
  keep(&keeping);
}

static void fork_keeper(struct message *message) {
  uint64_t token = message->head.token;
  int control[2];
  if (message->head.version != WIRE_VERSION || message->head.op != OP_RUN) {
    refuse(token, STEP_REQUEST, EPROTO);
  } else if (message->fd_count != FD_COUNT) {
    refuse(token, message->fds_lost ? STEP_DESCRIPTORS : STEP_REQUEST, message->fds_lost ? EMFILE : EPROTO);
  } else if (!make_room()) {
    refuse(token, STEP_FORK, ENOMEM);
  } else if (pipe2(control, O_CLOEXEC) < 0) {
    refuse(token, STEP_DESCRIPTORS, errno);
  } else {
    pid_t pid = fork();
    if (pid == 0) become_keeper(message, control);
    if (pid < 0) refuse(token, STEP_FORK, errno);
    close(control[0]);
    if (pid > 0) {
      entries[count++] = (struct entry){.pid = pid, .token = token, .control = control[1]};
    } else {
      close(control[1]);
    }
  }
}

void keepers_start(struct message *message) {
  fork_keeper(message);
  message_close(message);
}

void keepers_cancel(uint64_t token) {
  for (size_t i = 0; i < count; i++) {
    // A keeper that is just ending has closed its end: SIGPIPE is ignored.
    if (entries[i].token == token && write(entries[i].control, "c", 1) < 0) return;
  }
}

// Nobody stops a keeper but the program it watches over, to escape its end: the keeper goes, and the program with it.
static bool end_stopped(struct entry *entry, int status) {
  if (!WIFSTOPPED(status)) return false;
  entry->stopped = WSTOPSIG(status);
  kill(entry->pid, SIGKILL);
  return true;
}

static struct entry *find(pid_t pid) {
  for (size_t i = 0; i < count; i++) {
    if (entries[i].pid == pid) return &entries[i];
  }
  return NULL;
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
    close(ended.control);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    orphans = true;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    refuse(ended.token, STEP_KEEPER, ended.stopped ? ended.stopped : signal);
  }
  if (orphans) end_orphans();
}

// Keepers see the end of their control pipes and end their trees. One that was stopped or killed cannot: what it
// watched over comes to us, and must be gone before we are, for with us goes the agent's lock.
void keepers_finish(void) {
  for (size_t i = 0; i < count; i++) close(entries[i].control);
  bool orphans = false;
  sigset_t none;
  sigemptyset(&none);
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0) return;
    if (pid == 0) {
      if (orphans) end_orphans();
      struct timespec pause = {.tv_nsec = 20 * 1000000};
      ppoll(NULL, 0, &pause, &none);
      continue;
    }
    struct entry *entry = find(pid);
    if (!entry) {
      orphans = true;
    } else if (!end_stopped(entry, status)) {
      *entry = entries[--count];
      orphans = orphans || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
  }
}

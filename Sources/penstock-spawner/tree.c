#define _GNU_SOURCE
#include "tree.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void send(pid_t target, int number) {
  if (kill(target, number) == 0 && number != SIGKILL) kill(target, SIGCONT);
}

// A child of ours keeps its pid until we wait for it, and every member of its group descends from us, because each
// program begins in a session of its own. The kernel signals a group at once, faster than it can fork.
static void signal_child(pid_t child, int number, struct pids *groups) {
  pid_t group = getpgid(child);
  if (group <= 0 || group == getpgrp()) {
    send(child, number);
  } else if (!pids_contain(groups, group)) {
    pids_add(groups, group);
    send(-group, number);
  }
}

// Deeper ones may end and their pid go to a stranger between reading and signalling: a pidfd holds the process and
// its parent tells that it is still the one that was read.
static void signal_descendant(pid_t pid, pid_t parent, int number, const struct pids *groups) {
  if (pids_contain(groups, getpgid(pid))) return;
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return;
  if (parent_of(pid) == parent) {
    syscall(SYS_pidfd_send_signal, process, number, NULL, 0);
    if (number != SIGKILL) syscall(SYS_pidfd_send_signal, process, SIGCONT, NULL, 0);
  }
  close(process);
}

void tree_signal(int number, const struct pids *spared) {
  struct pids groups = {0}, tree = {0};
  pid_t own = getpid();
  children_of(own, &tree);
  size_t direct = tree.count;
  for (size_t i = 0; i < direct; i++) {
    if (!spared || !pids_contain(spared, tree.items[i])) signal_child(tree.items[i], number, &groups);
  }
  for (size_t i = 0; i < tree.count; i++) {
    pid_t parent = tree.items[i];
    if (i < direct && spared && pids_contain(spared, parent)) continue;
    size_t before = tree.count;
    children_of(parent, &tree);
    for (size_t k = before; k < tree.count; k++) signal_descendant(tree.items[k], parent, number, &groups);
  }
  pids_free(&groups);
  pids_free(&tree);
}

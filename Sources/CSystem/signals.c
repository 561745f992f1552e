#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t handler_end = -1;

static void note(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  // a full pipe holds thousands of wishes to stop already
  ssize_t put = write(handler_end, &byte, 1);
  (void)put;
  errno = saved;
}

int stop_signals(void) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -1;
  handler_end = ends[1];
  struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) return -1;
  // whoever started this program may have blocked them, as a worker thread of libdispatch has; one thread is enough
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  if (pthread_sigmask(SIG_UNBLOCK, &both, NULL) != 0) return -1;
  return ends[0];
}

int stop_signal_read(int fd, int32_t *number) {
  unsigned char byte;
  if (read(fd, &byte, 1) != 1) return 0;
  *number = byte;
  return 1;
}

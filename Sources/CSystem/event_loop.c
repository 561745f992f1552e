#define _GNU_SOURCE
#include "event_loop.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

const uint32_t event_loop_readable = EPOLLIN | EPOLLRDHUP;
const uint32_t event_loop_writable = EPOLLOUT;
const uint32_t event_loop_ended = EPOLLHUP | EPOLLERR;

enum { BATCH = 64 };

int event_loop_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int event_loop_wake_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// A full counter is as good as one more: the loop wakes.
void event_loop_wake(int wake) { eventfd_write(wake, 1); }

void event_loop_wake_clear(int wake) {
  eventfd_t value;
  eventfd_read(wake, &value);
}

// A timer of the far future, which the kernel cancels when CLOCK_REALTIME is set.
static int arm(int clock) {
  struct itimerspec far = {.it_value = {.tv_sec = (time_t)1 << 40}};
  return timerfd_settime(clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

int event_loop_clock_create(void) {
  int clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (clock < 0 || arm(clock) == 0) return clock;
  int saved = errno;
  close(clock);
  errno = saved;
  return -1;
}

bool event_loop_clock_was_set(int clock) {
  uint64_t value;
  bool was_set = read(clock, &value, sizeof value) < 0 && errno == ECANCELED;
  arm(clock);
  return was_set;
}

static int control(int loop, int operation, int fd, uint32_t events, uint64_t id) {
  struct epoll_event event = {.events = events, .data = {.u64 = id}};
  return epoll_ctl(loop, operation, fd, &event);
}

int event_loop_add(int loop, int fd, uint32_t events, uint64_t id) {
  return control(loop, EPOLL_CTL_ADD, fd, events, id);
}

int event_loop_modify(int loop, int fd, uint32_t events, uint64_t id) {
  return control(loop, EPOLL_CTL_MOD, fd, events, id);
}

int event_loop_remove(int loop, int fd) { return control(loop, EPOLL_CTL_DEL, fd, 0, 0); }

int event_loop_wait(int loop, uint64_t *ids, uint32_t *events, int capacity, int milliseconds) {
  struct epoll_event batch[BATCH];
  int count = epoll_wait(loop, batch, capacity < BATCH ? capacity : BATCH, milliseconds);
  for (int i = 0; i < count; i++) {
    ids[i] = batch[i].data.u64;
    events[i] = batch[i].events;
  }
  return count;
}

void event_loop_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

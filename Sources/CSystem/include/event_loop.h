// epoll(7), eventfd(2) and timerfd_create(2), which Glibc's Swift module does not show.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// EPOLLIN, EPOLLOUT, and EPOLLHUP | EPOLLERR.
extern const uint32_t event_loop_readable;
extern const uint32_t event_loop_writable;
extern const uint32_t event_loop_ended;

// All return -1 with errno on failure. Descriptors close on exec.
int event_loop_create(void);
int event_loop_wake_create(void);
void event_loop_wake(int wake);
void event_loop_wake_clear(int wake);

// Readable when the wall clock is set, or the machine wakes. The second says whether it was, and waits for the next.
int event_loop_clock_create(void);
bool event_loop_clock_was_set(int clock);

int event_loop_add(int loop, int fd, uint32_t events, uint64_t id);
int event_loop_modify(int loop, int fd, uint32_t events, uint64_t id);
int event_loop_remove(int loop, int fd);

// Waits for at most `milliseconds`, for ever if that is negative; fills `ids` and `events` and returns how many.
int event_loop_wait(int loop, uint64_t *ids, uint32_t *events, int capacity, int milliseconds);

// What `ps -L` and a debugger call the calling thread; at most 15 bytes.
void event_loop_name_thread(const char *name);

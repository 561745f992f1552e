// SIGINT and SIGTERM as a descriptor: a handler that writes to a pipe, for a mask would have to be set before the
// first thread is made, and the Swift runtime makes threads when it likes.
#pragma once
#include <stdint.h>

// Catches them from now on. A descriptor that does not wait and closes on exec; -1 with errno on failure.
int stop_signals(void);

// 1 and the signal's number, or 0 where none waits.
int stop_signal_read(int fd, int32_t *number);

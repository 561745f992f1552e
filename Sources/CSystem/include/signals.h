// SIGINT and SIGTERM as a descriptor, signalfd(2).
#pragma once
#include <stdint.h>

// Blocks them in this thread and in those it makes.
void stop_signals_block(void);

// A descriptor that does not wait and closes on exec; -1 with errno on failure.
int stop_signals(void);

// 1 and the signal's number, or 0 where none waits.
int stop_signal_read(int fd, int32_t *number);

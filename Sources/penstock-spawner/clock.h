#pragma once
#include <stdint.h>

// CLOCK_MONOTONIC in nanoseconds: deadlines and wall times.
int64_t monotonic_ns(void);

// CLOCK_REALTIME in milliseconds: what a person calls the time.
int64_t realtime_ms(void);

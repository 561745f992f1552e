// pidfd_open(2) and pidfd_send_signal(2), which glibc's Swift module does not show.
#pragma once
#include <sys/types.h>

// A descriptor that is readable once `process` has ended, and closes on exec; -1 with errno on failure.
int process_open(pid_t process);

// Signals the process behind such a descriptor, and no other that got its number. -1 with errno on failure.
int process_signal(int process, int number);

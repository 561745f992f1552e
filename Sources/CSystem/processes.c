#define _GNU_SOURCE
#include "processes.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int process_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int process_signal(int process, int number) {
  return (int)syscall(SYS_pidfd_send_signal, process, number, NULL, 0);
}

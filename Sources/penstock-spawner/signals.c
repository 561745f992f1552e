#define _GNU_SOURCE
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP};
enum { IGNORED = sizeof ignored / sizeof ignored[0], LAST = 64 };

static void wake(int number) { (void)number; }

// The kernel's own call, because glibc keeps 32 and 33 to itself and some parents leave them ignored.
static void set_standard(int number) {
  struct {
    void (*handler)(int);
    unsigned long rest[3];
  } standard = {.handler = SIG_DFL};
  syscall(SYS_rt_sigaction, number, &standard, NULL, sizeof(uint64_t));
}

static void set_mask(uint64_t mask) { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask); }

void signals_prepare(void) {
  for (int number = 1; number <= LAST; number++) set_standard(number);
  for (int i = 0; i < IGNORED; i++) signal(ignored[i], SIG_IGN);
  struct sigaction action = {.sa_handler = wake};
  sigaction(SIGCHLD, &action, NULL);
  set_mask(1UL << (SIGCHLD - 1));
}

void signals_restore(void) {
  // execve(2) turns what is handled into the default, and leaves what is ignored.
  for (int i = 0; i < IGNORED; i++) set_standard(ignored[i]);
  set_mask(0);
}

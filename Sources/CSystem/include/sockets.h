// What glibc's Swift module does not show of unix(7) sockets.
#pragma once
#include <sys/types.h>

// The next caller as a descriptor that does not wait and closes on exec; -1 with errno where none waits.
int caller_accept(int listener);

// The user at the other end, SO_PEERCRED; -1 where it cannot be known.
long caller_user(int fd);

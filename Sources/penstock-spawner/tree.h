// Signals to everything that descends from this process.
#pragma once
#include "children.h"

// Sends `signal` to every descendant once, and SIGCONT after it so that stopped ones hear it, except to the
// children in `spared` and what descends from them. One pass over a moving tree: the caller repeats it until
// wait(2) says ECHILD.
void tree_signal(int signal, const struct pids *spared);

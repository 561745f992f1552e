// What signals mean to the spawner and its keepers, and what they mean to a program.
#pragma once

// Once, at the start: everything as after login, then deaf to TERM, INT, HUP and PIPE; SIGCHLD is heard in ppoll(2)
// only. Keepers inherit it.
void signals_prepare(void);

// In the child that becomes a program: as after login again, whatever the agent made of them.
void signals_restore(void);

// Control groups (cgroup v2), where the agent has been given a part of their tree: each keeper has a group, in which its
// programs run, are limited together, and are killed all at once, however they fork.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Groups are made beneath this directory; what an earlier spawner left there goes. NULL: there are none.
void groups_prepare(const char *base);

// Of the spawner, when a keeper has ended: kills who is left in its group, and removes it.
void groups_end(pid_t keeper);

// Of a keeper: makes its group. Without one everything goes on by signals alone.
void group_open(void);

// The group as a descriptor for clone3(2); -1: there is none.
int group_directory(void);

// Bounds the memory of all processes in it together, where the controller is there; 0: nothing does.
void group_limit_memory(uint64_t bytes);

// Kills every process in it, at once.
void group_kill(void);

void group_close(void);

// The keepers: at work, or idle for a while, so that the next program need not wait for a fork.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "packets.h"

// False where there is no pipe for it.
bool keepers_prepare(void);

// Becomes readable when a keeper is idle.
int keepers_idle(void);

// Hears which keepers are idle now.
void keepers_hear(void);

// Gives the program of `message` to a keeper and takes its descriptors. Where that fails the agent hears why.
void keepers_start(struct message *message);

// Passes the wish to end `token` early to its keeper; one that is not known has ended already.
void keepers_cancel(uint64_t token);

// Waits for whoever has ended, and ends what a keeper left that died itself.
void keepers_reap(void);

// Lets keepers go that were idle for long. Nanoseconds until the next one is to go; negative: there is none.
int64_t keepers_retire(void);

// The agent is gone: returns when every program is, also those whose keeper was stopped or killed.
void keepers_finish(void);

// The keepers, from their fork to their end.
#pragma once
#include <stdint.h>

#include "packets.h"

// Makes a keeper for the program of `message` and takes its descriptors. Where that fails the agent hears why.
void keepers_start(struct message *message);

// Passes the wish to end `token` early to the keeper that was made for it; one that is not known has ended already.
void keepers_cancel(uint64_t token);

// Waits for whoever has ended, and ends what a keeper left that died itself.
void keepers_reap(void);

// The agent is gone: returns when every program is, also those whose keeper was stopped or killed.
void keepers_finish(void);

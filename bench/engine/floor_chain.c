// The floor of a run: as many spawns and as many FULL commits as the agent makes for it, one after another.
//
//   floor_chain DATABASE STAGES SPAWNS      prints milliseconds
//
// A commit for the run and its first stage, one that begins each later stage, SPAWNS programs for each, and a commit for
// the end. What the agent takes longer it takes for what a person gets: envelopes, limits, ends of trees, history.
//
//   cc -O2 -o floor_chain floor_chain.c -lsqlite3
#define _GNU_SOURCE
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static void commit(sqlite3 *database) {
  if (sqlite3_exec(database, "INSERT INTO step (at) VALUES (1)", 0, 0, 0) != SQLITE_OK) exit(3);
}

int main(int count, char **words) {
  if (count != 4) return 2;
  sqlite3 *database;
  if (sqlite3_open(words[1], &database) != SQLITE_OK) return 3;
  sqlite3_exec(database,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
               "CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, at REAL)",
               0, 0, 0);
  int stages = atoi(words[2]), spawns = atoi(words[3]);
  char *program[] = {"/bin/true", NULL};
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int stage = 0; stage < stages; stage++) {
    commit(database);
    for (int spawn = 0; spawn < spawns; spawn++) {
      pid_t pid;
      if (posix_spawn(&pid, program[0], NULL, NULL, program, environ)) return 4;
      waitpid(pid, NULL, 0);
    }
  }
  commit(database);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.4f\n", (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
}

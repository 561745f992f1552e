// How long a run takes, from the request on the agent's socket to the word that it is done.
//
//   timed_run SOCKET PIPELINE      prints milliseconds, and how the run ended
//
// In C, as the floor is, so that no interpreter is timed with it.
//
//   cc -O2 -o timed_run timed_run.c
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void ask(const char *path, const char *request, char *answer, size_t room) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int link = socket(AF_UNIX, SOCK_STREAM, 0);
  if (strlen(path) >= sizeof address.sun_path) exit(3);
  strcpy(address.sun_path, path);
  if (link < 0 || connect(link, (struct sockaddr *)&address, sizeof address)) exit(4);
  if (write(link, request, strlen(request)) < 0) exit(5);
  size_t length = 0;
  ssize_t count;
  while (length < room - 1 && (count = read(link, answer + length, room - 1 - length)) > 0) length += count;
  answer[length] = 0;
  close(link);
}

// The value of the first member called so, up to its quote.
static int member(const char *answer, const char *name, char *value, size_t room) {
  char key[40];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *begin = strstr(answer, key);
  if (!begin) return 0;
  begin += strlen(key);
  snprintf(value, room, "%.*s", (int)strcspn(begin, "\""), begin);
  return 1;
}

int main(int count, char **words) {
  if (count != 3) return 2;
  char request[600], answer[4096], id[64], state[64];
  struct timespec begin, end;
  snprintf(request, sizeof request, "{\"op\":\"run\",\"pipeline\":\"%s\",\"use_cache\":false}\n", words[2]);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  ask(words[1], request, answer, sizeof answer);
  if (!member(answer, "id", id, sizeof id)) return fprintf(stderr, "timed_run: no run begins: %s", answer), 6;
  snprintf(request, sizeof request, "{\"op\":\"wait\",\"run\":\"%s\"}\n", id);
  ask(words[1], request, answer, sizeof answer);
  clock_gettime(CLOCK_MONOTONIC, &end);
  // it may have ended before it was asked for
  if (!member(answer, "state", state, sizeof state)) strcpy(state, "unknown");
  printf("%.4f %s\n", (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6, state);
}

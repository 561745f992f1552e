/* What the items of the benchmarks are given to: it waits as long as the item says, as a call over the network would.
 *
 *   item_worker MS          waits and ends: what make and the others run
 *   item_worker < request   one item: reads the request to its end, waits, ends
 *   PENSTOCK_WORKER=1       stays: one request a line, any number of them in hand at the same time
 *
 * An item is {"id":…,"ms":[A,B,C]}; the stages are called s0, s1, s2, and each waits its own.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, LONGEST = 1 << 20 };

struct call {
  long id;
  double due;
};

static struct call calls[MOST];
static int count;
static char buffer[LONGEST];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Milliseconds this stage waits for the item of a request. */
static double wait_of(const char *request) {
  const char *name = strstr(request, "\"name\":\"s");
  const char *times = strstr(request, "\"ms\":[");
  if (!times) return 0;
  times += 6;
  for (int stage = name ? name[9] - '0' : 0; stage > 0 && times; stage--) {
    times = strchr(times, ',');
    if (times) times++;
  }
  return times ? atof(times) : 0;
}

static void wait_for(double milliseconds) {
  if (milliseconds > 0) usleep((useconds_t)(milliseconds * 1000));
}

static void answer_due(double moment) {
  static char out[MOST * 40];
  size_t length = 0;
  for (int i = 0; i < count;) {
    if (calls[i].due > moment) {
      i++;
      continue;
    }
    length += (size_t)sprintf(out + length, "{\"id\":%ld,\"status\":\"ok\"}\n", calls[i].id);
    calls[i] = calls[--count];
  }
  for (size_t done = 0; done < length;) {
    ssize_t put = write(1, out + done, length - done);
    if (put <= 0) exit(1);
    done += (size_t)put;
  }
}

static int stay(void) {
  size_t held = 0;
  for (;;) {
    double moment = now(), first = 1e18;
    answer_due(moment);
    for (int i = 0; i < count; i++)
      if (calls[i].due < first) first = calls[i].due;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    struct timespec wait = {0, 0};
    double left = count ? first - now() : 0;
    if (left > 0) wait = (struct timespec){(time_t)(left / 1e3), (long)((left - (long)(left / 1e3) * 1e3) * 1e6)};
    if (ppoll(&input, 1, count ? &wait : NULL, NULL) <= 0) continue;
    ssize_t got = read(0, buffer + held, sizeof buffer - held - 1);
    if (got <= 0) return 0;
    held += (size_t)got;
    buffer[held] = 0;
    char *line = buffer, *end;
    moment = now();
    while ((end = memchr(line, '\n', held - (size_t)(line - buffer)))) {
      *end = 0;
      if (count == MOST) return 1;
      calls[count++] = (struct call){atol(line + 6), moment + wait_of(line)};
      line = end + 1;
    }
    held -= (size_t)(line - buffer);
    memmove(buffer, line, held);
    if (held == sizeof buffer - 1) return 1;
  }
}

int main(int argc, char **argv) {
  if (argc > 1) {
    wait_for(atof(argv[1]));
    return 0;
  }
  if (getenv("PENSTOCK_WORKER")) return stay();
  size_t held = 0;
  ssize_t got;
  while ((got = read(0, buffer + held, sizeof buffer - held - 1)) > 0) held += (size_t)got;
  buffer[held] = 0;
  wait_for(wait_of(buffer));
  return 0;
}

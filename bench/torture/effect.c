// The stage and the hook of every torture workload: it writes down from outside the agent that it ran.
//
// effect MODE [FILE]: appends `S run stage attempt event mode pid time digest` to $EFFECTS/log before it does
// anything and an `E` line when it is through, each by one write(2) and fsync(2). A lock for each stage of a run tells whether
// two programs of one run ever overlap (`X`). The digest is FNV-1a of FILE, so that a half-read input shows.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *effects, *mode;
static int log_fd;

static const char *value(const char *name) {
  const char *text = getenv(name);
  return text && *text ? text : "-";
}

static void note(char kind, uint64_t digest) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  char line[512];
  int length = snprintf(line, sizeof line, "%c %s %s %s %s %s %d %lld %016llx\n", kind, value("PENSTOCK_RUN"),
                        value("PENSTOCK_STAGE"), value("PENSTOCK_ATTEMPT"), value("PENSTOCK_EVENT"), mode, getpid(),
                        (long long)now.tv_sec * 1000000000 + now.tv_nsec, (unsigned long long)digest);
  if (write(log_fd, line, (size_t)length) != length || fsync(log_fd) < 0) _exit(99);
}

// How often this was asked before and came through: what is flaky fails by it.
static int earlier(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/count.%s.%s.%s", effects, value("PENSTOCK_RUN"), value("PENSTOCK_STAGE"), mode);
  int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0 || write(fd, ".", 1) != 1) _exit(99);
  return (int)status.st_size;
}

static uint64_t digest_of(const char *path, int copy) {
  uint64_t digest = 0xcbf29ce484222325;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  static unsigned char buffer[65536];
  ssize_t count;
  while ((count = read(fd, buffer, sizeof buffer)) > 0) {
    for (ssize_t i = 0; i < count; i++) digest = (digest ^ buffer[i]) * 0x100000001b3;
    if (copy >= 0 && write(copy, buffer, (size_t)count) != count) _exit(98);
  }
  close(fd);
  return digest;
}

// Leaves a process behind that has left its session and its parent, and writes down which.
static void litter(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/litter.%s", effects, value("PENSTOCK_RUN"));
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork()) _exit(0);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%d", getpid()) < 0) _exit(99);
    for (;;) pause();
  }
  struct stat status;
  while (stat(path, &status) < 0 || status.st_size == 0) usleep(1000);
}

// Says `X` where what an earlier program of the run left behind is still there.
static void look_for_litter(void) {
  char path[512], text[16] = "";
  snprintf(path, sizeof path, "%s/litter.%s", effects, value("PENSTOCK_RUN"));
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && kill(atoi(text), 0) == 0) note('X', 0);
}

static int is(const char *name) { return strcmp(mode, name) == 0; }

static int reply(const char *text) {
  ssize_t length = (ssize_t)strlen(text);
  return write(1, text, (size_t)length) == length ? 0 : 97;
}

static int work(const char *file) {
  if (is("fail")) return fputs("this stage always fails\n", stderr) < 0 ? 1 : 1;
  if (is("never")) return 2;
  if (is("flaky") && earlier() < 1) return 1;
  if (is("later") && earlier() < 1) return 75;
  if (is("skip")) return reply("{\"status\":\"skip\",\"reason\":\"nothing to do\"}");
  if (is("allow") || is("ignored")) return 0;
  if (is("deny")) return reply("{\"decision\":\"deny\",\"reason\":\"not this one\"}");
  if (is("pass-over")) return reply("{\"decision\":\"skip\",\"reason\":\"not needed\"}");
  if (is("patch")) return reply("{\"decision\":\"allow\",\"patch\":{\"context\":{\"patched\":true}}}");
  if (is("defer") && earlier() < 1) return reply("{\"decision\":\"defer\",\"retry_after\":\"50ms\",\"reason\":\"busy\"}");
  if (is("defer") || is("quiet")) return 0;
  if (is("slow")) usleep(60000);
  if (is("long")) usleep(1500000);
  if (is("longer")) sleep(4);
  if (is("hang")) pause();
  if (is("nest") && earlier() < 1) {
    litter();
    pause();
  }
  if (is("litter")) litter();
  if (is("nest") || is("after-litter")) look_for_litter();
  if (is("litter") || is("nest") || is("after-litter")) return 0;
  if (is("spoil")) {
    int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    return fd < 0 || write(fd, "!", 1) != 1;
  }
  if (is("escape")) return reply("{\"outputs\":[{\"name\":\"o\",\"path\":\"../../../../etc/penstock.yaml\"}]}");
  int out = open("o", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out < 0) return 96;
  if (file) digest_of(file, out);
  dprintf(out, "%s\n", value("PENSTOCK_STAGE"));
  close(out);
  return reply("{\"outputs\":[{\"name\":\"o\",\"path\":\"o\"}],\"metrics\":{\"m\":1},\"context\":{\"seen\":1}}");
}

// The text or number of the first member `key` after `from`; NULL where there is none.
static const char *member(const char *from, const char *key, char *text, size_t size) {
  char name[64];
  snprintf(name, sizeof name, "\"%s\":", key);
  const char *at = from ? strstr(from, name) : NULL;
  if (!at) return NULL;
  at += strlen(name);
  int quoted = *at == '"';
  at += quoted;
  size_t length = quoted ? strcspn(at, "\"") : strspn(at, "0123456789");
  if (length >= size) _exit(98);
  memcpy(text, at, length);
  text[length] = 0;
  return at + length;
}

// Writes down that a program begins; the lock it has to itself is held until its descriptor is closed.
static int begin(const char *file) {
  char path[512];
  // branches of a run may be at work together, two programs of one stage never; the judge sees what builds on what
  snprintf(path, sizeof path, "%s/lock.%s.%s", effects, value("PENSTOCK_RUN"), value("PENSTOCK_STAGE"));
  int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int alone = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0;
  uint64_t digest = file ? digest_of(file, -1) : 0;
  if (!alone) note('X', digest);
  note('S', digest);
  return lock;
}

// A worker: each line is a call, written down as a program of its own would be.
static int stay(void) {
  static char line[65536];
  char id[32], text[4096];
  while (fgets(line, sizeof line, stdin)) {
    const char *run = strstr(line, "\"run\":{"), *stage = strstr(line, "\"stage\":{");
    if (!member(line, "id", id, sizeof id) || !member(run, "id", text, sizeof text)) return 98;
    setenv("PENSTOCK_RUN", text, 1);
    if (!member(stage, "name", text, sizeof text)) return 98;
    setenv("PENSTOCK_STAGE", text, 1);
    if (!member(stage, "attempt", text, sizeof text)) return 98;
    setenv("PENSTOCK_ATTEMPT", text, 1);
    setenv("PENSTOCK_EVENT", "stage", 1);
    int lock = begin(member(strstr(line, "\"inputs\":["), "path", text, sizeof text) ? text : NULL);
    usleep(5000);
    note('E', 0);
    close(lock);
    printf("{\"id\":%s,\"status\":\"ok\"}\n", id);
    if (fflush(stdout)) return 97;
  }
  return 0;
}

int main(int count, char **arguments) {
  effects = value("EFFECTS");
  mode = strrchr(arguments[0], '/') ? strrchr(arguments[0], '/') + 1 : arguments[0];
  // a hook of a directory is called without arguments: `10-allow`
  mode = count > 1 ? arguments[1] : strchr(mode, '-') ? strchr(mode, '-') + 1 : mode;
  const char *file = count > 2 ? arguments[2] : NULL;
  char path[512];
  snprintf(path, sizeof path, "%s/log", effects);
  log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log_fd < 0) return 99;
  if (is("warm")) return stay();
  begin(file);
  char byte[4096];
  while (read(0, byte, sizeof byte) > 0) continue;
  int code = work(file);
  note('E', (uint64_t)code);
  return code;
}

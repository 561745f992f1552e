// The durable floor: what the agent does for one drop, in the least C that keeps the same promises.
//
//   floor_durable [-j PLACES] INBOX VAR -- PROGRAM [ARGUMENT ...]      (the drop's path is appended)
//
// For each drop, in the order of the agent: mkdir work/<id>, look and lease probe, renameat2(RENAME_NOREPLACE), a
// second look, fsync(2) of the drop, its directory, work/ and the inbox (one syncfs(2) where more than four are claimed
// together), one FULL commit with the run and, where a place is free, its first attempt, mkdir runs/<id>/stage.1, the
// program, one FULL commit of its outcome together with the attempts that begin next, rename to done/, fsync of done/
// and work/, one FULL commit of the filing. Commits are shared as the agent shares them: three threads (claiming,
// outcomes, filing) take turns at one connection, and each takes all there is. No hooks, no JSON, no history to show, no
// process tree to end, no configuration: what the agent takes longer, it takes for those.
//
//   cc -O2 -o floor_durable floor_durable.c -lsqlite3 -lpthread
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>
#include <sqlite3.h>

enum { BATCH = 256, FEW = 4, NAME = 256, ID = 37 };

struct drop {
  struct drop *next;
  char id[ID], name[NAME];
  long long bytes;
  pid_t pid;
  int status, opened;
};

struct list {
  struct drop *first, **end;
  size_t count;
};

extern char **environ;
static int inbox, work, runs, done, places = 4;
static const char *var;
static char **program;
static int arguments;
static sqlite3 *database;
static sqlite3_stmt *begin, *commit, *claim, *attempt, *run_begins, *outcome, *run_ends, *filed;
// one connection, whoever's turn it is
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
// what follows is under `desk`
static pthread_mutex_t desk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_ended = PTHREAD_COND_INITIALIZER, has_filing = PTHREAD_COND_INITIALIZER;
static struct list queued, running, ended, filings;
static int live;

static void die(const char *what) {
  fprintf(stderr, "floor_durable: %s: %s\n", what, errno ? strerror(errno) : sqlite3_errmsg(database));
  exit(1);
}

static void add(struct list *list, struct drop *drop) {
  if (!list->first) list->end = &list->first;
  drop->next = NULL;
  *list->end = drop;
  list->end = &drop->next;
  list->count++;
}

static struct drop *take(struct list *list) {
  struct drop *drop = list->first;
  if (!drop) return NULL;
  list->first = drop->next;
  list->count--;
  return drop;
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// UUIDv7, as the agent's
static void make_id(char id[ID]) {
  unsigned char r[10];
  if (getrandom(r, sizeof r, 0) != sizeof r) die("getrandom");
  unsigned long long t = (unsigned long long)milliseconds();
  snprintf(id, ID, "%08x-%04x-7%01x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", (uint32_t)(t >> 16), (uint32_t)(t & 0xffff), r[0] & 15U, r[1],
           (r[2] & 63) | 128, r[3], r[4], r[5], r[6], r[7], r[8], r[9]);
}

// MARK: the state

static void execute(const char *sql) {
  errno = 0;
  if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) die(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  errno = 0;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) die(sql);
  return statement;
}

static void step(sqlite3_stmt *statement) {
  errno = 0;
  if (sqlite3_step(statement) != SQLITE_DONE) die("step");
  sqlite3_reset(statement);
}

static void text(sqlite3_stmt *statement, int index, const char *value) {
  sqlite3_bind_text(statement, index, value, -1, SQLITE_STATIC);
}

static void open_state(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s/state.db", var);
  if (sqlite3_open(path, &database) != SQLITE_OK) die(path);
  execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY");
  execute(
      "CREATE TABLE IF NOT EXISTS run(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL,"
      " drop_name BLOB, drop_bytes INTEGER, created INTEGER, started INTEGER, ended INTEGER, filed INTEGER DEFAULT 0) STRICT;"
      "CREATE INDEX IF NOT EXISTS run_open ON run(number) WHERE state IN ('queued','running');"
      "CREATE INDEX IF NOT EXISTS run_unfiled ON run(number) WHERE filed=0 AND state IN ('done','failed');"
      "CREATE TABLE IF NOT EXISTS attempt(run TEXT NOT NULL REFERENCES run(id), stage TEXT NOT NULL, n INTEGER NOT NULL,"
      " state TEXT NOT NULL, started INTEGER, ended INTEGER, \"exit\" INTEGER, PRIMARY KEY(run, stage, n)) STRICT;"
      "CREATE UNIQUE INDEX IF NOT EXISTS attempt_running ON attempt(run, stage) WHERE state='running'");
  begin = prepare("BEGIN IMMEDIATE");
  commit = prepare("COMMIT");
  claim = prepare("INSERT INTO run(id, state, drop_name, drop_bytes, created, started) VALUES(?,?,?,?,?,?)");
  attempt = prepare("INSERT INTO attempt(run, stage, n, state, started) VALUES(?,'stage',1,'running',?)");
  run_begins = prepare("UPDATE run SET state='running', started=? WHERE id=?");
  outcome = prepare("UPDATE attempt SET state=?, ended=?, \"exit\"=? WHERE run=? AND stage='stage' AND n=1");
  run_ends = prepare("UPDATE run SET state=?, ended=? WHERE id=?");
  filed = prepare("UPDATE run SET filed=1 WHERE id=?");
}

static void record_attempt(struct drop *drop) {
  text(attempt, 1, drop->id);
  sqlite3_bind_int64(attempt, 2, milliseconds());
  step(attempt);
}

// MARK: programs

static void start(struct drop *drop) {
  char path[4096], name[64];
  snprintf(name, sizeof name, "%s/stage.1", drop->id);
  if (mkdirat(runs, drop->id, 0700) < 0 || mkdirat(runs, name, 0700) < 0) die("mkdir of an attempt");
  snprintf(path, sizeof path, "%s/work/%s/%s", var, drop->id, drop->name);
  char *argv[64];
  memcpy(argv, program, (size_t)arguments * sizeof *argv);
  argv[arguments] = path;
  argv[arguments + 1] = NULL;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  errno = posix_spawn(&drop->pid, program[0], NULL, &attributes, argv, environ);
  if (errno) die(program[0]);
  posix_spawnattr_destroy(&attributes);
}

// MARK: claiming

static int is_closed(int handle) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return 0;
  int closed = fcntl(file, F_SETLEASE, F_RDLCK) == 0;
  if (closed) fcntl(file, F_SETLEASE, F_UNLCK);
  close(file);
  return closed;
}

// Whether a name is a closed file; `status` is as it was found.
static int look(int directory, const char *name, struct stat *status) {
  int handle = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (handle < 0) return 0;
  int closed = fstat(handle, status) == 0 && S_ISREG(status->st_mode) && is_closed(handle);
  close(handle);
  return closed;
}

static struct drop *claim_one(const char *name) {
  struct stat before, after;
  if (!look(inbox, name, &before)) return NULL;
  struct drop *drop = calloc(1, sizeof *drop);
  make_id(drop->id);
  snprintf(drop->name, sizeof drop->name, "%s", name);
  if (mkdirat(work, drop->id, 0700) < 0) die("mkdir");
  int own = openat(work, drop->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (renameat2(inbox, name, own, name, RENAME_NOREPLACE) < 0) {
    unlinkat(work, drop->id, AT_REMOVEDIR);
    free(drop);
    drop = NULL;
  } else if (!look(own, name, &after) || after.st_size != before.st_size || after.st_ino != before.st_ino) {
    die("a drop changed while it was claimed");
  } else {
    drop->bytes = after.st_size;
  }
  close(own);
  return drop;
}

static void sync_one(const struct drop *drop) {
  int own = openat(work, drop->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int file = openat(own, drop->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fsync(file) < 0 || fsync(own) < 0) die("fsync");
  close(file);
  close(own);
}

static void make_durable(const struct list *taken) {
  if (taken->count > FEW) {
    if (syncfs(work) < 0) die("syncfs");
    return;
  }
  for (struct drop *drop = taken->first; drop; drop = drop->next) sync_one(drop);
  if (fsync(work) < 0 || fsync(inbox) < 0) die("fsync");
}

static void record_claims(struct list *taken) {
  if (!taken->count) return;
  make_durable(taken);
  pthread_mutex_lock(&desk);
  int free_places = places - live - (int)queued.count;
  for (struct drop *drop = taken->first; drop && free_places > 0; drop = drop->next, free_places--) {
    drop->opened = 1;
    live++;
  }
  pthread_mutex_unlock(&desk);
  pthread_mutex_lock(&turn);
  step(begin);
  for (struct drop *drop = taken->first; drop; drop = drop->next) {
    long long now = milliseconds();
    text(claim, 1, drop->id);
    text(claim, 2, drop->opened ? "running" : "queued");
    sqlite3_bind_blob(claim, 3, drop->name, (int)strlen(drop->name), SQLITE_STATIC);
    sqlite3_bind_int64(claim, 4, drop->bytes);
    sqlite3_bind_int64(claim, 5, now);
    if (drop->opened) sqlite3_bind_int64(claim, 6, now);
    else sqlite3_bind_null(claim, 6);
    step(claim);
    if (drop->opened) record_attempt(drop);
  }
  step(commit);
  pthread_mutex_unlock(&turn);
  pthread_mutex_lock(&desk);
  for (struct drop *drop; (drop = take(taken));) {
    if (drop->opened) start(drop);
    add(drop->opened ? &running : &queued, drop);
  }
  // places may have become free meanwhile
  pthread_cond_signal(&has_ended);
  pthread_mutex_unlock(&desk);
}

static void take_in(struct list *taken, const char *name) {
  if (name[0] == '.') return;
  struct drop *drop = claim_one(name);
  if (drop) add(taken, drop);
  if (taken->count == BATCH) record_claims(taken);
}

static void scan(struct list *taken) {
  DIR *directory = fdopendir(openat(inbox, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct dirent *entry;
  while (directory && (entry = readdir(directory))) take_in(taken, entry->d_name);
  if (directory) closedir(directory);
}

static void reap(int signals);

static void take_events(int events, int signals, struct list *taken) {
  static char buffer[1 << 16] __attribute__((aligned(8)));
  ssize_t size;
  while ((size = read(events, buffer, sizeof buffer)) > 0) {
    int lost = 0;
    for (char *at = buffer; at < buffer + size;) {
      struct inotify_event *event = (void *)at;
      if (event->mask & IN_Q_OVERFLOW) lost = 1;
      else if (event->len) take_in(taken, event->name);
      at += sizeof *event + event->len;
    }
    if (lost) scan(taken);
    // a flood must not keep the places idle
    reap(signals);
  }
  record_claims(taken);
}

static void reap(int signals) {
  struct signalfd_siginfo ignored;
  while (read(signals, &ignored, sizeof ignored) > 0) continue;
  pthread_mutex_lock(&desk);
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    struct list rest = {0};
    for (struct drop *drop; (drop = take(&running));) {
      if (drop->pid == pid) drop->status = status;
      add(drop->pid == pid ? &ended : &rest, drop);
    }
    for (struct drop *drop; (drop = take(&rest));) add(&running, drop);
  }
  if (ended.count) pthread_cond_signal(&has_ended);
  pthread_mutex_unlock(&desk);
}

// MARK: outcomes, and the attempts that begin with them

static void record_outcome(struct drop *drop) {
  int code = WIFEXITED(drop->status) ? WEXITSTATUS(drop->status) : 128;
  long long now = milliseconds();
  text(outcome, 1, code ? "failed" : "ok");
  sqlite3_bind_int64(outcome, 2, now);
  sqlite3_bind_int(outcome, 3, code);
  text(outcome, 4, drop->id);
  step(outcome);
  text(run_ends, 1, code ? "failed" : "done");
  sqlite3_bind_int64(run_ends, 2, now);
  text(run_ends, 3, drop->id);
  step(run_ends);
}

static void record_begin(struct drop *drop) {
  sqlite3_bind_int64(run_begins, 1, milliseconds());
  text(run_begins, 2, drop->id);
  step(run_begins);
  record_attempt(drop);
}

static void *outcomes(void *unused) {
  for (;;) {
    struct list over = {0}, opening = {0};
    pthread_mutex_lock(&desk);
    while (!ended.count && !(queued.count && live < places)) pthread_cond_wait(&has_ended, &desk);
    for (struct drop *drop; (drop = take(&ended)); live--) add(&over, drop);
    for (; queued.count && live < places; live++) add(&opening, take(&queued));
    pthread_mutex_unlock(&desk);

    pthread_mutex_lock(&turn);
    step(begin);
    for (struct drop *drop = over.first; drop; drop = drop->next) record_outcome(drop);
    for (struct drop *drop = opening.first; drop; drop = drop->next) record_begin(drop);
    step(commit);
    pthread_mutex_unlock(&turn);

    pthread_mutex_lock(&desk);
    for (struct drop *drop; (drop = take(&opening)); add(&running, drop)) start(drop);
    for (struct drop *drop; (drop = take(&over));) add(&filings, drop);
    pthread_cond_signal(&has_filing);
    pthread_mutex_unlock(&desk);
  }
  return unused;
}

// MARK: filing

static void *filing(void *unused) {
  for (;;) {
    struct list batch = {0};
    pthread_mutex_lock(&desk);
    while (!filings.count) pthread_cond_wait(&has_filing, &desk);
    while (filings.count && batch.count < BATCH) add(&batch, take(&filings));
    pthread_mutex_unlock(&desk);

    for (struct drop *drop = batch.first; drop; drop = drop->next) {
      if (renameat2(work, drop->id, done, drop->id, RENAME_NOREPLACE) < 0) die("file");
    }
    if (fsync(done) < 0 || fsync(work) < 0) die("fsync");
    pthread_mutex_lock(&turn);
    step(begin);
    for (struct drop *drop = batch.first; drop; drop = drop->next) {
      text(filed, 1, drop->id);
      step(filed);
    }
    step(commit);
    pthread_mutex_unlock(&turn);
    for (struct drop *drop; (drop = take(&batch));) free(drop);
  }
  return unused;
}

// MARK: beginning

static int directory(const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", var, name);
  if (mkdir(path, 0700) < 0 && errno != EEXIST) die(path);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(path);
  return fd;
}

int main(int count, char **words) {
  int next = 1;
  if (next + 1 < count && !strcmp(words[next], "-j")) places = atoi(words[next + 1]), next += 2;
  if (count - next < 4 || strcmp(words[next + 2], "--") || count - next > 60 || places < 1) {
    fprintf(stderr, "usage: floor_durable [-j PLACES] INBOX VAR -- PROGRAM [ARGUMENT ...]\n");
    return 2;
  }
  const char *path = words[next];
  var = words[next + 1];
  program = words + next + 3;
  arguments = count - next - 3;
  inbox = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (inbox < 0) die(path);
  if (mkdir(var, 0700) < 0 && errno != EEXIST) die(var);
  work = directory("work");
  runs = directory("runs");
  done = directory("done");
  open_state();

  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  int signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
  int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_add_watch(events, path, IN_MOVED_TO | IN_CLOSE_WRITE) < 0) die(path);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, outcomes, NULL);
  pthread_create(&threads[1], NULL, filing, NULL);

  struct list taken = {0};
  scan(&taken);
  record_claims(&taken);
  struct pollfd both[2] = {{events, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    poll(both, 2, -1);
    if (both[1].revents) reap(signals);
    if (both[0].revents) take_events(events, signals, &taken);
  }
}

// What agent and spawner say to each other over fd 3, a SOCK_SEQPACKET socket. Both ends run on one machine from
// one build, so numbers are native. Sources/Host/SpawnerWire.swift is the other side.
#pragma once
#include <stdint.h>

enum { WIRE_MAGIC = 0x4b4e5450, WIRE_VERSION = 2 };

// The first OP_RUN for a keeper, and an OP_CANCEL where the agent has no line to one, go to the spawner; all others over the
// line. OP_HOLD is an OP_RUN whose program begins with the OP_GO that follows, or not at all: so all is prepared while its
// record is written. Of a keeper comes OP_KEEPER before all else, and OP_GONE at last.
enum op { OP_RUN = 1, OP_CANCEL = 2, OP_RESULT = 3, OP_BEGUN = 4, OP_KEEPER = 5, OP_GONE = 6, OP_HOLD = 7, OP_GO = 8 };

// The descriptors that come with OP_RUN, in this order; FD_BODY is left out where the body is in the packet.
enum { FD_BODY, FD_STDIN, FD_STDOUT, FD_STDERR, FD_COUNT };

// A body of at most so many bytes follows the head of OP_RUN; a longer one comes as a memory file.
enum { WIRE_INLINE = 8192 };

// Every packet begins so; OP_CANCEL is no longer than this.
struct packet {
  uint32_t magic;
  uint16_t version;
  uint16_t op;
  uint64_t token;
};

// The request itself, behind the head or at the start of the memory file FD_BODY. NUL-terminated strings follow: executable,
// directory, exit record (empty: none), then the arguments, then the environment.
struct body {
  uint32_t magic;
  uint32_t version;
  uint32_t argument_count;
  uint32_t environment_count;
  int64_t timeout_ms;   // < 0: none
  int64_t grace_ms;     // from TERM to KILL
  uint64_t memory;      // RLIMIT_AS, bytes; 0: as it is
  uint64_t open_files;  // RLIMIT_NOFILE; 0: as it is
  uint32_t flags;
  uint32_t cpu_s;       // RLIMIT_CPU, seconds; 0: as it is
};

// FLAG_TELL: the agent wants OP_BEGUN when the program runs.
enum { FLAG_IDLE = 1, FLAG_TELL = 2 };

enum ending { ENDING_ITSELF, ENDING_TIMEOUT, ENDING_CANCELLED, ENDING_ABANDONED };

enum kind { KIND_EXITED, KIND_SIGNALED, KIND_UNSTARTED };

// What did not work when a program could not be started.
enum step {
  STEP_NONE,
  STEP_REQUEST,      // the request could not be read
  STEP_DESCRIPTORS,  // the spawner or the keeper has no descriptor left
  STEP_FORK,
  STEP_LIMITS,
  STEP_PRIORITY,
  STEP_STDIO,
  STEP_DIRECTORY,
  STEP_EXEC,
  STEP_KEEPER,  // the keeper itself was killed or stopped; `value` is the signal
};

struct outcome {
  uint32_t ending;
  uint32_t kind;
  int32_t value;  // exit code, signal, or errno
  uint32_t step;
  uint64_t wall_ns;
  uint64_t cpu_ns;
  uint64_t peak_rss;  // bytes
};

struct result {
  struct packet head;
  struct outcome outcome;
  uint64_t idle;  // the keeper of this serial waits for its next program; 0: none does
};

// A keeper is made for the program of `token`. Its line comes along, a descriptor: the keeper's next OP_RUN and OP_CANCEL go
// over it, and where the agent lets go of it the keeper ends as soon as it has no program.
struct born {
  struct packet head;
  uint64_t serial;  // of the keeper
};

// Keeper `serial` has ended: what it had in hand will have no OP_RESULT.
struct gone {
  struct packet head;  // its token is the serial
  int32_t signal;      // that ended or stopped it; 0: it ended by itself
  uint32_t reserved;
};

// The program runs, and is process `pid`.
struct begun {
  struct packet head;
  int32_t pid;
  uint32_t reserved;
};

// penstock-spawner: starts programs for the agent and lets none of them outlive it.
//
// The agent starts it with a socket as descriptor 3 (wire.h). Each program gets a keeper (keeper.c), a fork of the spawner,
// which watches over that one program and talks to the agent itself, and then waits for the next one, which the agent gives
// it without us. When the agent goes, the socket ends, and so does the spawner; when the spawner goes, by whatever cause, its keepers see their control pipes end, and so do all
// programs. It ignores TERM, INT and HUP: the agent decides when it is time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "group.h"
#include "keepers.h"
#include "packets.h"
#include "record.h"
#include "signals.h"

static bool socket_is_there(void) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(AGENT_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static bool prepare(const char *groups) {
  setsid();
  signals_prepare();
  // Descriptors 0 to 2 must be taken, or a program's pipe could become one of them.
  int fd;
  while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd < AGENT_SOCKET) continue;
  // The agent's lock, where there is one: it is held until the last keeper is gone.
  int lock = AGENT_SOCKET + 1;
  close_range(lock + 1, ~0U, 0);
  fcntl(AGENT_SOCKET, F_SETFD, FD_CLOEXEC);
  fcntl(lock, F_SETFD, FD_CLOEXEC);
  // Nobody's unmount waits for us.
  if (chdir("/") < 0) return false;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // A program may have stopped us: the end of the agent, or of a thread of it, wakes us to see the socket's end.
  prctl(PR_SET_PDEATHSIG, SIGCONT);
  record_prepare();
  groups_prepare(groups);
  return true;
}

static enum received hear_agent(void) {
  struct message message;
  enum received received;
  while ((received = packet_receive(AGENT_SOCKET, MSG_DONTWAIT, &message)) == RECEIVED_PACKET) {
    switch (message.head.op) {
      case OP_CANCEL:
        keepers_cancel(message.head.token);
        message_close(&message);
        break;
      default: keepers_start(&message); break;
    }
  }
  return received;
}

// - groups: the directory in which control groups may be made; none without it.
int main(int count, char **arguments) {
  if (!socket_is_there()) {
    static const char text[] = "penstock-spawner: it is started by `penstock up`, not by hand\n";
    return write(2, text, sizeof text - 1) < 0 ? 70 : 2;
  }
  if (!prepare(count > 1 ? arguments[1] : NULL)) return 70;
  sigset_t none;
  sigemptyset(&none);
  for (;;) {
    keepers_reap();
    struct pollfd agent = {.fd = AGENT_SOCKET, .events = POLLIN};
    int ready = ppoll(&agent, 1, NULL, &none);
    if (ready < 0 && errno != EINTR) return 70;
    if (ready > 0 && hear_agent() == RECEIVED_END) {
      keepers_finish();
      return 0;
    }
  }
}

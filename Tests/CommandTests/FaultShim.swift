import Foundation
import Glibc

/// A library that is loaded before libc into one penstock: its files fail, its clock lies, its disk is another's.
///
/// The spawner is static and programs get a clean environment, so nothing else has it.
struct FaultShim {
  enum Fault {
    /// From the `at`th call on that touches a file whose path contains `file`, while `fault.on` exists.
    case failing(operations: String, file: String, errno: Int32, at: Int = 1, isOnce: Bool = false)
    /// SIGKILL in place of the `at`th such call.
    case killing(operations: String, file: String, at: Int)
    /// Every filesystem has this magic number.
    case filesystem(magic: Int)
    /// `clock` holds the seconds that are added to the time of day.
    case clock
  }

  private let place: ScenarioWorkspace
  private let library: String

  init(_ place: ScenarioWorkspace) async throws {
    self.place = place
    library = place.path("shim.so")
    try place.write("shim.c", Self.source)
    let compiled = try await ScenarioProgram(
      ["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", library, place.path("shim.c"), "-ldl"],
      environment: ProcessInfo.processInfo.environment, logs: place.path("logs/shim")
    ).end()
    guard compiled.code == 0 else { throw ScenarioFailure("the shim does not compile: \(compiled.complaints)") }
  }

  /// What a command is wrapped in.
  func wrapping(_ fault: Fault) -> [String] {
    var variables = ["LD_PRELOAD=\(library)"]
    switch fault {
    case .failing(let operations, let file, let code, let at, let isOnce):
      variables += ["SHIM_OPS=\(operations)", "SHIM_FILE=\(file)", "SHIM_ERRNO=\(code)", "SHIM_AT=\(at)"]
      variables += ["SHIM_SWITCH=\(place.path("fault.on"))"] + (isOnce ? ["SHIM_ONCE=1"] : [])
    case .killing(let operations, let file, let at):
      variables += ["SHIM_OPS=\(operations)", "SHIM_FILE=\(file)", "SHIM_KILL=1", "SHIM_AT=\(at)"]
    case .filesystem(let magic): variables.append("SHIM_MAGIC=\(magic)")
    case .clock: variables.append("SHIM_CLOCK=\(place.path("clock"))")
    }
    return ["/usr/bin/env"] + variables
  }

  func turn(on: Bool) throws {
    if on { try place.write("fault.on", "") } else { unlink(place.path("fault.on")) }
  }

  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdatomic.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/statfs.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static atomic_int struck;
    #define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

    static int strike(const char *operation, const char *path) {
      const char *operations = getenv("SHIM_OPS"), *file = getenv("SHIM_FILE"), *gate = getenv("SHIM_SWITCH");
      if (!operations || !file || !strstr(operations, operation) || !path || !strstr(path, file)) return 0;
      if (gate && syscall(SYS_faccessat, AT_FDCWD, gate, F_OK) != 0) return 0;
      int at = atoi(getenv("SHIM_AT")), now = atomic_fetch_add(&struck, 1) + 1;
      if (now < at || (getenv("SHIM_ONCE") && now > at)) return 0;
      if (getenv("SHIM_KILL")) { kill(getpid(), SIGKILL); pause(); }
      errno = atoi(getenv("SHIM_ERRNO"));
      return 1;
    }
    static int strike_fd(const char *operation, int fd) {
      char link[64], path[4096];
      if (!getenv("SHIM_OPS")) return 0;
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(link, path, sizeof path - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return strike(operation, path);
    }
    ssize_t read(int fd, void *to, size_t size) { REAL(read); return strike_fd("read", fd) ? -1 : real(fd, to, size); }
    ssize_t pread(int fd, void *to, size_t size, off_t at) { REAL(pread); return strike_fd("read", fd) ? -1 : real(fd, to, size, at); }
    ssize_t pread64(int fd, void *to, size_t size, off64_t at) { REAL(pread64); return strike_fd("read", fd) ? -1 : real(fd, to, size, at); }
    ssize_t write(int fd, const void *from, size_t size) { REAL(write); return strike_fd("write", fd) ? -1 : real(fd, from, size); }
    ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { REAL(pwrite); return strike_fd("write", fd) ? -1 : real(fd, from, size, at); }
    ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) { REAL(pwrite64); return strike_fd("write", fd) ? -1 : real(fd, from, size, at); }
    int ftruncate(int fd, off_t size) { REAL(ftruncate); return strike_fd("truncate", fd) ? -1 : real(fd, size); }
    int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); return strike_fd("truncate", fd) ? -1 : real(fd, size); }
    int fsync(int fd) { REAL(fsync); return strike_fd("sync", fd) ? -1 : real(fd); }
    int fdatasync(int fd) { REAL(fdatasync); return strike_fd("sync", fd) ? -1 : real(fd); }
    int unlink(const char *path) { REAL(unlink); return strike("unlink", path) ? -1 : real(path); }
    int rename(const char *from, const char *to) { REAL(rename); return strike("rename", from) ? -1 : real(from, to); }
    int statfs(const char *path, struct statfs *status) {
      REAL(statfs);
      int result = real(path, status);
      if (result == 0 && getenv("SHIM_MAGIC")) status->f_type = atol(getenv("SHIM_MAGIC"));
      return result;
    }
    static long shift(void) {
      const char *path = getenv("SHIM_CLOCK");
      char text[32] = {0};
      if (!path) return 0;
      int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
      if (fd < 0) return 0;
      syscall(SYS_read, fd, text, sizeof text - 1);
      close(fd);
      return atol(text);
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      REAL(clock_gettime);
      int result = real(clock, time);
      if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift();
      return result;
    }
    int gettimeofday(struct timeval *time, void *zone) {
      REAL(gettimeofday);
      int result = real(time, zone);
      if (result == 0 && time) time->tv_sec += shift();
      return result;
    }
    """#
}

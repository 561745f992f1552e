extension ResourceLimits {
  /// What a limit had to do with the end of a program, in words; `nil` where none is known to.
  /// - Parameter lastLine: the last line it wrote to stderr, by which a program tells that it got no memory.
  package func words(for result: ProgramResult, lastLine: String?) -> String? {
    guard result.ending == .itself else { return nil }
    switch result.termination {
    case .signaled(Signal.cpuTime), .signaled(Signal.kill):
      if let cpuTime, result.termination == .signaled(Signal.cpuTime) || result.usage.cpu >= cpuTime.seconds {
        return "used more processor time than its limit of \(Quantity.text(cpuTime)) (`limits.cpu_time`)"
      }
      return result.isOutOfMemory
        ? "the kernel ended it, for the machine or its control group was out of memory: `limits.memory` ends a program sooner"
        : nil
    case .exited(0), .unstarted: return nil
    case .exited, .signaled:
      guard let memory, let lastLine, Self.signs.contains(where: { lastLine.contains($0) }) else { return nil }
      return "it got no more memory, and its limit is \(Quantity.text(bytes: memory)) (`limits.memory`): \(lastLine)"
    }
  }

  /// How Python, C++, libc, the JVM, Go and Rust say that there is no memory.
  private static let signs = [
    "MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory", "OutOfMemory", "memory allocation of",
    "memory exhausted",
  ]

  private enum Signal {
    static let kill: Int32 = 9
    static let cpuTime: Int32 = 24
  }
}

extension Duration {
  fileprivate var seconds: Double { self / .seconds(1) }
}

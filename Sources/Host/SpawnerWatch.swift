import CSystem
import Glibc
import Synchronization

/// Notices the death of one spawner, and sees to it that its keepers end soon after: with the last of them its socket does.
///
/// A keeper that is stopped does not hear that its spawner is gone. Nothing here wakes while the spawner lives.
final class SpawnerWatch: Sendable {
  private struct State {
    var registration: Reactor.Registration?
    var alarm: Reactor.Alarm?
    var rounds = 0
    var isOver = false
  }

  private static let pause = Duration.milliseconds(100)
  /// So often keepers are woken to end by themselves: for three seconds.
  private static let patience = 30
  /// Who forks meanwhile is met again at once.
  private static let passes = 8

  private let state = Mutex(State())
  private let process: pid_t
  private let end: Descriptor
  private let reactor: Reactor

  /// `nil` where the spawner cannot be watched: a kernel before Linux 5.3, or no descriptor left.
  /// - Parameter process: a child of ours that nobody waits for before `forget`; it leads a session.
  init?(of process: pid_t, reactor: Reactor) {
    end = Descriptor(owning: process_open(process))
    self.process = process
    self.reactor = reactor
    guard end.number >= 0 else { return nil }
    let registration = try? reactor.register(end.number, for: .readable) { [self] _ in hasDied() }
    guard let registration else { return nil }
    state.withLock { $0.registration = registration }
  }

  /// The socket has ended; on the reactor's thread.
  func forget() {
    state.withLock { state in
      state.isOver = true
      if let alarm = state.alarm { reactor.cancel(alarm) }
      state.alarm = nil
      stopListening(&state)
    }
  }

  private func stopListening(_ state: inout State) {
    if let registration = state.registration { reactor.cancel(registration) }
    state.registration = nil
    end.close()
  }

  private func hasDied() {
    state.withLock { stopListening(&$0) }
    round()
  }

  private func round() {
    let rounds: Int? = state.withLock { state in
      defer { state.rounds += 1 }
      return state.isOver ? nil : state.rounds
    }
    guard let rounds else { return }
    // Nobody has waited for the spawner, so its number is still that of its group and its session.
    if rounds < Self.patience { kill(-process, SIGCONT) } else { endKeepers() }
    // what does not die even then hangs in the kernel
    let pause = rounds < 2 * Self.patience ? Self.pause : .seconds(1)
    state.withLock { state in
      guard !state.isOver else { return }
      state.alarm = reactor.after(pause) { [self] in self.round() }
    }
  }

  private func endKeepers() {
    for _ in 0..<Self.passes {
      kill(-process, SIGSTOP)
      let ends = LeftKeepers.ends(session: process, in: ProcessEntry.all())
      if ends.isEmpty { return }
      for end in ends { end.target.signal(SIGKILL, toGroup: end.isGroup) }
    }
  }
}

import Glibc
import Synchronization

/// A stdout that never makes the writer wait: what nobody reads is kept for a while, then dropped and counted.
///
/// The flags of the descriptor are left alone, for a terminal or a pipe is shared with others: poll(2) tells whether
/// PIPE_BUF bytes of a pipe can be written without waiting. A terminal promises a single one, so it is opened anew.
package final class PatientOutput: Sendable {
  private struct State {
    /// Whole texts that wait, the oldest first.
    var waiting: [[UInt8]] = []
    var bytes = 0
    /// Of the first of them.
    var written = 0
    var dropped = 0
    var isGone = false
    var registration: Reactor.Registration?
    var reactor: Reactor?
    /// What was written will be sent in a moment.
    var isDue = false
  }

  /// What a reader may be behind.
  private static let most = 1 << 20
  private static let pipeBuffer = 4096
  /// How long a text may wait for others to be sent with.
  private static let pace = Duration.milliseconds(20)

  private let descriptor: Int32
  /// What was opened anew.
  private let own: Descriptor?
  /// Says how many texts were dropped.
  private let apology: @Sendable (Int) -> String
  private let state = Mutex(State())

  package init(descriptor: Int32 = 1, apology: @escaping @Sendable (Int) -> String) {
    own = isatty(descriptor) == 1 ? Self.reopened(descriptor) : nil
    self.descriptor = own?.number ?? descriptor
    self.apology = apology
  }

  /// - Returns: `nil` where the terminal is another user's, or hidden from this process.
  private static func reopened(_ terminal: Int32) -> Descriptor? {
    let fd = open("/proc/self/fd/\(terminal)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    return fd < 0 ? nil : Descriptor(owning: fd)
  }

  /// From now on gathers what is written within some milliseconds, and goes on as soon as somebody reads again.
  package func attach(to reactor: Reactor) { state.withLock { $0.reactor = reactor } }

  package func write(_ text: String) {
    state.withLock { state in
      if state.isGone { return }
      let bytes = Array(text.utf8)
      if state.bytes + bytes.count > Self.most {
        state.dropped += 1
      } else {
        state.waiting.append(bytes)
        state.bytes += bytes.count
      }
      guard let reactor = state.reactor else { return flush(&state) }
      if state.isDue { return }
      state.isDue = true
      _ = reactor.after(Self.pace) { [weak self] in self?.send() }
    }
  }

  private func send() {
    state.withLock { state in
      state.isDue = false
      flush(&state)
    }
  }

  /// Writes what waits as long as a reader goes on taking it; what none has taken anything of for `patience`, or is left
  /// after `most`, is given up.
  package func finish(patience: Duration = .seconds(1), atMost most: Duration = .seconds(10)) {
    let clock = ContinuousClock()
    let end = clock.now + most
    state.withLock { state in
      flush(&state)
      var (left, deadline) = (state.bytes - state.written, clock.now + patience)
      while !state.waiting.isEmpty, clock.now < min(deadline, end) {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&poll, 1, 50)
        flush(&state)
        if state.bytes - state.written < left { deadline = clock.now + patience }
        left = state.bytes - state.written
      }
      stopListening(&state)
      state.reactor = nil
    }
  }

  private func flush(_ state: inout State) {
    while !state.waiting.isEmpty {
      guard isWritable else { return listen(&state) }
      let part = nextPart(state)
      let put = part.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if put < 0, errno == EINTR { continue }
      if put < 0, errno == EAGAIN { return listen(&state) }
      guard put >= 0 else {
        give(up: errno == EPIPE, &state)
        continue
      }
      advance(&state, by: put)
      if state.waiting.isEmpty, state.dropped > 0 {
        let words = Array(apology(state.dropped).utf8)
        state.dropped = 0
        state.waiting = [words]
        state.bytes = words.count
      }
    }
    stopListening(&state)
  }

  /// As much as can be written without waiting: of one text, or some whole ones.
  private func nextPart(_ state: State) -> [UInt8] {
    var part = Array(state.waiting[0].dropFirst(state.written).prefix(Self.pipeBuffer))
    for text in state.waiting.dropFirst() {
      if part.count + text.count > Self.pipeBuffer { break }
      part += text
    }
    return part
  }

  private func advance(_ state: inout State, by count: Int) {
    state.written += count
    var whole = 0
    while whole < state.waiting.count, state.written >= state.waiting[whole].count {
      state.written -= state.waiting[whole].count
      state.bytes -= state.waiting[whole].count
      whole += 1
    }
    state.waiting.removeFirst(whole)
  }

  /// A full disk loses this text, a reader that is gone all there ever will be.
  private func give(up isGone: Bool, _ state: inout State) {
    state.isGone = isGone
    let lost = isGone ? state.waiting.count : 1
    state.dropped += lost
    state.bytes = isGone ? 0 : state.bytes - (state.waiting.first?.count ?? 0)
    state.waiting.removeFirst(lost)
    state.written = 0
  }

  private var isWritable: Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0
  }

  private func listen(_ state: inout State) {
    guard state.registration == nil, let reactor = state.reactor else { return }
    state.registration = try? reactor.register(descriptor, for: .writable) { [weak self] _ in
      guard let self else { return }
      self.state.withLock { self.flush(&$0) }
    }
  }

  private func stopListening(_ state: inout State) {
    guard let registration = state.registration else { return }
    state.registration = nil
    state.reactor?.cancel(registration)
  }
}

import Glibc
import Synchronization

/// Counts from any thread.
final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  /// The count after it.
  func increment() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}

/// A moment that some other thread notes.
final class Moment: Sendable {
  private let moment = Mutex<ContinuousClock.Instant?>(nil)

  var value: ContinuousClock.Instant? { moment.withLock { $0 } }

  func set(_ value: ContinuousClock.Instant) { moment.withLock { $0 = value } }
}

/// Keeps a file open for writing until it is let go.
final class HeldDescriptor: Sendable {
  private let descriptor = Mutex<Int32>(-1)

  var isOpen: Bool { descriptor.withLock { $0 >= 0 } }

  func open(_ path: String) { descriptor.withLock { $0 = Glibc.open(path, O_WRONLY | O_CLOEXEC) } }

  func letGo() {
    descriptor.withLock { descriptor in
      if descriptor >= 0 { _ = close(descriptor) }
      descriptor = -1
    }
  }

  deinit { letGo() }
}

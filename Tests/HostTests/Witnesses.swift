import Glibc
import Host
import Synchronization

/// Counts from any thread.
final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  /// The count after it.
  func increment() -> Int { add(1) }

  @discardableResult
  func add(_ more: Int) -> Int {
    count.withLock { count in
      count += more
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

/// Notes in the order in which they come.
final class Log: Sendable {
  private let notes = Mutex<[String]>([])

  var entries: [String] { notes.withLock { $0 } }

  func add(_ note: String) { notes.withLock { $0.append(note) } }
}

/// For exit tests, whose process must fail where `condition` does not hold.
func require(_ condition: @autoclosure () throws -> Bool, _ words: @autoclosure () -> String) throws {
  if try !condition() { throw Unmet(words: words()) }
}

func required<Value>(_ value: Value?, _ words: String) throws -> Value {
  guard let value else { throw Unmet(words: "no " + words) }
  return value
}

/// Looks every 5 ms until `condition` holds.
///
/// For what sends no signal, such as another process's descriptors. An exit test that waits without end is ended by
/// no time limit of Swift Testing, which waits for its process.
/// - Throws: `Unmet` after 30 s.
func eventually(_ words: String, _ condition: () throws -> Bool) async throws {
  for _ in 0..<6000 {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw Unmet(words: "not within 30 s: " + words)
}

struct Unmet: Error {
  let words: String
}

/// What a test made to cancel later.
final class Registrations: Sendable {
  private let all = Mutex<[Reactor.Registration]>([])

  func add(_ registration: Reactor.Registration) { all.withLock { $0.append(registration) } }

  func takeAll() -> [Reactor.Registration] {
    all.withLock { all in
      defer { all = [] }
      return all
    }
  }
}

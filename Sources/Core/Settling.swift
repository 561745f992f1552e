/// What fstat(2) says of a file: equal samples mean that nothing was written in between.
package struct FileSample: Sendable, Equatable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  package var bytes: Int
  package var links: Int
  /// Nanoseconds since 1970.
  package var modified: Int64
  package var changed: Int64

  package init(device: UInt64, inode: UInt64, bytes: Int, links: Int, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.bytes = bytes
    self.links = links
    self.modified = modified
    self.changed = changed
  }

  /// The same bytes under another name: a rename changes the ctime and nothing else.
  package func isSameContent(as other: FileSample) -> Bool {
    device == other.device && inode == other.inode && bytes == other.bytes && modified == other.modified
  }
}

/// What a look at a name in the inbox finds.
package enum Sighting: Sendable, Equatable {
  case gone
  case file(FileSample, Openness)
  /// A link, a pipe, a socket, a device: never opened.
  case special(kind: String, FileSample)
  case directory
}

/// Whether someone still has a file open for writing, as far as the kernel tells: fcntl(2), F_SETLEASE.
package enum Openness: Sendable, Equatable {
  case closed
  case openForWriting
  /// No lease can be had here: only time tells.
  case unknown
  /// It could not be opened for reading: why.
  case unreadable(String)
}

/// How long a drop must be quiet before it is claimed.
///
/// Times are of the monotonic clock: the file's own times may be in the future or in 1970.
package struct Settling: Sendable {
  package struct Times: Sendable {
    package var moved: Duration
    package var written: Duration
    package var empty: Duration

    package init(moved: Duration, written: Duration, empty: Duration) {
      self.moved = moved
      self.written = written
      self.empty = empty
    }
  }

  package enum Decision: Sendable, Equatable {
    case claim
    /// Look again after this time.
    case wait(Duration, Reason)
  }

  package enum Reason: Sendable, Equatable {
    case settling
    case openForWriting
    case empty
    case unreadable(String)

    package var words: String {
      switch self {
      case .settling: "settling"
      case .openForWriting: "waiting for its writer"
      case .empty: "empty so far"
      case .unreadable(let why): "unreadable: \(why)"
      }
    }
  }

  private let times: Times
  private var sample: FileSample?
  private var since: Duration
  private var wasMoved: Bool
  private var refusals = 0
  private var wasRefused = false

  /// - Parameter now: the monotonic clock's time since any fixed moment.
  package init(times: Times, moved: Bool, now: Duration) {
    self.times = times
    self.wasMoved = moved
    self.since = now
  }

  /// An event named the file again: `moved` where it was renamed to this name just now.
  package mutating func noticed(moved: Bool, now: Duration) {
    wasMoved = moved
    since = now
    sample = nil
  }

  /// Decides by one more look.
  package mutating func looked(_ found: FileSample, _ openness: Openness, now: Duration) -> Decision {
    if let earlier = sample, earlier != found { wasMoved = false }
    if sample != found {
      if sample != nil { since = now }
      sample = found
    }
    switch openness {
    case .unreadable(let why):
      wasRefused = true
      return .wait(.seconds(30), .unreadable(why))
    case .openForWriting:
      wasRefused = true
      wasMoved = false
      refusals += 1
      return .wait(min(.seconds(1) * (1 << min(refusals - 1, 5)), .seconds(30)), .openForWriting)
    case .closed, .unknown: break
    }
    if openness == .closed { refusals = 0 }
    // it was closed at some moment since the last look, perhaps just now, and may be opened again
    if wasRefused { since = now }
    wasRefused = false
    // a rename is the producer's word that the file is whole, and the lease is the kernel's that it is
    // closed; without a lease only a longer quiet will do
    var quiet = wasMoved ? (openness == .closed ? .zero : times.moved) : times.written
    if openness == .unknown { quiet = max(quiet * 5, times.moved) }
    var reason = Reason.settling
    if found.bytes == 0, !wasMoved {
      quiet = max(quiet, times.empty)
      reason = .empty
    }
    let passed = now - since
    return passed >= quiet ? .claim : .wait(quiet - passed, reason)
  }
}

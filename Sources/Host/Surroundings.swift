import Core
import Glibc
import Synchronization

/// Whether others may replace a program: by writing to it, or to a directory above it.
///
/// What was found is kept as long as the program and every directory above it are the same, with the same modes: then
/// links need not be followed again, one by one.
final class Surroundings: Sendable {
  /// An inode and who may write to it.
  private struct Place: Equatable {
    var device: UInt64
    var inode: UInt64
    var mode: UInt32

    init(_ status: stat) {
      (device, inode, mode) = (UInt64(status.st_dev), UInt64(status.st_ino), status.st_mode)
    }

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  private struct Known {
    var program: Place
    /// The directories above the path as it is written, and as links lead, with what they were.
    var parents: [(path: String, place: Place)]
    var refusal: String?
  }

  /// More are forgotten all at once.
  private static let most = 4096

  private let known = Mutex<[String: Known]>([:])

  /// Why a program may not run; `nil` where nothing speaks against it.
  func refusal(_ path: String, _ status: stat) -> String? {
    if status.st_mode & S_IWOTH != 0 { return "is writable by others: chmod o-w it" }
    let program = Place(status)
    if let known = known.withLock({ $0[path] }), known.program == program,
      known.parents.allSatisfy({ Place($0.path) == $0.place })
    {
      return known.refusal
    }
    guard let resolved = realpath(path, nil) else { return String(cString: strerror(errno)) }
    defer { free(resolved) }
    // of a link both: whoever may replace the link chooses the program as well
    let paths = Self.parents(of: String(cString: resolved))
    let written = Self.parents(of: path).filter { !paths.contains($0) }
    var parents: [(path: String, place: Place)] = []
    for parent in paths + written {
      guard let place = Place(parent) else { return String(cString: strerror(errno)) }
      parents.append((parent, place))
    }
    let open = parents.first { $0.place.mode & S_IWOTH != 0 && $0.place.mode & S_ISVTX == 0 }
    let refusal = open.map { "lies in `\($0.path)`, which is writable by others" }
    let found = Known(program: program, parents: parents, refusal: refusal)
    known.withLock { known in
      if known.count >= Self.most { known.removeAll() }
      known[path] = found
    }
    return refusal
  }

  /// From the nearest one up to the root.
  private static func parents(of path: String) -> [String] {
    var parents: [String] = []
    var parent = path
    while parent != "/", let slash = parent.lastIndex(of: "/") {
      parent = slash == parent.startIndex ? "/" : String(parent[..<slash])
      parents.append(parent)
    }
    return parents
  }
}

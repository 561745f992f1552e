/// What a filesystem still takes, statvfs(3).
package struct Room: Sendable, Equatable {
  /// For users who are not root.
  package var freeBytes: Int
  /// Files that can still be made; `nil` where the filesystem does not count them.
  package var freeFiles: Int?
  package var isReadOnly: Bool

  package init(freeBytes: Int, freeFiles: Int?, isReadOnly: Bool) {
    self.freeBytes = freeBytes
    self.freeFiles = freeFiles
    self.isReadOnly = isReadOnly
  }
}

/// Why nothing more is claimed for now; it ends by itself when its cause does.
package enum Shortage: Sendable, Equatable {
  case space(free: Int, reserve: Int)
  case files(free: Int)
  case readOnly(String)
  /// The machine refused: its words.
  case refused(String)

  /// Files that a claim, its run and its outputs may need; fewer are as good as none.
  private static let fewFiles = 256

  /// What is short on the filesystem of the claimed drops.
  package init?(of room: Room, at path: String, reserve: Int) {
    if room.isReadOnly {
      self = .readOnly(path)
    } else if room.freeBytes < reserve {
      self = .space(free: room.freeBytes, reserve: reserve)
    } else if let free = room.freeFiles, free < Self.fewFiles {
      self = .files(free: free)
    } else {
      return nil
    }
  }

  package var words: String {
    switch self {
    case .space(let free, let reserve):
      "only \(Quantity.text(bytes: free)) free, less than the reserve of \(Quantity.text(bytes: reserve))"
    case .files(let free): "no room for more files (\(free) left) on the filesystem of `var/`"
    case .readOnly(let path): "the filesystem of `\(path)` is read-only"
    case .refused(let words): words
    }
  }

  /// What a person can do.
  package var remedy: String {
    switch self {
    case .space: "free space, or lower `reserve` in etc/penstock.yaml"
    case .files: "remove files from that filesystem, such as old runs by `penstock gc`"
    case .readOnly("inbox/"): "mount it writable, or set `source: keep`"
    case .readOnly: "see `dmesg` why, repair it and mount it writable again"
    case .refused: "see the reason; nothing is lost, and intake goes on by itself"
    }
  }

  /// The same trouble with other figures is no news.
  package func isSameKind(as other: Shortage) -> Bool {
    switch (self, other) {
    case (.space, .space), (.files, .files): true
    case (.readOnly(let left), .readOnly(let right)): left == right
    case (.refused(let left), .refused(let right)): left == right
    default: false
    }
  }
}

extension HostError {
  /// Whether the machine has run out of something, so that every other file would meet the same: errno(3) ENOMEM,
  /// ENFILE, EMFILE, ENOSPC, EROFS, EDQUOT.
  package var isShortage: Bool { [12, 23, 24, 28, 30, 122].contains(code) }
}

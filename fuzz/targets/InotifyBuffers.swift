import Core
import Host

/// A buffer as read(2) of an inotify descriptor might fill it.
enum InotifyBuffers {
  static func check(_ bytes: [UInt8]) throws {
    let events = InotifyEvent.parse(bytes[...])
    try hold(events.count <= bytes.count / 16, "\(events.count) events in \(bytes.count) bytes")
    for event in events {
      try hold(!event.name.bytes.contains(0), "a name with NUL")
    }
    let written = events.flatMap(buffer)
    try hold(InotifyEvent.parse(written[...]) == events, "not read back as written")
    // a slice that begins elsewhere is read the same
    let moved = [0x5A] + bytes
    try hold(InotifyEvent.parse(moved[1...]) == events, "the place of the buffer matters")
  }

  private static func buffer(_ event: InotifyEvent) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let name = event.name.bytes + [0]
    return word(UInt32(bitPattern: event.watch)) + word(event.mask) + word(0) + word(UInt32(name.count)) + name
  }
}

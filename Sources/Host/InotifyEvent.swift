package import Core

/// One event as inotify(7) gives it.
package struct InotifyEvent: Equatable {
  package var watch: Int32
  package var mask: UInt32
  /// Empty where the event is about the watched directory itself.
  package var name: FileName

  package init(watch: Int32, mask: UInt32, name: FileName) {
    self.watch = watch
    self.mask = mask
    self.name = name
  }

  /// Reads a buffer of read(2); what is cut off at its end is left out.
  package static func parse(_ buffer: ArraySlice<UInt8>) -> [InotifyEvent] {
    // struct inotify_event: int wd; uint32_t mask, cookie, len; char name[len]
    let header = 16
    var events: [InotifyEvent] = []
    var rest = buffer
    while rest.count >= header {
      let words = (0..<4).map { index in word(rest, at: index * 4) }
      let length = Int(words[3])
      guard rest.count - header >= length else { break }
      let name = rest.dropFirst(header).prefix(length).prefix { $0 != 0 }
      events.append(InotifyEvent(watch: Int32(bitPattern: words[0]), mask: words[1], name: FileName(name)))
      rest = rest.dropFirst(header + length)
    }
    return events
  }

  private static func word(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32 {
    (0..<4).reduce(UInt32(0)) { value, index in
      value | UInt32(bytes[bytes.startIndex + offset + index]) << (8 * UInt32(index))
    }
  }

  func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(truncatingIfNeeded: flag) != 0 }
}

/// A path as the kernel knows it: bytes, with names between slashes.
extension FileName {
  private static let slash = UInt8(ascii: "/")

  package var isPath: Bool { bytes.contains(Self.slash) }

  /// The part behind the last slash.
  package var lastPart: FileName { FileName(bytes[((bytes.lastIndex(of: Self.slash) ?? -1) + 1)...]) }

  /// The part before the last slash; `.` where there is none.
  package var directory: FileName {
    guard let slash = bytes.lastIndex(of: Self.slash) else { return FileName(".") }
    return slash == 0 ? FileName("/") : FileName(bytes[..<slash])
  }
}

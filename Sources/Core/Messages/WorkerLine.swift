/// Lines between the agent and a warm worker: contract 1 with an `id` in both directions.
package enum WorkerLine {
  /// The request as a worker gets it: one line, `id` its first member.
  /// - Parameter object: one JSON object on one line, without a member `id`.
  package static func request(_ object: [UInt8], id: Int) -> [UInt8] {
    var line = Array("{\"id\":\(id)".utf8)
    line.reserveCapacity(line.count + object.count + 1)
    let members = object.drop { $0 != UInt8(ascii: "{") }.dropFirst().drop(while: isBlank)
    if let first = members.first, first != UInt8(ascii: "}") { line.append(UInt8(ascii: ",")) }
    line.append(contentsOf: members)
    if line.last != UInt8(ascii: "\n") { line.append(UInt8(ascii: "\n")) }
    return line
  }

  /// The `id` of a reply, a whole number; `nil` where the line is no object or has none.
  ///
  /// Looks at the members of the object only, wherever `id` stands; whether the rest is JSON the reader of the reply
  /// finds. Of a line that is cut it finds an `id` that comes before the cut.
  package static func id(of line: [UInt8]) -> Int? {
    line.withUnsafeBufferPointer { bytes in
      var scan = MemberScan(bytes: bytes)
      return scan.wholeNumber(of: "id")
    }
  }

  /// Nothing but white space.
  package static func isBlank(_ line: [UInt8]) -> Bool { line.allSatisfy(isBlank) }

  fileprivate static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
  }
}

/// Goes through the members of one object without making values of them.
private struct MemberScan {
  let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func wholeNumber(of wanted: StaticString) -> Int? {
    guard next() == UInt8(ascii: "{") else { return nil }
    repeat {
      guard next() == UInt8(ascii: "\""), let key = text() else { return nil }
      guard next() == UInt8(ascii: ":") else { return nil }
      if bytes[key].elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
        return wholeNumber()
      }
      guard skipValue() else { return nil }
    } while next() == UInt8(ascii: ",")
    return nil
  }

  /// Takes the next byte that is not blank.
  private mutating func next() -> UInt8? {
    while at < bytes.count {
      defer { at += 1 }
      if !WorkerLine.isBlank(bytes[at]) { return bytes[at] }
    }
    return nil
  }

  /// The inside of a text whose opening quote was taken; `nil` where it has no end.
  private mutating func text() -> Range<Int>? {
    let begin = at
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        return begin..<at - 1
      case UInt8(ascii: "\\"): at += 2
      default: at += 1
      }
    }
    return nil
  }

  private mutating func wholeNumber() -> Int? {
    guard let first = next(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    var number = Int(first - UInt8(ascii: "0"))
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) {
      let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      if isTooLarge { return nil }
      let (sum, isLarger) = tens.addingReportingOverflow(Int(bytes[at] - UInt8(ascii: "0")))
      if isLarger { return nil }
      number = sum
      at += 1
    }
    guard let after = next(), after == UInt8(ascii: ",") || after == UInt8(ascii: "}") else { return nil }
    return number
  }

  /// False where the bytes end inside the value.
  private mutating func skipValue() -> Bool {
    var depth = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        if text() == nil { return false }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return true }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return true
      default: break
      }
      at += 1
    }
    return false
  }
}

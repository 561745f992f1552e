/// Names that are not drops, or not yet: what producers, editors and browsers write before the real name.
package enum CandidateName {
  /// Why a name is passed over; `nil` where it may be a drop (I15 of the fault catalogue).
  package static func refusal(of name: FileName) -> String? {
    let bytes = name.bytes
    if bytes.first == UInt8(ascii: ".") { return "hidden" }
    if bytes.last == UInt8(ascii: "~") { return "a backup copy" }
    if bytes.starts(with: Array("~$".utf8)) { return "an office program's lock" }
    if bytes == Array("4913".utf8) { return "an editor's probe" }
    for ending in temporary where bytes.count > ending.utf8.count && bytes.suffix(ending.utf8.count).elementsEqual(ending.utf8) {
      return "unfinished (`\(ending)`)"
    }
    return nil
  }

  private static let temporary = [
    ".part", ".partial", ".crdownload", ".filepart", ".tmp", ".temp", ".download", ".swp", ".swx", ".swo", ".incomplete",
  ]
}

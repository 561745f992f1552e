/// Which names in the inbox are drops, and which are something on its way to becoming one.
package enum CandidateName {
  /// Why a file of this name is left alone until it is renamed, in words; `nil` where it is a drop.
  package static func refusal(of name: FileName) -> String? {
    let text = String(decoding: name.bytes, as: UTF8.self)
    if text.hasPrefix(".") { return hidden(text) }
    if text.hasPrefix("~$") { return "a lock of an office program" }
    if text.hasPrefix("#"), text.hasSuffix("#"), text.utf8.count > 1 { return "an editor's autosave" }
    if text.hasSuffix("~") { return "an editor's backup" }
    if text == "4913" { return "an editor's probe whether it may write here" }
    let lower = text.lowercased()
    for (ending, reason) in endings where lower.hasSuffix(ending) { return reason }
    return nil
  }

  private static let endings: [(String, String)] = [
    (".part", "a transfer that is not finished"), (".partial", "a transfer that is not finished"),
    (".filepart", "a transfer that is not finished"), (".crdownload", "a download that is not finished"),
    (".download", "a download that is not finished"), (".aria2", "the notes of a download"),
    (".tmp", "a temporary file"), (".temp", "a temporary file"), (".swp", "an editor's swap file"),
    (".swx", "an editor's swap file"), (".swpx", "an editor's swap file"),
  ]

  /// Names beside an empty drop that tell that its content is still on its way: a browser makes `a.pdf` to keep the
  /// name, and fills `a.pdf.part`.
  package static func fillers(of name: FileName) -> [FileName] {
    endings.map(\.0).filter { !$0.hasPrefix(".sw") }.map { FileName(name.bytes + Array($0.utf8)) }
  }

  /// Whether a name that is passed over is one of a transfer, which should not stay for long.
  package static func isTransient(_ name: FileName) -> Bool {
    guard let refusal = refusal(of: name) else { return false }
    return ["transfer", "download", "temporary"].contains { refusal.contains($0) }
  }

  private static func hidden(_ text: String) -> String {
    if text.hasPrefix(".nfs") { return "deleted, but kept by NFS for a program that has it open" }
    if text.hasPrefix(".~lock."), text.hasSuffix("#") { return "a lock of an office program" }
    if text.hasPrefix(".~tmp~") { return "a transfer of rsync that is not finished" }
    if text.hasSuffix(".swp") || text.hasSuffix(".swx") { return "an editor's swap file" }
    let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    if parts.count >= 2, let last = parts.last, last.utf8.count == 6,
      last.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }),
      last.contains(where: { $0.isUppercase || $0.isNumber })
    {
      return "a transfer of rsync that is not finished"
    }
    return "a hidden file"
  }
}

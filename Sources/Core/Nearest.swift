/// The name a person probably meant.
package enum Nearest {
  /// The candidate closest to `word`, `nil` where none is near.
  ///
  /// Near is at most a third of the letters (at least one) changed, added, left out or swapped with their neighbour
  /// (the optimal string alignment distance); case does not count. Of equally near ones the first in
  /// alphabetical order is taken.
  package static func name(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased())
    guard letters.count <= 80 else { return nil }
    var best: (distance: Int, name: String)?
    for candidate in candidates.sorted() where candidate != word && candidate.count <= 80 {
      let other = Array(candidate.lowercased())
      let allowed = max(1, max(letters.count, other.count) / 3)
      guard abs(letters.count - other.count) <= allowed else { continue }
      let distance = distance(letters, other)
      if distance <= allowed, distance < max(letters.count, other.count),
        distance < best?.distance ?? .max
      {
        best = (distance, candidate)
      }
    }
    return best?.name
  }

  /// `did you mean …?`; else the names there are, where they are few.
  package static func hint(for word: String, among names: [String], called noun: String) -> String? {
    if let near = name(to: word, among: names) { return "did you mean `\(Display.brief(near))`?" }
    guard !names.isEmpty, names.count <= 20 else { return nil }
    return "\(noun): " + names.map { "`\(Display.brief($0))`" }.joined(separator: ", ")
  }

  /// Edits that turn one text into the other, neighbours swapped counting as one.
  package static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var before: [Int] = []
    var last = Array(0...right.count)
    for i in 0..<left.count {
      var row = [i + 1]
      for j in 0..<right.count {
        let change = left[i] == right[j] ? 0 : 1
        var best = min(last[j] + change, last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          best = min(best, before[j - 1] + 1)
        }
        row.append(best)
      }
      (before, last) = (last, row)
    }
    return last[right.count]
  }
}

import Core

/// One thing that was examined.
struct HealthFinding: Sendable {
  enum Grade: String, Sendable {
    case good
    /// Works, but a person should know.
    case odd
    case bad
  }

  var grade: Grade
  var subject: String
  var words: String
  /// What to do about it.
  var remedy: String?

  init(_ grade: Grade, _ subject: String, _ words: String, remedy: String? = nil) {
    self.grade = grade
    self.subject = subject
    self.words = words
    self.remedy = remedy
  }

  var json: JSON {
    [
      "subject": .string(subject),
      "state": .string(grade == .good ? "ok" : grade == .odd ? "warning" : "bad"),
      "message": .string(words), "remedy": remedy.map { .string($0) } ?? .null,
    ]
  }
}

struct DoctorPage: Answer {
  var findings: [HealthFinding]

  var isImpaired: Bool { findings.contains { $0.grade == .bad } }

  func json() -> JSON {
    ["api": 1, "ok": .bool(!isImpaired), "checks": .array(findings.map(\.json))]
  }

  func lines(_ output: Output) -> [String] {
    let width = findings.map { TextWidth.of($0.subject) }.max() ?? 0
    var lines = findings.flatMap { finding -> [String] in
      let mark =
        switch finding.grade {
        case .good: output.toned("✓", .good)
        case .odd: output.toned("!", .odd)
        case .bad: output.toned("✗", .bad)
        }
      let line = "\(mark) \(TextWidth.padded(finding.subject, to: width))  \(Shown.words(finding.words))"
      let remedy = finding.remedy.map {
        String(repeating: " ", count: width + 4) + output.toned("→ \(Shown.words($0))", .strong)
      }
      return [line] + [remedy].compactMap { $0 }
    }
    let (bad, odd) = (findings.count { $0.grade == .bad }, findings.count { $0.grade == .odd })
    let notes = odd > 0 ? "; \(Shown.count(odd, "thing")) to know" : ""
    lines += [
      "",
      bad == 0
        ? output.toned("all is well", .good) + notes
        : output.toned("\(Shown.count(bad, "thing")) to mend", .bad) + notes,
    ]
    return lines
  }
}

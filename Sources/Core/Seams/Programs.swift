/// Where programs lie, and whether they may run.
package protocol Programs: Sendable {
  /// What lies in `hooks/<event>.d/`, in C-locale order, each with what speaks against running it.
  func hooks(of event: String) -> [ProgramFile]

  /// Finds a program: with a slash from the workspace, else on PATH.
  func resolve(_ program: String, hashing: Bool) -> ProgramFile
}

package struct ProgramFile: Sendable, Equatable {
  /// Absolute.
  package var path: String
  /// As shown to people: relative to the workspace where it lies in it.
  package var shown: String
  /// Why it will not run; `nil` where it will.
  package var refusal: String?
  /// What a person should know although it runs.
  package var warning: String?
  /// Lower-case hex of the content; `nil` where it was not asked for or cannot be read.
  package var sha256: String?

  package init(
    path: String, shown: String, refusal: String? = nil, warning: String? = nil, sha256: String? = nil
  ) {
    self.path = path
    self.shown = shown
    self.refusal = refusal
    self.warning = warning
    self.sha256 = sha256
  }
}

/// The hooks people put into `hooks/<event>.d/`.
package protocol HookFolder: Sendable {
  /// The programs of an event in C-locale order, each with what speaks against running it.
  func hooks(of event: String) -> [HookFile]

  /// Whether a program named in YAML may run, and where it lies: absolute, or found on PATH.
  func resolve(_ program: String) -> HookFile
}

package struct HookFile: Sendable, Equatable {
  /// Absolute.
  package var path: String
  /// As shown to people: relative to the workspace.
  package var shown: String
  /// Why it will not run; `nil` where it will.
  package var refusal: String?
  /// What a person should know although it runs.
  package var warning: String?
  /// Lower-case hex of the content; `nil` where it cannot be read.
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

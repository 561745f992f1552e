package import Core
import Glibc

/// The file `etc/penstock.yaml` of a workspace.
package enum SettingsFile {
  package static let path = "etc/penstock.yaml"

  /// The settings, and everything that is wrong with the file; the defaults where there is none.
  package static func load(workspace: String) -> (settings: Settings, diagnostics: [Diagnostic]) {
    guard access(workspace + "/" + path, F_OK) == 0 else { return (Settings(), []) }
    do {
      let file = try ConfigurationFile.read(workspace + "/" + path, as: path)
      var decoder = SettingsDecoder()
      let settings = decoder.decode(try file.node())
      return (settings, file.warnings + decoder.findings.diagnostics.quoting([path: file.text]))
    } catch { return (Settings(), [error]) }
  }
}

import Core
import Host

/// The bytes of a manifest of a stage, and of the settings.
enum Manifests {
  static func check(_ bytes: [UInt8]) throws {
    guard let root = try? YAMLDocument.parse(bytes, file: "x.yaml") else { return }
    var manifests = ManifestDecoder()
    let manifest = manifests.decode(root, name: "tabular/clean", kit: "/kit")
    try hold(manifest == nil || !manifests.findings.hasErrors, "a manifest in spite of errors")
    var settings = SettingsDecoder()
    _ = settings.decode(root)
    for diagnostic in manifests.findings.diagnostics + settings.findings.diagnostics {
      let bad = diagnostic.rendered.unicodeScalars.first { $0 != "\n" && Displayed.isObeyedOrHidden($0) }
      try hold(bad == nil, "a diagnostic holds U+\(String(bad?.value ?? 0, radix: 16))")
    }
  }
}

package import Core

/// The manifests below a directory `stages/`: that of the kit, or the workspace's own.
package struct ManifestFolder: Sendable {
  /// An absolute path; what `${kit}` stands for.
  private let directory: String
  /// What diagnostics call the directory: `stages`.
  private let name: String

  package init(directory: String, named name: String = "stages") {
    self.directory = directory
    self.name = name
  }

  /// Names of directories that hold a kit's programs, not its manifests.
  private static let programs: Set<String> = ["tests", "src", "node_modules", "__pycache__"]

  /// Stages by name, and everything that is wrong with the files; a file with an error registers no stage.
  package func load() -> (stages: [String: RegisteredStage], diagnostics: [Diagnostic]) {
    var stages: [String: RegisteredStage] = [:]
    var diagnostics: [Diagnostic] = []
    for relative in ConfigurationTree.files(
      in: directory, endings: [".yaml", ".yml"], leavingOut: Self.programs)
    {
      let path = name + "/" + relative
      do {
        let file = try ConfigurationFile.read(directory + "/" + relative, as: path)
        diagnostics += file.warnings
        let root = try file.node()
        let stage = String(relative[..<(relative.lastIndex(of: ".") ?? relative.endIndex)])
        var decoder = ManifestDecoder()
        if let manifest = decoder.decode(root, name: stage, kit: directory) {
          stages[stage] = RegisteredStage(manifest, text: file.text, path: path)
        }
        diagnostics += decoder.findings.diagnostics.quoting([path: file.text])
      } catch { diagnostics.append(error) }
    }
    return (stages, diagnostics)
  }
}

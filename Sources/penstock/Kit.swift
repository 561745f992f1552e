import Core
import Foundation
import Host

/// Where the stage kit lies: the settings, PENSTOCK_KIT, the workspace, the checkout this program was built in, then
/// `<prefix>/share/penstock`.
struct Kit {
  /// Absolute; `nil` where there is none.
  let directory: String?

  init(settings: Settings, workspace: Workspace, environment: [String: String], program: String) {
    let asked = [settings.kit, environment["PENSTOCK_KIT"]].compactMap { $0 }.filter { !$0.isEmpty }
    if let first = asked.first {
      directory = first.hasPrefix("/") ? first : workspace.home + "/" + first
      return
    }
    let built = Self.checkout(of: program).map { [$0 + "/stages"] } ?? []
    let installed = (program as NSString).deletingLastPathComponent + "/share/penstock/stages"
    directory = ([workspace.stages] + built + [installed]).first { Self.isKit($0) }
  }

  /// A kit is known by its programs: a workspace's own `stages/` may hold nothing but manifests.
  private static func isKit(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/src/penstock_stages")
  }

  /// `.build/release/penstock` lies three below the checkout.
  private static func checkout(of program: String) -> String? {
    guard let range = program.range(of: "/.build", options: .backwards) else { return nil }
    return String(program[..<range.lowerBound])
  }
}

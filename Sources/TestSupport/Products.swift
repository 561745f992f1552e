import Foundation

/// Where the build put `name`, an executable product of this package.
///
/// It lies beside the running test program, `.build/debug`; SwiftPM builds every product before it runs tests.
/// - Throws: where it is not there, with the directories that were searched.
package func builtProduct(_ name: String) throws -> String {
  var directory = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  var searched: [String] = []
  // The test program is `<build>/<package>PackageTests.xctest`, a file here and a bundle elsewhere.
  for _ in 0..<4 {
    directory = (directory as NSString).deletingLastPathComponent
    let candidate = (directory as NSString).appendingPathComponent(name)
    if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    searched.append(directory)
  }
  throw ProductMissing(name: name, searched: searched)
}

/// A product is not where the build should have put it.
package struct ProductMissing: Error, CustomStringConvertible {
  package let name: String
  package let searched: [String]

  package var description: String {
    "no executable `\(name)` in \(searched.map { "`\($0)`" }.joined(separator: ", ")): run `swift build` first"
  }
}

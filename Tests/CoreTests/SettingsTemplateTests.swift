import Core
import Foundation
import Testing

@Suite struct SettingsTemplateTests {
  private static let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("etc/penstock.yaml")

  @Test func `the shipped file is what the code writes`() throws {
    #expect(try String(contentsOf: Self.shipped, encoding: .utf8) == SettingsShape.template)
  }

  @Test func `every setting is in it`() {
    let keys = SettingsShape.settings.map(\.field.key)
    #expect(keys.allSatisfy { SettingsShape.template.contains("\n#\($0): ") })
    // a setting that nobody can write is no setting
    #expect(keys.count == Mirror(reflecting: Settings()).children.count)
  }
}

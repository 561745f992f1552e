import Core
import Foundation
import Host
import Testing

@Suite struct ZoneFilesTests {
  private static let summer = 1_782_000_000
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "penstock-zones-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder + "/Test", withIntermediateDirectories: true)
  }

  private func put(_ zone: String, as name: String) throws {
    let bytes = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/" + zone))
    try bytes.write(to: URL(filePath: folder + "/" + name), options: .atomic)
  }

  @Test func `T06: a tz database that is updated counts from then on`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try put("Europe/Berlin", as: "Test/Zone")
    let zones = ZoneFiles(environment: [:], folders: [folder])
    #expect(zones.rules("Test/Zone")?.offset(at: Self.summer) == 7200)
    try put("Asia/Tokyo", as: "Test/Zone")
    #expect(zones.rules("Test/Zone")?.offset(at: Self.summer) == 9 * 3600)
  }

  @Test func `T06: what is no zone is none, and no file of another place is read`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try put("Europe/Berlin", as: "Berlin")
    try Data("no zone".utf8).write(to: URL(filePath: folder + "/Test/Text"))
    let zones = ZoneFiles(environment: [:], folders: [folder + "/Test"])
    for name in ["", "Test", "Nowhere", "../Berlin", "/usr/share/zoneinfo/UTC", "Text", "Berlin", ".", "a b"] {
      #expect(zones.rules(name) == nil, "\(name)")
    }
    #expect(ZoneFiles(environment: [:], folders: [folder]).rules("Berlin") != nil)
  }

  @Test func `a machine without a tz database goes by what the program brings along`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let zones = ZoneFiles(environment: [:], folders: [folder + "/missing"])
    let (own, files) = (zones.rules("Europe/Berlin"), ZoneFiles(environment: [:]).rules("Europe/Berlin"))
    for moment in stride(from: 1_700_000_000, to: 2_400_000_000, by: 5 * 3600) {
      #expect(own?.offset(at: moment) == files?.offset(at: moment))
    }
    #expect(zones.rules("Europe/Berlim") == nil && zones.rules("UTC") == .utc)
  }

  @Test(arguments: [
    ("Asia/Tokyo", 9 * 3600), (":Asia/Tokyo", 9 * 3600), ("/usr/share/zoneinfo/Asia/Tokyo", 9 * 3600),
    ("EST5EDT,M3.2.0,M11.1.0", -4 * 3600), ("nonsense", 0),
  ])
  func `the zone of the machine is what TZ says`(text: String, offset: Int) {
    #expect(ZoneFiles(environment: ["TZ": text]).rules(nil)?.offset(at: Self.summer) == offset)
  }
}

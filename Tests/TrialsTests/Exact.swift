import Foundation

/// The numbers of `Tests/Fixtures/trials/exact.json`, which `exact.py` beside it computed with scipy.
struct Exact: Decodable {
  struct Evidence: Decodable {
    var z: [Double]
    var floor: Double
    var logE: Double
    /// The mixture itself, by numeric integration.
    var integrated: Double?
  }

  struct Tail: Decodable {
    var t: Double
    var freedom: Double
    var cdf: Double
  }

  struct Quantile: Decodable {
    var share: Double
    var z: Double
  }

  var e: [Evidence]
  var t: [Tail]
  var normal: [Quantile]

  init(besides file: String = #filePath) throws {
    let path = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/trials/exact.json")
    self = try JSONDecoder().decode(Exact.self, from: Data(contentsOf: path))
  }
}

/// A symmetric positive definite matrix, factored as L·Lᵀ.
struct SymmetricSolver {
  private let size: Int
  /// L by rows.
  private var lower: [Double]

  /// - Parameter matrix: by rows, size × size; `nil` where it is not positive definite.
  init?(_ matrix: [Double], size: Int) {
    self.size = size
    lower = matrix
    let whole = lower.withUnsafeMutableBufferPointer { l in
      for row in 0..<size {
        for column in 0...row {
          var sum = l[row * size + column]
          for k in 0..<column { sum -= l[row * size + k] * l[column * size + k] }
          if row == column {
            guard sum > 0 else { return false }
            l[row * size + row] = sum.squareRoot()
          } else {
            l[row * size + column] = sum / l[column * size + column]
          }
        }
      }
      return true
    }
    if !whole { return nil }
  }

  /// Twice the sum of the logarithms of L's diagonal needs those: the diagonal.
  var diagonal: [Double] { (0..<size).map { lower[$0 * size + $0] } }

  /// L⁻¹ b.
  func forward(_ b: [Double]) -> [Double] {
    var x = b
    lower.withUnsafeBufferPointer { l in
      x.withUnsafeMutableBufferPointer { x in
        for row in 0..<size {
          var sum = x[row]
          for k in 0..<row { sum -= l[row * size + k] * x[k] }
          x[row] = sum / l[row * size + row]
        }
      }
    }
    return x
  }

  /// A⁻¹ b.
  func solve(_ b: [Double]) -> [Double] {
    var x = forward(b)
    for row in stride(from: size - 1, through: 0, by: -1) {
      var sum = x[row]
      for k in (row + 1)..<max(size, row + 1) { sum -= lower[k * size + row] * x[k] }
      x[row] = sum / lower[row * size + row]
    }
    return x
  }
}

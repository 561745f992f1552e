import Foundation
import Testing
import Trials

@Suite struct DistributionTests {
  @Test func `Student's t is scipy's within 1e-12`() throws {
    let table = try Exact().t
    #expect(table.count == 150)
    for entry in table where entry.cdf > 0 {
      let own = exp(StudentT.logCDF(entry.t, freedom: entry.freedom))
      #expect(abs(own - entry.cdf) <= 1e-12, "t \(entry.t), \(entry.freedom) degrees, \(own - entry.cdf)")
      #expect(abs(own / entry.cdf - 1) <= 1e-9, "t \(entry.t), \(entry.freedom) degrees, in the tail")
    }
  }

  @Test func `of one degree it is the arc tangent, also where scipy is 1e-11 off`() {
    for t in [1e-6, 1e-3, 0.5, 3, 200] {
      #expect(abs(exp(StudentT.logCDF(t, freedom: 1)) - 0.5 - atan(t) / Double.pi) <= 1e-15)
      #expect(abs(exp(StudentT.logCDF(-t, freedom: 1)) - 0.5 + atan(t) / Double.pi) <= 1e-15)
    }
  }

  @Test func `the lower tail does not underflow`() {
    let far = StudentT.logCDF(-300, freedom: 300)
    #expect(far < -700 && far.isFinite)
  }

  @Test func `the normal quantile is scipy's`() throws {
    for entry in try Exact().normal {
      #expect(abs(Normal.quantile(entry.share) - entry.z) <= 1e-9 * max(1, abs(entry.z)))
    }
  }

  @Test func `moments do not cancel`() {
    let values = (0..<1000).map { 1e9 + Double($0 % 2) }
    #expect(abs((Moments(values).variance ?? 0) - 0.25025) < 1e-5)
  }
}

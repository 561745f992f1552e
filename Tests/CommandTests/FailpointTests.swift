import Foundation
import TestSupport
import Testing

@Suite struct FailpointTests {
  @Test func `what is shipped has no failpoints`() throws {
    let program = try Data(contentsOf: URL(fileURLWithPath: builtProduct("penstock")), options: .alwaysMapped)
    #expect(program.range(of: Data("PENSTOCK_HOME".utf8)) != nil)
    #expect(program.range(of: Data("PENSTOCK_FAILPOINT".utf8)) == nil)
  }
}

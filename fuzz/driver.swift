// What libFuzzer calls; PENSTOCK_FUZZ names the target. Built by fuzz/run.sh alone, never by SwiftPM.
import Foundation
import FuzzTargets

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["PENSTOCK_FUZZ"] ?? ""
  guard let target = FuzzTarget.named(name) else {
    fatalError("PENSTOCK_FUZZ is `\(name)`: expected one of \(FuzzTarget.all.map(\.name))")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  do { try target.check(Array(UnsafeBufferPointer(start: start, count: count))) } catch {
    FileHandle.standardError.write(Data("broken: \(error)\n".utf8))
    abort()
  }
  return 0
}

import Glibc

/// A system call did not work.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// What was tried, in words: "make a pipe".
  package let action: String
  /// errno(3).
  package let code: Int32

  package init(_ action: String, code: Int32) {
    self.action = action
    self.code = code
  }

  /// Whether there may be room later: descriptors, processes, memory.
  var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, EAGAIN].contains(code) }

  package var description: String { "cannot \(action): \(Self.words(code))" }

  /// What strerror(3) says, in lower case, with the number.
  package static func words(_ code: Int32) -> String {
    "\(String(cString: strerror(code)).lowercased()) (error \(code))"
  }

  /// Throws where `value`, the result of a system call, is negative.
  @discardableResult
  package static func check<Value: SignedInteger>(_ value: Value, _ action: @autoclosure () -> String) throws
    -> Value
  {
    guard value >= 0 else { throw SystemError(action(), code: errno) }
    return value
  }
}

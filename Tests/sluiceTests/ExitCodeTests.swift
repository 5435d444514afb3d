import Testing

@testable import sluice

@Suite struct `Exit code` {
    @Test(arguments: [
        (ExitCode.fine, 0), (.wrongInput, 1), (.usage, 2), (.cannotStart, 3),
    ])
    func `is what scripts rely on`(code: ExitCode, number: Int) {
        #expect(Int(code.rawValue) == number)
    }
}

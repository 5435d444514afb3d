// Threads for what may block: loops, name resolution, log writing.

internal import CLinux
internal import Glibc

/// A detached thread of the C library.
package enum Thread {
    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread; the kernel keeps 15 bytes of its name.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = unsafe Unmanaged.passRetained(
            Start {
                unsafe sluice_name_thread(String(name.prefix(15)))
                body()
            }
        ).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            start
        )
        precondition(result == 0, "pthread_create: \(SystemError.text(for: result))")
        pthread_detach(thread)
    }
}

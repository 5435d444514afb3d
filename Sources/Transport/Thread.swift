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
        let result = tryStart(name: name, body)
        precondition(result == 0, "pthread_create: \(SystemError.text(for: result))")
    }

    /// As `start`, for a thread that can be done without: the errno, 0 when it runs.
    static func tryStart(name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
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
        guard result == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(start).release()
            return result
        }
        pthread_detach(thread)
        return 0
    }
}

// Which signals a thread leaves to others.

internal import Glibc

/// The signal mask of threads.
package enum SignalMask {
    /// Keeps signals from the calling thread and all that it starts; they wait for whoever asks
    /// for them.
    ///
    /// Called before other threads exist, no such signal is lost, and none ends the process.
    package static func block(_ numbers: [Int32]) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}

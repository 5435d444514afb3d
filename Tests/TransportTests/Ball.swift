// What tests on several threads hand to each other.

import Glibc
import Synchronization
import Transport

/// Two parkings that wake each other, as soon as both are there.
final class Ball: Sendable {
    private struct State {
        var parkings: [Parking?] = [nil, nil]
        var owed: [Bool] = [false, false]
    }

    private let state = Mutex(State())

    /// Puts a parking in its place; wakes it if somebody wanted to before.
    func place(_ parking: Parking, at number: Int) {
        let isOwed = state.withLock { state in
            state.parkings[number] = parking
            return state.owed[number]
        }
        if isOwed { parking.unpark() }
    }

    func wake(_ number: Int, on loop: Loop) {
        let parking = state.withLock { state in
            if state.parkings[number] == nil { state.owed[number] = true }
            return state.parkings[number]
        }
        if let parking { loop.wake(parking) }
    }
}

enum ThreadName {
    /// What the calling thread is called.
    static var current: String {
        let file = open("/proc/thread-self/comm", O_RDONLY)
        defer { _ = close(file) }
        var name = [UInt8](repeating: 0, count: 64)
        let count = read(file, &name, name.count)
        return String(decoding: name.prefix(max(0, count - 1)), as: UTF8.self)
    }
}

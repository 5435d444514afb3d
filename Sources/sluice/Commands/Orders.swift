// What the main thread is told to do while the loops serve.

internal import Dispatch
internal import Gateway
internal import Synchronization

/// One thing for the main thread to do.
enum Order: Sendable {
    /// The gateway has started, or could not.
    case started(Result<Bound, StartError>)
    /// Take the file over again; the answer goes to who asked.
    case reload(@Sendable (ReloadOutcome) -> Void)
    /// Apply the configuration again, with what Ingresses add.
    case overlay(IngressOverlay)
    /// Everything has ended.
    case over
}

/// Orders in the order they came, from any thread to one.
final class Orders: Sendable {
    private let waiting = Mutex<[Order]>([])
    private let arrived = DispatchSemaphore(value: 0)
    /// Reloads beyond this are refused: those that wait will read the newest file anyway.
    private static let countMax = 64

    /// Adds an order; false for a reload when too many orders wait.
    @discardableResult
    func put(_ order: Order) -> Bool {
        let isTaken = waiting.withLock { waiting in
            if case .reload = order, waiting.count >= Orders.countMax { return false }
            waiting.append(order)
            return true
        }
        if isTaken { arrived.signal() }
        return isTaken
    }

    /// Waits for the next order; nil when `time` is over before one comes.
    func next(within time: DispatchTimeInterval = .never) -> Order? {
        let deadline: DispatchTime = time == .never ? .distantFuture : .now() + time
        guard arrived.wait(timeout: deadline) == .success else { return nil }
        return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}

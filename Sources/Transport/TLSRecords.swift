// TLS records on their way out: where they stand before they are sent, and how large they are.

/// What a loop's connections encrypt into before it is sent; empty between calls.
@safe final class RecordStage {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    /// A batch of records with their overhead.
    init(capacity: Int = 72 * 1024) {
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity)
    }

    deinit { unsafe base.deallocate() }

    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if count + bytes.count > capacity { grow(to: count + bytes.count) }
        unsafe UnsafeMutableRawPointer(base + count)
            .copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    func clear() { count = 0 }

    /// Only for a flight with a chain of certificates that is longer than a batch of records.
    private func grow(to wanted: Int) {
        let room = max(wanted, capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        unsafe larger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
        capacity = room
    }
}

/// How large the records are: small ones first, so that a peer can use the first bytes as soon as
/// one packet has come, full ones once much follows.
struct RecordPace {
    /// What a connection's first round trip carries, about: ten packets (RFC 6928).
    private static let smallTotal = 14_000
    /// A packet's worth with the record's own overhead.
    private static let smallBytes = 1_370
    private static let fullBytes = 16 * 1024
    /// A connection that was quiet so long begins anew, as the kernel's window does.
    private static let quiet = Duration.seconds(1)

    private var sent = 0
    private var last: Instant?

    /// How many of `count` bytes the next record carries.
    mutating func next(_ count: Int, at now: Instant) -> Int {
        if let last, now - last > RecordPace.quiet { sent = 0 }
        last = now
        // What fits one packet, or nearly, is not worth a second record.
        let isSmall = sent < RecordPace.smallTotal && count > 2 * RecordPace.smallBytes
        let size = min(count, isSmall ? RecordPace.smallBytes : RecordPace.fullBytes)
        sent = min(sent + size, RecordPace.smallTotal)
        return size
    }
}

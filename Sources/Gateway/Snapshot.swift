// Routes, pools and settings of one configuration generation: what a reload swaps.

internal import Balancing
internal import HTTPWire
internal import Transport

/// Everything that one configuration decides for a request.
///
/// Immutable.
final class Snapshot: Sendable {
    /// 1 for the configuration at start; one more for each reload.
    let generation: Int
    let routes: RouteTable
    /// In the order of the file.
    let pools: [Pool]
    let settings: GatewaySettings

    init(generation: Int, routes: RouteTable, pools: [Pool], settings: GatewaySettings) {
        self.generation = generation
        self.routes = routes
        self.pools = pools
        self.settings = settings
    }

    func pool(named name: String) -> Pool? { pools.first { $0.name == name } }
}

/// Settings that hold for every client.
struct GatewaySettings: Sendable {
    struct Timeouts: Sendable {
        var handshake = Duration.seconds(10)
        var head = Duration.seconds(10)
        var body = Duration.seconds(60)
        var write = Duration.seconds(60)
        var keepAlive = Duration.seconds(75)
        var tunnelIdle = Duration.seconds(3600)
    }

    /// A head must fit into one slab, with room to grow.
    static let headBytesMax = 96 * 1024

    var timeouts = Timeouts()
    var limits = Limits()
    var connectionsMax = 10_000
    /// TLS handshakes at once, all loops together.
    var handshakesMax = 1000
    var answerFields = AnswerFieldSwitches()
    var trusted: [TrustedRange] = []
    var logsAccess = true
    var logsQuery = false
    var drainDelay = Duration.seconds(5)
    var drainGrace = Duration.seconds(20)

    /// Whether what a caller says about others is believed.
    func trusts(_ address: Address?) -> Bool {
        guard let address else { return false }
        for range in trusted where range.contains(address.bytes) { return true }
        return false
    }
}

/// A range of addresses, as `10.0.0.0/8` names one.
struct TrustedRange: Sendable {
    let bytes: [UInt8]
    let prefixLength: Int

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == bytes.count else { return false }
        var left = prefixLength
        for index in bytes.indices {
            if left <= 0 { return true }
            let mask: UInt8 = left >= 8 ? 0xff : ~(0xff >> UInt8(left))
            if (address[index] ^ bytes[index]) & mask != 0 { return false }
            left -= 8
        }
        return true
    }
}

/// What the request path needs of a pool's settings.
struct PoolSettings: Sendable {
    var connectTimeout = Duration.seconds(1)
    var keepAlive = Duration.milliseconds(1500)
    var streamIdle = Duration.seconds(60)
    /// A body up to this size is held for another attempt.
    var holdBytesMax = 1 << 20
    var finishesWithoutClient = false
    var affinity: AffinityKey?
    /// nil: replicas are spoken to in plain HTTP.
    var tls: ReplicaTLS?
}

/// What keeps related requests on one replica.
enum AffinityKey: Sendable {
    /// A field's value; the name is lower case.
    case header([UInt8])
    case cookie([UInt8])
    case path
    case clientAddress

    /// The key of a request; nil when it does not carry what makes it.
    func key(
        of head: RequestHead,
        _ source: Span<UInt8>,
        _ fields: borrowing FieldTable,
        client: [UInt8]
    ) -> UInt64? {
        switch self {
        case .path:
            return AffinityHash.key(of: source.part(head.path))
        case .clientAddress:
            return AffinityHash.key(of: client.span)
        case .header(let name):
            for index in 0..<fields.count {
                let field = fields[index]
                guard source.part(field.nameRange).equalsIgnoringCase(name.span) else { continue }
                return AffinityHash.key(of: source.part(field.valueRange))
            }
            return nil
        case .cookie(let name):
            for index in 0..<fields.count where fields[index].name == .cookie {
                let value = source.part(fields[index].valueRange)
                if let range = cookie(name, in: value) {
                    return AffinityHash.key(of: value.extracting(range))
                }
            }
            return nil
        }
    }

    /// The value of a cookie in `name=value; other=value` (RFC 6265 §4.2.1).
    private func cookie(_ name: [UInt8], in value: Span<UInt8>) -> Range<Int>? {
        var start = 0
        while start < value.count {
            while start < value.count, value[start] == 0x20 { start += 1 }
            var end = start
            while end < value.count, value[end] != 0x3b { end += 1 }
            var equals = start
            while equals < end, value[equals] != 0x3d { equals += 1 }
            if equals < end, equals - start == name.count {
                var isSame = true
                for index in name.indices where value[start + index] != name[index] {
                    isSame = false
                }
                if isSame { return (equals + 1)..<end }
            }
            start = end + 1
        }
        return nil
    }
}

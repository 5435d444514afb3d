// From bytes to an affinity key: the same key on every gateway, in every run.

/// The hash behind affinity keys and replica identities of `consistent-hash`.
package enum AffinityHash {
    /// The key of `bytes`: FNV-1a over the bytes, then a full mix.
    ///
    /// O(bytes).
    ///
    /// Equal bytes and seed give equal keys on every machine and version, so several gateways
    /// agree on a replica without talking. Not meant to resist someone who picks the bytes.
    package static func key(of bytes: Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
        var hash = start(seed)
        for index in bytes.indices {
            hash = (hash ^ UInt64(bytes[index])) &* prime
        }
        return SeededRandom.mix(hash)
    }

    /// The key of the UTF-8 bytes of `text`; equal to `key(of:seed:)` over those bytes.
    package static func key(of text: String, seed: UInt64 = 0) -> UInt64 {
        var hash = start(seed)
        for byte in text.utf8 {
            hash = (hash ^ UInt64(byte)) &* prime
        }
        return SeededRandom.mix(hash)
    }

    private static let prime: UInt64 = 0x0000_0100_0000_01B3

    private static func start(_ seed: UInt64) -> UInt64 {
        0xCBF2_9CE4_8422_2325 ^ seed
    }
}

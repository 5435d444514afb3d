// Durations as floating seconds: the one conversion the estimators share.

/// The length of `duration` in seconds, as near as a `Double` comes.
///
/// By the two words of the 128-bit count: cheap enough for every request, unlike the standard
/// library's division into seconds and attoseconds.
func seconds(of duration: Duration) -> Double {
    let attoseconds = duration.attoseconds
    let high = Double(Int64(truncatingIfNeeded: attoseconds >> 64))
    let low = Double(UInt64(truncatingIfNeeded: attoseconds))
    return (high * 0x1p64 + low) / 1e18
}

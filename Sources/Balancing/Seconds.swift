// Durations as floating seconds: the one conversion the estimators share.

/// The length of `duration` in seconds, to the nanosecond or so; cheap enough for every request.
///
/// The shift drops 2^30 attoseconds (about a nanosecond) first, so that no 128-bit division is
/// needed; 64 bits then hold 292 years either way.
func seconds(of duration: Duration) -> Double {
    let ticks = Int64(truncatingIfNeeded: duration.attoseconds >> 30)
    return Double(ticks) * (Double(1 << 30) * 1e-18)
}

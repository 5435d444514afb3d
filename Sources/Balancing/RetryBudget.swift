// What pays for retries: a share of recent requests and a small allowance per second.

/// A sliding window of ten buckets that counts requests and the retries they paid for.
///
/// Invariant: retries in the window ≤ ratio × requests in it + perSecond × window.
struct RetryBudget: Sendable {
    private var options: RetryOptions
    private var requests = InlineArray<10, Int>(repeating: 0)
    private var retries = InlineArray<10, Int>(repeating: 0)
    private var requestsInWindow = 0
    private var retriesInWindow = 0
    private var current = 0
    /// When the current bucket ends; `nil` until the first event.
    private var bucketEnd: Moment?

    init(options: RetryOptions) {
        self.options = options
    }

    /// Takes new settings; what was counted stays.
    mutating func configure(_ options: RetryOptions) {
        self.options = options
    }

    /// Counts one first attempt.
    mutating func deposit(now: Moment) {
        roll(to: now)
        requests[current] += 1
        requestsInWindow += 1
    }

    /// Takes one retry out of the budget; `false` when there is none left.
    mutating func withdraw(now: Moment) -> Bool {
        roll(to: now)
        let reserve = options.perSecond * seconds(of: options.window)
        let allowed = options.budgetRatio * Double(requestsInWindow) + reserve
        guard Double(retriesInWindow + 1) <= allowed else { return false }
        retries[current] += 1
        retriesInWindow += 1
        return true
    }

    private var bucketWidth: Duration { max(options.window / 10, .milliseconds(1)) }

    private mutating func roll(to now: Moment) {
        guard let end = bucketEnd else {
            bucketEnd = now + bucketWidth
            return
        }
        guard now >= end else { return }
        // A gap of a whole window empties every bucket; more turns would change nothing.
        let passed = (now - end).attoseconds / bucketWidth.attoseconds + 1
        for _ in 0..<min(passed, 10) {
            current = (current + 1) % 10
            requestsInWindow -= requests[current]
            retriesInWindow -= retries[current]
            requests[current] = 0
            retries[current] = 0
        }
        bucketEnd = end + bucketWidth * Int(clamping: passed)
    }
}

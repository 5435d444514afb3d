import Testing

@testable import Balancing

@Suite struct `Retry budget` {
    private func retries(
        _ budget: inout RetryBudget,
        at now: Moment = start
    ) -> Int {
        var count = 0
        while count < 10_000, budget.withdraw(now: now) { count += 1 }
        return count
    }

    @Test func `lets a quiet pool retry a little`() {
        var budget = RetryBudget(options: RetryOptions())
        #expect(retries(&budget) == 30)
    }

    @Test func `pays for a share of the requests on top`() {
        var budget = RetryBudget(options: RetryOptions())
        for _ in 0..<100 { budget.deposit(now: start) }
        #expect(retries(&budget) == 50)
    }

    @Test func `is spent for the rest of the window`() {
        var budget = RetryBudget(options: RetryOptions())
        _ = retries(&budget)
        #expect(retries(&budget, at: start + .seconds(9)) == 0)
    }

    @Test func `is full again after the window`() {
        var budget = RetryBudget(options: RetryOptions())
        _ = retries(&budget)
        #expect(retries(&budget, at: start + .seconds(11)) == 30)
    }

    @Test func `forgets requests older than the window`() {
        var budget = RetryBudget(options: RetryOptions(perSecond: 0))
        for _ in 0..<100 { budget.deposit(now: start) }
        #expect(retries(&budget, at: start + .seconds(11)) == 0)
    }

    @Test func `forgets everything after a long pause`() {
        var budget = RetryBudget(options: RetryOptions(perSecond: 0))
        for _ in 0..<100 { budget.deposit(now: start) }
        #expect(retries(&budget, at: start + .seconds(86_400)) == 0)
    }

    @Test func `keeps what was counted over a change of settings`() {
        var budget = RetryBudget(options: RetryOptions())
        for _ in 0..<100 { budget.deposit(now: start) }
        budget.configure(RetryOptions(budgetRatio: 0.5, perSecond: 0))
        #expect(retries(&budget) == 50)
    }

    @Test func `never pays more than ratio and allowance over any window`() {
        var budget = RetryBudget(options: RetryOptions())
        var random = SeededRandom(seed: 3)
        var paid: [Moment] = []
        var asked: [Moment] = []
        var now = start
        for _ in 0..<1_200 {
            now = now + .milliseconds(Int.random(in: 0..<80, using: &random))
            budget.deposit(now: now)
            asked.append(now)
            if budget.withdraw(now: now) { paid.append(now) }
        }
        // Whole buckets count: nine whole ones and what is begun of the tenth.
        for end in paid {
            let recent = paid.filter { $0 <= end && $0 > end + .seconds(-9) }.count
            let requests = asked.filter { $0 <= end && $0 > end + .seconds(-10) }.count
            #expect(Double(recent) <= 0.2 * Double(requests) + 30)
        }
    }
}

import Testing

@testable import Balancing

@Suite struct `Outlier records` {
    private let options = OutlierOptions()

    private func ejected(forStall: Bool = false) -> Outliers {
        var outliers = Outliers()
        outliers.eject(options, forStall: forStall, now: start)
        return outliers
    }

    @Test func `are told at the fifth failure in a row`() {
        var outliers = Outliers()
        let answers = (0..<5).map { _ in outliers.failed(options) }
        #expect(answers == [false, false, false, false, true])
    }

    @Test func `need failures in a row`() {
        var outliers = Outliers()
        for _ in 0..<4 { _ = outliers.failed(options) }
        outliers.succeeded()
        #expect(outliers.failed(options) == false)
    }

    @Test func `are ejected longer each time, up to the maximum`() {
        var outliers = Outliers()
        var now = start
        var lengths: [Int] = []
        for _ in 0..<32 {
            outliers.eject(options, forStall: false, now: now)
            let until = outliers.ejectedUntil ?? now
            lengths.append(Int(seconds(of: until - now).rounded()))
            now = until
            outliers.beginTrials()
        }
        #expect(lengths == (1...32).map { min(10 * $0, 300) })
    }

    @Test func `are forgiven by the minute`() {
        var outliers = Outliers()
        for _ in 0..<3 { outliers.eject(options, forStall: false, now: start) }
        outliers.readmit(now: start)
        let later = start + .seconds(125)
        outliers.eject(options, forStall: false, now: later)
        #expect(outliers.ejectedUntil == later + .seconds(20))
    }

    @Test func `have one trial at a time`() {
        var outliers = ejected()
        outliers.beginTrials()
        outliers.startTrial(now: start + .seconds(10))
        #expect(outliers.trial != nil)
        #expect(outliers.endTrial(startedAt: start + .seconds(10)) == true)
        #expect(outliers.trial == nil)
    }

    @Test func `do not take an old trial for the one that is out`() {
        var outliers = ejected()
        outliers.beginTrials()
        outliers.startTrial(now: start + .seconds(20))
        #expect(outliers.endTrial(startedAt: start + .seconds(10)) == false)
        #expect(outliers.trial != nil)
    }

    @Test func `come to trial at the first sign of life after a stall`() {
        var outliers = ejected(forStall: true)
        let now = start + .seconds(1)
        #expect(outliers.progressed(now: now) == true)
        #expect(outliers.ejectedUntil == now)
    }

    @Test func `stay ejected for failures whatever they say`() {
        var outliers = ejected()
        #expect(outliers.progressed(now: start + .seconds(1)) == false)
    }

    @Test func `tell leases given after the ejection from older ones`() {
        var outliers = ejected()
        #expect(!outliers.isNewer(start))
        #expect(outliers.isNewer(start + .seconds(1)))
        outliers.beginTrials()
        #expect(outliers.isNewer(start + .seconds(1)))
        outliers.readmit(now: start + .seconds(2))
        #expect(!outliers.isNewer(start + .seconds(3)))
    }

    @Test func `keep their record when they go down`() {
        var outliers = ejected()
        outliers.wentDown(now: start)
        #expect(outliers.phase == .fit)
        outliers.eject(options, forStall: false, now: start)
        #expect(outliers.ejectedUntil == start + .seconds(20))
    }
}

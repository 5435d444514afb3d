import Glibc
import Testing
import Transport

@Suite struct `Descriptor limit` {
    @Test func `is raised to what the system allows`() {
        let raised = DescriptorLimit.raise()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max)
        #expect(raised == Int(min(limit.rlim_cur, 10_000_000)))
    }

    @Test func `does not fall when it is raised again`() {
        #expect(DescriptorLimit.raise() == DescriptorLimit.raise())
    }
}

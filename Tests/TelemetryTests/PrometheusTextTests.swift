// The text format: a golden page, escaping, numbers.
import Testing

@testable import Telemetry

@Suite struct `Prometheus text` {
    @Test func `is written as the golden page`() {
        var text = PrometheusText()
        text.family("sluice_retries_total", .counter, help: "Further attempts.")
        text.sample(["pool": "sales", "cause": "reset"], UInt64(3))
        text.sample(["pool": "sales", "cause": "timeout"], UInt64(0))
        text.gauge(
            "sluice_pool_saturation",
            help: "Share of the capacity in use.",
            samples: [GaugeSample(["pool": "sales"], 0.25), GaugeSample(["pool": "chat"], 1)]
        )
        text.gauge("sluice_config_generation", help: "Its number.", samples: [GaugeSample(7)])
        let golden = """
            # HELP sluice_retries_total Further attempts.
            # TYPE sluice_retries_total counter
            sluice_retries_total{pool="sales",cause="reset"} 3
            sluice_retries_total{pool="sales",cause="timeout"} 0
            # HELP sluice_pool_saturation Share of the capacity in use.
            # TYPE sluice_pool_saturation gauge
            sluice_pool_saturation{pool="sales"} 0.25
            sluice_pool_saturation{pool="chat"} 1
            # HELP sluice_config_generation Its number.
            # TYPE sluice_config_generation gauge
            sluice_config_generation 7

            """
        #expect(String(decoding: text.bytes, as: UTF8.self) == golden)
    }

    @Test func `cumulates the buckets of a histogram`() {
        let histogram = Histogram()
        histogram.observe(.milliseconds(500))
        histogram.observe(.milliseconds(1_500))
        histogram.observe(.seconds(500))
        var text = PrometheusText()
        text.family("wait_seconds", .histogram, help: "Wait.")
        text.sample(["pool": "a"], histogram.read())
        let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n")
        #expect(
            lines[2...].joined(separator: "\n") == """
                wait_seconds_bucket{pool="a",le="0.001"} 0
                wait_seconds_bucket{pool="a",le="0.002"} 0
                wait_seconds_bucket{pool="a",le="0.005"} 0
                wait_seconds_bucket{pool="a",le="0.01"} 0
                wait_seconds_bucket{pool="a",le="0.025"} 0
                wait_seconds_bucket{pool="a",le="0.05"} 0
                wait_seconds_bucket{pool="a",le="0.1"} 0
                wait_seconds_bucket{pool="a",le="0.25"} 0
                wait_seconds_bucket{pool="a",le="0.5"} 1
                wait_seconds_bucket{pool="a",le="1"} 1
                wait_seconds_bucket{pool="a",le="2.5"} 2
                wait_seconds_bucket{pool="a",le="5"} 2
                wait_seconds_bucket{pool="a",le="10"} 2
                wait_seconds_bucket{pool="a",le="30"} 2
                wait_seconds_bucket{pool="a",le="60"} 2
                wait_seconds_bucket{pool="a",le="120"} 2
                wait_seconds_bucket{pool="a",le="240"} 2
                wait_seconds_bucket{pool="a",le="+Inf"} 3
                wait_seconds_sum{pool="a"} \(histogram.read().sumSeconds)
                wait_seconds_count{pool="a"} 3
                """
        )
    }

    @Test(arguments: ["plain", "a\"b", "a\\b", "a\nb", "\\n", "\"", "é ☃", "a{b=\"c\"} 1\nx 2", ""])
    func `gives every label value back as it was`(value: String) throws {
        var text = PrometheusText()
        text.gauge("g", help: value, samples: [GaugeSample(["l": value], 1)])
        let page = try Exposition(text.bytes)
        #expect(page.samples.map(\.labels) == [["l": value]])
        #expect(page.helps["g"] == value)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1, "1"), (-3, "-3"), (0.1, "0.1"), (1e-7, "1e-07"),
        (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (12_345.678, "12345.678"), (4_503_599_627_370_496, "4503599627370496"),
    ])
    func `spells numbers as scrapers read them`(value: Double, spelling: String) {
        var text = PrometheusText()
        text.gauge("g", help: "", samples: [GaugeSample(value)])
        let page = String(decoding: text.bytes, as: UTF8.self)
        #expect(page.hasSuffix("\ng \(spelling)\n"))
    }

    @Test func `stops the process when a family is written twice`() async {
        await #expect(processExitsWith: .failure) {
            var text = PrometheusText()
            text.family("a", .gauge, help: "")
            text.family("a", .gauge, help: "")
        }
    }

    @Test func `stops the process on a name no scraper takes`() async {
        await #expect(processExitsWith: .failure) {
            var text = PrometheusText()
            text.family("a-b", .gauge, help: "")
        }
    }
}
